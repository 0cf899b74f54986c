"""What the edge itself refuses, before or beside the business: shape, load, drain, limits.

`TransportReason` is the other half of the published list of reasons (core/rejections.py has the
first). `InvalidField` carries the path of one field and is raised by the translate modules;
`Refused` is any other refusal of the edge. status.py turns both into what goes out.
"""

import enum


class TransportReason(enum.StrEnum):
    """Why the edge refused a call; the same word on the wire."""

    INVALID_FIELD = "INVALID_FIELD"
    REQUEST_ID_MISSING = "REQUEST_ID_MISSING"
    MESSAGE_MALFORMED = "MESSAGE_MALFORMED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, no secret
    OPERATION_COUNT_OUT_OF_RANGE = "OPERATION_COUNT_OUT_OF_RANGE"
    REVISION_TRIMMED = "REVISION_TRIMMED"
    WATCH_TOO_SLOW = "WATCH_TOO_SLOW"
    SOURCE_IN_USE = "SOURCE_IN_USE"
    SNAPSHOT_RUNNING = "SNAPSHOT_RUNNING"
    VERIFICATION_RUNNING = "VERIFICATION_RUNNING"
    REOPTIMIZATION_RUNNING = "REOPTIMIZATION_RUNNING"
    DRY_RUN_RUNNING = "DRY_RUN_RUNNING"
    BACKLOG_TOO_LARGE = "BACKLOG_TOO_LARGE"
    SERVER_BUSY = "SERVER_BUSY"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    DISK_FULL = "DISK_FULL"
    SERVER_FAILED = "SERVER_FAILED"
    SERVER_DRAINING = "SERVER_DRAINING"
    REVISION_NOT_REACHED = "REVISION_NOT_REACHED"
    INTERNAL = "INTERNAL"


class InvalidField(Exception):
    """A field of the request breaks a rule that the proto states.

    `path` is the field as seen from the message that was being read; who reads the message
    around it puts its own field in front by `within`.
    """

    def __init__(self, path: str, description: str) -> None:
        """Name the field, what is wrong with its value, and what is allowed."""
        super().__init__(f"{path} {description}")
        self.path = path
        self.description = description

    def within(self, parent: str) -> "InvalidField":
        """Return the same problem as seen from the message that has the field `parent`."""
        return InvalidField(f"{parent}.{self.path}" if self.path else parent, self.description)


class Refused(Exception):
    """The edge refuses a call for a reason of its own; facts become strings in the metadata."""

    def __init__(self, reason: TransportReason, message: str, **facts: object) -> None:
        """Say why, in a sentence and as facts."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.facts = {name: str(value) for name, value in facts.items()}
