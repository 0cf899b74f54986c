"""One unit and very many clients who want it at the same moment, round after round.

Exactly one gets it each time, the others are told that there is none.
"""

import asyncio
from collections import Counter as Multiset
from collections.abc import Sequence

import grpc
import grpc.aio

from domgrpc.v1.inventory_pb2 import StockAdjustment, UpdateStockRequest
from domgrpc.v1.inventory_pb2_grpc import InventoryServiceStub
from domgrpc.v1.reservation_pb2 import ReserveStockRequest
from tests.faults.calls import CHANNEL_OPTIONS, DEADLINE_SECONDS, open_place, positions
from tests.faults.ledger import PLACE
from tests.faults.table import Counter, Row, counting, judged
from tests.faults.trial import trial

CLIENTS = 2_000
ROUNDS = 200
_CHANNELS = 16
_METHOD = "/domgrpc.v1.ReservationService/ReserveStock"
_TTL_SECONDS = 24 * 60 * 60
_BACKOFF_SECONDS = 0.2
_ATTEMPTS_MAX = 100
_WON, _LOST = "OK", "FAILED_PRECONDITION"


def run(scale: float) -> list[Row]:
    """Run all the rounds."""
    clients, rounds = max(100, round(CLIENTS * min(1.0, scale * 5))), max(2, round(ROUNDS * scale))
    with counting("rounds", rounds) as counter:
        return [asyncio.run(_run(clients, rounds, counter))]


async def _run(clients: int, rounds: int, counter: Counter) -> Row:
    wrong: list[str] = []
    total: Multiset[str] = Multiset()
    async with trial() as tried:
        tried.server.start()
        target = await tried.server.target()
        channels = [
            grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) for _ in range(_CHANNELS)
        ]
        await open_place(channels[0], ["opening"], 1)
        for number in range(rounds):
            seen = await _round(channels, number, clients)
            counter.add()
            total += seen
            if (seen[_WON], seen[_LOST]) != (1, clients - 1):
                wrong.append(f"round {number}: {dict(seen)}")
        sold = await positions(channels[0])
        wrong += [
            f"{sku}: {figures}"
            for sku, figures in sold.items()
            if sku != "opening" and figures != (1, 1, 0)
        ]
        for channel in channels:
            await channel.close()
    return judged(
        "one unit, many clients",
        must=f"{rounds} rounds of {clients:,} clients, one winner each",
        figure=f"{rounds - len(wrong)} rounds with one winner",
        holds=not wrong and len(sold) == rounds + 1,
        note=", ".join(f"{code} {count:,}" for code, count in sorted(total.items()))
        + "".join(f"; {each}" for each in wrong[:5]),
    )


async def _round(
    channels: Sequence[grpc.aio.Channel], number: int, clients: int
) -> "Multiset[str]":
    sku = f"last-{number}"
    request = UpdateStockRequest(request_id=f"stock-{number}")
    request.updates.add(sku=sku, location_id=PLACE, adjustment=StockAdjustment(delta=1))
    await InventoryServiceStub(channels[0]).UpdateStock(request, timeout=DEADLINE_SECONDS)
    wants = (
        _want(channels[client % len(channels)], sku, client, number) for client in range(clients)
    )
    return Multiset(await asyncio.gather(*wants))


async def _want(channel: grpc.aio.Channel, sku: str, client: int, number: int) -> str:
    """Ask until it is decided; return the code of the answer."""
    message = ReserveStockRequest(request_id=f"want-{number}-{client}")
    message.lines.add(sku=sku, location_id=PLACE, quantity=1)
    # Longer than all rounds take: the last comparison wants every winner to hold its unit.
    message.ttl.seconds = _TTL_SECONDS
    body = message.SerializeToString()
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
    code = ""
    for _ in range(_ATTEMPTS_MAX):
        call = method(
            body, timeout=DEADLINE_SECONDS, metadata=(("domgrpc-client", f"client-{client}"),)
        )
        code = (await call.code()).name
        if code in (_WON, _LOST):
            break
        # Refused for now, or without an answer: the same again.
        await asyncio.sleep(_BACKOFF_SECONDS)
    return code
