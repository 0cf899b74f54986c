"""The clients of a simulated server: they ask, ask again, go away and race, each in its own task.

Any client may repeat the request of any other, answered or not and at the same time: that is what
a retry through another connection looks like. A client may be disconnected at every await.
"""

import asyncio
import math
from collections.abc import Awaitable
from typing import TypeVar

from domgrpc.core.listings import get_position
from domgrpc.core.machine import Request
from domgrpc.core.rejections import Rejected
from domgrpc.core.values import LocationId, Sku
from domgrpc.engine.admission import Ticket
from domgrpc.engine.calls import (
    Busy,
    DeadlinePassed,
    DiskFullRefusal,
    RevisionNotReached,
    Stopped,
)
from domgrpc.engine.engine import Engine
from domgrpc.engine.feed import RevisionTrimmed, WatcherTooSlow
from domgrpc.engine.snapshots import SnapshotRunning, VerificationRunning
from domgrpc.storage.errors import StorageError
from tests.simulation.order_reads import draw_read
from tests.simulation.workload import PLACES, SKUS
from tests.simulation.world import World
from tests.storage.fake_disk import PowerCutError

T = TypeVar("T")

REFUSALS = (
    Busy,
    DeadlinePassed,
    DiskFullRefusal,
    RevisionNotReached,
    RevisionTrimmed,
    SnapshotRunning,
    Stopped,
    StorageError,
    PowerCutError,
    VerificationRunning,
    WatcherTooSlow,
)
NO_DEADLINE = Ticket()


class Client:
    """One connection: one call at a time, without end."""

    def __init__(self, world: World, engine: Engine, number: int) -> None:
        self._world = world
        self._engine = engine
        self._draw = world.random.random
        self._name = f"client {number}"

    async def live(self) -> None:
        """Call on and on; a disconnection ends a call, not the client."""
        character = self._world.character
        while True:
            try:
                if self._draw() < character.pause_share:
                    seconds = self._world.random.expovariate(1 / character.pause_seconds)
                    await asyncio.sleep(seconds)
                await self._act()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._world.is_over or task is None:
                    raise
                task.uncancel()
                self._world.step(self._name, "is disconnected")

    async def _act(self) -> None:
        draw, world = self._draw(), self._world
        if draw < 0.05:
            await self._read()
        elif draw < 0.06:
            await self._read_orders()
        elif draw < 0.14:
            await self._submit(world.old_request() or world.new_request())
        elif draw < 0.20 and world.answered:
            await self._submit(world.pick(world.answered))
        elif draw < 0.21 and world.answered:
            await self._submit(world.reusing(world.pick(world.answered)))
        elif draw < 0.21 + world.character.message_share:
            await self._send_message()
        else:
            await self._submit(world.new_request())

    async def _submit(self, request: Request) -> None:
        seen = self._called(request)
        ticket = NO_DEADLINE
        if self._draw() < 0.03:
            deadline = self._world.clock.seconds() + self._draw() * 0.01
            ticket = Ticket(deadline_seconds=deadline if deadline > 0 else math.inf)
        result = await self._answered(self._engine.submit(request, ticket))
        if result is not None:
            self._world.take(request, result, seen)

    async def _send_message(self) -> None:
        requests = [self._world.new_request() for _ in range(2 + int(self._draw() * 6))]
        seen = [self._called(request) for request in requests]
        results = await self._answered(self._engine.execute(requests))
        for request, result, newest in zip(requests, results or (), seen, strict=bool(results)):
            self._world.take(request, result, newest)

    async def _read(self) -> None:
        place = (Sku(self._world.pick(SKUS)), LocationId(self._world.pick(PLACES)))
        seen = self._world.auditor.newest_seen
        ahead = self._draw() < 0.1
        self._world.step(self._name, "reads", *place)
        reading = self._engine.read(
            lambda state, now_ms: get_position(state, *place, now_ms),
            min_revision=seen + ahead,
            wait_seconds=0.5,
        )
        try:
            found = await self._answered(reading)
        except Rejected:
            self._world.step(self._name, "finds nothing")
            return
        if found is not None:
            view = found.value
            numbers = [view.on_hand, view.soft_reserved, view.allocated]
            self._world.looked(seen, found.revision, (place, numbers))

    async def _read_orders(self) -> None:
        asked = draw_read(self._world.workload, self._draw)
        seen = self._world.auditor.newest_seen
        self._world.step(self._name, "reads", asked.kind, asked.name)
        try:
            found = await self._answered(self._engine.read(asked.query, min_revision=seen))
        except Rejected as refused:
            self._world.count(f"read: {refused.rejection.reason}")
            self._world.step(self._name, "finds nothing")
            return
        if found is not None:
            self._world.read_orders(seen, found, asked)

    def _called(self, request: Request) -> int:
        return self._world.called(self._name, request)

    async def _answered(self, call: Awaitable[T]) -> T | None:
        # Whatever comes back from a dead server reaches nobody.
        try:
            result = await call
        except REFUSALS as refusal:
            if not self._world.is_over:
                self._world.refused(self._name, refusal)
            return None
        if self._world.is_over:
            return None
        self._world.step(self._name, "is answered")
        self._world.disk.check_synced()
        self._world.read_feed(self._engine.feed, self._world.disk)
        return result
