"""Outages: work at a location that is out of use is planned again, at once and in small turns."""

import asyncio

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.order_commands import OrdersReplanned
from domgrpc.core.orders import Attention, HoldKind, Order
from domgrpc.core.values import LocationType, OrderId
from domgrpc.engine.engine import Engine
from tests.core.commands import disable, enable, on_hand, place
from tests.core.order_words import CHICAGO, line, order, put_on_hold, work_of
from tests.engine.rooms import SEGMENT_BYTES, Room, ask, given
from tests.engine.virtual_time import NOON_MS

DC = LocationType.DISTRIBUTION_CENTER


async def two_places(engine: Engine, *, units: int = 10, elsewhere: int = 10) -> None:
    """Open a place near the customer, and one far away."""
    await given(
        engine,
        place("near", DC, at=CHICAGO),
        place("far", DC, at=(34.05, -118.24)),
        on_hand("tea", near=units, far=elsewhere),
    )


def order_of(engine: Engine, order_id: str) -> Order:
    """Return an order as it stands."""
    return engine.writer.state.orders.by_id[OrderId(order_id)]


def replans(room: Room) -> list[OrdersReplanned]:
    """Return what timers planned again."""
    return [
        event
        for record in room.records()
        for event in record.events
        if isinstance(event, OrdersReplanned)
    ]


def test_work_moves_at_once_when_its_location_is_disabled() -> None:
    room = Room()

    async def disable_near(engine: Engine) -> Order:
        await two_places(engine)
        await given(engine, order(line("tea", 3)), order(line("tea", 2), as_id="p"))
        assert work_of(order_of(engine, "o")) == {"near": {"tea": 3}}
        await given(engine, disable("near"))
        # A call later, without any time that passes.
        await given(engine, place("new"))
        return order_of(engine, "o")

    assert work_of(room.live(disable_near)) == {"far": {"tea": 3}}
    (event,) = replans(room)
    assert event.summary.applied_order_ids == ("o", "p")
    assert room.records()[-2].time_ms == room.records()[-1].time_ms


def test_work_moves_when_a_window_opens_by_itself() -> None:
    room = Room()

    async def wait(engine: Engine) -> list[str]:
        await two_places(engine)
        await given(engine, order(line("tea", 3)), disable("near", start_ms=NOON_MS + 60_000))
        before = list(work_of(order_of(engine, "o")))
        await asyncio.sleep(61)
        return before + list(work_of(order_of(engine, "o")))

    assert room.live(wait) == ["near", "far"]
    late_ms = room.records()[-1].time_ms - (NOON_MS + 60_000)
    assert 0 <= late_ms < 100


def test_work_that_was_displaced_while_the_server_was_down_moves_at_the_start() -> None:
    room = Room()

    async def die(engine: Engine) -> None:
        await two_places(engine)
        await given(engine, order(line("tea", 3)), disable("near", start_ms=NOON_MS + 60_000))

    room.live(die)
    room.clock.pass_until(NOON_MS + 60_000)
    assert replans(room) == []
    room.live(lambda _: asyncio.sleep(1))
    assert len(replans(room)) == 1


def test_what_nobody_else_can_do_stays_and_is_told_once() -> None:
    room = Room()

    async def disable_near(engine: Engine) -> Order:
        await two_places(engine, elsewhere=1)
        await given(engine, order(line("tea", 3)), disable("near"))
        await asyncio.sleep(5)
        await given(engine, place("new"))
        await asyncio.sleep(5)
        return order_of(engine, "o")

    stuck = room.live(disable_near)
    assert work_of(stuck) == {"near": {"tea": 2}, "far": {"tea": 1}}
    assert stuck.attention is Attention.LOCATION_DISABLED
    room.live(lambda _: asyncio.sleep(5))
    assert len(replans(room)) == 1


def test_work_that_was_stuck_is_tried_again_when_its_order_changes() -> None:
    room = Room()

    async def change(engine: Engine) -> dict[str, dict[str, int]]:
        await two_places(engine, elsewhere=0)
        await given(engine, order(line("tea", 3)), disable("near"))
        await asyncio.sleep(1)
        await given(engine, on_hand("tea", far=5), put_on_hold("o", HoldKind.PAYMENT))
        await asyncio.sleep(0)
        return work_of(order_of(engine, "o"))

    assert room.live(change) == {"far": {"tea": 3}}


def test_work_that_was_stuck_in_one_outage_is_tried_in_the_next() -> None:
    room = Room()

    async def again(engine: Engine) -> dict[str, dict[str, int]]:
        await two_places(engine, elsewhere=0)
        await given(engine, order(line("tea", 3)), disable("near"))
        await asyncio.sleep(1)
        await given(engine, enable("near"), on_hand("tea", far=5))
        await asyncio.sleep(1)
        await given(engine, disable("near"))
        await asyncio.sleep(1)
        return work_of(order_of(engine, "o"))

    assert room.live(again) == {"far": {"tea": 3}}


@pytest.mark.slow
def test_many_orders_move_in_batches_and_callers_have_their_turns_between() -> None:
    room = Room(segment_size_bytes=1 << 20)

    async def busy(engine: Engine) -> list[int]:
        await two_places(engine, units=500, elsewhere=500)
        await given(engine, *(order(line("tea"), as_id=f"o{n:03}") for n in range(250)))
        await given(engine, disable("near"))
        revisions: list[int] = []
        for number in range(3):
            answer = await engine.submit(ask(place(f"p{number}"), f"p{number}"))
            assert isinstance(answer, Answer)
            revisions.append(answer.revision)
        await asyncio.sleep(1)
        return revisions

    revisions = room.live(busy)
    assert [len(event.changes) for event in replans(room)] == [100, 100, 50]
    last = room.records()[-1].revision
    assert revisions[0] < last


def test_displaced_work_waits_for_space_and_then_moves() -> None:
    room = Room()

    async def full(engine: Engine) -> tuple[list[str], list[str]]:
        await two_places(engine)
        await given(engine, order(line("tea", 3)), disable("near", start_ms=NOON_MS + 5_000))
        engine.writer.rotate()
        room.disk.capacity_bytes -= room.disk.free_bytes()
        await asyncio.sleep(10)
        meanwhile = list(work_of(order_of(engine, "o")))
        room.disk.capacity_bytes += 20 * SEGMENT_BYTES
        await asyncio.sleep(2)
        return meanwhile, list(work_of(order_of(engine, "o")))

    assert room.live(full) == (["near"], ["far"])


@pytest.mark.slow
def test_planning_that_broke_is_tried_again_and_is_not_taken_for_nothing_to_do() -> None:
    room = Room()

    async def repair(engine: Engine) -> list[str]:
        await two_places(engine)
        await given(engine, order(line("tea", 3)))
        orders = engine.writer.state.orders.by_id
        whole = orders.pop(OrderId("o"))
        await given(engine, disable("near"))
        await asyncio.sleep(10)
        orders[OrderId("o")] = whole
        before = list(work_of(order_of(engine, "o")))
        await asyncio.sleep(60)
        return before + list(work_of(order_of(engine, "o")))

    assert room.live(repair) == ["near", "far"]
