"""When calls are repeated: which errors, how often, how soon, and for how long."""

import grpc
import pytest
from google.rpc.status_pb2 import Status

from domgrpc.client import DomgrpcClient, DomgrpcError, Line, RetryPolicy
from domgrpc.client.errors import local_error
from domgrpc.client.retries import Retries
from tests.client.scripted import EXHAUSTED, UNAVAILABLE, ScriptedServer, status

AWAY = local_error(UNAVAILABLE, "gone")
AT_ONCE = RetryPolicy(first_wait_seconds=0.0)
KETTLE = [Line("kettle", 1, "store-1")]


def test_waits_double_up_to_the_longest() -> None:
    policy = RetryPolicy(first_wait_seconds=0.1, wait_seconds_max=0.5)
    retries = Retries(policy, chance=lambda: 1.0)
    waits = [retries.backoff_seconds(count) for count in range(5)]
    assert waits == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_a_wait_is_any_part_of_its_ceiling() -> None:
    retries = Retries(RetryPolicy(first_wait_seconds=0.1), chance=lambda: 0.25)
    assert retries.backoff_seconds(0) == pytest.approx(0.025)


def test_the_wait_of_a_very_long_outage_does_not_overflow() -> None:
    assert Retries(RetryPolicy(), chance=lambda: 1.0).backoff_seconds(10_000) == 1.0


def test_retries_add_at_most_a_tenth_to_the_calls_and_a_small_reserve() -> None:
    policy = RetryPolicy(first_wait_seconds=0.0)
    retries = Retries(policy)
    call_count, retry_count = 1_000, 0
    for _ in range(call_count):
        retries.earn()
        if retries.wait_seconds(AWAY, retry_count=0, seconds_left=1) is not None:
            retry_count += 1
    assert retry_count <= call_count * policy.budget_share + policy.budget_reserve
    assert retry_count >= call_count * policy.budget_share


def test_no_retry_is_begun_that_the_deadline_would_cut_off() -> None:
    retries = Retries(RetryPolicy(first_wait_seconds=1.0), chance=lambda: 1.0)
    assert retries.wait_seconds(AWAY, retry_count=0, seconds_left=0.5) is None


def test_the_advice_of_the_server_comes_on_top_of_the_wait() -> None:
    retries = Retries(RetryPolicy(first_wait_seconds=0.1), chance=lambda: 1.0)
    error = DomgrpcError(status(EXHAUSTED, "SERVER_BUSY", retry_seconds=0.25))
    wait = retries.wait_seconds(error, retry_count=0, seconds_left=5)
    assert wait == pytest.approx(0.35)


@pytest.mark.parametrize(
    "refusal",
    [
        status(EXHAUSTED, "RESOURCE_EXHAUSTED"),
        status(grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_STOCK"),
        status(grpc.StatusCode.FAILED_PRECONDITION, "SNAPSHOT_RUNNING", retry_seconds=0.0),
        status(grpc.StatusCode.DEADLINE_EXCEEDED),
        status(grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
    ids=lambda refusal: refusal.message,
)
async def test_other_errors_are_not_repeated(scripted: ScriptedServer, refusal: Status) -> None:
    scripted.refusals.append(refusal)
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        with pytest.raises(DomgrpcError):
            await client.reserve_stock(KETTLE)
    assert len(scripted.alone) == 1


@pytest.mark.parametrize(
    "refusal",
    [status(UNAVAILABLE), status(EXHAUSTED, "SERVER_BUSY", retry_seconds=0.0)],
    ids=lambda refusal: refusal.message,
)
async def test_a_call_that_failed_for_now_is_repeated_with_the_same_request_id(
    scripted: ScriptedServer, refusal: Status
) -> None:
    scripted.refusals.extend([refusal, refusal])
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        hold = await client.reserve_stock(KETTLE)
    assert len(scripted.alone) == 3
    assert {request.request_id for request in scripted.alone} == {hold.reservation_id}


async def test_a_request_id_of_the_caller_is_kept(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as client:
        hold = await client.reserve_stock(KETTLE, request_id="till-3:17")
    assert hold.reservation_id == "till-3:17"


async def test_each_call_gets_a_request_id_of_its_own(scripted: ScriptedServer) -> None:
    async with DomgrpcClient(scripted.address) as one, DomgrpcClient(scripted.address) as other:
        holds = [await each.reserve_stock(KETTLE) for each in (one, other, one, other)]
    assert len({hold.reservation_id for hold in holds}) == 4


async def test_the_deadline_ends_a_call_that_nobody_answers(scripted: ScriptedServer) -> None:
    scripted.gate.clear()
    async with DomgrpcClient(scripted.address) as client:
        with pytest.raises(DomgrpcError) as caught:
            await client.reserve_stock(KETTLE, timeout_seconds=0.05)
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_without_a_server_the_error_says_unavailable(unused_tcp_port: int) -> None:
    no_retry = RetryPolicy(budget_share=0, budget_reserve=0)
    async with DomgrpcClient(f"127.0.0.1:{unused_tcp_port}", retry=no_retry) as client:
        with pytest.raises(DomgrpcError) as caught:
            await client.get_status()
    assert caught.value.reason == "UNAVAILABLE"


async def test_a_call_that_the_server_cancelled_is_repeated(scripted: ScriptedServer) -> None:
    scripted.refusals.append(status(grpc.StatusCode.CANCELLED))
    async with DomgrpcClient(scripted.address, retry=AT_ONCE) as client:
        await client.reserve_stock(KETTLE, request_id="once")
    assert [request.request_id for request in scripted.alone] == ["once", "once"]


async def test_a_cancellation_that_nobody_asked_for_is_told_as_unavailable(
    scripted: ScriptedServer,
) -> None:
    scripted.refusals.append(status(grpc.StatusCode.CANCELLED))
    never = RetryPolicy(budget_share=0.0, budget_reserve=0.0)
    async with DomgrpcClient(scripted.address, retry=never) as client:
        with pytest.raises(DomgrpcError) as caught:
            await client.reserve_stock(KETTLE)
    assert (caught.value.code, caught.value.reason) == (UNAVAILABLE, "UNAVAILABLE")
