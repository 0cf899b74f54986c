"""What holds for every plan, whatever is ordered and wherever it lies."""

from itertools import permutations, product

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domgrpc.core.leg_parts import solve_in_parts
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import OrderLine, OrderTerms
from domgrpc.core.plans import MockStock, Plan, SimulationQuestion
from domgrpc.core.routing.instance import Instance, Solution, Unservable
from domgrpc.core.routing.solver import solve
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RoutingPrices, RuleSetContent
from domgrpc.core.scopes import LocationList, Scope
from domgrpc.core.values import LocationId, LocationType, Quantity, Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import CHICAGO, REFUSING, line, terms
from tests.core.routing.instances import instances
from tests.core.routing_rules import activate, validate

SKUS = ("tea", "cup", "jam")
SITES = {
    "A": CHICAGO,
    "B": (41.0, -88.5),
    "C": (38.6, -90.2),
    "D": (32.8, -96.8),
    "E": (34.0, -118.2),
}
Wanted = dict[str, int]
Stock = dict[tuple[str, str], int]

wanted_of = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1)
stock_of = st.dictionaries(
    st.tuples(st.sampled_from(SKUS), st.sampled_from(tuple(SITES))), st.integers(0, 4)
)
cell_of = st.tuples(st.sampled_from(SKUS), st.sampled_from(tuple(SITES)))
many = settings(suppress_health_check=[HealthCheck.too_slow])


def shop_with(stock: Stock, sites: tuple[str, ...] = tuple(SITES), *, penalty: int = 0) -> Shop:
    """Open a shop with stock at sites, created in their order."""
    shop = Shop()
    for name in sites:
        shop.given(place(name, LocationType.DISTRIBUTION_CENTER, at=SITES[name]))
    for sku in SKUS:
        shop.given(on_hand(sku, **{name: stock.get((sku, name), 0) for name in sites}))
    if penalty:
        content = RuleSetContent(
            prices=RoutingPrices(split_penalty_micros=penalty), limits=RoutingLimits()
        )
        shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    return shop


def lines_of(wanted: Wanted) -> tuple[OrderLine, ...]:
    """Write a line for each SKU."""
    return tuple(line(sku, units) for sku, units in wanted.items())


def planned(
    shop: Shop,
    wanted: Wanted,
    *,
    scope: Scope = None,
    stock: tuple[MockStock, ...] = (),
    **more: object,
) -> Plan:
    """Plan an order that refuses shortages, without placing it."""
    usual = terms(scope=scope, shortage_policy=REFUSING)
    asked: OrderTerms = msgspec.structs.replace(usual, **more)
    question = SimulationQuestion(lines_of(wanted), asked, stock=stock)
    return simulate_routing(shop.state, question, shop.now_ms)


def sent(plan: Plan) -> dict[tuple[str, str], int]:
    """Return the units that a plan sends, by SKU and location."""
    found: dict[tuple[str, str], int] = {}
    for package in plan.packages:
        for each in package.lines:
            key = (str(each.sku), str(package.location_id))
            found[key] = found.get(key, 0) + each.quantity
    return found


def least_cost(shop: Shop, wanted: Wanted, stock: Stock, penalty: int) -> int | None:
    """Return the cost of the best plan, from plans of single packages that are priced one by one.

    Of every set of places, units go where they cost least; all sets are tried.
    """
    prices: dict[str, tuple[int, int]] = {}
    for name in SITES:
        alone = planned(
            shop,
            {"tea": 1},
            scope=LocationList((LocationId(name),)),
            stock=(MockStock(Sku("tea"), LocationId(name), Quantity(9)),),
        )
        (package,) = alone.packages
        weighed = package.package_cost_micros + package.price_micros
        prices[name] = (weighed, package.units_cost_micros)
    best: int | None = None
    for used in product((False, True), repeat=len(SITES)):
        names = [name for name, use in zip(SITES, used, strict=True) if use]
        names.sort(key=lambda name: prices[name][1])
        cost = sum(prices[name][0] for name in names) + penalty * max(0, len(names) - 1)
        for sku, units in wanted.items():
            left = units
            for name in names:
                share = min(left, stock.get((sku, name), 0))
                left -= share
                cost += share * prices[name][1]
            if left:
                break
        else:
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.slow
@many
@given(wanted_of, stock_of, st.sampled_from((0, 3_000_000)))
def test_the_planner_finds_the_best_of_all_plans(
    wanted: Wanted, stock: Stock, penalty: int
) -> None:
    shop = shop_with(stock, penalty=penalty)
    plan = planned(shop, wanted)
    best = least_cost(shop, wanted, stock, penalty)
    if best is None:
        assert plan.shortages
        return
    assert not plan.shortages
    assert plan.cost_micros == best
    assert all(leg.is_proven for leg in plan.legs)


@pytest.mark.slow
@many
@given(wanted_of, stock_of)
def test_a_plan_sends_what_was_ordered_and_no_more_than_there_is(
    wanted: Wanted, stock: Stock
) -> None:
    shop = shop_with(stock)
    for policy in ("REFUSE", "BACKORDER"):
        question = SimulationQuestion(
            lines_of(wanted), terms(shortage_policy=type(REFUSING)[policy])
        )
        plan = simulate_routing(shop.state, question, shop.now_ms)
        units = sent(plan)
        short = {str(each.sku): int(each.quantity) for each in plan.shortages}
        for sku, ordered in wanted.items():
            out = sum(count for (name, _), count in units.items() if name == sku)
            assert out + short.get(sku, 0) == ordered
        assert all(count <= stock.get(key, 0) for key, count in units.items())


@pytest.mark.slow
@many
@given(wanted_of, stock_of, cell_of, st.integers(1, 4))
def test_more_stock_never_costs_more(
    wanted: Wanted, stock: Stock, cell: tuple[str, str], more: int
) -> None:
    before = planned(shop_with(stock), wanted)
    assume(not before.shortages)
    after = planned(shop_with({**stock, cell: stock.get(cell, 0) + more}), wanted)
    assert not after.shortages
    assert after.cost_micros <= before.cost_micros


@pytest.mark.slow
@many
@given(wanted_of, stock_of, st.sampled_from(tuple(SITES)))
def test_one_more_location_never_costs_more(wanted: Wanted, stock: Stock, name: str) -> None:
    fewer = tuple(each for each in SITES if each != name)
    before = planned(shop_with(stock, fewer), wanted)
    assume(not before.shortages)
    after = planned(shop_with(stock), wanted)
    assert not after.shortages
    assert after.cost_micros <= before.cost_micros


@pytest.mark.slow
@many
@given(wanted_of, stock_of, st.integers(1, 3), st.sets(st.sampled_from(tuple(SITES)), min_size=1))
def test_a_constraint_less_never_costs_more(
    wanted: Wanted, stock: Stock, count_max: int, inside: set[str]
) -> None:
    shop = shop_with(stock)
    free = planned(shop, wanted)
    scope = LocationList(tuple(LocationId(name) for name in sorted(inside)))
    for more in ({"package_count_max": count_max}, {"scope": scope}, {"ship_complete": True}):
        bound = planned(shop, wanted, **more)
        if not bound.shortages:
            assert not free.shortages
            assert free.cost_micros <= bound.cost_micros


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(wanted_of, stock_of, st.permutations(tuple(SITES)))
def test_the_order_of_lines_and_of_locations_changes_nothing(
    wanted: Wanted, stock: Stock, sites: tuple[str, ...]
) -> None:
    usual = planned(shop_with(stock), wanted)
    other = planned(shop_with(stock, tuple(sites)), wanted)
    assert sent(other) == sent(usual)
    assert other.cost_micros == usual.cost_micros
    for lines in permutations(wanted.items()):
        again = planned(shop_with(stock), dict(lines))
        assert again.cost_micros == usual.cost_micros
        assert {where for _, where in sent(again)} == {where for _, where in sent(usual)}


# --- long legs in parts


@pytest.mark.slow
@given(instances(splits=True) | instances(weights=True), st.integers(1, 3))
def test_a_plan_in_parts_obeys_what_the_whole_must_obey(instance: Instance, size: int) -> None:
    assume(instance.package_costs)
    whole = solve(instance)
    parts = solve_in_parts(instance, 2_000, (size, size))
    if isinstance(whole, Unservable):
        assert isinstance(parts, Unservable)
        return
    if isinstance(parts, Unservable):
        assert instance.terms.package_count_max
        return
    check(instance, parts)
    assert parts.lower_bound <= whole.cost <= parts.cost


def check(instance: Instance, plan: Solution) -> None:
    """A plan sends every line whole, from what is there, and costs what it says."""
    terms = instance.terms
    units = [0] * len(instance.quantities)
    cost = 0
    for package in plan.packages:
        cost += instance.package_costs[package.candidate]
        if rates := terms.weight_rates:
            grams = sum(rates.unit_grams[number] * units for number, units in package.contents)
            cost += rates.cards[rates.card_indexes[package.candidate]].price(grams)
        for number, quantity in package.contents:
            units[number] += quantity
            cost += quantity * instance.unit_costs[number][package.candidate]
        if any(number in terms.alone for number, _ in package.contents):
            assert len(package.contents) == 1
    assert units == list(instance.quantities)
    assert cost == plan.cost
    for number, row in enumerate(instance.available):
        places = [
            (package.candidate, quantity)
            for package in plan.packages
            for line_number, quantity in package.contents
            if line_number == number
        ]
        assert all(quantity <= row[candidate] for candidate, quantity in places)
        assert len(places) == 1 or terms.may_split(number)
    for group in terms.together:
        homes = [
            place
            for place, package in enumerate(plan.packages)
            if any(number in group for number, _ in package.contents)
        ]
        assert len(homes) == 1
    assert not terms.package_count_max or len(plan.packages) <= terms.package_count_max
