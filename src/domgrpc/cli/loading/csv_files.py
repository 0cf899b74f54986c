"""CSV files: what kind they are, their rows in blocks, and the numbers of their lines.

A file is UTF-8, with a byte order mark or without, plain or compressed with gzip (`.gz`), and
begins with a line of column names. Bytes that are not UTF-8 reach the rows as lone surrogates,
which no name may have, so they are refused row by row.
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from domgrpc.cli.spelling import meant

BLOCK_ROWS: Final = 2_500
"""Rows of one block; part of a feed's identity, see stock.py."""
_DIGEST_CHARACTERS: Final = 32


class Kind(StrEnum):
    """What a file describes."""

    LOCATIONS = "locations"
    PRODUCTS = "products"
    STOCK = "stock"
    RATE_CARDS = "rate-cards"
    LANES = "lanes"
    CALENDARS = "calendars"


REQUIRED: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.LOCATIONS: ("location_id",),
    Kind.PRODUCTS: ("sku",),
    Kind.STOCK: ("sku", "location_id", "on_hand"),
    Kind.RATE_CARDS: ("service_id", "zone"),
    Kind.LANES: ("service_id", "transit_days"),
    Kind.CALENDARS: ("opening_hours",),
}
OPTIONAL: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.LOCATIONS: (
        "type",
        "display_name",
        "latitude",
        "longitude",
        "delivery_methods",
        "backorder_enabled",
        "groups",
    ),
    Kind.PRODUCTS: (
        "display_name",
        "unit",
        "unit_decimals",
        "weight_grams",
        "length_mm",
        "width_mm",
        "height_mm",
        "categories",
        "keep_together",
        "ship_alone",
        "backorder_mode",
        "backorder_limit_quantity",
        "backorder_horizon_days",
        "substitute_skus",
    ),
    Kind.STOCK: ("expected_on_hand", "effective_time"),
    Kind.RATE_CARDS: (
        "display_name",
        "delivery_methods",
        "origin_types",
        "package_grams_max",
        "distance_meters_max",
        "surcharges",
        "package_price",
        "unit_price",
        "kilogram_price",
        "unit_mile_price",
        "weight_grams_max",
        "weight_price",
    ),
    Kind.LANES: (
        "calendar_days",
        "delivery_weekdays",
        "deliver_by",
        "holiday_country",
        "holiday_subdivision",
    ),
    Kind.CALENDARS: (
        "location_id",
        "location_type",
        "time_zone",
        "special_days",
        "cut_off",
        "pickup_cut_off",
        "handling_minutes",
        "lead_days",
        "holiday_country",
        "holiday_subdivision",
        "pickup_window_hours",
        "package_price",
        "unit_price",
        "priority",
        "daily_capacity",
        "capacity_unit",
    ),
}


LOAD_ORDER: Final = tuple(Kind)
"""What comes first when several files are loaded: stock and calendars need their locations."""


class UnreadableFile(Exception):
    """The file as a whole cannot be loaded; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows in a row, with what is needed to find the line of each."""

    number: int
    """Blocks count from 1."""
    rows: list[list[str]]
    first_line: int
    last_line: int

    @property
    def row_count(self) -> int:
        """How many rows it has; an empty line is none."""
        return sum(map(bool, self.rows))

    def line_of(self, index: int) -> int:
        """Return the line on which a row begins; rows may have line breaks in their fields."""
        if self.last_line - self.first_line + 1 == len(self.rows):
            return self.first_line + index
        earlier = self.rows[:index]
        return self.first_line + index + sum(field.count("\n") for row in earlier for field in row)


class CsvFile:
    """An open file: its columns, and its rows in blocks."""

    def __init__(self, path: Path, raw: io.BufferedReader, delimiter: str) -> None:
        """Read the header; raises UnreadableFile for an empty file."""
        self.path = path
        self.size_bytes = path.stat().st_size
        self._raw = raw
        # Whoever opened the raw file closes it; a GzipFile has no more to close than that.
        content = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        self._text = io.TextIOWrapper(
            content, encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)
        self.columns = [name.strip() for name in next(self._reader, [])]
        if not any(self.columns):
            raise UnreadableFile(f"{path} is empty: its first line must name the columns")
        if len(set(self.columns)) != len(self.columns):
            raise UnreadableFile(f"{path} has a column twice: {', '.join(self.columns)}")

    @property
    def read_bytes(self) -> int:
        """How much of the file was read, for a progress bar."""
        return self._raw.tell()

    def blocks(self, rows_max: int = BLOCK_ROWS) -> Iterator[Block]:
        """Iterate the rows behind the header; empty lines are rows without fields."""
        number = 0
        while True:
            first_line = self._reader.line_num + 1
            try:
                rows = list(islice(self._reader, rows_max))
            except (csv.Error, EOFError, OSError) as error:
                raise UnreadableFile(
                    f"{self.path} cannot be read behind line {self._reader.line_num}: {error}. "
                    "What stands before was loaded; mend the file and load it again."
                ) from error
            if not rows:
                return
            number += 1
            yield Block(number, rows, first_line, self._reader.line_num)

    def close(self) -> None:
        """Close the file."""
        self._text.close()


@contextmanager
def open_csv(path: Path, delimiter: str) -> Iterator[CsvFile]:
    """Open a file; raises UnreadableFile where that fails."""
    try:
        with path.open("rb") as raw:
            file = CsvFile(path, raw, delimiter)
            try:
                yield file
            finally:
                file.close()
    except (OSError, EOFError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise UnreadableFile(f"{path} cannot be read: {why}") from error


def kind_of(columns: list[str], path: Path) -> Kind:
    """Return what a file with these columns describes; raises UnreadableFile for none."""
    has = set(columns)
    if "opening_hours" in has:
        return Kind.CALENDARS
    if "service_id" in has:
        return Kind.LANES if "transit_days" in has else Kind.RATE_CARDS
    # Only stock has quantities; which of its columns is missing is said by check_columns.
    if "on_hand" in has or has.issuperset({"sku", "location_id"}):
        return Kind.STOCK
    if "location_id" in has:
        return Kind.LOCATIONS
    if "sku" in has:
        return Kind.PRODUCTS
    raise UnreadableFile(
        f"{path} has the columns {', '.join(columns)}; locations need location_id, products need "
        "sku, stock needs sku, location_id and on_hand, rate cards need service_id and zone, lanes "
        "need service_id and transit_days, calendars need opening_hours"
    )


def check_columns(columns: list[str], kind: Kind, path: Path, *, ignore_unknown: bool) -> None:
    """Raise UnreadableFile where a column is missing, or is unknown and not to be ignored."""
    missing = [name for name in REQUIRED[kind] if name not in columns]
    known = (*REQUIRED[kind], *OPTIONAL[kind])
    unknown = [name for name in columns if name not in known]
    if missing:
        strange = "".join(
            f"; its column {name!r} is not known{meant(name, missing)}" for name in unknown
        )
        raise UnreadableFile(
            f"{path} has no column {', '.join(missing)}, which {_needs(kind)}{strange}"
        )
    if unknown and not ignore_unknown:
        raise UnreadableFile(
            f"{path} has the column {', '.join(map(repr, unknown))}, which is none of {kind}: "
            f"known are {', '.join(known)}; --ignore-unknown leaves others out"
        )


def _needs(kind: Kind) -> str:
    return f"{kind} needs" if kind is Kind.STOCK else f"{kind} need"


def digest_of(path: Path) -> str:
    """Return 128 bits of the SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()[:_DIGEST_CHARACTERS]
