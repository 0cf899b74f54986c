"""Trying a rule set on orders that there are: what would differ, and that nothing does."""

import pytest

from domgrpc.core.dry_runs import TriedOrder, UntriedOrder, newest_orders, orders_to_try, try_order
from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_sets import (
    CreateRuleSet,
    RuleSet,
    RuleSetContent,
    RuleSetState,
    Unfilled,
)
from domgrpc.core.values import DAY_MS, GroupId, LocationType, OrderId, RuleSetVersion
from domgrpc.engine.dump import digest, dump
from tests.core.commands import group, on_hand, place
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import CHICAGO, DALLAS, advance, cancel_order, line, order
from tests.core.routing_rules import activate, draft, exclude, prefer, tried, validate
from tests.core.scope_words import in_groups

DC = LocationType.DISTRIBUTION_CENTER
NOT_CHICAGO = draft(exclude("no", "location.id == 'chi'"))


@pytest.fixture
def shop() -> Shop:
    """Return a shop with tea in Chicago and Dallas."""
    return Shop().given(
        place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS), on_hand("tea", chi=5, dal=5)
    )


def found(shop: Shop, order_id: str = "o", version: int = 1) -> TriedOrder:
    """Try a rule set on an order; that changes nothing."""
    before = digest(dump(shop.state))
    outcome = try_order(shop.state.planner, OrderId(order_id), RuleSetVersion(version), shop.now_ms)
    assert isinstance(outcome, TriedOrder), outcome
    assert digest(dump(shop.state)) == before
    return outcome


def test_both_plans_are_told_and_that_they_differ(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), NOT_CHICAGO, validate(1))
    outcome = found(shop)
    assert (outcome.active.location_ids, outcome.tried.location_ids) == (("chi",), ("dal",))
    assert outcome.differs
    assert outcome.active.paid_micros < outcome.tried.paid_micros
    assert (outcome.active.package_count, outcome.tried.package_count) == (1, 1)
    assert outcome.active.cost_micros == shop.order().decisions[0].cost_micros


def test_the_same_rules_differ_in_nothing(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), draft(), validate(1))
    outcome = found(shop)
    assert not outcome.differs
    assert outcome.active == outcome.tried


def test_what_an_order_has_is_free_for_it(shop: Shop) -> None:
    shop.given(changed(calendar("chi", schedule()), daily_capacity=1))
    shop.given(order(line("tea", 5)), advance("o/1", S.RELEASED), draft(), validate(1))
    assert found(shop).active.location_ids == ("chi",)


def test_what_has_left_may_be_short_on_both_sides(shop: Shop) -> None:
    shop.given(order(line("tea", 5)), advance("o/1", S.RELEASED), advance("o/1", S.SHIPPED))
    shop.given(on_hand("tea", chi=0, dal=2), draft(), validate(1))
    outcome = found(shop)
    assert (outcome.active.unfilled_quantity, outcome.tried.unfilled_quantity) == (3, 3)


def test_an_order_is_planned_as_it_was_placed_whatever_was_cancelled(shop: Shop) -> None:
    shop.given(order(line("tea", 4)), cancel_order("o", tea=3), NOT_CHICAGO, validate(1))
    shop.given(on_hand("tea", chi=1, dal=1))
    outcome = found(shop)
    assert (outcome.active.unfilled_quantity, outcome.tried.unfilled_quantity) == (2, 3)


def test_an_order_that_is_whole_or_not_costs_nothing_where_it_is_not(shop: Shop) -> None:
    shop.given(order(line("tea", 10), ship_complete=True), NOT_CHICAGO, validate(1))
    outcome = found(shop)
    assert outcome.active.unfilled_quantity == 0
    assert (outcome.tried.unfilled_quantity, outcome.tried.cost_micros) == (10, 0)


def test_what_is_short_is_told_as_the_tried_rules_have_it(shop: Shop) -> None:
    refusing = RuleSetContent(unfilled=Unfilled.REFUSE)
    shop.given(order(line("tea", 12)), CreateRuleSet(content=refusing), validate(1))
    outcome = found(shop)
    assert (outcome.active.unfilled_quantity, outcome.tried.unfilled_quantity) == (2, 12)


def test_a_promise_is_as_far_ahead_as_it_was(shop: Shop) -> None:
    promise = {"promise_time_ms": NOON_MS + 9 * DAY_MS, "promise_is_hard": True}
    shop.given(order(line("tea", 2), **promise), draft(), validate(1))  # type: ignore[arg-type]
    shop.later(20 * DAY_MS)
    assert found(shop).active.unfilled_quantity == 0


def test_prices_of_rules_are_in_the_cost_and_are_not_paid(shop: Shop) -> None:
    shop.given(order(line("tea")), draft(prefer("p", "location.id != ''", 700_000)), validate(1))
    outcome = found(shop)
    assert outcome.tried.paid_micros == outcome.active.paid_micros
    assert outcome.tried.cost_micros == outcome.active.cost_micros + 700_000


def test_an_order_does_not_join_its_own_parcel(shop: Shop) -> None:
    shop.given(order(line("tea"), customer="c"), draft(), validate(1))
    outcome = found(shop)
    assert outcome.active.cost_micros == shop.order().decisions[0].cost_micros


def test_an_order_whose_scope_is_gone_is_not_tried(shop: Shop) -> None:
    shop.given(group("west", "dal"), order(line("tea"), scope=in_groups("west")), draft())
    shop.given(DeleteLocationGroup(group_id=GroupId("west")))
    planner = shop.state.planner
    gone = try_order(planner, OrderId("o"), RuleSetVersion(1), shop.now_ms)
    assert isinstance(gone, UntriedOrder)
    assert "west" in gone.reason
    never = try_order(planner, OrderId("never"), RuleSetVersion(1), shop.now_ms)
    assert isinstance(never, UntriedOrder)


def test_the_newest_orders_are_those_placed_last(shop: Shop) -> None:
    shop.given(order(line("tea"), as_id="b")).later(1).given(order(line("tea"), as_id="a"))
    assert newest_orders(shop.state.planner, 5) == ["a", "b"]
    shop.later(1).given(order(line("tea"), as_id="c"), cancel_order("b"))
    assert newest_orders(shop.state.planner, 2) == ["c", "a"]
    assert newest_orders(shop.reopened().state.planner, 3) == ["c", "a", "b"]


def test_a_slice_has_one_order_at_least_and_else_so_many_lines(shop: Shop) -> None:
    names = ("a", "b", "c")
    shop.given(on_hand("cup", chi=9))
    shop.given(*(order(line("tea"), line("cup"), as_id=name) for name in names))
    ids = [OrderId(name) for name in (*names, "gone")]
    planner = shop.state.planner
    assert orders_to_try(planner, ids, 1) == ["a"]
    assert orders_to_try(planner, ids, 5) == ["a", "b"]
    assert orders_to_try(planner, ids, 6) == ["a", "b", "c", "gone"]


def test_a_validated_rule_set_that_was_tried_says_so_and_may_be_activated(shop: Shop) -> None:
    shop.given(draft(), validate(1))
    assert shop.gives(RuleSet, tried(1)).state is RuleSetState.DRY_RUN
    assert shop.gives(RuleSet, tried(1)).state is RuleSetState.DRY_RUN
    assert shop.gives(RuleSet, activate(1)).state is RuleSetState.ACTIVE
    assert shop.gives(RuleSet, tried(1)).state is RuleSetState.ACTIVE
    assert shop.gives(RuleSet, tried(0)).state is RuleSetState.RETIRED
    shop.check_replay()


def test_warnings_of_the_validation_stay_when_it_is_tried(shop: Shop) -> None:
    shop.given(draft(exclude("r", "location.id == 'z'")), validate(1))
    assert shop.gives(RuleSet, tried(1)).warnings


def test_a_draft_is_not_tried(shop: Shop) -> None:
    shop.given(draft())
    assert shop.refuses(tried(1)) is Reason.ILLEGAL_TRANSITION
    assert shop.refuses(tried(7)) is Reason.RULE_SET_NOT_FOUND
