"""ReservationService over the wire: every method, what it answers and what it refuses."""

from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2

from domgrpc.core.values import Limits
from domgrpc.v1 import reservation_pb2 as pb
from domgrpc.v1.errors_pb2 import InsufficientStock
from domgrpc.v1.types_pb2 import DELIVERY_METHOD_PICKUP, LocationList, Scope
from tests.rpc.serving import NOON_MS, Shop, refusal, serving

SECOND_MS = 1_000


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with ten of A in the north and five in the south."""
    await shop.add_location("north")
    await shop.add_location("south")
    await shop.count(("A", "north", 10), ("A", "south", 5), ("B", "north", 3))
    return shop


def states(reservation: pb.Reservation) -> list[tuple[str, str, int]]:
    return [(line.sku, line.location_id, line.quantity) for line in reservation.lines]


async def test_a_hold_takes_stock_for_fifteen_minutes_unless_it_says_otherwise(
    stocked: Shop,
) -> None:
    held = await stocked.hold(("A", "north", 4), channel="web", reference="cart 7")
    assert held.state == pb.RESERVATION_STATE_HELD
    assert states(held) == [("A", "north", 4)]
    assert (held.channel, held.reference, held.client_id) == ("web", "cart 7", "anonymous")
    assert held.expire_time.ToMilliseconds() == NOON_MS + 15 * 60 * SECOND_MS
    assert held.create_time.ToMilliseconds() == NOON_MS
    assert (await stocked.position("A", "north")).soft_reserved == 4


async def test_the_request_id_names_a_reservation_that_has_no_name_of_its_own(
    stocked: Shop,
) -> None:
    assert (await stocked.hold(("A", "north", 1), request_id="r1")).reservation_id == "r1"
    named = await stocked.hold(("A", "north", 1), request_id="r2", reservation_id="cart-9")
    assert named.reservation_id == "cart-9"
    refused = await refusal(stocked.hold(("A", "north", 1), reservation_id="cart-9"))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "RESERVATION_ID_TAKEN",
    )
    resource = refused.detail(error_details_pb2.ResourceInfo)
    assert (resource.resource_type, resource.resource_name) == ("Reservation", "cart-9")


async def test_the_same_sku_on_two_lines_is_summed(stocked: Shop) -> None:
    held = await stocked.hold(("B", "north", 1), ("B", "north", 2))
    assert states(held) == [("B", "north", 3)]
    refused = await refusal(stocked.hold(("A", "north", 6), ("A", "north", 5)))
    assert refused.detail(InsufficientStock).lines[0].asked_quantity == 11


async def test_a_shortage_names_each_short_line_and_where_else_stock_is(stocked: Shop) -> None:
    refused = await refusal(stocked.hold(("A", "south", 7), ("B", "north", 4)))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "INSUFFICIENT_STOCK",
    )
    short = refused.detail(InsufficientStock)
    assert short.line_count == 2
    first = short.lines[0]
    assert (first.sku, first.location_id) == ("A", "south")
    assert (first.asked_quantity, first.available_quantity) == (7, 5)
    (alternative,) = first.alternatives
    assert (alternative.location_id, alternative.available_quantity) == ("north", 10)
    (violation,) = refused.detail(error_details_pb2.PreconditionFailure).violations
    assert (violation.type, violation.subject) == ("INSUFFICIENT_STOCK", "A/south")
    assert refused.facts["available_quantity"] == "5"
    assert (await stocked.position("A", "south")).soft_reserved == 0


async def test_a_shortage_of_thousands_of_lines_still_fits_into_the_trailer(
    stocked: Shop,
) -> None:
    lines = [(f"missing-{number:0100}", "north", 1) for number in range(5_000)]
    refused = await refusal(stocked.hold(*lines))
    short = refused.detail(InsufficientStock)
    assert short.line_count == 5_000
    assert 1 <= len(short.lines) < 100


async def test_partial_holds_what_there_is_and_reports_the_rest_once(stocked: Shop) -> None:
    held = await stocked.hold(("A", "south", 7), ("B", "north", 1), allow_partial=True)
    assert states(held) == [("A", "south", 5), ("B", "north", 1)]
    (short,) = held.short_lines
    assert (short.sku, short.asked_quantity, short.available_quantity) == ("A", 7, 5)
    read = await stocked.reservations.GetReservation(
        pb.GetReservationRequest(reservation_id=held.reservation_id)
    )
    assert not read.short_lines


async def test_the_service_picks_locations_within_the_scope(stocked: Shop) -> None:
    anywhere = await stocked.hold(("A", "", 6))
    assert states(anywhere) == [("A", "north", 6)]
    scope = Scope(locations=LocationList(location_ids=["south"]))
    assert states(await stocked.hold(("A", "", 2), scope=scope)) == [("A", "south", 2)]
    unknown = Scope(locations=LocationList(location_ids=["east"]))
    refused = await refusal(stocked.hold(("A", "", 2), scope=unknown))
    assert refused.reason == "LOCATION_NOT_FOUND"


async def test_a_ttl_outside_its_range_is_refused(stocked: Shop) -> None:
    for fields in (
        {"ttl": Duration(nanos=999_000_000)},
        {"ttl": Duration(seconds=30 * 86_400 + 1)},
        {"ttl": Duration(seconds=-5)},
        {"expire_time": Timestamp(seconds=NOON_MS // SECOND_MS)},
    ):
        refused = await refusal(stocked.hold(("A", "north", 1), **fields))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "TTL_OUT_OF_RANGE",
        )
        assert refused.field == "expiration"


async def test_a_hold_is_over_at_its_deadline_exactly(stocked: Shop) -> None:
    held = await stocked.hold(("B", "north", 3), ttl=Duration(seconds=60))
    stocked.clock.now_ms += 60 * SECOND_MS - 1
    refused = await refusal(stocked.hold(("B", "north", 3)))
    assert refused.reason == "INSUFFICIENT_STOCK"
    stocked.clock.now_ms += 1
    read = await stocked.reservations.GetReservation(
        pb.GetReservationRequest(reservation_id=held.reservation_id)
    )
    assert read.state == pb.RESERVATION_STATE_EXPIRED
    assert states(await stocked.hold(("B", "north", 3))) == [("B", "north", 3)]


async def test_confirming_twice_changes_nothing_and_once_expired_it_fails(stocked: Shop) -> None:
    held = await stocked.hold(("A", "north", 2))
    confirmed = await confirm(stocked, held)
    assert confirmed.state == pb.RESERVATION_STATE_CONFIRMED
    again = await confirm(stocked, held)
    assert again.etag == confirmed.etag
    late = await stocked.hold(("A", "north", 2))
    stocked.clock.now_ms += 16 * 60 * SECOND_MS
    refused = await refusal(confirm(stocked, late))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RESERVATION_EXPIRED",
    )
    revived = await stocked.reservations.ConfirmReservation(
        pb.ConfirmReservationRequest(
            request_id=stocked.key(), reservation_id=late.reservation_id, revive_if_available=True
        )
    )
    assert revived.state == pb.RESERVATION_STATE_CONFIRMED


async def test_releasing_twice_changes_nothing_and_a_confirmed_one_is_not_released(
    stocked: Shop,
) -> None:
    held = await stocked.hold(("A", "north", 2))
    released = await release(stocked, held)
    assert released.state == pb.RESERVATION_STATE_RELEASED
    assert (await release(stocked, held)).etag == released.etag
    other = await stocked.hold(("A", "north", 2))
    await confirm(stocked, other)
    refused = await refusal(release(stocked, other))
    assert refused.reason == "ILLEGAL_TRANSITION"
    assert (await refusal(confirm(stocked, released))).reason == "ILLEGAL_TRANSITION"


async def test_a_hold_changes_in_place(stocked: Shop) -> None:
    held = await stocked.hold(("A", "north", 2), ("B", "north", 1))
    changed = await stocked.reservations.UpdateReservation(
        pb.UpdateReservationRequest(
            request_id=stocked.key(),
            reservation_id=held.reservation_id,
            lines=[
                pb.LineQuantity(sku="A", location_id="north", quantity=10),
                pb.LineQuantity(sku="B", location_id="north", quantity=0),
            ],
            ttl=Duration(seconds=3_600),
            etag=held.etag,
        )
    )
    assert states(changed) == [("A", "north", 10)]
    assert changed.expire_time.ToMilliseconds() == NOON_MS + 3_600 * SECOND_MS
    stale = pb.UpdateReservationRequest(
        request_id=stocked.key(), reservation_id=held.reservation_id, etag=held.etag
    )
    refused = await refusal(stocked.reservations.UpdateReservation(stale))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_units_of_a_hold_move_to_another_location(stocked: Shop) -> None:
    held = await stocked.hold(("A", "north", 4))
    moved = await stocked.reservations.MoveReservation(
        pb.MoveReservationRequest(
            request_id=stocked.key(),
            reservation_id=held.reservation_id,
            sku="A",
            from_location_id="north",
            to_location_id="south",
            quantity=3,
        )
    )
    assert states(moved) == [("A", "north", 1), ("A", "south", 3)]
    wrong = pb.MoveReservationRequest(
        request_id=stocked.key(),
        reservation_id=held.reservation_id,
        sku="C",
        from_location_id="north",
    )
    refused = await refusal(stocked.reservations.MoveReservation(wrong))
    assert refused.reason == "RESERVATION_LINE_NOT_FOUND"


async def test_confirmed_units_are_settled(stocked: Shop) -> None:
    held = await stocked.hold(("A", "north", 4))
    await confirm(stocked, held)
    settled = await settle(stocked, held, pb.SETTLEMENT_OUTCOME_SHIPPED, ("A", "north", 3))
    assert settled.lines[0].settled_quantity == 3
    position = await stocked.position("A", "north")
    assert (position.on_hand, position.allocated) == (7, 1)
    refused = await refusal(
        settle(stocked, held, pb.SETTLEMENT_OUTCOME_CANCELLED, ("A", "north", 2))
    )
    assert refused.reason == "SETTLEMENT_TOO_LARGE"


async def test_an_unknown_reservation_is_not_found(stocked: Shop) -> None:
    refused = await refusal(
        stocked.reservations.GetReservation(pb.GetReservationRequest(reservation_id="nobody"))
    )
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.NOT_FOUND,
        "RESERVATION_NOT_FOUND",
    )
    assert refused.detail(error_details_pb2.ResourceInfo).resource_name == "nobody"


async def test_reservations_are_listed_oldest_first_by_state_client_and_line(
    stocked: Shop,
) -> None:
    for number in range(3):
        await stocked.hold(("A", "north", 1), reservation_id=f"r{number}")
        stocked.clock.now_ms += 1
    await stocked.hold(("B", "north", 1), reservation_id="b")
    assert await listed(stocked) == ["r0", "r1", "r2", "b"]
    assert await listed(stocked, sku="B") == ["b"]
    assert await listed(stocked, location_id="south") == []
    assert await listed(stocked, client_id="somebody") == []
    assert await listed(stocked, state=pb.RESERVATION_STATE_CONFIRMED) == []
    assert await listed(stocked, state=pb.RESERVATION_STATE_HELD, page_size=2) == ["r0", "r1"]


async def test_a_location_that_cannot_do_the_method_is_refused(stocked: Shop) -> None:
    await stocked.add_location("warehouse", type="LOCATION_TYPE_DISTRIBUTION_CENTER")
    await stocked.count(("A", "warehouse", 5))
    refused = await refusal(
        stocked.hold(("A", "warehouse", 1), delivery_method=DELIVERY_METHOD_PICKUP)
    )
    assert refused.reason == "DELIVERY_METHOD_UNSUPPORTED"
    assert refused.detail(InsufficientStock).lines[0].alternatives[0].location_id == "north"


async def test_a_client_has_a_quota_of_open_holds(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(held_per_client_max=1)) as shop:
        await shop.add_location("north")
        await shop.count(("A", "north", 10))
        await shop.hold(("A", "north", 1))
        again = {"request_id": "over", "reservation_id": "over"}
        refused = await refusal(shop.hold(("A", "north", 1), **again))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "RESERVATION_QUOTA_EXCEEDED",
        )
        assert refused.detail(error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() > 0
        shop.clock.now_ms += 16 * 60 * SECOND_MS
        # Refused for now is not an answer: the same request may succeed later.
        assert (await shop.hold(("A", "north", 1), **again)).reservation_id == "over"


async def listed(shop: Shop, **fields: object) -> list[str]:
    answer = await shop.reservations.ListReservations(
        pb.ListReservationsRequest(**fields)  # type: ignore[arg-type]  # the fields of a test
    )
    return [reservation.reservation_id for reservation in answer.reservations]


async def confirm(shop: Shop, held: pb.Reservation) -> pb.Reservation:
    return await shop.reservations.ConfirmReservation(
        pb.ConfirmReservationRequest(request_id=shop.key(), reservation_id=held.reservation_id)
    )


async def release(shop: Shop, held: pb.Reservation) -> pb.Reservation:
    return await shop.reservations.ReleaseReservation(
        pb.ReleaseReservationRequest(request_id=shop.key(), reservation_id=held.reservation_id)
    )


async def settle(
    shop: Shop,
    held: pb.Reservation,
    outcome: pb.SettlementOutcome,
    line: tuple[str, str, int],
) -> pb.Reservation:
    sku, location_id, quantity = line
    return await shop.reservations.SettleReservation(
        pb.SettleReservationRequest(
            request_id=shop.key(),
            reservation_id=held.reservation_id,
            outcome=outcome,
            lines=[pb.LineQuantity(sku=sku, location_id=location_id, quantity=quantity)],
        )
    )
