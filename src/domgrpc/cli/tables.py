"""Tables for people: aligned columns, written while the rows come.

The first rows choose the widths; a later cell that is wider moves the rest of its row. Nothing is
ever cut: an id must be copied whole, and a terminal breaks a long line by itself.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from domgrpc.cli.output import cell_text

_SAMPLE_ROWS: Final = 200
_GAP: Final = "   "

# A message of whichever service, or plain data; its fields are read by name.
Row = Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading and what stands in it for a row."""

    heading: str
    value: Callable[[Row], object]
    is_number: bool = False


class Table:
    """A table under way: takes rows, and writes them as soon as the widths are known."""

    def __init__(self, columns: Sequence[Column], file: TextIO) -> None:
        """Take where to write; nothing is written before the first rows are known."""
        self._columns = columns
        self._file = file
        self._first: list[list[str]] = []
        self._widths: list[int] = []

    def add(self, row: Row) -> None:
        """Take one row."""
        cells = [_printable(cell_text(column.value(row))) for column in self._columns]
        if self._widths:
            self._write(cells)
            return
        self._first.append(cells)
        if len(self._first) == _SAMPLE_ROWS:
            self._begin()

    def end(self) -> None:
        """Write what is left; a single line where there were no rows."""
        if not self._widths and self._first:
            self._begin()
        elif not self._widths:
            self._file.write("nothing found\n")

    def _begin(self) -> None:
        headings = [column.heading for column in self._columns]
        sample = zip(headings, *self._first, strict=True)
        self._widths = [max(map(_width, cells)) for cells in sample]
        self._write(headings)
        rule = sum(self._widths) + len(_GAP) * (len(self._widths) - 1)
        self._file.write("─" * rule + "\n")
        for cells in self._first:
            self._write(cells)
        self._first.clear()

    def _write(self, cells: Sequence[str]) -> None:
        parts = []
        for cell, width, column in zip(cells, self._widths, self._columns, strict=True):
            blanks = " " * (width - _width(cell))
            parts.append(blanks + cell if column.is_number else cell + blanks)
        self._file.write(_GAP.join(parts).rstrip() + "\n")


def print_table(
    columns: Sequence[Column], rows: Iterable[Row], *, file: TextIO | None = None
) -> None:
    """Print rows under headings; a single line where there are none."""
    table = Table(columns, file or sys.stdout)
    for row in rows:
        table.add(row)
    table.end()


def _printable(text: str) -> str:
    """Return a text without what would steer the terminal."""
    if text.isprintable():
        return text
    return "".join(part if part.isprintable() else " " for part in text)


def _width(text: str) -> int:
    """Return how many cells of a terminal a text takes; some characters take two or none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
