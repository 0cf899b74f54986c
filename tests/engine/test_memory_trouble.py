"""Memory runs out: while deciding, one caller is told so; while applying, the server ends.

Either way nothing is half applied: deciding changes nothing, and what reached memory alone is gone
with the process.
"""

from typing import NoReturn

import pytest

from domgrpc.cli.exits import storage_reason
from domgrpc.engine.calls import CallFailed, Failed, Stopped
from domgrpc.engine.engine import Engine
from domgrpc.rpc.server import EngineFailed
from tests.core.commands import on_hand, place
from tests.core.order_words import line, order
from tests.engine.rooms import Room, ask, given, state_digest

HERE = (40.7, -74.0)
ORDER = order(line("tea", 1), to=HERE)
COUNT = on_hand("tea", north=7)


class NothingFound:
    """Answers without memory for looking something up: the first step of a decision."""

    def get(self, *_: object) -> NoReturn:
        raise MemoryError


class Full:
    """Answers without memory for one more: the last step of applying a change."""

    def get(self, *_: object) -> None:
        """Find nothing."""

    def __setitem__(self, *_: object) -> NoReturn:
        raise MemoryError


async def look(engine: Engine) -> str:
    engine.writer.state.check_invariants()
    return state_digest(engine)


async def open_shop(engine: Engine) -> str:
    await given(engine, place("north", at=HERE), on_hand("tea", north=5))
    return state_digest(engine)


@pytest.mark.slow
def test_a_decision_without_memory_fails_its_caller_alone_and_changes_nothing() -> None:
    async def decide(engine: Engine) -> str:
        before = await open_shop(engine)
        answers = engine.writer.state.answers
        kept = answers.by_key
        answers.by_key = NothingFound()  # type: ignore[assignment]
        with pytest.raises(CallFailed, match="MemoryError"):
            await engine.submit(ask(ORDER, "unlucky"))
        answers.by_key = kept
        assert state_digest(engine) == before
        await engine.submit(ask(ORDER, "unlucky"))
        return state_digest(engine)

    room = Room()
    expected = room.live(decide)
    assert room.live(look) == expected


def test_a_change_without_memory_ends_the_server_and_is_as_if_it_never_was() -> None:
    async def apply(engine: Engine) -> str:
        before = await open_shop(engine)
        answers = engine.writer.state.answers
        answers.by_key = Full()  # type: ignore[assignment]
        with pytest.raises(Failed, match="outcome unknown"):
            await engine.submit(ask(COUNT, "more"))
        assert isinstance(await engine.failed, MemoryError)
        with pytest.raises((Failed, Stopped)):
            await engine.submit(ask(COUNT, "later"))
        return before

    room = Room()
    before = room.live(apply)
    assert room.live(look) == before


def test_the_end_for_want_of_memory_says_what_to_do() -> None:
    assert storage_reason(MemoryError()) == "OUT_OF_MEMORY"
    assert "give the server more" in str(EngineFailed(MemoryError()))
    assert str(EngineFailed(AssertionError())) == "the engine has failed: AssertionError"
