"""A server on trial: the real program, a ledger of what it answered, and the last comparison."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio

from tests.faults.calls import CHANNEL_OPTIONS, Sender
from tests.faults.ledger import Ledger
from tests.faults.serving import SERVE, SMALL_SEGMENTS, Serving

REPEAT_WIDTH = 16


class Trial:
    """One server after the other on one folder, and what they answered together."""

    def __init__(self, server: Serving) -> None:
        """Begin with nothing sent."""
        self.server = server
        self.ledger = Ledger()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[grpc.aio.Channel, Sender]]:
        """Start a server, compare what it holds, and kill it after."""
        self.server.start()
        try:
            target = await self.server.target()
            async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
                sender = Sender(channel, self.ledger)
                await sender.open_and_check(channel)
                yield channel, sender
        finally:
            self.server.kill()

    async def last_harms(self) -> list[str]:
        """Start once more, repeat what has no answer, compare twice; return all that is wrong."""
        async with self.serving() as (channel, sender):
            repeats = self.ledger.unanswered() + self.ledger.newest_answered(1_000)
            await sender.send_all(repeats, REPEAT_WIDTH)
            await sender.open_and_check(channel)
        return [*self.ledger.lost, *self.ledger.doubled]


@asynccontextmanager
async def trial(
    *options: str, data_dir: Path | None = None, program: tuple[str, ...] = SERVE
) -> AsyncIterator[Trial]:
    """Prepare a trial in a temporary folder; whatever it started is gone after."""
    with tempfile.TemporaryDirectory(prefix="domgrpc-faults-") as place:
        chosen = (*SMALL_SEGMENTS, "--call-log", "off", *options)
        server = Serving(Path(place), *chosen, data_dir=data_dir, program=program)
        try:
            yield Trial(server)
        finally:
            server.end()


def percentile(values: list[float], share: float) -> float:
    """Return the value below which such a share of the values lies; 0 where there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0
