"""What a search of the backlog does with SKUs in several parcels, and with what ships alone."""

import pytest

from domgrpc.core.dispatch import Command
from domgrpc.core.open_costs import is_carried_out
from domgrpc.core.order_commands import ApplyReplan, ReplanSummary
from domgrpc.core.orders import is_unreleased
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.replan_proposals import Staying
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RuleSetContent
from domgrpc.core.values import DAY_MS, DeliveryMethod, LocationIndex, Sku
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import CHICAGO, DALLAS, edit, line, order, work_of
from tests.core.routing_rules import activate, draft, prefer, validate
from tests.engine.backlog_words import (
    DC,
    SITES,
    Found,
    by_weight,
    open_cost,
    searched,
    weighing,
)


@pytest.fixture
def shop() -> Shop:
    return Shop().given(*(place(name, DC, at=at) for name, at in SITES.items()))


def made(sku: str, fields: ProductFields) -> CreateProducts:
    return CreateProducts(products=((Sku(sku), fields),))


def alone(sku: str) -> CreateProducts:
    return made(sku, ProductFields(ship_alone=True))


def limited_to(package_count: int, *, version: int = 1) -> tuple[Command, ...]:
    content = RuleSetContent(limits=RoutingLimits(package_count_max=package_count))
    return CreateRuleSet(content=content), validate(version), activate(version)


def applied(shop: Shop, *, stability: int = 0) -> Found:
    """Carry out what a search finds, and see that orders cost then what it says."""
    found = searched(shop, stability=stability)
    moves = tuple(move for _, move in found.moves())
    summary = shop.gives(ReplanSummary, ApplyReplan(moves))
    assert summary.skipped == ()
    for each, cost in zip(found.orders, found.answer.costs_after, strict=True):
        assert cost + each.staying_micros == open_cost(shop.order(each.order_id))
    return found


def priced(shop: Shop) -> dict[str, int]:
    """Return by place what is weighed beside what is paid."""
    works = shop.order().fulfillment_orders
    return {str(work.location_id): work.price_micros for work in works}


# --- a SKU at several places


def test_units_of_a_sku_at_two_places_come_together_as_one_line(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2, dal=1), order(line("tea", 3)))
    assert work_of(shop.order()) == {"chi": {"tea": 2}, "dal": {"tea": 1}}
    shop.given(on_hand("tea", chi=9))
    found = applied(shop)
    assert found.reasons == []
    (work,) = filter(is_unreleased, shop.order().fulfillment_orders)
    assert [(each.line_id, each.quantity) for each in work.lines] == [("tea", 3)]
    assert work.location_id == "chi"


@pytest.mark.slow
def test_units_of_a_sku_stay_apart_where_nobody_has_all(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=2, bos=1), order(line("tea", 3), to=CHICAGO))
    shop.given(on_hand("tea", dal=2, bos=2, chi=1))
    applied(shop)
    # No two portions of 2 and 1 units fit anywhere but into Chicago and Dallas.
    assert work_of(shop.order()) == {"chi": {"tea": 1}, "dal": {"tea": 2}}


def test_a_price_for_a_line_is_spread_over_its_units_wherever_they_lie(shop: Shop) -> None:
    dear = draft(prefer("dear", "line.sku == 'tea' && location.id == 'dal'", 900_000))
    shop.given(on_hand("tea", dal=2, bos=2), dear, validate(1), activate(1))
    shop.given(order(line("tea", 3), to=DALLAS))
    assert priced(shop)["dal"] == 600_000
    shop.given(on_hand("tea", dal=2, bos=2, chi=1))
    applied(shop)
    assert work_of(shop.order()) == {"dal": {"tea": 2}, "chi": {"tea": 1}}
    assert priced(shop)["dal"] == 600_000


def test_lines_of_one_sku_keep_their_units(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2, dal=2), order(line("tea", 2), line("tea", 2, name="more")))
    shop.given(on_hand("tea", chi=9))
    applied(shop)
    (work,) = filter(is_unreleased, shop.order().fulfillment_orders)
    assert {each.line_id: each.quantity for each in work.lines} == {"tea": 2, "more": 2}


def test_what_must_not_be_split_any_more_moves_as_one(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=2, bos=1), order(line("tea", 3), to=CHICAGO))
    shop.given(made("tea", ProductFields(keep_together=True)), on_hand("tea", chi=1))
    assert not list(searched(shop).moves())
    shop.given(on_hand("tea", chi=5))
    applied(shop)
    assert work_of(shop.order()) == {"chi": {"tea": 3}}


def test_what_came_to_ship_alone_where_it_is_split_stays(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=2, bos=1), order(line("tea", 3), to=CHICAGO))
    shop.given(alone("tea"), on_hand("tea", chi=5))
    assert searched(shop).reasons == [Staying.SHIPS_ALONE] * 2


# --- what ships alone


def test_what_ships_alone_moves_alone(shop: Shop) -> None:
    shop.given(alone("sofa"), on_hand("sofa", dal=5, chi=0), on_hand("tea", chi=5))
    shop.given(order(line("sofa", 2), line("tea"), to=CHICAGO), on_hand("sofa", chi=5))
    found = applied(shop)
    assert found.reasons == []
    packages = [work.lines[0].sku for work in shop.order().fulfillment_orders]
    assert sorted(packages) == ["sofa", "tea"]
    assert {work.location_id for work in shop.order().fulfillment_orders} == {"chi"}


def test_an_order_of_nothing_else_ships_it_alone(shop: Shop) -> None:
    shop.given(alone("sofa"), on_hand("sofa", dal=5), order(line("sofa", 2)))
    shop.given(on_hand("sofa", chi=5))
    applied(shop)
    assert work_of(shop.order()) == {"chi": {"sofa": 2}}


def test_no_more_packages_are_made_than_are_allowed(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=5), *limited_to(1))
    shop.given(order(line("tea"), line("cup")))
    (leg,) = searched(shop).orders[0].legs
    assert is_carried_out(leg, [LocationIndex(1), LocationIndex(1)])
    assert not is_carried_out(leg, [LocationIndex(0), LocationIndex(1)])


def test_what_came_to_ship_alone_since_stays(shop: Shop) -> None:
    shop.given(on_hand("sofa", dal=5), on_hand("tea", dal=5))
    shop.given(order(line("sofa"), line("tea")), alone("sofa"), on_hand("sofa", chi=5))
    assert searched(shop).reasons == [Staying.SHIPS_ALONE]


def test_what_ships_alone_stays_where_so_many_packages_are_not_allowed_any_more(shop: Shop) -> None:
    shop.given(alone("sofa"), on_hand("sofa", dal=5), on_hand("tea", dal=5))
    shop.given(order(line("sofa"), line("tea")), *limited_to(1))
    assert searched(shop).reasons == [Staying.SHIPS_ALONE] * 2


def test_what_ships_alone_leaves_the_others_so_many_packages_less(shop: Shop) -> None:
    shop.given(alone("sofa"), on_hand("sofa", chi=5), on_hand("tea", chi=5), on_hand("cup", chi=5))
    shop.given(order(line("sofa"), line("tea"), line("cup")), *limited_to(2))
    others, _ = searched(shop).orders[0].legs
    assert (len(others.needs), others.package_count_max) == (2, 1)


def test_in_a_group_it_travels_with_the_others(shop: Shop) -> None:
    shop.given(alone("sofa"), on_hand("sofa", dal=5), on_hand("tea", dal=5))
    shop.given(order(line("sofa", group="g"), line("tea", group="g"), to=CHICAGO))
    shop.given(on_hand("sofa", chi=5), on_hand("tea", chi=5))
    applied(shop)
    assert work_of(shop.order()) == {"chi": {"sofa": 1, "tea": 1}}


# --- several parcels from one place


def test_parcels_that_came_one_after_the_other_leave_as_one(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), order(line("tea")))
    shop.later(2 * DAY_MS).given(edit("o", line("tea", 2)))
    assert [work.location_id for work in shop.order().fulfillment_orders] == ["chi", "chi"]
    before = open_cost(shop.order())
    found = searched(shop, stability=PACKAGE_MICROS)
    assert found.reasons == []
    assert found.answer.costs_before == (before,)
    assert not list(found.moves())
    applied(shop, stability=PACKAGE_MICROS - 1)
    assert work_of(shop.order()) == {"chi": {"tea": 2}}
    assert open_cost(shop.order()) == before - PACKAGE_MICROS


def test_light_parcels_that_are_cheaper_apart_move_apart(shop: Shop) -> None:
    shop.given(by_weight((1_000, 500_000), (30_000, 9_000_000)), weighing(tea=980))
    shop.given(on_hand("tea", dal=5, chi=0), order(line("tea", 2)))
    assert [work.location_id for work in shop.order().fulfillment_orders] == ["dal", "dal"]
    shop.given(on_hand("tea", chi=5))
    found = applied(shop)
    assert found.reasons == []
    assert [work.location_id for work in shop.order().fulfillment_orders] == ["chi", "chi"]
    assert found.answer.lower_bound <= found.answer.costs_after[0] == 3_000_000


def test_no_bound_is_above_parcels_that_are_cheaper_apart(shop: Shop) -> None:
    # One parcel is all that the order may have; then so many are allowed, and that is cheaper.
    shop.given(by_weight((1_000, 500_000), (30_000, 9_000_000)), weighing(tea=980))
    shop.given(on_hand("tea", dal=5, chi=0), *limited_to(1), order(line("tea", 2)))
    shop.given(*limited_to(0, version=2), on_hand("tea", chi=5))
    found = searched(shop)
    ((_, move),) = found.moves()
    shop.gives(ReplanSummary, ApplyReplan((move,)))
    assert found.answer.lower_bound <= open_cost(shop.order()) == 3_000_000


# --- what stays because nothing else can be said of it


def test_where_the_rest_would_come_later_than_planned_nothing_is_booked_anew(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=5), on_hand("cup", dal=5), order(line("tea"), line("cup")))
    shop.later(2 * DAY_MS).given(on_hand("cup", chi=5))
    assert not list(searched(shop, allow_late=False).moves())
    assert len(list(searched(shop).moves())) == 1


def test_where_there_is_less_than_was_promised_nothing_is_booked_anew(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5), order(line("tea"), line("cup")))
    shop.given(on_hand("tea", chi=0), on_hand("cup", chi=5))
    assert not list(searched(shop).moves())
    shop.given(on_hand("tea", chi=1))
    applied(shop)
    assert work_of(shop.order()) == {"chi": {"tea": 1, "cup": 1}}


def test_another_way_of_the_order_that_cannot_be_booked_anew_keeps_all_of_it(shop: Shop) -> None:
    shop.given(place("shop", at=CHICAGO), on_hand("tea", bos=5), on_hand("cup", dal=5))
    to_store = line("tea", by=DeliveryMethod.SHIP_TO_STORE, at="shop")
    shop.given(order(to_store, line("cup")), on_hand("cup", chi=5), on_hand("tea", bos=0))
    assert not list(searched(shop).moves())
    shop.given(on_hand("tea", bos=5))
    assert len(list(searched(shop).moves())) == 1


def test_nothing_of_an_order_moves_that_hosts_others(shop: Shop) -> None:
    # Booked anew, its parcel would be another, and the guest would have to pay for its own.
    shop.given(place("shop", at=CHICAGO), on_hand("tea", chi=5), on_hand("cup", dal=5))
    to_store = line("cup", by=DeliveryMethod.SHIP_TO_STORE, at="shop")
    shop.given(order(line("tea"), to_store, as_id="host", customer="ann"))
    shop.given(order(line("tea"), as_id="guest", customer="ann"), on_hand("cup", chi=5))
    assert searched(shop).reasons == [Staying.RIDES, Staying.HOSTS, Staying.HOSTS]


PACKAGE_MICROS = 8_760_000
