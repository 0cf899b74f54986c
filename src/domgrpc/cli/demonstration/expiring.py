"""A scene about time: a hold ends at its deadline, to the millisecond.

Each try is one message with two operations, a question and a hold. Both are decided at the same
instant, which the answer to the question names. So the instants compared are the server's own.
"""

import asyncio
import time
from dataclasses import dataclass
from itertools import count
from typing import Final

from domgrpc.cli.demonstration.opening import Offer
from domgrpc.cli.demonstration.stage import Stage
from domgrpc.client import DomgrpcClient, Line
from domgrpc.v1.inventory_pb2 import AvailabilityItem, CheckAvailabilityRequest
from domgrpc.v1.pipeline_pb2 import Operation
from domgrpc.v1.reservation_pb2 import ReserveLine, ReserveStockRequest

_PACE_SECONDS: Final = 0.001
_EARLY_SECONDS: Final = 0.025
_LATE_SECONDS: Final = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to get a unit that another customer holds: when it was decided, and how."""

    after_deadline_ms: int
    is_held: bool


async def expire_on_the_dot(stage: Stage, offer: Offer) -> None:
    """Prove that held units are free at the deadline of the hold and not a moment before."""
    stage.narration.scene("A hold expires on the dot")
    center = stage.retailer.center
    position = await stage.position(offer.sku, center.location_id)
    client = await stage.client("reseller")
    units = position.available_to_fulfill
    hold = await client.reserve_stock(
        [Line(offer.sku, units, center.location_id)], ttl_seconds=stage.script.hold_seconds
    )
    stage.narration.say(
        f"A reseller holds all {units} x {stage.retailer.product_name(offer.sku)} at {center} for "
        f"{stage.script.hold_seconds:.0f} s. Somebody else asks for one again and again:"
    )
    deadline_ms = hold.expire_time.ToMilliseconds()
    with stage.narration.waiting("waiting for the deadline"):
        tries = await _try_around(stage, offer, deadline_ms)
    refused_ms = [one.after_deadline_ms for one in tries if not one.is_held]
    held_ms = [one.after_deadline_ms for one in tries if one.is_held]
    stage.promise(
        "refused before the deadline, held from the deadline on, every time",
        expected=([one.after_deadline_ms >= 0 for one in tries], True),
        came=([one.is_held for one in tries], bool(refused_ms and held_ms)),
    )
    stage.narration.say(
        f"By the clock of the server the last of {len(refused_ms)} refusals came "
        f"{-max(refused_ms)} ms before the deadline, the first of {len(held_ms)} successes "
        f"{min(held_ms)} ms after it."
    )
    stage.note("expiry", last_refusal_ms=max(refused_ms), first_success_ms=min(held_ms))


async def _try_around(stage: Stage, offer: Offer, deadline_ms: int) -> list[Try]:
    """Try at once, then at a steady pace from shortly before the deadline to shortly after."""
    client = await stage.client("till-7")
    line = Line(offer.sku, 1, stage.retailer.center.location_id)
    deadline = deadline_ms / 1_000
    tries = [asyncio.create_task(_try_once(client, line, deadline_ms, number=0))]
    await asyncio.sleep(deadline - _EARLY_SECONDS - time.time())
    for number in count(1):
        tries.append(asyncio.create_task(_try_once(client, line, deadline_ms, number=number)))
        await asyncio.sleep(_PACE_SECONDS)
        if time.time() > deadline + _LATE_SECONDS:
            break
    return sorted(await asyncio.gather(*tries), key=lambda one: one.after_deadline_ms)


async def _try_once(client: DomgrpcClient, line: Line, deadline_ms: int, *, number: int) -> Try:
    question = CheckAvailabilityRequest(items=[AvailabilityItem(sku=line.sku)])
    wish = ReserveStockRequest(
        request_id=f"patient-{number}",
        lines=[ReserveLine(sku=line.sku, location_id=line.location_id, quantity=line.quantity)],
    )
    answer = await client.execute(
        [Operation(check_availability=question), Operation(reserve_stock=wish)]
    )
    asked, reserved = answer.results
    decided_ms = asked.availability.as_of_time.ToMilliseconds()
    return Try(after_deadline_ms=decided_ms - deadline_ms, is_held=reserved.HasField("reservation"))
