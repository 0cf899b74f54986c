"""Backorders: what waits is planned when stock comes, at once, in small turns, oldest first."""

import asyncio

import msgspec
import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.dispatch import Command
from domgrpc.core.orders import Attention, FulfillmentState, unsourced_quantities
from domgrpc.core.values import DAY_MS, LocationType
from domgrpc.engine.backorders import ROUND_MS_MAX
from domgrpc.engine.engine import Engine
from tests.core.commands import (
    announce,
    disable,
    enable,
    from_inbound,
    no_rule,
    on_hand,
    place,
    product,
    release,
    reserve,
    rule,
    stock,
)
from tests.core.order_words import CHICAGO, cancel_order, line, order, terms, work_of
from tests.core.routing_rules import activate, draft, exclude, validate
from tests.engine.rooms import SEGMENT_BYTES, Room, ask, given
from tests.engine.test_outages import order_of, replans, two_places
from tests.engine.virtual_time import NOON_MS

DC = LocationType.DISTRIBUTION_CENTER


def waits(engine: Engine, order_id: str = "o") -> bool:
    """Whether units of an order wait."""
    return bool(unsourced_quantities(order_of(engine, order_id)))


def test_units_that_wait_are_planned_at_once_when_stock_is_received() -> None:
    room = Room()

    async def receive(engine: Engine) -> bool:
        await two_places(engine, units=0, elsewhere=0)
        await given(engine, order(line("tea", 3)), on_hand("tea", far=3))
        # A call later, without any time that passes.
        await given(engine, place("new"))
        return waits(engine)

    assert not room.live(receive)
    (event,) = replans(room)
    assert event.summary.applied_order_ids == ("o",)
    assert room.records()[-2].time_ms == room.records()[-1].time_ms


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((reserve(("tea", "near", 2), as_id="h"),), release("h")),
        ((order(line("tea", 2), as_id="p"),), cancel_order("p")),
        ((disable("near"),), enable("near")),
        ((rule("keep", 2),), no_rule("keep")),
        ((draft(exclude("no", "location.id == 'near'")), validate(1), activate(1)), activate(0)),
    ],
    ids=["release", "cancel", "enable", "safety stock", "rule set"],
)
def test_units_that_wait_are_planned_when_something_frees_stock(
    before: tuple[Command, ...], after: Command
) -> None:
    room = Room()

    async def free(engine: Engine) -> list[bool]:
        await two_places(engine, units=2, elsewhere=0)
        await given(engine, *before, order(line("tea", 2)))
        await asyncio.sleep(5)
        waited = waits(engine)
        await given(engine, after)
        await asyncio.sleep(1)
        return [waited, waits(engine)]

    assert room.live(free) == [True, False]


def test_units_of_a_hold_serve_what_waits_when_it_expires() -> None:
    room = Room()

    async def expire(engine: Engine) -> list[bool]:
        await two_places(engine, units=2, elsewhere=0)
        await given(engine, reserve(("tea", "near", 2), ttl_ms=60_000), order(line("tea", 2)))
        await asyncio.sleep(59)
        waited = waits(engine)
        await asyncio.sleep(2)
        return [waited, waits(engine)]

    assert room.live(expire) == [True, False]


def test_a_window_that_closes_by_itself_serves_what_waits() -> None:
    room = Room()

    async def wait(engine: Engine) -> list[bool]:
        await two_places(engine, units=2, elsewhere=0)
        await given(engine, disable("near", end_ms=NOON_MS + 60_000), order(line("tea", 2)))
        await asyncio.sleep(59)
        waited = waits(engine)
        await asyncio.sleep(2)
        return [waited, waits(engine)]

    assert room.live(wait) == [True, False]


def test_what_time_alone_brings_is_found_within_the_hour() -> None:
    room = Room()

    async def wait(engine: Engine) -> list[bool]:
        await given(
            engine,
            place("near", DC, at=CHICAGO, backorder=True),
            product("tea", backorder=from_inbound(1)),
            on_hand("tea", near=0),
            stock(announce("tea", "near", 5, due_ms=NOON_MS + DAY_MS + 1_800_000)),
            order(line("tea", 2)),
        )
        room.clock.pass_until(NOON_MS + ROUND_MS_MAX - 60_000)
        await asyncio.sleep(5)
        waited = waits(engine)
        room.clock.pass_until(NOON_MS + ROUND_MS_MAX)
        await asyncio.sleep(5)
        return [waited, waits(engine)]

    assert room.live(wait) == [True, False]


def test_what_was_missed_while_the_server_was_down_is_planned_at_the_start() -> None:
    room = Room()

    async def die(engine: Engine) -> None:
        await two_places(engine, units=2, elsewhere=0)
        await given(engine, disable("near", end_ms=NOON_MS + 60_000), order(line("tea", 2)))

    room.live(die)
    room.clock.pass_until(NOON_MS + 60_000)
    assert replans(room) == []
    room.live(lambda _: asyncio.sleep(1))
    assert len(replans(room)) == 1


def test_an_order_that_nothing_came_for_is_not_tried_again() -> None:
    room = Room()

    async def idle(engine: Engine) -> int:
        await two_places(engine, units=0, elsewhere=0)
        await given(engine, order(line("tea", 3)))
        await asyncio.sleep(5)
        waiting = engine.writer.state.orders.waiting
        await given(engine, on_hand("cup", near=5))
        return len(waiting.stirred) + len(waiting.changed)

    assert room.live(idle) == 0
    assert replans(room) == []


def test_a_flag_goes_at_once_when_the_location_is_in_use_again() -> None:
    room = Room()

    async def again(engine: Engine) -> list[Attention]:
        await two_places(engine, elsewhere=0)
        await given(engine, order(line("tea", 3)), disable("near"))
        await asyncio.sleep(1)
        flagged = order_of(engine, "o").attention
        await given(engine, enable("near"))
        await asyncio.sleep(1)
        return [flagged, order_of(engine, "o").attention]

    assert room.live(again) == [Attention.LOCATION_DISABLED, Attention.NONE]


def test_work_that_was_stuck_goes_where_stock_comes() -> None:
    room = Room()

    async def come(engine: Engine) -> dict[str, dict[str, int]]:
        await two_places(engine, elsewhere=0)
        await given(engine, order(line("tea", 3)), disable("near"))
        await asyncio.sleep(1)
        await given(engine, on_hand("tea", far=5))
        await asyncio.sleep(1)
        return work_of(order_of(engine, "o"))

    assert room.live(come) == {"far": {"tea": 3}}


@pytest.mark.slow
def test_many_orders_are_served_in_batches_oldest_first_with_turns_for_callers() -> None:
    room = Room(segment_size_bytes=1 << 20)

    async def busy(engine: Engine) -> list[int]:
        await two_places(engine, units=0, elsewhere=0)
        await given(engine, *(order(line("tea"), as_id=f"o{n:03}") for n in range(250)))
        await asyncio.sleep(5)
        await given(engine, on_hand("tea", near=230))
        revisions: list[int] = []
        for number in range(3):
            answer = await engine.submit(ask(place(f"p{number}"), f"p{number}"))
            assert isinstance(answer, Answer)
            revisions.append(answer.revision)
        await asyncio.sleep(5)
        return revisions

    revisions = room.live(busy)
    served = [event.summary.applied_order_ids for event in replans(room)]
    assert [len(batch) for batch in served] == [100, 100, 30]
    assert [order_id for batch in served for order_id in batch] == [f"o{n:03}" for n in range(230)]
    assert revisions[0] < room.records()[-1].revision


@pytest.mark.slow
def test_stock_that_stirs_again_and_again_keeps_no_order_from_its_turn() -> None:
    room = Room(segment_size_bytes=1 << 20)

    async def stir(engine: Engine) -> bool:
        await two_places(engine, units=0, elsewhere=0)
        # The first ones can be served by nobody: what they are promised is too early.
        early = terms(promise_time_ms=NOON_MS + 1, promise_is_hard=True)
        hopeless = (order(line("tea"), as_id=f"a{n:03}") for n in range(250))
        await given(engine, *(msgspec.structs.replace(each, terms=early) for each in hopeless))
        await given(engine, order(line("tea"), as_id="z"))
        await asyncio.sleep(60)
        for number in range(40):
            await given(engine, on_hand("tea", far=1 + number % 2))
            await asyncio.sleep(0.001)
        return waits(engine, "z")

    assert not room.live(stir)


def test_what_waits_is_planned_when_there_is_space_again() -> None:
    room = Room()

    async def full(engine: Engine) -> list[bool]:
        await two_places(engine, units=2, elsewhere=0)
        await given(engine, disable("near", end_ms=NOON_MS + 5_000), order(line("tea", 2)))
        engine.writer.rotate()
        room.disk.capacity_bytes -= room.disk.free_bytes()
        await asyncio.sleep(10)
        meanwhile = waits(engine)
        room.disk.capacity_bytes += 20 * SEGMENT_BYTES
        await asyncio.sleep(2)
        return [meanwhile, waits(engine)]

    assert room.live(full) == [True, False]


def test_supply_that_is_announced_is_promised_to_what_waits() -> None:
    room = Room()

    async def say(engine: Engine) -> list[FulfillmentState]:
        await given(
            engine,
            place("near", DC, at=CHICAGO, backorder=True),
            product("tea", backorder=from_inbound(9)),
            on_hand("tea", near=0),
            order(line("tea", 2)),
            stock(announce("tea", "near", 5, due_ms=NOON_MS + DAY_MS)),
        )
        await asyncio.sleep(1)
        return [work.state for work in order_of(engine, "o").fulfillment_orders]

    assert room.live(say) == [FulfillmentState.SCHEDULED]
