"""Judges the end of a call: an answer, or a refusal in the published words that gives nothing away.

`finding` returns what is wrong, empty for nothing. The rules are those of docs/reliability.md,
section Hostile input.
"""

import re
from collections.abc import Iterable, Iterator

import grpc
import msgspec
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from domgrpc.core.rejections import Reason
from domgrpc.rpc.refusals import TransportReason
from domgrpc.rpc.status import TREATMENTS

TRAILER_BYTES_MAX = 8 * 1024
UNMAPPED_CODES = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL})
NEVER_REASONS = frozenset(
    {TransportReason.INTERNAL, TransportReason.SERVER_FAILED, TransportReason.SERVER_DRAINING}
)
"""Reasons that no message may bring about."""
REASONS = frozenset({*Reason, *TransportReason}) - NEVER_REASONS
_CODES = {reason.value: treatment.code.value[0] for reason, treatment in TREATMENTS.items()}
_INNARDS = re.compile(
    r"Traceback|File \"|\b(?:Key|Value|Type|Index|Attribute|Assertion|Recursion|Decode|Memory|OS)"
    r"Error\b|(?:^|[\s'\"(=])/(?:[\w.-]+/)+|\.py\b|site-packages|_pb2|domgrpc\.(?!v1\b)\w"
    r"|<class |object at 0x|\bmsgspec\b|\bgoogle\.protobuf\b|\bself\.",
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Ending(msgspec.Struct):
    """How a call ended: its code, message and trailer, and the answers before it."""

    code: grpc.StatusCode
    message: str = ""
    status: bytes = b""
    trailer_bytes: int = 0
    answers: tuple[bytes, ...] = ()
    raised: str = ""
    """What came out of a handler that is none of gRPC's own ends of a call."""
    is_ours: bool = True
    """Whether the method is one of our services; the others need give no reason."""

    @property
    def reason(self) -> str:
        """The published reason, or the code where there is none."""
        for detail in Status.FromString(self.status).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return str(info.reason)
        return self.code.name


def finding(ending: Ending, inner: Iterable[Status] = ()) -> str:
    """Return what is wrong with an ending, empty for nothing; `inner` are errors in its answer."""
    if ending.raised:
        return f"raised {ending.raised}"
    if ending.code in UNMAPPED_CODES:
        return f"ended with {ending.code.name}: {ending.message}"
    if ending.trailer_bytes > TRAILER_BYTES_MAX:
        return f"a trailer of {ending.trailer_bytes} bytes"
    within = next(filter(None, map(_status_finding, inner)), "")
    if within or ending.code is grpc.StatusCode.OK:
        return within
    return text_finding(ending.message) or (_trailer_finding(ending) if ending.is_ours else "")


def _trailer_finding(ending: Ending) -> str:
    try:
        status = Status.FromString(ending.status)
    except DecodeError:
        return "a trailer that is no status"
    if (status.code, status.message) != (ending.code.value[0], ending.message):
        return "a trailer that says something else than the status"
    return _status_finding(status)


def text_finding(text: str) -> str:
    """Return what an error text gives away or carries, empty for nothing."""
    innards = _INNARDS.search(text)
    if innards is not None:
        return f"{innards[0]!r} in the text {text!r}"
    control = _CONTROL.search(text)
    return f"a control character in the text {text!r}" if control is not None else ""


def _status_finding(status: Status) -> str:
    info = error_details_pb2.ErrorInfo()
    reasons = [info.reason for detail in status.details if detail.Unpack(info)]
    if len(reasons) != 1 or reasons[0] not in REASONS or info.domain != "domgrpc":
        return f"the reasons {reasons} with {status.message!r}"
    if _CODES[reasons[0]] != status.code:
        return f"{reasons[0]} with code {status.code}"
    return text_finding(status.message) or _description_finding(status)


def _description_finding(status: Status) -> str:
    return next(filter(None, map(text_finding, _descriptions(status))), "")


def _descriptions(status: Status) -> Iterator[str]:
    bad_request = error_details_pb2.BadRequest()
    failure = error_details_pb2.PreconditionFailure()
    for detail in status.details:
        if detail.Unpack(bad_request):
            yield from (each.description for each in bad_request.field_violations)
        elif detail.Unpack(failure):
            yield from (each.description for each in failure.violations)
