"""Scenes about trouble: kill -9 in the middle of load, a restart, and nothing is missing."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from domgrpc.cli.demonstration.stage import PromiseBroken, Stage
from domgrpc.client import DomgrpcClient, DomgrpcError, Line, count_stock
from domgrpc.v1.reservation_pb2 import Reservation

_CLIENT_ID: Final = "night-sale"
_WORKERS: Final = 200
_UNITS: Final = 10**9
_LOAD_SECONDS_MAX: Final = 30.0


@dataclass(slots=True, kw_only=True)
class Load:
    """What was asked of the server that was killed, and what it answered."""

    line: Line
    acknowledged_count_wanted: int
    acknowledged: dict[str, Reservation] = field(default_factory=dict)
    """By reservation id: what the server promised."""
    unanswered: list[str] = field(default_factory=list)
    """Request ids of calls that were under way and never got an answer."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    is_enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def reserve_until_it_fails(self, client: DomgrpcClient) -> None:
        """Make one reservation after the other until the server is gone."""
        for number in self.numbers:
            key = f"{_CLIENT_ID}-{number}"
            try:
                self.acknowledged[key] = await client.reserve_stock([self.line], request_id=key)
            except DomgrpcError:
                self.unanswered.append(key)
                return
            if len(self.acknowledged) == self.acknowledged_count_wanted:
                self.is_enough.set()


async def kill_under_load(stage: Stage) -> Load:
    """Set the proof up: callers reserve without pause, and SIGKILL ends the server meanwhile."""
    stage.narration.scene("kill -9 in the middle of load")
    line = Line(stage.retailer.crowd_skus[1], 1, stage.retailer.center.location_id)
    client = await stage.client(_CLIENT_ID)
    await client.update_stock([count_stock(line.sku, line.location_id, _UNITS)])
    load = Load(line=line, acknowledged_count_wanted=stage.script.acknowledged_before_kill)
    async with asyncio.TaskGroup() as callers:
        for _ in range(_WORKERS):
            callers.create_task(load.reserve_until_it_fails(client))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOAD_SECONDS_MAX):
                await load.is_enough.wait()
        stage.server.kill()
    if not load.is_enough.is_set():
        raise PromiseBroken(
            f"the server answers {load.acknowledged_count_wanted:,} calls under load",
            expected=f"within {_LOAD_SECONDS_MAX:.0f} s",
            came=f"{len(load.acknowledged):,} answers",
        )
    stage.narration.say(
        f"{_WORKERS} callers reserve without pause. Process {stage.server.pid} is killed after "
        f"{len(load.acknowledged):,} answers. The last call of each caller gets none, and nobody "
        "knows whether it acted."
    )
    await stage.hang_up()
    return load


async def restart(stage: Stage, load: Load) -> None:
    """Prove that the server comes back by itself, at least as new as its last answer."""
    seconds = await stage.server.start()
    status = await (await stage.client("back-office")).get_status()
    stage.narration.say(f"Process {stage.server.pid} starts on the same folder and finds:")
    stage.narration.quote(status.recovery_summary)
    answered = max(hold.revision for hold in load.acknowledged.values())
    stage.promise(
        f"serving again after {seconds:.2f} s at revision {status.revision:,}; the last answer "
        f"before was of revision {answered:,}",
        expected=True,
        came=status.durable_revision >= answered,
    )
    stage.note("restart", seconds=seconds, recovery_summary=status.recovery_summary)


async def compare_with_answers(stage: Stage, load: Load) -> None:
    """Prove that every answer survived, and that calls without one act once when repeated."""
    client = await stage.client(_CLIENT_ID)
    found = await asyncio.gather(*map(client.get_reservation, load.acknowledged))
    different = [
        now.reservation_id
        for now, then in zip(found, load.acknowledged.values(), strict=True)
        if not _is_same(now, then)
    ]
    stage.promise(
        f"all {len(found):,} acknowledged reservations are there, each as it was answered",
        expected=[],
        came=different,
    )
    again = await asyncio.gather(
        *(client.reserve_stock([load.line], request_id=key) for key in load.unanswered)
    )
    position = await stage.position(load.line.sku, load.line.location_id)
    stage.promise(
        f"the {len(again)} calls without an answer are sent again: each holds its unit once, "
        f"{position.soft_reserved:,} in all",
        expected=len(load.acknowledged) + len(load.unanswered),
        came=position.soft_reserved,
    )
    stage.note("crash", acknowledged=len(found), unanswered=len(again), lost=len(different))


async def verify_files(stage: Stage) -> None:
    """Prove that files and memory agree: the log is folded anew beside the server."""
    client = await stage.client("back-office")
    answer = await client.verify_state()
    stage.promise(
        f"the log read again and folded anew equals memory: {answer.frame_count:,} frames, "
        f"digest {answer.state_digest[:12]}",
        expected=(True, []),
        came=(answer.consistent, list(answer.findings)),
    )
    stage.note("verification", frames=answer.frame_count, state_digest=answer.state_digest)


def _is_same(now: Reservation, then: Reservation) -> bool:
    # The revision is that of the answer, not of the reservation.
    as_read_then = Reservation()
    as_read_then.CopyFrom(now)
    as_read_then.revision = then.revision
    return as_read_then == then
