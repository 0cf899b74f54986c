"""What a search of the backlog moves, what it leaves where it is, and why."""

import pytest

from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.open_costs import is_carried_out
from domgrpc.core.open_work import (
    open_order,
    open_order_ids,
)
from domgrpc.core.order_commands import ApplyReplan, ReplanSummary
from domgrpc.core.order_queries import simulate_routing
from domgrpc.core.plans import SimulationQuestion
from domgrpc.core.replan_proposals import BacklogQuestion, Staying
from domgrpc.core.routing.backlog_data import NOWHERE
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.scopes import GroupList, LocationList
from domgrpc.core.values import (
    GroupId,
    LocationId,
    LocationIndex,
    OrderId,
    TimeMs,
)
from tests.core.commands import disable, enable, group, limited, on_hand, place, product
from tests.core.given import Shop
from tests.core.logistics_words import card, rates
from tests.core.order_words import BOSTON, CHICAGO, DALLAS, PICKUP, line, order
from tests.core.routing_rules import activate, validate
from tests.engine.backlog_words import (
    DC,
    SITES,
    Found,
    by_weight,
    open_cost,
    reasons,
    searched,
    weighing,
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


def test_nothing_comes_where_less_is_left_than_was_promised(shop: Shop) -> None:
    # Each would rather be where the other is; but nothing is there for who comes.
    shop.given(on_hand("tea", chi=2), order(line("tea", 2), to=DALLAS))
    shop.given(on_hand("tea", chi=2, dal=2), order(line("tea", 2), as_id="p", to=CHICAGO))
    assert len(list(searched(shop).moves())) == 2
    shop.given(on_hand("tea", chi=0, dal=0))
    assert not list(searched(shop).moves())


def test_no_two_come_together_where_less_is_left_than_was_promised(shop: Shop) -> None:
    # Five are promised in Dallas and three are there: who goes makes no room for three and two.
    shop.given(on_hand("tea", dal=5), order(line("tea", 5), as_id="far", to=CHICAGO))
    shop.given(on_hand("tea", chi=20, dal=5))
    shop.given(order(line("tea", 3), as_id="three", to=DALLAS))
    shop.given(order(line("tea", 2), as_id="two", to=DALLAS))
    shop.given(on_hand("tea", dal=3))
    coming = [
        sum(units for _, units in package.lines)
        for _, move in searched(shop).moves()
        for package in move.packages
        if package.location_id == "dal"
    ]
    assert sum(coming) == 0


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


def test_what_is_collected_stays_and_is_counted(shop: Shop) -> None:
    shop.given(place("shop", at=CHICAGO), on_hand("tea", shop=5))
    shop.given(order(line("tea", by=PICKUP, at="shop"), as_id="p"))
    assert searched(shop).reasons == [Staying.COLLECTED]


def test_only_what_lies_wholly_in_the_scope_takes_part(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    shop.given(order(line("tea"), line("cup")), order(line("cup"), as_id="other"))
    chicago = BacklogQuestion(scope=LocationList((LocationId("chi"),)))
    assert open_order_ids(shop.state.planner, chicago) == ["o"]
    assert reasons(shop, chicago) == [Staying.OUT_OF_SCOPE] * 2
    assert reasons(shop, BacklogQuestion()) == []


def test_of_too_many_orders_those_that_cost_most_are_looked_at(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=9))
    shop.given(*(order(line("tea"), as_id=name, to=to) for name, to in FROM_NEAR_TO_FAR.items()))
    planner = shop.state.planner
    assert open_order_ids(planner, BacklogQuestion(order_count_max=2)) == ["a-far", "b-farther"]
    gone = open_order(planner, OrderId("gone"), BacklogQuestion(), shop.now_ms)
    assert gone is None


FROM_NEAR_TO_FAR = {"c-near": CHICAGO, "a-far": BOSTON, "b-farther": (47.6, -122.3)}


def test_an_order_whose_scope_is_gone_stays(shop: Shop) -> None:
    shop.given(group("g", "chi", "dal"), on_hand("tea", chi=5))
    shop.given(
        order(line("tea"), scope=GroupList((GroupId("g"),))),
        DeleteLocationGroup(group_id=GroupId("g")),
    )
    assert searched(shop).reasons == [Staying.SCOPE_GONE]


def test_a_group_of_which_a_part_waits_stays_whole() -> None:
    shop = Shop().given(place("chi", DC, at=CHICAGO, backorder=True), place("dal", DC, at=DALLAS))
    shop.given(on_hand("tea", dal=5), on_hand("cup", chi=0), product("cup", backorder=limited(9)))
    shop.given(order(line("cup"), as_id="waits"))
    assert searched(shop).reasons == [Staying.BACKORDERED]


def test_nothing_is_sent_later_than_planned_unless_it_may_be(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=5), order(line("tea"), to=BOSTON), on_hand("tea", dal=5))
    strict = BacklogQuestion(allow_late=False)
    ((need,),) = ([leg.needs[0] for leg in each.legs] for each in Found(shop, strict, 0).orders)
    assert need.allowed == b"\x00\x00\x01"
    ((need,),) = ([leg.needs[0] for leg in each.legs] for each in searched(shop).orders)
    assert need.allowed == b"\x01\x01\x01"


def test_a_plan_that_leaves_something_nowhere_is_not_carried_out(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), order(line("tea")))
    (leg,) = searched(shop).orders[0].legs
    assert not is_carried_out(leg, [LocationIndex(NOWHERE)])
    assert is_carried_out(leg, [LocationIndex(0)])
