"""Solving a leg, whatever its size: at once, in parts, or with coarser figures.

The solver takes so many lines and costs below a bound. What is longer goes in parts, and what may
cost more is solved with costs from which the last bits are cut; both give plans with an honest
bound. A plan that is not proven is never dearer than that of a textbook rule: those are tried
beside it.
"""

from collections.abc import Sequence

import msgspec

from domgrpc.core.leg_parts import PART_LINES_MAX, solve_in_parts
from domgrpc.core.leg_questions import Candidates, LegLimits, Need
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import (
    NEVER,
    AnyInstance,
    ArrayInstance,
    Instance,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.strategies import DISTANCE_M_MAX, Attributes, follow
from domgrpc.core.routing.strategies import Strategy as TextbookStrategy
from domgrpc.core.rule_sets import Strategy

CELLS_MAX = 4_000
"""Up to so many lines x candidates the whole leg is solved at once, with all that may be split."""
_WORK_MAX = 8_000_000
_WORK_SPLIT_MAX = 1_000_000
"""So many cells are looked at in a search, all its nodes together: some tenths of a second."""
_NODES_MIN = 30
_NODES_MAX = 2_000
"""The cap on the search of a leg: the writer waits for it, some ten milliseconds at the most."""
WIDE_LINES_MAX = 32
"""Up to so many lines are solved at once also where thousands of candidates are told in arrays."""
_PLAIN = Terms()
_RULES = tuple(strategy for strategy in TextbookStrategy if strategy.name != "CHEAPEST")
_RULES_LONG = tuple(rule for rule in _RULES if rule is not TextbookStrategy.FEWEST_PACKAGES)
"""Those that fill down a list: the fewest packages of a long leg are a search of its own."""


def leg_terms(
    needs: Sequence[Need], quantities: list[int], limits: LegLimits, rates: WeightRates | None
) -> Terms:
    """Return what the plan of some needs must keep to, in the solver's words."""
    grouped = frozenset(number for group in limits.groups for number in group)
    splits = tuple(
        quantities[number] > 1 and limits.unit_split and need.splits and number not in grouped
        for number, need in enumerate(needs)
    )
    alone = [number for number, need in enumerate(needs) if need.fields.ship_alone]
    together = tuple(group for group in limits.groups if len(group) > 1)
    if not (alone or limits.groups or any(splits) or rates or limits.package_count_max):
        return _PLAIN
    return Terms(
        unit_split=any(splits) and splits,
        package_count_max=limits.package_count_max,
        together=together,
        alone=tuple(n for n in alone if not any(n in group for group in together)),
        weight_rates=rates,
    )


def solve_leg(instance: AnyInstance, *, share: int = 1) -> Solution | Unservable:
    """Return the best plan of a leg; of a long one a good plan, with its gap.

    So many legs of an order share what its search may cost.
    """
    if isinstance(instance, Instance):
        bits = _bits_beyond(instance)
        if bits:
            return _coarsely_solved(instance, bits, share)
    node_count_max = max(_NODES_MIN, _node_count_max(instance) // share)
    if not is_long(instance):
        return solve(instance, node_count_max=node_count_max)
    # Vectors stand for short legs only.
    assert isinstance(instance, Instance)
    return solve_in_parts(instance, node_count_max)


def is_long(instance: AnyInstance) -> bool:
    """Whether an instance is solved in parts."""
    line_count = len(instance.quantities)
    if isinstance(instance, ArrayInstance) and line_count <= WIDE_LINES_MAX:
        return False
    return line_count > PART_LINES_MAX or line_count * len(instance.package_costs) > CELLS_MAX


def _node_count_max(instance: AnyInstance) -> int:
    cells = len(instance.quantities) * len(instance.package_costs)
    split = instance.terms.unit_split
    work = _WORK_SPLIT_MAX if split is True or (split and any(split)) else _WORK_MAX
    return min(_NODES_MAX, work // max(1, cells))


# --- costs beyond those of the solver


def _bits_beyond(instance: Instance) -> int:
    # How many bits the dearest plan is longer than the solver takes; 0 for none.
    dearest = len(instance.quantities) * max(instance.package_costs, default=0)
    for quantity, costs in zip(instance.quantities, instance.unit_costs, strict=True):
        dearest += quantity * max(costs, default=0)
    rates = instance.terms.weight_rates
    if rates is not None:
        grams = sum(
            quantity * unit
            for quantity, unit in zip(instance.quantities, rates.unit_grams, strict=True)
        )
        steps = max(card.price(grams) + max(card.micros) for card in rates.cards)
        dearest += len(instance.quantities) * steps
    return max(0, dearest.bit_length() - NEVER.bit_length() + 1)


def _coarsely_solved(instance: Instance, bits: int, share: int) -> Solution | Unservable:
    # What is cut off makes no plan dearer, so that the coarse bound holds.
    terms, rates = instance.terms, instance.terms.weight_rates
    if rates is not None:
        cards = tuple(
            RateCard(
                card.grams_max,
                tuple(micros >> bits for micros in card.micros),
                card.parcel_micros >> bits,
            )
            for card in rates.cards
        )
        coarse_rates = msgspec.structs.replace(rates, cards=cards)
        terms = msgspec.structs.replace(terms, weight_rates=coarse_rates)
    coarse = Instance(
        quantities=instance.quantities,
        package_costs=[cost >> bits for cost in instance.package_costs],
        unit_costs=[[cost >> bits for cost in row] for row in instance.unit_costs],
        available=instance.available,
        terms=terms,
    )
    found = solve_leg(coarse, share=share)
    if isinstance(found, Unservable):
        return found
    cost = plan_cost(instance, found.packages)
    return Solution(found.packages, cost, found.lower_bound << bits, found.node_count)


# --- textbook rules


def follow_strategy(
    instance: Instance, strategy: Strategy, found: Candidates
) -> Solution | Unservable:
    """Return the plan of a textbook strategy, with the bound of the exact plan beside it.

    So that each decision says what the strategy costs more than it had to.
    """
    followed = follow(instance, TextbookStrategy[strategy.name], _attributes(found))
    best = solve_leg(instance)
    if isinstance(followed, Unservable) or isinstance(best, Unservable):
        return followed
    return msgspec.structs.replace(followed, lower_bound=min(best.lower_bound, followed.cost))


def solve_or_follow(
    instance: Instance, found: Candidates, *, share: int = 1
) -> Solution | Unservable:
    """Return the plan of a leg as `solve_leg` does, or of a rule that beats one not proven."""
    best = solve_leg(instance, share=share)
    if isinstance(best, Unservable) or best.is_proven:
        return best
    return or_by_rule(instance, found, best, share=share)


def or_by_rule(
    instance: Instance, found: Candidates, best: Solution, *, share: int = 1
) -> Solution:
    """Return a plan, or that of a textbook rule which is cheaper, with its bound."""
    attributes = _attributes(found)
    for strategy in _RULES_LONG if is_long(instance) else _RULES:
        nodes = max(_NODES_MIN, _node_count_max(instance) // share)
        followed = follow(instance, strategy, attributes, node_count_max=nodes)
        if isinstance(followed, Solution) and followed.cost < best.cost:
            best = Solution(followed.packages, followed.cost, best.lower_bound, best.node_count)
    return best


def _attributes(found: Candidates) -> Attributes:
    places = [found.place(candidate) for candidate in range(len(found.indexes))]
    return Attributes(
        priorities=[place.table.priority[place.row] for place in places],
        distances_m=[
            distance_m if distance_m >= 0 else DISTANCE_M_MAX
            for distance_m in (place.table.distance_m[place.row] for place in places)
        ],
        delivery_times_ms=[place.table.deliver_by_ms[place.row] for place in places],
    )
