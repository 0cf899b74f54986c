"""Who judges is judged first: planted leaks and unmapped ends are found, good ends are not."""

import grpc
import pytest
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.status import Problem, code_of, fill_status
from tests.hostile.nasty_strings import NASTY_STRINGS
from tests.hostile.verdicts import Ending, finding, text_finding


def refused_with(problem: Problem) -> Ending:
    status = Status()
    fill_status(status, problem)
    return Ending(code_of(problem), status.message, status.SerializeToString())


def test_a_published_refusal_is_fine() -> None:
    assert not finding(refused_with(InvalidField("sku", "is empty; 1 to 128 bytes are needed")))
    assert not finding(Ending(grpc.StatusCode.OK))


@pytest.mark.parametrize(
    "ending",
    [
        Ending(grpc.StatusCode.OK, raised="KeyError: 'a'"),
        Ending(grpc.StatusCode.UNKNOWN, "Unexpected <class 'TypeError'>"),
        Ending(grpc.StatusCode.INTERNAL, "Failed to serialize response!"),
        Ending(grpc.StatusCode.NOT_FOUND, "there is no such thing"),
        Ending(grpc.StatusCode.NOT_FOUND, "x", status=b"\xff"),
        Ending(grpc.StatusCode.OK, trailer_bytes=9_000),
        refused_with(Refused(TransportReason.INTERNAL, "the server made a mistake")),
        refused_with(Refused(TransportReason.SERVER_FAILED, "the server has failed")),
        refused_with(InvalidField("sku", "is a\nb")),
    ],
)
def test_an_unmapped_or_unsound_end_is_found(ending: Ending) -> None:
    assert finding(ending)


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):",
        'File "answering.py", line 3',
        f"cannot open {'/var'}/lib/domgrpc/log-1.seg",
        "KeyError: 'sku'",
        f"{DecodeError('x')!r}",
        "domgrpc.core.holds",
        "<class 'dict'>",
        "object at 0x7f3",
        "inventory_pb2.StockUpdate",
        "msgspec could not",
        "a\x1b[31mb",
        "a\u2028b",
    ],
)
def test_a_text_that_gives_something_away_is_found(text: str) -> None:
    assert text_finding(text)


def test_no_nasty_string_looks_like_a_piece_of_the_program() -> None:
    assert [text for text in NASTY_STRINGS if text.isprintable() and text_finding(text)] == []
    assert len(NASTY_STRINGS) >= 200
