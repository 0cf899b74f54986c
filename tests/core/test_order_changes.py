"""Changing orders: editing, cancelling and holding them, and what that leaves as it was."""

import pytest

from domgrpc.core.order_commands import ORDER_LINES_MAX, CancelOrder, EditOrder
from domgrpc.core.orders import (
    DECISIONS_MAX,
    HISTORY_MAX,
    Address,
    Attention,
    HoldKind,
    Order,
    OrderStatus,
    StepKind,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RuleSetContent
from domgrpc.core.values import LocationType, OrderId, Sku
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
    units_at,
    work_of,
)
from tests.core.routing_rules import activate, draft, exclude, validate

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def shop() -> Shop:
    """Return a shop with an order of tea from Chicago and of a cup from Dallas."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("store", at=(41.95, -87.70)),
        on_hand("tea", chi=5, store=2),
        on_hand("cup", dal=5),
        order(line("tea", 2), line("cup", 1)),
    )


def now(shop: Shop, order_id: str = "o") -> Order:
    """Return an order as it stands."""
    return shop.state.orders.by_id[OrderId(order_id)]


# --- editing


def test_more_units_are_planned_beside_those_that_are(shop: Shop) -> None:
    before = now(shop).fulfillment_orders
    edited = shop.gives(Order, edit("o", line("tea", 4)))
    assert units_at(edited) == {("tea", "chi"): 4, ("cup", "dal"): 1}
    assert edited.fulfillment_orders[1] == before[1]
    assert shop.position("tea", "chi").allocated == 4
    assert [step.kind for step in edited.history] == [StepKind.PLACED, StepKind.EDITED]
    assert edited.decisions[-1].legs[0].skus == ("tea",)


def test_fewer_units_are_given_back(shop: Shop) -> None:
    edited = shop.gives(Order, edit("o", line("tea", 1)))
    assert units_at(edited) == {("tea", "chi"): 1, ("cup", "dal"): 1}
    assert shop.position("tea", "chi").allocated == 1


def test_a_line_set_to_nothing_is_gone(shop: Shop) -> None:
    edited = shop.gives(Order, edit("o", line("cup", 0)))
    assert [each.line_id for each in edited.lines] == ["tea"]
    assert work_of(edited) == {"chi": {"tea": 2}}
    assert shop.position("cup", "dal").allocated == 0


def test_an_order_is_not_emptied_by_an_edit(shop: Shop) -> None:
    both = edit("o", line("tea", 0), line("cup", 0))
    assert shop.refuses(both) is Reason.ORDER_WOULD_BE_EMPTY


def test_an_added_line_is_planned(shop: Shop) -> None:
    edited = shop.gives(Order, edit("o", line("cup", 2, name="more")))
    assert units_at(edited)["more", "dal"] == 2


def test_an_added_line_of_nothing_changes_nothing(shop: Shop) -> None:
    before = now(shop)
    assert shop.gives(Order, edit("o", line("cup", 0, name="more"))) == before


def test_a_line_with_another_method_is_planned_anew(shop: Shop) -> None:
    edited = shop.gives(Order, edit("o", line("tea", 2, by=PICKUP, at="store")))
    assert units_at(edited) == {("tea", "store"): 2, ("cup", "dal"): 1}
    assert shop.position("tea", "chi").allocated == 0


def test_another_address_plans_anew_what_goes_there(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5))
    edited = shop.gives(Order, edit("o", to=DALLAS))
    assert work_of(edited) == {"dal": {"tea": 2, "cup": 1}}
    assert shop.position("tea", "chi").allocated == 0
    fetched = order(line("tea", by=PICKUP, at="store"), as_id="p", to=None)
    before = shop.gives(Order, fetched)
    after = shop.gives(Order, edit("p", to=DALLAS))
    assert after.fulfillment_orders == before.fulfillment_orders


def test_an_edit_may_take_the_units_that_it_gives_back(shop: Shop) -> None:
    shop.given(order(line("tea", 3), as_id="p"))
    edited = shop.gives(Order, edit("o", to=(41.0, -87.0)))
    assert units_at(edited) == {("tea", "chi"): 2, ("cup", "dal"): 1}


def test_an_edit_may_take_the_capacity_that_it_gives_back(shop: Shop) -> None:
    shop.given(changed(calendar("chi", schedule()), daily_capacity=1))
    edited = shop.gives(Order, edit("o", to=(41.0, -87.0)))
    assert units_at(edited)["tea", "chi"] == 2


def test_an_edit_that_says_nothing_new_changes_nothing(shop: Shop) -> None:
    before, count = now(shop), len(shop.records)
    assert shop.gives(Order, edit("o", line("tea", 2))) == before
    assert shop.gives(Order, edit("o")) == before
    assert shop.gives(Order, edit("o", to=CHICAGO)) == before
    assert now(shop).history == before.history
    assert len(shop.records) == count + 3


def test_the_sku_of_a_line_is_fixed(shop: Shop) -> None:
    assert shop.refuses(edit("o", line("cup", 2, name="tea"))) is Reason.LINE_SKU_FIXED


def test_a_line_may_be_named_by_its_id_alone(shop: Shop) -> None:
    edited = shop.gives(Order, edit("o", line("", 3, name="tea")))
    assert units_at(edited)["tea", "chi"] == 3
    assert shop.refuses(edit("o", line("", 3, name="jam"))) is Reason.ORDER_LINE_NOT_FOUND


def test_an_unknown_sku_is_not_added(shop: Shop) -> None:
    assert shop.refuses(edit("o", line("jam"))) is Reason.SKU_NOT_FOUND


def test_no_edit_takes_the_address_from_what_goes_there(shop: Shop) -> None:
    nowhere = EditOrder(OrderId("o"), (), Address())
    assert shop.refuses(nowhere) is Reason.NO_CANDIDATE
    shop.given(order(line("tea", by=PICKUP, at="store"), as_id="p", to=None))
    assert shop.refuses(edit("p", line("cup"))) is Reason.NO_CANDIDATE


def test_an_order_stays_within_the_lines_that_it_may_have(shop: Shop) -> None:
    more = (line("cup", 1, name=f"line-{n}") for n in range(ORDER_LINES_MAX - 1))
    assert shop.refuses(edit("o", *more)) is Reason.TOO_MANY_LINES


def test_what_somebody_works_on_is_not_edited(shop: Shop) -> None:
    shop.given(advance("o/1", S.RELEASED))
    assert shop.refuses(edit("o", line("tea", 1))) is Reason.LINE_RELEASED
    assert shop.refuses(edit("o", line("tea", 0))) is Reason.LINE_RELEASED
    assert shop.refuses(edit("o", line("tea", 2, by=PICKUP, at="store"))) is Reason.LINE_RELEASED
    assert shop.refuses(edit("o", to=DALLAS)) is Reason.LINE_RELEASED
    shop.given(advance("o/1", S.SHIPPED))
    assert shop.refuses(edit("o", line("tea", 1))) is Reason.LINE_RELEASED
    edited = shop.gives(Order, edit("o", line("tea", 3), line("cup", 2)))
    assert units_at(edited) == {("tea", "chi"): 3, ("cup", "dal"): 2}
    assert len(edited.fulfillment_orders) == 3


def test_units_that_nobody_fills_are_the_first_to_go(shop: Shop) -> None:
    shop.given(edit("o", line("tea", 9)))
    assert unsourced_quantities(now(shop)) != {}
    edited = shop.gives(Order, edit("o", line("tea", 2)))
    assert unsourced_quantities(edited) == {}
    assert edited.attention is Attention.NONE


def test_an_edit_plans_what_could_not_be_planned_before(shop: Shop) -> None:
    shop.given(order(line("cup", 5), as_id="p"))
    assert unsourced_quantities(now(shop, "p"))
    shop.given(on_hand("cup", dal=9))
    edited = shop.gives(Order, edit("p", line("cup", 6)))
    assert unsourced_quantities(edited) == {}


def test_an_edit_is_refused_where_shortages_are(shop: Shop) -> None:
    shop.given(order(line("cup", 2), as_id="p", shortage_policy=REFUSING))
    assert shop.refuses(edit("p", line("cup", 9))) is Reason.INSUFFICIENT_STOCK


def test_what_was_short_before_an_edit_does_not_stop_it(shop: Shop) -> None:
    shop.given(order(line("cup", 2), line("tea", 1), as_id="p", shortage_policy=REFUSING))
    shop.given(*(advance(f"p/{n}", S.RELEASED) for n in (1, 2)), disable("dal"))
    cup = next(w for w in now(shop, "p").fulfillment_orders if w.location_id == "dal")
    shop.given(advance(cup.fulfillment_order_id, S.CANCELLED))
    assert unsourced_quantities(now(shop, "p")) == {"cup": 2}
    edited = shop.gives(Order, edit("p", line("tea", 2)))
    assert unsourced_quantities(edited) == {"cup": 2}
    edited = shop.gives(Order, edit("p", line("cup", 1)))
    assert unsourced_quantities(edited) == {"cup": 1}


def test_what_is_kept_together_moves_as_a_whole_when_it_grows(shop: Shop) -> None:
    together = ProductFields(keep_together=True)
    shop.given(CreateProducts(products=((Sku("set"), together),)), on_hand("set", chi=2, dal=9))
    shop.given(order(line("set", 2), as_id="p"))
    assert units_at(now(shop, "p")) == {("set", "chi"): 2}
    edited = shop.gives(Order, edit("p", line("set", 3)))
    assert units_at(edited) == {("set", "dal"): 3}


def test_lines_stay_whole_where_the_rules_say_so(shop: Shop) -> None:
    whole = RoutingLimits(unit_split_allowed=False)
    shop.given(CreateRuleSet(content=RuleSetContent(limits=whole)), validate(1), activate(1))
    shop.given(on_hand("jam", chi=2, dal=9), order(line("jam", 2), as_id="p"))
    assert units_at(shop.gives(Order, edit("p", line("jam", 3)))) == {("jam", "dal"): 3}


def test_a_package_group_stays_in_one_package_when_a_line_joins_it(shop: Shop) -> None:
    shop.given(on_hand("jam", chi=5, dal=5), on_hand("pot", dal=5))
    shop.given(order(line("jam", group="gift"), as_id="p"))
    assert units_at(now(shop, "p")) == {("jam", "chi"): 1}
    edited = shop.gives(Order, edit("p", line("pot", group="gift")))
    assert work_of(edited) == {"dal": {"jam": 1, "pot": 1}}
    assert len(edited.fulfillment_orders) == 1


def test_an_edit_keeps_to_the_packages_that_an_order_may_have(shop: Shop) -> None:
    shop.given(on_hand("jam", chi=5), on_hand("pot", dal=5))
    shop.given(order(line("tea"), as_id="p", package_count_max=1))
    edited = shop.gives(Order, edit("p", line("jam"), line("pot")))
    assert units_at(edited) == {("tea", "chi"): 1, ("jam", "chi"): 1}
    assert unsourced_quantities(edited) == {"pot": 1}
    assert len(edited.fulfillment_orders) == 1


def test_rules_see_the_whole_order_when_a_part_is_planned_again(shop: Shop) -> None:
    shop.given(draft(exclude("small", "order.unit_count < 3 && location.id == 'chi'")))
    shop.given(validate(1), activate(1), on_hand("tea", chi=9, dal=9))
    edited = shop.gives(Order, edit("o", line("tea", 3)))
    assert units_at(edited)["tea", "chi"] == 3


def test_an_edit_can_be_tried_without_doing_it(shop: Shop) -> None:
    before = now(shop)
    answer = shop.send(edit("o", line("tea", 4)), validate_only=True)
    assert isinstance(answer.outcome, Order)
    assert units_at(answer.outcome)["tea", "chi"] == 4
    assert now(shop) == before
    assert shop.position("tea", "chi").allocated == 2


def test_a_stale_etag_stops_every_change(shop: Shop) -> None:
    etag = str(now(shop).revision)
    shop.gives(Order, edit("o", line("tea", 3), etag=etag))
    assert shop.refuses(edit("o", line("tea", 4), etag=etag)) is Reason.ETAG_MISMATCH
    stale = CancelOrder(OrderId("o"), etag=etag)
    assert shop.refuses(stale) is Reason.ETAG_MISMATCH


def test_an_order_that_does_not_exist_cannot_be_changed(shop: Shop) -> None:
    for command in (edit("x"), cancel_order("x"), put_on_hold("x"), take_off_hold("x")):
        assert shop.refuses(command) is Reason.ORDER_NOT_FOUND


# --- cancelling


def test_units_are_cancelled_and_given_back(shop: Shop) -> None:
    changed_order = shop.gives(Order, cancel_order("o", tea=1))
    assert [each.cancelled_quantity for each in changed_order.lines] == [1, 0]
    assert units_at(changed_order) == {("tea", "chi"): 1, ("cup", "dal"): 1}
    assert shop.position("tea", "chi").allocated == 1
    assert changed_order.history[-1].detail == "changed their mind"


def test_all_that_can_be_is_cancelled_at_once(shop: Shop) -> None:
    shop.given(edit("o", line("cup", 9)), advance("o/1", S.RELEASED))
    left = shop.gives(Order, cancel_order("o"))
    assert [each.cancelled_quantity for each in left.lines] == [0, 9]
    assert order_status(left) is OrderStatus.OPEN
    assert shop.refuses(cancel_order("o")) is Reason.LINE_RELEASED


def test_an_order_that_is_all_cancelled_stays_so(shop: Shop) -> None:
    gone = shop.gives(Order, cancel_order("o"))
    assert order_status(gone) is OrderStatus.CANCELLED
    assert gone.fulfillment_orders == ()
    assert shop.gives(Order, cancel_order("o")) == gone
    assert shop.position("tea", "chi").allocated == 0


def test_no_more_is_cancelled_than_was_ordered(shop: Shop) -> None:
    assert shop.refuses(cancel_order("o", tea=3)) is Reason.CANCELLATION_TOO_LARGE
    shop.given(cancel_order("o", tea=2))
    assert shop.refuses(cancel_order("o", tea=1)) is Reason.CANCELLATION_TOO_LARGE
    assert shop.refuses(cancel_order("o", jam=1)) is Reason.ORDER_LINE_NOT_FOUND
    shop.given(advance("o/2", S.RELEASED))
    assert shop.refuses(cancel_order("o", cup=1)) is Reason.LINE_RELEASED


def test_cancelling_nothing_changes_nothing(shop: Shop) -> None:
    before = now(shop)
    assert shop.gives(Order, cancel_order("o", tea=0)) == before
    assert now(shop) == before


def test_units_of_a_line_that_is_named_twice_are_summed(shop: Shop) -> None:
    (tea, cup) = (each.line_id for each in now(shop).lines)
    twice = CancelOrder(OrderId("o"), ((tea, 1), (cup, 1), (tea, 1)))  # type: ignore[arg-type]
    assert order_status(shop.gives(Order, twice)) is OrderStatus.CANCELLED


def test_cancelled_units_stay_on_their_line_when_it_is_edited(shop: Shop) -> None:
    shop.given(cancel_order("o", tea=1))
    edited = shop.gives(Order, edit("o", line("tea", 0)))
    assert [(each.quantity, each.cancelled_quantity) for each in edited.lines] == [(1, 1), (1, 0)]
    assert units_at(edited) == {("cup", "dal"): 1}
    more = shop.gives(Order, edit("o", line("tea", 4)))
    assert units_at(more)["tea", "chi"] == 3


# --- holds


def test_an_order_on_hold_waits_until_every_hold_is_off(shop: Shop) -> None:
    held = shop.gives(Order, put_on_hold("o"))
    assert order_status(held) is OrderStatus.ON_HOLD
    shop.given(put_on_hold("o", HoldKind.PAYMENT))
    assert shop.refuses(advance("o/1", S.RELEASED)) is Reason.ORDER_ON_HOLD
    shop.given(take_off_hold("o"))
    assert shop.refuses(advance("o/1", S.RELEASED)) is Reason.ORDER_ON_HOLD
    shop.given(take_off_hold("o", HoldKind.PAYMENT))
    assert order_status(shop.gives(Order, advance("o/1", S.RELEASED))) is OrderStatus.OPEN
    details = [step.detail for step in now(shop).history]
    assert details[1:3] == ["FRAUD looks odd", "PAYMENT looks odd"]


def test_a_hold_that_is_there_and_one_that_is_not_change_nothing(shop: Shop) -> None:
    held = shop.gives(Order, put_on_hold("o"))
    assert shop.gives(Order, put_on_hold("o")) == held
    assert shop.gives(Order, take_off_hold("o", HoldKind.ADDRESS)) == held


def test_an_order_may_be_placed_on_hold(shop: Shop) -> None:
    twice = ((HoldKind.FRAUD, "new customer"), (HoldKind.FRAUD, "again"))
    placed = shop.gives(Order, order(line("tea"), as_id="p", holds=twice))
    assert [hold.reason for hold in placed.holds] == ["new customer"]
    assert shop.refuses(advance("p/1", S.RELEASED)) is Reason.ORDER_ON_HOLD
    assert shop.position("tea", "chi").allocated == 3


# --- what is remembered


def test_history_and_decisions_have_a_bound_and_keep_the_placing(shop: Shop) -> None:
    for number in range(HISTORY_MAX):
        shop.given(edit("o", line("tea", 2 + number % 2)))
    found = now(shop)
    assert len(found.history) == HISTORY_MAX
    assert found.history[0].kind is StepKind.PLACED
    assert len(found.decisions) == DECISIONS_MAX


def test_a_retried_change_happens_once(shop: Shop) -> None:
    for command in (edit("o", line("tea", 4)), cancel_order("o", tea=1), put_on_hold("o")):
        first = shop.send(command, request_id=f"r-{type(command).__name__}")
        again = shop.send(command, request_id=f"r-{type(command).__name__}")
        assert (again.outcome, again.replayed) == (first.outcome, True)
    assert shop.position("tea", "chi").allocated == 3
    shop.check_replay()
