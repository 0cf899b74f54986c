"""A budget of steps, spent on one seed after the other by several processes, and its table."""

import gc
import logging
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count, islice
from pathlib import Path

import msgspec
import structlog

from tests.faults.table import Row, counting, judged, print_table
from tests.simulation.simulator import Simulation

STEPS_PER_SEED = 20_000
STEPS_PER_SECOND_MUST = 20_000
REPLAYED_SEEDS_STEP = 8
"""Of every so many seeds one is replayed from its first record."""
FAILURES_MAX = 5
"""After so many seeds with a violation the rest of the budget is not worth its time."""
HASH_SEEDS = (0, 1, 2)
SAVED_SEEDS = Path(__file__).parent / "seeds.txt"


class SeedReport(msgspec.Struct, frozen=True):
    """What one seed came to; `failure` is empty where nothing was violated."""

    seed: int
    steps: int
    seconds: float
    counts: dict[str, int]
    failure: str = ""


def command_for(seed: int, steps: int) -> str:
    """Return the command that repeats a run step by step."""
    return f".venv/bin/python -m tests.simulation --seed {seed} --steps {steps} --trace"


def simulate(seed: int, steps: int, trace: Callable[[str], None] | None = None) -> Simulation:
    """Run one seed; where it fails, say how to repeat it."""
    simulation = Simulation(seed, trace)
    try:
        simulation.run(steps)
    except BaseException:
        sys.stderr.write(
            f"seed {seed} failed at step {simulation.world.steps}; repeat it step by step:\n"
            f"    {command_for(seed, steps)}\n"
            f"and keep it: add the line '{seed} {steps}' to tests/simulation/seeds.txt\n"
        )
        raise
    return simulation


def saved_seeds() -> list[tuple[int, int]]:
    """Return the seeds that found something once, with their steps."""
    lines = (line.partition("#")[0].split() for line in SAVED_SEEDS.read_text().splitlines())
    return [(int(words[0]), int(words[1])) for words in lines if words]


def digest_under(hash_seed: int, seed: int, steps: int) -> str:
    """Run a seed in a process with another order of its sets; return the last digest."""
    words = ["--seed", str(seed), "--steps", str(steps), "--digest-only"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.strip() if run.returncode == 0 else f"failed: {run.stderr[-2_000:]}"


def run_budget(steps: int, *, first_seed: int, process_count: int) -> int:
    """Spend a budget of steps; print the table and return 1 where something was violated."""
    sys.stdout.write(f"seeds from {first_seed} on, {process_count} processes\n")
    started = time.perf_counter()
    seed_count = max(1, -(-steps // STEPS_PER_SEED))
    reports: list[SeedReport] = []
    with counting("steps", steps) as counter:
        for report in _reports(islice(count(first_seed), seed_count), process_count):
            reports.append(report)
            counter.add(report.steps)
            _tell_now_and_then(reports, steps, time.perf_counter() - started)
            if report.failure:
                sys.stderr.write(f"{report.failure}\n")
            if sum(bool(each.failure) for each in reports) >= FAILURES_MAX:
                break
    digests = {digest_under(each, first_seed, STEPS_PER_SEED) for each in HASH_SEEDS}
    print_table(_rows(reports, time.perf_counter() - started, process_count, len(digests)))
    failed = [report for report in reports if report.failure]
    for report in failed:
        sys.stderr.write(f"violated; repeat it step by step:\n    {_repeat(report)}\n")
    return 1 if failed or len(digests) > 1 or _speed(reports) < STEPS_PER_SECOND_MUST else 0


def _tell_now_and_then(reports: list[SeedReport], steps: int, seconds: float) -> None:
    if len(reports) % 25 == 0 and not sys.stderr.isatty():
        done = sum(report.steps for report in reports)
        sys.stderr.write(f"{done:,} of {steps:,} steps in {seconds:.0f} s\n")


def _repeat(report: SeedReport) -> str:
    return command_for(report.seed, STEPS_PER_SEED)


def _reports(seeds: Iterator[int], process_count: int) -> Iterator[SeedReport]:
    with ProcessPoolExecutor(process_count, initializer=begin_process) as pool:
        running: set[Future[SeedReport]] = set()
        for seed in seeds:
            running.add(pool.submit(run_seed, seed))
            if len(running) >= 2 * process_count:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        for each in running:
            yield each.result()


def begin_process() -> None:
    """Log what is critical only, and keep the cyclic collector off what lives as long as a seed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # Nothing that is dropped all the time is a cycle; the world of a seed is one, when it is over.
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)


def run_seed(seed: int, steps: int = STEPS_PER_SEED) -> SeedReport:
    """Run one seed to its end or its first violation."""
    started = time.process_time()
    # Without this the worlds of all seeds before would stay: they outlive the young generations.
    gc.collect()
    simulation = Simulation(seed)
    failure = ""
    try:
        simulation.run(steps)
        if seed % REPLAYED_SEEDS_STEP == 0:
            simulation.replayed_digest()
    except Exception:  # noqa: BLE001 - whatever a violation raises, the other seeds go on
        failure = f"seed {seed}, step {simulation.world.steps}:\n{traceback.format_exc(limit=-8)}"
    return SeedReport(
        seed,
        simulation.world.steps,
        time.process_time() - started,
        {str(what): number for what, number in simulation.world.counts.items()},
        failure,
    )


def _speed(reports: list[SeedReport]) -> float:
    return sum(report.steps for report in reports) / sum(report.seconds for report in reports)


def _rows(
    reports: list[SeedReport], seconds: float, process_count: int, digest_count: int
) -> list[Row]:
    steps = sum(report.steps for report in reports)
    failed = sum(bool(report.failure) for report in reports)
    speed = _speed(reports)

    def total(what: str) -> int:
        return sum(report.counts.get(what, 0) for report in reports)

    return [
        judged(
            "violations",
            must="0",
            figure=f"{failed} in {steps:,} steps",
            holds=not failed,
            note=f"{len(reports)} seeds, {seconds:.0f} s on {process_count} processes; "
            f"{total('lives'):,} lives, {total('power cuts'):,} power cuts, "
            f"{total('kills'):,} kills, {total('garbled sectors'):,} sectors garbled, of which "
            f"{total('garbage refused'):,} stopped the start; {total('full disks'):,} full disks, "
            f"{total('clock jumps'):,} clock jumps, {total('digests compared'):,} digests compared",
        ),
        judged(
            "steps a second a core",
            must=f"{STEPS_PER_SECOND_MUST:,}",
            figure=f"{speed:,.0f}",
            holds=speed >= STEPS_PER_SECOND_MUST,
            note=f"of processor time; {steps / seconds:,.0f} a second of the clock, all together",
        ),
        judged(
            "digests under three hash seeds",
            must="1 digest",
            figure=f"{digest_count} digest" + "s" * (digest_count != 1),
            holds=digest_count == 1,
        ),
    ]
