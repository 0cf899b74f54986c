"""Run the simulator: `python -m tests.simulation --seed 7 --steps 1000`; without a seed, for ever.

With SIMULATE_SEEDS=20 the tests run twenty seeds instead of a few.
"""

import argparse
import itertools
import logging
import random
import sys

import structlog

from tests.simulation.simulator import Simulation

STEPS_DEFAULT = 1_000


def command_for(seed: int, steps: int) -> str:
    """Return the command that repeats a run."""
    return f"python -m tests.simulation --seed {seed} --steps {steps}"


def simulate(seed: int, steps: int) -> Simulation:
    """Run one seed; where it fails, say how to repeat it."""
    simulation = Simulation(seed)
    try:
        simulation.run(steps)
    except BaseException:
        sys.stderr.write(f"failed; repeat with: {command_for(seed, steps)}\n")
        raise
    return simulation


def main() -> None:
    """Run the seed that was given, or one random seed after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int, default=STEPS_DEFAULT)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    first = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    seeds = itertools.count(first) if options.seed is None else [first]
    for seed in seeds:
        counts = simulate(seed, options.steps).counts
        told = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
        sys.stdout.write(f"seed {seed}: {told}\n")


if __name__ == "__main__":
    main()
