"""Where the SKUs of the retail set lie and with how much stock they begin: always the same way.

A SKU lies in two to five stores, chosen by its code. Stock is high enough for every sale at any
one of its stores, or so scarce that many sales are refused.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.retail_invoices import Invoice, Kind

Position = tuple[str, str]
"""A SKU and a location."""

_STORES_MIN = 2
_STORES_SPREAD = 4
_SCARCE_PER_CENT = 40
"""Of all that is sold of a SKU, so much is there in the scarce case, over all its stores."""


class Shelves:
    """Which stores have which SKU."""

    def __init__(self, location_ids: Sequence[str], seed: int) -> None:
        """Spread over the locations; another seed spreads another way."""
        self._location_ids = location_ids
        self._seed = seed
        self._stores_of: dict[str, tuple[str, ...]] = {}

    def stores_of(self, sku: str) -> tuple[str, ...]:
        """Return the stores of a SKU, in no special order but always the same."""
        stores = self._stores_of.get(sku)
        if stores is None:
            wanted = _STORES_MIN + self._draw("count", sku) % _STORES_SPREAD
            drawn = (
                self._location_ids[self._draw(str(number), sku) % len(self._location_ids)]
                for number in range(wanted)
            )
            stores = self._stores_of[sku] = tuple(dict.fromkeys(drawn))
        return stores

    def store_for(self, invoice: Invoice, sku: str) -> str:
        """Return the store from which an invoice takes, or into which it gives, a SKU."""
        stores = self.stores_of(sku)
        return stores[self._draw(invoice.number, sku) % len(stores)]

    def _draw(self, word: str, sku: str) -> int:
        return zlib.crc32(f"{self._seed} {word} {sku}".encode())


def opening_stock(
    invoices: Iterable[Invoice], shelves: Shelves, *, scarce: bool
) -> dict[Position, int]:
    """Return the units with which every position begins, in order of the SKUs' appearance."""
    return {
        (sku, store): units * _SCARCE_PER_CENT // (100 * len(stores)) if scarce else units
        for sku, units in _units_taken(invoices).items()
        for stores in (shelves.stores_of(sku),)
        for store in stores
    }


def _units_taken(invoices: Iterable[Invoice]) -> Mapping[str, int]:
    taken: Counter[str] = Counter()
    for invoice in invoices:
        for sku, units in invoice.lines:
            # A put-back takes nothing, but its SKU needs a shelf.
            taken[sku] += 0 if invoice.kind is Kind.PUT_BACK else units
    return taken
