"""What the server writes about itself: one line per event, and one per call where asked for.

Colour on a terminal, JSON otherwise; always on standard error, so that standard output belongs to
whoever started the program. An event is a fixed word and everything else a key. Values may be
what callers chose: none of them can end its line, steer a terminal or fill the disk, because what
is not printable is escaped and what is long is cut.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
import structlog
from structlog.typing import EventDict

_log = structlog.get_logger()

VALUE_CHARACTERS_MAX = 2_000
EXCEPTION_CHARACTERS_MAX = 20_000
_REASONS_OF_OVERLOAD = frozenset({"SERVER_BUSY", "DEADLINE_PASSED"})
_OVERLOAD_LINES_PER_SECOND = 10
_EXCEPTION = "exception"
_END_OF_LINE = frozenset("\n")
_NOTHING: frozenset[str] = frozenset()


def configure_journal(log_format: str) -> None:
    """Choose how lines look: "json", "console", or "auto" by whether a person is watching."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Not left to the console renderer, which prints the local variables too.
            structlog.processors.format_exc_info,
            _harmless,
            renderer,
        ],
        logger_factory=_LineLogger,
        cache_logger_on_first_use=False,
    )


def _harmless(_logger: object, _method: str, entry: EventDict) -> EventDict:
    for key, value in entry.items():
        if isinstance(value, str):
            entry[key] = harmless(value, lines=key == _EXCEPTION)
    return entry


def harmless(value: str, *, lines: bool = False) -> str:
    """Return a text as it may stand in a line of the journal; with `lines` it may have some."""
    characters_max = EXCEPTION_CHARACTERS_MAX if lines else VALUE_CHARACTERS_MAX
    if len(value) > characters_max:
        value = f"{value[:characters_max]}... ({len(value)} characters)"
    if value.isprintable():
        return value
    kept = _END_OF_LINE if lines else _NOTHING
    return "".join(
        character if character.isprintable() or character in kept else ascii(character)[1:-1]
        for character in value
    )


class _LineLogger:
    """Writes finished lines to standard error, whatever becomes of it."""

    def __init__(self, *_names: object) -> None:
        self._stream = sys.stderr

    def info(self, line: str) -> None:
        """Write a line."""
        # Whoever read our lines may be gone; calls must not fail for that.
        with suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = warning = error = critical = exception = info


class CallLog:
    """One line per finished call: all, those that failed, or none.

    Under overload calls are refused by the thousand, and a line costs more than a refusal: of
    those a few a second are written, with how many were not.
    """

    def __init__(self, mode: str, now: Callable[[], float] = time.monotonic) -> None:
        """Take the mode: "errors", "all" or "off"; `now` gives seconds of a steady clock."""
        self._failed = mode != "off"
        self.everything = mode == "all"
        self._now = now
        self._second = now()
        self._line_count = 0
        self._unsaid_count = 0

    def failed(self, method: str, code: grpc.StatusCode, **facts: object) -> None:
        """Note a call that did not end well; one that we broke is an error of ours."""
        if not self._failed:
            return
        if code is grpc.StatusCode.INTERNAL:
            _log.error("call_failed", method=method, code=code.name, **facts)
            return
        if not self.everything and facts.get("reason") in _REASONS_OF_OVERLOAD:
            if self._is_too_much():
                return
            facts["unsaid_count"] = self._unsaid_count
            self._unsaid_count = 0
        _log.info("call_refused", method=method, code=code.name, **facts)

    def _is_too_much(self) -> bool:
        now = self._now()
        if now - self._second >= 1.0:
            self._second = now
            self._line_count = 0
        if self._line_count < _OVERLOAD_LINES_PER_SECOND:
            self._line_count += 1
            return False
        self._unsaid_count += 1
        return True

    def finished(self, method: str, **facts: object) -> None:
        """Note a call that ended well, where every call is noted."""
        if self.everything:
            _log.info("call", method=method, code="OK", **facts)
