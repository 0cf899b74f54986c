"""Times solves on one core, by the processor time of the thread."""

import time
from collections.abc import Callable, Sequence

import msgspec

from benchmarks.load_figures import percentile
from domgrpc.core.routing.instance import AnyInstance, Solution
from domgrpc.core.routing.solver import solve

REPEATS = 3
"""Of each order the fastest of so many solves counts: what others do on the core is not ours."""


class Timed(msgspec.Struct, frozen=True):
    """Milliseconds of many orders, and how good their plans are."""

    took_ms: list[float]
    solutions: list[Solution]

    @property
    def p50(self) -> float:
        return percentile(self.took_ms, 50)

    @property
    def p99(self) -> float:
        return percentile(self.took_ms, 99)

    @property
    def mean(self) -> float:
        return sum(self.took_ms) / len(self.took_ms)

    @property
    def proven_share(self) -> float:
        return sum(one.is_proven for one in self.solutions) / len(self.solutions)

    @property
    def gap_max(self) -> float:
        return max(one.gap for one in self.solutions)


class NotSolved(Exception):
    """An order that can be served was refused."""


def time_all(
    instances: Sequence[AnyInstance], *, repeats: int = REPEATS, with_runner_up: bool = True
) -> Timed:
    """Solve each order so many times."""
    took_ms, solutions = [], []
    for instance in instances:
        answer = solve(instance)
        if not isinstance(answer, Solution):
            raise NotSolved(f"{instance} got {answer}")
        solutions.append(answer)

        def once(instance: AnyInstance = instance) -> object:
            return solve(instance, with_runner_up=with_runner_up)

        took_ms.append(fastest_ms(once, repeats))
    return Timed(took_ms, solutions)


def fastest_ms(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the processor time of the fastest of so many calls."""
    best = float("inf")
    for _ in range(repeats):
        started = time.thread_time_ns()
        work()
        best = min(best, time.thread_time_ns() - started)
    return best / 1e6
