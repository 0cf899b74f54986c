"""Planning open orders again: outages, and new plans of many orders at once."""

import msgspec
import pytest

from domgrpc.core.order_commands import ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.order_moves import MOVED_CELLS_MAX, package_count_max
from domgrpc.core.orders import Attention, Order, StepKind
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason
from domgrpc.core.replanning import (
    OUTAGE_ORDERS_PER_RECORD_MAX,
    PLANNING_FAILED,
    decide_outage,
)
from domgrpc.core.values import (
    LineId,
    LocationId,
    LocationType,
    OrderId,
    Revision,
    Sku,
)
from tests.core.broken import Breaking, timer
from tests.core.commands import disable, on_hand, place
from tests.core.given import NOON_MS, Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    PICKUP,
    SHIP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    units_at,
    work_of,
)

DC = LocationType.DISTRIBUTION_CENTER


@pytest.fixture
def shop() -> Shop:
    """Return a shop with tea in Chicago and Dallas."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("store", at=(41.95, -87.70)),
        on_hand("tea", chi=5, dal=5),
    )


def package(at: str, **units: int) -> QuotedPackage:
    """Write a package of a move."""
    lines = tuple((LineId(name), count) for name, count in units.items())
    return QuotedPackage(LocationId(at), SHIP, LocationId(""), lines)


def move(shop: Shop, order_id: str, *packages: QuotedPackage, older: int = 0) -> OrderMove:
    """Write a move of an order as it stands, or as it stood."""
    revision = shop.order(order_id).revision - older
    return OrderMove(OrderId(order_id), Revision(revision), packages)


def applied(shop: Shop, *moves: OrderMove) -> ReplanSummary:
    """Book a new plan."""
    return shop.gives(ReplanSummary, ApplyReplan(moves))


# --- outages


def test_the_open_work_of_a_closed_location_is_planned_elsewhere(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), disable("chi"))
    event = shop.replan()
    assert event is not None
    assert event.summary == ReplanSummary((OrderId("o"),), ())
    assert work_of(shop.order()) == {"dal": {"tea": 2}}
    assert (shop.position("tea", "chi").allocated, shop.position("tea", "dal").allocated) == (0, 2)
    assert shop.order().history[-1].kind is StepKind.REPLANNED
    assert shop.order().decisions[-1].step is StepKind.REPLANNED
    assert shop.replan() is None
    shop.check_replay()


def test_nothing_is_planned_again_while_all_are_open(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), disable("dal"))
    assert shop.replan() is None


def test_a_window_of_closing_moves_work_when_it_begins(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), disable("chi", start_ms=NOON_MS + 1_000))
    assert shop.replan() is None
    shop.later(1_000)
    assert shop.replan() is not None
    assert work_of(shop.order()) == {"dal": {"tea": 2}}


def test_work_that_was_released_stays(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), advance("o/1", S.RELEASED), disable("chi"))
    assert shop.replan() is None
    assert work_of(shop.order()) == {"chi": {"tea": 2}}


def test_work_that_nobody_else_can_do_stays_and_is_flagged(shop: Shop) -> None:
    shop.given(order(line("tea", 3), as_id="other", to=DALLAS))
    shop.given(order(line("tea", 4)), disable("chi"))
    event = shop.replan()
    assert event is not None
    assert shop.order().attention is Attention.LOCATION_DISABLED
    assert [order_id for order_id, _ in event.summary.skipped] == ["o"]
    placed = units_at(shop.order())
    assert sum(placed.values()) == 4
    assert shop.position("tea", "dal").allocated <= 5
    assert shop.replan() is None


def told(shop: Shop) -> str:
    """Return what the history of the order said last."""
    return shop.order().history[-1].detail


def test_history_says_from_where_work_has_gone(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "away from chi"


def test_history_says_of_work_that_stays_that_nobody_else_can_do_it(shop: Shop) -> None:
    shop.given(on_hand("jar", chi=1), order(line("jar")), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "still at chi: no other location can do all of its work"
    shop.given(on_hand("jar", dal=1))
    assert shop.serve() is not None
    assert told(shop) == "away from chi"


def test_history_says_of_work_of_which_a_part_goes_that_it_is_a_part(shop: Shop) -> None:
    shop.given(on_hand("jar", chi=1), order(line("tea"), line("jar")), disable("chi"))
    assert shop.replan() is not None
    assert told(shop) == "away from chi in part: no other location can do all of its work"


def test_what_is_picked_up_at_a_closed_store_is_flagged(shop: Shop) -> None:
    shop.given(on_hand("tea", store=5), order(line("tea", by=PICKUP, at="store")))
    shop.given(disable("store"))
    assert shop.replan() is not None
    assert shop.order().attention is Attention.LOCATION_DISABLED
    assert work_of(shop.order()) == {"store": {"tea": 1}}


def test_what_is_kept_together_is_moved_whole_or_not(shop: Shop) -> None:
    together = ProductFields(keep_together=True)
    shop.given(CreateProducts(products=((Sku("set"), together),)), on_hand("set", chi=5, dal=2))
    shop.given(order(line("set", 3)), disable("chi"))
    assert shop.replan() is not None
    assert units_at(shop.order()) == {("set", "chi"): 3}


def test_an_outage_keeps_to_the_packages_that_an_order_may_have(shop: Shop) -> None:
    shop.given(order(line("tea", 2), package_count_max=1), disable("chi"))
    assert shop.replan() is not None
    assert work_of(shop.order()) == {"dal": {"tea": 2}}


def test_orders_on_hold_move_too(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), put_on_hold("o"), disable("chi"))
    assert shop.replan() is not None
    assert work_of(shop.order()) == {"dal": {"tea": 2}}


def test_orders_that_share_scarce_stock_never_take_more_than_there_is(shop: Shop) -> None:
    for number in range(3):
        shop.given(order(line("tea", 1), as_id=f"o{number}", to=CHICAGO))
    shop.given(order(line("tea", 3), as_id="d", to=DALLAS), disable("chi"))
    assert shop.replan() is not None
    moved = [work_of(shop.order(f"o{number}")) for number in range(3)]
    assert moved.count({"dal": {"tea": 1}}) == 2
    assert shop.position("tea", "dal").allocated == 5


@pytest.mark.slow
def test_an_outage_of_many_orders_is_planned_in_several_records(shop: Shop) -> None:
    count = OUTAGE_ORDERS_PER_RECORD_MAX + 5
    shop.given(on_hand("tea", chi=count, dal=count))
    shop.given(*(order(line("tea"), as_id=f"o{number}") for number in range(count)))
    shop.given(disable("chi"))
    records = len(shop.records)
    while shop.replan() is not None:
        continue
    assert len(shop.records) == records + 2
    assert shop.position("tea", "dal").allocated == count


def test_a_restart_in_the_middle_of_an_outage_goes_on(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), order(line("tea", 1), as_id="p"), disable("chi"))
    again = shop.reopened()
    assert again.replan() is not None
    assert work_of(again.order()) == {"dal": {"tea": 2}}
    assert again.reopened().replan() is None


# --- new plans


def test_a_new_plan_moves_open_work(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    assert applied(shop, move(shop, "o", package("dal", tea=2))) == ReplanSummary(
        (OrderId("o"),), ()
    )
    assert work_of(shop.order()) == {"dal": {"tea": 2}}
    assert (shop.position("tea", "chi").allocated, shop.position("tea", "dal").allocated) == (0, 2)


def test_orders_may_exchange_the_last_units(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=1, dal=1))
    shop.given(order(line("cup")), order(line("cup"), as_id="p"))
    summary = applied(
        shop, move(shop, "o", package("dal", cup=1)), move(shop, "p", package("chi", cup=1))
    )
    assert summary.applied_order_ids == ("o", "p")
    assert work_of(shop.order("o")) == {"dal": {"cup": 1}}
    assert work_of(shop.order("p")) == {"chi": {"cup": 1}}
    shop.check_replay()


def test_what_depends_on_a_move_that_fails_fails_with_it(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=1, dal=1))
    shop.given(order(line("cup")), order(line("cup"), as_id="p"))
    summary = applied(
        shop, move(shop, "o", package("store", cup=1)), move(shop, "p", package("chi", cup=1))
    )
    assert [order_id for order_id, _ in summary.skipped] == ["o", "p"]
    assert work_of(shop.order("p")) == {"dal": {"cup": 1}}


def test_orders_may_exchange_the_capacity_of_a_day(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=9, dal=9))
    for name in ("chi", "dal"):
        shop.given(changed(calendar(name, schedule()), daily_capacity=1))
    shop.given(order(line("cup")), order(line("cup"), as_id="p"))
    summary = applied(
        shop, move(shop, "o", package("dal", cup=1)), move(shop, "p", package("chi", cup=1))
    )
    assert summary.applied_order_ids == ("o", "p")


def test_an_order_that_changed_meanwhile_stays_as_it_is(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    summary = applied(
        shop,
        move(shop, "o", package("dal", tea=2), older=1),
        OrderMove(OrderId("x"), Revision(1), ()),
    )
    assert summary.applied_order_ids == ()
    assert len(summary.skipped) == 2
    assert work_of(shop.order()) == {"chi": {"tea": 2}}


def test_an_order_is_moved_once(shop: Shop) -> None:
    shop.given(order(line("tea", 2)))
    summary = applied(
        shop, move(shop, "o", package("dal", tea=2)), move(shop, "o", package("chi", tea=2))
    )
    assert summary.applied_order_ids == ("o",)
    assert summary.skipped == ((OrderId("o"), "it is named twice"),)
    assert work_of(shop.order()) == {"dal": {"tea": 2}}


def test_a_move_is_of_exactly_the_open_units(shop: Shop) -> None:
    shop.given(order(line("tea", 3)))
    for packages in (
        (package("dal", tea=2),),
        (package("dal", tea=4),),
        (package("dal"),),
        (),
        (package("dal", tea=3, cup=1),),
    ):
        assert applied(shop, move(shop, "o", *packages)).applied_order_ids == ()
    assert work_of(shop.order()) == {"chi": {"tea": 3}}


def test_work_that_was_released_is_not_moved(shop: Shop) -> None:
    shop.given(on_hand("cup", dal=5), on_hand("jam", chi=5, store=5))
    shop.given(order(line("cup"), line("jam", 1)))
    released, still_open = shop.order().fulfillment_orders
    (jam,) = still_open.lines
    shop.given(advance(released.fulfillment_order_id, S.RELEASED))
    target = "store" if still_open.location_id == "chi" else "dal"
    both = (package(target, cup=1, jam=1),)
    assert applied(shop, move(shop, "o", *both)).applied_order_ids == ()
    only = package(target, **{jam.line_id: 1})
    assert applied(shop, move(shop, "o", only)).applied_order_ids == ("o",)
    assert shop.order().fulfillment_orders[0].location_id == released.location_id
    assert shop.order().fulfillment_orders[1].location_id == target


def test_a_cancelled_order_has_nothing_to_move(shop: Shop) -> None:
    shop.given(order(line("tea", 2)), cancel_order("o"))
    assert applied(shop, move(shop, "o")).skipped == ((OrderId("o"), "nothing of it is open"),)


def test_a_new_plan_that_does_not_fit_changes_nothing(shop: Shop) -> None:
    shop.given(order(line("tea", 5)), order(line("tea", 5), as_id="p"))
    before = shop.order()
    summary = applied(shop, move(shop, "o", package("dal", tea=5)))
    assert summary.applied_order_ids == ()
    assert shop.order() == before


@pytest.mark.slow
def test_a_long_chain_of_moves_that_fail_is_given_up_in_time(shop: Shop) -> None:
    count = 12
    for number in range(count):
        shop.given(place(f"s{number}", at=CHICAGO), on_hand("cup", **{f"s{number}": 1}))
        shop.given(order(line("cup"), as_id=f"o{number}"))
    moves = [
        move(shop, f"o{number}", package(f"s{number + 1}" if number + 1 < count else "dal", cup=1))
        for number in range(count)
    ]
    summary = applied(shop, *moves)
    assert summary.applied_order_ids == ()
    assert len(summary.skipped) == count
    shop.given(on_hand("cup", dal=1))
    assert applied(shop, *moves).applied_order_ids == tuple(f"o{n}" for n in range(count))


@pytest.mark.slow
def test_of_a_chain_that_breaks_what_still_fits_is_moved(shop: Shop) -> None:
    count = 9
    for number in range(count):
        shop.given(place(f"s{number}", at=CHICAGO), on_hand("cup", **{f"s{number}": 1}))
        shop.given(order(line("cup"), as_id=f"o{number}"))
    shop.given(order(line("tea"), as_id="free"))
    moves = [
        move(shop, f"o{number}", package(f"s{number + 1}" if number + 1 < count else "dal", cup=1))
        for number in range(count)
    ]
    summary = applied(shop, move(shop, "free", package("dal", tea=1)), *moves)
    assert summary.applied_order_ids == ("free",)
    assert work_of(shop.order("free")) == {"dal": {"tea": 1}}
    shop.check_replay()


def test_a_move_may_be_tried_without_doing_it(shop: Shop) -> None:
    placed = shop.gives(Order, order(line("tea", 2)))
    command = ApplyReplan((move(shop, "o", package("dal", tea=2)),))
    answer = shop.send(command, validate_only=True)
    assert answer.outcome == ReplanSummary((OrderId("o"),), ())
    assert shop.order() == placed


def test_so_much_is_not_booked_at_once_that_all_others_wait(shop: Shop) -> None:
    # There are three locations.
    packages = (package("dal", tea=1),) * (MOVED_CELLS_MAX // 6)
    one, other = (OrderMove(OrderId(name), Revision(1), packages) for name in ("o", "p"))
    more = msgspec.structs.replace(other, packages=(*packages, *packages[:2]))
    assert len(applied(shop, one, other).skipped) == 2
    refused = shop.refusal(ApplyReplan((one, more)))
    assert refused.reason is Reason.REPLAN_TOO_LARGE
    assert refused.facts["package_count_max"] == str(package_count_max(3))
    assert len(applied(shop, msgspec.structs.replace(one, packages=packages * 9)).skipped) == 1


def test_the_more_locations_the_fewer_packages_are_booked_at_once() -> None:
    assert [package_count_max(count) for count in (1, 1_000, 10**6)] == [MOVED_CELLS_MAX, 100, 1]


def broken_order(shop: Shop, fault: Exception) -> None:
    """Place an order that breaks being planned again, beside one that does not."""
    shop.given(order(line("tea"), as_id="bad"), order(line("tea"), as_id="good"))
    bad = shop.order("bad")
    terms = msgspec.structs.replace(bad.terms, address=Breaking(fault))
    shop.state.orders.by_id[OrderId("bad")] = msgspec.structs.replace(bad, terms=terms)
    shop.given(disable("chi"))


def test_an_order_that_breaks_its_planning_is_flagged_and_keeps_nobody_there() -> None:
    shop = Shop(steps_per_check=10**6)
    shop.given(place("chi", DC, at=CHICAGO), place("dal", DC, at=DALLAS))
    shop.given(on_hand("tea", chi=5, dal=5))
    broken_order(shop, OverflowError("too large"))
    event = decide_outage(shop.state.planner, timer(shop))
    assert event is not None
    assert event.summary.applied_order_ids == ("good",)
    assert event.summary.skipped == (("bad", f"{PLANNING_FAILED}: OverflowError"),)
    bad, good = (change.order for change in event.changes)
    assert bad.attention is Attention.LOCATION_DISABLED
    assert bad.history[-1].detail == f"{PLANNING_FAILED}: OverflowError"
    assert work_of(bad) == {"chi": {"tea": 1}}
    assert work_of(good) == {"dal": {"tea": 1}}


def test_what_shows_that_the_state_is_wrong_is_no_failed_order(shop: Shop) -> None:
    broken_order(shop, AssertionError())
    with pytest.raises(AssertionError):
        shop.replan()
    with pytest.raises(AssertionError):
        shop.send(edit("bad", line("tea", 2)))
