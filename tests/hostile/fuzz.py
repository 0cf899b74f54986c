"""The fuzzer: hostile calls to every handler, and starts on forged folders, by the million.

    python -m tests.hostile.fuzz [--executions N] [--seed S] [--processes P] [--life L]

Executions are grouped into lives (call_lives.py, file_lives.py), each with its own engine, so that
one life can be repeated alone: what is found names it. Prints a table and exits 1 where anything
was found.
"""

import argparse
import gc
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import msgspec

from tests.faults.table import Row, Verdict, counting, judged, print_table
from tests.hostile.call_lives import CALLS_PER_LIFE, CallLife, Found, Tally
from tests.hostile.file_lives import STARTS_PER_LIFE, FileLife, quiet

EXECUTIONS = 1_000_000
START_EVERY = 5
"""Every so manyth life is one of starts on forged folders, a tenth as long: 2 % of executions."""
SHOWN_MAX = 12
SHOWN_CHARACTERS_MAX = 1_000
_NICENESS = 10
_SAID_EVERY = 50_000


class Plan(msgspec.Struct, frozen=True):
    """How much is executed, and how."""

    executions: int = EXECUTIONS
    seed: int = 1
    processes: int = 1
    only_life: int | None = None


class Fuzzed(msgspec.Struct):
    """What a run saw, with calls and starts apart."""

    calls: Tally = msgspec.field(default_factory=Tally)
    starts: Tally = msgspec.field(default_factory=Tally)
    seconds: float = 0.0
    memory_mib: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; the exit status is 1 where anything was found."""
    plan = _plan(arguments)
    fuzzed = fuzz(plan)
    rows = rows_of(fuzzed, plan.executions if plan.only_life is None else 0)
    print_table(rows)
    for tally in (fuzzed.calls, fuzzed.starts):
        for found in distinct(tally.found)[:SHOWN_MAX]:
            what, case = found.what[:SHOWN_CHARACTERS_MAX], found.case[:SHOWN_CHARACTERS_MAX]
            sys.stdout.write(f"\nlife {found.life}: {what}\n  {case}\n")
            sys.stdout.write(
                f"  again: python -m tests.hostile.fuzz --seed {plan.seed} --life {found.life}\n"
            )
    return 1 if any(row.verdict is Verdict.MISSED for row in rows) else 0


def fuzz(plan: Plan) -> Fuzzed:
    """Execute a plan in processes of its own."""
    started = time.perf_counter()
    fuzzed = Fuzzed()
    with (
        counting("fuzz", plan.executions) as counter,
        ProcessPoolExecutor(plan.processes, initializer=_be_modest) as pool,
    ):
        waiting = {pool.submit(live, plan.seed, *life): life for life in _lives(plan)}
        for done in as_completed(waiting):
            number, executions, is_start = waiting[done]
            try:
                tally, memory_mib = done.result()
            except BrokenProcessPool as death:
                tally, memory_mib = Tally(), 0
                tally.found.append(Found(number, f"the process died: {death}", "a whole life"))
            _merge(fuzzed.starts if is_start else fuzzed.calls, tally)
            fuzzed.memory_mib = max(fuzzed.memory_mib, memory_mib)
            counter.add(executions)
            _say(fuzzed, plan)
    fuzzed.seconds = time.perf_counter() - started
    return fuzzed


def live(
    seed: int,
    life: int,
    executions: int,
    is_start: bool,  # noqa: FBT001
) -> tuple[Tally, int]:
    """Live one life; return what it saw, and the most memory the process ever had, in MiB."""
    quiet()
    tally = Tally()
    if is_start:
        FileLife(seed, life, tally).live(executions)
    else:
        CallLife(seed, life, tally).live(executions)
    # Servers that were dropped are cycles with megabytes of disk in them.
    gc.collect()
    return tally, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def rows_of(fuzzed: Fuzzed, must: int = EXECUTIONS) -> list[Row]:
    """Return the rows of the table."""
    calls, starts = fuzzed.calls, fuzzed.starts
    executions = calls.executions + starts.executions
    kinds = Counter(calls.ends)
    note = f"{len(kinds)} kinds of ends; most often " + ", ".join(
        f"{end} {count:,}" for end, count in kinds.most_common(5)
    )
    ends = ", ".join(f"{end} {count:,}" for end, count in starts.ends.most_common())
    return [
        judged(
            "fuzzed executions",
            must=f"{must:,}",
            figure=f"{executions:,}",
            holds=executions >= must,
            note=f"{executions / max(fuzzed.seconds, 1e-9):,.0f} a second, at most "
            f"{fuzzed.memory_mib} MiB in a process",
        ),
        judged(
            f"hostile calls that broke a rule, of {calls.executions:,}",
            must="0",
            figure=f"{len(calls.found):,}",
            holds=not calls.found,
            note=note,
        ),
        judged(
            f"starts on forged folders that crashed, of {starts.executions:,}",
            must="0",
            figure=f"{len(starts.found):,}",
            holds=not starts.found,
            note=ends,
        ),
    ]


def fuzz_rows(scale: float) -> list[Row]:
    """Return the rows of a run at a scale, for the table of all faults."""
    executions = max(round(EXECUTIONS * scale), CALLS_PER_LIFE)
    fuzzed = fuzz(Plan(executions=executions, processes=os.cpu_count() or 1))
    return rows_of(fuzzed, executions)


def distinct(found: Sequence[Found]) -> list[Found]:
    """Return one of each kind of finding."""
    first: dict[str, Found] = {}
    for each in found:
        first.setdefault(each.what[:60], each)
    return list(first.values())


def _lives(plan: Plan) -> Iterator[tuple[int, int, bool]]:
    """Iterate the lives of a plan: number, executions, and whether it starts servers."""
    left = plan.executions
    number = 0
    while left > 0:
        is_start = number % START_EVERY == START_EVERY - 1
        executions = min(left, STARTS_PER_LIFE if is_start else CALLS_PER_LIFE)
        left -= executions
        if plan.only_life in (None, number):
            yield number, executions, is_start
        number += 1


def _say(fuzzed: Fuzzed, plan: Plan) -> None:
    """Say now and then how far it is, for who reads it in a file."""
    done = fuzzed.calls.executions + fuzzed.starts.executions
    if done % _SAID_EVERY < CALLS_PER_LIFE:
        found = len(fuzzed.calls.found) + len(fuzzed.starts.found)
        sys.stderr.write(f"{done:,} of {plan.executions:,} executions, {found:,} findings\n")


def _merge(into: Tally, tally: Tally) -> None:
    into.executions += tally.executions
    into.ends.update(tally.ends)
    into.found.extend(tally.found)


def _be_modest() -> None:
    os.nice(max(0, _NICENESS - os.nice(0)))


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(description="Fuzzes the handlers and the readers of files.")
    parser.add_argument("--executions", type=int, default=EXECUTIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--life", type=int, help="only this one")
    chosen = parser.parse_args(arguments)
    return Plan(chosen.executions, chosen.seed, chosen.processes, chosen.life)


if __name__ == "__main__":
    sys.exit(main())
