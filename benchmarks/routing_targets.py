"""The times of the solver by size and kind of order."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np

from benchmarks.results import Better, Result
from benchmarks.routing_checker import faults
from benchmarks.routing_instances import Geography, Routed, draw, draw_weights
from benchmarks.routing_timing import Timed, fastest_ms, time_all
from domgrpc.core.routing.explanation import Explanation, explain
from domgrpc.core.routing.instance import AnyInstance, Instance, Solution, Terms
from domgrpc.core.routing.solver import solve

LISTS_CELLS_MAX = 1_000
"""Orders of at most so many lines x locations come as lists, larger ones as arrays."""
EXPLAINED_SIZES = ((2, 50), (3, 200), (5, 2_000), (20, 2_000))


class Scale(msgspec.Struct, frozen=True):
    """How many orders."""

    timed: int
    mixed: int
    judged: int
    compared: int


class Limits(msgspec.Struct, frozen=True):
    """What a kind of order must take at most, in ms; None is only shown."""

    p50: float | None = None
    p99: float | None = None


WHOLE = (
    ((1, 50), Limits()),
    ((2, 50), Limits(p50=0.05)),
    ((3, 200), Limits(0.30, 0.9)),
    ((5, 2_000), Limits(1.0, 3.0)),
    ((20, 200), Limits()),
    ((20, 2_000), Limits(2.5, 8.0)),
)


def targets(geography: Geography, scale: Scale) -> list[Result]:
    """Time each kind of order that has a target."""
    found = []
    for size, limits in WHOLE:
        orders = _orders(geography, scale, size, as_given)
        found += _results(f"{size[0]} lines x {size[1]:,} locations", orders, limits)
    chance = np.random.default_rng(4)
    weighed = _orders(geography, scale, (8, 200), lambda order: _weighed(order, chance))
    found += _results("weight steps, 8 x 200", weighed, Limits(p99=2.0))
    for size, limits in (((5, 50), Limits(p99=3.0)), ((8, 100), Limits(p99=8.0))):
        split = _orders(geography, scale, size, lambda order: _splitting(order, chance))
        found += _results(f"unit splits, {size[0]} x {size[1]}", split, limits)
    return found


def explaining(geography: Geography, scale: Scale) -> list[Result]:
    """Compare the time of the explanation, runner-up included, with that of the bare solve."""
    found = []
    for size in EXPLAINED_SIZES:
        bare = full = explained = 0.0
        orders = _orders(geography, scale, size, as_given)
        for order in orders:
            # In turn, so that what others do on the core meanwhile hits both sides.
            bare += fastest_ms(partial(_planned, order, with_runner_up=False))
            full += fastest_ms(partial(_planned, order, with_runner_up=True))
            explained += fastest_ms(partial(_explained, order))
        share = explained / bare - 1
        count = len(orders)
        found.append(
            Result(
                name=f"explanation of {size[0]} x {size[1]:,}: share of the bare solve",
                value=100 * share,
                unit="%",
                better=Better.LOWER,
                must=20,
                note=f"mean {1_000 * bare / count:.0f} us bare, {1_000 * full / count:.0f} us with "
                f"the runner-up, {1_000 * explained / count:.0f} us with the parts of the cost too",
            )
        )
    return found


def _planned(order: AnyInstance, *, with_runner_up: bool) -> Solution:
    plan = solve(order, with_runner_up=with_runner_up)
    assert isinstance(plan, Solution)
    return plan


def _explained(order: AnyInstance) -> Explanation:
    return explain(order, _planned(order, with_runner_up=True))


def as_given(order: Routed) -> AnyInstance:
    """Return the instance as a caller would build it: small ones of lists."""
    is_small = order.instance.unit_costs.size <= LISTS_CELLS_MAX
    return order.listed() if is_small else order.instance


def _orders(
    geography: Geography,
    scale: Scale,
    size: tuple[int, int],
    shaped: Callable[[Routed], AnyInstance],
) -> list[AnyInstance]:
    chance = np.random.default_rng(size)
    return [shaped(draw(geography, chance, size)) for _ in range(scale.timed)]


def _weighed(order: Routed, chance: np.random.Generator) -> Instance:
    terms = Terms(weight_rates=draw_weights(chance, order, 8))
    return msgspec.structs.replace(order.listed(), terms=terms)


def _splitting(order: Routed, chance: np.random.Generator) -> Instance:
    # Half want three units of a line or more, of which many locations have only some.
    instance = order.instance
    wanted = chance.geometric(0.3, size=len(instance.quantities)).clip(max=12)
    quantities = np.minimum(wanted, instance.available.sum(axis=1)).tolist()
    return msgspec.structs.replace(
        order.listed(), quantities=quantities, terms=Terms(unit_split=True)
    )


def _results(name: str, orders: Sequence[AnyInstance], limits: Limits) -> list[Result]:
    timed = time_all(orders)
    broken = sum(
        bool(faults(order, plan)) for order, plan in zip(orders, timed.solutions, strict=True)
    )
    note = _note(timed) + (f", {broken} PLANS BREAK A RULE" if broken else "")
    shown = (("p50", timed.p50, limits.p50, note), ("p99", timed.p99, limits.p99, ""))
    return [
        Result(
            name=f"{name}: {which}",
            value=value,
            unit="ms",
            better=Better.LOWER,
            must=must,
            note=told,
        )
        for which, value, must, told in shown
    ]


def _note(timed: Timed) -> str:
    splits = sum(len(plan.packages) > 1 for plan in timed.solutions) / len(timed.solutions)
    nodes = max(plan.node_count for plan in timed.solutions)
    return (
        f"{len(timed.solutions)} orders, mean {timed.mean:.3f} ms, {timed.proven_share:.2%} proven "
        f"optimal, largest gap {timed.gap_max:.1%}, {splits:.0%} split, at most {nodes} nodes"
    )
