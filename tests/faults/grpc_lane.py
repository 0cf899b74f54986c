"""A lane of kills through gRPC: `python -m tests.faults.grpc_lane PLAN`.

Each cycle starts the real server on the folder of the one before, compares what it holds and
repeats requests, puts load on it, and kills it at a random moment: under load, while it recovers,
or while it writes a snapshot. It prints a line for each cycle and then its report.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import grpc
import grpc.aio
import msgspec

from domgrpc.v1.admin_pb2 import CreateSnapshotRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from tests.faults.calls import CHANNEL_OPTIONS, DEADLINE_SECONDS, Sender
from tests.faults.lane_plan import LaneReport, Plan
from tests.faults.ledger import Ledger, steps_of
from tests.faults.serving import SMALL_SEGMENTS, Serving

LIVES_PER_FOLDER = 50
REPEATS_MAX = 200
_CALLER_COUNT = 16
_ORDERS_PER_CALLER_MAX = 60
_LOADED_SECONDS_MAX = 0.4
_SNAPSHOT_SECONDS_MAX = 0.6
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class GrpcLane:
    """One lane; see the module."""

    def __init__(self, place: Path, seed: int) -> None:
        """Begin on a fresh folder below a place."""
        self._place = place
        self._random = Random(seed)
        self._report = LaneReport()
        self._start_seconds = 0.5
        self._writing = False
        self._begin_folder()

    async def run(self, cycles: int) -> LaneReport:
        """Start and kill so many servers; stops at the first harm."""
        try:
            for cycle in range(cycles):
                await self._one(f"l{cycle}")
                sys.stdout.write(".\n")
                sys.stdout.flush()
                if self._ledger.lost or self._ledger.doubled:
                    break
                if cycle % LIVES_PER_FOLDER == LIVES_PER_FOLDER - 1:
                    await self._close_folder()
                    self._begin_folder()
            await self._close_folder()
        finally:
            self._server.end()
        return self._report

    def _begin_folder(self) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=self._place))
        self._server = Serving(self._folder, *SMALL_SEGMENTS, "--call-log", "off")
        self._ledger = Ledger()

    async def _close_folder(self) -> None:
        """Serve once more without a kill before everything was compared."""
        self._server.start()
        await self._serve("last", with_load=False, with_snapshot=False)
        assert self._server.stop() == 0
        self._server.end()
        self._report = self._report.with_ledger(self._ledger)
        shutil.rmtree(self._folder)

    async def _one(self, name: str) -> None:
        moment = self._random.choices(("recovery", "snapshot", "load"), (2, 2, 6))[0]
        self._writing = False
        started = time.monotonic()
        self._server.start()
        if moment == "recovery":
            await asyncio.sleep(self._random.uniform(0, self._start_seconds))
            was_up = '"listening"' in self._server.printed()
        else:
            await self._server.target()
            self._start_seconds = time.monotonic() - started
            was_up = True
            await self._serve(name, with_load=True, with_snapshot=moment == "snapshot")
        self._server.kill()
        self._report = self._report.after_cycle(was_up=was_up, was_writing=self._writing)

    async def _serve(self, name: str, *, with_load: bool, with_snapshot: bool) -> None:
        target = await self._server.target()
        async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
            sender = Sender(channel, self._ledger)
            await sender.open_and_check(channel)
            repeats = self._ledger.unanswered() + self._ledger.newest_answered(REPEATS_MAX)
            await sender.send_all(repeats, _CALLER_COUNT)
            if not with_load:
                return
            tasks = [
                asyncio.create_task(_order(sender, f"{name}-{caller}"))
                for caller in range(_CALLER_COUNT)
            ]
            longest = _LOADED_SECONDS_MAX
            if with_snapshot:
                longest = _SNAPSHOT_SECONDS_MAX
                tasks.append(asyncio.create_task(self._snapshot(channel, name)))
            await asyncio.sleep(self._random.uniform(0, longest))
            assert self._server.status() is None, self._server.printed()
            self._server.kill()
            for end in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(end, BaseException) and not _is_gone(end):
                    raise end

    async def _snapshot(self, channel: grpc.aio.Channel, name: str) -> None:
        self._writing = True
        request = CreateSnapshotRequest(request_id=f"snapshot-{name}")
        await AdminServiceStub(channel).CreateSnapshot(request, timeout=DEADLINE_SECONDS)
        self._writing = False


async def _order(sender: Sender, caller: str) -> None:
    for number in range(_ORDERS_PER_CALLER_MAX):
        await sender.send_steps(steps_of(f"{caller}-{number}"))


def _is_gone(error: BaseException) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in _GONE


def main() -> None:
    """Run the plan that the first argument is."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    with tempfile.TemporaryDirectory(prefix="domgrpc-faults-") as place:
        report = asyncio.run(GrpcLane(Path(place), plan.seed).run(plan.cycles))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
