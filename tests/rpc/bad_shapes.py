"""Messages with one thing wrong, in few words, and what must be said about them.

A case is a way of reading, a message, and the path of the field that is wrong in it. A builder
makes a message that is right but for the fields that a case gives.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.rpc.refusals import InvalidField

LONG = "x" * 129
TOO_MUCH = 10**12 + 1
UNKNOWN: Any = 99
"""A number that no enum of ours has; a newer client may send one."""
NOT_NFC = "e\u0301"

Field: TypeAlias = Any
"""What a field of a message takes."""
Case: TypeAlias = tuple[Callable[[Any], object], Any, str]


def filled(fields: dict[str, Field], **defaults: Field) -> dict[str, Field]:
    """Return the fields of a case over those of a message that is right."""
    return defaults | fields


def masked(*paths: str) -> FieldMask:
    """Return the mask of an update."""
    return FieldMask(paths=paths)


def each_case(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each case, named by what is read and the field that is wrong."""
    return pytest.mark.parametrize(
        ("read", "message", "path"),
        [
            pytest.param(*case, id=f"{case[0].__name__}-{place}-{case[2]}")
            for place, case in enumerate(cases)
        ],
    )


def expect_bad(read: Callable[[Any], object], message: object, path: str) -> None:
    """Read a message that must be refused for one field."""
    with pytest.raises(InvalidField) as caught:
        read(message)
    assert caught.value.path == path
    assert str(caught.value) == f"{path} {caught.value.description}"
