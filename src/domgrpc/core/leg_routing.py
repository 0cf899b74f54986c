"""Routing one leg: from candidates to packages, with the decision that explains them.

What the candidates cannot serve is short; the rest is solved exactly or, where a rule set says
so, by a textbook strategy. Where stock alone cannot serve a leg, what may be sold beyond it is
weighed too, as candidates with the date on which their supply comes.
"""

from collections.abc import Sequence
from heapq import nsmallest

import msgspec

from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg, shared_out
from domgrpc.core.orders import (
    NO_PARCEL,
    CandidateRow,
    FulfillmentLine,
    LegDecision,
)
from domgrpc.core.plans import LineShortage, PlannedPackage
from domgrpc.core.routing.candidates import (
    GRAMS_PER_KILOGRAM,
    Candidates,
    LegQuestion,
    Need,
    candidates_of,
)
from domgrpc.core.routing.dated_candidates import with_dated
from domgrpc.core.routing.instance import (
    Instance,
    Package,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from domgrpc.core.values import LineId, LocationId, Micros, Quantity

_ROWS_MAX = 8
_NO_CARD = RateCard((1 << 60,), (0,))


class LegLimits(msgspec.Struct, frozen=True, gc=False):
    """What the plan of a leg must keep to."""

    package_count_max: int = 0
    unit_split: bool = True
    partial: bool = True
    """Whether a need that cannot be served whole is served in part."""
    groups: tuple[tuple[int, ...], ...] = ()
    """Needs that must travel in one package, by place."""


class LegPlan(msgspec.Struct, frozen=True):
    """How a leg is fulfilled: its packages, what nobody can fill, and why so."""

    packages: tuple[PlannedPackage, ...]
    shortages: tuple[LineShortage, ...]
    decision: LegDecision


def route_leg(network: Network, leg: Leg, question: LegQuestion, limits: LegLimits) -> LegPlan:
    """Plan a leg; see the module."""
    found = candidates_of(network, question)
    served = _served(question, found, limits)
    if served != _wanted(question) and question.may_backorder:
        found = with_dated(network, question, found, split=limits.unit_split)
        served = _served(question, found, limits)
    places = [place for place, units in enumerate(served) if units]
    if not places:
        return _nothing(leg, question, found)
    instance = _instance(question, found, (places, served), limits)
    solution = solve(instance)
    if isinstance(solution, Unservable):
        return _nothing(leg, question, found)
    return _planned(network, (leg, question, found), (places, served), (instance, solution))


# --- what can be served


def _wanted(question: LegQuestion) -> list[int]:
    return [need.quantity for need in question.needs]


def _served(question: LegQuestion, found: Candidates, limits: LegLimits) -> list[int]:
    """Return the units of each need that candidates have, together or, unsplit, one of them."""
    served = []
    for need, units in zip(question.needs, found.available, strict=True):
        splits = limits.unit_split and not need.fields.keep_together
        most = sum(units) if splits else max(units, default=0)
        if most >= need.quantity:
            served.append(need.quantity)
        else:
            served.append(most if limits.partial else 0)
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
    alone = tuple(n for n, need in enumerate(needs) if need.fields.ship_alone)
    groups = tuple(
        tuple(number_of[place] for place in group if place in number_of)
        for group in limits.groups
    )
    split = _may_split(found, needs, [served[place] for place in places], limits)
    rates = _weight_rates(found, needs)
    plain = not (alone or groups or split or rates or limits.package_count_max)
    return Instance(
        quantities=[served[place] for place in places],
        package_costs=found.package_costs,
        unit_costs=[found.unit_costs[place] for place in places],
        available=[found.available[place] for place in places],
        terms=_PLAIN
        if plain
        else Terms(
            unit_split=split,
            package_count_max=limits.package_count_max,
            together=tuple(group for group in groups if len(group) > 1),
            alone=tuple(n for n in alone if not any(n in group for group in groups)),
            weight_rates=rates,
        ),
    )


_PLAIN = Terms()


def _may_split(
    found: Candidates, needs: Sequence[Need], quantities: list[int], limits: LegLimits
) -> bool | tuple[bool, ...]:
    # A line whose candidates all have enough need not be asked whether it may be split.
    if not limits.unit_split:
        return False
    splits = tuple(
        quantity > 1 and not need.fields.keep_together and not need.fields.ship_alone
        for need, quantity in zip(needs, quantities, strict=True)
    )
    return splits if any(splits) else False


def _weight_rates(found: Candidates, needs: Sequence[Need]) -> WeightRates | None:
    if not found.table.cards and not any(place.table.cards for place in found.dated):
        return None
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    indexes = []
    for candidate in range(len(found.indexes)):
        place = found.place(candidate)
        card = place.table.card[place.row]
        steps = place.table.cards[card] if card >= 0 else _NO_STEPS
        indexes.append(numbers.setdefault(steps, len(numbers)))
    cards = tuple(
        RateCard(tuple(grams for grams, _ in steps), tuple(micros for _, micros in steps))
        for steps in numbers
    )
    return WeightRates(tuple(need.fields.weight_grams for need in needs), cards, indexes)


# --- the answer in packages


def _planned(
    asked: tuple[Leg, LegQuestion, Candidates],
    places: list[int],
    answer: tuple[Instance, Solution],
    location_ids: Callable[[int], LocationId],
) -> LegPlan:
    leg, question, found = asked
    instance, solution = answer
    done: dict[LineId, int] = {}
    packages = []
    for package in solution.packages:
        place = found.place(package.candidate)
        index = found.indexes[package.candidate]
        paid, units = _paid(question, place, (places, instance), package)
        parcel = question.parcels.get(index) if not place.ready_ms else None
        weighed = instance.package_costs[package.candidate] + sum(
            quantity * instance.unit_costs[line][package.candidate]
            for line, quantity in package.contents
        )
        weighed += _step_price(instance, package)
        joined = 0 if parcel is None else paid
        packages.append(
            PlannedPackage(
                location_ids(index),
                leg.delivery_method,
                _lines(question, places, package, done),
                leg.store_id,
                place.ready_ms or question.ask.time_ms,
                place.table.ship_by_ms[place.row],
                place.table.deliver_by_ms[place.row],
                Micros(paid - joined),
                Micros(units),
                Micros(weighed - (paid - joined) - units),
                NO_PARCEL if parcel is None else parcel.fulfillment_order_id,
                place.table.ship_day[place.row],
                place.ready_ms > 0,
            )
        )
    shortages = _shortages(question.needs, done)
    decision = _decision(asked, places, answer, tuple(packages))
    return LegPlan(tuple(packages), shortages, decision)
