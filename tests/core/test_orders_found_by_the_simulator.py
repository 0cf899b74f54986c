"""What the simulator found about orders, in the few steps that show it."""

import pytest

from domgrpc.core.calendars import CapacityUnit, SaveLocationCalendar
from domgrpc.core.location_groups import DeleteLocationGroup
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.machine import replan_displaced
from domgrpc.core.order_commands import ApplyReplan, OrderMove, OrdersReplanned, ReplanSummary
from domgrpc.core.orders import (
    Attention,
    FulfillmentState,
    Order,
    ShortagePolicy,
    unsourced_quantities,
)
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.values import DeliveryMethod, GroupId, LocationId, LocationType, OrderId
from tests.core.commands import (
    announce,
    disable,
    enable,
    from_inbound,
    group,
    on_hand,
    place,
    product,
    stock,
    unlimited,
)
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    PICKUP,
    SHIP,
    advance,
    edit,
    line,
    order,
    put_on_hold,
    work_of,
)
from tests.core.routing_rules import activate, draft, exclude, validate
from tests.core.scope_words import in_groups

DC = LocationType.DISTRIBUTION_CENTER
DAY_MS = 86_400_000


def two_places() -> Shop:
    """Return a shop with a place near the customer, and one far away."""
    shop = Shop().given(place("near", DC, at=CHICAGO), place("far", DC, at=(34.05, -118.24)))
    return shop.given(on_hand("tea", near=10, far=10))


def one_a_day(
    location_id: str, unit: CapacityUnit = CapacityUnit.PACKAGES, most: int = 1
) -> SaveLocationCalendar:
    """Let a location do so much a day."""
    return changed(calendar(location_id, schedule()), daily_capacity=most, capacity_unit=unit)


def replanned(shop: Shop) -> OrdersReplanned | None:
    """Let the timer plan again what is displaced."""
    record = replan_displaced(shop.state, shop.now_ms)
    shop._write(record)  # noqa: SLF001 - as the other timers of the shop do
    event = record.events[0] if record is not None else None
    assert event is None or isinstance(event, OrdersReplanned)
    return event


def order_of(shop: Shop, order_id: str = "o") -> Order:
    """Return an order as it stands."""
    return shop.state.orders.by_id[OrderId(order_id)]


def packages_at(shop: Shop, location_id: str) -> int:
    """Return the packages that a location has to do, on all days."""
    return sum(
        used[0]
        for (name, _), used in shop.state.orders.used_capacity.items()
        if name == location_id
    )


# --- outages


def test_an_order_whose_scope_is_gone_stays_where_it_is_and_stops_no_other() -> None:
    shop = two_places().given(group("east", "near"))
    shop.given(order(line("tea", 2), scope=in_groups("east")), order(line("tea", 3), as_id="p"))
    shop.given(DeleteLocationGroup(group_id=GroupId("east")), disable("near"))
    assert replanned(shop) is not None
    assert work_of(order_of(shop)) == {"near": {"tea": 2}}
    assert order_of(shop).attention is Attention.LOCATION_DISABLED
    assert work_of(order_of(shop, "p")) == {"far": {"tea": 3}}
    assert replanned(shop) is None


def test_a_new_plan_whose_scope_is_gone_is_skipped_and_stops_no_other() -> None:
    shop = two_places().given(group("east", "near", "far"))
    shop.given(order(line("tea", 2), scope=in_groups("east")), order(line("tea", 3), as_id="p"))
    shop.given(DeleteLocationGroup(group_id=GroupId("east")))
    moves = tuple(
        OrderMove(
            OrderId(name),
            order_of(shop, name).revision,
            (QuotedPackage(LocationId("far"), SHIP, LocationId(""), ((line("tea").line_id, n),)),),
        )
        for name, n in (("o", 2), ("p", 3))
    )
    event = shop.gives(ReplanSummary, ApplyReplan(moves))
    assert [name for name, _ in event.skipped] == ["o"]
    assert work_of(order_of(shop, "p")) == {"far": {"tea": 3}}


def test_a_batch_of_displaced_orders_keeps_to_the_capacity_of_a_day() -> None:
    shop = two_places().given(one_a_day("far"))
    shop.given(order(line("tea", 1)), order(line("tea", 1), as_id="p"), disable("near"))
    assert replanned(shop) is not None
    assert packages_at(shop, "far") == 1


def test_what_was_stuck_is_tried_again_in_the_next_outage_only() -> None:
    shop = two_places().given(on_hand("tea", far=0), order(line("tea", 2)), disable("near"))
    assert replanned(shop) is not None
    shop.given(on_hand("tea", far=5))
    assert replanned(shop) is None
    shop.given(enable("near"), disable("near"))
    assert replanned(shop) is not None
    assert work_of(order_of(shop)) == {"far": {"tea": 2}}


def test_what_was_stuck_is_tried_again_when_its_order_changes() -> None:
    shop = two_places().given(on_hand("tea", far=0), order(line("tea", 2)), disable("near"))
    before = shop.state.orders.stirred_count
    assert replanned(shop) is not None
    assert shop.state.orders.stirred_count == before
    shop.given(on_hand("tea", far=5), put_on_hold("o"))
    assert shop.state.orders.stirred_count > before
    assert replanned(shop) is not None
    assert work_of(order_of(shop)) == {"far": {"tea": 2}}


@pytest.mark.parametrize("policy", ShortagePolicy)
def test_work_is_given_back_though_the_scope_of_its_order_is_gone(policy: ShortagePolicy) -> None:
    shop = two_places().given(group("east", "near"))
    shop.given(order(line("tea", 2), scope=in_groups("east"), shortage_policy=policy))
    shop.given(DeleteLocationGroup(group_id=GroupId("east")))
    shop.given(
        advance("o/1", FulfillmentState.RELEASED), advance("o/1", FulfillmentState.CANCELLED)
    )
    assert work_of(order_of(shop)) == {}
    assert unsourced_quantities(order_of(shop)) == {"tea": 2}
    assert order_of(shop).attention is Attention.BACKORDERED
    assert shop.position("tea", "near").allocated == 0
    shop.check_replay()


# --- capacity


def test_legs_of_one_order_share_the_capacity_of_a_day() -> None:
    shop = Shop().given(place("store", at=CHICAGO), on_hand("tea", store=10), one_a_day("store"))
    shop.given(order(line("tea", 1, by=PICKUP, at="store"), line("tea", 1, name="post")))
    assert packages_at(shop, "store") == 1


def test_units_beyond_the_capacity_of_a_day_are_not_planned() -> None:
    shop = two_places().given(one_a_day("near", CapacityUnit.UNITS, 3))
    shop.given(order(line("tea", 2)), order(line("tea", 2), as_id="p"))
    assert work_of(order_of(shop)) == {"near": {"tea": 2}}
    assert work_of(order_of(shop, "p")) == {"far": {"tea": 2}}


def test_what_waits_for_supply_takes_capacity_of_its_day() -> None:
    shop = Shop().given(place("near", DC, at=CHICAGO, backorder=True), one_a_day("near"))
    shop.given(product("tea", backorder=from_inbound(10)), on_hand("tea", near=0))
    shop.given(stock(announce("tea", "near", 10, due_ms=NOON_MS + 2 * DAY_MS)))
    shop.given(order(line("tea", 1)), order(line("tea", 1), as_id="p"))
    assert [work.state for work in order_of(shop).fulfillment_orders] == [
        FulfillmentState.SCHEDULED
    ]
    assert order_of(shop, "p").fulfillment_orders == ()


def test_another_type_of_a_location_brings_the_capacity_of_that_type() -> None:
    hubs = changed(calendar(LocationType.HUB, schedule()), daily_capacity=1)
    shop = two_places().given(hubs, order(line("tea", 1)))
    fields = LocationFields(type=LocationType.HUB, delivery_methods=(DeliveryMethod.SHIP_TO_HOME,))
    shop.given(UpdateLocation(location_id=LocationId("near"), fields=fields))
    shop.given(order(line("tea", 1), as_id="p"), order(line("tea", 1), as_id="q"))
    assert list(work_of(order_of(shop, "p"))) == ["near"]
    assert list(work_of(order_of(shop, "q"))) == ["far"]


def test_a_change_of_an_order_may_use_the_capacity_that_it_gives_back() -> None:
    shop = two_places().given(one_a_day("near"), order(line("tea", 2)))
    shop.given(edit("o", line("tea", 2), to=(41.89, -87.63)))
    assert list(work_of(order_of(shop))) == ["near"]


# --- rules and whole orders


def test_what_waits_for_supply_keeps_to_a_rule_about_one_line() -> None:
    shop = Shop().given(place("near", DC, at=CHICAGO, backorder=True))
    for sku in ("tea", "cup"):
        shop.given(product(sku, backorder=unlimited()), on_hand(sku, near=0))
    no_tea = exclude("no-tea", "location.id == 'near' && line.sku == 'tea'")
    shop.given(draft(no_tea), validate(1), activate(1))
    shop.given(order(line("tea", 1), line("cup", 1)))
    assert work_of(order_of(shop)) == {"near": {"cup": 1}}


def test_a_whole_order_that_cannot_be_moved_takes_nothing_from_the_next() -> None:
    shop = two_places().given(on_hand("tea", near=10, far=4), on_hand("cup", near=9, far=0))
    shop.given(order(line("tea", 4), line("cup", 1), ship_complete=True))
    shop.given(order(line("tea", 4), as_id="p"), disable("near"))
    assert replanned(shop) is not None
    assert list(work_of(order_of(shop))) == ["near"]
    assert list(work_of(order_of(shop, "p"))) == ["far"]
