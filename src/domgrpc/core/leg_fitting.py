"""Fitting: the part of a leg that goes in so few packages, and what the limit kept out.

What fits is chosen by its units (`routing/most_units.py`); how it is sent at the least cost is a
question like any other, of these units only.
"""

import msgspec

from domgrpc.core.leg_answers import Asked, LegPlan
from domgrpc.core.leg_questions import LegLimits, LegQuestion
from domgrpc.core.network import Network
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import Instance, Package, Solution
from domgrpc.core.routing.most_units import most_units
from domgrpc.core.values import Sku

Served = tuple[list[int], list[int]]
"""The needs that are served, by place, and the units of each need of the leg."""


def fitting_part(instance: Instance, limits: LegLimits) -> tuple[Package, ...]:
    """Return the packages that hold most of an instance; empty where nothing fits.

    Where no need is filled in part, none is torn either.
    """
    if not limits.partial:
        terms = msgspec.structs.replace(instance.terms, unit_split=False)
        instance = msgspec.structs.replace(instance, terms=terms)
    return most_units(instance, limits.package_count_max)


def units_sent(served: Served, packages: tuple[Package, ...]) -> list[int]:
    """Return the units of each need of the leg that packages hold."""
    places, wanted = served
    sent = [0] * len(wanted)
    for package in packages:
        for number, units in package.contents:
            sent[places[number]] += units
    return sent


def as_taken(asked: Asked, fit: tuple[Served, tuple[Package, ...]], instance: Instance) -> Solution:
    """Return the plan of these packages themselves; the instance is of what they hold.

    It is bounded by the cheapest units: what packages cost beside them is not known.
    """
    _, question, found = asked
    served, packages = fit
    sent = units_sent(served, packages)
    kept = [place for place, units in enumerate(sent) if units]
    number_of = {place: number for number, place in enumerate(kept)}
    renumbered = tuple(
        Package(
            package.candidate,
            tuple((number_of[served[0][number]], units) for number, units in package.contents),
        )
        for package in packages
    )
    bound = sum(
        quantity * min(cost for cost, have in zip(costs, available, strict=True) if have)
        for quantity, costs, available in zip(
            instance.quantities, instance.unit_costs, instance.available, strict=True
        )
    )
    if any(package.candidate not in found.parcels for package in packages):
        # The first of them is free of this price in the end.
        bound += question.prices.package_micros
    return Solution(renumbered, plan_cost(instance, renumbered), bound)


def told_of_limit(
    network: Network, asked: Asked, fit: tuple[Served, LegPlan], limits: LegLimits
) -> LegPlan:
    """Return a plan with a decision that names the limit, where that kept something out.

    Counted are the locations that have more of it.
    """
    _, question, found = asked
    plan = fit[1]
    short = _kept_out(question, fit, limits)
    able = dict.fromkeys(
        index
        for candidate, index in enumerate(found.indexes)
        if any(found.available[place][candidate] >= least for place, least in short)
    )
    if not able:
        return plan
    # One that is used counts only where no other has more, as of what ships alone.
    by_index, used = network.locations.by_index, plan.decision.used_location_ids
    others = [index for index in able if by_index[index].location_id not in used]
    removed = (*plan.decision.removed, ("packages", len(others or able)))
    decision = msgspec.structs.replace(plan.decision, removed=removed)
    return msgspec.structs.replace(plan, decision=decision)


def _kept_out(
    question: LegQuestion, fit: tuple[Served, LegPlan], limits: LegLimits
) -> list[tuple[int, int]]:
    # (need, units that would be of use) of what is there, and not in the plan.
    (places, units), plan = fit
    missing: dict[Sku, int] = {}
    for shortage in plan.shortages:
        missing[shortage.sku] = missing.get(shortage.sku, 0) + shortage.quantity
    needs = question.needs
    return [
        (place, 1 if limits.unit_split and needs[place].splits else needs[place].quantity)
        for place in places
        if missing.get(needs[place].sku, 0) > needs[place].quantity - units[place]
    ]
