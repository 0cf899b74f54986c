"""Replays the UCI Online Retail set against a running server and proves every figure at the end.

    python -m benchmarks.online_retail --invoices 2000 --scarce

Each invoice is a hold and a confirmation, bound to the stores that have its SKUs or, with
--anywhere, left to the server to place; cancellations are put back and write-offs taken off by
adjustments. A refused hold is not confirmed. At the end every position of the server is compared
with an independent fold (retail_fold.py), and so is the lawfulness of every answer.
"""

import argparse
import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path

import msgspec

from benchmarks.load_figures import percentile
from benchmarks.log_cost import LogCost, log_cost
from benchmarks.processes import RunningServer, fresh_domgrpc_server
from benchmarks.results import Better, Result, skipped
from benchmarks.retail_fold import Fold
from benchmarks.retail_invoices import (
    DATA_FOLDER,
    INVOICES_FILE,
    STORES_FILE,
    read_invoices,
    read_stores,
)
from benchmarks.retail_replay import Replay, Replayed
from benchmarks.retail_stock import Shelves, opening_stock

QUICK_INVOICES = 200
_SHOWN_MAX = 10


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay."""

    invoice_count: int | None = None
    """The first so many invoices; None for all."""
    scarce: bool = False
    anywhere: bool = False
    seed: int = 1
    concurrency: int = 16
    store_count: int = 250
    data_folder: Path = DATA_FOLDER


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found."""

    plan: Plan
    skipped_line_count: int
    replayed: Replayed
    log: LogCost | None
    """None where the folder of the server is not at hand."""
    position_count: int
    differences: tuple[str, ...]
    unlawful: tuple[str, ...]


def replay_and_compare(plan: Plan, server: RunningServer) -> Report:
    """Replay onto an empty server, fold the same independently, and compare every position."""
    read = read_invoices(plan.data_folder / INVOICES_FILE, plan.invoice_count)
    stores = read_stores(plan.data_folder / STORES_FILE, plan.store_count)
    shelves = Shelves([store.location_id for store in stores], plan.seed)
    opening = opening_stock(read.invoices, shelves, scarce=plan.scarce)
    replay = Replay(server.target, shelves, anywhere=plan.anywhere)
    replayed = asyncio.run(replay.run(stores, opening, read.invoices, concurrency=plan.concurrency))
    fold = Fold(opening)
    fold.run(replayed.calls)
    unlawful = fold.unlawful
    before, after = replayed.revisions
    if after - before != len(replayed.calls):
        unlawful.append(
            f"{len(replayed.calls)} calls made {after - before} revisions, not one each"
        )
    expected = {
        position: (figures.on_hand, figures.soft_reserved, figures.allocated)
        for position, figures in fold.figures.items()
    }
    return Report(
        plan=plan,
        skipped_line_count=read.skipped_line_count,
        replayed=replayed,
        log=None if server.folder is None else log_cost(server.folder, before + 1, after),
        position_count=len(expected),
        differences=tuple(_differences(expected, replayed.positions)),
        unlawful=tuple(unlawful),
    )


def _differences(
    expected: dict[tuple[str, str], tuple[int, int, int]],
    found: dict[tuple[str, str], tuple[int, int, int]],
) -> list[str]:
    return [
        f"{position}: the server says {found.get(position)}, the fold {expected.get(position)}"
        for position in sorted(expected.keys() | found.keys())
        if expected.get(position) != found.get(position)
    ]


# --- as one of the benchmarks


def run(*, quick: bool) -> list[Result]:
    """Replay all invoices twice: with plenty in stock, and scarce and placed by the server."""
    unmeasured = Result(
        name="Online Retail: positions that differ from the fold",
        value=None,
        unit="",
        better=Better.LOWER,
        must=0,
        aim=0,
    )
    if not (DATA_FOLDER / INVOICES_FILE).exists():
        return [skipped(unmeasured, f"{INVOICES_FILE} is not in {DATA_FOLDER}")]
    count = QUICK_INVOICES if quick else None
    results = []
    for plan in (Plan(invoice_count=count), Plan(invoice_count=count, scarce=True, anywhere=True)):
        with fresh_domgrpc_server() as server:
            report = replay_and_compare(plan, server)
        results.extend(_results(unmeasured, report))
    return results


def _results(unmeasured: Result, report: Report) -> list[Result]:
    done = report.replayed
    case = "scarce, placed by the server" if report.plan.scarce else "plenty, bound to stores"
    figures = [
        ("invoices", done.invoice_count / done.seconds, "/s", Better.HIGHER),
        ("lines", done.line_count / done.seconds, "/s", Better.HIGHER),
        ("call p50", percentile(done.call_ms, 50), "ms", Better.LOWER),
        ("call p99", percentile(done.call_ms, 99), "ms", Better.LOWER),
    ]
    if report.log is not None:
        payload, disk = report.log.payload_bytes, report.log.disk_bytes
        figures.append(("bytes logged a line", payload / done.line_count, "B", Better.LOWER))
        figures.append(("bytes on disk a line", disk / done.line_count, "B", Better.LOWER))
    wrong = len(report.differences) + len(report.unlawful)
    proof = msgspec.structs.replace(
        unmeasured,
        name=f"{unmeasured.name} ({case})",
        value=float(wrong),
        note=f"{report.position_count} positions, {done.invoice_count} invoices, "
        f"{done.line_count} lines, {done.refusal_count} refusals, answers checked one by one",
    )
    shown = [
        Result(name=f"Online Retail: {name} ({case})", value=value, unit=unit, better=better)
        for name, value, unit, better in figures
    ]
    return [proof, *shown]


# --- as a program


def main() -> int:
    """Replay as the arguments say; the exit status is 1 where anything differs."""
    arguments = _arguments()
    plan = Plan(
        invoice_count=arguments.invoices,
        scarce=arguments.scarce,
        anywhere=arguments.anywhere,
        seed=arguments.seed,
        concurrency=arguments.concurrency,
        store_count=arguments.stores,
        data_folder=arguments.data,
    )
    if not (plan.data_folder / INVOICES_FILE).exists():
        print(f"{plan.data_folder / INVOICES_FILE} is missing: name its folder with --data")
        return 1
    running = (
        nullcontext(RunningServer(arguments.server, 0, 0.0))
        if arguments.server
        else fresh_domgrpc_server()
    )
    with running as server:
        report = replay_and_compare(plan, server)
    _print(report)
    return 1 if report.differences or report.unlawful else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--invoices", type=int, help="only the first so many (default: all)")
    parser.add_argument("--scarce", action="store_true", help="begin with too little stock")
    parser.add_argument(
        "--anywhere", action="store_true", help="let the server choose the stores of a hold"
    )
    parser.add_argument("--seed", type=int, default=1, help="spreads the SKUs over the stores")
    parser.add_argument("--concurrency", type=int, default=16, help="invoices at a time")
    parser.add_argument("--stores", type=int, default=250, help="how many of the real stores")
    parser.add_argument("--server", help="host:port of an empty server (default: start one)")
    parser.add_argument("--data", type=Path, default=DATA_FOLDER, help="folder of the data")
    return parser.parse_args()


def _print(report: Report) -> None:
    done = report.replayed
    print(
        f"{done.invoice_count:,} invoices, {done.line_count:,} lines of goods in "
        f"{done.seconds:.1f} s; {report.skipped_line_count:,} lines left out, no goods\n"
        f"{done.invoice_count / done.seconds:,.0f} invoices/s, "
        f"{done.line_count / done.seconds:,.0f} lines/s, a call takes p50 "
        f"{percentile(done.call_ms, 50):.2f} ms, p99 {percentile(done.call_ms, 99):.2f} ms\n"
        f"log: {_log_text(report)}\n"
        f"refusals: {done.refusal_count:,} ({done.refused_text})\n"
        f"{report.position_count:,} positions compared with the fold: "
        f"{len(report.differences)} differ, {len(report.unlawful)} answers unlawful"
    )
    for line in (*report.differences[:_SHOWN_MAX], *report.unlawful[:_SHOWN_MAX]):
        print(f"  {line}")


def _log_text(report: Report) -> str:
    lines = report.replayed.line_count
    if report.log is None:
        return f"segments grew by {report.replayed.segment_bytes:,} bytes"
    return (
        f"{report.log.payload_bytes / lines:.1f} bytes of records a line, "
        f"{report.log.disk_bytes / lines:.1f} bytes of disk in {report.log.frame_count:,} commits"
    )


if __name__ == "__main__":
    sys.exit(main())
