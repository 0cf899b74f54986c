"""Why a location is not in the plan of an order: each is told its own reason, and a true one."""

import msgspec
import pytest

from domgrpc.core.leg_questions import FILTERS
from domgrpc.core.order_commands import ApplyReplan, OrderMove, PlaceOrder
from domgrpc.core.order_queries import explain_decision, quote_order
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.plans import LocationExplanation, QuotedPackage, QuoteQuestion
from domgrpc.core.values import DeliveryMethod, LineId, LocationId, LocationType, OrderId, TimeMs
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
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
)
from tests.core.routing_rules import activate, draft, exclude, validate
from tests.core.scope_words import at_locations

DAY_MS = 86_400_000


@pytest.fixture
def shop() -> Shop:
    """Return a shop with tea in many places, of which not all can send it."""
    return Shop().given(
        *(place(name, at=CHICAGO) for name in ("chi", "off", "full")),
        *(place(name, at=DALLAS) for name in ("dal", "far", "bare")),
        place("back", LocationType.RETURN_CENTER, at=DALLAS),
        on_hand("tea", chi=5, off=5, full=5, dal=5, far=5, bare=0, back=5),
        disable("off"),
        changed(calendar("full", schedule()), daily_capacity=1),
    )


def why(shop: Shop, *names: str, order_id: str = "o") -> list[LocationExplanation]:
    """Say why locations are not in the newest plan of an order."""
    wanted = tuple(LocationId(name) for name in names)
    found = explain_decision(
        shop.state, OrderId(order_id), None, location_ids=wanted, now_ms=shop.now_ms
    )
    return list(found.locations)


def removed(shop: Shop, *names: str) -> dict[str, str]:
    """Return the filter that removed each location."""
    return {each.location_id: each.removed_by for each in why(shop, *names)}


def quoted(shop: Shop, command: PlaceOrder) -> PlaceOrder:
    """Place an order with the token of its best option."""
    question = QuoteQuestion(command.lines, command.terms)
    best = quote_order(shop.state, question, shop.now_ms).options[0]
    return msgspec.structs.replace(command, quoted=best.quoted)


def test_each_location_has_the_reason_of_its_own(shop: Shop) -> None:
    shop.given(order(line("tea"), as_id="first", scope=at_locations("full")))
    shop.given(draft(exclude("far", "location.id == 'far'")), validate(1), activate(1))
    in_time = TimeMs(shop.now_ms + 2 * DAY_MS)
    where = at_locations("chi", "off", "full", "dal", "far", "bare", "back")
    shop.given(place("out", at=CHICAGO), on_hand("tea", out=5))
    shop.given(order(line("tea"), promise_time_ms=in_time, scope=where))
    found = removed(shop, "chi", "off", "back", "out", "bare", "full", "far")
    assert found == {
        "chi": "",
        "off": "disabled",
        "back": "method",
        "out": "scope",
        "bare": "stock",
        "full": "capacity",
        "far": "rules",
    }
    assert set(found.values()) - {""} <= set(FILTERS)


def test_one_that_gave_it_back_is_excluded_and_one_that_is_late_breaks_the_promise(
    shop: Shop,
) -> None:
    hour_ms = TimeMs(shop.now_ms + 4 * DAY_MS)
    shop.given(order(line("tea"), promise_time_ms=hour_ms, promise_is_hard=True))
    shop.given(advance("o/1", S.RELEASED), advance("o/1", S.CANCELLED))
    assert removed(shop, "chi") == {"chi": "excluded"}
    shop.later(3 * DAY_MS + DAY_MS // 2)
    assert removed(shop, "far") == {"far": "promise"}


def test_nothing_is_said_to_lack_at_a_place_that_has_it_but_may_not_be_used(shop: Shop) -> None:
    shop.given(order(line("tea")))
    assert [each.missing for each in why(shop, "off", "back")] == [(), ()]
    assert why(shop, "bare")[0].missing == (("tea", 1),)


def test_a_place_that_would_be_chosen_now_is_not_in_the_plan_for_that(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=0, full=0, dal=5))
    command = quoted(shop, order(line("tea"), scope=at_locations("chi", "dal")))
    shop.given(on_hand("tea", chi=5), command)
    here, there = why(shop, "chi", "dal")
    assert (here.is_used, there.is_used) == (False, True)
    assert not here.is_as_decided
    assert here.cheaper_by_micros == 0


def test_where_a_move_brought_work_is_in_the_plan(shop: Shop) -> None:
    shop.given(order(line("tea")))
    package = QuotedPackage(LocationId("far"), SHIP, LocationId(""), ((LineId("tea"), 1),))
    shop.given(ApplyReplan((OrderMove(OrderId("o"), shop.order().revision, (package,)),)))
    here, there = why(shop, "chi", "far")
    assert (here.is_used, there.is_used) == (False, True)


def test_work_that_an_outage_could_not_move_is_still_in_the_plan(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=1), order(line("cup")), disable("chi")).replan()
    here, there = why(shop, "chi", "dal")
    assert (here.is_used, there.is_used) == (True, False)
    assert there.removed_by == "stock"


def test_a_place_without_a_part_of_what_ships_complete_lacks_that_part(shop: Shop) -> None:
    shop.given(on_hand("cup", dal=0), order(line("tea"), line("cup"), ship_complete=True))
    (here,) = why(shop, "chi")
    assert not here.is_used
    assert here.missing == (("cup", 1),)


def test_what_was_cancelled_was_in_the_plan_that_was_decided(shop: Shop) -> None:
    shop.given(order(line("tea")), cancel_order("o"))
    assert why(shop, "chi")[0].is_used


def test_of_several_parts_the_one_that_uses_the_place_is_named(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=1))
    shop.given(order(line("cup", by=PICKUP, at="chi"), line("tea")))
    shop.given(edit("o", line("tea", 2)))
    both = explain_decision(
        shop.state,
        OrderId("o"),
        0,
        location_ids=(LocationId("chi"), LocationId("dal")),
        now_ms=shop.now_ms,
    )
    chi, dal = both.locations
    assert (chi.is_used, chi.delivery_method) == (True, DeliveryMethod.PICKUP)
    assert chi.destination_location_id == "chi"
    assert (dal.is_used, dal.delivery_method) == (False, SHIP)
    assert dal.destination_location_id == ""


def test_beside_units_that_come_from_several_places_no_cost_is_told(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, far=5), on_hand("jam", chi=2, dal=2))
    shop.given(order(line("tea"), line("jam", 4)))
    (found,) = why(shop, "far")
    assert (found.is_used, found.removed_by, found.missing) == (False, "", (("jam", 4),))
    assert found.cheaper_by_micros is None
