"""The figures of a better plan: what it costs is what orders cost, and the bound is a bound."""

from collections.abc import Iterator
from itertools import product as combined
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domgrpc.core.dispatch import Command
from domgrpc.core.open_costs import is_carried_out, leg_cost
from domgrpc.core.open_work import (
    OpenOrder,
    moved_packages,
    open_order,
    open_order_ids,
    shared_stock,
)
from domgrpc.core.order_commands import ApplyReplan, OrderMove, PlaceOrder, ReplanSummary
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.orders import Order, is_unreleased
from domgrpc.core.plans import SimulationQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.replan_proposals import BacklogQuestion, Staying
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.values import LocationIndex, LocationType, Micros, OrderId, Sku, TimeMs
from domgrpc.engine.backlog_search import SearchAnswer, SearchJob, search
from tests.core.commands import disable, enable, limited, on_hand, place, product
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import card, rate, rates
from tests.core.order_words import BOSTON, CHICAGO, DALLAS, PICKUP, line, order
from tests.core.routing_rules import activate, validate

DC = LocationType.DISTRIBUTION_CENTER
SITES = {"chi": CHICAGO, "dal": DALLAS, "bos": BOSTON}
NEW_YORK = (40.75, -73.99)


class Found:
    """What a search of all open work found."""

    def __init__(self, shop: Shop, question: BacklogQuestion, stability: int) -> None:
        planner, now_ms = shop.state.planner, shop.now_ms
        found = [
            open_order(planner, name, question, now_ms)
            for name in open_order_ids(planner, question)
        ]
        every = [each for each in found if each is not None]
        self.reasons = [reason for each in every for reason in each.reasons]
        self.orders = [each for each in every if each.legs]
        self.stock = shared_stock(planner, self.orders, now_ms)
        self.answer = SearchAnswer((), (), (), 0, ())
        self.names = [each.location_id for each in shop.state.network.locations.by_index]
        if self.orders:
            stock = {sku: units.tobytes() for sku, units in self.stock.items()}
            self.answer = search(
                SearchJob(len(self.names), tuple(self.orders), stock, stability, 5_000)
            )

    def moves(self) -> Iterator[tuple[OpenOrder, OrderMove]]:
        """Yield the orders that change, and how."""
        places = iter(self.answer.places)
        for each in self.orders:
            needs = [need for leg in each.legs for need in leg.needs]
            own = [LocationIndex(next(places)) for _ in needs]
            if own != [need.present for need in needs]:
                packages = moved_packages(each, iter(own), self.names)
                yield each, OrderMove(each.order_id, each.revision, packages)


def searched(shop: Shop, *, stability: int = 0, allow_late: bool = True) -> Found:
    return Found(shop, BacklogQuestion(allow_late=allow_late), stability)


def open_cost(placed: Order) -> int:
    """Return what the open work of an order costs, as GetOrder shows it."""
    return sum(
        work.package_cost_micros + work.units_cost_micros + work.price_micros
        for work in placed.fulfillment_orders
        if is_unreleased(work)
    )


def by_weight(*steps: tuple[int, int]) -> Command:
    """Save the only card: the farther, the dearer, and each zone in steps of weight."""
    return card(
        "ground",
        tuple(
            rate(zone, 1_000_000 * zone, steps=tuple((g, m * zone) for g, m in steps))
            for zone in range(1, 9)
        ),
    )


def weighing(**grams: int) -> CreateProducts:
    return CreateProducts(
        products=tuple((Sku(sku), ProductFields(weight_grams=each)) for sku, each in grams.items())
    )


@pytest.fixture
def shop() -> Shop:
    return Shop().given(*(place(name, DC, at=at) for name, at in SITES.items()))


def test_what_an_outage_moved_away_goes_back_and_costs_are_those_of_the_order(shop: Shop) -> None:
    shop.given(by_weight((500, 2_000_000), (5_000, 7_000_000)), weighing(tea=600))
    shop.given(on_hand("tea", chi=5, dal=5), disable("dal"))
    shop.given(order(line("tea", 2), to=DALLAS), enable("dal"))
    planned = simulate_routing(
        shop.state, SimulationQuestion((), shop.order().terms, order_id=OrderId("o")), shop.now_ms
    )
    before = open_cost(shop.order())
    assert before - planned.cost_micros > 500_000
    found = searched(shop, stability=500_000)
    assert found.answer.costs_before == (before,)
    assert found.answer.costs_after == (planned.cost_micros,)
    assert found.answer.lower_bound <= planned.cost_micros
    ((_, move),) = found.moves()
    assert {package.location_id for package in move.packages} == {"dal"}
    shop.gives(ReplanSummary, ApplyReplan((move,)))
    assert open_cost(shop.order()) == planned.cost_micros


def test_no_bound_is_above_a_plan_however_dear_moving_is(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5), disable("dal"))
    shop.given(order(line("tea", 2), to=DALLAS), enable("dal"))
    found = searched(shop, stability=10**12)
    assert found.answer.costs_after == found.answer.costs_before
    assert found.answer.lower_bound < sum(found.answer.costs_after)


def test_work_that_cannot_reach_its_customer_any_more_stays(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9, dal=9, bos=9))
    shop.given(order(line("tea"), to=CHICAGO), order(line("tea"), as_id="p", to=BOSTON))
    shop.given(card("ground", rates(5_000_000)))
    shop.given(on_hand("tea", chi=0), order(line("tea"), as_id="q", to=BOSTON))
    far = Shop().given(place("dal", DC, at=DALLAS), place("chi", DC, at=CHICAGO))
    far.given(on_hand("tea", dal=9, chi=0), order(line("tea"), to=CHICAGO))
    far.given(on_hand("tea", chi=9), order(line("tea"), as_id="near", to=DALLAS))
    far.given(card("ground", rates(5_000_000, 6_000_000)))
    found = searched(far)
    assert found.reasons == [Staying.UNREACHABLE]
    assert [each.order_id for each in found.orders] == ["near"]
    assert not list(found.moves())


def test_work_stays_where_less_is_left_than_was_promised(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), order(line("tea", 4)), on_hand("tea", chi=1))
    found = searched(shop)
    assert found.answer.costs_before == found.answer.costs_after == (open_cost(shop.order()),)


def test_figures_beyond_all_measure_stay_and_stop_nobody(shop: Shop) -> None:
    content = RuleSetContent(prices=RoutingPrices(late_day_micros=10**12))
    shop.given(on_hand("tea", chi=10**12, dal=10**12), weighing(tea=20_000))
    shop.given(order(line("tea", 5_000_000), as_id="many"), order(line("tea"), as_id="few"))
    shop.given(order(line("tea"), as_id="late", promise_time_ms=TimeMs(1)))
    shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    found = searched(shop)
    assert found.reasons == [Staying.TOO_LARGE] * 2
    assert [each.order_id for each in found.orders] == ["few"]


def test_the_part_that_has_its_stock_may_move_while_the_rest_waits() -> None:
    shop = Shop().given(place("chi", DC, at=CHICAGO, backorder=True), place("dal", DC, at=DALLAS))
    shop.given(on_hand("tea", chi=0, dal=5), on_hand("cup", chi=0))
    shop.given(product("cup", backorder=limited(5)))
    shop.given(order(line("tea"), line("cup")))
    waiting = [work for work in shop.order().fulfillment_orders if work.state.name == "SCHEDULED"]
    assert [work.location_id for work in waiting] == ["chi"]
    shop.given(on_hand("tea", chi=5))
    found = searched(shop)
    assert found.reasons == [Staying.BACKORDERED]
    ((each, move),) = found.moves()
    assert each.staying_micros + found.answer.costs_before[0] == open_cost(shop.order())
    summary = shop.gives(ReplanSummary, ApplyReplan((move,)))
    assert summary.applied_order_ids == ("o",)
    assert each.staying_micros + found.answer.costs_after[0] >= open_cost(shop.order())
    assert {work.location_id for work in shop.order().fulfillment_orders} == {"chi"}


def test_orders_that_need_each_other_are_told_as_partners(shop: Shop) -> None:
    # Each holds what the other wants, but for the last one, who needs nobody.
    shop.given(on_hand("tea", chi=1, dal=0), order(line("tea"), as_id="a", to=DALLAS))
    shop.given(on_hand("tea", dal=1), order(line("tea"), as_id="b", to=CHICAGO))
    shop.given(on_hand("cup", chi=1), order(line("cup"), as_id="c", to=DALLAS))
    shop.given(on_hand("cup", dal=1))
    found = searched(shop)
    assert {str(each.order_id) for each, _ in found.moves()} == {"a", "b", "c"}
    assert found.answer.partners == (0, 0, 2)


def test_parcels_that_are_shared_stay(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=5, chi=0), order(line("tea"), as_id="host", customer="ann"))
    shop.given(order(line("tea"), as_id="guest", customer="ann"), on_hand("tea", chi=5))
    assert searched(shop).reasons == [Staying.RIDES, Staying.HOSTS]


def test_a_group_moves_together_or_not_at_all(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=5, chi=0), on_hand("cup", dal=5, chi=0))
    shop.given(order(line("tea", group="g"), line("cup", group="g")))
    shop.given(on_hand("tea", chi=5))
    assert not list(searched(shop).moves())
    shop.given(on_hand("cup", chi=5))
    ((_, move),) = searched(shop).moves()
    assert [package.location_id for package in move.packages] == ["chi"]
    shop.given(ApplyReplan((move,)))


def test_what_is_collected_or_travels_alone_stays_and_is_counted(shop: Shop) -> None:
    alone = CreateProducts(products=((Sku("sofa"), ProductFields(ship_alone=True)),))
    shop.given(alone, place("shop", at=CHICAGO), on_hand("sofa", chi=5), on_hand("tea", shop=5))
    shop.given(order(line("sofa")), order(line("tea", by=PICKUP, at="shop"), as_id="p"))
    assert searched(shop).reasons == [Staying.SHIPS_ALONE, Staying.COLLECTED]


# --- for any state

SKUS = ("tea", "cup", "set")
weights_of = st.fixed_dictionaries({sku: st.sampled_from((0, 200, 700)) for sku in SKUS})
steps_of = st.sampled_from(
    (
        (),
        ((500, 1_000_000), (2_000, 3_000_000)),
        ((300, 100_000), (1_000, 3_000_000), (9_000, 3_500_000)),
        ((500, 500_000), (2_000, 8_000_000)),
    )
)
stock_of = st.fixed_dictionaries(
    {sku: st.fixed_dictionaries({site: st.integers(0, 4) for site in SITES}) for sku in SKUS}
)
wish_of = st.tuples(st.sampled_from(SKUS), st.integers(1, 3), st.sampled_from(("", "", "gift")))
wishes_of = st.lists(wish_of, min_size=1, max_size=2, unique_by=lambda wish: wish[0])
order_of = st.tuples(
    wishes_of,
    st.sampled_from((CHICAGO, DALLAS, NEW_YORK)),
    st.sampled_from(("", "ann")),
    st.sampled_from((None, NOON_MS + 86_400_000)),
    st.sampled_from((0, 0, 1)),
)


Drawn = tuple[list[tuple[str, int, str]], tuple[float, float], str, TimeMs | None, int]


def written(number: int, drawn: Drawn) -> PlaceOrder:
    wishes, to, customer, promise_ms, count_max = drawn
    lines = [line(sku, units, group=group) for sku, units, group in wishes]
    return order(
        *lines,
        as_id=f"o{number}",
        to=to,
        customer=customer,
        promise_time_ms=promise_ms,
        package_count_max=count_max,
    )


class World(NamedTuple):
    """What is drawn."""

    weights: dict[str, int]
    steps: tuple[tuple[int, int], ...]
    first: dict[str, dict[str, int]]
    then: dict[str, dict[str, int]]
    orders: list[Drawn]
    penalty: int


worlds = st.builds(
    World,
    weights_of,
    steps_of,
    stock_of,
    stock_of,
    st.lists(order_of, min_size=1, max_size=4),
    st.sampled_from((0, 700_000)),
)


def opened(world: World) -> Shop:
    weights, steps, first, then, drawn, penalty = world
    shop = Shop(steps_per_check=10**6).given(*(place(n, DC, at=at) for n, at in SITES.items()))
    shop.given(weighing(**weights), by_weight(*steps) if steps else card("ground", rates(*PLAIN)))
    content = RuleSetContent(
        prices=RoutingPrices(split_penalty_micros=Micros(penalty), late_day_micros=Micros(900_000))
    )
    shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    shop.given(*(on_hand(sku, **units) for sku, units in first.items()))
    for number, each in enumerate(drawn):
        shop.send(written(number, each))
    shop.given(*(on_hand(sku, **units) for sku, units in then.items()))
    return shop


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(world=worlds, stability=st.sampled_from((0, 500_000, 5_000_000)))
def test_the_bound_is_below_the_plan_and_that_below_the_present_one(
    world: World, stability: int
) -> None:
    shop = opened(world)
    found = searched(shop, stability=stability)
    answer = found.answer
    assert answer.lower_bound <= sum(answer.costs_after) <= sum(answer.costs_before)
    assert answer.lower_bound <= least_cost(found) <= sum(answer.costs_before)
    for each, cost in zip(found.orders, answer.costs_before, strict=True):
        assert cost + each.staying_micros == open_cost(shop.order(each.order_id))
    moves = list(found.moves())
    if moves:
        assert sum(answer.costs_before) - sum(answer.costs_after) > stability
        shop.gives(ReplanSummary, ApplyReplan(tuple(move for _, move in moves)))
        shop.state.check_invariants()


PLAIN = (5_000_000, 6_000_000, 7_000_000, 8_000_000, 9_000_000, 10_000_000, 11_000_000, 12_000_000)


def least_cost(found: Found) -> int:
    """Return what the cheapest of all plans costs that the stock allows."""
    legs = [leg for each in found.orders for leg in each.legs]
    needs = [need for leg in legs for need in leg.needs]
    best = sum(leg_cost(leg, [need.present for need in leg.needs]) for leg in legs)
    options = [[LocationIndex(p) for p, use in enumerate(need.allowed) if use] for need in needs]
    for places in combined(*options):
        left = {sku: units[:] for sku, units in found.stock.items()}
        for need, place_ in zip(needs, places, strict=True):
            left[need.sku][place_] -= need.quantity
        if any(min(units) < 0 for units in left.values()):
            continue
        rest = iter(places)
        own = [[next(rest) for _ in leg.needs] for leg in legs]
        if all(map(is_carried_out, legs, own)):
            best = min(best, sum(map(leg_cost, legs, own)))
    return best
