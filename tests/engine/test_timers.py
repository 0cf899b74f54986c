"""What the engine does by itself: levels after rules change, the spare, seals, snapshots."""

import asyncio

import pytest

from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.reservations import ReservationExpired
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.stock_levels import SWEEP_START, StockLevelChanged, SweepStockLevels
from domgrpc.core.values import Sku, StockLevel, TimeMs
from domgrpc.engine.engine import Engine
from domgrpc.storage.errors import StorageFault
from domgrpc.storage.frame import SEAL
from domgrpc.storage.inspection import inspect_log
from domgrpc.storage.snapshot import list_snapshots
from domgrpc.storage.spare import SPARE_NAME
from tests.core.commands import (
    count,
    disable,
    group,
    no_rule,
    on_hand,
    place,
    product,
    reserve,
    rule,
    stock,
)
from tests.engine.rooms import SEGMENT_BYTES, Room, given, send
from tests.engine.virtual_time import NOON_MS
from tests.storage.fake_disk import Fault

OUT, LOW, IN = StockLevel.OUT_OF_STOCK, StockLevel.LOW_STOCK, StockLevel.IN_STOCK
DAY_MS = 86_400_000


def crossings(room: Room) -> list[tuple[str, StockLevel]]:
    """Return the level events of the log in order."""
    return [
        (event.sku, event.level)
        for record in room.records()
        for event in record.events
        if isinstance(event, StockLevelChanged)
    ]


async def ten_teas(engine: Engine) -> None:
    await given(engine, place("north"), on_hand("tea", north=10), on_hand("cup", north=2))


def test_a_new_rule_crosses_levels_once_without_a_change_of_stock() -> None:
    room = Room()

    async def add_rule(engine: Engine) -> None:
        await ten_teas(engine)
        await asyncio.sleep(1)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await asyncio.sleep(5)

    room.live(add_rule)
    assert crossings(room) == [("cup", LOW)]
    room.live(lambda _: asyncio.sleep(5))
    assert crossings(room) == [("cup", LOW)]


def test_a_deleted_rule_brings_levels_back_even_where_it_was_the_last_one() -> None:
    room = Room()

    async def come_and_go(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await asyncio.sleep(1)
        await given(engine, no_rule("low"))
        await asyncio.sleep(1)

    room.live(come_and_go)
    assert crossings(room) == [("cup", LOW), ("cup", IN)]


def test_levels_come_back_where_the_server_died_right_after_the_last_rule_was_deleted() -> None:
    room = Room()

    async def add(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await asyncio.sleep(1)
        await given(engine, no_rule("low"))

    room.live(add)
    room.cut_power()
    room.live(lambda _: asyncio.sleep(1))
    assert crossings(room) == [("cup", LOW), ("cup", IN)]


@pytest.mark.parametrize("restarted", [False, True])
def test_levels_cross_when_a_rule_window_opens_and_closes_by_itself(*, restarted: bool) -> None:
    room = Room()
    window_ms = (NOON_MS + 10_000, NOON_MS + 20_000)

    async def add(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK, window_ms=window_ms))
        if not restarted:
            await asyncio.sleep(30)

    room.live(add)
    if restarted:
        room.live(lambda _: asyncio.sleep(30))
    assert crossings(room) == [("cup", LOW), ("cup", IN)]
    times = [record.time_ms - NOON_MS for record in room.records()[-2:]]
    assert times == [pytest.approx(10_000, abs=100), pytest.approx(20_000, abs=100)]


def test_a_sweep_gives_back_what_is_due_before_it_compares_levels() -> None:
    room = Room()

    async def hold_on(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await given(engine, reserve(("tea", "north", 6), ttl_ms=60_000))
        room.clock.pass_until(NOON_MS + 60_000)
        engine.writer.sweep(SweepStockLevels(SWEEP_START, 1_000))

    room.live(hold_on)
    assert isinstance(room.records()[-2].events[0], ReservationExpired)
    assert crossings(room) == [("tea", LOW), ("tea", IN), ("cup", LOW)]


def test_a_sweep_over_many_products_goes_in_small_records_between_calls() -> None:
    room = Room()

    async def many(engine: Engine) -> None:
        await given(engine, place("north"))
        skus = [f"sku-{number}" for number in range(800)]
        await given(engine, stock(*(count(sku, "north", 1) for sku in skus)))
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await asyncio.sleep(2)

    room.live(many)
    assert len(crossings(room)) == 800
    sizes = [len(record.events) for record in room.records()]
    assert sizes == [1, 1, 1, 500, 300]


def test_a_product_of_many_stores_is_swept_in_slices_too() -> None:
    room = Room(segment_size_bytes=1 << 20)

    async def wide(engine: Engine) -> None:
        names = [f"s{number}" for number in range(700)]
        await given(engine, *(place(name) for name in names))
        await given(engine, on_hand("tea", **dict.fromkeys(names, 1)))
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        await asyncio.sleep(2)

    room.live(wide)
    assert [len(record.events) for record in room.records()[-2:]] == [500, 200]


def test_only_what_a_level_depends_on_begins_another_sweep() -> None:
    room = Room()
    compared: list[int] = []

    async def rename(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK), product("cup"))
        await asyncio.sleep(1)
        state = engine.writer.state
        before = state.network.level_version(TimeMs(NOON_MS))
        named = UpdateProducts(
            products=((Sku("cup"), ProductFields(display_name="Cup")),),
            field_names=("display_name",),
        )
        await given(engine, named, place("south"), disable("north"), group("all", "north"))
        compared.append(state.network.level_version(TimeMs(NOON_MS)) == before)
        sorted_into = UpdateProducts(
            products=((Sku("cup"), ProductFields(categories=("c",))),), field_names=("categories",)
        )
        await given(engine, sorted_into)
        compared.append(state.network.level_version(TimeMs(NOON_MS)) == before)

    room.live(rename)
    assert compared == [True, False]


def test_a_sweep_comes_to_its_end_while_products_keep_changing() -> None:
    room = Room()

    async def restless(engine: Engine) -> None:
        await given(engine, place("north"))
        await given(engine, *(on_hand(f"sku-{number}", north=1) for number in range(400)))
        await given(engine, rule("low", 5, kind=RuleKind.LOW_STOCK))
        for number in range(100):
            await given(engine, product(f"new-{number}"))
            await asyncio.sleep(0.02)

    room.live(restless)
    assert len(crossings(room)) == 400


def test_an_idle_log_is_sealed_once() -> None:
    room = Room()

    async def idle(engine: Engine) -> None:
        await send(engine, place("north"))
        await asyncio.sleep(5)

    room.live(idle)
    kinds = [frame.kind for frame in inspect_log(room.disk)]
    assert kinds.count(SEAL) == 1
    assert kinds[-1] == SEAL


def test_the_next_segment_is_made_ahead() -> None:
    room = Room()
    room.live(lambda _: asyncio.sleep(1))
    assert SPARE_NAME in room.disk.list_names()


def test_a_fault_in_the_background_ends_the_engine() -> None:
    room = Room()

    async def fault(engine: Engine) -> str:
        room.disk.faults.append(Fault("fdatasync", StorageFault("the disk is gone")))
        return str(await engine.failed)

    assert "the disk is gone" in room.live(fault)


# --- snapshots by themselves


async def write_much(engine: Engine) -> None:
    for number in range(60):
        await given(engine, place(f"p{number}"))
        await asyncio.sleep(0.1)


def test_a_snapshot_is_written_whenever_the_log_has_grown_by_so_much() -> None:
    room = Room(snapshot_log_bytes=2_000)

    async def count(engine: Engine) -> tuple[int, int]:
        await write_much(engine)
        return engine.status().snapshot_revision, engine.status().oldest_revision

    snapshot_revision, oldest_revision = room.live(count)
    assert snapshot_revision > 40
    assert 0 < oldest_revision < snapshot_revision
    assert len(list_snapshots(room.disk)) == 2


def test_no_snapshot_is_written_by_itself_where_that_is_switched_off() -> None:
    room = Room(snapshot_log_bytes=0)
    room.live(write_much)
    assert list_snapshots(room.disk) == []


def test_the_growth_is_counted_from_the_last_snapshot_on_over_a_restart() -> None:
    # Else a server that is restarted often would never write one.
    room = Room(snapshot_log_bytes=2_000)

    async def add_one(engine: Engine) -> None:
        await given(engine, place(f"p{engine.revision}"))

    for _ in range(60):
        room.live(add_one)
    room.live(lambda _: asyncio.sleep(1))
    assert list_snapshots(room.disk) != []


# --- deadlines


def test_a_hold_that_cannot_be_given_back_for_want_of_space_is_when_space_returns() -> None:
    # Meanwhile nothing spins: the virtual loop refuses to be busy in one moment for long.
    room = Room()

    async def due_on_a_full_disk(engine: Engine) -> tuple[int, int]:
        await ten_teas(engine)
        await given(engine, reserve(("tea", "north", 1), ttl_ms=1_000))
        engine.writer.rotate()
        room.disk.capacity_bytes -= room.disk.free_bytes()
        await asyncio.sleep(10)
        on_full_disk = engine.revision
        room.disk.capacity_bytes += 10 * SEGMENT_BYTES
        await asyncio.sleep(2)
        return on_full_disk, engine.revision

    assert room.live(due_on_a_full_disk) == (4, 5)


def test_a_failed_engine_does_not_keep_the_loop_busy() -> None:
    room = Room()

    async def due_after_failure(engine: Engine) -> None:
        await ten_teas(engine)
        await given(engine, reserve(("tea", "north", 1), ttl_ms=1_000))
        engine.writer.fail(StorageFault("told to"))
        await asyncio.sleep(10)

    room.live(due_after_failure)
    assert len(room.records()) == 4
