"""Runs the benchmarks, prints one table, keeps every figure, and fails where a must is missed.

    python -m benchmarks.run [--quick] [NAME ...]

Names are those of BENCHMARKS below; without any all are run. Each is shown when it is over, and
all of them at the end, also of a run that is interrupted. The figures go to
benchmarks/results.json with the machine, the versions and what was not run. Ratios come from one
run: both sides are measured in turn, on the same machine, within the same minutes.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import (
    availability_of_many,
    backlog,
    execute_reserves,
    fairness,
    five_million_positions,
    hot_functions,
    online_retail,
    orders,
    overload,
    routing,
    unary_calls,
)
from benchmarks.machine import Neighbours, describe_machine, describe_versions
from benchmarks.results import Result, Verdict, figure_text

BENCHMARKS: dict[str, Callable[..., list[Result]]] = {
    "unary_calls": unary_calls.run,
    "execute_reserves": execute_reserves.run,
    "availability_of_many": availability_of_many.run,
    "five_million_positions": five_million_positions.run,
    "orders": orders.run,
    "backlog": backlog.run,
    "online_retail": online_retail.run,
    "overload": overload.run,
    "fairness": fairness.run,
    "routing": routing.run,
    "hot_functions": hot_functions.run,
}
RESULTS_FILE = Path(__file__).with_name("results.json")
INTERRUPTED_STATUS = 130
"""What shells take an interruption by."""

_STYLES = {
    Verdict.AIM_MET: "green",
    Verdict.MUST_MISSED: "bold red",
    Verdict.SKIPPED: "yellow",
}
_WIDTH_MIN = 110
_NOISY_SHARE = 0.1


class Finding(msgspec.Struct, frozen=True):
    """One figure as it is kept."""

    benchmark: str
    others_share: float
    """How much of the machine others used meanwhile; it makes figures worse than they are."""
    verdict: Verdict
    result: Result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments name; the exit status is 1 where a must is missed.

    Ctrl-C or SIGTERM ends the run with INTERRUPTED_STATUS; what was found until then is kept.
    """
    chosen = _arguments(arguments)
    findings: list[Finding] = []
    not_run = list(chosen.names or BENCHMARKS)
    # Raises KeyboardInterrupt, so that the servers of the benchmark under way are ended too.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while not_run:
            found = _run_one(not_run[0], quick=chosen.quick)
            findings.extend(found)
            del not_run[0]
            _print_table(found)
            # After each: minutes of measuring survive whatever happens to the next.
            _keep(chosen, findings, not_run)
    except KeyboardInterrupt:
        print(" interrupted", file=sys.stderr)
        return INTERRUPTED_STATUS
    finally:
        signal.signal(signal.SIGTERM, handler)
        _keep(chosen, findings, not_run)
        _print_table(findings)
        _print_noise(findings)
        if not_run:
            print(f"not run: {', '.join(not_run)}", file=sys.stderr)
    missed = [each.result.name for each in findings if each.verdict is Verdict.MUST_MISSED]
    for name in missed:
        print(f"missed what it must reach: {name}", file=sys.stderr)
    return 1 if missed else 0


def _keep(chosen: argparse.Namespace, findings: Sequence[Finding], not_run: Sequence[str]) -> None:
    kept = {
        "quick": chosen.quick,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "not_run": not_run,
        "findings": findings,
    }
    chosen.results.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")


def _run_one(name: str, *, quick: bool) -> list[Finding]:
    print(f"{name} ...", end="", flush=True, file=sys.stderr)
    started = time.perf_counter()
    neighbours = Neighbours()
    results = BENCHMARKS[name](quick=quick)
    share = round(neighbours.share(), 3)
    print(f" {time.perf_counter() - started:.0f} s, others: {share:.0%}", file=sys.stderr)
    return [Finding(name, share, result.verdict, result) for result in results]


def _print_noise(findings: Sequence[Finding]) -> None:
    for name, share in {each.benchmark: each.others_share for each in findings}.items():
        if share > _NOISY_SHARE:
            print(
                f"{name}: others used {share:.0%} of the machine meanwhile, so that its figures "
                "are worse than on a quiet one",
                file=sys.stderr,
            )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the benchmarks of domgrpc.")
    # Not `choices`: argparse would check the empty list against them.
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--quick", action="store_true", help="shrunk, to see that all runs; proves no figure"
    )
    parser.add_argument("--results", type=Path, default=RESULTS_FILE, help="where the figures go")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    return chosen


def _print_table(findings: Sequence[Finding]) -> None:
    console = Console()
    console.width = max(console.width, _WIDTH_MIN)
    table = Table("what", box=None, header_style="bold", pad_edge=False)
    for heading in ("figure", "must", "aim"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for finding in findings:
        result = finding.result
        limits = (
            "" if limit is None else figure_text(limit, result.unit)
            for limit in (result.must, result.aim)
        )
        table.add_row(
            result.name,
            figure_text(result.value, result.unit),
            *limits,
            finding.verdict,
            style=_STYLES.get(finding.verdict),
        )
        if result.note:
            table.add_row(f"  {result.note}", style="dim")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
