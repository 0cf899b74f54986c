"""The performance: the scenes in order on a temporary folder, and nothing left behind.

Whatever happens, also on Ctrl-C and SIGTERM, the server is ended and the folder removed before
the command ends. The last promise is that this was so.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from domgrpc.cli.demonstration.crashing import (
    compare_with_answers,
    kill_under_load,
    restart,
    verify_files,
)
from domgrpc.cli.demonstration.expiring import expire_on_the_dot
from domgrpc.cli.demonstration.holding import (
    confirm_first_cart,
    hold_two_lines,
    refuse_second_customer,
    retry_old_requests,
)
from domgrpc.cli.demonstration.measuring import measure_rates
from domgrpc.cli.demonstration.narration import Narration
from domgrpc.cli.demonstration.opening import (
    load_stock,
    show_availability,
    start,
    store_retailer,
)
from domgrpc.cli.demonstration.ordering import (
    compare_strategies,
    lose_a_warehouse,
    order_two_pairs,
)
from domgrpc.cli.demonstration.racing import race_for_the_last_units
from domgrpc.cli.demonstration.retailer import Place, Retailer
from domgrpc.cli.demonstration.server_process import ServerProcess, ServerTrouble
from domgrpc.cli.demonstration.stage import PromiseBroken, Report, Script, Stage
from domgrpc.cli.demonstration.watching import watch_live
from domgrpc.client import DomgrpcError

_ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNAL_EXIT_CODE: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went: what did not hold (empty for success), what was shown, how long it took."""

    failure: str
    report: Report
    seconds: float


def perform(
    retailer: Retailer, customer: Place, *, narration: Narration, script: Script
) -> Outcome:
    """Perform every scene and leave nothing behind; call it in the main thread.

    The first promise that does not hold ends it. SIGTERM and SIGHUP raise SystemExit, Ctrl-C
    raises KeyboardInterrupt, both after everything is cleaned up.
    """
    started = time.perf_counter()
    stage = Stage(retailer, customer, server=ServerProcess(), narration=narration, script=script)
    narration.title(
        "What domgrpc promises, shown on a server of its own",
        f"Every figure is measured now, on this machine. Seed {retailer.seed}; a line that begins "
        "with ok is a promise that was checked.",
    )
    failure, signal_number = asyncio.run(_perform_and_clean_up(stage))
    if signal_number == signal.SIGINT:
        raise KeyboardInterrupt
    if signal_number:
        raise SystemExit(_SIGNAL_EXIT_CODE + signal_number)
    return Outcome(failure=failure, report=stage.report, seconds=time.perf_counter() - started)


async def _perform_and_clean_up(stage: Stage) -> tuple[str, int]:
    """Perform until the end or a signal, clean up, and return failure and signal, if any.

    No signal raises an exception where it strikes: inside a callback of gRPC that kills the
    process, and the server would live on. The handlers stay until all is cleaned up, so that
    impatience does not leave half of it behind.
    """
    performance = asyncio.ensure_future(_failure_of(stage, _perform(stage)))
    signals: list[int] = []

    def end(number: int) -> None:
        signals.append(number)
        performance.cancel()

    for number in _ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        await asyncio.wait([performance])
    finally:
        stage.server.destroy()
    if signals:
        return "", signals[0]
    return performance.result() or await _failure_of(stage, _prove_clean(stage)), 0


async def _perform(stage: Stage) -> None:
    try:
        await start(stage)
        await store_retailer(stage)
        await load_stock(stage)
        offer = await show_availability(stage)
        cart = await hold_two_lines(stage, offer)
        cart = await refuse_second_customer(stage, cart)
        await confirm_first_cart(stage, cart)
        await expire_on_the_dot(stage, offer)
        await watch_live(stage, offer)
        shoes = await order_two_pairs(stage, offer)
        await compare_strategies(stage, offer)
        await lose_a_warehouse(stage, shoes)
        await race_for_the_last_units(stage)
        load = await kill_under_load(stage)
        await restart(stage, load)
        await compare_with_answers(stage, load)
        await verify_files(stage)
        await retry_old_requests(stage, cart)
        await measure_rates(stage)
        await _stop(stage)
    finally:
        await stage.hang_up()


async def _stop(stage: Stage) -> None:
    """Prove that the server stops in order when asked, and begin the end."""
    stage.narration.scene("Nothing is left behind")
    await stage.hang_up()
    exit_code = await stage.server.stop()
    stage.promise("the server stops in order on SIGTERM", expected=0, came=exit_code)


async def _prove_clean(stage: Stage) -> None:
    """Prove that no process and no file of the demonstration is left."""
    folder = stage.server.folder
    stage.promise(
        f"no process is left, and {folder} is removed",
        expected=(0, False),
        came=(stage.server.left_count(), folder is not None and folder.exists()),
    )


async def _failure_of(stage: Stage, acting: Awaitable[None]) -> str:
    """Act, and tell the reader what went wrong where something does."""
    try:
        await acting
    except PromiseBroken as broken:
        stage.narration.broken(broken.claim, expected=broken.expected, came=broken.came)
        return str(broken)
    except (DomgrpcError, ServerTrouble) as trouble:
        stage.narration.failed(f"the demonstration cannot go on: {trouble}")
        return str(trouble)
    return ""
