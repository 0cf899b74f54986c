"""A shop with tea, and callers that hold a unit of it: what tests of the queue need."""

from domgrpc.core.machine import Request
from domgrpc.engine.engine import Engine
from tests.core.commands import on_hand, place, reserve
from tests.engine.rooms import ask, given

TEA = reserve(("tea", "north", 1))


async def open_shop(engine: Engine) -> None:
    """Open the place and count its tea, in two records."""
    await given(engine, place("north"), on_hand("tea", north=1_000))


def holds(count: int) -> list[Request]:
    """Make so many requests, each with an id of its own."""
    return [ask(TEA, f"hold-{number}") for number in range(count)]
