"""Stock from a file, as a feed: the rows go out in blocks, and the sequence says which.

The server remembers the last sequence of a source, and a bounded number of sources. So files share
1,024 sources, by their content, and a sequence is made of three numbers: which file of its source
it is, counting up; a tag of the file's content; the number of the block. A last sequence with the
file's own tag says where a load was interrupted, and it goes on there; any other one is of a
file before it. Only where another file of the same source was loaded in between is a file loaded
from its beginning.

The last blocks before that place are sent once more: the server answers them as before and
changes nothing, and so their refusals are known even if the interruption came before they were
written.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from domgrpc.cli.loading.cells import (
    NAME_BYTES_MAX,
    QUANTITY_MAX,
    BadCell,
    name,
    quantity,
    time,
)
from domgrpc.cli.loading.csv_files import BLOCK_ROWS, REQUIRED, Block, Kind
from domgrpc.cli.loading.loads import WRONG_FIELD_COUNT, BadRow, Load, Problem
from domgrpc.client import DomgrpcError
from domgrpc.v1.inventory_pb2 import (
    StockCount,
    StockUpdate,
    StreamStockUpdatesRequest,
    StreamStockUpdatesResponse,
)

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient

WINDOW: Final = 4
SOURCE_COUNT: Final = 1_024
_SOURCE_TRIES: Final = 30
_SOURCE_PAUSE_SECONDS: Final = 0.1
_TAG_BITS: Final = 29
_BLOCK_BITS: Final = 20
"""2.6 billion rows; what is left of 63 bits is for 16,384 files of each source."""
_QUANTITY_DIGITS: Final = len(str(QUANTITY_MAX))

# Writes a row into an update; what is wrong with it is raised before anything is written.
_Write = Callable[[list[str], Callable[[], StockUpdate]], None]


class _Sent:
    """A block under way, which of its rows were left out, and which each update came from."""

    __slots__ = ("block", "left_out", "row_indexes")

    def __init__(self, block: Block) -> None:
        """Begin without updates; `row_indexes` stays None while no row is left out."""
        self.block = block
        self.row_indexes: list[int] | None = None
        self.left_out: dict[int, Problem] = {}

    def leave_out(self, index: int, problem: Problem) -> None:
        """Note a row that is not sent; an empty line is no row."""
        if self.row_indexes is None:
            self.row_indexes = list(range(index))
        if self.block.rows[index]:
            self.left_out[index] = problem

    def row_index(self, update_index: int) -> int:
        """Return the row that an update came from."""
        return update_index if self.row_indexes is None else self.row_indexes[update_index]


@dataclass(frozen=True, slots=True)
class FileFeed:
    """The source that a file is sent as, and what tells it from the other files of the source."""

    source: str
    tag: int

    def place_of(self, last_sequence: int) -> tuple[int, int]:
        """Return the sequence before the file's first block, and how many blocks are applied."""
        file_bits = _TAG_BITS + _BLOCK_BITS
        block_count = last_sequence % (1 << _BLOCK_BITS)
        if last_sequence and last_sequence >> _BLOCK_BITS & ((1 << _TAG_BITS) - 1) == self.tag:
            return last_sequence - block_count, block_count
        file_number = (last_sequence >> file_bits) + 1
        return (file_number << file_bits) + (self.tag << _BLOCK_BITS), 0


def feed_of(digest: str, *, run: str = "") -> FileFeed:
    """Return the feed of a file; `run` tells a deliberate second load from the first."""
    # With the number of rows in a block, because sequences count blocks.
    words = f"{BLOCK_ROWS}:{digest}:{run}".encode()
    number = int.from_bytes(hashlib.sha256(words).digest()[:8])
    tag, source_number = divmod(number, SOURCE_COUNT)
    return FileFeed(f"load:{source_number}", tag % (1 << _TAG_BITS))


async def load_stock(client: "DomgrpcClient", load: Load, feed: FileFeed) -> None:
    """Bring every row to the server that an earlier load did not."""
    before_first, applied_count = feed.place_of(await _last_sequence(client, feed.source))
    blocks = load.file.blocks()
    keep_until_line = 0
    for _, block in zip(range(applied_count - WINDOW), blocks, strict=False):
        keep_until_line = block.last_line
        load.row_count += block.row_count
    load.rejects.begin(keep_until_line=keep_until_line)
    load.skipped_count = load.row_count - load.rejects.count
    load.dealt_with(0)
    under_way: deque[_Sent] = deque()
    messages = _messages(load, blocks, (feed.source, before_first), under_way)
    async for answer in client.stream_stock(messages, window=WINDOW):
        _take_answer(load, under_way.popleft(), answer)


async def _last_sequence(client: "DomgrpcClient", source: str) -> int:
    """Ask how far a source has come; a load that was just interrupted may still hold it."""
    for _ in range(_SOURCE_TRIES):
        try:
            return await client.get_feed_sequence(source)
        except DomgrpcError as error:
            if error.reason != "SOURCE_IN_USE":
                raise
        await asyncio.sleep(_SOURCE_PAUSE_SECONDS)
    return await client.get_feed_sequence(source)


def _messages(
    load: Load, blocks: Iterator[Block], place: tuple[str, int], under_way: deque[_Sent]
) -> Iterator[StreamStockUpdatesRequest]:
    source, before_first = place
    write = _writer(load.file.columns)
    for block in blocks:
        sent = _Sent(block)
        under_way.append(sent)
        message = StreamStockUpdatesRequest(source=source, sequence=before_first + block.number)
        _write_rows(sent, message, write)
        yield message


def _write_rows(sent: _Sent, message: StreamStockUpdatesRequest, write: _Write) -> None:
    add = message.updates.add
    for index, row in enumerate(sent.block.rows):
        try:
            write(row, add)
        except (BadCell, BadRow) as problem:
            sent.leave_out(index, problem)
        else:
            if sent.row_indexes is not None:
                sent.row_indexes.append(index)


def _take_answer(load: Load, sent: _Sent, answer: StreamStockUpdatesResponse) -> None:
    refused = sent.left_out
    for refusal in answer.refusals:
        refused[sent.row_index(refusal.index)] = DomgrpcError(refusal.status)
    for index in sorted(refused):
        load.reject(sent.block, index, refused[index])
    if answer.duplicate:
        load.skipped_count += answer.applied_count
    else:
        load.applied_count += answer.applied_count
    load.revision = max(load.revision, answer.revision)
    load.dealt_with(sent.block.row_count)


def _writer(columns: list[str]) -> _Write:
    """Return what writes rows with these columns; made once, as a load has millions of rows."""
    width = len(columns)
    sku_at, location_at, on_hand_at = (columns.index(name) for name in REQUIRED[Kind.STOCK])
    read_condition = _condition_reader(columns)

    def write(row: list[str], add: Callable[[], StockUpdate]) -> None:
        if len(row) != width:
            raise BadRow(WRONG_FIELD_COUNT, f"{len(row)} fields, the header has {width}")
        sku, location_id, text = row[sku_at], row[location_at], row[on_hand_at]
        # The tests in place: their calls would cost as much as all the rest.
        if not (
            sku.isascii()
            and sku.isprintable()
            and 0 < len(sku) <= NAME_BYTES_MAX
            and sku == sku.strip()
        ):
            name(sku, "sku")
        if not (
            location_id.isascii()
            and location_id.isprintable()
            and 0 < len(location_id) <= NAME_BYTES_MAX
            and location_id == location_id.strip()
        ):
            name(location_id, "location_id")
        is_simple = text.isascii() and text.isdigit() and len(text) < _QUANTITY_DIGITS
        on_hand = int(text) if is_simple else quantity(text, "on_hand")
        condition = None if read_condition is None else read_condition(row)
        update = add()
        update.sku = sku
        update.location_id = location_id
        update.count.on_hand = on_hand
        if condition is not None:
            update.count.MergeFrom(condition)

    return write


def _condition_reader(columns: list[str]) -> Callable[[list[str]], StockCount] | None:
    """Return what reads the optional columns, None where there are none."""
    expected_at = _place_of("expected_on_hand", columns)
    time_at = _place_of("effective_time", columns)
    if expected_at is None and time_at is None:
        return None

    def read(row: list[str]) -> StockCount:
        condition = StockCount()
        if expected_at is not None and row[expected_at]:
            condition.expected_on_hand = quantity(row[expected_at], "expected_on_hand")
        if time_at is not None and row[time_at]:
            condition.effective_time.FromDatetime(time(row[time_at], "effective_time"))
        return condition

    return read


def _place_of(column: str, columns: list[str]) -> int | None:
    return columns.index(column) if column in columns else None
