"""A method that is slow at the moment refuses the calls that it could not answer in time."""

from collections.abc import Callable
from typing import cast

import grpc
import pytest

from domgrpc.engine.calls import Busy, DeadlinePassed
from domgrpc.rpc.allowances import READING
from domgrpc.rpc.answering import unary
from domgrpc.rpc.calls import Call, Context, Edge
from domgrpc.rpc.draining import Drain
from domgrpc.rpc.journal import CallLog
from domgrpc.rpc.latency import Latency
from domgrpc.v1.inventory_pb2 import GetPositionRequest
from tests.hostile.surface import CallContext, CallOver
from tests.rpc.serving import Shop, refusal


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_seconds = 5.0

    def __call__(self) -> float:
        return self.now_seconds


def nobody() -> None:
    """Be told of a refusal, and forget it."""


def slow(seconds: float, watch: Watch, note_refused: Callable[[], None] = nobody) -> Latency:
    latency = Latency(watch, note_refused)
    for _ in range(100):
        latency.learn(seconds)
    return latency


def test_a_new_method_lets_every_call_in_that_has_time_left() -> None:
    latency = Latency(Watch(), nobody)
    latency.check(0.001)
    with pytest.raises(DeadlinePassed):
        latency.check(0.0)


def test_calls_with_less_time_than_the_method_takes_are_refused() -> None:
    latency = slow(1.0, Watch())
    latency.check(1.3)
    with pytest.raises(Busy):
        latency.check(1.2)


def test_a_slow_moment_is_forgotten_within_seconds() -> None:
    watch = Watch()
    latency = slow(1.0, watch)
    watch.now_seconds += 3
    with pytest.raises(Busy):
        latency.check(0.1)
    watch.now_seconds += 1
    latency.check(0.1)


def test_a_slow_moment_is_forgotten_once_and_not_for_each_caller() -> None:
    watch = Watch()
    latency = slow(5.0, watch)
    watch.now_seconds += 7
    for _ in range(50):
        latency.check(0.1)
        latency.learn(0.005)
        watch.now_seconds += 0.02


def test_calls_that_came_too_late_are_told_of() -> None:
    told: list[str] = []
    latency = slow(1.0, Watch(), lambda: told.append("refused"))
    latency.check(2.0)
    assert not told
    for left_seconds in (1.0, 0.0):
        with pytest.raises((Busy, DeadlinePassed)):
            latency.check(left_seconds)
    assert len(told) == 2


async def test_a_server_whose_calls_come_too_late_is_overloaded(shop: Shop) -> None:
    edge = Edge(shop.engine, CallLog("off"), Drain(), by_certificate=False)

    async def handle(_message: object, _call: Call) -> object:
        raise AssertionError("it is too late for that")

    answer = unary(edge, "Service/Method", handle, READING)
    for _ in range(10):
        with pytest.raises(CallOver):
            await answer(GetPositionRequest(), cast("Context", CallContext((), 0.0)))
    assert shop.engine.admission.is_refusing(shop.engine.seconds())


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop with ten of A in the north."""
    await shop.add_location("north")
    await shop.count(("A", "north", 10))
    return shop


async def test_a_call_without_a_deadline_is_given_one(stocked: Shop) -> None:
    stocked.engine.admission.learn(1, 1e9, stocked.engine.seconds())
    refused = await refusal(stocked.hold(("A", "north", 1)))
    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY")
