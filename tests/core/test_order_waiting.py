"""Orders that wait for stock: who is served when some comes, and what makes it worth a try."""

import msgspec
import pytest

from domgrpc.core.backorders import decide_waiting
from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    StepKind,
    unsourced_quantities,
)
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.rejections import Reason
from domgrpc.core.replanning import PLANNING_FAILED
from domgrpc.core.rule_sets import CreateRuleSet, RuleSetContent, Unfilled
from domgrpc.core.values import DAY_MS, GroupId, LocationType, OrderId, Sku
from domgrpc.core.waiting import FIRST_KEY
from tests.core.broken import Breaking, timer
from tests.core.commands import (
    announce,
    disable,
    enable,
    from_inbound,
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
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    PICKUP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    units_at,
    work_of,
)
from tests.core.routing_rules import activate, validate
from tests.core.scope_words import in_groups

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two places and no tea."""
    return Shop().given(
        place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS), on_hand("tea", chi=0, dal=0)
    )


# --- who is served


def test_units_that_wait_are_planned_when_stock_is_there(shop: Shop) -> None:
    shop.given(order(line("tea", 3)))
    assert shop.serve() is None
    shop.given(on_hand("tea", dal=5))
    event = shop.serve()
    assert event is not None
    assert event.summary.applied_order_ids == ("o",)
    served = shop.order()
    assert work_of(served) == {"dal": {"tea": 3}}
    assert served.attention is Attention.NONE
    assert (served.history[-1].kind, served.history[-1].detail) == (
        StepKind.REPLANNED,
        "backordered units",
    )
    assert [each.step for each in served.decisions] == [StepKind.PLACED, StepKind.REPLANNED]
    assert shop.position("tea", "dal").allocated == 3
    assert shop.serve() is None
    shop.check_replay()


def test_the_oldest_order_is_served_first_and_the_next_gets_what_is_left(shop: Shop) -> None:
    shop.given(order(line("tea", 2), as_id="younger-name-a"))
    shop.later(1).given(order(line("tea", 2), as_id="a"), on_hand("tea", chi=3))
    shop.serve()
    assert unsourced_quantities(shop.order("younger-name-a")) == {}
    assert unsourced_quantities(shop.order("a")) == {"tea": 1}
    assert shop.order("a").attention is Attention.BACKORDERED


def test_orders_of_one_moment_are_served_by_their_ids(shop: Shop) -> None:
    shop.given(order(line("tea"), as_id="b"), order(line("tea"), as_id="a"), on_hand("tea", chi=1))
    event = shop.serve()
    assert event is not None
    assert event.summary.applied_order_ids == ("a",)


def test_what_one_step_plans_is_never_more_than_there_is(shop: Shop) -> None:
    shop.given(*(order(line("tea"), as_id=f"o{number}") for number in range(5)))
    shop.given(on_hand("tea", chi=2, dal=1))
    event = shop.serve()
    assert event is not None
    assert event.summary.applied_order_ids == ("o0", "o1", "o2")


def test_an_order_that_is_to_be_complete_waits_for_all_of_it(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=0), order(line("tea", 3), line("cup"), ship_complete=True))
    shop.given(on_hand("tea", chi=2, dal=1))
    assert shop.serve() is None
    shop.given(on_hand("tea", chi=1), on_hand("cup", chi=1))
    assert shop.serve() is None
    shop.given(on_hand("tea", chi=2))
    assert shop.serve() is not None
    assert work_of(shop.order()) == {"chi": {"tea": 2, "cup": 1}, "dal": {"tea": 1}}


def test_what_joins_an_open_parcel_of_the_order_becomes_part_of_it(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=1), order(line("cup"), line("tea")), on_hand("tea", chi=1))
    shop.serve()
    (work,) = shop.order().fulfillment_orders
    assert {each.sku for each in work.lines} == {"tea", "cup"}


def test_an_order_on_hold_is_planned_and_its_work_waits_as_at_placing(shop: Shop) -> None:
    shop.given(order(line("tea")), put_on_hold("o"), on_hand("tea", chi=1))
    assert shop.serve() is not None
    assert shop.order().holds
    assert shop.refuses(advance("o/1", S.RELEASED)) is Reason.ORDER_ON_HOLD


def test_the_timer_cancels_nothing_whatever_the_rules_say_by_now(shop: Shop) -> None:
    shop.given(order(line("tea", 3)))
    shop.given(
        CreateRuleSet(content=RuleSetContent(unfilled=Unfilled.CANCEL)),
        validate(1),
        activate(1),
        on_hand("tea", chi=1),
    )
    shop.serve()
    assert unsourced_quantities(shop.order()) == {"tea": 2}
    assert [each.cancelled_quantity for each in shop.order().lines] == [0]


def test_units_that_a_location_gave_back_do_not_go_back_there_by_themselves(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1), order(line("tea")), advance("o/1", S.RELEASED))
    shop.given(advance("o/1", S.CANCELLED))
    assert shop.order().attention is Attention.BACKORDERED
    assert shop.serve() is None
    shop.given(on_hand("tea", dal=1))
    assert shop.serve() is not None
    assert work_of(shop.order()) == {"dal": {"tea": 1}}


def test_what_a_store_has_not_is_not_collected_elsewhere(shop: Shop) -> None:
    shop.given(place("store", at=CHICAGO), on_hand("tea", store=0))
    shop.given(order(line("tea", by=PICKUP, at="store")), on_hand("tea", chi=5))
    assert shop.serve() is None
    shop.given(on_hand("tea", store=1))
    assert shop.serve() is not None
    assert work_of(shop.order()) == {"store": {"tea": 1}}


def test_a_store_that_never_had_the_goods_is_waited_for_too(shop: Shop) -> None:
    shop.given(place("store", at=CHICAGO), order(line("tea", by=PICKUP, at="store")))
    shop.given(on_hand("tea", chi=5))
    assert shop.serve() is None


def test_goods_that_were_never_seen_are_waited_for(shop: Shop) -> None:
    shop.given(product("new"), order(line("new")))
    assert shop.serve() is None
    shop.given(on_hand("new", chi=1))
    assert shop.serve() is not None


def test_an_order_whose_scope_is_gone_waits_on(shop: Shop) -> None:
    shop.given(group("west", "dal"), order(line("tea"), scope=in_groups("west")))
    shop.given(DeleteLocationGroup(group_id=GroupId("west")), on_hand("tea", dal=1))
    assert shop.serve() is None


def test_capacity_that_is_used_up_lets_units_wait_and_the_next_day_takes_them(shop: Shop) -> None:
    shop.given(
        changed(calendar("dal", schedule()), daily_capacity=1), order(line("tea"), as_id="a")
    )
    shop.given(order(line("tea"), as_id="b"), on_hand("tea", dal=5))
    event = shop.serve()
    assert event is not None
    days = {work.capacity_day for name in "ab" for work in shop.order(name).fulfillment_orders}
    assert event.summary.applied_order_ids in (("a",), ("a", "b"))
    assert len(days) == len(event.summary.applied_order_ids)


# --- what makes it worth a try


def test_only_a_position_with_more_than_before_stirs_its_sku(shop: Shop) -> None:
    shop.given(order(line("tea", 3)), on_hand("cup", chi=3))
    assert shop.stirred() == []
    shop.given(on_hand("tea", chi=1))
    assert shop.stirred() == ["tea"]
    shop.given(reserve(("tea", "chi", 1), as_id="h"))
    assert shop.stirred() == []
    shop.given(release("h"))
    assert shop.stirred() == ["tea"]


def test_nothing_stirs_where_nobody_waits(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1))
    assert shop.stirred() == []
    shop.given(order(line("tea", 2)), on_hand("tea", chi=3))
    shop.serve()
    assert shop.stirred() == []


def test_an_order_that_is_cancelled_gives_others_a_try(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1), order(line("tea")), order(line("tea"), as_id="p"))
    shop.stirred()
    # The first time a position is seen it may have had less before.
    shop.given(on_hand("tea", chi=2), reserve(("tea", "chi", 1), as_id="h"), release("h"))
    shop.serve()
    shop.given(order(line("tea"), as_id="q"))
    shop.stirred()
    shop.given(cancel_order("o"))
    assert shop.stirred() == ["tea"]
    assert shop.serve() is not None
    assert units_at(shop.order("q")) == {("tea", "chi"): 1}


def test_announced_supply_and_another_backorder_policy_stir_their_sku(shop: Shop) -> None:
    shop.given(order(line("tea")))
    shop.given(stock(announce("tea", "chi", 5, due_ms=NOON_MS + DAY_MS)))
    assert shop.stirred() == ["tea"]
    fields = ProductFields(backorder_policy=from_inbound(10))
    shop.given(UpdateProducts(products=((Sku("tea"), fields),), field_names=("backorder_policy",)))
    assert shop.stirred() == ["tea"]


def test_supply_that_is_announced_serves_what_waits_with_its_date() -> None:
    shop = Shop().given(place("chi", DC, at=CHICAGO, backorder=True), on_hand("tea", chi=0))
    shop.given(product("tea", backorder=from_inbound(10)), order(line("tea")))
    shop.given(stock(announce("tea", "chi", 5, due_ms=NOON_MS + DAY_MS)))
    assert shop.serve() is not None
    (work,) = shop.order().fulfillment_orders
    assert (work.state, work.ready_time_ms) == (FulfillmentState.SCHEDULED, NOON_MS + DAY_MS)


def test_safety_stock_that_is_lowered_frees_units_for_what_waits(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), rule("keep", 5), order(line("tea", 2)))
    assert shop.serve() is None
    shop.given(no_rule("keep"))
    assert shop.serve() is not None


def test_an_order_that_ends_waits_for_nothing(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), cancel_order("o"))
    assert not shop.state.orders.waiting.keys
    assert not shop.state.orders.waiting.by_sku


def test_the_changed_order_is_tried_again_for_what_is_left_of_it(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=0), order(line("tea"), line("cup"), ship_complete=True))
    shop.given(on_hand("tea", chi=1), cancel_order("o", cup=1))
    assert list(shop.state.orders.waiting.changed) == [(NOON_MS, "o")]
    assert shop.serve() is not None
    assert not shop.state.orders.waiting.changed


def test_those_that_wait_are_gone_through_in_parts_from_the_oldest(shop: Shop) -> None:
    names = ("a", "b", "c")
    shop.given(on_hand("cup", chi=0), *(order(line("tea"), as_id=name) for name in names))
    shop.later(1).given(order(line("cup"), as_id="aa"))
    waiting = shop.state.orders.waiting
    assert [name for _, name in waiting.after(FIRST_KEY, None, 9)] == ["a", "b", "c", "aa"]
    assert [name for _, name in waiting.after(FIRST_KEY, Sku("tea"), 2)] == ["a", "b"]
    behind = waiting.after((NOON_MS, OrderId("b")), Sku("tea"), 2)
    assert [name for _, name in behind] == ["c"]
    assert waiting.after(FIRST_KEY, Sku("hat"), 2) == []


# --- work that is stuck where it cannot be done


def stuck(shop: Shop) -> Shop:
    """Let an order be stuck at a place out of use."""
    shop.given(on_hand("tea", chi=3), order(line("tea", 3)), disable("chi"))
    shop.replan()
    assert shop.order().attention is Attention.LOCATION_DISABLED
    return shop


def test_work_that_was_stuck_is_flagged_no_more_when_its_location_is_in_use(shop: Shop) -> None:
    stuck(shop).given(enable("chi"))
    event = shop.serve()
    assert event is not None
    assert event.summary.applied_order_ids == ()
    assert shop.order().attention is Attention.NONE
    assert work_of(shop.order()) == {"chi": {"tea": 3}}
    assert shop.order().history[-1].detail == "its locations are in use"
    assert shop.serve() is None
    shop.check_replay()


def test_a_flag_goes_when_the_window_closes_by_itself(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=3), order(line("tea", 3)))
    shop.given(disable("chi", end_ms=NOON_MS + DAY_MS))
    shop.replan()
    assert shop.serve() is None
    shop.later(DAY_MS)
    assert shop.serve() is not None
    assert shop.order().attention is Attention.NONE


def test_work_that_was_stuck_goes_elsewhere_when_stock_comes_there(shop: Shop) -> None:
    stuck(shop).given(on_hand("tea", dal=2))
    assert shop.stirred() == ["tea"]
    event = shop.serve()
    assert event is not None
    assert event.summary.skipped == (("o", "no other location can do all of its work"),)
    assert work_of(shop.order()) == {"chi": {"tea": 1}, "dal": {"tea": 2}}
    assert shop.order().attention is Attention.LOCATION_DISABLED
    assert shop.serve() is None
    assert shop.replan() is None
    shop.given(on_hand("tea", dal=3))
    shop.serve()
    assert shop.order().attention is Attention.NONE
    assert work_of(shop.order()) == {"dal": {"tea": 3}}


def test_an_order_with_both_troubles_is_helped_with_one_after_the_other(shop: Shop) -> None:
    stuck(shop).given(on_hand("cup", dal=0), edit("o", line("cup")))
    shop.replan()
    assert shop.order().attention is Attention.LOCATION_DISABLED
    shop.given(on_hand("cup", dal=1))
    shop.serve()
    assert unsourced_quantities(shop.order()) == {}
    assert shop.order().attention is Attention.LOCATION_DISABLED
    shop.given(enable("chi"))
    shop.serve()
    assert shop.order().attention is Attention.NONE


def test_a_flag_makes_way_for_that_of_units_that_nobody_fills(shop: Shop) -> None:
    stuck(shop).given(on_hand("cup", dal=0), edit("o", line("cup")))
    shop.replan()
    shop.given(enable("chi"))
    shop.serve()
    assert shop.order().attention is Attention.BACKORDERED


def broken_order(shop: Shop, fault: Exception) -> None:
    """Let an order wait that breaks whoever looks at its address, as a bug of ours would."""
    shop.given(order(line("tea"), as_id="bad"))
    bad = shop.order("bad")
    terms = msgspec.structs.replace(bad.terms, address=Breaking(fault))
    shop.state.orders.by_id[OrderId("bad")] = msgspec.structs.replace(bad, terms=terms)


def waiting_shop() -> Shop:
    """Return a shop whose invariants are not looked at: it will hold what cannot be."""
    return Shop(steps_per_check=10**6).given(place("chi", DC, at=CHICAGO), on_hand("tea", chi=0))


def test_an_order_that_breaks_its_planning_keeps_nobody_waiting() -> None:
    shop = waiting_shop()
    broken_order(shop, OverflowError("too large"))
    shop.given(order(line("tea"), as_id="good"), on_hand("tea", chi=5))
    event = decide_waiting(shop.state.planner, [OrderId("bad"), OrderId("good")], timer(shop))
    assert event is not None
    assert event.summary.applied_order_ids == ("good",)
    assert event.summary.skipped == (("bad", f"{PLANNING_FAILED}: OverflowError"),)


def test_an_order_that_is_gone_by_then_keeps_nobody_waiting(shop: Shop) -> None:
    shop.given(order(line("tea")), on_hand("tea", chi=1))
    event = decide_waiting(shop.state.planner, [OrderId("gone"), OrderId("o")], timer(shop))
    assert event is not None
    assert event.summary.applied_order_ids == ("o",)
    assert decide_waiting(shop.state.planner, [OrderId("gone")], timer(shop)) is None


@pytest.mark.parametrize("fault", [OverflowError("too large"), AssertionError()])
def test_where_nobody_can_be_served_the_fault_is_told(fault: Exception) -> None:
    shop = waiting_shop()
    broken_order(shop, fault)
    shop.given(on_hand("tea", chi=5))
    with pytest.raises(type(fault)):
        decide_waiting(shop.state.planner, [OrderId("bad")], timer(shop))
