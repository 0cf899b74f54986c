"""Bugs that were reported with the smallest case that shows them."""

import pytest

from domgrpc.core.availability import CheckAvailability
from domgrpc.core.geography import PlaceIndex, distance_m
from domgrpc.core.rejections import Reason
from domgrpc.core.reservations import Reservation
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.stock_changes import BatchSummary, StockSummary
from domgrpc.core.values import Limits, LocationIndex, Quantity, Sku
from tests.core.commands import (
    adjust,
    announce,
    change,
    confirm,
    count,
    feed,
    from_inbound,
    limited,
    move,
    on_hand,
    place,
    point,
    product,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop, quantities, sources
from tests.core.scope_words import at_locations

DAY_MS = 86_400_000


# The bound on SKUs forgets those that only have stock when a product is created.
def test_the_bound_on_skus_counts_described_and_stocked_skus_together() -> None:
    shop = Shop(Limits(skus_max=2)).given(place("A"), on_hand("x", A=1), product("y"))
    assert shop.refuses(product("z")) is Reason.CAPACITY_EXCEEDED


# Supply at a location where the SKU has no position is stored, and then in no figure: not in
# GetPosition, not in ATP, not in what the backorder policy INBOUND allows.
def test_supply_announced_where_nothing_was_ever_stocked_is_a_position(shop: Shop) -> None:
    shop.given(place("A"), stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    assert [each.quantity for each in shop.position("x", "A").inbound] == [20]


def test_supply_announced_where_nothing_was_ever_stocked_is_promised(shop: Shop) -> None:
    shop.given(place("A"), stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    curve = shop.available("x", horizon_days=2).promise
    assert curve == ((NOON_MS, 0), (NOON_MS + DAY_MS, 20))


def test_supply_announced_where_nothing_was_ever_stocked_can_be_backordered(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=from_inbound(30)))
    shop.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    assert shop.ats("x") == 20


# Shipments change on_hand too, but the memory of deltas does not know them: a count taken before
# units left brings them back.
def test_a_late_count_keeps_shipments_that_came_after_it(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=10), reserve(("x", "A", 2), as_id="r"), confirm("r"))
    shop.later(1000).given(ship("r"))
    shop.later(1000).given(stock(count("x", "A", 10, as_of_ms=NOON_MS + 500)))
    assert shop.position("x", "A").on_hand == 8


# One update too many for the bound on SKUs stops the whole batch of a feed, and every retry.
def test_in_a_feed_only_what_is_above_the_bound_on_skus_is_refused() -> None:
    shop = Shop(Limits(skus_max=2)).given(place("A"), on_hand("x", A=10))
    batch = feed(1, count("y", "A", 1), count("z", "A", 1), adjust("x", "A", 1))
    summary = shop.gives(BatchSummary, batch)
    assert [index for index, _ in summary.refusals] == [1]
    assert shop.position("x", "A").on_hand == 11


# A move to where the units are skips the check that they exist.
def test_a_move_to_where_the_units_are_needs_the_units(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=10))
    assert shop.refuses(stock(move("x", "A", 11))) is Reason.QUANTITY_BELOW_ZERO


# ... and counts a SKU as created that it did not create.
def test_a_created_sku_is_counted_only_where_it_is_created(shop: Shop) -> None:
    shop.given(place("A"))
    outcome = shop.send(stock(move("x", "A", 1))).outcome
    created_count = outcome.created_sku_count if isinstance(outcome, StockSummary) else 0
    assert created_count == shop.available("x").known


# Memory of 2: what happened at +1000 is forgotten, all that happened later is remembered.
def test_a_count_as_of_the_last_forgotten_change_needs_only_what_is_remembered() -> None:
    shop = Shop(Limits(remembered_deltas_max=2)).given(place("A"), on_hand("x", A=10))
    for _ in range(3):
        shop.later(1000).given(stock(adjust("x", "A", 1)))
    shop.given(stock(count("x", "A", 50, as_of_ms=NOON_MS + 1000)))
    assert shop.position("x", "A").on_hand == 52


# Fewer places remain where the fewest units are given back first.
def test_a_total_is_lowered_where_the_fewest_are_held(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=2), reserve(("x", "", 2), as_id="r"))
    shop.given(on_hand("x", B=10), change("r", ("x", "", 9)))
    lowered = shop.holds(change("r", ("x", "", 4)))
    assert quantities(lowered) == {("x", "B"): 4}


# Where the SKU has no position a hold and an availability query say the same.
def test_where_nothing_was_stocked_nothing_is_backordered(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)))
    assert shop.ats("x") == 0
    shop.refusal(reserve(("x", "A", 1)))
    shop.given(on_hand("x", A=0))
    assert shop.ats("x") == 5
    assert quantities(shop.holds(reserve(("x", "A", 5)))) == {("x", "A"): 5}


# ... and no rule is asked.
def test_a_location_below_its_minimum_is_not_used_where_nothing_was_stocked(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)))
    shop.given(rule("m", 1, kind=RuleKind.FULFILLMENT_MINIMUM))
    shop.refusal(reserve(("x", "A", 1)))


# The total of a SKU counts the hold's own units against it, the line of a location does not.
def test_below_the_minimum_a_total_may_still_grow_into_its_own_units(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=10), rule("m", 5, kind=RuleKind.FULFILLMENT_MINIMUM))
    shop.given(reserve(("x", "A", 6), as_id="r"))
    assert quantities(shop.holds(change("r", ("x", "", 8)))) == {("x", "A"): 8}


# The caller asked for a total of 8, of which 6 are its own and 4 are there: not 0 of 2.
def test_a_total_that_is_short_is_told_as_it_was_asked(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=10), reserve(("x", "A", 6), as_id="r"))
    (line,) = shop.refusal(change("r", ("x", "", 11))).short_lines
    assert (line.asked_quantity, line.available_quantity) == (11, 10)


# 12 units are there, but no two locations have more than 9; the refusal says 11.
def test_a_shortage_tells_what_so_many_locations_can_give(shop: Shop) -> None:
    shop.given(place("A"), place("B"), place("C"), on_hand("x", A=5, B=4, C=3))
    (line,) = shop.refusal(reserve(("x", "", 12), location_count_max=2)).short_lines
    assert line.available_quantity == 9
    shop.given(reserve(("x", "", line.available_quantity), location_count_max=2))


# A and B together have all of it. Each SKU also lies whole at a location of its own, so three
# are used where two would do, and a caller that allows two only is refused.
def test_two_locations_that_have_everything_together_are_enough(shop: Shop) -> None:
    shop.given(*(place(name) for name in "ABCDE"))
    shop.given(*(on_hand(sku, A=5, B=5) for sku in "xyz"))
    shop.given(on_hand("x", C=10), on_hand("y", D=10), on_hand("z", E=10))
    held = shop.holds(reserve(*((sku, "", 10) for sku in "xyz"), location_count_max=2))
    assert sorted(set(sources(held))) == ["A", "B"]


# All five units were sold to others; what revives is a backorder that says it is none.
def test_a_revived_hold_tells_what_is_beyond_the_stock(shop: Shop) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)), on_hand("x", A=5))
    shop.given(reserve(("x", "A", 5), as_id="r", ttl_ms=1000)).later(1000)
    shop.given(reserve(("x", "A", 5)))
    outcome = shop.send(confirm("r", revive=True)).outcome
    if isinstance(outcome, Reservation):
        assert outcome.lines[0].backordered_quantity == 5


# Neither SKU lies whole anywhere: the two locations that have everything are not looked for.
def test_two_locations_are_enough_where_no_sku_lies_whole(shop: Shop) -> None:
    shop.given(place("A"), place("C"), place("D"))
    shop.given(on_hand("x", A=1, D=4), on_hand("y", A=4, C=1, D=1))
    held = shop.holds(reserve(("x", "", 5), ("y", "", 5), location_count_max=2))
    assert sorted(set(sources(held))) == ["A", "D"]


# 2,501 lines without a location, each split over two: 5,002 lines, and the hold cannot even be
# extended afterwards, because the limit is checked there.
@pytest.mark.slow
def test_a_picked_hold_has_at_most_five_thousand_lines_too() -> None:
    shop = Shop().given(place("A"), place("B"))
    skus = [f"sku-{number}" for number in range(2_501)]
    shop.given(*(stock(*(count(sku, name, 1) for sku in skus)) for name in "AB"))
    asked = reserve(*((sku, "", 2) for sku in skus), as_id="r")
    assert shop.refuses(asked) is Reason.TOO_MANY_LINES


# The circle's band of latitude is a centimetre wider than the radius, but distances are rounded
# to the metre: half a degree north is 55,597.46 m, told as 55,597 m, and not found within that.
def test_a_place_is_inside_a_circle_of_its_own_distance() -> None:
    index = PlaceIndex()
    index.place(LocationIndex(0), point(40.5, -74.0))
    radius_m = distance_m(point(40.0, -74.0), point(40.5, -74.0))
    assert index.near(point(40.0, -74.0), radius_m) == ((radius_m, 0),)


# x has two positions and the scope two locations, none of them the same: no pairs, not 10,002.
def test_only_positions_in_the_scope_count_as_pairs(shop: Shop) -> None:
    shop.given(*(place(name) for name in "ABCD"), on_hand("x", A=1, B=1))
    query = CheckAvailability(
        items=((Sku("x"), Quantity(0)),) * 5_001,
        scope=at_locations("C", "D"),
        include_locations=True,
    )
    assert shop.check(query)[0].locations == ()
