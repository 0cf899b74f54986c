"""AdminService: what an operator asks of a running server."""

from domgrpc.rpc.calls import Call
from domgrpc.rpc.shapes import request_id, set_duration, set_timestamp
from domgrpc.v1 import admin_pb2

_MICROSECONDS_PER_MS = 1_000


class AdminService:
    """Status, snapshots and proof of consistency."""

    async def GetStatus(
        self, message: admin_pb2.GetStatusRequest, call: Call
    ) -> admin_pb2.ServerStatus:
        """Say what the server is and how it stands."""
        # The query waits for the revision; the status is of now.
        await call.read(lambda state, _: state.revision, message.min_revision)
        status = call.engine.status()
        answer = admin_pb2.ServerStatus(
            version=status.version,
            revision=status.revision,
            durable_revision=status.durable_revision,
            oldest_revision=status.oldest_revision,
            snapshot_revision=status.snapshot_revision,
            location_count=status.location_count,
            sku_count=status.sku_count,
            position_count=status.position_count,
            held_reservation_count=status.held_reservation_count,
            reservation_count=status.reservation_count,
            open_order_count=status.open_order_count,
            order_count=status.order_count,
            kept_answer_count=status.kept_answer_count,
            watcher_count=status.watcher_count,
            log_size_bytes=status.log_size_bytes,
            memory_bytes=status.memory_bytes,
            recovery_summary=status.recovery_summary,
            scrub_findings=status.scrub_findings,
        )
        if status.scrub_time_ms is not None:
            set_timestamp(answer.scrub_time, status.scrub_time_ms)
        set_timestamp(answer.start_time, status.start_time_ms)
        set_duration(answer.uptime, status.uptime_ms * _MICROSECONDS_PER_MS)
        return answer

    async def CreateSnapshot(
        self, message: admin_pb2.CreateSnapshotRequest, call: Call
    ) -> admin_pb2.Snapshot:
        """Write a snapshot now; takes as long as reading the files does."""
        # Kept for each caller, like the answers of every other change.
        key = f"{call.client_id} {request_id(message.request_id)}"
        report = await call.engine.create_snapshot(key)
        answer = admin_pb2.Snapshot(revision=report.revision, size_bytes=report.size_bytes)
        set_duration(answer.duration, report.duration_ms * _MICROSECONDS_PER_MS)
        set_duration(answer.writer_pause, report.writer_pause_us)
        return answer

    async def VerifyState(
        self, message: admin_pb2.VerifyStateRequest, call: Call
    ) -> admin_pb2.VerifyStateResponse:
        """Read all files again and compare them with memory."""
        report = await call.engine.verify()
        answer = admin_pb2.VerifyStateResponse(
            consistent=report.consistent,
            findings=report.findings,
            revision=report.revision,
            state_digest=report.state_digest,
            frame_count=report.frame_count,
        )
        set_duration(answer.duration, report.duration_ms * _MICROSECONDS_PER_MS)
        return answer
