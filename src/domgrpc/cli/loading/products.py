"""Products from a file, in batches of up to 1,000, each all or none.

An empty cell leaves the field as it is, so rows with the same filled cells travel together: a
batch has one field mask. A batch that is refused is sent again without the row that the error
names, or else in halves, until the rows that are at fault stand alone.
"""

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from domgrpc.cli.exits import ExitCode, exit_code_of
from domgrpc.cli.loading.cells import BadCell
from domgrpc.cli.loading.csv_files import Block
from domgrpc.cli.loading.loads import BadRow, Load
from domgrpc.cli.loading.resources import product_of
from domgrpc.client import DomgrpcError
from domgrpc.v1.product_pb2 import Product

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient

BATCH_MAX: Final = 1_000
_NAMED: Final = re.compile(r"products\[(\d+)\]\.?")

_Mask = tuple[str, ...]
_Row = tuple[Product, Block, int]


async def load_products(client: "DomgrpcClient", load: Load) -> None:
    """Add or change every product of the file."""
    load.rejects.begin()
    batches = _Batches(client, load)
    for block in load.file.blocks():
        for index, row in enumerate(block.rows):
            if not row:
                continue
            try:
                product, mask = product_of(load.cells_of(row))
            except (BadCell, BadRow) as problem:
                load.reject(block, index, problem)
                load.dealt_with(1)
            else:
                await batches.add(mask, (product, block, index))
    await batches.send_all()
    load.dealt_with(0)


class _Batches:
    """Products that wait for company, by their masks; no SKU waits twice."""

    def __init__(self, client: "DomgrpcClient", load: Load) -> None:
        self._client = client
        self._load = load
        self._waiting: defaultdict[_Mask, list[_Row]] = defaultdict(list)
        self._skus: set[str] = set()

    async def add(self, mask: _Mask, row: _Row) -> None:
        """Add a product; send what that makes full."""
        sku = row[0].sku
        if sku in self._skus:
            # The later row of a SKU must come later, and a batch takes each SKU once.
            await self.send_all()
        self._skus.add(sku)
        batch = self._waiting[mask]
        batch.append(row)
        if len(batch) == BATCH_MAX:
            del self._waiting[mask]
            self._skus.difference_update(product.sku for product, _, _ in batch)
            await self._send(mask, batch)

    async def send_all(self) -> None:
        """Send what waits."""
        waiting = list(self._waiting.items())
        self._waiting.clear()
        self._skus.clear()
        for mask, batch in waiting:
            await self._send(mask, batch)

    async def _send(self, mask: _Mask, batch: list[_Row]) -> None:
        pending = [batch]
        while pending:
            rows = pending.pop()
            try:
                answer = await self._client.batch_update_products(
                    [product for product, _, _ in rows], update_mask=mask, allow_missing=True
                )
            except DomgrpcError as error:
                if exit_code_of(error) is ExitCode.UNAVAILABLE:
                    raise
                pending.extend(self._without_bad(rows, error))
            else:
                self._load.applied_count += len(rows)
                self._load.revision = max(self._load.revision, answer.revision)
                self._load.dealt_with(len(rows))

    def _without_bad(self, rows: list[_Row], error: DomgrpcError) -> list[list[_Row]]:
        """Reject the row that an error is about, if that is known; return what to send next."""
        bad = 0 if len(rows) == 1 else _named_row(error)
        if bad is None or bad >= len(rows):
            middle = len(rows) // 2
            return [rows[middle:], rows[:middle]]
        _, block, index = rows[bad]
        # The error counts the products of the batch, which means nothing to whoever reads it.
        message = _NAMED.sub("", error.message)
        self._load.reject(block, index, BadRow(error.reason, message))
        self._load.dealt_with(1)
        rest = rows[:bad] + rows[bad + 1 :]
        return [rest] if rest else []


def _named_row(error: DomgrpcError) -> int | None:
    matches = (_NAMED.match(violation.field) for violation in error.field_violations)
    return next((int(match[1]) for match in matches if match), None)
