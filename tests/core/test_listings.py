"""Listings: page by page, each entry once, in an order that is stable while data changes."""

import pytest

from domgrpc.core.listings import (
    SCANNED_PER_PAGE_MAX,
    Page,
    PositionFilter,
    PositionView,
    ReservationFilter,
    get_position,
    list_groups,
    list_locations,
    list_low_positions,
    list_positions,
    list_products,
    list_reservations,
    list_rules,
)
from domgrpc.core.products import get_products
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservations import ReservationState
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.values import (
    ClientId,
    GroupId,
    Limits,
    LocationId,
    LocationType,
    Sku,
    StockLevel,
)
from tests.core.commands import (
    adjust,
    confirm,
    count,
    group,
    no_rule,
    on_hand,
    place,
    product,
    release,
    reserve,
    rule,
    stock,
)
from tests.core.given import Shop
from tests.core.pictures import every

OUT, LOW = StockLevel.OUT_OF_STOCK, StockLevel.LOW_STOCK


def locations(
    shop: Shop, size: int = 2, kind: LocationType | None = None, inside: str | None = None
) -> list[str]:
    """List the ids of all locations, page by page."""
    wanted = (kind, None if inside is None else GroupId(inside))
    found = every(lambda at: list_locations(shop.state, at, size, wanted), "")
    return [each.location_id for each in found]


def reservations(shop: Shop, wanted: ReservationFilter, size: int = 2) -> list[str]:
    """List the ids of reservations, page by page."""
    found = every(lambda at: list_reservations(shop.state, at, size, wanted), (0, ""))
    return [each.reservation_id for each in found]


def positions(shop: Shop, wanted: PositionFilter, size: int = 2) -> list[tuple[str, str]]:
    """List the places of positions, page by page."""
    by = (wanted, shop.now_ms)
    found = every(lambda at: list_positions(shop.state, at, size, by), (0, 0, -1))
    return [(each.sku, each.location_id) for each in found]


def low_positions(shop: Shop, wanted: PositionFilter, size: int = 2) -> list[tuple[str, str]]:
    """List the places of low positions, page by page."""
    by = (wanted, shop.now_ms)
    found = every(lambda at: list_low_positions(shop.state, at, size, by), ("", -1))
    return [(each.sku, each.location_id) for each in found]


# --- pages


def test_a_page_is_as_long_as_asked_and_the_last_one_says_that_it_is(shop: Shop) -> None:
    shop.given(place("A"), place("B"), place("C"), place("D"))
    first = list_locations(shop.state, "", 2, (None, None))
    assert [each.location_id for each in first.entries] == ["A", "B"]
    assert first.next_place == ("B",)
    last = list_locations(shop.state, "B", 2, (None, None))
    assert [each.location_id for each in last.entries] == ["C", "D"]
    assert last.next_place is None
    whole = list_locations(shop.state, "", 4, (None, None))
    assert whole.next_place is None
    assert list_locations(shop.state, "D", 2, (None, None)) == Page((), None)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_any_size_show_everything_once(shop: Shop, size: int) -> None:
    names = [f"loc-{number}" for number in range(7)]
    shop.given(*(place(name) for name in reversed(names)))
    shop.given(*(group(name) for name in reversed(names)), *(rule(name, 1) for name in names))
    assert locations(shop, size) == names
    groups = every(lambda at: list_groups(shop.state, at, size), "")
    assert [each.group_id for each in groups] == names
    rules = every(lambda at: list_rules(shop.state, at, size), "")
    assert [each.rule_id for each in rules] == names


def test_what_comes_and_goes_between_pages_moves_nothing_else(shop: Shop) -> None:
    shop.given(*(rule(name, 1) for name in ("b", "d", "f", "h")))
    first = list_rules(shop.state, "", 2)
    shop.given(rule("a", 1), rule("e", 1), no_rule("d"))
    second = list_rules(shop.state, "d", 2)
    assert [each.rule_id for each in (*first.entries, *second.entries)] == ["b", "d", "e", "f"]


# --- locations


def test_locations_are_listed_by_type_and_group(shop: Shop) -> None:
    shop.given(place("A"), place("B", LocationType.HUB), place("C"), place("D"))
    shop.given(group("g", "D", "B", "A"))
    assert locations(shop, kind=LocationType.STORE) == ["A", "C", "D"]
    assert locations(shop, inside="g") == ["A", "B", "D"]
    assert locations(shop, kind=LocationType.STORE, inside="g") == ["A", "D"]
    assert locations(shop, kind=LocationType.SUPPLIER) == []


def test_the_group_of_a_list_must_exist(shop: Shop) -> None:
    with pytest.raises(Rejected) as refused:
        locations(shop, inside="g")
    assert refused.value.rejection.reason is Reason.GROUP_NOT_FOUND


# --- products


def products(shop: Shop, size: int = 2, category: str | None = None) -> list[str]:
    """List the SKUs of all products, page by page."""
    found = every(lambda at: list_products(shop.state, at, size, category), (0, -1))
    return [each.sku for each in found]


def test_described_and_stocked_products_are_listed_once(shop: Shop) -> None:
    shop.given(place("A"), product("x"), product("y"), on_hand("y", A=1), on_hand("z", A=1))
    assert sorted(products(shop)) == ["x", "y", "z"]


def test_the_order_of_products_is_stable_while_more_come(shop: Shop) -> None:
    shop.given(*(product(f"sku-{number}") for number in range(20)))
    before = products(shop, 3)
    shop.given(*(product(f"sku-{number}") for number in range(20, 60)))
    after = products(shop, 3)
    assert [sku for sku in after if sku in before] == before
    assert len(after) == len(set(after)) == 60


def test_products_are_listed_by_category(shop: Shop) -> None:
    shop.given(product("x", categories=("toys",)), product("y", categories=("food", "toys")))
    shop.given(product("z"))
    assert sorted(products(shop, category="toys")) == ["x", "y"]
    assert products(shop, category="food") == ["y"]
    assert products(shop, category="cars") == []


@pytest.mark.slow
def test_a_list_that_finds_little_goes_on_after_a_bounded_look(shop: Shop) -> None:
    shop.given(place("A"))
    for start in range(0, SCANNED_PER_PAGE_MAX + 500, 5_000):
        skus = range(start, min(start + 5_000, SCANNED_PER_PAGE_MAX + 500))
        shop.given(stock(*(adjust(f"sku-{number}", "A", 1) for number in skus)))
    first = list_products(shop.state, (0, -1), 10, "toys")
    assert first.entries == ()
    assert first.next_place is not None
    assert products(shop, 10, "toys") == []
    shop.given(product("one", categories=("toys",)))
    assert products(shop, 10, "toys") == ["one"]


def test_products_are_read_in_the_order_asked_up_to_the_first_unknown_one(shop: Shop) -> None:
    shop.given(place("A"), product("x"), on_hand("y", A=1))

    def read(*skus: str) -> list[str]:
        found = get_products(
            shop.state.network.products, (Sku(sku) for sku in skus), shop.state.is_stocked
        )
        return [each.sku for each in found]

    assert read("y", "x", "y") == ["y", "x", "y"]
    with pytest.raises(Rejected) as refused:
        read("x", "nobody", "never")
    assert refused.value.rejection.reason is Reason.SKU_NOT_FOUND
    assert refused.value.rejection.facts["sku"] == "nobody"


# --- positions


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Three SKUs at three locations, z at B only; x at A is out, y at C too."""
    shop.given(place("C"), place("A"), place("B"))
    shop.given(on_hand("x", B=2, A=0, C=5), on_hand("y", A=2, C=0, B=2), on_hand("z", B=9))
    return shop


def test_positions_are_listed_by_sku_location_and_level(stocked: Shop) -> None:
    every_one = positions(stocked, PositionFilter())
    assert len(every_one) == len(set(every_one)) == 7
    of_x = positions(stocked, PositionFilter(sku=Sku("x")))
    assert of_x == [("x", "C"), ("x", "A"), ("x", "B")]
    at_b = positions(stocked, PositionFilter(location_id=LocationId("B")))
    assert sorted(at_b) == [("x", "B"), ("y", "B"), ("z", "B")]
    both = PositionFilter(sku=Sku("x"), location_id=LocationId("B"))
    assert positions(stocked, both) == [("x", "B")]
    in_stock = positions(stocked, PositionFilter(level=StockLevel.IN_STOCK))
    assert sorted(in_stock) == [("x", "B"), ("x", "C"), ("y", "A"), ("y", "B"), ("z", "B")]
    assert positions(stocked, PositionFilter(sku=Sku("nobody"))) == []


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_of_positions_go_on_within_a_sku(stocked: Shop, size: int) -> None:
    whole = positions(stocked, PositionFilter(), 100)
    assert positions(stocked, PositionFilter(), size) == whole
    assert positions(stocked, PositionFilter(sku=Sku("y")), size) == [
        place_ for place_ in whole if place_[0] == "y"
    ]


def test_positions_that_come_between_pages_neither_hide_nor_repeat_others(shop: Shop) -> None:
    shop.given(place("A"), place("B"), place("C"), place("D"))
    shop.given(on_hand("x", B=1, D=1), on_hand("y", B=1, D=1), on_hand("z", B=1, D=1))
    before = positions(shop, PositionFilter())
    seen: list[tuple[str, str]] = []
    newcomers = [stock(count(sku, name, 1)) for sku in "zyx" for name in "CA"]

    def page_after(at: tuple[int, int, int]) -> Page[PositionView]:
        page = list_positions(shop.state, at, 1, (PositionFilter(), shop.now_ms))
        shop.given(*newcomers[:1])
        del newcomers[:1]
        return page

    seen.extend((each.sku, each.location_id) for each in every(page_after, (0, 0, -1)))
    assert len(seen) == len(set(seen))
    assert [place_ for place_ in seen if place_ in before] == before


def test_the_location_of_a_list_must_exist(stocked: Shop) -> None:
    with pytest.raises(Rejected) as refused:
        positions(stocked, PositionFilter(location_id=LocationId("Z")))
    assert refused.value.rejection.reason is Reason.LOCATION_NOT_FOUND


def test_low_positions_are_listed_from_their_index(stocked: Shop) -> None:
    stocked.given(rule("l", 2, kind=RuleKind.LOW_STOCK))
    stocked.sweep()
    of_level = {
        level: low_positions(stocked, PositionFilter(level=level), 1) for level in (OUT, LOW)
    }
    assert of_level == {
        OUT: [("x", "A"), ("y", "C")],
        LOW: [("x", "B"), ("y", "A"), ("y", "B")],
    }
    low_at_b = PositionFilter(level=LOW, location_id=LocationId("B"))
    assert low_positions(stocked, low_at_b) == [("x", "B"), ("y", "B")]
    low_y = PositionFilter(level=LOW, sku=Sku("y"))
    assert low_positions(stocked, low_y) == [("y", "A"), ("y", "B")]


@pytest.mark.parametrize("level", [LOW, OUT])
def test_low_positions_of_all_skus_are_not_looked_for_one_by_one(
    stocked: Shop, level: StockLevel
) -> None:
    with pytest.raises(AssertionError, match="list_low_positions"):
        positions(stocked, PositionFilter(level=level))
    of_y = PositionFilter(sku=Sku("y"), level=level)
    assert positions(stocked, of_y) == low_positions(stocked, of_y)


def test_a_position_leaves_the_list_of_low_ones_when_it_is_back(stocked: Shop) -> None:
    any_level = PositionFilter()
    assert low_positions(stocked, any_level) == [("x", "A"), ("y", "C")]
    stocked.given(on_hand("x", A=1), on_hand("z", B=0))
    assert low_positions(stocked, any_level) == [("y", "C"), ("z", "B")]


def test_one_position_is_shown_with_all_its_figures(stocked: Shop) -> None:
    stocked.given(rule("keep", 1), reserve(("z", "B", 2), as_id="r"), confirm("r"))
    stocked.given(reserve(("z", "B", 3)))
    view = get_position(stocked.state, Sku("z"), LocationId("B"), stocked.now_ms)
    assert (view.on_hand, view.soft_reserved, view.allocated) == (9, 3, 2)
    assert (view.safety_stock, view.available_to_fulfill, view.oversold) == (1, 3, 0)
    assert view.level is StockLevel.IN_STOCK


@pytest.mark.parametrize(
    ("sku", "name", "reason"),
    [
        ("z", "A", Reason.POSITION_NOT_FOUND),
        ("nobody", "A", Reason.POSITION_NOT_FOUND),
        ("z", "Z", Reason.LOCATION_NOT_FOUND),
    ],
)
def test_a_position_that_is_not_there_cannot_be_shown(
    stocked: Shop, sku: str, name: str, reason: Reason
) -> None:
    with pytest.raises(Rejected) as refused:
        get_position(stocked.state, Sku(sku), LocationId(name), stocked.now_ms)
    assert refused.value.rejection.reason is reason


# --- reservations


@pytest.fixture
def booked(stocked: Shop) -> Shop:
    """Holds c, a, b a second apart, b confirmed, a of another client; d released."""
    stocked.given(reserve(("x", "B", 1), as_id="c"))
    stocked.later(1000).holds(reserve(("z", "B", 1), ("y", "A", 1), as_id="a"), client_id="app")
    stocked.later(1000).given(reserve(("x", "C", 1), as_id="b"), confirm("b"))
    return stocked.later(1000).given(reserve(("z", "B", 1), as_id="d"), release("d"))


def test_reservations_are_listed_oldest_first(booked: Shop) -> None:
    assert reservations(booked, ReservationFilter()) == ["c", "a", "b", "d"]
    assert reservations(booked, ReservationFilter(), 1) == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ReservationFilter(state=ReservationState.HELD), ["c", "a"]),
        (ReservationFilter(state=ReservationState.CONFIRMED), ["b"]),
        (ReservationFilter(state=ReservationState.EXPIRED), []),
        (ReservationFilter(client_id=ClientId("app")), ["a"]),
        (ReservationFilter(sku=Sku("z")), ["a", "d"]),
        (ReservationFilter(location_id=LocationId("B")), ["c", "a", "d"]),
        (ReservationFilter(sku=Sku("y"), location_id=LocationId("B")), []),
        (ReservationFilter(sku=Sku("z"), state=ReservationState.HELD), ["a"]),
    ],
)
def test_reservations_are_listed_by_state_client_sku_and_location(
    booked: Shop, wanted: ReservationFilter, expected: list[str]
) -> None:
    assert reservations(booked, wanted) == expected


def test_reservations_that_come_between_pages_are_listed_too(booked: Shop) -> None:
    first = list_reservations(booked.state, (0, ""), 3, ReservationFilter())
    assert first.next_place is not None
    booked.later(1000).given(reserve(("x", "C", 1), as_id="A"))
    at = (int(first.next_place[0]), str(first.next_place[1]))
    rest = list_reservations(booked.state, at, 3, ReservationFilter())
    assert [each.reservation_id for each in rest.entries] == ["d", "A"]


def test_a_forgotten_reservation_leaves_the_list() -> None:
    shop = Shop(Limits(finished_reservations_max=1)).given(place("A"), on_hand("x", A=9))
    for name in ("a", "b", "c"):
        shop.given(reserve(("x", "A", 1), as_id=name))
    assert reservations(shop, ReservationFilter()) == ["a", "b", "c"]
    shop.given(release("a"), release("c"))
    assert reservations(shop, ReservationFilter()) == ["b", "c"]


def test_a_reservation_keeps_its_place_when_it_changes(booked: Shop) -> None:
    booked.given(confirm("c"), release("a", reason="late"))
    assert reservations(booked, ReservationFilter()) == ["c", "a", "b", "d"]
