"""Plans by the strategies that other systems have, and what they cost more than they had to."""

import pytest

from domgrpc.core.calendars import CalendarFields
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import Order
from domgrpc.core.plans import Plan, SimulationQuestion
from domgrpc.core.rule_sets import ActivateRuleSet, CreateRuleSet, Strategy, ValidateRuleSet, preset
from domgrpc.core.values import RuleSetVersion
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, schedule
from tests.core.order_words import BOSTON, CHICAGO, DALLAS, line, order, terms


def shop() -> Shop:
    """Open three warehouses; the far one in Dallas has most of everything and comes first."""
    return Shop().given(
        place("chicago", at=CHICAGO),
        place("boston", at=BOSTON),
        place("dallas", at=DALLAS),
        calendar("dallas", CalendarFields(schedule("UTC"), priority=1)),
        calendar("boston", CalendarFields(schedule("UTC"), priority=2)),
        calendar("chicago", CalendarFields(schedule("UTC"), priority=3)),
        on_hand("A", chicago=2, boston=5, dallas=9),
        on_hand("B", boston=5, dallas=4),
    )


def plan_by(strategy: Strategy, *units: tuple[str, int]) -> Plan:
    """Plan an order to Chicago by a strategy."""
    opened = shop()
    lines = tuple(line(sku, count) for sku, count in units)
    question = SimulationQuestion(lines, terms(), strategy=strategy.name)
    return simulate_routing(opened.state, question, opened.now_ms)


def contents(plan: Plan) -> dict[str, dict[str, int]]:
    """Return units by location, then SKU."""
    return {
        package.location_id: {each.sku: each.quantity for each in package.lines}
        for package in plan.packages
    }


def test_what_a_strategy_leaves_to_a_package_too_many_waits() -> None:
    opened = shop()
    asked = terms(package_count_max=1)
    question = SimulationQuestion(
        (line("A", 9), line("B", 5)), asked, strategy=Strategy.NEAREST_FIRST.name
    )
    plan = simulate_routing(opened.state, question, opened.now_ms)
    assert contents(plan) == {"dallas": {"A": 9, "B": 4}}
    assert [(short.line_id, short.quantity) for short in plan.shortages] == [("B", 1)]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.BY_PRIORITY, {"dallas": {"A": 3, "B": 4}, "boston": {"B": 1}}),
        (
            Strategy.NEAREST_FIRST,
            {"chicago": {"A": 2}, "dallas": {"A": 1, "B": 4}, "boston": {"B": 1}},
        ),
        (Strategy.HIGHEST_STOCK_FIRST, {"dallas": {"A": 3}, "boston": {"B": 5}}),
        (Strategy.FEWEST_PACKAGES, {"boston": {"A": 3, "B": 5}}),
        (Strategy.CHEAPEST, {"boston": {"A": 3, "B": 5}}),
    ],
)
def test_a_strategy_fills_down_its_list(
    strategy: Strategy, expected: dict[str, dict[str, int]]
) -> None:
    assert contents(plan_by(strategy, ("A", 3), ("B", 5))) == expected


@pytest.mark.parametrize("strategy", list(Strategy))
def test_no_strategy_is_cheaper_than_the_bound(strategy: Strategy) -> None:
    plan = plan_by(strategy, ("A", 3), ("B", 5))
    cheapest = plan_by(Strategy.CHEAPEST, ("A", 3), ("B", 5))
    (leg,) = plan.legs
    assert leg.lower_bound_micros == cheapest.cost_micros <= plan.cost_micros
    assert leg.is_proven == (plan.cost_micros == cheapest.cost_micros)


def test_a_rule_set_routes_by_its_strategy() -> None:
    version = RuleSetVersion(1)
    opened = shop().given(
        CreateRuleSet(content=preset(Strategy.HIGHEST_STOCK_FIRST)),
        ValidateRuleSet(version=version),
        ActivateRuleSet(version=version),
    )
    placed = opened.gives(Order, order(line("A", 3), line("B", 5)))
    assert [work.location_id for work in placed.fulfillment_orders] == ["dallas", "boston"]
    assert placed.decisions[0].rule_set_version == 1


def test_a_decision_tells_the_next_best_place() -> None:
    plan = plan_by(Strategy.CHEAPEST, ("A", 1))
    (leg,) = plan.legs
    assert leg.runner_up_location_ids == ("dallas",)
    assert leg.runner_up_micros is not None
    assert leg.runner_up_micros > leg.cost_micros
