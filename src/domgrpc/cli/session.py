"""What the commands have in common: the server they ask, and what becomes of an error."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from domgrpc.cli.exits import INVALID_OPTION, Ended, exit_code_of, print_refusal

if TYPE_CHECKING:
    from domgrpc.client import DomgrpcClient, Tls

_T = TypeVar("_T")


class OutputForm(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The global options of one run."""

    server: str
    client_id: str
    output: OutputForm
    timeout_seconds: float | None
    tls: bool
    ca_file: Path | None
    certificate_file: Path | None
    key_file: Path | None

    @property
    def as_json(self) -> bool:
        """Whether a program reads the answers."""
        return self.output is OutputForm.JSON


def session_of(context: typer.Context) -> Session:
    """Return the global options of the run."""
    session = context.find_object(Session)
    assert session is not None
    return session


def ask(context: typer.Context, call: Callable[["DomgrpcClient"], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine with a client; an error is printed and ends the program with its code."""
    import asyncio

    from domgrpc.client import DomgrpcError

    session = session_of(context)
    try:
        return asyncio.run(_with_client(session, call))
    except DomgrpcError as error:
        print_refusal(error, target=session.server, as_json=session.as_json)
        raise typer.Exit(exit_code_of(error)) from None
    except ValueError as error:
        raise Ended(INVALID_OPTION, str(error)) from None


async def _with_client(
    session: Session, call: Callable[["DomgrpcClient"], Coroutine[Any, Any, _T]]
) -> _T:
    from domgrpc.client import DomgrpcClient
    from domgrpc.client.client import READ_TIMEOUT_SECONDS, WRITE_TIMEOUT_SECONDS

    seconds = session.timeout_seconds
    client = DomgrpcClient(
        session.server,
        client_id=session.client_id,
        tls=_tls(session),
        read_timeout_seconds=READ_TIMEOUT_SECONDS if seconds is None else seconds,
        write_timeout_seconds=WRITE_TIMEOUT_SECONDS if seconds is None else seconds,
    )
    async with client:
        return await call(client)


def _tls(session: Session) -> "Tls | None":
    from domgrpc.client import Tls

    files = (session.ca_file, session.certificate_file, session.key_file)
    if not session.tls and not any(files):
        return None
    return Tls(
        ca_file=session.ca_file,
        certificate_file=session.certificate_file,
        key_file=session.key_file,
    )
