"""What a refused or failed call raises: one exception, read from google.rpc.Status.

The server puts the reason, the facts and the details of every error into a google.rpc.Status;
docs/api.md lists the reasons. An error that never met the server (nobody listens, the deadline
passed) has no such status: its reason is then the name of its gRPC code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from domgrpc.v1.errors_pb2 import InsufficientStock
from domgrpc.v1.reservation_pb2 import ShortLine

STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"
_CODES: Final[Mapping[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}
_NANOS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that breaks a rule."""

    field: str
    description: str


class DomgrpcError(Exception):
    """A call was refused or failed.

    `code` is the gRPC code, `reason` the published word for the cause, `message` a sentence for
    people and `metadata` the facts in it. `short_lines` names what a hold lacked and where else
    it is; a long list is cut, `short_line_count` says how many there are. `field_violations`
    names the fields that are wrong. `retry_delay_seconds` is the server's advice, or None.
    """

    def __init__(self, status: Status) -> None:
        """Read the status; unknown details are left alone."""
        super().__init__(status)
        self.status = status
        self.code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
        self.reason = self.code.name
        self.message = status.message
        self.metadata: dict[str, str] = {}
        self.short_lines: tuple[ShortLine, ...] = ()
        self.short_line_count = 0
        self.field_violations: tuple[FieldViolation, ...] = ()
        self.retry_delay_seconds: float | None = None
        for detail in status.details:
            self._read(detail)

    def __str__(self) -> str:
        """Return reason and message in one line."""
        return f"{self.reason}: {self.message}"

    def _read(self, detail: AnyMessage) -> None:
        match detail.TypeName():
            case "google.rpc.ErrorInfo":
                info = ErrorInfo.FromString(detail.value)
                self.reason = info.reason
                self.metadata = dict(info.metadata)
            case "google.rpc.BadRequest":
                self.field_violations = tuple(
                    FieldViolation(violation.field, violation.description)
                    for violation in BadRequest.FromString(detail.value).field_violations
                )
            case "google.rpc.RetryInfo":
                delay = RetryInfo.FromString(detail.value).retry_delay
                self.retry_delay_seconds = delay.seconds + delay.nanos / _NANOS_PER_SECOND
            case "domgrpc.v1.InsufficientStock":
                shortage = InsufficientStock.FromString(detail.value)
                self.short_lines = tuple(shortage.lines)
                self.short_line_count = shortage.line_count
            case _:
                # Newer servers may say more than this client knows.
                return


def error_of_call(error: grpc.aio.AioRpcError) -> DomgrpcError:
    """Return the error that a failed gRPC call amounts to.

    A call that was cancelled without our wish, as by a server that goes down, is UNAVAILABLE:
    gRPC tells our own cancelling by another exception.
    """
    words = error.details() or "the call failed without a word"
    if error.code() is grpc.StatusCode.CANCELLED:
        return local_error(grpc.StatusCode.UNAVAILABLE, f"the call was broken off: {words}")
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            return DomgrpcError(Status.FromString(value))
    return local_error(error.code(), words)


def local_error(code: grpc.StatusCode, message: str) -> DomgrpcError:
    """Return an error that the server had no part in."""
    number: int = code.value[0]
    return DomgrpcError(Status(code=number, message=message))
