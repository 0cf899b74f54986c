"""Routing one leg: from candidates to packages, with the decision that explains them.

What the candidates cannot serve is short; the rest is solved exactly or, where a rule set says
so, by a textbook strategy. Where stock alone cannot serve a leg, what may be sold beyond it is
weighed too, as candidates with the date on which their supply comes. Where not all of it goes in as
few packages as it may, the part is planned that does.
"""

from operator import ge

import msgspec

from domgrpc.core.candidates import candidates_of
from domgrpc.core.dated_candidates import with_dated
from domgrpc.core.leg_answers import Asked, LegPlan, nothing_planned, planned_leg
from domgrpc.core.leg_capacity import (
    crowded_cells,
    first_come,
    within_capacity,
    without_cells,
)
from domgrpc.core.leg_fitting import Served, as_taken, fitting_part, told_of_limit, units_sent
from domgrpc.core.leg_joins import with_first_free
from domgrpc.core.leg_questions import Candidates, LegLimits, LegQuestion
from domgrpc.core.leg_solving import (
    follow_strategy,
    is_long,
    leg_terms,
    solve_leg,
    solve_or_follow,
)
from domgrpc.core.leg_weights import weight_rates
from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg
from domgrpc.core.plain_legs import plain_leg
from domgrpc.core.routing.instance import (
    Instance,
    Package,
    Solution,
    Unservable,
)
from domgrpc.core.rule_sets import Strategy


def route_leg(network: Network, leg: Leg, question: LegQuestion, limits: LegLimits) -> LegPlan:
    """Plan a leg; see the module."""
    plain = plain_leg(network, leg, question, limits)
    if plain is not None:
        return plain
    found = candidates_of(network, question)
    may_wait = question.may_backorder
    if may_wait and _served(question, found, limits) != _wanted(question):
        found, may_wait = _with_supply(network, question, found, limits), False
    asked = (leg, question, found)
    plan = _plan_of_all(network, asked, limits)
    if plan is None and limits.package_count_max:
        plan = _plan_of_part(network, asked, limits)
        if plan.shortages and may_wait:
            # More of it may be in one place where supply is to come; for no more nobody waits.
            asked = (leg, question, _with_supply(network, question, found, limits))
            later = _plan_of_all(network, asked, limits) or _plan_of_part(network, asked, limits)
            plan = later if _short_units(later) < _short_units(plan) else plan
    return plan or nothing_planned(*asked)


def _short_units(plan: LegPlan) -> int:
    return sum(shortage.quantity for shortage in plan.shortages)


def _with_supply(
    network: Network, question: LegQuestion, found: Candidates, limits: LegLimits
) -> Candidates:
    return with_dated(network, question, found, split=limits.unit_split)


def _plan_of_all(network: Network, asked: Asked, limits: LegLimits) -> LegPlan | None:
    # The plan of all that the candidates have; None where it cannot go so.
    leg, question, found = asked
    if limits.strategy is Strategy.CHEAPEST:
        served = _served(question, found, limits)
        plan = _cheapest_plan(network, asked, served, limits)
        if plan is not None:
            return plan
    # By a rule, or where not all of it fits into the capacity: what stands first has it first.
    found = first_come(question, found)
    served = _served(question, found, limits)
    while places := _places(served):
        instance = _instance(question, found, (places, served), limits)
        solution = _solved(instance, found, limits)
        if isinstance(solution, Unservable):
            return None
        crowded = crowded_cells(question, found, solution.packages)
        if not crowded:
            told = (network, limits.shown)
            return planned_leg((leg, question, found), places, (instance, solution), told)
        found = without_cells(found, [(candidate, places[line]) for candidate, line in crowded])
        served = _served(question, found, limits)
    return None


def _plan_of_part(network: Network, asked: Asked, limits: LegLimits) -> LegPlan:
    # The plan of what goes in so few packages, where not all of it does.
    leg, question, found = asked
    found = first_come(question, found)
    while places := _places(served := _served(question, found, limits)):
        instance = _instance(question, found, (places, served), limits)
        packages = fitting_part(instance, limits)
        crowded = crowded_cells(question, found, packages)
        if not crowded:
            here = (leg, question, found)
            plan = _sent(network, here, ((places, served), packages), limits)
            return told_of_limit(network, here, ((places, served), plan), limits)
        found = without_cells(found, [(candidate, places[line]) for candidate, line in crowded])
    return nothing_planned(leg, question, found)


def _sent(
    network: Network,
    asked: Asked,
    fit: tuple[Served, tuple[Package, ...]],
    limits: LegLimits,
) -> LegPlan:
    # The best plan of what these packages hold, or the packages as they are.
    leg, question, found = asked
    sent = units_sent(*fit)
    places = _places(sent)
    if not places:
        return nothing_planned(leg, question, found)
    if limits.strategy is Strategy.CHEAPEST:
        plan = _cheapest_plan(network, asked, sent, limits)
        if plan is not None:
            return plan
    instance = _instance(question, found, (places, sent), limits)
    solution = _solved(instance, found, limits)
    if isinstance(solution, Unservable) or crowded_cells(question, found, solution.packages):
        solution = as_taken(asked, fit, instance)
    return planned_leg(asked, places, (instance, solution), (network, limits.shown))


def _cheapest_plan(
    network: Network, asked: Asked, served: list[int], limits: LegLimits
) -> LegPlan | None:
    # The best plan that keeps to the capacity; None where none of all was found.
    _, question, found = asked
    places = _places(served)
    if not places:
        return None
    instance = _instance(question, found, (places, served), limits)

    def at_once(some: Instance) -> Solution | Unservable:
        if is_long(some) and question.room_left is not None:
            # Many such questions are put: a list filled down for each would take long.
            return solve_leg(some, share=limits.share)
        return solve_or_follow(some, found, share=limits.share)

    def solved(some: Instance) -> Solution | Unservable | None:
        return within_capacity(question, found, (places, some), at_once)

    solution = solved(instance)
    if not isinstance(solution, Solution):
        return None
    solution = with_first_free(question, found, (instance, solution), solved)
    return planned_leg(asked, places, (instance, solution), (network, limits.shown))


def _solved(instance: Instance, found: Candidates, limits: LegLimits) -> Solution | Unservable:
    if limits.strategy is Strategy.CHEAPEST:
        return solve_leg(instance, share=limits.share)
    return follow_strategy(instance, limits.strategy, found)


# --- what can be served


def _places(served: list[int]) -> list[int]:
    return [place for place, units in enumerate(served) if units]


def _wanted(question: LegQuestion) -> list[int]:
    return [need.quantity for need in question.needs]


def _served(question: LegQuestion, found: Candidates, limits: LegLimits) -> list[int]:
    """Return the units of each need that candidates have together.

    What must not be split, and a group, is served whole by one candidate or not at all.
    """
    served = []
    for need, units in zip(question.needs, found.available, strict=True):
        splits = limits.unit_split and need.splits
        most = sum(units) if splits else max(units, default=0)
        if most >= need.quantity:
            served.append(need.quantity)
        else:
            served.append(most if splits and limits.partial else 0)
    for group in limits.groups:
        rows = [found.available[place] for place in group]
        wanted = [question.needs[place].quantity for place in group]
        if not any(all(map(ge, column, wanted)) for column in zip(*rows, strict=True)):
            for place in group:
                served[place] = 0
    return served


# --- the question in numbers


def _instance(
    question: LegQuestion,
    found: Candidates,
    what: tuple[list[int], list[int]],
    limits: LegLimits,
) -> Instance:
    places, served = what
    number_of = {place: number for number, place in enumerate(places)}
    needs = [question.needs[place] for place in places]
    quantities = [served[place] for place in places]
    groups = tuple(
        tuple(number_of[place] for place in group if place in number_of) for group in limits.groups
    )
    here = msgspec.structs.replace(limits, groups=groups) if groups else limits
    pairs = zip(needs, quantities, strict=True)
    grams = sum(need.fields.weight_grams * quantity for need, quantity in pairs)
    rates = weight_rates(question, found, needs, grams)
    return Instance(
        quantities=quantities,
        package_costs=found.package_costs,
        unit_costs=[found.unit_costs[place] for place in places],
        available=[found.available[place] for place in places],
        terms=leg_terms(needs, quantities, here, rates),
    )
