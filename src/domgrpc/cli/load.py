"""`domgrpc load`: locations, products, stock and logistics from CSV files."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.exits import FILE_UNREADABLE, Ended, ExitCode
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.cli.loading.csv_files import Kind
    from domgrpc.cli.loading.loads import Load, Progress
    from domgrpc.client import DomgrpcClient

KINDS = ("locations", "products", "stock", "rate-cards", "lanes", "calendars")


def load(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV files, plain or .gz.")
    ],
    *,
    kind: Annotated[str, typer.Option(help="What the files are; default: by the columns.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Load stock that was loaded before once more.")
    ] = False,
    delimiter: Annotated[str, typer.Option(help="What stands between cells.")] = ",",
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave unknown columns out.")
    ] = False,
) -> None:
    """Load locations, products, stock, rate cards, lanes or calendars from CSV files.

    What a file is, is seen by its columns; docs/csv.md lists them. Locations come first, whatever
    the order in which files are named. Rows that are refused go to
    FILE.rejects.csv with line and reason, and the end is code 4. A load that was interrupted
    goes on where it was when it is started again.
    """
    from domgrpc.cli.loading.csv_files import UnreadableFile

    if kind and kind not in KINDS:
        raise typer.BadParameter(f"--kind {kind!r} is no kind of file: one of {', '.join(KINDS)}")
    if len(delimiter) != 1:
        raise typer.BadParameter(f"--delimiter is {delimiter!r}: give one character")
    has_rejects = False
    for path in files if kind else _in_order(files, delimiter):
        try:
            done = _load_file(
                context,
                path,
                kind=kind,
                again=again,
                delimiter=delimiter,
                ignore_unknown=ignore_unknown,
            )
        except UnreadableFile as error:
            raise Ended(FILE_UNREADABLE, str(error)) from None
        has_rejects = has_rejects or bool(done.rejects.count)
    if has_rejects:
        raise typer.Exit(ExitCode.REJECTED_ROWS)


def _in_order(files: list[Path], delimiter: str) -> list[Path]:
    """Return files in the order in which they need each other, of one kind as they are named."""
    # What can be read only once is loaded where it stands.
    if len(files) < 2 or not all(path.is_file() for path in files):  # noqa: PLR2004
        return files
    return sorted(files, key=lambda path: _rank(path, delimiter))


def _rank(path: Path, delimiter: str) -> int:
    from domgrpc.cli.loading.csv_files import LOAD_ORDER, UnreadableFile, kind_of, open_csv

    try:
        with open_csv(path, delimiter) as file:
            return LOAD_ORDER.index(kind_of(file.columns, path))
    except UnreadableFile:
        # It is told when its turn comes, after all that can be loaded.
        return len(LOAD_ORDER)


def _load_file(
    context: typer.Context,
    path: Path,
    *,
    kind: str,
    again: bool,
    delimiter: str,
    ignore_unknown: bool,
) -> "Load":
    from domgrpc.cli.loading.csv_files import Kind, check_columns, kind_of, open_csv
    from domgrpc.cli.loading.loads import Load
    from domgrpc.cli.loading.rejects import Rejects

    started = time.perf_counter()
    with open_csv(path, delimiter) as file:
        known = Kind(kind) if kind else kind_of(file.columns, path)
        check_columns(file.columns, known, path, ignore_unknown=ignore_unknown)
        rejects = Rejects(path, file.columns, delimiter)
        with _progress(path, file.size_bytes) as progress:
            load = Load(file, rejects, progress)
            try:
                ask(context, lambda client: _run(client, load, known, again=again))
            except KeyboardInterrupt:
                _say_interrupted(load)
                raise
            finally:
                rejects.close()
    seconds = time.perf_counter() - started
    _report(context, load, known, seconds)
    return load


async def _run(client: "DomgrpcClient", load: "Load", kind: "Kind", *, again: bool) -> None:
    from domgrpc.cli.loading.csv_files import Kind, digest_of
    from domgrpc.cli.loading.locations import load_locations
    from domgrpc.cli.loading.logistics import load_calendars, load_lanes, load_rate_cards
    from domgrpc.cli.loading.products import load_products
    from domgrpc.cli.loading.stock import feed_of, load_stock

    match kind:
        case Kind.LOCATIONS:
            await load_locations(client, load)
        case Kind.PRODUCTS:
            await load_products(client, load)
        case Kind.RATE_CARDS:
            await load_rate_cards(client, load)
        case Kind.LANES:
            await load_lanes(client, load)
        case Kind.CALENDARS:
            await load_calendars(client, load)
        case Kind.STOCK:
            run = f"{time.time_ns():x}" if again else ""
            await load_stock(client, load, feed_of(digest_of(load.file.path), run=run))


def _say_interrupted(load: "Load") -> None:
    row_count = load.applied_count + load.skipped_count
    sys.stderr.write(
        f"{load.file.path}: interrupted with {row_count:,} rows in; "
        "the same command again goes on from there\n"
    )


def _report(context: typer.Context, load: "Load", kind: "Kind", seconds: float) -> None:
    from domgrpc.cli.output import print_json_line

    rejects = load.rejects
    if session_of(context).as_json:
        print_json_line(
            {
                "file": str(load.file.path),
                "kind": str(kind),
                "rows": load.row_count,
                "applied": load.applied_count,
                "skipped": load.skipped_count,
                "rejected": rejects.count,
                "rejects_file": str(rejects.path) if rejects.count else None,
                "revision": load.revision,
                "seconds": round(seconds, 3),
                "rows_per_second": round(load.applied_count / seconds),
            }
        )
        return
    parts = [f"{load.applied_count:,} of {load.row_count:,} rows applied"]
    if load.skipped_count:
        parts.append(f"{load.skipped_count:,} skipped, an earlier load applied them")
    if rejects.count:
        parts.append(f"{rejects.count:,} rejected, see {rejects.path}")
    parts.append(f"{seconds:.1f} s")
    if load.applied_count:
        parts.append(f"{load.applied_count / seconds:,.0f} rows/s")
    sys.stdout.write(f"{load.file.path}: {kind}: {'; '.join(parts)}\n")
    if load.skipped_count and not load.applied_count:
        sys.stdout.write("nothing was new; --again loads the same file once more\n")


@contextmanager
def _progress(path: Path, size_bytes: int) -> "Iterator[Progress]":
    """Show a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with shown:
        task = shown.add_task(path.name, total=size_bytes, rows=0)

        def show(*, read_bytes: int, row_count: int) -> None:
            shown.update(task, completed=read_bytes, rows=row_count)

        yield show


def _say_nothing(*, read_bytes: int, row_count: int) -> None:
    del read_bytes, row_count
