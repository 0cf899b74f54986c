"""Availability: what can be fulfilled and sold now, in total and by location."""

import pytest

from domgrpc.core.availability import (
    PAIRS_PER_MESSAGE_MAX,
    CheckAvailability,
    PairBudget,
    SkuAvailability,
    check_availability,
)
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    QUANTITY_MAX,
    DeliveryMethod,
    LocationType,
    Quantity,
    Sku,
)
from tests.core.commands import (
    PICKUP,
    SHIP,
    adjust,
    announce,
    confirm,
    demand,
    disable,
    enable,
    from_inbound,
    group,
    limited,
    on_hand,
    place,
    product,
    receive,
    release,
    reserve,
    rule,
    ship,
    stock,
    unlimited,
)
from tests.core.given import NOON_MS, Shop
from tests.core.scope_words import at_locations, in_groups

DAY_MS = 86_400_000


@pytest.fixture
def stores(shop: Shop) -> Shop:
    """Stores A, B and C with 10, 20 and 30 of x; groups ab and bc."""
    shop.given(place("A"), place("B"), place("C"), on_hand("x", A=10, B=20, C=30))
    return shop.given(group("ab", "A", "B"), group("bc", "B", "C"))


def by_location(found: SkuAvailability) -> dict[str, int]:
    """Return what each location can fulfil, in the order of the answer."""
    return {each.location_id: each.available_to_fulfill for each in found.locations}


def question(
    *skus: str, wanted: int = 0, locations: bool = False, parts: bool = False, scope: Scope = None
) -> CheckAvailability:
    """Ask about several SKUs."""
    return CheckAvailability(
        items=tuple((Sku(sku), Quantity(wanted)) for sku in skus),
        scope=scope,
        include_locations=locations,
        include_parts=parts,
    )


# --- totals and scopes


def test_the_total_is_the_sum_over_all_locations(stores: Shop) -> None:
    found = stores.available("x")
    assert (found.available_to_fulfill, found.available_to_sell) == (60, 60)
    assert by_location(found) == {"A": 10, "B": 20, "C": 30}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (None, {"A": 10, "B": 20, "C": 30}),
        (at_locations("C", "A"), {"A": 10, "C": 30}),
        (at_locations("C", "C"), {"C": 30}),
        (in_groups("ab"), {"A": 10, "B": 20}),
        (in_groups("bc", "ab"), {"A": 10, "B": 20, "C": 30}),
    ],
)
def test_a_scope_counts_each_of_its_locations_once_in_order_of_creation(
    stores: Shop, scope: Scope, expected: dict[str, int]
) -> None:
    found = stores.available("x", scope=scope)
    assert list(by_location(found).items()) == list(expected.items())
    assert found.available_to_fulfill == sum(expected.values())


def test_locations_are_told_in_order_of_their_creation_whatever_was_stocked_first(
    shop: Shop,
) -> None:
    shop.given(place("B"), place("A"), place("C"), on_hand("x", C=1, A=2), on_hand("x", B=3))
    assert list(by_location(shop.available("x"))) == ["B", "A", "C"]


def test_locations_without_a_position_are_not_told(stores: Shop) -> None:
    stores.given(on_hand("y", B=5))
    assert by_location(stores.available("y")) == {"B": 5}
    assert by_location(stores.available("y", scope=at_locations("A", "C"))) == {}


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (at_locations("A", "Z"), Reason.LOCATION_NOT_FOUND),
        (in_groups("ab", "Z"), Reason.GROUP_NOT_FOUND),
    ],
)
def test_a_scope_names_what_exists(stores: Shop, scope: Scope, reason: Reason) -> None:
    with pytest.raises(Rejected) as refused:
        stores.available("x", scope=scope)
    assert refused.value.rejection.reason is reason


def test_skus_are_answered_in_the_order_asked_with_repeats(stores: Shop) -> None:
    stores.given(on_hand("y", A=1))
    found = stores.check(question("y", "nobody", "x", "y"))
    assert [(each.sku, each.known, each.available_to_fulfill) for each in found] == [
        ("y", True, 1),
        ("nobody", False, 0),
        ("x", True, 60),
        ("y", True, 1),
    ]


def test_locations_and_parts_come_on_request_only(stores: Shop) -> None:
    (found,) = stores.check(question("x"))
    assert found.locations == ()
    (found,) = stores.check(question("x", locations=True))
    assert [each.parts for each in found.locations] == [None, None, None]


@pytest.mark.parametrize(("wanted", "enough"), [(0, False), (1, True), (15, True), (16, False)])
def test_a_wanted_quantity_is_sufficient_while_it_can_be_sold(
    shop: Shop, *, wanted: int, enough: bool
) -> None:
    shop.given(place("A", backorder=True), product("x", backorder=limited(5)), on_hand("x", A=10))
    assert shop.available("x", wanted=wanted).sufficient is enough


@pytest.mark.slow
def test_ten_thousand_pairs_can_be_listed_and_one_more_cannot(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=1, B=2), on_hand("y", A=1))
    shop.check(question(*["x"] * 5_000, locations=True))
    with pytest.raises(Rejected) as refused:
        shop.check(question(*["x"] * 5_000, "y", locations=True))
    assert refused.value.rejection.reason is Reason.TOO_MANY_PAIRS
    shop.check(question(*["x"] * 5_000, "y"))
    shop.check(question(*["x"] * 5_000, "y", locations=True, scope=at_locations("A")))
    shop.check(question(*["x"] * 5_000, "nobody", locations=True))


# --- what is claimed


def test_holds_and_claims_are_not_available_and_come_back_when_they_end(stores: Shop) -> None:
    stores.given(reserve(("x", "A", 4), as_id="r"))
    assert by_location(stores.available("x")) == {"A": 6, "B": 20, "C": 30}
    stores.given(confirm("r"))
    assert stores.atf("x") == 56
    stores.given(ship("r"))
    assert stores.atf("x") == 56
    stores.given(reserve(("x", "A", 4), as_id="s"), release("s"))
    assert stores.atf("x") == 56


def test_one_locations_oversold_units_do_not_lower_another_locations_figure(
    stores: Shop,
) -> None:
    stores.given(reserve(("x", "A", 10)), stock(adjust("x", "A", -7)))
    found = stores.available("x")
    assert by_location(found) == {"A": 0, "B": 20, "C": 30}
    assert (found.available_to_fulfill, found.available_to_sell) == (50, 50)
    parts = stores.here("x", "A").parts
    assert parts is not None
    assert (parts.on_hand, parts.soft_reserved, parts.oversold) == (3, 10, 7)
    assert stores.atf("x", scope=in_groups("ab")) == 20


def test_the_parts_make_the_figure(stores: Shop) -> None:
    stores.given(
        reserve(("x", "B", 3), as_id="r"),
        reserve(("x", "B", 4), as_id="s"),
        confirm("r"),
        rule("safe", 5, sku="x"),
    )
    here = stores.here("x", "B")
    parts = here.parts
    assert parts is not None
    assert (parts.on_hand, parts.soft_reserved, parts.allocated) == (20, 4, 3)
    assert (parts.figures.safety_stock, parts.figures.backorder_quantity) == (5, 0)
    assert (parts.oversold, parts.figures.excluded_reason) == (0, None)
    assert here.available_to_fulfill == 20 - 4 - 3 - 5


# --- what a location can do, and when


def test_a_location_that_cannot_do_the_method_contributes_nothing(shop: Shop) -> None:
    shop.given(place("A"), place("W", LocationType.DISTRIBUTION_CENTER), on_hand("x", A=10, W=50))
    assert shop.atf("x", demand=demand("", SHIP)) == 60
    assert shop.atf("x", demand=demand("", PICKUP)) == 10
    assert shop.atf("x", demand=demand("", DeliveryMethod.DROP_SHIP)) == 0
    away = shop.here("x", "W", demand=demand("", PICKUP))
    assert (away.available_to_fulfill, away.available_to_sell) == (0, 0)
    assert away.parts is not None
    assert away.parts.on_hand == 50
    assert away.parts.figures.excluded_reason is Reason.DELIVERY_METHOD_UNSUPPORTED


def test_without_a_method_every_location_that_can_do_anything_counts(shop: Shop) -> None:
    shop.given(place("A"), place("R", LocationType.RETURN_CENTER), on_hand("x", A=10, R=50))
    assert shop.atf("x") == 10
    assert shop.refuses(reserve(("x", "R", 1))) is Reason.DELIVERY_METHOD_UNSUPPORTED


def test_a_disabled_location_contributes_nothing_and_says_why(stores: Shop) -> None:
    stores.given(disable("B"))
    here = stores.here("x", "B")
    assert (here.available_to_fulfill, here.available_to_sell) == (0, 0)
    assert here.parts is not None
    assert here.parts.figures.excluded_reason is Reason.LOCATION_DISABLED
    assert [stores.atf("x", scope=in_groups(name)) for name in ("ab", "bc")] == [10, 30]
    stores.given(enable("B"))
    assert stores.atf("x") == 60


def test_a_window_that_opens_and_closes_changes_totals_that_were_asked_before(
    stores: Shop,
) -> None:
    stores.given(disable("B", start_ms=NOON_MS + 1000, end_ms=NOON_MS + 2000))
    stores.given(disable("C", start_ms=NOON_MS + 1999, end_ms=NOON_MS + 3000))
    seen = [
        (ms, stores.at(NOON_MS + ms).atf("x"), stores.atf("x", scope=in_groups("ab")))
        for ms in (0, 999, 1000, 1998, 1999, 2000, 2999, 3000)
    ]
    assert seen == [
        (0, 60, 30),
        (999, 60, 30),
        (1000, 40, 10),
        (1998, 40, 10),
        (1999, 10, 10),
        (2000, 30, 30),
        (2999, 30, 30),
        (3000, 60, 30),
    ]


# --- what may be sold beyond the stock


@pytest.fixture
def preorder(shop: Shop) -> Shop:
    """A, which allows backorders, and B, which does not, with 10 of x each."""
    return shop.given(place("A", backorder=True), place("B"), on_hand("x", A=10, B=10))


def test_without_a_policy_only_the_stock_is_sold(preorder: Shop) -> None:
    assert preorder.ats("x") == 20
    preorder.given(product("x"))
    assert preorder.ats("x") == 20


def test_a_limit_counts_for_each_location_that_allows_it(preorder: Shop) -> None:
    preorder.given(product("x", backorder=limited(7)))
    found = preorder.available("x")
    assert [each.available_to_sell for each in found.locations] == [17, 10]
    assert (found.available_to_fulfill, found.available_to_sell) == (20, 27)
    here = preorder.here("x", "A").parts
    there = preorder.here("x", "B").parts
    assert here is not None
    assert there is not None
    assert (here.figures.backorder_quantity, there.figures.backorder_quantity) == (7, 0)


def test_claims_beyond_the_stock_use_the_limit_up(preorder: Shop) -> None:
    preorder.given(product("x", backorder=limited(7)), reserve(("x", "A", 15), as_id="r"))
    assert (preorder.atf("x"), preorder.ats("x")) == (10, 12)
    assert preorder.refuses(reserve(("x", "A", 3))) is Reason.INSUFFICIENT_STOCK
    preorder.given(reserve(("x", "A", 2)), confirm("r"))
    assert preorder.ats("x") == 10
    preorder.given(stock(adjust("x", "A", 5)))
    assert (preorder.atf("x"), preorder.ats("x")) == (10, 15)


def test_without_a_limit_as_much_is_sold_as_a_quantity_can_say(preorder: Shop) -> None:
    preorder.given(product("x", backorder=unlimited()))
    assert preorder.here("x", "A").available_to_sell == QUANTITY_MAX + 10
    preorder.given(reserve(("x", "A", QUANTITY_MAX)))
    assert preorder.here("x", "A").available_to_sell == 10


def test_inbound_supply_is_sold_when_it_is_due_within_the_horizon(preorder: Shop) -> None:
    preorder.given(product("x", backorder=from_inbound(30)))
    preorder.given(
        stock(
            announce("x", "A", 1, due_ms=NOON_MS + 30 * DAY_MS, supply_id="last"),
            announce("x", "A", 20, due_ms=NOON_MS + 30 * DAY_MS + 1, supply_id="late"),
            announce("x", "A", 300, due_ms=NOON_MS + 1, supply_id="now"),
            announce("x", "A", 4000, due_ms=NOON_MS - 1, supply_id="overdue"),
            announce("x", "B", 50000, due_ms=NOON_MS + 1),
        )
    )
    assert (preorder.atf("x"), preorder.ats("x")) == (20, 321)
    assert preorder.later(1).ats("x") == 41
    preorder.given(stock(receive("x", "A", 4000, supply_id="overdue")))
    assert (preorder.atf("x"), preorder.ats("x")) == (4020, 4041)


def test_supply_that_moves_or_goes_changes_what_is_sold_at_once(preorder: Shop) -> None:
    preorder.given(product("x", backorder=from_inbound(30)))
    preorder.given(stock(announce("x", "A", 20, due_ms=NOON_MS + DAY_MS)))
    assert preorder.ats("x", scope=at_locations("A")) == 30
    preorder.given(stock(announce("x", "A", 5, due_ms=NOON_MS + DAY_MS)))
    assert preorder.ats("x", scope=at_locations("A")) == 15
    preorder.given(stock(announce("x", "A", 0, due_ms=0)))
    assert preorder.ats("x", scope=at_locations("A")) == 10


def test_a_disabled_location_sells_nothing_beyond_the_stock_either(preorder: Shop) -> None:
    preorder.given(product("x", backorder=limited(7)), disable("A"))
    assert preorder.ats("x") == 10


def test_a_policy_without_a_location_that_allows_it_has_no_effect(preorder: Shop) -> None:
    preorder.given(product("x", backorder=unlimited()), disable("A"))
    assert preorder.ats("x") == 10
    assert preorder.refuses(reserve(("x", "B", 11))) is Reason.INSUFFICIENT_STOCK


def test_a_policy_that_is_withdrawn_leaves_its_claims_oversold(preorder: Shop) -> None:
    preorder.given(product("x", backorder=limited(7)), reserve(("x", "A", 15)))
    plain = UpdateProducts(
        products=((Sku("x"), ProductFields()),), field_names=("backorder_policy",)
    )
    preorder.given(plain)
    assert preorder.position("x", "A").oversold == 5
    assert (preorder.atf("x"), preorder.ats("x")) == (10, 10)


def test_questions_of_one_message_share_the_pairs_that_it_may_list(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=1, B=1))
    query = CheckAvailability(items=((Sku("x"), Quantity(0)),), include_locations=True)
    budget = PairBudget()
    budget.take(PAIRS_PER_MESSAGE_MAX - 3)
    check_availability(shop.state.network, query, NOON_MS, budget)
    with pytest.raises(Rejected) as refused:
        check_availability(shop.state.network, query, NOON_MS, budget)
    assert refused.value.rejection.reason is Reason.TOO_MANY_PAIRS
    # What was refused took nothing.
    budget.take(1)
