"""The commands: what each is called with everywhere, where each is, and how a run of one ends.

Only what the help needs is imported here; each command imports the rest when it runs.
"""

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from domgrpc.cli import (
    administration,
    holds,
    load,
    locations,
    log,
    logistics,
    order_watch,
    orders,
    products,
    repair,
    routing,
    rules,
    safety_stock,
    stock,
)
from domgrpc.cli.available import available
from domgrpc.cli.demo import demo
from domgrpc.cli.exits import INVALID_OPTION, Ended, ExitCode, file_error, print_ended
from domgrpc.cli.parsing import address
from domgrpc.cli.serve import serve
from domgrpc.cli.session import OutputForm, Session
from domgrpc.cli.usage import as_json_wanted, check_words, usage_error
from domgrpc.cli.watch import watch

SERVER_DEFAULT = "127.0.0.1:50051"
TIMEOUT_SECONDS_MAX = 86_400.0


class AnywhereGroup(TyperGroup):
    """Takes the global options at any place of the line, and ends every error in one line."""

    def main(self, *unnamed: Any, **settings: Any) -> Any:  # noqa: ANN401 - typer's own
        """Run a line, `args` or that of the process, and end with a code of `ExitCode`."""
        given = settings.get("args")
        words = sys.argv[1:] if given is None else list(given)
        settings |= {"args": words, "standalone_mode": False}
        try:
            check_words(words)
            code = super().main(*unnamed, **settings)
        except typer.TyperException as error:
            code = _end(usage_error(error), words)
        except Ended as error:
            code = _end(error, words)
        except UnicodeEncodeError as error:
            code = _end(Ended(INVALID_OPTION, f"{error.object!a} is not UTF-8"), words)
        except OSError as error:
            code = _end(file_error(error), words)
        sys.exit(code or ExitCode.DONE)

    def make_context(self, *unnamed: Any, **settings: Any) -> Any:  # noqa: ANN401 - typer's own
        """Read the line; who reads a help that it shows may go away when it has enough."""
        try:
            return super().make_context(*unnamed, **settings)
        except BrokenPipeError:
            raise typer.Exit(ExitCode.PIPE_CLOSED) from None

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own
        """Run the command; who reads its output may go away when it has enough."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise typer.Exit(ExitCode.PIPE_CLOSED) from None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Read the line with its global options in front."""
        flags = {option for one in self.params if one.name == "tls" for option in one.opts}
        with_value = {
            option
            for one in self.params
            if not getattr(one, "is_flag", False)
            for option in one.opts
        }
        return super().parse_args(ctx, global_first(args, with_value=with_value, flags=flags))


def global_first(args: Sequence[str], *, with_value: set[str], flags: set[str]) -> list[str]:
    """Return the arguments with the named options, and their values, moved to the front.

    What stands behind `--` stays.
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for argument in waiting:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest.append(argument)
            rest.extend(waiting)
        elif argument in flags or (equals and name in with_value):
            front.append(argument)
        elif argument in with_value:
            front.append(argument)
            front.extend(islice(waiting, 1))
        else:
            rest.append(argument)
    return front + rest


def _end(error: Ended | None, words: Sequence[str]) -> int:
    """Print an error; None is a help that was shown for want of a command."""
    if error is None:
        return ExitCode.USAGE
    print_ended(error, as_json=as_json_wanted(words))
    return error.exit_code


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"domgrpc {version('domgrpc')}\n")
        raise typer.Exit


app = typer.Typer(
    name="domgrpc",
    cls=AnywhereGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def everywhere(
    context: typer.Context,
    *,
    server: Annotated[
        str, typer.Option(help="Where the server is, host:port.", envvar="DOMGRPC_SERVER")
    ] = SERVER_DEFAULT,
    client_id: Annotated[
        str, typer.Option(help="Who calls; quotas are by client.", envvar="DOMGRPC_CLIENT_ID")
    ] = "cli",
    output: Annotated[
        OutputForm,
        typer.Option("--output", "-o", help="How answers look.", envvar="DOMGRPC_OUTPUT"),
    ] = OutputForm.TABLE,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds for a call with its retries.", envvar="DOMGRPC_TIMEOUT"),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS.", envvar="DOMGRPC_TLS")] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(help="Authority to trust, PEM; implies --tls.", envvar="DOMGRPC_CA_FILE"),
    ] = None,
    certificate_file: Annotated[
        Path | None,
        typer.Option(help="Our certificate, PEM, for mTLS.", envvar="DOMGRPC_CERTIFICATE_FILE"),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Its key, PEM.", envvar="DOMGRPC_KEY_FILE")
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """A durable inventory and reservation service: the server, and commands that ask it.

    These options may stand anywhere on the line. Exit codes: 0 done, 1 refused, 2 not well
    formed, 3 server not there, 4 rows rejected; 70, 71 and 73 are the server's own.
    """
    del version
    if timeout is not None and not 0 < timeout <= TIMEOUT_SECONDS_MAX:
        raise typer.BadParameter(
            f"--timeout is {timeout:g}: more than 0 and up to {TIMEOUT_SECONDS_MAX:,.0f} seconds"
        )
    context.obj = Session(
        server=address(server, "--server"),
        client_id=client_id,
        output=output,
        timeout_seconds=timeout,
        tls=tls,
        ca_file=ca_file,
        certificate_file=certificate_file,
        key_file=key_file,
    )


app.command()(available)
app.add_typer(stock.app, name="stock")
app.command()(load.load)
app.command()(watch)
app.add_typer(locations.app, name="locations")
app.add_typer(products.app, name="products")
app.add_typer(rules.app, name="rules")
app.add_typer(safety_stock.app, name="safety-stock")
app.add_typer(logistics.app, name="logistics")

app.command()(holds.reserve)
app.command()(holds.confirm)
app.command()(holds.release)
app.command()(holds.settle)
app.add_typer(holds.app, name="reservations")

orders.app.command("explain")(routing.explain_order)
orders.app.command("watch")(order_watch.watch_orders)
app.add_typer(orders.app, name="order")
app.command()(orders.quote)
app.command()(routing.simulate)
app.command()(routing.backlog)

app.command()(serve)
app.command()(demo)
app.command()(administration.status)
app.command()(administration.snapshot)
app.command()(administration.verify)
log.app.command("truncate")(repair.truncate)
log.app.command("salvage")(repair.salvage)
app.add_typer(log.app, name="log")
