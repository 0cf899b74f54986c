"""The calls of AdminService and the whole PipelineService call, as methods of a client."""

from collections.abc import Sequence
from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.v1.admin_pb2 import (
    CreateSnapshotRequest,
    GetStatusRequest,
    ServerStatus,
    Snapshot,
    VerifyStateRequest,
    VerifyStateResponse,
)
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse, Operation

_WHOLE_STATE_SECONDS: Final = 600.0
"""Snapshots and checks go over everything, in a process beside the server."""


async def get_status(
    client: Caller, *, min_revision: int = 0, timeout_seconds: float | None = None
) -> ServerStatus:
    """Say what the server is and how it stands."""
    calls = client.calls
    request = GetStatusRequest(min_revision=min_revision)
    return await calls.read(calls.stubs.admin.GetStatus, request, timeout_seconds)


async def create_snapshot(
    client: Caller, *, request_id: str = "", timeout_seconds: float = _WHOLE_STATE_SECONDS
) -> Snapshot:
    """Write a snapshot now and trim the log behind it."""
    calls = client.calls
    request = CreateSnapshotRequest(request_id=request_id or calls.new_request_id())
    return await calls.write(calls.stubs.admin.CreateSnapshot, request, timeout_seconds)


async def verify_state(
    client: Caller, *, timeout_seconds: float = _WHOLE_STATE_SECONDS
) -> VerifyStateResponse:
    """Compare the files, folded anew, with the state in memory."""
    calls = client.calls
    return await calls.read(calls.stubs.admin.VerifyState, VerifyStateRequest(), timeout_seconds)


async def execute(
    client: Caller, operations: Sequence[Operation], *, timeout_seconds: float | None = None
) -> ExecuteResponse:
    """Run up to 1,000 operations in one call and one commit.

    Each has its own request_id where it changes something, and its own answer or error, in
    order. The other methods do this by themselves when several are under way.
    """
    calls = client.calls
    request = ExecuteRequest(operations=operations)
    return await calls.write(calls.stubs.pipeline.Execute, request, timeout_seconds)
