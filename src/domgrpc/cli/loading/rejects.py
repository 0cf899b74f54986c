"""The rejects file: the rows that were refused, each with its line, reason and original cells.

It appears with the first refusal, beside the loaded file. When a load goes on where an earlier
one was interrupted, the refusals of the rows that are passed over stay in it.
"""

import csv
from pathlib import Path
from typing import IO, Final

HEADINGS: Final = ("line", "reason", "message")


class Rejects:
    """The refused rows of one file; `count` of them."""

    def __init__(self, path: Path, columns: list[str], delimiter: str) -> None:
        """Take the loaded file's path and columns; nothing is written yet."""
        self.path = path.with_name(path.name + ".rejects.csv")
        self.count = 0
        self._columns = columns
        self._delimiter = delimiter
        self._file: IO[str] | None = None
        self._kept: list[list[str]] = []

    def begin(self, *, keep_until_line: int = 0) -> None:
        """Forget the refusals of an earlier load, except those up to a line."""
        if keep_until_line and self.path.exists():
            with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                rows = list(csv.reader(file, delimiter=self._delimiter))[1:]
            self._kept = [
                row for row in rows if row and row[0].isdigit() and int(row[0]) <= keep_until_line
            ]
        self.count = len(self._kept)
        if self._kept:
            self._open()
        else:
            self.path.unlink(missing_ok=True)

    def add(self, line: int, reason: str, message: str, row: list[str]) -> None:
        """Write a refused row."""
        if self._file is None:
            self._open()
        self._write([str(line), reason, " ".join(message.split()), *row])
        self.count += 1

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> None:
        # Under another name first: an interruption here must not lose what was kept.
        unfinished = self.path.with_name(self.path.name + ".part")
        self._file = unfinished.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self._write([*HEADINGS, *self._columns])
        for row in self._kept:
            self._write(row)
        self._kept = []
        self._file.flush()
        unfinished.replace(self.path)

    def _write(self, row: list[str]) -> None:
        assert self._file is not None
        csv.writer(self._file, delimiter=self._delimiter).writerow(row)
