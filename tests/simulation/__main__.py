"""Run the simulator.

    python -m tests.simulation --steps 10000000              seeds one after the other, all cores
    python -m tests.simulation --seed 7 --steps 20000        one seed
    python -m tests.simulation --seed 7 --steps 20000 --trace    the same, told step by step

Exits with 1 where a seed found a violation, after the command that repeats it, and where a figure
misses what it must reach.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence

from tests.simulation.budget import STEPS_PER_SEED, begin_process, run_budget, simulate

STEPS_DEFAULT = 10_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seed that was given, or as many as the steps are for; return the exit status."""
    chosen = _arguments(arguments)
    begin_process()
    if chosen.seed is None:
        first = random.SystemRandom().randrange(10**9) if chosen.first is None else chosen.first
        return run_budget(chosen.steps, first_seed=first, process_count=chosen.processes)
    trace = _tell if chosen.trace else None
    simulation = simulate(chosen.seed, chosen.steps, trace)
    counts = simulation.world.counts
    if not chosen.digest_only:
        told = ", ".join(f"{what} {counts[what]}" for what in sorted(counts))
        sys.stdout.write(f"seed {chosen.seed}: {simulation.world.steps} steps; {told}\n")
    sys.stdout.write(f"{simulation.replayed_digest()}\n")
    return 0


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulates domgrpc under faults.")
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--steps", type=int, help="how many steps, of one seed or of all together")
    parser.add_argument("--trace", action="store_true", help="tell every step of the seed")
    parser.add_argument("--digest-only", action="store_true", help="print the last digest only")
    parser.add_argument(
        "--first", type=int, help="the first of many seeds; without it a random one"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    if chosen.steps is None:
        chosen.steps = STEPS_DEFAULT if chosen.seed is None else STEPS_PER_SEED
    return chosen


if __name__ == "__main__":
    sys.exit(main())
