"""The work of orders: which steps it may take by which method, and what each does to stock."""

from itertools import pairwise

import pytest

from domgrpc.core.orders import (
    UNRELEASED_STATES,
    Attention,
    Order,
    OrderStatus,
    is_claiming,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_sets import CreateRuleSet, Replanning, RuleSetContent
from domgrpc.core.values import DAY_MS, MINUTE_MS, DeliveryMethod, LocationType
from tests.core.commands import (
    adjust,
    announce,
    count,
    from_inbound,
    on_hand,
    place,
    product,
    stock,
)
from tests.core.given import NOON_MS, Shop
from tests.core.order_words import CHICAGO, DALLAS, advance, edit, line, order, units_at
from tests.core.routing_rules import activate, validate

COOL_DOWN_MS = 30 * MINUTE_MS
M = DeliveryMethod
SHIPPED = (S.OPEN, S.RELEASED, S.SHIPPED, S.DELIVERED)
FETCHED = (S.OPEN, S.RELEASED, S.READY, S.COLLECTED)
TO_STORE = (S.OPEN, S.RELEASED, S.SHIPPED, S.READY, S.COLLECTED)
WAYS = {
    M.SHIP_TO_HOME: SHIPPED,
    M.LOCAL_DELIVERY: SHIPPED,
    M.DROP_SHIP: SHIPPED,
    M.PICKUP: FETCHED,
    M.CURBSIDE: FETCHED,
    M.SHIP_TO_STORE: TO_STORE,
}
STORES = (M.PICKUP, M.CURBSIDE, M.SHIP_TO_STORE)


def shop_with(method: DeliveryMethod, units: int = 2) -> Shop:
    """Return a shop with one order by a method."""
    shop = Shop().given(
        place("chi", LocationType.DISTRIBUTION_CENTER, at=CHICAGO),
        place("store", at=(41.95, -87.70)),
        place("maker", LocationType.SUPPLIER, at=DALLAS),
    )
    source = {M.DROP_SHIP: "maker", M.SHIP_TO_STORE: "chi", M.SHIP_TO_HOME: "chi"}
    name = source.get(method, "store")
    at = "store" if method in STORES else ""
    shop.given(on_hand("tea", **{name: 5}))
    return shop.given(order(line("tea", units, by=method, at=at)))


def moved_to(shop: Shop, *states: S) -> Shop:
    """Take the work through states, the first of which it is in."""
    return shop.given(*(advance("o/1", state) for state in states[1:]))


def place_of(shop: Shop) -> tuple[int, int]:
    """Return (on hand, allocated) where the work is done."""
    position = shop.position("tea", shop.order().fulfillment_orders[0].location_id)
    return position.on_hand, position.allocated


@pytest.mark.parametrize("method", WAYS)
def test_work_goes_its_way_and_stock_leaves_once(method: DeliveryMethod) -> None:
    shop = shop_with(method)
    way = WAYS[method]
    found = []
    for state in way[1:]:
        placed = shop.gives(Order, advance("o/1", state))
        (work,) = placed.fulfillment_orders
        assert work.state is state
        found.append((*place_of(shop), is_claiming(work)))
    leaves = 3 if method in (M.PICKUP, M.CURBSIDE) else 2
    stays = [(5, 2, True)] * (leaves - 1)
    assert found == stays + [(3, 0, False)] * (len(way) - leaves)
    assert order_status(shop.order()) is OrderStatus.DELIVERED
    shop.check_replay()


@pytest.mark.parametrize("method", WAYS)
def test_every_other_step_is_refused(method: DeliveryMethod) -> None:
    way = WAYS[method]
    allowed = {*pairwise(way), (S.RELEASED, S.CANCELLED)}
    for number, state in enumerate(way):
        shop = moved_to(shop_with(method), *way[: number + 1])
        for target in S:
            if target is state:
                before = shop.order()
                assert shop.gives(Order, advance("o/1", target)) == before
            elif (state, target) not in allowed:
                assert shop.refuses(advance("o/1", target)) is Reason.ILLEGAL_STEP


def test_a_refused_step_says_which_steps_are_possible() -> None:
    shop = moved_to(shop_with(M.PICKUP), S.OPEN, S.RELEASED)
    refused = shop.refusal(advance("o/1", S.SHIPPED))
    assert refused.message.endswith("cannot become SHIPPED; its next steps are READY, CANCELLED")
    assert refused.facts["possible_states"] == "READY,CANCELLED"
    shop.given(advance("o/1", S.READY), advance("o/1", S.COLLECTED))
    assert "none: it has ended" in shop.refusal(advance("o/1", S.SHIPPED)).message


def test_work_that_does_not_exist_takes_no_steps() -> None:
    shop = shop_with(M.SHIP_TO_HOME)
    assert shop.refuses(advance("o/9", S.RELEASED)) is Reason.FULFILLMENT_ORDER_NOT_FOUND
    assert shop.refuses(advance("x/1", S.RELEASED)) is Reason.ORDER_NOT_FOUND


def test_what_is_not_there_does_not_leave() -> None:
    shop = moved_to(shop_with(M.SHIP_TO_HOME), S.OPEN, S.RELEASED)
    shop.given(stock(count("tea", "chi", 1)))
    assert shop.refuses(advance("o/1", S.SHIPPED)) is Reason.QUANTITY_BELOW_ZERO
    shop.given(stock(adjust("tea", "chi", 1)), advance("o/1", S.SHIPPED))
    assert place_of(shop) == (0, 0)


def test_two_lines_of_one_sku_leave_together_or_not() -> None:
    shop = Shop().given(place("chi", at=CHICAGO), on_hand("tea", chi=3))
    shop.given(order(line("tea", 2, name="a"), line("tea", 1, name="b")))
    shop.given(advance("o/1", S.RELEASED), stock(count("tea", "chi", 2)))
    assert shop.refuses(advance("o/1", S.SHIPPED)) is Reason.QUANTITY_BELOW_ZERO


def test_a_pickup_is_counted_out_when_it_is_collected() -> None:
    shop = moved_to(shop_with(M.PICKUP), S.OPEN, S.RELEASED, S.READY)
    shop.given(stock(count("tea", "store", 1)))
    assert shop.refuses(advance("o/1", S.COLLECTED)) is Reason.QUANTITY_BELOW_ZERO


def test_a_count_from_before_the_goods_left_does_not_bring_them_back() -> None:
    shop = moved_to(shop_with(M.SHIP_TO_HOME), S.OPEN, S.RELEASED)
    counted_ms = shop.now_ms
    shop.later(1_000).given(advance("o/1", S.SHIPPED))
    shop.given(stock(count("tea", "chi", 5, as_of_ms=counted_ms)))
    assert place_of(shop) == (3, 0)


# --- given back


def test_work_that_a_location_gives_back_is_planned_elsewhere() -> None:
    shop = moved_to(shop_with(M.SHIP_TO_HOME), S.OPEN, S.RELEASED)
    shop.given(on_hand("tea", store=5))
    placed = shop.gives(Order, advance("o/1", S.CANCELLED))
    assert units_at(placed) == {("tea", "store"): 2}
    assert [work.state for work in placed.fulfillment_orders] == [S.CANCELLED, S.OPEN]
    assert shop.position("tea", "chi").allocated == 0
    assert shop.position("tea", "store").allocated == 2
    assert shop.gives(Order, advance("o/1", S.CANCELLED)) == placed


def test_work_that_nobody_else_can_do_waits_and_is_flagged() -> None:
    shop = moved_to(shop_with(M.SHIP_TO_HOME), S.OPEN, S.RELEASED)
    placed = shop.gives(Order, advance("o/1", S.CANCELLED))
    assert unsourced_quantities(placed) == {"tea": 2}
    assert placed.attention is Attention.BACKORDERED
    assert shop.position("tea", "chi").allocated == 0
    again = shop.later(COOL_DOWN_MS).gives(Order, edit("o", line("tea", 3)))
    assert units_at(again) == {("tea", "chi"): 3}


@pytest.mark.slow
def test_what_was_given_back_again_and_again_is_forgotten_at_last() -> None:
    shop = shop_with(M.SHIP_TO_HOME)
    shop.given(on_hand("tea", store=5))
    at_once = RuleSetContent(replanning=Replanning(cool_down_ms=0))
    shop.given(CreateRuleSet(content=at_once), validate(1), activate(1))
    for number in range(1, 80):
        shop.given(advance(f"o/{number}", S.RELEASED), advance(f"o/{number}", S.CANCELLED))
    assert len(shop.order().fulfillment_orders) < 60
    assert units_at(shop.order()) == {("tea", "store"): 2}
    assert shop.order().fulfillment_orders[-1].fulfillment_order_id == "o/80"


# --- what waits for supply


def test_what_waits_for_supply_is_opened_when_it_comes() -> None:
    shop = Shop().given(place("chi", at=CHICAGO, backorder=True))
    shop.given(product("tea", backorder=from_inbound(30)))
    shop.given(stock(announce("tea", "chi", 5, due_ms=NOON_MS + DAY_MS)))
    shop.given(order(line("tea", 2)))
    assert shop.order().fulfillment_orders[0].state is S.SCHEDULED
    assert shop.refuses(advance("o/1", S.SHIPPED)) is Reason.ILLEGAL_STEP
    shop.given(advance("o/1", S.OPEN), advance("o/1", S.RELEASED))
    assert shop.refuses(advance("o/1", S.SHIPPED)) is Reason.QUANTITY_BELOW_ZERO
    shop.given(on_hand("tea", chi=2), advance("o/1", S.SHIPPED))
    assert place_of(shop) == (0, 0)
    assert S.SCHEDULED in UNRELEASED_STATES


# --- the status of the order


def test_the_status_follows_the_quantities() -> None:
    shop = Shop().given(place("chi", at=CHICAGO), place("dal", at=DALLAS))
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    shop.given(order(line("tea"), line("cup")))
    steps = (
        ("o/1", S.RELEASED, OrderStatus.OPEN),
        ("o/1", S.SHIPPED, OrderStatus.PARTIALLY_SHIPPED),
        ("o/2", S.RELEASED, OrderStatus.PARTIALLY_SHIPPED),
        ("o/2", S.SHIPPED, OrderStatus.SHIPPED),
        ("o/1", S.DELIVERED, OrderStatus.PARTIALLY_DELIVERED),
        ("o/2", S.DELIVERED, OrderStatus.DELIVERED),
    )
    for work_id, state, status in steps:
        assert order_status(shop.gives(Order, advance(work_id, state))) is status
