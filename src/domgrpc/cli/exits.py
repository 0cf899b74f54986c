"""What the command line ends with: exit codes, and errors in one readable line.

The codes are a contract with scripts and supervisors: docs/cli.md.
"""

import json
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domgrpc.client import DomgrpcError


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    """The server understood and said no."""
    USAGE = 2
    """The command or a value in it is not well formed."""
    UNAVAILABLE = 3
    """The server cannot be reached, or cannot answer now."""
    REJECTED_ROWS = 4
    """A file was loaded except for the rows in its rejects file."""
    STORAGE_FAULT = 70
    """The disk failed, or memory ran out."""
    CORRUPTION = 71
    """Stored bytes are damaged, or files and memory do not agree."""
    CONFIGURATION = 73
    """A setting is wrong, the folder is in use or not writable, the port is taken."""
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    """Whoever read the output went away."""


INVALID_OPTION: Final = "INVALID_OPTION"
FILE_UNREADABLE: Final = "FILE_UNREADABLE"
INVALID_SETTING: Final = "INVALID_SETTING"
CANNOT_LISTEN: Final = "CANNOT_LISTEN"
CANNOT_WRITE: Final = "CANNOT_WRITE"
NO_LOG: Final = "NO_LOG"
_STORAGE_REASONS: Final = {
    "FolderInUse": "FOLDER_IN_USE",
    "FolderUnusable": "FOLDER_UNUSABLE",
    "Corruption": "DATA_DAMAGED",
    "FormatTooNew": "DATA_TOO_NEW",
    "DiskFull": "DISK_FULL",
    "MemoryError": "OUT_OF_MEMORY",
}


class Ended(Exception):
    """The command ends here, with an error that no server had a part in."""

    def __init__(self, reason: str, message: str, *, code: int = ExitCode.USAGE) -> None:
        """Say why, as a word of docs/cli.md and as a sentence."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.exit_code = code


def storage_reason(error: BaseException) -> str:
    """Return the word for what is wrong with a data folder."""
    return _STORAGE_REASONS.get(type(error).__name__, "DISK_FAILED")


_USAGE_CODES: Final = frozenset({"INVALID_ARGUMENT"})
_UNAVAILABLE_CODES: Final = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN", "UNIMPLEMENTED"}
)
_UNAVAILABLE_REASONS: Final = frozenset({"SERVER_BUSY", "DISK_FULL", "RESOURCE_EXHAUSTED"})


_HINTS: Final = {
    "RESERVATION_EXPIRED": "`domgrpc confirm RESERVATION --revive` where all of it is still free",
    "NO_CANDIDATE": "`domgrpc simulate` with the same items says what removed each location",
    "QUOTE_EXPIRED": "`domgrpc quote` with the same items gives a new token",
    "QUOTE_OUTDATED": "`domgrpc quote` with the same items gives a new token",
    "RULE_NOT_FOUND": "`domgrpc safety-stock list`; rule sets have numbers: `domgrpc rules list`",
}
"""What to type next, where the server's own advice names a call."""


def file_error(error: OSError) -> Ended:
    """Return what is wrong with a file that was named, or else with the output."""
    if error.filename is None:
        return Ended(CANNOT_WRITE, f"the output cannot be written: {error.strerror}")
    return Ended(FILE_UNREADABLE, f"{error.filename} cannot be used: {error.strerror}")


def exit_code_of(error: "DomgrpcError") -> ExitCode:
    """Return the exit code that tells scripts what kind of error it was."""
    code = error.code.name
    if code in _USAGE_CODES:
        return ExitCode.USAGE
    if code in _UNAVAILABLE_CODES or error.reason in _UNAVAILABLE_REASONS:
        return ExitCode.UNAVAILABLE
    return ExitCode.REFUSED


def print_error(text: str) -> None:
    """Print one line that begins with `error:` on the error stream."""
    line = " ".join(text.split()).encode(errors="backslashreplace").decode()
    sys.stderr.write(f"error: {line}\n")


def print_ended(error: Ended, *, as_json: bool) -> None:
    """Print an error of this side; as JSON also on the output, in the form of the server's."""
    print_error(f"{error.reason}: {error.message}")
    if as_json and error.reason != CANNOT_WRITE:
        facts: dict[str, object] = {
            "code": None,
            "reason": error.reason,
            "message": error.message,
            "metadata": {},
            "field_violations": [],
            "short_lines": [],
        }
        _print_document(facts)


def print_refusal(error: "DomgrpcError", *, target: str, as_json: bool) -> None:
    """Print an error of the server; as JSON also on the output, with all its facts."""
    if error.reason == "UNAVAILABLE":
        # Nobody answered, so gRPC's own words are all there is; they do not name the address.
        print_error(f"{error.reason}: no server at {target}: {error.message}")
    else:
        print_error(str(error))
    if as_json:
        _print_document(_facts(error))
        return
    if error.short_lines:
        _print_short_lines(error)
    if "fresh_plan" in error.metadata:
        _print_fresh_plan(error.metadata)
    if error.reason in _HINTS:
        sys.stderr.write(f"try: {_HINTS[error.reason]}\n")


def _print_document(facts: dict[str, object]) -> None:
    text = json.dumps({"error": facts}, indent=2, ensure_ascii=False)
    # What was typed may be no UTF-8, and is shown as escapes then.
    sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")


def _facts(error: "DomgrpcError") -> dict[str, object]:
    from domgrpc.cli.output import plain

    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "metadata": error.metadata,
        "field_violations": [
            {"field": violation.field, "description": violation.description}
            for violation in error.field_violations
        ],
        "short_lines": [plain(line) for line in error.short_lines],
    }


def _print_fresh_plan(facts: "Mapping[str, str]") -> None:
    from domgrpc.cli.plan_tables import counted, money

    plan = facts["fresh_plan"] or "nothing"
    cost = money(int(facts.get("fresh_cost_micros", "0")))
    short_count = int(facts.get("fresh_short_line_count", "0"))
    sys.stderr.write(f"as things stand: {plan}; cost {cost}")
    sys.stderr.write(f"; {counted(short_count, 'short line')}\n" if short_count else "\n")


def _print_short_lines(error: "DomgrpcError") -> None:
    from domgrpc.cli.columns import SHORT_LINES
    from domgrpc.cli.tables import print_table

    print_table(SHORT_LINES, error.short_lines, file=sys.stderr)
    left_out = error.short_line_count - len(error.short_lines)
    if left_out > 0:
        sys.stderr.write(f"and {left_out} more short lines\n")
