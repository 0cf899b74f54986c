"""What a fault left behind: rows of a table, each with what had to hold and what was seen."""

import enum
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_WIDTH_MIN = 110
_LINE_SECONDS = 15.0


class Verdict(enum.StrEnum):
    """How a figure stands to its must."""

    MET = "met"
    MISSED = "MISSED"
    SKIPPED = "skipped"


_STYLES = {Verdict.MET: "green", Verdict.MISSED: "bold red", Verdict.SKIPPED: "yellow"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table; `note` says how it was measured, or why it was not."""

    what: str
    must: str
    figure: str
    verdict: Verdict
    note: str = ""


def judged(what: str, *, must: str, figure: str, holds: bool, note: str = "") -> Row:
    """Return the row of a figure that was measured."""
    verdict = Verdict.MET if holds else Verdict.MISSED
    return Row(what=what, must=must, figure=figure, verdict=verdict, note=note)


def skipped(what: str, *, must: str, reason: str) -> Row:
    """Return the row of a figure that cannot be measured here."""
    return Row(what=what, must=must, figure="-", verdict=Verdict.SKIPPED, note=reason)


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows to the standard output."""
    console = Console()
    console.width = max(console.width, _WIDTH_MIN)
    table = Table("what", box=None, header_style="bold", pad_edge=False)
    for heading in ("must", "figure", "verdict"):
        table.add_column(heading)
    for row in rows:
        style = _STYLES[row.verdict]
        table.add_row(row.what, row.must, row.figure, row.verdict.value, style=style)
        if row.note:
            table.add_row(f"  {row.note}", style="dim")
    console.print(table)


class Counter:
    """Counts what is done towards a total: on a bar for a person, else in a line now and then."""

    def __init__(self, bar: Progress, what: str, total: int) -> None:
        """Start at nothing done."""
        self._bar = bar
        self._task = bar.add_task(what, total=total)
        self._said_seconds = time.monotonic()

    def add(self, count: int = 1) -> None:
        """Say that so much more is done."""
        self._bar.advance(self._task, count)
        now_seconds = time.monotonic()
        if self._bar.disable and now_seconds - self._said_seconds >= _LINE_SECONDS:
            self._said_seconds = now_seconds
            task = self._bar.tasks[0]
            sys.stderr.write(f"  {task.description}: {task.completed:,} of {task.total:,}\n")


@contextmanager
def counting(what: str, total: int) -> Iterator[Counter]:
    """Show on the standard error how far a long run is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(file=sys.stderr)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        yield Counter(bar, what, total)
