"""Syncs that take 200 ms, and a disk that hangs: what callers and the health check see of it.

The server is the real program with delayed syncs (tests/faults/delaying.py). Everything it
answered is compared after a kill: an answer before its sync would be lost.
"""

import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.faults.calls import CHANNEL_OPTIONS, Sender
from tests.faults.delaying import HANG, set_delay
from tests.faults.ledger import reserve_id
from tests.faults.table import Row, judged
from tests.faults.trial import Trial, percentile, trial

SLOW_SECONDS = 10.0
HANG_SECONDS = 30.0
HANG_SECONDS_MIN = 4.0
_SYNC_SECONDS = 0.2
_P99_SECONDS_MAX = 2.5
"""The deadline of the callers and a little for a client that is busy itself."""
_ACCEPTED_PER_SECOND_MIN = 20
"""A small part of the 500 that five syncs a second carry with the queue full."""
_QUEUE_MAX = 100
_SLOW_CALLERS = 300
_DEADLINE_SECONDS = 2.0
_BACKOFF_SECONDS = 0.05
_HANG_CALLERS = 8
_HEALTH_SECONDS_MAX = 2.0
_HEALTH_TIMEOUT_SECONDS = 0.5
_PAUSE_SECONDS = 0.05
_UNDER_WAY_SECONDS = 0.5
_RESUME_SECONDS_MAX = 5.0
_RESUME_WAIT_SECONDS_MAX = 30.0
_EXPECTED = frozenset({"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})


class DelayedTrial:
    """A trial whose syncs can be delayed."""

    def __init__(self, tried: Trial, control: Path) -> None:
        """Begin with syncs as they are."""
        self.tried = tried
        self._control = control
        self.delay("0")

    def delay(self, what: str) -> None:
        """Delay every further sync by so many seconds, or let it hang."""
        set_delay(self._control, what)


@asynccontextmanager
async def delayed_trial(*options: str) -> AsyncIterator[DelayedTrial]:
    """Prepare a trial on a disk that can be slow."""
    with tempfile.TemporaryDirectory(prefix="domgrpc-faults-") as place:
        control = Path(place) / "control"
        program = ("-m", "tests.faults.delaying", str(control))
        async with trial(*options, program=program) as tried:
            yield DelayedTrial(tried, control)


def run(scale: float) -> list[Row]:
    """Try a slow disk and a hanging one."""
    slow = asyncio.run(slow_disk(max(1.0, SLOW_SECONDS * scale)))
    return [slow, *asyncio.run(hanging_disk(max(HANG_SECONDS_MIN, HANG_SECONDS * scale)))]


# --- slow


async def slow_disk(seconds: float) -> Row:
    """Offer more than a disk with slow syncs can take, for so long."""
    latencies: list[float] = []
    codes: Counter[str] = Counter()
    async with delayed_trial("--queue-max", str(_QUEUE_MAX)) as delayed:
        async with delayed.tried.serving() as (_, sender):
            delayed.delay(str(_SYNC_SECONDS))
            end = time.monotonic() + seconds
            offers = (
                _offer(sender, f"slow-{caller}", end, (latencies, codes))
                for caller in range(_SLOW_CALLERS)
            )
            await asyncio.gather(*offers)
        delayed.delay("0")
        harms = await delayed.tried.last_harms()
    p99 = percentile(latencies, 0.99)
    rate = len(latencies) / seconds
    # A sync that was not delayed would prove nothing.
    is_slow = percentile(latencies, 0.5) >= _SYNC_SECONDS
    told = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()))
    return judged(
        "slow disk (200 ms a sync)",
        must=f"{_ACCEPTED_PER_SECOND_MIN}/s accepted, p99 <= {_P99_SECONDS_MAX:g} s, 0 lost",
        figure=f"{rate:.0f}/s, p99 {p99:.2f} s, {len(harms)} lost or doubled",
        holds=is_slow
        and rate >= _ACCEPTED_PER_SECOND_MIN
        and p99 <= _P99_SECONDS_MAX
        and not harms
        and set(codes) <= _EXPECTED,
        note=f"{_SLOW_CALLERS} callers, {_QUEUE_MAX} may wait: {told}" + "; ".join(["", *harms]),
    )


async def _offer(
    sender: Sender, caller: str, end: float, seen: tuple[list[float], Counter[str]]
) -> None:
    latencies, codes = seen
    for number in itertools.count():
        started = time.monotonic()
        if started > end:
            return
        try:
            await sender.send(reserve_id(f"{caller}-{number}"), deadline_seconds=_DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            codes[error.code().name] += 1
            await asyncio.sleep(_BACKOFF_SECONDS)
        else:
            codes["OK"] += 1
            latencies.append(time.monotonic() - started)


# --- hanging


async def hanging_disk(seconds: float) -> list[Row]:
    """Let a sync hang for so long, then let it go on."""
    async with delayed_trial("--health-port", "0") as delayed:
        async with delayed.tried.serving() as (_, sender):
            ledger = delayed.tried.ledger
            stopping = asyncio.Event()
            callers = [
                asyncio.create_task(_keep_ordering(sender, f"hang-{number}", stopping))
                for number in range(_HANG_CALLERS)
            ]
            await asyncio.sleep(_UNDER_WAY_SECONDS)
            delayed.delay(HANG)
            health = await delayed.tried.server.target("health_port")
            noticed = asyncio.create_task(_until_not_serving(health, seconds))
            # What was synced before may still be on its way.
            await asyncio.sleep(_UNDER_WAY_SECONDS)
            before = len(ledger.answers)
            await asyncio.sleep(seconds - _UNDER_WAY_SECONDS)
            false_count = len(ledger.answers) - before
            delayed.delay("0")
            resumed = await _until_answered(sender)
            stopping.set()
            await asyncio.gather(*callers)
            noticed_seconds = await noticed
        harms = await delayed.tried.last_harms()
        answered = len(ledger.answers)
    return [
        _health_row(noticed_seconds, seconds),
        judged(
            f"hanging disk ({seconds:.0f} s): answers",
            must="0 false answers, resumes, exactly once",
            figure=f"{false_count} false, resumed in {resumed:.1f} s, {len(harms)} harms",
            holds=not false_count and resumed <= _RESUME_SECONDS_MAX and not harms,
            note=f"{answered:,} answers compared" + "; ".join(["", *harms]),
        ),
    ]


def _health_row(noticed_seconds: float | None, seconds: float) -> Row:
    return judged(
        f"hanging disk ({seconds:.0f} s): health",
        must=f"NOT_SERVING within {_HEALTH_SECONDS_MAX:g} s",
        figure="never" if noticed_seconds is None else f"{noticed_seconds:.2f} s",
        holds=noticed_seconds is not None and noticed_seconds <= _HEALTH_SECONDS_MAX,
        note="the health port, asked every 50 ms, each time for at most 0.5 s",
    )


async def _keep_ordering(sender: Sender, caller: str, stopping: asyncio.Event) -> None:
    for number in itertools.count():
        if stopping.is_set():
            return
        request_id = reserve_id(f"{caller}-{number}")
        try:
            await sender.send(request_id, deadline_seconds=_DEADLINE_SECONDS)
        except grpc.aio.AioRpcError:
            await asyncio.sleep(_PAUSE_SECONDS)


async def _until_answered(sender: Sender) -> float:
    """Return after how many seconds a new order is answered, or was given up."""
    started = time.monotonic()
    while (passed := time.monotonic() - started) < _RESUME_WAIT_SECONDS_MAX:
        with suppress(grpc.aio.AioRpcError):
            await sender.send(reserve_id("resumed-0"), deadline_seconds=_DEADLINE_SECONDS)
            return time.monotonic() - started
        await asyncio.sleep(_PAUSE_SECONDS)
    return passed


async def _until_not_serving(target: str, seconds: float) -> float | None:
    """Return after how many seconds health says NOT_SERVING, None where it never does."""
    started = time.monotonic()
    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
        while time.monotonic() - started < seconds:
            if await _says_not_serving(channel):
                return time.monotonic() - started
            await asyncio.sleep(_PAUSE_SECONDS)
    return None


async def _says_not_serving(channel: grpc.aio.Channel) -> bool:
    stub: Any = HealthStub(channel)  # its types do not know its methods
    request = health_pb2.HealthCheckRequest()
    try:
        answer = await stub.Check(request, timeout=_HEALTH_TIMEOUT_SECONDS)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.NOT_SERVING)
