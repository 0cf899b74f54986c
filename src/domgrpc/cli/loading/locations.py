"""Locations from a file, several at once, and then the groups that the rows name.

An empty cell leaves the field as it is. Groups come last: a group may only name locations that
exist. A location joins the groups that its row names and leaves none.
"""

import asyncio
from typing import TYPE_CHECKING, Final

import grpc

from domgrpc.cli.exits import ExitCode, exit_code_of
from domgrpc.cli.loading.cells import BadCell, name, several
from domgrpc.cli.loading.csv_files import Block
from domgrpc.cli.loading.loads import BadRow, Load
from domgrpc.cli.loading.resources import Mask, location_of
from domgrpc.client import DomgrpcError
from domgrpc.v1.location_pb2 import Location, LocationGroup

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient

AT_ONCE: Final = 64
_Row = tuple[Block, int]


async def load_locations(client: "DomgrpcClient", load: Load) -> None:
    """Add or change every location of the file, then its groups."""
    load.rejects.begin()
    saving = _Saving(client, load)
    for block in load.file.blocks():
        for index, row in enumerate(block.rows):
            if not row:
                continue
            try:
                cells = load.cells_of(row)
                location, mask = location_of(cells)
                groups = [name(part, "groups") for part in several(cells.get("groups", ""))]
            except (BadCell, BadRow) as problem:
                load.reject(block, index, problem)
                load.dealt_with(1)
            else:
                await saving.begin(location, mask, (block, index), groups)
    await saving.end()
    for group_id, rows in saving.groups.items():
        await _join_group(client, load, group_id, rows)
    load.dealt_with(0)


class _Saving:
    """Locations that are being saved; `groups` collects which of them each group gets."""

    def __init__(self, client: "DomgrpcClient", load: Load) -> None:
        self.groups: dict[str, dict[str, _Row]] = {}
        self._client = client
        self._load = load
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def begin(self, location: Location, mask: Mask, row: _Row, groups: list[str]) -> None:
        """Save a location when there is room; a later row of the same one waits for it."""
        key = location.location_id
        while len(self._under_way) >= AT_ONCE or key in self._under_way:
            await self._some_end()
        self._under_way[key] = asyncio.create_task(self._save(location, mask, row, groups))

    async def end(self) -> None:
        """Wait for all."""
        while self._under_way:
            await self._some_end()

    async def _some_end(self) -> None:
        await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
        for key, task in list(self._under_way.items()):
            if task.done():
                del self._under_way[key]
                task.result()

    async def _save(self, location: Location, mask: Mask, row: _Row, groups: list[str]) -> None:
        try:
            saved = await self._client.update_location(
                location, update_mask=mask, allow_missing=True
            )
        except DomgrpcError as error:
            if exit_code_of(error) is ExitCode.UNAVAILABLE:
                raise
            self._load.reject(*row, error)
        else:
            self._load.applied_count += 1
            self._load.revision = max(self._load.revision, saved.revision)
            for group_id in groups:
                self.groups.setdefault(group_id, {})[location.location_id] = row
        self._load.dealt_with(1)


async def _join_group(
    client: "DomgrpcClient", load: Load, group_id: str, rows: dict[str, _Row]
) -> None:
    try:
        group = await _group(client, group_id)
        members = sorted({*group.location_ids, *rows})
        wanted = LocationGroup(group_id=group_id, location_ids=members)
        saved = await client.update_location_group(
            wanted, update_mask=["location_ids"], allow_missing=True, etag=group.etag
        )
        load.revision = max(load.revision, saved.revision)
    except DomgrpcError as error:
        if exit_code_of(error) is ExitCode.UNAVAILABLE:
            raise
        for block, index in rows.values():
            message = f"the location is saved but not in group {group_id}: {error.message}"
            load.reject(block, index, BadRow(error.reason, message))
            load.applied_count -= 1


async def _group(client: "DomgrpcClient", group_id: str) -> LocationGroup:
    try:
        return await client.get_location_group(group_id)
    except DomgrpcError as error:
        if error.code is not grpc.StatusCode.NOT_FOUND:
            raise
        return LocationGroup(group_id=group_id)
