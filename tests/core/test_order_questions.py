"""Questions about orders: lists, simulations, and why a decision was as it was."""

import pytest

from domgrpc.core.order_queries import (
    OrderFilter,
    explain_decision,
    get_order,
    list_orders,
    simulate_routing,
)
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, OrderLine, OrderStatus
from domgrpc.core.plans import LocationExplanation, MockStock, Plan, SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    CustomerId,
    DeliveryMethod,
    Limits,
    LocationId,
    LocationType,
    OrderId,
    Quantity,
    Sku,
    TimeMs,
)
from tests.core.commands import disable, on_hand, place
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, card, changed, rate, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    advance,
    cancel_order,
    line,
    order,
    put_on_hold,
    take_off_hold,
    terms,
    units_at,
)
from tests.core.pictures import every
from tests.core.scope_words import at_locations

DC = LocationType.DISTRIBUTION_CENTER
TO_STORE = DeliveryMethod.SHIP_TO_STORE


@pytest.fixture
def shop() -> Shop:
    """Return a shop with stock in two places and none in a third."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("bos", at=BOSTON),
        on_hand("tea", chi=5, dal=5),
        on_hand("cup", chi=1, dal=5),
    )


def listed(shop: Shop, size: int = 2, **wanted: object) -> list[str]:
    """Return the ids of the orders that a filter lets through, page by page."""
    filtered = OrderFilter(**wanted)  # type: ignore[arg-type]
    found = every(lambda at: list_orders(shop.state, at, size, filtered), (0, ""))
    return [each.order_id for each in found]


def simulated(shop: Shop, *lines: OrderLine, stock: dict[tuple[str, str], int]) -> Plan:
    """Plan lines with stock that is not there."""
    mocked = tuple(
        MockStock(Sku(sku), LocationId(name), Quantity(units))
        for (sku, name), units in stock.items()
    )
    question = SimulationQuestion(lines, terms(), stock=mocked)
    return simulate_routing(shop.state, question, shop.now_ms)


def explained(shop: Shop, name: str, number: int | None = None) -> LocationExplanation:
    """Say why a location is not in a plan."""
    found = explain_decision(
        shop.state,
        OrderId("o"),
        number,
        location_ids=(LocationId(name),),
        now_ms=shop.now_ms,
    )
    return found.locations[0]


# --- lists


def test_orders_are_listed_oldest_first_and_by_what_is_asked(shop: Shop) -> None:
    shop.given(order(line("tea"), as_id="b", customer="ann"), order(line("cup"), as_id="a"))
    shop.later(1_000).given(order(line("tea", by=TO_STORE, at="bos"), as_id="c", customer="bob"))
    shop.given(put_on_hold("a"), cancel_order("b"))
    assert listed(shop) == ["a", "b", "c"]
    assert listed(shop, customer_id=CustomerId("ann")) == ["b"]
    assert listed(shop, sku=Sku("tea")) == ["b", "c"]
    assert listed(shop, location_id=LocationId("bos")) == ["c"]
    assert listed(shop, status=OrderStatus.ON_HOLD) == ["a"]
    assert listed(shop, start_time_ms=TimeMs(NOON_MS + 1_000)) == ["c"]
    assert listed(shop, end_time_ms=TimeMs(NOON_MS + 1_000)) == ["a", "b"]
    shop.given(order(line("tea"), as_id="d"))
    assert listed(shop) == ["a", "b", "c", "d"]


def test_orders_that_need_attention_are_found_and_unknown_places_refused(shop: Shop) -> None:
    shop.given(order(line("tea"), as_id="a"), order(line("cup", 9), as_id="b"))
    assert listed(shop, needs_attention=True) == ["b"]
    with pytest.raises(Rejected, match="'nowhere' does not exist"):
        listed(shop, location_id=LocationId("nowhere"))


def test_an_order_is_found_by_its_id(shop: Shop) -> None:
    placed = shop.gives(Order, order(line("tea")))
    assert get_order(shop.state, OrderId("o")) == placed
    with pytest.raises(Rejected, match="forgotten"):
        get_order(shop.state, OrderId("x"))


def test_an_order_is_listed_at_the_store_where_it_is_to_be_collected(shop: Shop) -> None:
    shop.given(order(line("tea", by=PICKUP, at="bos"), line("cup"), as_id="a"))
    assert listed(shop, location_id="bos") == ["a"]
    shop.given(cancel_order("a", tea=1))
    assert listed(shop, location_id="bos") == []


def test_finished_orders_are_forgotten_the_oldest_first() -> None:
    shop = Shop(Limits(finished_orders_max=1)).given(place("chi", at=CHICAGO))
    shop.given(on_hand("tea", chi=9))
    for name in ("a", "b"):
        shop.given(order(line("tea"), as_id=name))
    assert listed(shop) == ["a", "b"]
    shop.given(put_on_hold("a"), cancel_order("a"), take_off_hold("a"), cancel_order("b"))
    assert listed(shop) == ["b"]
    shop.check_replay()


def test_no_more_orders_are_remembered_than_may_be() -> None:
    shop = Shop(Limits(orders_max=1)).given(place("chi", at=CHICAGO), on_hand("tea", chi=9))
    shop.given(order(line("tea")))
    assert shop.refuses(order(line("tea"), as_id="p")) is Reason.CAPACITY_EXCEEDED
    assert shop.refuses(order(line("tea"))) is Reason.ORDER_ID_TAKEN


# --- simulations


def test_a_simulation_uses_stock_that_is_not_there_once(shop: Shop) -> None:
    there = {("tea", "bos"): 3, ("jam", "dal"): 1}
    lines = (line("tea", 2, name="a", by=PICKUP, at="bos"), line("tea", 2, name="b"), line("jam"))
    plan = simulated(shop, *lines, stock=there)
    sent = {
        (each.line_id, package.location_id): each.quantity
        for package in plan.packages
        for each in package.lines
    }
    assert sent == {("a", "bos"): 2, ("b", "bos"): 1, ("jam", "dal"): 1}
    assert [each.line_id for each in plan.shortages] == ["b"]
    elsewhere = simulated(shop, line("tea", by=PICKUP, at="dal"), stock=there)
    assert elsewhere.packages == ()
    assert shop.position("tea", "chi").allocated == 0


def test_mock_stock_knows_no_backorders_and_no_stock_beside_it(shop: Shop) -> None:
    plan = simulated(shop, line("cup", 2), stock={("tea", "bos"): 3})
    assert plan.packages == ()


def test_an_order_is_planned_again_with_its_own_units_free(shop: Shop) -> None:
    shop.given(order(line("tea", 5)))
    question = SimulationQuestion((), terms(), order_id=OrderId("o"))
    plan = simulate_routing(shop.state, question, shop.now_ms)
    assert [package.location_id for package in plan.packages] == ["chi"]
    assert plan.packages[0].package_cost_micros > 0
    shop.given(advance("o/1", S.RELEASED))
    with pytest.raises(Rejected, match="nothing is left to plan"):
        simulate_routing(shop.state, question, shop.now_ms)


def test_an_order_that_is_planned_again_has_its_own_capacity(shop: Shop) -> None:
    shop.given(changed(calendar("chi", schedule()), daily_capacity=1), order(line("tea")))
    question = SimulationQuestion((), terms(), order_id=OrderId("o"))
    plan = simulate_routing(shop.state, question, shop.now_ms)
    assert [package.location_id for package in plan.packages] == ["chi"]
    assert plan.legs[0].removed == (("stock", 1),)


@pytest.mark.parametrize("name", ["chi", "back"])
def test_stock_that_is_not_there_is_of_no_use_where_nothing_can_be_sent_from(
    shop: Shop, name: str
) -> None:
    shop.given(place("back", LocationType.RETURN_CENTER, at=CHICAGO), disable("chi"))
    plan = simulated(shop, line("tea"), stock={("tea", name): 3})
    assert plan.packages == ()
    assert dict(plan.legs[0].removed) == {"disabled": 1, "method": 1, "stock": 2}


def test_a_simulation_by_rules_that_do_not_exist_is_refused(shop: Shop) -> None:
    question = SimulationQuestion((line("tea"),), terms(), rule_set_version=9)
    with pytest.raises(Rejected):
        simulate_routing(shop.state, question, shop.now_ms)
    built_in = SimulationQuestion((line("tea"),), terms(), rule_set_version=0)
    assert simulate_routing(shop.state, built_in, shop.now_ms).packages


# --- explanations


def test_a_location_that_lost_says_by_how_much(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    won, lost = explained(shop, "chi"), explained(shop, "dal")
    assert (won.is_used, won.cheaper_by_micros) == (True, 0)
    assert not lost.is_used
    assert lost.cheaper_by_micros is not None
    assert lost.cheaper_by_micros > 0
    (leg,) = shop.order().decisions[0].legs
    question = SimulationQuestion((line("tea", 2),), terms(scope=at_locations("dal")))
    dearer = simulate_routing(shop.state, question, shop.now_ms)
    assert lost.cheaper_by_micros == dearer.cost_micros - leg.cost_micros


def test_a_location_that_lacks_units_says_of_what(shop: Shop) -> None:
    shop.given(order(line("tea", 2), line("cup", 2)))
    found = explained(shop, "chi")
    assert found.missing == (("cup", 1),)


def test_a_location_without_stock_says_what_is_missing(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    found = explained(shop, "bos")
    assert not found.is_used
    assert found.missing == (("tea", 2),)
    assert found.cheaper_by_micros is None


def test_a_location_that_came_later_is_explained_as_things_stand(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    shop.given(place("new", DC, at=CHICAGO), on_hand("cup", new=1))
    missing = explained(shop, "new")
    assert (missing.is_as_decided, missing.removed_by) == (False, "stock")
    shop.given(on_hand("tea", new=5))
    found = explained(shop, "new")
    assert not found.is_as_decided
    assert found.cheaper_by_micros is not None


def test_a_closed_location_says_so(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=5), disable("bos"), order(line("tea", 2)))
    assert explained(shop, "bos").removed_by == "disabled"


def test_of_several_legs_the_nearest_explains(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=5))
    shop.given(order(line("tea", by=PICKUP, at="bos"), line("cup", 2)))
    assert explained(shop, "chi").missing in ((("cup", 1),), (("cup", 2),), (("tea", 1),))


def test_only_decisions_and_locations_that_exist_are_explained(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    for number in (1, -1):
        with pytest.raises(Rejected) as refused:
            explained(shop, "chi", number)
        assert refused.value.rejection.reason is Reason.DECISION_NOT_FOUND
    with pytest.raises(Rejected, match="nowhere"):
        explained(shop, "nowhere")
    assert explained(shop, "chi", 0).is_used


# --- prices by weight, and groups


def test_packages_are_priced_by_the_weight_of_what_is_in_them(shop: Shop) -> None:
    heavy = ProductFields(weight_grams=4_000)
    shop.given(CreateProducts(products=((Sku("iron"), heavy),)), on_hand("iron", chi=9, dal=9))
    steps = ((5_000, 3_000_000), (10_000, 6_000_000))
    zones = tuple(rate(zone, 1_000_000, steps=steps) for zone in range(1, 9))
    shop.given(card("ground", zones))
    one = shop.gives(Order, order(line("iron"), as_id="a"))
    two = shop.gives(Order, order(line("iron", 2), as_id="b"))
    assert [work.package_cost_micros for work in one.fulfillment_orders] == [4_000_000]
    paid = sum(work.package_cost_micros for work in two.fulfillment_orders)
    assert paid == 7_000_000
    assert two.decisions[0].legs[0].cost_micros == paid


def test_groups_that_share_a_sku_are_one(shop: Shop) -> None:
    shop.given(on_hand("jam", dal=5))
    lines = (
        line("tea", name="a", group="x"),
        line("cup", 2, name="b", group="x"),
        line("tea", name="c", group="y"),
        line("jam", name="d", group="y"),
    )
    placed = shop.gives(Order, order(*lines))
    assert {where for _, where in units_at(placed)} == {"dal"}
    assert len(placed.fulfillment_orders) == 1


@pytest.mark.parametrize("scope", [None, at_locations("chi", "dal")])
def test_a_simulation_of_what_nobody_stocked_leaves_it_short(shop: Shop, scope: Scope) -> None:
    question = SimulationQuestion((line("ghost"), line("cup")), terms(scope=scope))
    plan = simulate_routing(shop.state, question, shop.now_ms)
    assert [short.line_id for short in plan.shortages] == ["ghost"]
    assert [each.line_id for package in plan.packages for each in package.lines] == ["cup"]
