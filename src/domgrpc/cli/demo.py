"""`domgrpc demo`: shows on a retailer of its own what the service promises, and checks it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.exits import INVALID_OPTION, Ended, ExitCode, print_error
from domgrpc.cli.session import session_of

if TYPE_CHECKING:
    from domgrpc.cli.demonstration.performance import Outcome


def demo(
    context: typer.Context,
    zip_code: Annotated[
        str, typer.Option("--zip", help="Where the customer lives: a ZIP code of five digits.")
    ] = "60614",
    seed: Annotated[int, typer.Option(help="Chooses the stock of every store.")] = 1,
    fast: Annotated[bool, typer.Option("--fast", help="Shorter measurements.")] = False,
) -> None:
    """Show what the service promises, on a temporary folder, in under a minute.

    Starts a server of its own, fills it with a retailer on real US geography, and checks every
    claim while it is shown, also over kill -9. Leaves nothing behind. Exit code 1 where a
    promise did not hold.
    """
    from rich.console import Console

    from domgrpc.cli.demonstration.narration import Narration
    from domgrpc.cli.demonstration.performance import perform
    from domgrpc.cli.demonstration.retailer import UnknownZip, build_retailer, find_place
    from domgrpc.cli.demonstration.stage import FAST, FULL

    as_json = session_of(context).as_json
    try:
        customer = find_place(zip_code)
    except UnknownZip as unknown:
        raise Ended(INVALID_OPTION, f"--zip: {unknown}") from None
    narration = Narration(Console(highlight=False, quiet=as_json))
    try:
        outcome = perform(
            build_retailer(seed), customer, narration=narration, script=FAST if fast else FULL
        )
    except KeyboardInterrupt:
        print_error("interrupted; the server is ended and its folder is removed")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        _print_outcome(outcome, zip_code=customer.zip_code, seed=seed)
    elif not outcome.failure:
        narration.close(
            f"{len(outcome.report.kept)} promises shown, all of them kept, in "
            f"{outcome.seconds:.0f} s.",
            hint=f"Next, a server to keep: {_program()} serve --data-dir var/data",
        )
    if outcome.failure:
        print_error(f"a promise was not kept: {outcome.failure}")
        raise typer.Exit(ExitCode.REFUSED)


def _program() -> str:
    """Return how this program was called, for the next command."""
    called = sys.argv[0]
    return called if Path(called).name == "domgrpc" else "python -m domgrpc"


def _print_outcome(outcome: "Outcome", *, zip_code: str, seed: int) -> None:
    from domgrpc.cli.output import print_json

    print_json(
        {
            "all_kept": not outcome.failure,
            "failure": outcome.failure or None,
            "zip_code": zip_code,
            "seed": seed,
            "duration_seconds": round(outcome.seconds, 3),
            "promises_kept": outcome.report.kept,
            "figures": outcome.report.figures,
        }
    )
