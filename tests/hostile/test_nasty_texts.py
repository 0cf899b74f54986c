"""Nasty texts: in every text field of every method, and in whatever the server writes of itself."""

import io
import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

import pytest
import structlog
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from domgrpc.engine.engine import Engine
from domgrpc.rpc.journal import (
    EXCEPTION_CHARACTERS_MAX,
    VALUE_CHARACTERS_MAX,
    configure_journal,
    harmless,
)
from tests.engine.rooms import Room
from tests.hostile.call_lives import open_shop
from tests.hostile.good_messages import OPENING_COUNT, good_messages
from tests.hostile.nasty_strings import LONE_SURROGATES, NASTY_STRINGS
from tests.hostile.surface import METHODS, Method, Surface
from tests.hostile.verdicts import finding

TEXTS_PER_FIELD = 5
CANARY = "canary-5f1e-secret-token"
ALL_TEXTS = (*NASTY_STRINGS, *LONE_SURROGATES)
LOG_FORMATS = ("json", "console")
LINE_OF_A_CALL = re.compile(r"\bcall(_refused)?\b")
SCALAR = FieldDescriptor.TYPE_STRING


@pytest.fixture(autouse=True)
def journal_as_before() -> Iterator[None]:
    """Leave the journal as other tests expect it."""
    yield
    structlog.reset_defaults()


def written(monkeypatch: pytest.MonkeyPatch, log_format: str) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_journal(log_format)
    return stream


def text_fields(kind: Any, *, depth: int = 3) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Iterate the ways to all text fields of a kind of message."""
    for field in kind.fields:
        if field.message_type is not None and depth:
            for inner in text_fields(field.message_type, depth=depth - 1):
                yield (field, *inner)
        elif field.type == SCALAR:
            yield (field,)


def put(message: Any, way: tuple[Any, ...], text: str) -> None:  # noqa: ANN401 - any message
    """Put a text into a field of a message, and into one message of every list on the way."""
    field, *rest = way
    values = getattr(message, field.name)
    if not rest:
        if field.is_repeated:
            values.append(text)
        else:
            setattr(message, field.name, text)
    elif field.is_repeated:
        put(values[0] if values else values.add(), tuple(rest), text)
    else:
        values.SetInParent()
        put(values, tuple(rest), text)


def with_texts(random: Random) -> Iterator[tuple[Method, bytes]]:
    good = dict(good_messages())
    for method in METHODS:
        for way in text_fields(method.descriptor.input_type):
            for text in random.sample(NASTY_STRINGS, TEXTS_PER_FIELD):
                message = GetMessageClass(method.descriptor.input_type).FromString(
                    good[method.path]
                )
                put(message, way, text)
                yield method, message.SerializeToString()


@pytest.mark.slow
@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_a_nasty_text_in_any_field_breaks_neither_the_answer_nor_the_line(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    stream = written(monkeypatch, log_format)
    calls = list(with_texts(Random(log_format)))
    found = Room(segment_size_bytes=2**21).live(partial(make_calls, calls))
    assert found == []
    lines = [line for line in stream.getvalue().split("\n") if LINE_OF_A_CALL.search(line)]
    assert len(lines) == OPENING_COUNT + sum(method.is_ours for method, _ in calls)
    assert unprintable(stream.getvalue()) == set()


async def make_calls(calls: list[tuple[Method, bytes]], engine: Engine) -> list[str]:
    surface = Surface(engine, call_log="all")
    await open_shop(surface)
    found = []
    for method, raw in calls:
        what = finding(await surface.call(method, [raw], seconds=0.5))
        if what:
            found.append(f"{method.path}: {what}")
    return found


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_a_nasty_text_stays_on_one_line(monkeypatch: pytest.MonkeyPatch, log_format: str) -> None:
    stream = written(monkeypatch, log_format)
    for text in ALL_TEXTS:
        structlog.get_logger().info("call", message=text, many=(text,), named={text: text})
    output = stream.getvalue()
    assert len(output.split("\n")) == len(output.splitlines()) + 1 == len(ALL_TEXTS) + 1
    assert unprintable(output) == set()


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_a_nasty_text_in_an_exception_steers_no_terminal(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    stream = written(monkeypatch, log_format)
    for text in NASTY_STRINGS:
        structlog.get_logger().error("handler_broken", exc_info=ValueError(text))
    assert unprintable(stream.getvalue()) == set()


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_a_trace_shows_no_local_variable(monkeypatch: pytest.MonkeyPatch, log_format: str) -> None:
    stream = written(monkeypatch, log_format)
    try:
        hide(CANARY)
    except ValueError as fault:
        structlog.get_logger().error("handler_broken", exc_info=fault)
    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def hide(token: str) -> None:
    assert token
    raise ValueError("something else")


def test_a_long_text_is_cut_and_says_so() -> None:
    assert harmless("x" * VALUE_CHARACTERS_MAX) == "x" * VALUE_CHARACTERS_MAX
    cut = harmless("x" * 10**6)
    assert len(cut) < VALUE_CHARACTERS_MAX + 40
    assert cut.endswith("... (1000000 characters)")
    assert len(harmless("\n" * 10**6, lines=True)) < EXCEPTION_CHARACTERS_MAX + 40


def test_letters_of_all_languages_stay_as_they_are() -> None:
    assert harmless("caf\u00e9 \u4e2d\u6587 \u05d0") == "caf\u00e9 \u4e2d\u6587 \u05d0"
    assert harmless("a\u202eb\n") == "a\\u202eb\\n"


def test_a_forged_line_is_one_value_of_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "json")
    forged = 'a\n{"event":"listening","level":"error"}'
    structlog.get_logger().info("call", message=forged)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == 'a\\n{"event":"listening","level":"error"}'


def unprintable(output: str) -> set[str]:
    return {character for character in output if not character.isprintable()} - {"\n"}
