"""The part that goes in so few packages: against every choice of packages of small instances."""

from collections.abc import Iterator
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.routing import most_units as module
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import Instance, Package, Terms
from domgrpc.core.routing.most_units import most_units
from tests.core.routing.instances import instances

Choice = tuple[int, int]
"""A candidate, and the line that it sends by itself, -1 for all that lines share."""


def units_of(packages: tuple[Package, ...]) -> int:
    """Add up what packages hold."""
    return sum(units for package in packages for _, units in package.contents)


def choices(instance: Instance) -> list[Choice]:
    """Return every package that there could be, the contents of the shared ones left open."""
    candidates = range(len(instance.package_costs))
    return [(one, line) for one in candidates for line in (-1, *instance.terms.alone)]


def units_by(instance: Instance, chosen: tuple[Choice, ...]) -> int:
    """Return what these packages can hold together, lot by lot."""
    terms = instance.terms
    shared = [one for one, line in chosen if line < 0]
    grouped = {line for group in terms.together for line in group}
    lots: list[tuple[int, ...]] = [*terms.together]
    lots += [(line,) for line in range(len(instance.quantities)) if line not in grouped]
    units = 0
    for lot in lots:
        wanted = [instance.quantities[line] for line in lot]
        senders = [one for one, line in chosen if line == lot[0]]
        senders = senders if lot[0] in terms.alone else shared
        if len(lot) == 1 and lot[0] not in terms.alone and terms.may_split(lot[0]):
            units += min(wanted[0], sum(instance.available[lot[0]][one] for one in senders))
        elif any(
            all(instance.available[line][one] >= instance.quantities[line] for line in lot)
            for one in senders
        ):
            units += sum(wanted)
    return units


def all_choices(instance: Instance, count_max: int) -> Iterator[tuple[Choice, ...]]:
    """Yield every choice of so many packages or fewer."""
    for count in range(count_max + 1):
        yield from combinations(choices(instance), count)


@pytest.mark.slow
@given(instances(splits=True))
def test_one_package_holds_as_many_units_as_any(instance: Instance) -> None:
    packages = most_units(instance, 1)
    assert units_of(packages) == max(
        units_by(instance, chosen) for chosen in all_choices(instance, 1)
    )


@pytest.mark.slow
@given(instances(splits=True))
def test_of_the_packages_with_as_many_units_and_lines_it_is_the_cheapest(
    instance: Instance,
) -> None:
    packages = most_units(instance, 1)
    line_count = sum(len(package.contents) for package in packages)
    for one in range(len(instance.package_costs)):
        alone = msgspec.structs.replace(
            instance,
            available=[
                [units if place == one else 0 for place, units in enumerate(row)]
                for row in instance.available
            ],
        )
        others = most_units(alone, 1)
        if (units_of(others), sum(len(each.contents) for each in others)) == (
            units_of(packages),
            line_count,
        ):
            assert plan_cost(instance, packages) <= plan_cost(instance, others)


@pytest.mark.slow
@given(instances(splits=True), st.integers(1, 3))
def test_packages_hold_most_of_what_any_so_few_hold(instance: Instance, count_max: int) -> None:
    packages = most_units(instance, count_max)
    best = max(units_by(instance, chosen) for chosen in all_choices(instance, count_max))
    assert len(packages) <= count_max
    # At least 1 - 1/e, which is 0.632.
    assert 1_000 * units_of(packages) >= 632 * best


@pytest.mark.slow
@given(instances(splits=True), st.integers(1, 4))
def test_packages_keep_to_the_stock_and_to_the_terms(instance: Instance, count_max: int) -> None:
    packages = most_units(instance, count_max)
    terms = instance.terms
    sent = [0] * len(instance.quantities)
    for package in packages:
        assert package.contents
        lines = {line for line, _ in package.contents}
        assert len(lines) == 1 or not lines & set(terms.alone)
        for group in terms.together:
            assert not lines & set(group) or set(group) <= lines
        for line, units in package.contents:
            assert 0 < units <= instance.available[line][package.candidate]
            assert units == instance.quantities[line] or terms.may_split(line)
            sent[line] += units
    assert all(map(int.__le__, sent, instance.quantities))


@pytest.mark.slow
@given(instances(splits=True), st.integers(1, 3))
def test_counting_less_often_keeps_to_the_limit(instance: Instance, count_max: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CELLS_MAX", 1)
        packages = most_units(instance, count_max)
    assert len(packages) <= count_max
    assert bool(packages) == bool(most_units(instance, count_max))


def test_what_is_sent_alone_comes_from_where_it_costs_least() -> None:
    instance = Instance(
        quantities=[2, 1],
        package_costs=[9, 5, 1],
        unit_costs=[[1, 1, 1], [1, 1, 1]],
        available=[[2, 2, 1], [1, 0, 0]],
        terms=Terms(alone=(0,)),
    )
    assert most_units(instance, 1) == (Package(1, ((0, 2),)),)
    assert most_units(instance, 2) == (Package(0, ((1, 1),)), Package(1, ((0, 2),)))


def test_nobody_sends_nothing() -> None:
    nobody = Instance(quantities=[1], package_costs=[], unit_costs=[[]], available=[[]])
    assert most_units(nobody, 3) == ()
