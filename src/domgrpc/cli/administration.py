"""`domgrpc status`, `snapshot` and `verify`: what an operator asks of a running server."""

import sys

import typer

from domgrpc.cli.exits import ExitCode, print_error
from domgrpc.cli.options import RequestIdOption
from domgrpc.cli.session import ask, session_of


def status(context: typer.Context) -> None:
    """Say what the server is and how it stands."""
    from domgrpc.cli.answers import show_message

    show_message(context, ask(context, lambda client: client.get_status()))


def snapshot(context: typer.Context, *, request_id: RequestIdOption = "") -> None:
    """Write a snapshot and trim the log behind it."""
    from domgrpc.cli.answers import show_message

    show_message(
        context, ask(context, lambda client: client.create_snapshot(request_id=request_id))
    )


def verify(context: typer.Context) -> None:
    """Compare the server's files with its memory.

    The files are read and folded anew, beside the server. Ends with 71 where they do not agree.
    """
    from domgrpc.cli.output import flat, plain, print_facts, print_json

    answer = ask(context, lambda client: client.verify_state())
    if session_of(context).as_json:
        print_json(plain(answer))
    else:
        sys.stdout.write("consistent\n" if answer.consistent else "NOT consistent\n")
        print_facts({n: f for n, f in flat(answer) if n not in {"consistent", "findings"}})
    for finding in answer.findings:
        print_error(finding)
    if not answer.consistent:
        raise typer.Exit(ExitCode.CORRUPTION)
