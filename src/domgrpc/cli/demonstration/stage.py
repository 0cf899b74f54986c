"""What every scene works with: the retailer, the server, clients, the narration, the figures.

A promise is a claim that is checked while the reader looks on. `Stage.promise` prints the claim
only where it holds, and else ends the demonstration with what was expected and what came.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from domgrpc.cli.demonstration.narration import Narration
from domgrpc.cli.demonstration.retailer import Place, Retailer
from domgrpc.cli.demonstration.server_process import ServerProcess
from domgrpc.client import DomgrpcClient
from domgrpc.v1.inventory_pb2 import InventoryPosition

CALL_SECONDS_MAX: Final = 30.0
_FIGURE_DECIMALS: Final = 3

Figure: TypeAlias = str | int | float | bool | list["Figure"] | dict[str, "Figure"]


class PromiseBroken(Exception):
    """A promise does not hold; carries the claim, what was expected and what came."""

    def __init__(self, claim: str, *, expected: object, came: object) -> None:
        """Say it in one line."""
        super().__init__(f"{claim}: expected {expected}, came {came}")
        self.claim = claim
        self.expected = str(expected)
        self.came = str(came)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How large the scenes are: `FULL` for people, `FAST` for the test."""

    hold_seconds: float
    acknowledged_before_kill: int
    rate_seconds: float


FULL: Final = Script(hold_seconds=2.0, acknowledged_before_kill=5_000, rate_seconds=4.0)
FAST: Final = Script(hold_seconds=1.0, acknowledged_before_kill=500, rate_seconds=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was shown, for `--output json`."""

    figures: dict[str, Figure] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


class Stage:
    """One performance: everything that scenes share."""

    def __init__(
        self,
        retailer: Retailer,
        customer: Place,
        *,
        server: ServerProcess,
        narration: Narration,
        script: Script,
    ) -> None:
        """Set up; nothing is started yet."""
        self.retailer = retailer
        self.customer = customer
        self.server = server
        self.narration = narration
        self.script = script
        self.report = Report()
        self._clients: dict[str, DomgrpcClient] = {}
        self._open = AsyncExitStack()

    async def client(self, client_id: str, *, coalesce: bool = True) -> DomgrpcClient:
        """Return the connection of a client to the running server, opened on first use."""
        if client_id not in self._clients:
            client = DomgrpcClient(
                self.server.target,
                client_id=client_id,
                read_timeout_seconds=CALL_SECONDS_MAX,
                write_timeout_seconds=CALL_SECONDS_MAX,
                coalesce=coalesce,
            )
            self._clients[client_id] = await self._open.enter_async_context(client)
        return self._clients[client_id]

    async def hang_up(self) -> None:
        """Close every connection: the next server listens somewhere else."""
        self._clients.clear()
        await self._open.aclose()

    async def position(self, sku: str, location_id: str) -> InventoryPosition:
        """Return the figures of a SKU at a location."""
        client = await self.client("back-office")
        return await client.get_position(sku, location_id)

    def promise(self, claim: str, *, expected: object, came: object) -> None:
        """Show a claim that holds; raises PromiseBroken where what came is not as expected."""
        if came != expected:
            raise PromiseBroken(claim, expected=expected, came=came)
        self.report.kept.append(claim)
        self.narration.kept(claim)

    def note(self, scene: str, **figures: Figure) -> None:
        """Remember figures of a scene for the report."""
        self.report.figures[scene] = {
            name: round(figure, _FIGURE_DECIMALS) if isinstance(figure, float) else figure
            for name, figure in figures.items()
        }
