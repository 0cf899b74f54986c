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
_CLOSE_MS: Final = 20
_SHOWINGS_MAX: Final = 3
"""The promise is checked in each; another one follows where the tries came too far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to get a unit that another customer holds: when it was decided, and how."""

    after_deadline_ms: int
    is_held: bool


async def expire_on_the_dot(stage: Stage, offer: Offer) -> None:
    """Prove that held units are free at the deadline of the hold and not a moment before."""
    stage.narration.scene("A hold expires on the dot")
    refused_ms, held_ms = await _show_expiry(stage, offer.sku, 1)
    for showing in range(2, _SHOWINGS_MAX + 1):
        if held_ms - refused_ms <= _CLOSE_MS:
            break
        stage.narration.say("The machine was busy with something else just then. Once more:")
        refused_ms, held_ms = await _show_expiry(stage, offer.sku, showing)
    stage.note("expiry", last_refusal_ms=refused_ms, first_success_ms=held_ms)


async def _show_expiry(stage: Stage, sku: str, showing: int) -> tuple[int, int]:
    """Return milliseconds after the deadline of the last refusal and of the first success."""
    center = stage.retailer.center
    client = await stage.client("reseller")
    units = (await stage.position(sku, center.location_id)).available_to_fulfill
    seconds = stage.script.hold_seconds
    hold = await client.reserve_stock([Line(sku, units, center.location_id)], ttl_seconds=seconds)
    stage.narration.say(
        f"A reseller holds all {units} x {stage.retailer.product_name(sku)} at {center} for "
        f"{seconds:.0f} s. Somebody else asks for one again and again:"
    )
    with stage.narration.waiting("waiting for the deadline"):
        tries = await _try_around(stage, sku, hold.expire_time.ToMilliseconds(), showing)
    refused = [one.after_deadline_ms for one in tries if not one.is_held]
    held = [one.after_deadline_ms for one in tries if one.is_held]
    stage.promise(
        "refused before the deadline, held from the deadline on, every time",
        expected=([one.after_deadline_ms >= 0 for one in tries], True),
        came=([one.is_held for one in tries], bool(refused and held)),
    )
    stage.narration.say(
        f"By the clock of the server the last of {len(refused)} refusals came {-max(refused)} ms "
        f"before the deadline, the first of {len(held)} successes {min(held)} ms after it."
    )
    return max(refused), min(held)


async def _try_around(stage: Stage, sku: str, deadline_ms: int, showing: int) -> list[Try]:
    """Try at once, then at a steady pace from shortly before the deadline to shortly after."""
    client = await stage.client("till-7")
    line = Line(sku, 1, stage.retailer.center.location_id)
    deadline = deadline_ms / 1_000

    def begin(number: int) -> asyncio.Task[Try]:
        request_id = f"patient-{showing}-{number}"
        return asyncio.create_task(_try_once(client, line, deadline_ms, request_id))

    tries = [begin(0)]
    await asyncio.sleep(deadline - _EARLY_SECONDS - time.time())
    for number in count(1):
        tries.append(begin(number))
        await asyncio.sleep(_PACE_SECONDS)
        if time.time() > deadline + _LATE_SECONDS:
            break
    return sorted(await asyncio.gather(*tries), key=lambda one: one.after_deadline_ms)


async def _try_once(client: DomgrpcClient, line: Line, deadline_ms: int, request_id: str) -> Try:
    question = CheckAvailabilityRequest(items=[AvailabilityItem(sku=line.sku)])
    wish = ReserveStockRequest(
        request_id=request_id,
        lines=[ReserveLine(sku=line.sku, location_id=line.location_id, quantity=line.quantity)],
    )
    answer = await client.execute(
        [Operation(check_availability=question), Operation(reserve_stock=wish)]
    )
    asked, reserved = answer.results
    decided_ms = asked.availability.as_of_time.ToMilliseconds()
    return Try(after_deadline_ms=decided_ms - deadline_ms, is_held=reserved.HasField("reservation"))
