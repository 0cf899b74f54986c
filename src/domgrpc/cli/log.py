"""`domgrpc log`: reads the files of a data folder, without a server and without changing them.

Beside a running server `show` may end in the middle of what is being written; `verify` then
reads again what looked wrong.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

from domgrpc.cli.exits import NO_LOG, Ended, ExitCode, print_error, storage_reason
from domgrpc.cli.session import session_of

if TYPE_CHECKING:
    from domgrpc.core.events import Record
    from domgrpc.storage.disk import LocalDisk
    from domgrpc.storage.errors import StorageError

app = typer.Typer(no_args_is_help=True, help="Read the files of a data folder, without a server.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="The data folder.")]


@app.command("show")
def show(
    context: typer.Context,
    folder: FolderArgument,
    *,
    first: Annotated[
        int, typer.Option("--from", help="Begin with this revision.", metavar="REVISION")
    ] = 1,
    last: Annotated[
        int | None, typer.Option("--to", help="End with this revision.", metavar="REVISION")
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="Show frames and where they lie, not records.")
    ] = False,
) -> None:
    """Print what is in the log, oldest first: a record a line."""
    from domgrpc.cli.output import print_json_line
    from domgrpc.storage.errors import StorageError

    as_json = session_of(context).as_json
    shown = _frames if frames else _records
    try:
        for facts in shown(open_log(folder), first, sys.maxsize if last is None else last):
            if as_json:
                print_json_line(facts)
            else:
                sys.stdout.write(_line(facts) + "\n")
    except StorageError as error:
        end_with(error)


@app.command("verify")
def verify(context: typer.Context, folder: FolderArgument) -> None:
    """Check every checksum of the log and of the snapshots; ends with 71 where one is wrong."""
    from domgrpc.cli.output import print_facts, print_json
    from domgrpc.storage.errors import StorageError
    from domgrpc.storage.inspection import verify_log

    try:
        disk = open_log(folder)
        found = verify_log(disk)
        snapshots, damaged = _checked_snapshots(disk)
    except StorageError as error:
        end_with(error)
    damages = [damage for damage in (found.damage, *damaged) if damage is not None]
    facts = {
        "whole": not damages,
        "segments": len(found.segments),
        "frames": found.frames,
        "records": found.records,
        "first_revision": found.first_sequence,
        "last_revision": found.last_sequence,
        "torn_bytes": found.torn_bytes,
        "snapshots": snapshots,
        "damages": [str(damage) for damage in damages],
    }
    if session_of(context).as_json:
        print_json(facts)
    else:
        print_facts({**facts, "whole": "yes" if facts["whole"] else "NO", "damages": None})
    for damage in damages:
        print_error(str(damage))
    if damages:
        raise typer.Exit(ExitCode.CORRUPTION)


def _checked_snapshots(disk: "LocalDisk") -> "tuple[list[str], list[StorageError]]":
    """Return the names of the whole snapshots, and what is wrong with the others."""
    from domgrpc.storage.errors import Corruption, FormatTooNew
    from domgrpc.storage.snapshot import check_snapshot, list_snapshots

    whole: list[str] = []
    damaged: list[StorageError] = []
    for name in list_snapshots(disk):
        try:
            check_snapshot(disk, name)
        except (Corruption, FormatTooNew) as error:
            damaged.append(error)
        else:
            whole.append(name)
    return whole, damaged


def _records(disk: "LocalDisk", first: int, last: int) -> Iterator[dict[str, Any]]:
    from domgrpc.engine.records import decode_records
    from domgrpc.storage.inspection import inspect_log

    for frame in inspect_log(disk):
        if frame.first_sequence > last:
            return
        if not frame.count or frame.last_sequence < first:
            continue
        for record in decode_records(frame.payload, frame.count):
            if first <= record.revision <= last:
                yield _record_facts(record)


def _frames(disk: "LocalDisk", first: int, last: int) -> Iterator[dict[str, Any]]:
    from domgrpc.storage.frame import RECORDS
    from domgrpc.storage.inspection import inspect_log

    for frame in inspect_log(disk):
        if frame.first_sequence > last:
            return
        if frame.last_sequence >= first or not frame.count:
            yield {
                "segment": frame.segment_name,
                "offset_bytes": frame.offset_bytes,
                "kind": "records" if frame.kind == RECORDS else "mark",
                "records": frame.count,
                "first_revision": frame.first_sequence,
                "payload_bytes": len(frame.payload),
            }


def _record_facts(record: "Record") -> dict[str, Any]:
    from datetime import UTC, datetime

    time = datetime.fromtimestamp(record.time_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    return {
        "revision": record.revision,
        "time": time.replace("+00:00", "Z"),
        "client_id": record.client_id,
        "request_id": record.request_id,
        "events": [{type(event).__name__: _named(event)} for event in record.events],
    }


def _named(value: object) -> object:
    """Return a struct as named fields; in the log they are arrays without names."""
    if isinstance(value, msgspec.Struct):
        return {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [_named(part) for part in value]
    if isinstance(value, dict):
        return {str(name): _named(part) for name, part in value.items()}
    return getattr(value, "name", value)


def _line(facts: dict[str, Any]) -> str:
    return "  ".join(
        msgspec.json.encode(value).decode() if isinstance(value, list) else str(value)
        for value in facts.values()
    )


def open_folder(folder: Path) -> "LocalDisk":
    """Open a data folder that must exist; raises FolderUnusable."""
    from domgrpc.storage.disk import LocalDisk

    return LocalDisk(folder, make=False)


def open_log(folder: Path) -> "LocalDisk":
    """Open a data folder that must hold a log; raises FolderUnusable or Ended."""
    from domgrpc.storage.segment import list_segment_names

    disk = open_folder(folder)
    if not list_segment_names(disk):
        raise Ended(NO_LOG, f"no log in {folder}", code=ExitCode.CONFIGURATION)
    return disk


def end_with(error: "StorageError") -> NoReturn:
    """End with what is wrong with a folder."""
    raise Ended(storage_reason(error), str(error), code=error.exit_code) from None
