"""When the work whose parcel others joined goes away, the first of them takes its place."""

import pytest

from domgrpc.core.order_commands import (
    ApplyReplan,
    OrderChanged,
    OrderMove,
    OrdersReplanned,
    ReplanSummary,
)
from domgrpc.core.orders import Attention, FulfillmentOrder, StepKind
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.values import LineId, LocationId, LocationType, OrderId, Retention, Sku
from domgrpc.rpc.order_walk import news_of
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, changed, rate, rates, schedule
from tests.core.order_words import (
    BOSTON,
    DALLAS,
    SHIP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
)

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def shop() -> Shop:
    """Return a shop where b and c joined the parcel of a, from Dallas to Chicago."""
    shop = Shop().given(place("dal", DC, at=DALLAS), place("bos", DC, at=BOSTON))
    shop.given(on_hand("tea", dal=9), on_hand("cup", dal=9))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "abc"))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "c/1": "a/1"}
    return shop


def works(shop: Shop) -> dict[str, FulfillmentOrder]:
    """Return all work that is not cancelled by its id."""
    return {
        work.fulfillment_order_id: work
        for name in sorted(shop.state.orders.by_id)
        for work in shop.order(name).fulfillment_orders
        if work.state is not S.CANCELLED
    }


def parcels(shop: Shop) -> dict[str, str]:
    """Return in whose parcel each work is."""
    return {name: work.parcel_id for name, work in works(shop).items()}


def packages(shop: Shop, location_id: str = "dal") -> int:
    """Return the packages that a location has to do, on all days."""
    used_capacity = shop.state.orders.used_capacity
    return sum(used[0] for (name, _), used in used_capacity.items() if name == location_id)


def told(shop: Shop) -> list[str]:
    """Return the orders that the newest record tells watchers of."""
    return [news.order.order_id for news in news_of(shop.records[-1])]


def test_the_first_guest_of_a_cancelled_order_takes_its_place(shop: Shop) -> None:
    host = works(shop)["a/1"]
    shop.given(cancel_order("a"))
    assert parcels(shop) == {"b/1": "", "c/1": "b/1"}
    assert works(shop)["b/1"].package_cost_micros == host.package_cost_micros > 0
    assert works(shop)["c/1"].package_cost_micros == 0
    assert packages(shop) == 1
    shop.check_replay()


def test_whoever_watches_hears_of_the_guests_in_the_same_event(shop: Shop) -> None:
    shop.given(cancel_order("a"))
    (event,) = shop.events()
    assert isinstance(event, OrderChanged)
    assert event.guests == (shop.order("b"), shop.order("c"))
    assert told(shop) == ["a", "b", "c"]
    for name, detail in (("b", "b/1 has the parcel"), ("c", "c/1 joins b/1")):
        step = shop.order(name).history[-1]
        assert (step.kind, step.detail) == (StepKind.REPLANNED, detail)
        assert shop.order(name).revision == shop.state.revision
    assert not any(news.claims for news in list(news_of(shop.records[-1]))[1:])


def test_a_guest_that_goes_leaves_the_others_alone(shop: Shop) -> None:
    before = shop.order("a"), shop.order("c")
    shop.given(cancel_order("b"))
    assert (shop.order("a"), shop.order("c")) == before
    assert told(shop) == ["b"]


def test_one_after_the_other_becomes_the_host(shop: Shop) -> None:
    shop.given(cancel_order("a"), cancel_order("b"))
    assert parcels(shop) == {"c/1": ""}
    shop.given(cancel_order("c"))
    assert packages(shop) == 0
    assert not shop.state.orders.guests


def test_a_new_parcel_takes_more_goods(shop: Shop) -> None:
    shop.given(cancel_order("a"), order(line("cup"), as_id="d", customer="ann"))
    assert parcels(shop) == {"b/1": "", "c/1": "b/1", "d/1": "b/1"}


def test_a_part_of_the_host_that_is_left_stays_the_host(shop: Shop) -> None:
    shop.given(edit("a", line("tea", 3)), edit("a", line("tea", 1)))
    assert parcels(shop)["b/1"] == "a/1"
    assert shop.order("b").history[-1].kind is StepKind.PLACED


def test_a_hold_of_the_host_changes_no_guest(shop: Shop) -> None:
    shop.given(put_on_hold("a"), take_off_hold("a"))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "c/1": "a/1"}


def test_guests_do_not_go_with_the_host_to_another_address(shop: Shop) -> None:
    shop.given(edit("a", to=(40.0, -88.0)))
    assert parcels(shop) == {"a/2": "", "b/1": "", "c/1": "b/1"}
    assert packages(shop) == 2


def test_what_is_planned_again_joins_the_parcel_of_its_former_guest(shop: Shop) -> None:
    target = line("tea", group="gift")
    shop.given(edit("a", target, line("cup", group="gift")))
    assert parcels(shop) == {"a/2": "b/1", "b/1": "", "c/1": "b/1"}
    assert packages(shop) == 1


def test_the_package_of_a_guest_is_not_free_for_the_change() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), on_hand("tea", dal=9))
    shop.given(changed(calendar("dal", schedule()), daily_capacity=1))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "ab"))
    shop.given(edit("a", to=(40.0, -88.0)))
    assert parcels(shop) == {"b/1": ""}
    assert shop.order("a").attention is Attention.BACKORDERED


def test_a_guest_of_the_same_order_may_become_its_host() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), place("bos", DC, at=BOSTON))
    shop.given(on_hand("tea", dal=9), on_hand("cup", dal=9))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "ab"))
    shop.given(advance("b/1", S.RELEASED), edit("b", line("cup")))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "b/2": "a/1"}
    shop.given(cancel_order("a"))
    assert parcels(shop) == {"b/1": "", "b/2": "b/1"}
    shop.given(advance("b/1", S.CANCELLED))
    assert parcels(shop) == {"b/2": ""}
    assert packages(shop) == 1
    assert told(shop) == ["b"]


def test_work_that_is_given_back_leaves_its_parcel_to_the_guests(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=9), advance("a/1", S.RELEASED))
    assert parcels(shop)["b/1"] == "a/1"
    shop.given(advance("a/1", S.CANCELLED))
    assert parcels(shop) == {"a/2": "", "b/1": "", "c/1": "b/1"}
    assert (packages(shop), packages(shop, "bos")) == (1, 1)


def test_guests_that_were_released_become_hosts_too(shop: Shop) -> None:
    shop.given(advance("b/1", S.RELEASED), cancel_order("a"))
    assert parcels(shop) == {"b/1": "", "c/1": "b/1"}


def test_what_nobody_had_begun_when_the_parcel_left_is_a_parcel_of_its_own(shop: Shop) -> None:
    shop.given(advance("a/1", S.RELEASED), advance("b/1", S.RELEASED))
    shop.given(advance("a/1", S.SHIPPED))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "c/1": ""}
    assert packages(shop) == 2
    shop.given(advance("b/1", S.SHIPPED), advance("a/1", S.DELIVERED))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "c/1": ""}


def test_an_outage_that_moves_the_host_makes_a_guest_that_stays_the_host(shop: Shop) -> None:
    shop.given(advance("b/1", S.RELEASED), on_hand("tea", bos=1), disable("dal"))
    event = shop.replan()
    assert event is not None
    assert parcels(shop) == {"a/2": "", "b/1": "", "c/1": "b/1"}
    assert event.summary.applied_order_ids == ("a",)
    assert [change.order.order_id for change in event.changes] == ["a", "c", "b"]
    assert shop.order("c").attention is Attention.LOCATION_DISABLED
    assert shop.replan() is None
    shop.check_replay()


def test_a_guest_that_is_stuck_keeps_its_flag_when_it_becomes_the_host(shop: Shop) -> None:
    shop.given(disable("dal"))
    assert shop.replan() is not None
    shop.given(cancel_order("a"))
    assert parcels(shop) == {"b/1": "", "c/1": "b/1"}
    assert shop.order("b").attention is Attention.LOCATION_DISABLED


def moved(shop: Shop, *names: str, to: str = "bos") -> ReplanSummary:
    """Book a plan that moves all tea of orders."""
    lines = ((LineId("tea"), 1),)
    package = QuotedPackage(LocationId(to), SHIP, LocationId(""), lines)
    moves = (OrderMove(OrderId(n), shop.order(n).revision, (package,)) for n in names)
    return shop.gives(ReplanSummary, ApplyReplan(tuple(moves)))


def test_a_new_plan_leaves_the_guests_that_stay_a_host(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=9))
    assert moved(shop, "a", "b").applied_order_ids == ("a", "b")
    assert parcels(shop) == {"a/2": "", "b/2": "", "c/1": ""}
    assert packages(shop) == 1
    (event,) = shop.events()
    assert isinstance(event, OrdersReplanned)
    assert told(shop) == ["a", "b", "c"]
    shop.check_replay()


def test_an_order_with_a_host_and_a_guest_moves_in_one_step(shop: Shop) -> None:
    shop.given(place("ny", DC, at=(40.7, -74.0)), on_hand("pot", bos=9))
    shop.given(edit("b", line("pot")), order(line("pot"), as_id="d", customer="ann"))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "b/2": "", "c/1": "a/1", "d/1": "b/2"}
    shop.given(on_hand("tea", ny=9), on_hand("pot", ny=9))
    packages = tuple(
        QuotedPackage(LocationId("ny"), SHIP, LocationId(""), ((LineId(name), 1),))
        for name in ("tea", "pot")
    )
    move_a = OrderMove(OrderId("a"), shop.order("a").revision, packages[:1])
    move_b = OrderMove(OrderId("b"), shop.order("b").revision, packages)
    assert shop.gives(ReplanSummary, ApplyReplan((move_b, move_a))).skipped == ()
    assert parcels(shop) == {"a/2": "", "b/3": "", "b/4": "", "c/1": "", "d/1": ""}
    assert told(shop) == ["b", "a", "d", "c"]


def test_a_new_plan_does_not_take_the_package_of_new_hosts() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), on_hand("tea", dal=9))
    shop.given(changed(calendar("dal", schedule()), daily_capacity=1))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "ab"))
    assert moved(shop, "a", to="dal").applied_order_ids == ()
    assert parcels(shop) == {"a/1": "", "b/1": "a/1"}
    assert moved(shop, "a", "b", to="dal").applied_order_ids == ()
    shop.given(cancel_order("b"))
    assert moved(shop, "a", to="dal").applied_order_ids == ("a",)


def test_a_new_host_pays_what_a_package_costs_by_then(shop: Shop) -> None:
    shop.given(card("ground", rates(*[3_000_000] * 8)), cancel_order("a"))
    assert works(shop)["b/1"].package_cost_micros == 3_000_000


def test_a_host_that_is_forgotten_leaves_no_trace(shop: Shop) -> None:
    for name in "ab":
        shop.given(advance(f"{name}/1", S.RELEASED), advance(f"{name}/1", S.SHIPPED))
        shop.given(advance(f"{name}/1", S.DELIVERED))
    shop.retain(Retention(finished_orders_max=0))
    assert "a" not in shop.state.orders.by_id
    shop.given(cancel_order("c"))
    shop.check_replay()


def test_the_id_of_a_forgotten_host_is_taken_while_work_names_it(shop: Shop) -> None:
    shop.given(advance("a/1", S.RELEASED), advance("b/1", S.RELEASED))
    shop.given(advance("a/1", S.SHIPPED), advance("a/1", S.DELIVERED))
    shop.retain(Retention(finished_orders_max=0))
    again = order(line("tea"), as_id="a", customer="bob", to=BOSTON)
    assert shop.refusal(again).reason is Reason.ORDER_ID_TAKEN
    shop.given(advance("b/1", S.SHIPPED), again)
    shop.check_replay()


def test_a_parcel_takes_a_bounded_number_of_guests(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=40))
    for number in range(12):
        shop.given(order(line("tea"), as_id=f"n{number:02}", customer="ann"))
    guests = [name for name, host in parcels(shop).items() if host == "a/1"]
    assert len(guests) == 10
    shop.given(cancel_order("a"))
    assert packages(shop) == 2


def test_where_no_carrier_goes_any_more_the_guest_takes_over_what_the_host_paid() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), on_hand("tea", dal=9))
    shop.given(card("van", rates(*[5_000_000] * 8)))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "ab"))
    paid = works(shop)["a/1"].package_cost_micros
    shop.given(card("van", rates(*[5_000_000] * 8), metres_max=1), cancel_order("a"))
    assert parcels(shop) == {"b/1": ""}
    assert works(shop)["b/1"].package_cost_micros == paid > 0


def test_what_an_order_adds_to_its_own_guest_is_weighed_once() -> None:
    shop = Shop().given(place("dal", DC, at=DALLAS), on_hand("tea", dal=9), on_hand("cup", dal=9))
    weight = ProductFields(weight_grams=400)
    shop.given(CreateProducts(products=((Sku("tea"), weight), (Sku("cup"), weight))))
    steps = ((1_000, 1_000_000), (1_600, 2_000_000), (9_000, 50_000_000))
    shop.given(card("van", tuple(rate(zone, 5_000_000, steps=steps) for zone in range(1, 9))))
    shop.given(*(order(line("tea"), as_id=name, customer="ann") for name in "ab"))
    shop.given(edit("b", line("cup")))
    assert parcels(shop) == {"a/1": "", "b/1": "a/1", "b/2": "a/1"}
    # 400 g of a and 400 g of b are below the first step, 400 g more beyond it.
    paid = [work.package_cost_micros for work in works(shop).values()]
    assert paid == [6_000_000, 0, 1_000_000]
