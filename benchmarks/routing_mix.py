"""Orders of all sizes: are all proven, do they keep the rules, does HiGHS find the same cost?"""

from collections.abc import Sequence

import numpy as np

from benchmarks.results import Better, Result
from benchmarks.routing_checker import faults
from benchmarks.routing_instances import Geography, Routed, draw, draw_size
from benchmarks.routing_judge import MICROS, judge, question
from benchmarks.routing_targets import Scale, as_given
from benchmarks.routing_timing import Timed, time_all
from domgrpc.core.routing.instance import Solution
from domgrpc.core.routing.strategies import Attributes, Strategy, follow

_SEED = 20
_BATCH = 500
_TOLERANCE = 1e-6
_METRES_PER_MILE = 1_609.344


def mixed(geography: Geography, scale: Scale) -> list[Result]:
    """Solve the mix; judge and compare samples of it."""
    chance = np.random.default_rng(_SEED)
    timed = Timed([], [])
    broken = 0
    sample: list[Routed] = []
    plans: list[Solution] = []
    for first in range(0, scale.mixed, _BATCH):
        count = min(_BATCH, scale.mixed - first)
        orders = [draw(geography, chance, draw_size(chance)) for _ in range(count)]
        given = [as_given(order) for order in orders]
        found = time_all(given, repeats=1)
        broken += sum(
            bool(faults(order, plan)) for order, plan in zip(given, found.solutions, strict=True)
        )
        timed.took_ms.extend(found.took_ms)
        timed.solutions.extend(found.solutions)
        # An even part of each batch.
        step = max(1, scale.mixed // scale.compared)
        sample += orders[::step]
        plans += found.solutions[::step]
    judged = scale.judged * len(sample) // max(scale.judged, scale.compared)
    step = max(1, len(sample) // judged)
    return [
        _share("proven optimal", timed, 100 * timed.proven_share),
        _count("plans that break a rule", broken, f"{len(timed.solutions)} checked independently"),
        _judged(sample[::step], plans[::step]),
        *_compared(sample, plans),
    ]


def _share(what: str, timed: Timed, value: float) -> Result:
    return Result(
        name=f"orders of 1 to 20 lines x 5 to 2,000 locations: {what}",
        value=value,
        unit="%",
        better=Better.HIGHER,
        must=100,
        note=f"{len(timed.solutions)} orders, p50 {timed.p50:.3f} ms, p99 {timed.p99:.2f} ms, "
        f"mean {timed.mean:.3f} ms, largest gap {timed.gap_max:.1%}",
    )


def _count(what: str, value: int, note: str) -> Result:
    return Result(name=what, value=value, unit="", better=Better.LOWER, must=0, note=note)


def _judged(orders: Sequence[Routed], plans: Sequence[Solution]) -> Result:
    answers = judge([question(order.instance) for order in orders])
    differences = [
        abs(answer - plan.cost / MICROS) for answer, plan in zip(answers, plans, strict=True)
    ]
    return _count(
        "plans whose cost is not that of HiGHS",
        sum(difference > _TOLERANCE for difference in differences),
        f"{len(plans)} orders, largest difference {max(differences):.1e} of {_TOLERANCE:g}",
    )


def _compared(orders: Sequence[Routed], plans: Sequence[Solution]) -> list[Result]:
    found = []
    for strategy in Strategy:
        if strategy is Strategy.CHEAPEST:
            continue
        gaps, cost, least = [], 0, 0
        for order, plan in zip(orders, plans, strict=True):
            answer = follow(order.instance, strategy, _attributes(order))
            assert isinstance(answer, Solution)
            gaps.append(answer.cost / plan.cost - 1)
            cost, least = cost + answer.cost, least + plan.cost
        found.append(
            Result(
                name=f"{strategy.name.lower().replace('_', ' ')}: dearer than the best plans by",
                value=100 * (cost / least - 1),
                unit="%",
                better=Better.LOWER,
                note=f"{len(gaps)} orders, half by {100 * float(np.median(gaps)):.0f} % or less, "
                f"p99 {100 * float(np.percentile(gaps, 99)):.0f} %, "
                f"{sum(gap == 0 for gap in gaps) / len(gaps):.0%} as cheap",
            )
        )
    return found


def _attributes(order: Routed) -> Attributes:
    return Attributes(
        priorities=order.priorities.tolist(),
        distances_m=(order.miles * _METRES_PER_MILE).astype(int).tolist(),
        delivery_times_ms=order.delivery_days.tolist(),
    )
