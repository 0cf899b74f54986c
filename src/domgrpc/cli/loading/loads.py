"""One load: the file, where its refusals go, and how far it has come."""

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from domgrpc.cli.loading.cells import BadCell
from domgrpc.cli.loading.csv_files import Block, CsvFile
from domgrpc.cli.loading.rejects import Rejects
from domgrpc.client import DomgrpcError

WRONG_FIELD_COUNT: Final = "WRONG_FIELD_COUNT"


class Progress(Protocol):
    """Shows how far a load has come."""

    def __call__(self, *, read_bytes: int, row_count: int) -> None:
        """Take how much was read and how many rows were dealt with."""


@dataclass(slots=True)
class Load:
    """A load under way.

    Of the rows so far `applied_count` were applied by this load, `skipped_count` by an earlier
    one, and `rejects.count` were refused.
    """

    file: CsvFile
    rejects: Rejects
    progress: Progress
    row_count: int = 0
    applied_count: int = 0
    skipped_count: int = 0
    revision: int = 0

    def cells_of(self, row: list[str]) -> dict[str, str]:
        """Return the cells by column; raises BadRow for a row of another width."""
        columns = self.file.columns
        if len(row) != len(columns):
            raise BadRow(
                WRONG_FIELD_COUNT, f"the row has {len(row)} fields, the header {len(columns)}"
            )
        return dict(zip(columns, row, strict=True))

    def reject(self, block: Block, index: int, problem: "Problem") -> None:
        """Write a row of a block into the rejects file."""
        text = problem.message if isinstance(problem, DomgrpcError) else str(problem)
        self.rejects.add(block.line_of(index), problem.reason, text, block.rows[index])

    def dealt_with(self, row_count: int) -> None:
        """Note rows that are done, and make their refusals safe."""
        self.row_count += row_count
        self.rejects.flush()
        self.progress(read_bytes=self.file.read_bytes, row_count=self.row_count)


class BadRow(Exception):
    """A row as a whole cannot be used."""

    def __init__(self, reason: str, message: str) -> None:
        """Say why, as a word and in a sentence."""
        super().__init__(message)
        self.reason = reason


Problem: TypeAlias = BadCell | BadRow | DomgrpcError
