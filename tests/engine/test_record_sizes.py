"""The largest record of every kind fits into the log, whatever the names.

A record that the log cannot take would end the engine, and the next start again. Names have all
of their 128 bytes and characters that messages must write out as escapes.
"""

from collections.abc import Callable

import pytest

from domgrpc.core.claims import EXPIRED_LINES_PER_RECORD_MAX, EXPIRED_PER_RECORD_MAX
from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import CreateLocationGroup
from domgrpc.core.products import (
    PARTS_PER_CALL_MAX,
    BundleComponent,
    CreateProducts,
    ProductFields,
    UpdateProducts,
)
from domgrpc.core.rejections import Reason
from domgrpc.core.reservations import LINES_MAX, ReservationExpired
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.stock_changes import StockUpdate
from domgrpc.core.values import GroupId, LocationId, Quantity, Sku
from domgrpc.engine.committing import EXPIRY_ROOM_BYTES, RECORD_BYTES_MAX
from tests.core.commands import (
    Line,
    adjust,
    announce,
    cancel,
    change,
    confirm,
    count,
    feed,
    move,
    place,
    receive,
    release,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop, encoded

MANY = 10**12
REASON = "\U000f0000" * 16
UPDATES_MAX = 10_000
PLACE_COUNT = 100
SKU_COUNT = 200
TTL_MS = 60_000

pytestmark = pytest.mark.slow


def name(number: int) -> str:
    """Return one of many ids of 128 bytes."""
    return "\U000f0000" * 30 + chr(0xF0000 + number // 1_000) + chr(0xF0000 + number % 1_000)


def sku(number: int) -> str:
    return name(number)


def store(number: int) -> str:
    return name(100_000 + number)


def positions(first: int, number: int) -> list[tuple[str, str]]:
    """Return so many pairs of SKU and location."""
    return [
        (sku(at // PLACE_COUNT), store(at % PLACE_COUNT)) for at in range(first, first + number)
    ]


@pytest.fixture(scope="module")
def stocked() -> Shop:
    """The positions of 200 SKUs at 100 places, every second one empty."""
    shop = Shop(steps_per_check=10**6)
    shop.given(*(place(store(number)) for number in range(PLACE_COUNT)))
    for first in range(0, SKU_COUNT * PLACE_COUNT, UPDATES_MAX):
        filled = [
            count(*where, 0 if at % 2 else MANY)
            for at, where in enumerate(positions(first, UPDATES_MAX))
        ]
        shop.given(stock(*filled))
    return shop


@pytest.fixture
def shop(stocked: Shop) -> Shop:
    """The same, as new."""
    return stocked.reopened()


def size_of_last(shop: Shop) -> int:
    """Return the bytes of the newest record, which must not be too many."""
    size = len(encoded(shop.records[-1]))
    assert size < RECORD_BYTES_MAX
    return size


def filled(first: int, number: int, units: int = MANY) -> list[Line]:
    """Return lines for all units of positions that have any."""
    return [(*where, units) for where in positions(first, 2 * number)[::2]]


def test_moves_that_empty_and_fill_a_position_each(shop: Shop) -> None:
    moves: list[StockUpdate] = []
    for at in range(0, SKU_COUNT * PLACE_COUNT, 2):
        goods, source = positions(at, 1)[0]
        target = positions(at + 1, 1)[0][1]
        moves.append(move(goods, source, MANY, to=target, reason=REASON))
    shop.given(stock(*moves))
    assert len(shop.events()) == 1 + 2 * UPDATES_MAX
    assert size_of_last(shop) > RECORD_BYTES_MAX / 2


def test_supplies_that_are_received(shop: Shop) -> None:
    due_ms = NOON_MS + 1
    empty = positions(1, SKU_COUNT * PLACE_COUNT - 1)[::2]
    named = [(*where, "\U000f0000" * 16) for where in empty]
    shop.given(
        stock(
            *(announce(goods, where, MANY, due_ms=due_ms, supply_id=i) for goods, where, i in named)
        )
    )
    size_of_last(shop)
    shop.given(stock(*(receive(goods, where, MANY - 1, supply_id=i) for goods, where, i in named)))
    assert len(shop.events()) == 1 + UPDATES_MAX
    size_of_last(shop)


REFUSED: tuple[Callable[[str, str], StockUpdate], ...] = (
    lambda goods, where: count(goods, where, 1, expected=MANY - 1),
    lambda goods, where: count(goods, where, 1, as_of_ms=NOON_MS - 1),
    lambda goods, where: count(goods, where, 1, as_of_ms=NOON_MS + 1),
    lambda goods, where: adjust(goods, where, -MANY - 1),
    lambda goods, where: adjust(goods, where + "x", 1),
    lambda goods, where: move(goods, where, MANY, to=where + "x"),
    lambda goods, where: receive(goods, where, 1, supply_id="\U000f0000" * 16),
)


@pytest.mark.parametrize("update", REFUSED, ids=range(7))
def test_a_batch_of_refusals(shop: Shop, update: Callable[[str, str], StockUpdate]) -> None:
    shop.given(feed(1, *(update(*where) for where in positions(0, UPDATES_MAX))))
    size_of_last(shop)


def test_a_hold_of_the_most_lines_that_are_short_all_of_them(shop: Shop) -> None:
    shop.given(*(stock(adjust(*where, -1)) for where in positions(0, 1)))
    asked = [(goods, where, MANY) for goods, where in positions(0, 2 * LINES_MAX)[::2]]
    shop.given(stock(*(adjust(goods, where, -1) for goods, where, _ in asked[1:])))
    shop.given(reserve(*asked, allow_partial=True, as_id="r" * 64))
    assert len(shop.events()) == 1 + LINES_MAX
    size_of_last(shop)


def test_a_refused_hold_of_the_most_lines(shop: Shop) -> None:
    empty = [(*where, MANY) for where in positions(1, 2 * LINES_MAX)[::2]]
    assert shop.refuses(reserve(*empty)) is Reason.INSUFFICIENT_STOCK
    size_of_last(shop)


@pytest.mark.parametrize("shipped", [False, True])
def test_the_life_of_a_hold_of_the_most_lines(shop: Shop, *, shipped: bool) -> None:
    shop.given(reserve(*filled(0, LINES_MAX), as_id="r"))
    size_of_last(shop)
    other = filled(2 * LINES_MAX, LINES_MAX - PLACE_COUNT)
    gone = [(sku(number), "", 0) for number in range(2 * LINES_MAX // PLACE_COUNT)]
    shop.given(change("r", *other, *gone))
    assert len(shop.events()) > 1 + LINES_MAX
    size_of_last(shop)
    shop.given(rule("low", MANY, kind=RuleKind.OUT_OF_STOCK), confirm("r"))
    size_of_last(shop)
    shop.given(ship("r") if shipped else cancel("r"))
    size_of_last(shop)
    shop.given(reserve(*filled(0, LINES_MAX), as_id="s"), release("s", reason=REASON))
    size_of_last(shop)


def expired_sizes(shop: Shop) -> list[int]:
    """Return how many holds each record of an expiry ended, all of them of a bounded size."""
    ended = []
    for record in shop.records:
        count_of_holds = sum(isinstance(event, ReservationExpired) for event in record.events)
        if count_of_holds:
            assert len(encoded(record)) < EXPIRY_ROOM_BYTES
            ended.append(count_of_holds)
    return ended


def test_holds_that_expire_together_are_one_record_only_up_to_the_lines_of_one_hold(
    shop: Shop,
) -> None:
    for number in range(2):
        lines = filled(number * 2 * LINES_MAX, LINES_MAX)
        shop.given(reserve(*lines, as_id=f"{number}", ttl_ms=TTL_MS))
    shop.later(TTL_MS)
    assert expired_sizes(shop) == [1, 1]


def test_holds_of_few_lines_expire_by_the_thousand(shop: Shop) -> None:
    lines = [(goods, where, 1) for goods, where, _ in filled(0, 5)]
    for number in range(EXPIRED_PER_RECORD_MAX + 1):
        shop.given(reserve(*lines, as_id=f"{number:064}", ttl_ms=TTL_MS))
    shop.given(reserve(*filled(1_000, 2), as_id="last", ttl_ms=TTL_MS))
    shop.later(TTL_MS)
    assert expired_sizes(shop) == [EXPIRED_LINES_PER_RECORD_MAX // 5, 2]


def described(part_count: int) -> ProductFields:
    """Return the fields of a product with so many parts, and long words in all others."""
    parts = [Sku(name(number)) for number in range(part_count)]
    return ProductFields(
        display_name="\U000f0000" * 50,
        unit="\U000f0000" * 4,
        categories=tuple(parts[:32]),
        substitute_skus=tuple(parts[32:64]),
        components=tuple(BundleComponent(part, Quantity(1_000_000)) for part in parts[64:]),
    )


def test_products_are_saved_together_only_as_far_as_they_fit_into_a_record(shop: Shop) -> None:
    count_of_parts = PARTS_PER_CALL_MAX // 1_000
    skus = [Sku(name(50_000 + number)) for number in range(1_000)]
    whole = described(count_of_parts)
    shop.given(CreateProducts(products=tuple((each, whole) for each in skus)))
    size_of_last(shop)
    one = CreateProducts(products=((Sku("one more"), described(1)),))
    renamed = UpdateProducts(
        products=tuple(
            (Sku(each), ProductFields(display_name="x")) for each in (*skus, "one more")
        ),
        field_names=("display_name",),
    )
    assert shop.given(one).refuses(renamed) is Reason.TOO_MANY_PARTS
    too_many = CreateProducts(
        products=tuple((Sku(f"p{at}"), described(count_of_parts + 1)) for at in range(1_000))
    )
    assert shop.refuses(too_many) is Reason.TOO_MANY_PARTS


def test_a_group_of_the_most_locations(shop: Shop) -> None:
    names = [LocationId(name(200_000 + number)) for number in range(UPDATES_MAX)]
    more: list[Command] = [place(each) for each in names]
    shop.given(*more, CreateLocationGroup(group_id=GroupId(name(0)), location_ids=tuple(names)))
    size_of_last(shop)


def test_a_sweep(shop: Shop) -> None:
    shop.given(rule("o", MANY, kind=RuleKind.OUT_OF_STOCK)).sweep()
    assert len(shop.events()) == SKU_COUNT * PLACE_COUNT // 2
    assert size_of_last(shop) / len(shop.events()) * 500 < EXPIRY_ROOM_BYTES
