"""Concurrent calls travel together, and nobody notices but by the speed."""

import asyncio
from collections import deque

import grpc
import pytest

from domgrpc.client import DomgrpcClient, DomgrpcError, Line, RetryPolicy, count_stock
from domgrpc.client.calls import ALONE_COUNT_MAX
from domgrpc.client.coalescing import OPERATION_COUNT_MAX, OPERATION_WEIGHT_MAX
from domgrpc.v1.location_pb2 import Location, LocationType
from domgrpc.v1.reservation_pb2 import Reservation, ReservationState
from tests.client.scripted import EXHAUSTED, UNAVAILABLE, ScriptedServer, status

AT_ONCE = RetryPolicy(first_wait_seconds=0.0)
KETTLE = [Line("kettle", 1, "store-1")]
FEW = ALONE_COUNT_MAX
MANY = 40


def reserve_many(
    client: DomgrpcClient, count: int, *, first: int = 0
) -> "list[asyncio.Task[Reservation]]":
    """Begin holds with the request ids r0, r1, ..."""
    return [
        asyncio.create_task(client.reserve_stock(KETTLE, request_id=f"r{first + number}"))
        for number in range(count)
    ]


async def fill_up(
    client: DomgrpcClient, scripted: ScriptedServer
) -> "list[asyncio.Task[Reservation]]":
    """Hold back as many calls as go alone, so that the next ones are coalesced."""
    scripted.gate.clear()
    alone = reserve_many(client, FEW, first=1_000)
    await scripted.until(alone=FEW)
    return alone


async def test_few_calls_go_alone(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        await asyncio.gather(*reserve_many(client, FEW))
    assert len(scripted.alone) == FEW
    assert not scripted.batches


async def test_calls_on_top_of_a_few_travel_in_one_message(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        scripted.gate.set()
        holds = await asyncio.gather(*together, *alone)
    (batch,) = scripted.batches
    assert scripted.request_ids(batch) == [f"r{number}" for number in range(MANY)]
    assert [hold.reservation_id for hold in holds[:MANY]] == scripted.request_ids(batch)


async def test_while_two_batches_are_under_way_the_next_one_fills(
    scripted: ScriptedServer,
) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        for number in range(4):
            calls += reserve_many(client, 3, first=10 * number)
            await scripted.until(batches=min(number + 1, 2))
        scripted.gate.set()
        await asyncio.gather(*calls)
    assert [len(batch.operations) for batch in scripted.batches] == [3, 3, 6]


async def test_a_batch_holds_a_thousand_operations_at_most(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        calls += reserve_many(client, OPERATION_COUNT_MAX + 1)
        await scripted.until(batches=2)
        scripted.gate.set()
        await asyncio.gather(*calls)
    assert [len(batch.operations) for batch in scripted.batches] == [OPERATION_COUNT_MAX, 1]


async def test_a_large_call_goes_alone(scripted: ScriptedServer) -> None:
    lines = [Line(f"sku-{number}", 1) for number in range(OPERATION_WEIGHT_MAX + 1)]
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        calls.append(asyncio.create_task(client.reserve_stock(lines)))
        await scripted.until(alone=FEW + 1)
        scripted.gate.set()
        await asyncio.gather(*calls)
    assert not scripted.batches


async def test_coalescing_can_be_switched_off(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address, coalesce=False) as client:
        await asyncio.gather(*reserve_many(client, MANY))
    assert len(scripted.alone) == MANY
    assert not scripted.batches


async def test_a_batch_that_failed_for_now_is_repeated_as_it_is(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        scripted.batch_refusals.append(status(UNAVAILABLE))
        scripted.gate.set()
        await asyncio.gather(*alone, *together)
    first, second = scripted.batches
    assert scripted.request_ids(first) == scripted.request_ids(second)


async def test_a_refused_operation_does_not_touch_its_neighbours(scripted: ScriptedServer) -> None:
    refusal = status(grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_STOCK")
    scripted.operation_refusals["r7"] = deque([refusal])
    async with DomgrpcClient(scripted.address) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        scripted.gate.set()
        await asyncio.gather(*alone)
        answers = await asyncio.gather(*together, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, DomgrpcError)]
    assert [error.reason for error in refused] == ["INSUFFICIENT_STOCK"]
    assert answers.index(refused[0]) == 7


async def test_an_operation_that_is_told_to_come_back_is_repeated_alone(
    scripted: ScriptedServer,
) -> None:
    busy = status(EXHAUSTED, "RESERVATION_QUOTA_EXCEEDED", retry_seconds=0.0)
    scripted.operation_refusals["r7"] = deque([busy, busy])
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        scripted.gate.set()
        holds = await asyncio.gather(*together)
        await asyncio.gather(*alone)
    assert holds[7].reservation_id == "r7"
    assert len(scripted.batches) == 1
    assert [request.request_id for request in scripted.alone[FEW:]] == ["r7", "r7"]
    assert scripted.alone[-1].lines[0].sku == "kettle"


async def test_a_call_that_cannot_be_written_leaves_no_trace_in_its_batch(
    scripted: ScriptedServer,
) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        impossible = []
        for number in range(3):
            calls += reserve_many(client, 1, first=number)
            call = client.reserve_stock([Line("kettle", 2**64)])
            impossible.append(asyncio.create_task(call))
        for task in impossible:
            with pytest.raises(ValueError, match="out of range"):
                await task
        scripted.gate.set()
        await asyncio.gather(*calls)
    sent = [key for batch in scripted.batches for key in scripted.request_ids(batch)]
    assert sent == ["r0", "r1", "r2"]


async def test_a_cancelled_call_does_not_disturb_its_batch(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        together[3].cancel()
        scripted.gate.set()
        answers = await asyncio.gather(*together, return_exceptions=True)
        await asyncio.gather(*alone)
    assert isinstance(answers.pop(3), asyncio.CancelledError)
    assert all(isinstance(answer, Reservation) for answer in answers)


async def test_each_call_of_a_batch_has_its_own_deadline(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        alone = await fill_up(client, scripted)
        patient = client.reserve_stock(KETTLE, request_id="patient", timeout_seconds=10)
        hasty = client.reserve_stock(KETTLE, request_id="hasty", timeout_seconds=0.02)
        patient_task, hasty_task = asyncio.create_task(patient), asyncio.create_task(hasty)
        with pytest.raises(DomgrpcError) as caught:
            await hasty_task
        assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
        scripted.gate.set()
        assert (await patient_task).reservation_id == "patient"
        await asyncio.gather(*alone)


async def test_calls_that_ended_before_their_batch_left_are_not_sent(
    scripted: ScriptedServer,
) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        for batch_count in (1, 2):
            calls += reserve_many(client, 1, first=100 * batch_count)
            await scripted.until(batches=batch_count)
        cancelled, stays = reserve_many(client, 2)
        hasty = client.reserve_stock(KETTLE, request_id="hasty", timeout_seconds=0.02)
        with pytest.raises(DomgrpcError, match="before the deadline"):
            await hasty
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        scripted.gate.set()
        await asyncio.gather(stays, *calls)
    assert [scripted.request_ids(batch) for batch in scripted.batches[2:]] == [["r1"]]


async def test_a_batch_whose_calls_have_all_ended_is_not_sent(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        for batch_count in (1, 2):
            calls += reserve_many(client, 1, first=100 * batch_count)
            await scripted.until(batches=batch_count)
        ended = reserve_many(client, MANY)
        await asyncio.sleep(0)
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        scripted.gate.set()
        await asyncio.gather(*calls)
        # The client counts them as ended too: the next few go alone again.
        await client.reserve_stock(KETTLE, request_id="later")
    assert len(scripted.batches) == 2
    assert scripted.alone[-1].request_id == "later"


async def test_operations_of_a_batch_that_is_too_large_are_repeated_alone(
    scripted: ScriptedServer,
) -> None:
    async with DomgrpcClient(scripted.address) as client:
        alone = await fill_up(client, scripted)
        together = reserve_many(client, MANY)
        await scripted.until(batches=1)
        too_large = status(EXHAUSTED)
        too_large.message = "SERVER: Sent message larger than max (40000000 vs. 33554432)"
        scripted.batch_refusals.append(too_large)
        scripted.gate.set()
        holds = await asyncio.gather(*together)
        await asyncio.gather(*alone)
    keys = [f"r{number}" for number in range(MANY)]
    assert [hold.reservation_id for hold in holds] == keys
    assert sorted(request.request_id for request in scripted.alone[FEW:]) == sorted(keys)
    assert len(scripted.batches) == 1


async def test_a_question_that_is_answered_by_location_goes_alone(
    scripted: ScriptedServer,
) -> None:
    async with DomgrpcClient(scripted.address) as client:
        calls = await fill_up(client, scripted)
        # The script knows no such call: what is refused as unknown travelled alone.
        with pytest.raises(DomgrpcError) as caught:
            await client.check_availability(["kettle"], include_locations=True)
        scripted.gate.set()
        await asyncio.gather(*calls)
    assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED
    assert not scripted.batches


async def test_closing_the_client_ends_every_call(scripted: ScriptedServer) -> None:
    client = DomgrpcClient(scripted.address)
    alone = await fill_up(client, scripted)
    together = reserve_many(client, MANY)
    await scripted.until(batches=1)
    together += reserve_many(client, MANY, first=MANY)
    await client.close()
    answers = await asyncio.gather(*together, return_exceptions=True)
    codes = {answer.code for answer in answers if isinstance(answer, DomgrpcError)}
    assert codes == {grpc.StatusCode.CANCELLED}
    assert len(answers) == 2 * MANY
    await asyncio.gather(*alone, return_exceptions=True)


async def test_a_closed_client_refuses_calls(scripted: ScriptedServer) -> None:
    client = DomgrpcClient(scripted.address)
    await client.close()
    with pytest.raises(DomgrpcError, match="the client is closed"):
        await client.reserve_stock(KETTLE)


@pytest.mark.slow
async def test_coalesced_calls_on_a_real_server_each_get_their_own_answer(
    client: DomgrpcClient,
) -> None:
    await client.create_location(
        Location(location_id="store-1", type=LocationType.LOCATION_TYPE_STORE)
    )
    await client.update_stock([count_stock("kettle", "store-1", 100)])

    async def shop_for(number: int) -> str:
        reservation_id = f"cart-{number}"
        try:
            hold = await client.reserve_stock(KETTLE, reservation_id=reservation_id)
        except DomgrpcError as error:
            return f"{error.reason} of {error.short_lines[0].sku}"
        assert hold.reservation_id == reservation_id
        await client.check_availability({"kettle": 1})
        confirmed = await client.confirm_reservation(reservation_id)
        read = await client.get_reservation(reservation_id)
        assert confirmed.reservation_id == read.reservation_id == reservation_id
        assert read.state == ReservationState.RESERVATION_STATE_CONFIRMED
        return "CONFIRMED"

    outcomes = await asyncio.gather(*(shop_for(number) for number in range(300)))
    assert outcomes.count("CONFIRMED") == 100
    assert outcomes.count("INSUFFICIENT_STOCK of kettle") == 200
    position = await client.get_position("kettle", "store-1")
    assert (position.on_hand, position.allocated, position.soft_reserved) == (100, 100, 0)
