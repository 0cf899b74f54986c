"""min_revision: a read is at least as new as asked, or says that it is not."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2

from domgrpc.rpc.registration import service_descriptors
from domgrpc.v1 import inventory_pb2 as pb
from tests.rpc.serving import Shop, asked, refusal, within_time


def test_every_method_that_reads_takes_a_min_revision() -> None:
    without = [
        method.name
        for service in service_descriptors()
        for method in service.methods
        if method.name.startswith(("Get", "List", "BatchGet", "Check", "Explain"))
        and "min_revision" not in method.input_type.fields_by_name
    ]
    assert without == []


async def test_a_read_waits_for_a_revision_that_is_coming(shop: Shop) -> None:
    await shop.add_location("a")
    waiting = asyncio.ensure_future(
        shop.inventory.CheckAvailability(asked("A", min_revision=2), timeout=10)
    )
    assert not waiting.done()
    await shop.count(("A", "a", 5))
    answer = await within_time(waiting)
    assert answer.revision == 2
    assert answer.items[0].available_to_sell == 5


@pytest.mark.slow
async def test_a_read_of_a_revision_that_does_not_come_is_told_before_its_deadline(
    shop: Shop,
) -> None:
    refused = await refusal(
        shop.inventory.CheckAvailability(asked("A", min_revision=9), timeout=0.5)
    )
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.UNAVAILABLE,
        "REVISION_NOT_REACHED",
    )
    assert refused.facts == {"revision": "0", "min_revision": "9"}
    assert refused.detail(error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() > 0


@pytest.mark.parametrize("value", [-1, -(2**63)])
async def test_a_negative_revision_is_refused(shop: Shop, value: int) -> None:
    for call in (
        shop.inventory.CheckAvailability(asked("A", min_revision=value)),
        shop.inventory.ListPositions(pb.ListPositionsRequest(min_revision=value)),
    ):
        assert (await refusal(call)).field == "min_revision"


async def test_the_revision_of_an_answer_shows_its_change_to_a_later_read(shop: Shop) -> None:
    await shop.add_location("a")
    for units in range(5):
        done = await shop.count(("A", "a", units))
        position = await shop.inventory.GetPosition(
            pb.GetPositionRequest(sku="A", location_id="a", min_revision=done.revision)
        )
        assert (position.on_hand, position.revision) == (units, done.revision)
