"""What holds for all plans, whatever the instance."""

from random import Random

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.routing_checker import faults
from domgrpc.core.routing.instance import Instance, Solution, Terms, Unservable
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.well_formed import check_instance
from tests.core.routing.instances import as_arrays, instances, under

pytestmark = pytest.mark.slow

ANY = st.one_of(
    instances(),
    instances(weights=True),
    instances(splits=True),
    instances(weights=True, splits=True),
)
INFINITE = 1 << 60


def cost(instance: Instance) -> int:
    """The cost of the plan, more than any where there is none."""
    answer = solve(instance)
    return INFINITE if isinstance(answer, Unservable) else answer.cost


@given(ANY)
def test_drawn_instances_are_well_formed_and_their_plans_lawful(instance: Instance) -> None:
    check_instance(instance)
    answer = solve(instance)
    if isinstance(answer, Solution):
        assert faults(instance, answer) == []
        assert answer.gap == 0


@given(ANY)
def test_lists_and_arrays_get_the_same_plan(instance: Instance) -> None:
    assert plan(solve(instance)) == plan(solve(as_arrays(instance)))


def plan(answer: Solution | Unservable) -> object:
    """What the answer says, but for how it was found."""
    return msgspec.structs.replace(answer, node_count=0) if isinstance(answer, Solution) else answer


@given(ANY, st.data())
def test_more_stock_never_costs_more(instance: Instance, data: st.DataObject) -> None:
    assume(instance.package_costs)
    line = data.draw(st.sampled_from(range(len(instance.quantities))))
    candidate = data.draw(st.sampled_from(range(len(instance.package_costs))))
    available = [list(row) for row in instance.available]
    available[line][candidate] += data.draw(st.integers(1, 3))
    assert cost(msgspec.structs.replace(instance, available=available)) <= cost(instance)


@given(ANY, st.data())
def test_one_more_candidate_never_costs_more(instance: Instance, data: st.DataObject) -> None:
    assume(len(instance.package_costs) > 1)
    gone = data.draw(st.sampled_from(range(len(instance.package_costs))))
    rates = instance.terms.weight_rates
    if rates is not None:
        rates = msgspec.structs.replace(rates, card_indexes=without(rates.card_indexes, gone))
    fewer = Instance(
        quantities=instance.quantities,
        package_costs=without(instance.package_costs, gone),
        unit_costs=[without(row, gone) for row in instance.unit_costs],
        available=[without(row, gone) for row in instance.available],
        terms=msgspec.structs.replace(instance.terms, weight_rates=rates),
    )
    assert cost(instance) <= cost(fewer)


def without(row: object, gone: int) -> list[int]:
    """The row without one candidate."""
    assert isinstance(row, list)
    return [one for place, one in enumerate(row) if place != gone]


@given(ANY)
def test_one_term_less_never_costs_more(instance: Instance) -> None:
    terms = instance.terms
    for freer in (
        msgspec.structs.replace(terms, package_count_max=0),
        msgspec.structs.replace(terms, together=()),
        msgspec.structs.replace(terms, alone=()),
    ):
        assert cost(under(instance, freer)) <= cost(instance)
    freer = msgspec.structs.replace(terms, unit_split=True)
    assert cost(under(instance, freer)) <= cost(instance)


@given(ANY, st.randoms(use_true_random=False))
def test_another_sequence_of_lines_and_candidates_costs_the_same(
    instance: Instance, chance: Random
) -> None:
    lines = list(range(len(instance.quantities)))
    candidates = list(range(len(instance.package_costs)))
    chance.shuffle(lines)
    chance.shuffle(candidates)
    assert cost(permuted(instance, lines, candidates)) == cost(instance)


def permuted(instance: Instance, lines: list[int], candidates: list[int]) -> Instance:
    """The same instance, its lines and candidates in another sequence."""
    terms, rates = instance.terms, instance.terms.weight_rates
    if rates is not None:
        rates = msgspec.structs.replace(
            rates,
            unit_grams=tuple(rates.unit_grams[line] for line in lines),
            card_indexes=[rates.card_indexes[one] for one in candidates],
        )
    split = terms.unit_split
    return Instance(
        quantities=[instance.quantities[line] for line in lines],
        package_costs=[instance.package_costs[one] for one in candidates],
        unit_costs=[[instance.unit_costs[line][one] for one in candidates] for line in lines],
        available=[[instance.available[line][one] for one in candidates] for line in lines],
        terms=Terms(
            unit_split=split if isinstance(split, bool) else tuple(split[line] for line in lines),
            package_count_max=terms.package_count_max,
            together=tuple(
                tuple(sorted(lines.index(line) for line in group)) for group in terms.together
            ),
            alone=tuple(lines.index(line) for line in terms.alone),
            weight_rates=rates,
        ),
    )
