"""One life of an engine on a real folder, forked off to be ended at any moment.

It tells whoever forked it, one line of JSON at a time, each step before and after it happens. A
line is written with one call, so that an end never leaves half of a short one.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import structlog

from domgrpc.config import Settings
from domgrpc.core.dispatch import Command
from domgrpc.core.listings import get_position
from domgrpc.core.order_commands import ApplyReplan, EditOrder, OrderMove
from domgrpc.core.orders import FulfillmentState, HoldKind, Order, OrderLine, is_unreleased
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.state import State
from domgrpc.core.values import LineId, LocationId, OrderId, Quantity, Revision, Sku, TimeMs
from domgrpc.engine.clock import SystemClock
from domgrpc.engine.engine import Engine, start_engine
from domgrpc.storage.disk import LocalDisk
from tests.core.commands import adjust, confirm, place, release, reserve, stock
from tests.core.order_words import (
    PICKUP,
    SHIP,
    advance,
    cancel_order,
    line,
    put_on_hold,
    take_off_hold,
)
from tests.core.order_words import order as place_order
from tests.engine.rooms import SMALL, as_bytes, ask
from tests.faults import ledger
from tests.faults.ledger import (
    AT,
    CONFIRMED,
    CUP,
    CUSTOMER,
    FAR_PLACE,
    PLACE,
    PLENTY,
    QUANTITIES,
    SENT_STEPS,
    TAKEN_OVER,
    TEA,
    TEA_AFTER_EDIT,
    Found,
    end_state,
    is_end,
    order_of,
    reserve_id,
    steps_of,
)

SEGMENT_BYTES = 512 * 1024
CALLER_COUNT = 6
ORDERS_PER_CALLER_MAX = 40
MORE = Quantity(TEA_AFTER_EDIT)
TTL_MS = 24 * 60 * 60 * 1_000

Tell = Callable[..., None]


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What a life is to do."""

    folder: Path
    name: str
    """A word that no other life of the folder has."""
    repeats: dict[str, str]
    """Requests to send again before anything new, and the etags that they were sent with."""
    orders: bool = True
    """Whether new orders follow."""
    snapshots: bool = False


def fork_life(errand: Errand) -> tuple[int, int]:
    """Fork a life in a process group of its own; return its id and where it can be read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        # Here too: the first signal to the group may come before the life has run at all.
        os.setpgid(pid, pid)
        os.close(writing)
        return pid, reading
    status = 1
    try:
        os.setpgid(0, 0)
        os.close(reading)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        asyncio.run(_live(errand, partial(_tell, writing)))
        status = 0
    except BaseException as error:  # noqa: BLE001 - the last stop of a process
        _tell(writing, "broken", repr(error))
    # Not sys.exit: what the parent has open and registered is not this process's to end.
    os._exit(status)


def settings_of(folder: Path) -> Settings:
    """Return small segments, so that a life sees several, and no snapshots by themselves."""
    return msgspec.structs.replace(SMALL, data_dir=folder, segment_size_bytes=SEGMENT_BYTES)


def command_of(request_id: str, etag: str) -> Command:
    """Return the command that a request id stands for; the etag is that of a move."""
    order, step = order_of(request_id), request_id[-2:]
    if step in SENT_STEPS:
        return _sent_command(order, step, etag)
    if end_state(order) == TAKEN_OVER and request_id != reserve_id(order):
        return _collected_command(order, step)
    if not is_end(request_id):
        lines = [(sku, PLACE, quantity) for sku, quantity in QUANTITIES.items()]
        return reserve(*lines, as_id=order, ttl_ms=TTL_MS)
    return confirm(order) if end_state(order) == CONFIRMED else release(order)


def _collected_command(order: str, step: str) -> Command:
    match step:
        case ledger.EDIT:
            return EditOrder(OrderId(order), (OrderLine(LineId(TEA), Sku(""), MORE, PICKUP),))
        case ledger.CUT:
            return cancel_order(order, cup=1)
        case ledger.ADVANCE:
            return advance(f"{order}/1", FulfillmentState.RELEASED)
        case _:
            wanted = (line(sku, n, by=PICKUP, at=PLACE) for sku, n in QUANTITIES.items())
            return place_order(*wanted, as_id=order, hold=order, to=None)


def _sent_command(order: str, step: str, etag: str) -> Command:
    match step:
        case ledger.PLACING:
            wanted = (line(sku, quantity) for sku, quantity in QUANTITIES.items())
            return place_order(*wanted, as_id=order, to=CUSTOMER)
        case ledger.PAUSE:
            return put_on_hold(order, HoldKind.PAYMENT)
        case ledger.GO_ON:
            return take_off_hold(order, HoldKind.PAYMENT)
        case _:
            units = tuple((LineId(sku), quantity) for sku, quantity in QUANTITIES.items())
            package = QuotedPackage(LocationId(FAR_PLACE), SHIP, LocationId(""), units)
            return ApplyReplan((OrderMove(OrderId(order), Revision(int(etag)), (package,)),))


async def _live(errand: Errand, tell: Tell) -> None:
    engine = start_engine(
        settings_of(errand.folder), clock=SystemClock(), disk=LocalDisk(errand.folder)
    )
    tell("up")
    for name, degrees in AT.items():
        plenty = stock(adjust(TEA, name, PLENTY), adjust(CUP, name, PLENTY))
        await engine.submit(ask(place(name, at=degrees), f"place-{name}"))
        await engine.submit(ask(plenty, f"plenty-{name}"))
    engine.writer.state.check_invariants()
    reading = await engine.read(_found)
    tell("found", reading.value)
    for request_id, etag in errand.repeats.items():
        await _send(engine, request_id, etag, tell)
    tell("checked")
    async with asyncio.TaskGroup() as tasks:
        if errand.snapshots:
            tasks.create_task(_snapshots(engine, tell))
        if errand.orders:
            for caller in range(CALLER_COUNT):
                tasks.create_task(_order(engine, f"{errand.name}-{caller}", tell))
    if errand.orders:
        tell("done")
        # Alive and idle: timers seal the log and make the spare segment until the end comes.
        await asyncio.Event().wait()
    await engine.close()


async def _order(engine: Engine, caller: str, tell: Tell) -> None:
    for number in range(ORDERS_PER_CALLER_MAX):
        etag = ""
        for request_id in steps_of(f"{caller}-{number}"):
            etag = await _send(engine, request_id, etag, tell)


async def _send(engine: Engine, request_id: str, etag: str, tell: Tell) -> str:
    tell("sent", request_id, etag)
    answer = await engine.submit(ask(command_of(request_id, etag), request_id))
    tell("answered", request_id, blake2b(as_bytes(answer), digest_size=8).hexdigest())
    return str(answer.outcome.revision) if isinstance(answer.outcome, Order) else ""


async def _snapshots(engine: Engine, tell: Tell) -> None:
    while True:
        tell("snapshot begins")
        await engine.create_snapshot()
        tell("snapshot ends")


def _found(state: State, now_ms: TimeMs) -> Found:
    positions = {}
    for sku in QUANTITIES:
        views = [get_position(state, Sku(sku), LocationId(name), now_ms) for name in AT]
        positions[sku] = (
            sum(view.on_hand for view in views),
            sum(view.soft_reserved for view in views),
            sum(view.allocated for view in views),
        )
    orders = {
        str(name): (int(held.state), {str(line.sku): int(line.quantity) for line in held.lines})
        for name, held in state.reservations.by_id.items()
    }
    return Found(
        orders,
        positions,
        {str(name): _placed(order) for name, order in state.orders.by_id.items()},
    )


def _placed(order: Order) -> tuple[list[str], dict[str, int]]:
    units = dict.fromkeys(QUANTITIES, 0)
    works = [work for work in order.fulfillment_orders if work.lines]
    for work in works:
        for each in work.lines:
            units[each.sku] += each.quantity
    marks = {
        ledger.ADVANCE: any(not is_unreleased(work) for work in works),
        ledger.PAUSE: bool(order.holds),
        ledger.MOVE: any(work.location_id == FAR_PLACE for work in works),
    }
    return [mark for mark, is_so in marks.items() if is_so], units


def _tell(writing: int, *words: Any) -> None:  # noqa: ANN401 - whatever JSON can carry
    line = memoryview(msgspec.json.encode(words) + b"\n")
    while line:
        line = line[os.write(writing, line) :]
