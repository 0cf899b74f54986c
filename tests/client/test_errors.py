"""What an error says."""

import pickle

import grpc
import pytest

from domgrpc.client import DomgrpcClient, DomgrpcError, FieldViolation, Line, count_stock
from domgrpc.client.errors import local_error
from domgrpc.v1.location_pb2 import Location, LocationType
from tests.client.scripted import EXHAUSTED, status


@pytest.fixture
async def stocked(client: DomgrpcClient) -> DomgrpcClient:
    """Two stores with some kettles."""
    for location_id in ("store-1", "store-2"):
        store = Location(location_id=location_id, type=LocationType.LOCATION_TYPE_STORE)
        await client.create_location(store)
    await client.update_stock(
        [count_stock("kettle", "store-1", 2), count_stock("kettle", "store-2", 7)]
    )
    return client


async def test_a_shortage_names_the_lines_and_where_else_stock_is(stocked: DomgrpcClient) -> None:
    with pytest.raises(DomgrpcError) as caught:
        await stocked.reserve_stock([Line("kettle", 5, "store-1")])
    error = caught.value
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION
    assert error.reason == "INSUFFICIENT_STOCK"
    assert error.metadata["sku"] == "kettle"
    (line,) = error.short_lines
    assert (line.asked_quantity, line.available_quantity) == (5, 2)
    assert [(other.location_id, other.available_quantity) for other in line.alternatives] == [
        ("store-2", 7)
    ]
    assert str(error).startswith("INSUFFICIENT_STOCK: 2 of 5 units")


async def test_a_wrong_field_is_named(stocked: DomgrpcClient) -> None:
    with pytest.raises(DomgrpcError) as caught:
        await stocked.reserve_stock([Line("kettle", 1, "store-1"), Line("", 1, "store-1")])
    error = caught.value
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in error.field_violations] == ["lines[1].sku"]
    assert isinstance(error.field_violations[0], FieldViolation)


def test_an_error_without_details_has_the_name_of_its_code_as_reason() -> None:
    error = local_error(grpc.StatusCode.UNAVAILABLE, "nobody there")
    assert str(error) == "UNAVAILABLE: nobody there"


def test_the_advice_of_the_server_is_in_seconds() -> None:
    error = DomgrpcError(status(EXHAUSTED, "SERVER_BUSY", retry_seconds=1.25))
    assert error.retry_delay_seconds == pytest.approx(1.25)


def test_a_detail_that_nobody_knows_is_left_alone() -> None:
    made = status(grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    made.details.add(type_url="type.googleapis.com/of.the.Future", value=b"\xff\xff")
    assert DomgrpcError(made).reason == "ETAG_MISMATCH"


def test_an_error_survives_the_way_to_another_process() -> None:
    error = DomgrpcError(status(grpc.StatusCode.ABORTED, "ETAG_MISMATCH"))
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made on the line itself
    assert (copied.code, copied.reason, str(copied)) == (error.code, error.reason, str(error))
