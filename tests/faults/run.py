"""Runs the faults, prints one table, and fails where a must is missed.

    python -m tests.faults.run [--scale SHARE] [NAME ...]

Names are those of FAULTS below; without any all are run. A scale below 1 shrinks every count, to
see that all runs; it proves no must.
"""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from tests.faults import disk_space, duplicates, kills, one_unit, power_cuts, slow_disk
from tests.faults.bit_flips import bit_flips
from tests.faults.crash_images import crash_images
from tests.faults.system_calls import system_calls
from tests.faults.table import Row, Verdict, judged, print_table
from tests.faults.traced_calls import traced_calls
from tests.hostile.abused_server import http2_rows
from tests.hostile.fuzz import fuzz_rows

FAULTS: Mapping[str, Callable[[float], list[Row]]] = {
    "crash_images": crash_images,
    "bit_flips": bit_flips,
    "system_calls": system_calls,
    "traced_calls": traced_calls,
    "kills": kills.run,
    "power_cuts": power_cuts.run,
    "disk_space": disk_space.run,
    "slow_disk": slow_disk.run,
    "duplicates": duplicates.run,
    "one_unit": one_unit.run,
    "fuzz": fuzz_rows,
    "http2": http2_rows,
}
"""By name: takes the scale, returns the rows of the table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments name; the exit status is 1 where a must is missed."""
    chosen = _arguments(arguments)
    rows: list[Row] = []
    try:
        for name in chosen.names or FAULTS:
            rows.extend(_run_one(name, chosen.scale))
    finally:
        print_table(rows)
    missed = [row.what for row in rows if row.verdict is Verdict.MISSED]
    for what in missed:
        sys.stderr.write(f"missed what it must reach: {what}\n")
    return 1 if missed else 0


def _run_one(name: str, scale: float) -> list[Row]:
    sys.stderr.write(f"{name} ...\n")
    started = time.perf_counter()
    try:
        rows = FAULTS[name](scale)
    except Exception as fault:  # noqa: BLE001 - the others are worth an hour, and run anyway
        traceback.print_exc()
        told = f"{type(fault).__name__}: {fault}"
        rows = [judged(name, must="a run to its end", figure="broke", holds=False, note=told)]
    sys.stderr.write(f"{name}: {time.perf_counter() - started:.0f} s\n")
    return rows


def _end_in_order(_number: int, _frame: object) -> None:
    # As an exception, so that servers are ended and file systems taken off on the way.
    sys.exit(128 + signal.SIGTERM)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the real faults of domgrpc.")
    # Not `choices`: argparse would check the empty list against them.
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FAULTS))
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of every count; below 1 proves no must"
    )
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        if name not in FAULTS:
            parser.error(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    return chosen


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_in_order)
    sys.exit(main())
