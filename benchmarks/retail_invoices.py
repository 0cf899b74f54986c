"""The UCI Online Retail set as invoices: sales, put-backs and write-offs, in the order of the file.

Numbers that begin with C are cancellations, whose units go back onto the shelf. Negative lines
of other invoices are write-offs. Lines that are no goods (postage, fees, vouchers) are counted
and left out. SKUs are the codes as written: some differ by case only and are different SKUs. The
two giant typing errors (80,995 and 74,215 units) are lines like any other.
"""

import csv
import enum
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.temporary_places import PROJECT

DATA_FOLDER = PROJECT.parent / "shared" / "data"
"""Where the data lies: ../shared/data, seen from the project."""
INVOICES_FILE = "online_retail.csv.gz"
STORES_FILE = "walmart_stores.csv.gz"

_GOODS = re.compile(r"\d{5}[A-Za-z]*")


class Kind(enum.StrEnum):
    """What an invoice does to stock."""

    SALE = "sale"
    PUT_BACK = "put-back"
    WRITE_OFF = "write-off"


class Invoice(msgspec.Struct, frozen=True):
    """One invoice, or the part of it that does one thing: its lines as (SKU, units above 0)."""

    number: str
    kind: Kind
    lines: tuple[tuple[str, int], ...]


class Store(msgspec.Struct, frozen=True):
    """A real store."""

    location_id: str
    city: str
    latitude_degrees: float
    longitude_degrees: float


class Invoices(msgspec.Struct, frozen=True):
    """What was read: the invoices with goods on them, and how many lines were left out."""

    invoices: tuple[Invoice, ...]
    skipped_line_count: int

    @property
    def line_count(self) -> int:
        """How many lines of goods there are."""
        return sum(len(invoice.lines) for invoice in self.invoices)


def read_invoices(path: Path, count_max: int | None = None) -> Invoices:
    """Read the first invoices of the file, or all; those without any goods are counted too."""
    lines_of: dict[tuple[str, Kind], list[tuple[str, int]]] = {}
    numbers: set[str] = set()
    skipped = 0
    for number, sku, quantity in _rows(path):
        if number not in numbers:
            if len(numbers) == count_max:
                break
            numbers.add(number)
        if _GOODS.fullmatch(sku) is None or quantity == 0:
            skipped += 1
            continue
        lines_of.setdefault((number, _kind(number, quantity)), []).append((sku, abs(quantity)))
    return Invoices(
        tuple(Invoice(number, kind, tuple(lines)) for (number, kind), lines in lines_of.items()),
        skipped,
    )


def read_stores(path: Path, count: int) -> list[Store]:
    """Read so many stores, spread evenly over the file, which is in order of their opening."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    count = min(count, len(rows))
    return [_store(rows[place * len(rows) // count]) for place in range(count)]


def _rows(path: Path) -> Iterator[tuple[str, str, int]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["invoice"], row["stock_code"], int(row["quantity"])


def _kind(number: str, quantity: int) -> Kind:
    if number.startswith("C"):
        return Kind.PUT_BACK
    return Kind.SALE if quantity > 0 else Kind.WRITE_OFF


def _store(row: dict[str, str]) -> Store:
    return Store(f"store-{row['store_no']}", row["city"], float(row["lat"]), float(row["lon"]))
