"""No message, however odd, breaks the server: it is answered, or refused with a reason."""

from random import Random
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import MethodDescriptor

from domgrpc.rpc.registration import service_descriptors
from domgrpc.v1.pipeline_pb2 import ExecuteResponse
from tests.rpc.odd_messages import OddMessages
from tests.rpc.serving import Refusal, Shop, refusal_of

STARTING_PROCESSES = {"CreateSnapshot", "VerifyState", "ReoptimizeBacklog"}
METHODS = [
    method
    for service in service_descriptors()
    for method in service.methods
    if method.name not in STARTING_PROCESSES and not method.server_streaming
]
MESSAGES_PER_SEED = 250
PATIENCE_SECONDS = 1.0
BROKEN = {"INTERNAL", "SERVER_DRAINING"}
pytestmark = pytest.mark.slow


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """The small shop that the messages are about."""
    for location_id in "abc":
        await shop.add_location(location_id, backorder_enabled=True)
    await shop.count(*((sku, location_id, 50) for sku in "ABC" for location_id in "abc"))
    return shop


async def reasons(shop: Shop, method: MethodDescriptor, raw: bytes) -> list[str]:
    """Send bytes; return the reasons of all refusals, which must be well formed."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    call: Any = shop.channel.unary_unary(path)
    try:
        answer: bytes = await call(raw, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            # Damage made it wait for a revision that never comes.
            return []
        return [refusal_of(error).reason]
    if method.name != "Execute":
        return []
    results = ExecuteResponse.FromString(answer).results
    return [Refusal(result.error).reason for result in results if result.HasField("error")]


@pytest.mark.parametrize("oddness", [0.01, 0.2])
@pytest.mark.parametrize("seed", range(3))
async def test_an_odd_message_is_answered_or_refused(
    stocked: Shop, seed: int, oddness: float
) -> None:
    messages = OddMessages(seed, oddness)
    random = Random(seed)
    for _ in range(MESSAGES_PER_SEED):
        method = random.choice(METHODS)
        message = messages.message(method.input_type)
        found = await reasons(stocked, method, message.SerializeToString())
        assert not BROKEN.intersection(found), (method.name, message)
        stocked.clock.now_ms += random.choice((0, 1, 60_000))
    stocked.engine.writer.state.check_invariants()
    assert not stocked.engine.failed.done()


@pytest.mark.parametrize("seed", range(2))
async def test_damaged_bytes_are_answered_or_refused(stocked: Shop, seed: int) -> None:
    messages = OddMessages(seed, 0.01)
    random = Random(seed)
    for _ in range(MESSAGES_PER_SEED):
        method = random.choice(METHODS)
        raw = messages.damaged(method.input_type)
        assert not BROKEN.intersection(await reasons(stocked, method, raw)), (method.name, raw)
    assert not stocked.engine.failed.done()
