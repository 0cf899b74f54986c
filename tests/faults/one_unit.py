"""One unit and very many clients who want it at the same moment, round after round.

Exactly one gets it each time, the others are told that there is none. What takes the time is the
server: four hundred thousand durable calls, one after the other. So the rounds are played against
several servers side by side, one for each processor with its clients in a process beside it, and
end, won or not, after a time that is set.
"""

import asyncio
import time
from collections import Counter as Multiset
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field

import grpc
import grpc.aio

from domgrpc.v1.inventory_pb2 import StockAdjustment, UpdateStockRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.reservation_pb2 import ReserveStockRequest
from tests.faults.calls import CHANNEL_OPTIONS, DEADLINE_SECONDS, open_place, positions
from tests.faults.ledger import PLACE
from tests.faults.table import Row, counting, judged
from tests.faults.trial import trial
from tests.faults.workers import workers

CLIENTS = 2_000
ROUNDS = 200
SECONDS_MAX = 900.0
"""When no further round is begun."""
_ROUNDS_PER_SERVER = 10
_CHANNELS = 16
_METHOD = "/domgrpc.v1.ReservationService/ReserveStock"
_TTL_SECONDS = 24 * 60 * 60
_BACKOFF_SECONDS = 0.2
_WON, _LOST = "OK", "FAILED_PRECONDITION"


@dataclass(slots=True)
class Tally:
    """What rounds came to; sums of it can be added up."""

    rounds: int = 0
    codes: "Multiset[str]" = field(default_factory=Multiset)
    """How often calls ended in which way."""
    wrong: list[str] = field(default_factory=list)
    """Rounds that did not have one winner, in words."""

    def add(self, other: "Tally") -> None:
        """Add what others came to."""
        self.rounds += other.rounds
        self.codes += other.codes
        self.wrong += other.wrong


def run(scale: float) -> list[Row]:
    """Play all the rounds."""
    clients, rounds = max(100, round(CLIENTS * min(1.0, scale * 5))), max(2, round(ROUNDS * scale))
    started_seconds = time.monotonic()
    starts = range(0, rounds, _ROUNDS_PER_SERVER)
    parts = [range(start, min(start + _ROUNDS_PER_SERVER, rounds)) for start in starts]
    tally = Tally()
    # Not politely: servers that get no time beside others would only make it longer.
    with workers(niceness=0) as pool, counting("rounds", rounds) as counter:
        until = started_seconds + SECONDS_MAX
        for done in as_completed([pool.submit(play, part, clients, until) for part in parts]):
            tally.add(done.result())
            counter.add(done.result().rounds)
    seconds = time.monotonic() - started_seconds
    return [one_unit_row(tally, rounds, clients, seconds)]


def one_unit_row(tally: Tally, rounds: int, clients: int, seconds: float) -> Row:
    """Return the line of the table."""
    told = ", ".join(f"{code} {count:,}" for code, count in sorted(tally.codes.items()))
    return judged(
        "one unit, many clients",
        must=f"{rounds} rounds of {clients:,} clients, one winner each",
        figure=f"{tally.rounds - len(tally.wrong)} rounds with one winner",
        holds=tally.rounds == rounds and not tally.wrong,
        note="; ".join([f"{tally.rounds} rounds in {seconds:.0f} s: {told}", *tally.wrong[:5]]),
    )


def play(numbers: Sequence[int], clients: int, until: float) -> Tally:
    """Play rounds against a server of their own; none is begun after `until`, a monotonic time."""
    return asyncio.run(_play(numbers, clients, until))


async def _play(numbers: Sequence[int], clients: int, until: float) -> Tally:
    tally = Tally()
    if time.monotonic() > until:
        return tally
    async with trial() as tried:
        tried.server.start()
        target = await tried.server.target()
        channels = [
            grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) for _ in range(_CHANNELS)
        ]
        await open_place(channels[0], ["opening"], 1)
        for number in numbers:
            if time.monotonic() > until:
                break
            tally.add(await _round(channels, number, clients, until))
        sold = await positions(channels[0])
        for channel in channels:
            await channel.close()
    del sold["opening"]
    tally.wrong += [f"{sku}: {figures}" for sku, figures in sold.items() if figures != (1, 1, 0)]
    assert len(sold) == tally.rounds, f"{len(sold)} SKUs after {tally.rounds} rounds"
    return tally


async def _round(
    channels: Sequence[grpc.aio.Channel], number: int, clients: int, until: float
) -> Tally:
    sku = f"last-{number}"
    request = UpdateStockRequest(request_id=f"stock-{number}")
    request.updates.add(sku=sku, location_id=PLACE, adjustment=StockAdjustment(delta=1))
    await InventoryServiceStub(channels[0]).UpdateStock(request, timeout=DEADLINE_SECONDS)
    wants = (
        _want(channels[client % len(channels)], sku, f"{number}-{client}", until)
        for client in range(clients)
    )
    codes = Multiset(await asyncio.gather(*wants))
    is_right = (codes[_WON], codes[_LOST]) == (1, clients - 1)
    return Tally(1, codes, [] if is_right else [f"round {number}: {dict(codes)}"])


async def _want(channel: grpc.aio.Channel, sku: str, client: str, until: float) -> str:
    """Ask until it is decided, or too late; return the code of the last answer."""
    message = ReserveStockRequest(request_id=f"want-{client}")
    message.lines.add(sku=sku, location_id=PLACE, quantity=1)
    # Longer than all rounds take: the last comparison wants every winner to hold its unit.
    message.ttl.seconds = _TTL_SECONDS
    body = message.SerializeToString()
    metadata = (("domgrpc-client", f"client-{client.rpartition('-')[2]}"),)
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
    while True:
        code = (await method(body, timeout=DEADLINE_SECONDS, metadata=metadata).code()).name
        if code in (_WON, _LOST) or time.monotonic() > until:
            return code
        # Refused for now, or without an answer: the same again.
        await asyncio.sleep(_BACKOFF_SECONDS)
