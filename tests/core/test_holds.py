"""Holds: stock that nobody else gets until a deadline; all lines or none."""

import msgspec
import pytest

from domgrpc.core.rejections import Alternative, Reason, ShortLine
from domgrpc.core.reservations import Reservation, ReservationLine, ReservationState
from domgrpc.core.values import (
    DeliveryMethod,
    LocationId,
    LocationType,
    Quantity,
    Sku,
    TimeMs,
)
from tests.core.commands import (
    PICKUP,
    SHIP,
    confirm,
    demand,
    disable,
    enable,
    on_hand,
    place,
    product,
    release,
    reserve,
)
from tests.core.given import NOON_MS, Shop, quantities
from tests.core.scope_words import at_locations

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 1440 * MINUTE_MS


@pytest.fixture
def store(shop: Shop) -> Shop:
    """Stores A and B with 10 and 5 of x, and 8 of y at A."""
    return shop.given(place("A"), place("B"), on_hand("x", A=10, B=5), on_hand("y", A=8))


def short(
    sku: str, where: str, asked: int, available: int, *elsewhere: tuple[str, str, int]
) -> ShortLine:
    """Write a short line."""
    return ShortLine(
        Sku(sku),
        LocationId(where),
        Quantity(asked),
        Quantity(available),
        tuple(
            Alternative(Sku(other), LocationId(place_id), Quantity(units))
            for other, place_id, units in elsewhere
        ),
    )


# --- what a hold is


def test_a_hold_is_as_its_caller_said(store: Shop) -> None:
    asked = reserve(
        ("y", "A", 1),
        ("x", "A", 2),
        as_id="cart-7",
        ttl_ms=MINUTE_MS,
        demand=demand("web", SHIP),
        reference="till 3",
    )
    held = store.holds(asked, client_id="checkout")
    assert held == Reservation(
        reservation_id=held.reservation_id,
        client_id=held.client_id,
        state=ReservationState.HELD,
        lines=(
            ReservationLine(Sku("x"), LocationId("A"), Quantity(2)),
            ReservationLine(Sku("y"), LocationId("A"), Quantity(1)),
        ),
        demand=demand("web", SHIP),
        reference="till 3",
        expire_time_ms=TimeMs(NOON_MS + MINUTE_MS),
        create_time_ms=NOON_MS,
        update_time_ms=NOON_MS,
        revision=held.revision,
    )
    assert (held.reservation_id, held.client_id) == ("cart-7", "checkout")
    assert store.reservation("cart-7") == held


def test_a_hold_without_an_id_is_known_by_its_request(store: Shop) -> None:
    store.send(reserve(("x", "A", 1)), request_id="cart:9")
    assert store.reservation("cart:9").state is ReservationState.HELD


def test_held_units_are_soft_reserved_and_leave_the_stock_where_it_is(store: Shop) -> None:
    store.given(reserve(("x", "A", 4)))
    position = store.position("x", "A")
    assert (position.on_hand, position.soft_reserved, position.allocated) == (10, 4, 0)
    assert position.available_to_fulfill == 6


def test_lines_are_sorted_by_sku_and_location_and_summed(store: Shop) -> None:
    held = store.holds(
        reserve(("y", "A", 1), ("x", "B", 1), ("x", "A", 2), ("y", "A", 3), ("x", "A", 1))
    )
    assert list(quantities(held).items()) == [(("x", "A"), 3), (("x", "B"), 1), (("y", "A"), 4)]


def test_an_id_is_unique_for_ever(store: Shop) -> None:
    store.given(reserve(("x", "A", 1), as_id="r"))
    assert store.refuses(reserve(("x", "A", 1), as_id="r")) is Reason.RESERVATION_ID_TAKEN
    store.given(release("r"))
    assert store.refuses(reserve(("x", "A", 1), as_id="r")) is Reason.RESERVATION_ID_TAKEN
    other = store.send(reserve(("x", "A", 1)), request_id="r", client_id="another")
    assert "RESERVATION_ID_TAKEN" in str(other.outcome)


def test_a_refused_hold_does_not_use_its_id_up(store: Shop) -> None:
    store.refuses(reserve(("x", "A", 11), as_id="r"))
    store.given(reserve(("x", "A", 10), as_id="r"))


# --- all lines or none


def test_the_last_unit_can_be_held_and_one_more_cannot(store: Shop) -> None:
    store.given(reserve(("x", "A", 10)))
    assert store.refuses(reserve(("x", "A", 1))) is Reason.INSUFFICIENT_STOCK


def test_a_hold_takes_all_lines_or_none(store: Shop) -> None:
    refused = store.refusal(reserve(("x", "A", 1), ("x", "B", 6), ("y", "A", 9)))
    assert refused.reason is Reason.INSUFFICIENT_STOCK
    assert refused.short_lines == (
        short("x", "B", 6, 5, ("x", "A", 9)),
        short("y", "A", 9, 8),
    )


def test_the_same_sku_on_several_lines_is_summed_before_it_is_checked(store: Shop) -> None:
    refused = store.refusal(reserve(("x", "A", 6), ("y", "A", 1), ("x", "A", 6)))
    assert refused.short_lines == (short("x", "A", 12, 10, ("x", "B", 5)),)
    store.given(reserve(("x", "A", 6), ("x", "A", 4)))


def test_a_line_with_and_one_without_a_location_do_not_take_the_same_units(store: Shop) -> None:
    assert store.refuses(reserve(("x", "", 6), ("x", "A", 10))) is Reason.INSUFFICIENT_STOCK
    held = store.holds(reserve(("x", "", 5), ("x", "A", 10)))
    assert quantities(held) == {("x", "A"): 10, ("x", "B"): 5}


def test_an_unknown_sku_is_short_and_an_unknown_location_is_named(store: Shop) -> None:
    refused = store.refusal(reserve(("new", "A", 1)))
    assert (refused.reason, refused.short_lines) == (
        Reason.INSUFFICIENT_STOCK,
        (short("new", "A", 1, 0),),
    )
    assert store.refusal(reserve(("new", "", 1))).short_lines == (short("new", "", 1, 0),)
    assert store.refuses(reserve(("x", "Z", 1))) is Reason.LOCATION_NOT_FOUND
    nowhere = reserve(("x", "", 1), scope=at_locations("Z"))
    assert store.refuses(nowhere) is Reason.LOCATION_NOT_FOUND


def test_a_refused_hold_does_not_make_a_sku_or_a_position_known(store: Shop) -> None:
    store.refusal(reserve(("new", "A", 1), ("y", "B", 1)))
    assert not store.available("new").known
    assert [each.location_id for each in store.available("y").locations] == ["A"]


def test_a_shortage_names_where_else_stock_is_most_first_and_up_to_five(shop: Shop) -> None:
    shop.given(*(place(name) for name in "ABCDEFGH"))
    shop.given(on_hand("x", A=1, B=2, C=9, D=5, E=0, F=7, G=3, H=4))
    shop.given(reserve(("x", "C", 9)), disable("F"))
    (line,) = shop.refusal(reserve(("x", "A", 2))).short_lines
    assert line == short("x", "A", 2, 1, ("x", "D", 5), ("x", "H", 4), ("x", "G", 3), ("x", "B", 2))
    (line,) = shop.refusal(reserve(("x", "E", 1))).short_lines
    assert [each.location_id for each in line.alternatives] == ["D", "H", "G", "B", "A"]


def test_alternatives_can_do_the_method_that_was_asked(store: Shop) -> None:
    store.given(place("W", LocationType.DISTRIBUTION_CENTER), on_hand("x", W=50))
    (line,) = store.refusal(reserve(("x", "A", 11), demand=demand("", PICKUP))).short_lines
    assert line.alternatives == (Alternative(Sku("x"), LocationId("B"), Quantity(5)),)


def test_substitutes_are_named_when_stock_is_short(store: Shop) -> None:
    store.given(product("z", substitutes=("nothing", "y")), on_hand("z", A=1))
    (line,) = store.refusal(reserve(("z", "A", 2))).short_lines
    assert line == short("z", "A", 2, 1, ("y", "A", 8))


# --- partial


def test_a_partial_hold_takes_what_there_is_and_reports_the_rest(store: Shop) -> None:
    asked = reserve(
        ("x", "A", 4), ("x", "B", 6), ("y", "B", 1), ("new", "", 2), as_id="r", allow_partial=True
    )
    held = store.holds(asked)
    assert quantities(held) == {("x", "A"): 4, ("x", "B"): 5}
    assert {(line.sku, line.location_id): line for line in held.short_lines} == {
        ("x", "B"): short("x", "B", 6, 5, ("x", "A", 6)),
        ("y", "B"): short("y", "B", 1, 0, ("y", "A", 8)),
        ("new", ""): short("new", "", 2, 0),
    }


def test_short_lines_are_told_in_the_answer_of_the_call_only(store: Shop) -> None:
    held = store.holds(reserve(("x", "A", 11), as_id="r", allow_partial=True))
    assert held.short_lines
    assert store.reservation("r") == msgspec.structs.replace(held, short_lines=())
    assert store.holds(confirm("r")).short_lines == ()


def test_a_partial_hold_of_everything_is_whole(store: Shop) -> None:
    held = store.holds(reserve(("x", "A", 10), allow_partial=True))
    assert held.short_lines == ()


def test_a_partial_hold_of_nothing_is_refused(store: Shop) -> None:
    asked = reserve(("y", "B", 1), ("new", "A", 1), allow_partial=True)
    refused = store.refusal(asked)
    assert refused.reason is Reason.INSUFFICIENT_STOCK
    assert len(refused.short_lines) == 2


def test_a_partial_hold_without_a_location_takes_what_the_scope_has(store: Shop) -> None:
    held = store.holds(reserve(("x", "", 99), allow_partial=True))
    assert quantities(held) == {("x", "A"): 10, ("x", "B"): 5}
    (line,) = held.short_lines
    assert (line.location_id, line.asked_quantity, line.available_quantity) == ("", 99, 15)


def test_a_partial_hold_leaves_a_closed_location_out(store: Shop) -> None:
    store.given(disable("A"))
    held = store.holds(reserve(("x", "A", 1), ("x", "B", 1), allow_partial=True))
    assert quantities(held) == {("x", "B"): 1}
    assert [(line.location_id, line.available_quantity) for line in held.short_lines] == [("A", 0)]


# --- where it may be held


def test_a_disabled_location_takes_no_hold_in_its_window(store: Shop) -> None:
    store.given(disable("A", start_ms=NOON_MS + 1000, end_ms=NOON_MS + 2000))
    store.at(NOON_MS + 999).given(reserve(("x", "A", 1)))
    store.at(NOON_MS + 1000)
    assert store.refuses(reserve(("x", "A", 1))) is Reason.LOCATION_DISABLED
    store.at(NOON_MS + 1999)
    assert store.refuses(reserve(("x", "A", 1))) is Reason.LOCATION_DISABLED
    store.at(NOON_MS + 2000).given(reserve(("x", "A", 1)))


def test_a_location_takes_holds_by_the_methods_that_it_can_do_only(store: Shop) -> None:
    drop_ship = demand("", DeliveryMethod.DROP_SHIP)
    refused = store.refuses(reserve(("x", "A", 1), demand=drop_ship))
    assert refused is Reason.DELIVERY_METHOD_UNSUPPORTED
    anywhere = store.refusal(reserve(("x", "", 1), demand=drop_ship))
    assert (anywhere.reason, anywhere.short_lines) == (
        Reason.INSUFFICIENT_STOCK,
        (short("x", "", 1, 0),),
    )


def test_a_hold_at_a_location_that_closes_stays(store: Shop) -> None:
    store.given(reserve(("x", "A", 4), as_id="r"), disable("A"))
    assert store.reservation("r").state is ReservationState.HELD
    assert store.holds(confirm("r")).state is ReservationState.CONFIRMED
    store.given(enable("A"))
    assert store.atf("x") == 11
