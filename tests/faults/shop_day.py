"""What an engine does while a fault is prepared for it: commands of all kinds, snapshots, rests.

Segments are as small as they can be for that, so that rotations, spares and trims come often.
Everything follows from the die.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from domgrpc.config import Settings
from domgrpc.core.dispatch import Command
from domgrpc.core.values import Limits
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.storage.disk import Disk
from domgrpc.storage.frame import BLOCK_BYTES
from tests.core.commands import adjust, confirm, on_hand, place, release, reserve, stock
from tests.core.order_words import BOSTON, DALLAS, line, order
from tests.engine.rooms import SMALL, ask, run_inside
from tests.engine.virtual_time import VirtualClock
from tests.faults.shop_orders import order_command

SEGMENT_BYTES = 5 * BLOCK_BYTES
SETTINGS: Settings = msgspec.structs.replace(
    SMALL,
    segment_size_bytes=SEGMENT_BYTES,
    # A snapshot stays small however long the shop is open.
    limits=Limits(
        kept_answers_max=6,
        finished_reservations_max=4,
        finished_orders_max=2,
        remembered_deltas_max=8,
    ),
)
_LARGE_MESSAGE_COMMANDS = 90
_PAUSE_SECONDS = 0.1
_ORDER_SHARE = 0.5
"""Of messages that begin with a command about an order."""


def start_shop(disk: Disk, clock: VirtualClock, die: Random) -> Engine:
    """Start the engine of the shop in the running loop."""
    return start_engine(
        SETTINGS,
        clock=clock,
        disk=disk,
        random_bytes=die.randbytes,
        beside=partial(run_inside, disk),
    )


async def trade(
    engine: Engine, die: Random, *, step_count: int, answered: Callable[[], None]
) -> None:
    """Do so many things with the engine, one after the other; `answered` hears of each answer."""
    for _ in range(step_count):
        step = die.choices(("order", "bulk", "rest", "rotate", "snapshot"), (10, 2, 3, 1, 2))[0]
        match step:
            case "order":
                await execute(engine, orders(engine, die, 1))
            case "bulk":
                size = die.randrange(2, _LARGE_MESSAGE_COMMANDS)
                await execute(engine, orders(engine, die, size))
            case "rest":
                # Long enough for a spare and a seal.
                await asyncio.sleep(_PAUSE_SECONDS)
            case "rotate":
                engine.writer.rotate()
            case "snapshot":
                await engine.create_snapshot()
        answered()


async def open_shop(engine: Engine) -> None:
    """Make the places and the stock, and take a first order, where that is not done yet."""
    # Not by the revision: a start writes records of its own.
    if engine.writer.state.network.locations.by_index:
        return
    plenty = on_hand("tea", north=10**6, south=10**6), on_hand("cup", north=10**6, south=10**6)
    places = place("north", at=BOSTON), place("south", at=DALLAS)
    await execute(engine, [*places, *plenty, order(line("tea", 2), as_id="first")])


def orders(engine: Engine, die: Random, count: int) -> list[Command]:
    """Return so many commands: new holds, ends of open ones, a little stock, one for an order."""
    open_ids = [name for _, name in engine.writer.state.reservations.deadlines]
    commands: list[Command] = []
    if die.random() < _ORDER_SHARE:
        count -= 1
        commands.append(order_command(engine.writer.state, die, f"order-{engine.revision}"))
    for number in range(count):
        if open_ids and die.random() < 0.6:
            ended = open_ids.pop(die.randrange(len(open_ids)))
            commands.append(die.choice((confirm, release))(ended))
        elif die.random() < 0.2:
            commands.append(stock(adjust("tea", die.choice(("north", "south")), 1)))
        else:
            name = f"hold-{engine.revision}-{number}"
            commands.append(reserve(("tea", "north", 1), ("cup", "north", 2), as_id=name))
    return commands


async def execute(engine: Engine, commands: list[Command]) -> None:
    """Have the engine do commands in one turn, under request ids of their own."""
    revision = engine.revision
    await engine.execute(
        [ask(command, f"r-{revision}-{place}") for place, command in enumerate(commands)]
    )
