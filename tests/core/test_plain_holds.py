"""The plain hold gives the lines that drafting gives, or leaves the hold to it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.hold_draft import HoldDraft
from domgrpc.core.network import Ask
from domgrpc.core.plain_holds import plain_lines
from domgrpc.core.reservations import LineQuantity, ReservationLine
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.values import DeliveryMethod, Demand, LocationId, Quantity, Sku
from tests.core.commands import disable, on_hand, place, reserve, rule
from tests.core.given import Shop

ANY = Demand()
LINES = st.lists(
    st.builds(
        LineQuantity,
        st.sampled_from("xyz").map(Sku),
        st.sampled_from(["A", "B", "C", "", "nowhere"]).map(LocationId),
        st.integers(1, 9).map(Quantity),
    ),
    min_size=1,
    max_size=4,
)


def plain(
    shop: Shop, *lines: LineQuantity, demand: Demand = ANY
) -> tuple[ReservationLine, ...] | None:
    return plain_lines(shop.state.network, Ask(demand, shop.now_ms), lines)


def line(sku: str, location_id: str, quantity: int) -> LineQuantity:
    return LineQuantity(Sku(sku), LocationId(location_id), Quantity(quantity))


def stocked() -> Shop:
    shop = Shop().given(*(place(name) for name in "ABC"))
    return shop.given(on_hand("x", A=5, B=9), on_hand("y", B=3, C=20), on_hand("z", C=1))


@pytest.mark.slow
@given(lines=LINES)
def test_plain_lines_are_what_drafting_gives(lines: list[LineQuantity]) -> None:
    shop = stocked()
    found = plain(shop, *lines)
    if found is None:
        return
    draft = HoldDraft(shop.state.network, Ask(ANY, shop.now_ms), in_stock_only=False)
    wanted: Counter[tuple[Sku, LocationId]] = Counter()
    for each in lines:
        wanted[each.sku, each.location_id] += each.quantity
    for (sku, location_id), quantity in wanted.items():
        draft.set(sku, location_id, quantity)
    assert not draft.short
    assert found == draft.sorted_lines()


def test_lines_come_by_sku_and_location() -> None:
    found = plain(stocked(), line("y", "C", 2), line("x", "B", 1), line("x", "A", 1))
    assert found is not None
    assert [(each.sku, each.location_id) for each in found] == [("x", "A"), ("x", "B"), ("y", "C")]


def test_what_free_stock_does_not_cover_is_not_plain() -> None:
    shop = stocked()
    assert plain(shop, line("x", "A", 5)) is not None
    assert plain(shop, line("x", "A", 6)) is None
    shop.given(reserve(("x", "A", 1)))
    assert plain(shop, line("x", "A", 5)) is None


def test_a_line_named_twice_or_without_a_location_is_not_plain() -> None:
    assert plain(stocked(), line("x", "A", 3), line("x", "A", 3)) is None
    assert plain(stocked(), line("x", "", 1)) is None


def test_unknown_places_and_skus_are_not_plain() -> None:
    assert plain(stocked(), line("x", "nowhere", 1)) is None
    assert plain(stocked(), line("unheard", "A", 1)) is None
    assert plain(stocked(), line("x", "C", 1)) is None


def test_a_place_that_is_closed_or_cannot_deliver_is_not_plain() -> None:
    shop = stocked()
    drop_ship = Demand(delivery_method=DeliveryMethod.DROP_SHIP)
    assert plain(shop, line("x", "A", 1), demand=drop_ship) is None
    shop.given(disable("A"))
    assert plain(shop, line("x", "A", 1)) is None
    assert plain(shop, line("x", "B", 1)) is not None


def test_where_rules_withhold_stock_nothing_is_plain() -> None:
    for kind in (RuleKind.SAFETY_STOCK, RuleKind.FULFILLMENT_MINIMUM):
        shop = stocked()
        assert plain(shop, line("x", "A", 1)) is not None
        shop.given(rule("r", 1, kind=kind))
        assert plain(shop, line("x", "A", 1)) is None
