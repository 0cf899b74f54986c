"""Plans keep to what locations can do in a day, refuse nothing that fits, and know their bound."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.leg_assignment import Rooms, assigned
from domgrpc.core.leg_questions import BOUNDLESS, Room
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import Order, OrderLine
from domgrpc.core.plans import Plan, SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.routing.cost_parts import plan_cost
from domgrpc.core.routing.instance import Instance, Solution, Unservable
from domgrpc.core.routing.solver import solve
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RuleSetContent, Strategy
from domgrpc.core.values import LocationType, Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, changed, rate, schedule
from tests.core.order_words import CHICAGO, DALLAS, REFUSING, line, order, terms, units_at
from tests.core.routing.instances import instances
from tests.core.routing_rules import activate, validate

SKUS = ("x", "y", "z")
SITES = {"A": CHICAGO, "B": (41.0, -88.5), "C": DALLAS}
PACKAGE_MICROS, UNIT_MICROS = (1_000, 1_300, 1_700), (10, 45, 90)
"""What A, B and C ask for a package and for a unit."""


class Given(NamedTuple):
    """What an order meets: units ordered, stock by SKU and site, room by site, what ships alone."""

    wanted: tuple[int, ...]
    stock: tuple[tuple[int, ...], ...]
    room: tuple[int, ...]
    alone: tuple[bool, ...]
    unit: CapacityUnit


stock_rows = st.tuples(*[st.sampled_from((0, 1, 2, 5))] * len(SITES))
meetings = st.builds(
    Given,
    st.tuples(*[st.integers(1, 3)] * len(SKUS)),
    st.tuples(*[stock_rows] * len(SKUS)),
    st.tuples(*[st.integers(0, 5)] * len(SITES)),
    st.tuples(*[st.booleans()] * len(SKUS)),
    st.sampled_from((CapacityUnit.PACKAGES, CapacityUnit.UNITS)),
)


def shop_of(met: Given, *, split: bool) -> Shop:
    """Open three sites whose costs are those above."""
    shop = Shop(steps_per_check=1_000)
    limits = RoutingLimits(unit_split_allowed=split)
    shop.given(CreateRuleSet(content=RuleSetContent(limits=limits)), validate(1), activate(1))
    shop.given(card("free", tuple(rate(zone) for zone in range(1, 9))))
    for number, (name, at) in enumerate(SITES.items()):
        fields = changed(
            calendar(name, schedule()),
            package_micros=PACKAGE_MICROS[number],
            unit_micros=UNIT_MICROS[number],
            daily_capacity=met.room[number],
            capacity_unit=met.unit,
        )
        shop.given(place(name, LocationType.DISTRIBUTION_CENTER, at=at), fields)
    for sku, units, alone in zip(SKUS, met.stock, met.alone, strict=True):
        shop.given(on_hand(sku, **dict(zip(SITES, units, strict=True))))
        fields_of = ProductFields(ship_alone=alone)
        shop.given(CreateProducts(products=((Sku(sku), fields_of),)))
    return shop


def planned(shop: Shop, lines: tuple[OrderLine, ...]) -> Plan:
    """Plan lines that must all be served."""
    asked = terms(shortage_policy=REFUSING)
    return simulate_routing(shop.state, SimulationQuestion(lines, asked), shop.now_ms)


def whole_plans(met: Given) -> Iterator[int]:
    """Yield what each plan costs that sends every line whole and keeps to the capacity."""
    for sites in product(range(len(SITES)), repeat=len(SKUS)):
        if any(met.stock[sku][site] < met.wanted[sku] for sku, site in enumerate(sites)):
            continue
        cost = sum(met.wanted[sku] * UNIT_MICROS[site] for sku, site in enumerate(sites))
        fits = True
        for site in range(len(SITES)):
            here = [sku for sku, chosen in enumerate(sites) if chosen == site]
            alone = sum(met.alone[sku] for sku in here)
            packages = alone + (len(here) > alone)
            cost += packages * PACKAGE_MICROS[site]
            by_unit = met.unit is CapacityUnit.UNITS
            used = sum(met.wanted[sku] for sku in here) if by_unit else packages
            # A capacity of 0 is none.
            fits = fits and (not met.room[site] or used <= met.room[site])
        if fits:
            yield cost


def lines_of(met: Given, sequence: tuple[int, ...]) -> tuple[OrderLine, ...]:
    """Write the lines of the order in a sequence."""
    return tuple(line(SKUS[sku], met.wanted[sku]) for sku in sequence)


@given(met=meetings, sequence=st.permutations(range(len(SKUS))))
def test_whole_lines_get_the_best_plan_that_fits(met: Given, sequence: list[int]) -> None:
    plan = planned(shop_of(met, split=False), lines_of(met, tuple(sequence)))
    best = min(whole_plans(met), default=None)
    if best is None:
        assert plan.shortages
        return
    assert not plan.shortages
    assert plan.cost_micros == best
    assert plan.legs[0].lower_bound_micros == best


@given(met=meetings)
def test_split_lines_keep_to_the_capacity_and_to_their_bound(met: Given) -> None:
    plan = planned(shop_of(met, split=True), lines_of(met, (0, 1, 2)))
    units: dict[str, int] = {}
    packages: dict[str, int] = {}
    for package in plan.packages:
        site = package.location_id
        packages[site] = packages.get(site, 0) + 1
        units[site] = units.get(site, 0) + sum(each.quantity for each in package.lines)
    used = units if met.unit is CapacityUnit.UNITS else packages
    for name, room in zip(SITES, met.room, strict=True):
        assert not room or used.get(name, 0) <= room
    best = min(whole_plans(met), default=None)
    if best is not None:
        assert not plan.shortages
        assert plan.legs[0].lower_bound_micros <= best


@pytest.mark.parametrize("first_last", [("x", "y"), ("y", "x")])
def test_the_sequence_of_lines_decides_nothing(first_last: tuple[str, str]) -> None:
    shop = Shop().given(
        place("A", at=CHICAGO), place("B", at=DALLAS), on_hand("x", A=9), on_hand("y", A=9, B=9)
    )
    capacity = {"daily_capacity": 2, "capacity_unit": CapacityUnit.UNITS}
    shop.given(changed(calendar("A", schedule()), **capacity))
    lines = (line(sku, 2) for sku in first_last)
    placed = shop.gives(Order, order(*lines, shortage_policy=REFUSING))
    assert units_at(placed) == {("x", "A"): 2, ("y", "B"): 2}


def test_what_joins_a_parcel_takes_no_package_of_a_full_day_by_any_strategy() -> None:
    shop = Shop().given(
        place("A", at=CHICAGO), place("B", at=DALLAS), on_hand("x", A=9), on_hand("y", A=9, B=9)
    )
    content = RuleSetContent(strategy=Strategy.NEAREST_FIRST)
    shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    shop.given(changed(calendar("A", schedule()), daily_capacity=1))
    shop.given(order(line("x"), as_id="first", customer="ann"))
    joined = shop.gives(Order, order(line("y"), customer="ann"))
    assert units_at(joined) == {("y", "A"): 1}
    other = shop.gives(Order, order(line("y"), as_id="bob"))
    assert units_at(other) == {("y", "B"): 1}


# --- whole lines, assigned one by one


def rooms_of(instance: Instance, *rooms: Room) -> Rooms:
    """Give every candidate a room of its own, or all of them one that nothing fills."""
    count = len(instance.package_costs)
    return Rooms(list(range(count)), list(rooms) or [BOUNDLESS] * count, frozenset())


@given(instance=instances(weights=True) | instances())
def test_where_there_is_room_for_all_lines_are_assigned_as_the_best_plan_has_them(
    instance: Instance,
) -> None:
    best = solve(instance)
    found, is_all = assigned(instance, rooms_of(instance), None)
    assert is_all == (instance.terms.weight_rates is None)
    assert found is not None or isinstance(best, Unservable) or not is_all
    if found is not None:
        assert isinstance(best, Solution)
        assert found.cost == plan_cost(instance, found.packages)
        # By weight two packages of one place may cost less than one, which is not tried.
        assert found.cost == best.cost or (found.cost > best.cost and not is_all)


def long_instance(line_count: int) -> Instance:
    """Return lines that any of three candidates sends, at costs that decide nothing early."""
    return Instance(
        quantities=[1] * line_count,
        package_costs=[10, 11, 12],
        unit_costs=[[number % 5, number % 3, number % 2] for number in range(line_count)],
        available=[[1] * 3] * line_count,
    )


def test_an_assignment_that_is_cut_short_says_so_and_keeps_to_its_rooms() -> None:
    instance = long_instance(30)
    found, is_all = assigned(instance, rooms_of(instance, *[Room(1, 10)] * 3), None)
    assert not is_all
    assert found is not None
    assert [len(package.contents) for package in found.packages] == [10, 10, 10]


def test_too_many_lines_are_not_assigned_and_the_plan_known_stays() -> None:
    instance = long_instance(41)
    known = Solution((), 5, 0)
    assert assigned(instance, rooms_of(instance), known) == (known, False)
