"""Every call has an end: 2 s to read and 5 s to write where nothing is said, 30 s at most."""

import math

import pytest

from domgrpc.core.values import ClientId
from domgrpc.rpc.allowances import OPEN_ENDED, READING, WRITING, allowance_of
from domgrpc.rpc.calls import Call
from domgrpc.rpc.registration import service_descriptors
from tests.rpc.serving import Shop

READS = ("Get", "List", "BatchGet", "Check", "Explain", "Simulate")
LONG = {"CreateSnapshot", "VerifyState", "DryRunRuleSet", "ReoptimizeBacklog"}
ONE_ANSWER = [
    (service.full_name, method.name)
    for service in service_descriptors()
    for method in service.methods
    if not method.server_streaming
]


class Context:
    """What a call asks of gRPC about its caller."""

    def __init__(self, said_seconds: float | None) -> None:
        self._said_seconds = said_seconds

    def time_remaining(self) -> float | None:
        """Return how long the caller waits."""
        return self._said_seconds

    def peer(self) -> str:
        """Return where the caller is."""
        return "ipv4:127.0.0.1:1"


@pytest.mark.parametrize(("service", "method"), ONE_ANSWER)
def test_reads_have_two_seconds_and_writes_five(service: str, method: str) -> None:
    expected = READING if method.startswith(READS) else WRITING
    allowed = allowance_of(f"{service}/{method}")
    assert allowed is (OPEN_ENDED if method in LONG else expected)


def test_the_times_are_those_of_the_page() -> None:
    assert (READING.seconds(None), WRITING.seconds(None)) == (2.0, 5.0)
    assert READING.seconds_max == WRITING.seconds_max == 30.0
    assert OPEN_ENDED.seconds(None) == math.inf


@pytest.mark.parametrize(("said", "given"), [(None, 5.0), (0.1, 0.1), (30.0, 30.0), (3e9, 30.0)])
async def test_a_call_ends_after_what_was_said_within_the_bound(
    shop: Shop, said: float | None, given: float
) -> None:
    before = shop.engine.seconds()
    call = Call(shop.engine, Context(said), ClientId("web"), WRITING)  # type: ignore[arg-type]
    assert before + given <= call.deadline_seconds <= shop.engine.seconds() + given


async def test_what_is_long_by_nature_keeps_the_time_of_its_caller(shop: Shop) -> None:
    call = Call(shop.engine, Context(600.0), ClientId("web"), OPEN_ENDED)  # type: ignore[arg-type]
    assert call.left_seconds() > 500
