"""Solving a leg: costs beyond the solver's, rules that beat a plan, bounds that say nothing."""

import msgspec

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.candidates import candidates_of
from domgrpc.core.leg_capacity import within_capacity
from domgrpc.core.leg_questions import Candidates, LegQuestion
from domgrpc.core.leg_solving import or_by_rule, solve_leg
from domgrpc.core.order_legs import legs_of
from domgrpc.core.order_planning import leg_question
from domgrpc.core.planner import PlanQuestion
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import (
    NEVER,
    Instance,
    Obstacle,
    Package,
    Solution,
    Unservable,
)
from domgrpc.core.taken import Taken
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import CHICAGO, DALLAS, line, terms


def asked_of(shop: Shop, *skus: str) -> tuple[LegQuestion, Candidates, Instance]:
    """Ask for one unit of each SKU: the question, its candidates, and what is to be solved."""
    lines = tuple(line(sku) for sku in skus)
    asked = PlanQuestion(lines, terms(), shop.now_ms)
    rules = shop.state.planner.rules(None)
    question, _ = leg_question(shop.state.planner, asked, legs_of(lines)[0], (rules, Taken()))
    found = candidates_of(shop.state.network, question)
    instance = Instance(
        quantities=[1] * len(lines),
        package_costs=found.package_costs,
        unit_costs=found.unit_costs,
        available=found.available,
    )
    return question, found, instance


def bare(instance: Instance) -> Solution | Unservable:
    """Solve without any word on what the best plan costs."""
    found = solve_leg(instance)
    if isinstance(found, Unservable):
        return found
    return msgspec.structs.replace(found, lower_bound=0)


def two_places() -> Shop:
    """Open two places that have all of three SKUs."""
    shop = Shop().given(place("A", at=CHICAGO), place("B", at=DALLAS))
    return shop.given(*(on_hand(sku, A=9, B=9) for sku in "xyz"))


def test_what_nobody_has_is_unservable_at_costs_beyond_the_solver_too() -> None:
    dear = Instance(
        quantities=[1, 1],
        package_costs=[NEVER],
        unit_costs=[[NEVER], [NEVER]],
        available=[[1], [0]],
    )
    assert solve_leg(dear) == Unservable(Obstacle.STOCK, (1,))


def test_a_plan_gives_way_to_that_of_a_rule_that_is_cheaper_and_keeps_its_bound() -> None:
    _, found, instance = asked_of(two_places(), "x", "y")
    torn = (Package(0, ((0, 1),)), Package(1, ((1, 1),)))
    plan = Solution(torn, plan_cost(instance, torn), 7, 3)
    best = or_by_rule(instance, found, plan)
    assert [len(package.contents) for package in best.packages] == [2]
    assert (best.cost, best.lower_bound) == (plan_cost(instance, best.packages), 7)
    assert or_by_rule(instance, found, best) == best


def test_the_best_plan_that_fits_is_found_whatever_bounds_say() -> None:
    shop = Shop().given(place("A", at=CHICAGO), place("B", at=DALLAS), place("C", at=(41.0, -88.5)))
    shop.given(on_hand("x", A=1, B=1), on_hand("y", A=1, B=9, C=9), on_hand("z", A=1, B=1, C=1))
    for name in ("A", "C"):
        one = changed(calendar(name, schedule()), daily_capacity=1)
        shop.given(changed(one, capacity_unit=CapacityUnit.UNITS))
    question, found, instance = asked_of(shop, "x", "y", "z")
    asked = ([0, 1, 2], instance)
    plain, best = (within_capacity(question, found, asked, how) for how in (bare, solve_leg))
    assert isinstance(plain, Solution)
    assert isinstance(best, Solution)
    assert best.is_proven
    assert plain.cost == best.cost
    assert plain.lower_bound <= best.cost
