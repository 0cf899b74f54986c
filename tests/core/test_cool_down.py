"""A location that gave work of an order back gets none of that order until the cool-down ends."""

import pytest

from domgrpc.core.order_commands import ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, unsourced_quantities
from domgrpc.core.plans import QuotedPackage, SimulationQuestion
from domgrpc.core.rule_sets import CreateRuleSet, Replanning, RuleSetContent
from domgrpc.core.values import MINUTE_MS, LineId, LocationId, OrderId
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    SHIP,
    advance,
    edit,
    line,
    order,
    terms,
    units_at,
)
from tests.core.routing_rules import activate, validate

COOL_DOWN_MS = 30 * MINUTE_MS


@pytest.fixture
def shop() -> Shop:
    """Return a shop with an order that Chicago gave back, and that Dallas has by now."""
    shop = Shop().given(place("chi", at=CHICAGO), place("dal", at=DALLAS))
    shop.given(*(on_hand(sku, chi=5, dal=5) for sku in ("tea", "cup")))
    return shop.given(order(line("tea")), advance("o/1", S.RELEASED), advance("o/1", S.CANCELLED))


def moved(shop: Shop, at: str, **units: int) -> ReplanSummary:
    """Move the order to a place."""
    lines = tuple((LineId(name), count) for name, count in units.items())
    package = QuotedPackage(LocationId(at), SHIP, LocationId(""), lines)
    move = OrderMove(OrderId("o"), shop.order().revision, (package,))
    return shop.gives(ReplanSummary, ApplyReplan((move,)))


def test_an_edit_brings_nothing_there(shop: Shop) -> None:
    edited = shop.later(COOL_DOWN_MS - 1).gives(Order, edit("o", line("cup")))
    assert units_at(edited) == {("tea", "dal"): 1, ("cup", "dal"): 1}


def test_what_nobody_else_has_waits(shop: Shop) -> None:
    shop.given(on_hand("jar", chi=5))
    edited = shop.gives(Order, edit("o", line("jar")))
    assert unsourced_quantities(edited) == {"jar": 1}


def test_after_the_cool_down_it_may_be_asked_again(shop: Shop) -> None:
    shop.later(COOL_DOWN_MS).given(on_hand("jar", chi=5))
    assert units_at(shop.gives(Order, edit("o", line("jar"))))["jar", "chi"] == 1


def test_the_rules_say_how_long_it_lasts(shop: Shop) -> None:
    shop.given(
        CreateRuleSet(content=RuleSetContent(replanning=Replanning(cool_down_ms=0))),
        validate(1),
        activate(1),
        on_hand("jar", chi=5),
    )
    assert units_at(shop.gives(Order, edit("o", line("jar"))))["jar", "chi"] == 1


def test_other_orders_still_go_there(shop: Shop) -> None:
    assert units_at(shop.gives(Order, order(line("tea"), as_id="p"))) == {("tea", "chi"): 1}


def test_a_move_does_not_bring_it_there(shop: Shop) -> None:
    ((_, why),) = moved(shop, "chi", tea=1).skipped
    assert why == "'chi' cannot send it any more (gave it back)"
    assert moved(shop.later(COOL_DOWN_MS), "chi", tea=1).skipped == ()


def test_an_outage_does_not_bring_it_there(shop: Shop) -> None:
    shop.given(disable("dal")).replan()
    assert units_at(shop.order()) == {("tea", "dal"): 1}


def test_a_simulation_of_the_order_leaves_it_out(shop: Shop) -> None:
    question = SimulationQuestion((), terms(), order_id=OrderId("o"))
    plan = simulate_routing(shop.state, question, shop.now_ms)
    assert [package.location_id for package in plan.packages] == ["dal"]
    assert dict(plan.legs[0].removed)["excluded"] == 1
