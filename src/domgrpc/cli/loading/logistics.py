"""Rate cards, lanes and calendars from a file.

A lane and a calendar are a row. A rate card is all rows of its service, wherever they stand: it is
saved when the file was read, and if any of its rows is wrong, none of them counts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from domgrpc.cli.exits import ExitCode, exit_code_of
from domgrpc.cli.loading.cells import BadCell, name
from domgrpc.cli.loading.csv_files import Block
from domgrpc.cli.loading.loads import BadRow, Load, Problem
from domgrpc.cli.loading.logistics_rows import (
    CARD_COLUMNS,
    ZONE_COLUMNS,
    Cells,
    calendar_of,
    fill_card,
    fill_zone,
    lane_of,
    step_of,
    zone_of,
)
from domgrpc.client import DomgrpcError
from domgrpc.v1.logistics_pb2 import Lane, LocationCalendar, RateCard

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient

AT_ONCE: Final = 64
OTHER_ROW_REFUSED: Final = "OTHER_ROW_REFUSED"

_Row: TypeAlias = tuple[Block, int]
_Saved: TypeAlias = RateCard | Lane | LocationCalendar
_Save: TypeAlias = Callable[[], Awaitable[_Saved]]


async def load_lanes(client: "DomgrpcClient", load: Load) -> None:
    """Save every lane of the file."""

    def save_of(cells: Cells) -> tuple[str, _Save]:
        lane = lane_of(cells)
        return lane.service_id, lambda: client.save_lane(lane)

    await _load_rows(load, save_of)


async def load_calendars(client: "DomgrpcClient", load: Load) -> None:
    """Save every calendar of the file."""

    def save_of(cells: Cells) -> tuple[str, _Save]:
        calendar = calendar_of(cells)
        owner = f"{calendar.location_type} {calendar.location_id}"
        return owner, lambda: client.save_location_calendar(calendar)

    await _load_rows(load, save_of)


async def load_rate_cards(client: "DomgrpcClient", load: Load) -> None:
    """Save the card of every service that the file has rows of."""
    load.rejects.begin()
    cards: dict[str, _Card] = {}
    for row, cells in _rows(load):
        try:
            service_id = name(cells["service_id"], "service_id")
        except BadCell as problem:
            _reject(load, (row,), problem)
            continue
        cards.setdefault(service_id, _Card(service_id)).add(row, cells)
    for card in cards.values():
        await _save_card(client, load, card)
    load.dealt_with(0)


class _Card:
    """The card of a service as its rows make it; `problem` is what is wrong with `bad_row`."""

    def __init__(self, service_id: str) -> None:
        self.service_id = service_id
        self.rows: list[_Row] = []
        self.problem: BadCell | None = None
        self.bad_row: _Row
        self._said: dict[tuple[int, str], str] = {}
        self._steps: dict[int, list[tuple[int, int]]] = {}

    def add(self, row: _Row, cells: Cells) -> None:
        """Take in a row; after the first that is wrong the others only count."""
        self.rows.append(row)
        if self.problem is not None:
            return
        try:
            zone = zone_of(cells)
            steps = self._steps.setdefault(zone, [])
            step = step_of(cells)
            if step is not None:
                steps.append(step)
            for column in CARD_COLUMNS:
                self._say(0, column, cells.get(column, ""))
            for column in ZONE_COLUMNS:
                self._say(zone, column, cells.get(column, ""))
            # Only to find what is wrong while its row is known.
            fill_card(RateCard(), cells)
            fill_zone(RateCard().zone_rates.add(), cells)
        except BadCell as problem:
            self.problem, self.bad_row = problem, row

    @property
    def message(self) -> RateCard:
        """Return the card."""
        card = RateCard(service_id=self.service_id)
        fill_card(card, self._cells(0))
        for zone, steps in sorted(self._steps.items()):
            rate = card.zone_rates.add(zone=zone)
            fill_zone(rate, self._cells(zone))
            for grams, micros in sorted(steps):
                rate.weight_steps.add(grams_max=grams, micros=micros)
        return card

    def _say(self, zone: int, column: str, cell: str) -> None:
        said = self._said.setdefault((zone, column), cell) if cell else cell
        if said != cell:
            problem = f"is {cell[:40]!a}, but another row of the same card says {said[:40]!a}"
            raise BadCell(column, problem)

    def _cells(self, zone: int) -> dict[str, str]:
        return {column: cell for (at, column), cell in self._said.items() if at == zone}


async def _save_card(client: "DomgrpcClient", load: Load, card: _Card) -> None:
    if card.problem is None:
        await _save(load, card.rows, lambda: client.save_rate_card(card.message))
        return
    block, index = card.bad_row
    _reject(load, (card.bad_row,), card.problem)
    why = f"the card of {card.service_id!r} is not saved: see line {block.line_of(index)}"
    others = [row for row in card.rows if row is not card.bad_row]
    _reject(load, others, BadRow(OTHER_ROW_REFUSED, why))


async def _load_rows(load: Load, save_of: Callable[[Cells], tuple[str, _Save]]) -> None:
    load.rejects.begin()
    waiting: dict[str, tuple[_Row, _Save]] = {}
    for row, cells in _rows(load):
        try:
            key, save = save_of(cells)
        except BadCell as problem:
            _reject(load, (row,), problem)
            continue
        # The later row of one owner must come later.
        if key in waiting or len(waiting) == AT_ONCE:
            await _save_all(load, waiting)
        waiting[key] = (row, save)
    await _save_all(load, waiting)
    load.dealt_with(0)


def _rows(load: Load) -> Iterator[tuple[_Row, Cells]]:
    for block in load.file.blocks():
        for index, row in enumerate(block.rows):
            if not row:
                continue
            try:
                cells = load.cells_of(row)
            except BadRow as problem:
                _reject(load, ((block, index),), problem)
            else:
                yield (block, index), cells


async def _save_all(load: Load, waiting: dict[str, tuple[_Row, _Save]]) -> None:
    saves = [_save(load, (row,), save) for row, save in waiting.values()]
    waiting.clear()
    await asyncio.gather(*saves)


async def _save(load: Load, rows: Iterable[_Row], save: _Save) -> None:
    taken = list(rows)
    try:
        saved = await save()
    except DomgrpcError as error:
        if exit_code_of(error) is ExitCode.UNAVAILABLE:
            raise
        _reject(load, taken, error)
    else:
        load.applied_count += len(taken)
        load.revision = max(load.revision, saved.revision)
        load.dealt_with(len(taken))


def _reject(load: Load, rows: Iterable[_Row], problem: Problem) -> None:
    for block, index in rows:
        load.reject(block, index, problem)
        load.dealt_with(1)
