"""Orders for what is not there yet: supply with its date, limits, and what becomes of the rest."""

import pytest

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    Order,
    OrderStatus,
    ShortagePolicy,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.products import BackorderPolicy, CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_sets import CreateRuleSet, RuleSetContent, Unfilled
from domgrpc.core.scopes import Scope
from domgrpc.core.values import DAY_MS, LocationType, Sku
from tests.core.commands import (
    announce,
    from_inbound,
    limited,
    on_hand,
    place,
    product,
    stock,
    unlimited,
)
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    cancel_order,
    edit,
    line,
    order,
    units_at,
)
from tests.core.routing_rules import activate, draft, prefer, validate
from tests.core.scope_words import at_locations

DC = LocationType.DISTRIBUTION_CENTER
CANCEL = ShortagePolicy.CANCEL
SOON, LATER = NOON_MS + 3 * DAY_MS, NOON_MS + 9 * DAY_MS


@pytest.fixture
def shop() -> Shop:
    """Return a shop with three places that take backorders."""
    return Shop().given(
        place("chi", DC, at=CHICAGO, backorder=True),
        place("dal", DC, at=DALLAS, backorder=True),
        place("bos", at=BOSTON, backorder=True),
    )


def kept_together(sku: str, policy: BackorderPolicy) -> CreateProducts:
    """Create a product that is never split."""
    fields = ProductFields(keep_together=True, backorder_policy=policy)
    return CreateProducts(products=((Sku(sku), fields),))


def test_supply_on_its_way_is_promised_with_its_date(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    (work,) = shop.gives(Order, order(line("tea", 2))).fulfillment_orders
    assert (work.location_id, work.state) == ("chi", FulfillmentState.SCHEDULED)
    assert work.ready_time_ms == SOON
    assert SOON < work.ship_by_time_ms < work.deliver_by_time_ms
    assert [each.backordered_quantity for each in work.lines] == [2]
    assert shop.position("tea", "chi").allocated == 2


def test_what_no_supply_covers_is_promised_at_the_end_of_the_horizon(shop: Shop) -> None:
    policy = BackorderPolicy(unlimited().mode, horizon_days=20)
    shop.given(product("tea", backorder=policy), on_hand("tea", chi=0))
    (work,) = shop.gives(Order, order(line("tea", 2))).fulfillment_orders
    assert work.ready_time_ms == NOON_MS + 20 * DAY_MS


def test_stock_elsewhere_comes_before_supply(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)), on_hand("tea", dal=2))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    placed = shop.gives(Order, order(line("tea", 2)))
    assert units_at(placed) == {("tea", "dal"): 2}
    assert placed.fulfillment_orders[0].state is FulfillmentState.OPEN


def test_no_more_is_promised_than_the_policy_allows(shop: Shop) -> None:
    shop.given(product("tea", backorder=limited(2)), on_hand("tea", chi=0))
    placed = shop.gives(Order, order(line("tea", 2)))
    assert unsourced_quantities(placed) == {}
    more = shop.gives(Order, order(line("tea", 1), as_id="p"))
    assert unsourced_quantities(more) == {"tea": 1}
    assert more.attention is Attention.BACKORDERED


def test_units_beyond_the_stock_are_counted_as_backordered(shop: Shop) -> None:
    shop.given(kept_together("set", limited(3)), on_hand("set", chi=5))
    placed = shop.gives(Order, order(line("set", 7)))
    (work,) = placed.fulfillment_orders
    assert [(each.quantity, each.backordered_quantity) for each in work.lines] == [(7, 2)]


def test_legs_share_the_units_beyond_the_stock(shop: Shop) -> None:
    shop.given(product("tea", backorder=limited(3)), on_hand("tea", bos=5))
    lines = (line("tea", 5, name="now", by=PICKUP, at="bos"), line("tea", 3, name="wait"))
    placed = shop.gives(Order, order(*lines))
    assert units_at(placed) == {("now", "bos"): 5, ("wait", "bos"): 3}
    more = shop.gives(Order, order(line("tea"), as_id="p"))
    assert unsourced_quantities(more) == {"tea": 1}


def test_the_second_leg_waits_for_the_second_supply(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)), on_hand("tea", bos=0))
    shop.given(
        stock(
            announce("tea", "bos", 5, due_ms=SOON, supply_id="first"),
            announce("tea", "bos", 5, due_ms=LATER, supply_id="second"),
        )
    )
    lines = (line("tea", 5, name="first", by=PICKUP, at="bos"), line("tea", 5, name="second"))
    first, second = shop.gives(Order, order(*lines)).fulfillment_orders
    assert (first.ready_time_ms, second.ready_time_ms) == (SOON, LATER)


def test_a_second_order_waits_for_the_second_supply(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)), on_hand("tea", chi=0))
    shop.given(
        stock(
            announce("tea", "chi", 5, due_ms=SOON, supply_id="first"),
            announce("tea", "chi", 5, due_ms=LATER, supply_id="second"),
        )
    )
    (first,) = shop.gives(Order, order(line("tea", 5))).fulfillment_orders
    (second,) = shop.gives(Order, order(line("tea", 5), as_id="p")).fulfillment_orders
    assert (first.ready_time_ms, second.ready_time_ms) == (SOON, LATER)


def test_a_line_that_is_planned_again_keeps_its_own_date(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)), on_hand("tea", chi=0))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    shop.given(order(line("tea", 5)))
    (work,) = shop.gives(Order, edit("o", to=BOSTON)).fulfillment_orders
    assert work.ready_time_ms == SOON


def test_a_hard_promise_is_never_missed_and_a_soft_one_is_priced(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    soon = NOON_MS + 2 * DAY_MS
    in_time = NOON_MS + 4 * DAY_MS
    placed = shop.gives(Order, order(line("tea"), promise_time_ms=in_time, promise_is_hard=True))
    assert placed.fulfillment_orders == ()
    soft = shop.gives(Order, order(line("tea"), as_id="p", promise_time_ms=soon))
    assert soft.attention is Attention.PROMISE_LATE
    assert soft.decisions[0].legs[0].price_micros > 0


def test_supply_within_a_hard_promise_is_planned(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    placed = shop.gives(
        Order, order(line("tea"), promise_time_ms=SOON + 9 * DAY_MS, promise_is_hard=True)
    )
    assert units_at(placed) == {("tea", "chi"): 1}


def test_a_preference_of_a_rule_holds_for_supply_too(shop: Shop) -> None:
    shop.given(draft(prefer("dear", "location.id == 'chi'", 900_000_000)), validate(1), activate(1))
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON, supply_id="c")))
    shop.given(stock(announce("tea", "dal", 5, due_ms=SOON, supply_id="d")))
    placed = shop.gives(Order, order(line("tea")))
    assert units_at(placed) == {("tea", "dal"): 1}


def test_supply_keeps_to_the_capacity_of_its_day(shop: Shop) -> None:
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(changed(calendar("chi", schedule()), daily_capacity=1))
    shop.given(stock(announce("tea", "chi", 5, due_ms=SOON)))
    shop.given(order(line("tea")))
    placed = shop.gives(Order, order(line("tea"), as_id="p"))
    assert units_at(placed) == {}


# --- what nobody can fill


def test_what_nobody_can_fill_waits_unless_somebody_says_otherwise(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2), on_hand("cup", chi=0))
    placed = shop.gives(Order, order(line("tea", 2), line("cup")))
    assert unsourced_quantities(placed) == {"cup": 1}
    assert (order_status(placed), placed.attention) == (OrderStatus.OPEN, Attention.BACKORDERED)


def test_an_order_that_refuses_shortages_books_nothing(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2, dal=1))
    refusal = shop.refusal(order(line("tea", 4), shortage_policy=REFUSING))
    assert refusal.reason is Reason.INSUFFICIENT_STOCK
    (short,) = refusal.short_lines
    assert (short.sku, short.asked_quantity) == ("tea", 4)
    assert {each.location_id for each in short.alternatives} == {"chi", "dal"}
    assert shop.position("tea", "chi").allocated == 0


def test_units_that_nobody_can_fill_are_cancelled_where_the_order_says_so(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2), on_hand("cup", chi=0))
    placed = shop.gives(Order, order(line("tea", 2), line("cup", 3), shortage_policy=CANCEL))
    assert [each.cancelled_quantity for each in placed.lines] == [0, 3]
    assert placed.attention is Attention.NONE
    assert unsourced_quantities(placed) == {}


def test_units_are_cancelled_where_the_rules_say_so(shop: Shop) -> None:
    shop.given(CreateRuleSet(content=RuleSetContent(unfilled=Unfilled.CANCEL)))
    shop.given(validate(1), activate(1), on_hand("tea", chi=2), on_hand("cup", chi=0))
    placed = shop.gives(Order, order(line("tea", 2), line("cup", 3)))
    assert [each.cancelled_quantity for each in placed.lines] == [0, 3]
    edited = shop.gives(Order, edit("o", line("cup", 2, name="more")))
    assert [each.cancelled_quantity for each in edited.lines] == [0, 3, 2]


def test_units_are_refused_where_the_rules_say_so(shop: Shop) -> None:
    shop.given(CreateRuleSet(content=RuleSetContent(unfilled=Unfilled.REFUSE)))
    shop.given(validate(1), activate(1), on_hand("cup", chi=0))
    assert shop.refuses(order(line("cup"))) is Reason.INSUFFICIENT_STOCK


def test_backordered_units_are_taken_back_first(shop: Shop) -> None:
    shop.given(kept_together("set", limited(3)), on_hand("set", chi=5))
    shop.given(order(line("set", 7)))
    placed = shop.gives(Order, cancel_order("o", set=1))
    (work,) = placed.fulfillment_orders
    assert [(each.quantity, each.backordered_quantity) for each in work.lines] == [(6, 1)]


def test_supply_behind_the_horizon_is_not_waited_for(shop: Shop) -> None:
    policy = BackorderPolicy(unlimited().mode, horizon_days=5)
    shop.given(product("tea", backorder=policy), on_hand("tea", chi=0))
    shop.given(stock(announce("tea", "chi", 9, due_ms=LATER)))
    (work,) = shop.gives(Order, order(line("tea", 2))).fulfillment_orders
    assert work.ready_time_ms == NOON_MS + 5 * DAY_MS


@pytest.mark.parametrize("scope", [None, at_locations("chi", "dal", "bos")])
def test_what_was_never_anywhere_waits(shop: Shop, scope: Scope) -> None:
    shop.given(product("tea", backorder=unlimited()), on_hand("cup", chi=1))
    placed = shop.gives(Order, order(line("tea", 2), line("cup"), scope=scope))
    assert unsourced_quantities(placed) == {"tea": 2}
    assert units_at(placed) == {("cup", "chi"): 1}


def test_stock_and_supply_of_one_day_share_its_capacity(shop: Shop) -> None:
    shop.given(
        changed(calendar("chi", schedule()), daily_capacity=3, capacity_unit=CapacityUnit.UNITS)
    )
    shop.given(product("tea", backorder=from_inbound(30)), on_hand("tea", chi=2))
    shop.given(stock(announce("tea", "chi", 5, due_ms=NOON_MS + 60_000)))
    placed = shop.gives(Order, order(line("tea", 4)))
    assert len({work.capacity_day for work in placed.fulfillment_orders}) == 1
    assert sum(units_at(placed).values()) == 3
    assert unsourced_quantities(placed) == {"tea": 1}
