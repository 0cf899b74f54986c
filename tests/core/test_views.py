"""Cached views: whatever was asked and changed before, figures are what a fresh state says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.availability import CheckAvailability, check_availability
from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import UpdateLocationGroup
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.network import Ask
from domgrpc.core.positions import VIEW_SLOTS_MAX, Stock
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.scopes import Scope
from domgrpc.core.stock_index import availability_view, check_view
from domgrpc.core.values import (
    Channel,
    Demand,
    GroupId,
    LocationId,
    LocationType,
    Quantity,
    Sku,
)
from tests.core.commands import (
    PICKUP,
    SHIP,
    adjust,
    announce,
    change,
    confirm,
    count,
    demand,
    disable,
    enable,
    from_inbound,
    group,
    limited,
    move,
    no_rule,
    on_hand,
    place,
    point,
    product,
    release,
    relocate,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop
from tests.core.scope_words import at_locations, in_groups, near

COMMANDS: tuple[Command, ...] = (
    stock(adjust("x", "A", 3)),
    stock(adjust("x", "B", -2)),
    stock(count("x", "C", 9)),
    stock(move("x", "A", 1, to="B")),
    stock(adjust("x", "D", 4)),
    stock(announce("x", "B", 6, due_ms=NOON_MS + 1_500)),
    stock(announce("x", "B", 0, due_ms=0)),
    reserve(("x", "A", 2), as_id="r", ttl_ms=1_000),
    reserve(("x", "", 5), as_id="s"),
    change("s", ("x", "", 2)),
    relocate("s", "x", "A"),
    confirm("s"),
    ship("s"),
    release("r"),
    disable("A", start_ms=NOON_MS + 1_000, end_ms=NOON_MS + 2_000),
    disable("B"),
    enable("B"),
    rule("a", 2, location="A"),
    rule("b", 1, channel="web", window_ms=(NOON_MS + 500, NOON_MS + 1_500)),
    rule("m", 4, kind=RuleKind.FULFILLMENT_MINIMUM),
    no_rule("a"),
    no_rule("m"),
    UpdateLocationGroup(group_id=GroupId("g"), location_ids=(LocationId("C"),)),
    UpdateLocation(location_id=LocationId("C"), fields=LocationFields(delivery_methods=(SHIP,))),
    UpdateLocation(location_id=LocationId("C"), fields=LocationFields(backorder_enabled=True)),
    *(
        UpdateProducts(
            products=((Sku("x"), ProductFields(backorder_policy=policy)),),
            field_names=("backorder_policy",),
        )
        for policy in (limited(3), from_inbound(1))
    ),
)
QUESTIONS: tuple[tuple[Scope, Demand], ...] = (
    (None, demand()),
    (None, demand("web", SHIP)),
    (in_groups("g"), demand()),
    (in_groups("g", "h"), demand("web")),
    (at_locations("A", "D"), demand("", PICKUP)),
    (near(40.0, -74.0, 100), demand()),
)
STEPS = st.lists(
    st.one_of(st.sampled_from(COMMANDS), st.sampled_from((1, 499, 500, 1_000))), max_size=25
)


def opened() -> Shop:
    """Four locations, D without a position at first, in overlapping groups."""
    shop = Shop().given(
        place("A", at=(40.0, -74.0)), place("B", backorder=True), place("C"), place("D")
    )
    shop.given(group("g", "A", "B"), group("h", "B", "D"))
    return shop.given(product("x", backorder=limited(5)), on_hand("x", A=5, B=5, C=5))


@pytest.mark.slow
@given(steps=STEPS, asked=st.lists(st.sampled_from(QUESTIONS), max_size=4))
def test_figures_do_not_depend_on_what_was_asked_before(
    steps: list[Command | int], asked: list[tuple[Scope, Demand]]
) -> None:
    shop = opened()
    for step in steps:
        if isinstance(step, int):
            shop.later(step)
        else:
            shop.send(step)
        for scope, by in asked:
            shop.atf("x", scope=scope, demand=by)
    fresh = shop.replayed()
    for scope, by in QUESTIONS:
        query = CheckAvailability(
            items=((Sku("x"), Quantity(1)),),
            scope=scope,
            demand=by,
            include_locations=True,
            include_parts=True,
            horizon_days=3,
        )
        now = check_availability(fresh.network, query, shop.now_ms)
        assert check_availability(shop.state.network, query, shop.now_ms) == now
        view = availability_view(
            shop.state.network, shop.state.network.stock.ensure(Sku("x")), Ask(by, shop.now_ms)
        )
        check_view(
            view,
            shop.state.network,
            shop.state.network.stock.ensure(Sku("x")),
            Ask(by, shop.now_ms),
        )
        each = now[0].locations
        assert now[0].available_to_fulfill == sum(one.available_to_fulfill for one in each)
        assert now[0].available_to_sell == sum(one.available_to_sell for one in each)


def test_any_number_of_channels_and_groups_may_ask(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=5, B=7))
    shop.given(*(group(f"g-{number}", "A") for number in range(40)))
    shop.given(*(rule(f"r-{number}", number, channel=f"c-{number}") for number in range(5)))
    for units in (5, 6):
        shop.given(on_hand("x", A=units))
        for number in range(40):
            by = Demand(Channel(f"c-{number}"))
            withheld = number if number < 5 else 0
            assert shop.atf("x", demand=by) == units + 7 - 2 * withheld
            assert shop.atf("x", scope=in_groups(f"g-{number}"), demand=by) == units - withheld
            assert shop.atf("x", scope=in_groups(f"g-{number}")) == units


def test_any_number_of_group_lists_may_ask_for_one_demand(shop: Shop) -> None:
    names = [f"g-{number}" for number in range(40)]
    shop.given(place("A"), place("B"), on_hand("x", A=5, B=7))
    shop.given(*(group(name, "A" if name[-1] in "02468" else "B") for name in names))
    for units in (5, 6):
        shop.given(on_hand("x", A=units))
        totals = [shop.atf("x", scope=in_groups(name)) for name in names]
        assert totals == [units, 7] * 20


class WideView:
    """A view of very many locations."""

    seen_count = 0

    def __init__(self, slot_count: int = VIEW_SLOTS_MAX // 2) -> None:
        self.slot_count = slot_count

    def catch_up(self) -> None:
        """Have nothing to catch up with."""


def test_the_oldest_views_are_dropped_where_they_would_take_too_much_room() -> None:
    stock_of_all = Stock()
    skus = [stock_of_all.ensure(Sku(name)) for name in ("x", "y", "z")]
    for each in skus:
        stock_of_all.add_view(each, "by web", WideView())
    kept = [bool(each.views) for each in skus]
    assert kept == [False, True, True]
    stock_of_all.add_view(skus[1], "by web", WideView())
    stock_of_all.add_view(skus[0], "by app", WideView())
    assert [[str(key) for key in each.views or ()] for each in skus] == [["by app"], ["by web"], []]


def test_views_that_are_void_already_make_room_too() -> None:
    stock_of_all = Stock()
    first, second, third = (stock_of_all.ensure(Sku(name)) for name in ("x", "y", "z"))
    stock_of_all.add_view(first, "by web", WideView())
    stock_of_all.forget_views(first)
    stock_of_all.add_view(second, "by web", WideView())
    stock_of_all.add_view(third, "by web", WideView())
    assert [bool(each.views) for each in (first, second, third)] == [False, True, True]


def test_views_of_nothing_have_a_size_too() -> None:
    stock_of_all = Stock()
    for number in range(3):
        stock_of_all.add_view(stock_of_all.ensure(Sku(f"x-{number}")), "by web", WideView(0))
    stock_of_all.add_view(stock_of_all.ensure(Sku("y")), "by web", WideView())
    stock_of_all.add_view(stock_of_all.ensure(Sku("z")), "by web", WideView())
    assert stock_of_all.view_count == 2
    stock_of_all.check_invariants()


def test_any_number_of_channels_leaves_only_the_views_that_are_there(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=5))
    for number in range(100):
        assert shop.atf("x", demand=demand(f"c-{number}")) == 5
    assert shop.state.network.stock.view_count == 16
    shop.given(on_hand("x", B=1))
    assert shop.state.network.stock.view_count == 0
    assert shop.atf("x") == 6


def test_what_changed_is_recorded_only_in_proportion_to_the_positions(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=0, B=7))
    found = shop.state.network.stock.ensure(Sku("x"))
    assert shop.atf("x", demand=demand("idle")) == 7
    for units in range(1, 300):
        shop.given(on_hand("x", A=units))
        assert shop.atf("x") == units + 7
        assert len(found.changed_slots) <= 65
    assert shop.state.network.stock.view_count == 1
    assert shop.atf("x", demand=demand("idle")) == 306


def test_what_no_figure_depends_on_leaves_views_and_winners_alone(shop: Shop) -> None:
    shop.given(place("A"), group("g", "A"), product("x"), on_hand("x", A=5), rule("all", 1))
    network = shop.state.network
    before = network.refresh(shop.now_ms)
    names = LocationFields(display_name="Main Street", point=point(40.0, -74.0))
    sizes = ProductFields(display_name="Tea", weight_grams=5, substitute_skus=(Sku("y"),))
    shop.given(
        UpdateLocation(location_id=LocationId("A"), fields=names),
        UpdateLocationGroup(group_id=GroupId("g"), display_name="All"),
        UpdateProducts(
            products=((Sku("x"), sizes),),
            field_names=("display_name", "weight_grams", "substitute_skus"),
        ),
        product("new"),
        place("B"),
        group("h", "A"),
    )
    assert network.refresh(shop.now_ms) == before


CHANGES: tuple[Command, ...] = (
    disable("A"),
    disable("A", start_ms=NOON_MS + 1),
    UpdateLocation(location_id=LocationId("A"), fields=LocationFields(backorder_enabled=True)),
    UpdateLocation(
        location_id=LocationId("A"), fields=LocationFields(type=LocationType.DISTRIBUTION_CENTER)
    ),
    UpdateLocation(location_id=LocationId("A"), fields=LocationFields(delivery_methods=(PICKUP,))),
    UpdateLocationGroup(group_id=GroupId("g"), location_ids=()),
    product("x", categories=("c",)),
    product("x", backorder=limited(5)),
    no_rule("all"),
)


@pytest.mark.parametrize("command", CHANGES, ids=range(len(CHANGES)))
def test_what_a_figure_depends_on_makes_it_anew(shop: Shop, command: Command) -> None:
    shop.given(place("A"), group("g", "A"), on_hand("x", A=5), rule("all", 1))
    before = shop.state.network.refresh(shop.now_ms)
    assert shop.given(command).state.network.refresh(shop.now_ms) != before


def test_a_place_that_came_later_holds_plainly_too(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5), reserve(("x", "A", 1)))
    shop.given(place("B"), on_hand("x", B=5), reserve(("x", "B", 1), ("x", "A", 1)))
    assert shop.atf("x") == 7


@pytest.mark.slow
def test_any_number_of_demands_may_ask_which_rule_wins(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=9), rule("web", 2, channel="web"), rule("all", 1))
    network = shop.state.network
    network.refresh(shop.now_ms)
    found = network.stock.ensure(Sku("x"))
    index = network.locations.index(LocationId("A"))
    for number in range(200_001):
        ask = Ask(Demand(Channel(f"c-{number}")), shop.now_ms)
        network.winner(RuleKind.LOW_STOCK, found, index, ask)
    assert shop.atf("x", demand=demand("web")) == 7
    assert shop.atf("x", demand=demand("c-7")) == 8


@pytest.mark.slow
def test_a_view_that_is_far_behind_catches_up(shop: Shop) -> None:
    shop.given(place("A"), place("B"), on_hand("x", A=1, B=1))
    assert shop.atf("x") == 2
    shop.given(stock(*(adjust("x", "A", 1) for _ in range(6_000))))
    shop.given(stock(*(adjust("x", "A", 1) for _ in range(6_000))))
    assert shop.atf("x") == 12_002
    shop.given(stock(adjust("x", "B", 1)))
    assert shop.atf("x") == 12_003


def test_what_may_be_sold_of_a_group_follows_every_change(shop: Shop) -> None:
    shop.given(place("A", backorder=True), place("B"), place("C", backorder=True))
    shop.given(product("x", backorder=limited(5)), on_hand("x", A=1, B=2, C=4))
    shop.given(group("g", "A", "B"))
    scope = in_groups("g")
    assert (shop.atf("x", scope=scope), shop.ats("x", scope=scope)) == (3, 8)
    shop.given(reserve(("x", "A", 4)))
    assert (shop.atf("x", scope=scope), shop.ats("x", scope=scope)) == (2, 4)
    shop.given(reserve(("x", "C", 4)))
    assert (shop.atf("x", scope=scope), shop.ats("x", scope=scope)) == (2, 4)


def test_a_location_that_gets_its_first_stock_counts_in_what_was_asked_before(
    shop: Shop,
) -> None:
    shop.given(place("A"), place("B"), place("C"), on_hand("x", A=1, C=4), group("g", "A", "B"))
    assert (shop.atf("x"), shop.atf("x", scope=in_groups("g"))) == (5, 1)
    shop.given(on_hand("x", B=2))
    assert (shop.atf("x"), shop.atf("x", scope=in_groups("g"))) == (7, 3)
    shop.given(stock(adjust("x", "C", -1)))
    assert (shop.atf("x"), shop.atf("x", scope=in_groups("g"))) == (6, 3)
