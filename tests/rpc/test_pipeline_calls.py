"""Execute over the wire: each operation answers as if it had been called alone."""

import grpc
import pytest

from domgrpc.core import availability
from domgrpc.v1 import inventory_pb2, reservation_pb2
from domgrpc.v1.errors_pb2 import InsufficientStock
from domgrpc.v1.pipeline_pb2 import ExecuteRequest, ExecuteResponse, Operation
from tests.rpc.serving import Refusal, Shop, asked, counted, refusal, reserve_lines


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with ten of A and one of B in the north."""
    await shop.add_location("north")
    await shop.add_location("south")
    await shop.count(("A", "north", 10), ("B", "north", 1))
    return shop


async def execute(shop: Shop, *operations: Operation) -> ExecuteResponse:
    return await shop.pipeline.Execute(ExecuteRequest(operations=operations))


def reserve(request_id: str, *lines: tuple[str, str, int]) -> Operation:
    return Operation(
        reserve_stock=reservation_pb2.ReserveStockRequest(
            request_id=request_id, lines=reserve_lines(*lines)
        )
    )


def check(sku: str, min_revision: int = 0) -> Operation:
    return Operation(check_availability=asked(sku, min_revision=min_revision))


EVERY_KIND = [
    Operation(
        update_stock=inventory_pb2.UpdateStockRequest(
            request_id="1", updates=[counted("A", "south", 2)]
        )
    ),
    check("A"),
    reserve("2", ("A", "north", 4)),
    check("A"),
    Operation(
        update_reservation=reservation_pb2.UpdateReservationRequest(
            request_id="3",
            reservation_id="2",
            lines=[reservation_pb2.LineQuantity(sku="A", location_id="north", quantity=5)],
        )
    ),
    Operation(
        move_reservation=reservation_pb2.MoveReservationRequest(
            request_id="4",
            reservation_id="2",
            sku="A",
            from_location_id="north",
            to_location_id="south",
            quantity=1,
        )
    ),
    Operation(
        confirm_reservation=reservation_pb2.ConfirmReservationRequest(
            request_id="5", reservation_id="2"
        )
    ),
    Operation(
        settle_reservation=reservation_pb2.SettleReservationRequest(
            request_id="6",
            reservation_id="2",
            outcome=reservation_pb2.SETTLEMENT_OUTCOME_SHIPPED,
        )
    ),
    Operation(get_reservation=reservation_pb2.GetReservationRequest(reservation_id="2")),
    reserve("7", ("A", "north", 1)),
    Operation(
        release_reservation=reservation_pb2.ReleaseReservationRequest(
            request_id="8", reservation_id="7", reason="changed my mind"
        )
    ),
    check("A"),
]


async def test_every_kind_of_operation_runs_in_order_and_sees_those_before(
    stocked: Shop,
) -> None:
    # Those of orders have a test of their own.
    assert {operation.WhichOneof("operation") for operation in EVERY_KIND} == {
        name for name in Operation.DESCRIPTOR.fields_by_name if "order" not in name
    }
    answer = await execute(stocked, *EVERY_KIND)
    kinds = [result.WhichOneof("result") for result in answer.results]
    checks = [place for place, kind in enumerate(kinds) if kind == "availability"]
    assert kinds[0] == "stock"
    assert checks == [1, 3, 11]
    assert set(kinds) == {"stock", "availability", "reservation"}
    sold = [answer.results[place].availability.items[0].available_to_sell for place in checks]
    assert sold == [12, 8, 7]
    shipped = answer.results[8].reservation
    assert [(line.location_id, line.settled_quantity) for line in shipped.lines] == [
        ("north", 4),
        ("south", 1),
    ]
    assert answer.results[10].reservation.state == reservation_pb2.RESERVATION_STATE_RELEASED
    assert answer.revision == answer.results[11].availability.revision == 11


async def test_a_refused_or_misshapen_operation_does_not_stop_the_others(
    stocked: Shop,
) -> None:
    answer = await execute(
        stocked,
        reserve("1", ("B", "north", 2)),
        reserve("2", ("B", "north", -1)),
        reserve("", ("B", "north", 1)),
        Operation(),
        Operation(get_reservation=reservation_pb2.GetReservationRequest(reservation_id="nobody")),
        reserve("3", ("B", "north", 1)),
    )
    *failed, last = answer.results
    refusals = [Refusal(result.error) for result in failed]
    assert [each.reason for each in refusals] == [
        "INSUFFICIENT_STOCK",
        "INVALID_FIELD",
        "REQUEST_ID_MISSING",
        "INVALID_FIELD",
        "RESERVATION_NOT_FOUND",
    ]
    assert refusals[0].code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusals[0].detail(InsufficientStock).lines[0].available_quantity == 1
    assert refusals[1].field == "lines[0].quantity"
    assert refusals[3].field == "operation"
    assert last.reservation.reservation_id == "3"


async def test_the_error_of_an_operation_is_that_of_the_call_alone(stocked: Shop) -> None:
    (result,) = (await execute(stocked, reserve("1", ("B", "north", 2)))).results
    alone = await refusal(stocked.hold(("B", "north", 2)))
    assert result.error == alone.status


async def test_only_1_to_1000_operations_run_in_a_call(stocked: Shop) -> None:
    for count in (0, 1_001):
        refused = await refusal(execute(stocked, *[check("A")] * count))
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "OPERATION_COUNT_OUT_OF_RANGE",
        )
        assert refused.facts == {"operation_count": str(count), "limit": "1000"}
        assert refused.field == "operations"
    assert len((await execute(stocked, *[check("A")] * 1_000)).results) == 1_000


async def test_operations_of_one_call_never_oversell(stocked: Shop) -> None:
    many = [reserve(f"r{number}", ("A", "north", 1)) for number in range(100)]
    answer = await execute(stocked, *many)
    held = [result for result in answer.results if result.HasField("reservation")]
    assert len(held) == 10


async def test_a_retried_call_gets_the_first_answers(stocked: Shop) -> None:
    operations = [reserve("1", ("A", "north", 1)), reserve("2", ("B", "north", 9))]
    first = await execute(stocked, *operations)
    await stocked.hold(("A", "north", 9))
    again = await execute(stocked, *operations)
    assert [result.SerializeToString() for result in again.results] == [
        result.SerializeToString() for result in first.results
    ]


async def test_validate_only_in_a_call_changes_nothing(stocked: Shop) -> None:
    preview = reserve("1", ("A", "north", 3))
    preview.reserve_stock.validate_only = True
    answer = await execute(stocked, preview, check("A"))
    assert answer.results[0].reservation.lines[0].quantity == 3
    assert answer.results[1].availability.items[0].available_to_sell == 10


async def test_a_read_may_ask_for_the_revision_that_a_change_before_it_leads_to(
    stocked: Shop,
) -> None:
    now = stocked.engine.revision
    preview = reserve("2", ("A", "north", 1))
    preview.reserve_stock.validate_only = True
    answer = await execute(
        stocked,
        reserve("1", ("A", "north", 1)),
        check("A", min_revision=now + 1),
        preview,
        check("A", min_revision=now + 2),
    )
    reasons = [
        Refusal(result.error).reason if result.HasField("error") else ""
        for result in answer.results
    ]
    assert reasons == ["", "", "", "REVISION_NOT_REACHED"]
    assert answer.results[1].availability.revision == now + 1


async def test_the_questions_of_a_call_list_a_bounded_number_of_pairs(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "PAIRS_PER_MESSAGE_MAX", 3)
    listed = Operation(check_availability=asked("A", include_locations=True))
    answer = await execute(stocked, listed, check("A"), listed, listed, listed, check("A"))
    reasons = [
        Refusal(result.error).reason if result.HasField("error") else ""
        for result in answer.results
    ]
    assert reasons == ["", "", "", "", "TOO_MANY_PAIRS", ""]


@pytest.mark.slow
async def test_reads_that_ask_for_a_coming_revision_are_late_together_and_alone_in_it(
    stocked: Shop,
) -> None:
    request = ExecuteRequest(
        operations=[check("A", min_revision=999), check("A"), check("A", min_revision=998)]
    )
    answer = await stocked.pipeline.Execute(request, timeout=0.5)
    reasons = [
        Refusal(result.error).reason if result.HasField("error") else ""
        for result in answer.results
    ]
    assert reasons == ["REVISION_NOT_REACHED", "", "REVISION_NOT_REACHED"]
