"""The open backlog planned as a whole: how long it takes, what it saves, and how much is proven.

10,000 orders at 50 real stores share scarce stock (backlog_instances.py says how scarce). The plan
is compared with serving the same orders in turn, each exactly (backlog_rivals.py), and with nearest
first; an independent judge counts the plan again, looks for broken rules, and proves the bound
again from the prices. Then for information: stock that is plentiful, 300 locations, and the
planned backlog again after a location went out, where every change must save its stability price.
"""

import time

import msgspec
import numpy as np

from benchmarks.backlog_instances import Drawn, Setting, draw_backlog
from benchmarks.backlog_rivals import (
    faults,
    plan_cost,
    proven_bound,
    serve_exactly,
    serve_nearest,
)
from benchmarks.load_figures import median
from benchmarks.results import Better, Result, skipped
from benchmarks.retail_invoices import DATA_FOLDER, STORES_FILE
from benchmarks.routing_instances import MICROS, PLACES_FILE, read_geography
from domgrpc.core.routing.backlog import solve_backlog
from domgrpc.core.routing.backlog_data import (
    NOWHERE,
    PASS_COUNT_DEFAULT,
    Backlog,
    BacklogPlan,
    Numbers,
    check_backlog,
)

ROUNDS = 3
STABILITY_MICROS = 2 * MICROS
OUT_LOCATION = 3
_PLENTY_PER_CENT = 300
_MANY_LOCATIONS = 300
_REPLANNING_PASSES = 20
_QUICK_SIZE = {"order_count": 500, "sku_count": 100}

SECONDS = Result(
    name="backlog, 10,000 orders x 50 locations: time to plan",
    value=None,
    unit="s",
    better=Better.LOWER,
    must=30,
    aim=10,
)
FIRST_COME_SAVING = Result(
    name="backlog: saved against first come, first served, each order exactly",
    value=None,
    unit="%",
    better=Better.HIGHER,
    must=8,
    aim=9,
)
GAP = Result(
    name="backlog: gap between the plan and the proven bound",
    value=None,
    unit="%",
    better=Better.LOWER,
    must=4,
    aim=2.5,
)
FAULTS = Result(
    name="backlog: broken rules and wrong figures, by an independent judge",
    value=None,
    unit="",
    better=Better.LOWER,
    must=0,
    aim=0,
)


class AnswersDiffer(Exception):
    """The same backlog was planned twice, and not alike."""


class Measured(msgspec.Struct, frozen=True, eq=False):
    """A plan and the seconds that it took, each the median of the rounds."""

    plan: BacklogPlan
    seconds: float
    processor_seconds: float


def run(*, quick: bool) -> list[Result]:
    """Plan, compare, judge, and vary."""
    for name in (PLACES_FILE, STORES_FILE):
        if not (DATA_FOLDER / name).exists():
            reason = f"{name} is not in {DATA_FOLDER}"
            return [skipped(each, reason) for each in (SECONDS, FIRST_COME_SAVING, GAP, FAULTS)]
    geography = read_geography()
    setting = msgspec.structs.replace(Setting(), **(_QUICK_SIZE if quick else {}))
    drawn = draw_backlog(geography, setting)
    measured = _measure(drawn.backlog, rounds=1 if quick else ROUNDS)
    plenty = msgspec.structs.replace(setting, stock_per_cent=_PLENTY_PER_CENT)
    many = msgspec.structs.replace(setting, location_count=_MANY_LOCATIONS)
    return [
        *_compare(drawn, measured),
        _judge(drawn.backlog, measured.plan),
        *_vary(draw_backlog(geography, plenty), f"stock {_PLENTY_PER_CENT} % of demand"),
        *_vary(draw_backlog(geography, many), f"{_MANY_LOCATIONS} locations"),
        *_replan(drawn.backlog, measured.plan),
    ]


def _measure(
    backlog: Backlog, *, rounds: int = 1, pass_count: int = PASS_COUNT_DEFAULT
) -> Measured:
    check_backlog(backlog)
    took, used, plans = [], [], []
    for _ in range(rounds):
        started, started_using = time.perf_counter(), time.process_time()
        plans.append(solve_backlog(backlog, pass_count=pass_count))
        took.append(time.perf_counter() - started)
        used.append(time.process_time() - started_using)
    if any((plan.locations != plans[0].locations).any() for plan in plans):
        raise AnswersDiffer("the same backlog was planned in two ways")
    return Measured(plans[0], median(took), median(used))


def _compare(drawn: Drawn, measured: Measured) -> list[Result]:
    backlog, plan = drawn.backlog, measured.plan
    in_turn = serve_exactly(backlog)
    nearest = serve_nearest(backlog, drawn.miles)
    first_come = plan_cost(backlog, in_turn)
    return [
        _with(SECONDS, measured.seconds, _time_note(measured)),
        _with(
            FIRST_COME_SAVING,
            _saved_per_cent(plan.cost, first_come),
            f"{plan.cost / MICROS:,.0f} instead of {first_come / MICROS:,.0f}; lines not sent: "
            f"{_unsent(plan.locations)} instead of {_unsent(in_turn)}, of {len(in_turn)}",
        ),
        _with(GAP, plan.gap * 100, f"no plan costs less than {plan.lower_bound / MICROS:,.0f}"),
        Result(
            name="backlog: saved against nearest first",
            value=_saved_per_cent(plan.cost, plan_cost(backlog, nearest)),
            unit="%",
            better=Better.HIGHER,
            note=f"each line in turn from the nearest that has it; not sent: {_unsent(nearest)}",
        ),
    ]


def _judge(backlog: Backlog, plan: BacklogPlan) -> Result:
    broken = faults(backlog, plan.locations)
    cost = plan_cost(backlog, plan.locations)
    if cost != plan.cost:
        broken.append(f"the plan costs {cost}, not {plan.cost}")
    bound = proven_bound(backlog, plan.prices)
    if plan.lower_bound > bound:
        broken.append(f"the prices prove {bound}, not {plan.lower_bound}")
    note = f"units counted, the cost and the bound from the prices computed again; {broken[:3]}"
    return _with(FAULTS, float(len(broken)), note)


def _vary(drawn: Drawn, case: str) -> list[Result]:
    """Show the figures of another kind of backlog."""
    measured = _measure(drawn.backlog)
    first_come = plan_cost(drawn.backlog, serve_exactly(drawn.backlog))
    plan = measured.plan
    return [
        _shown(f"{case}: time to plan", measured.seconds, "s", _time_note(measured)),
        Result(
            name=f"backlog, {case}: saved against first come",
            value=_saved_per_cent(plan.cost, first_come),
            unit="%",
            better=Better.HIGHER,
            note=f"gap {plan.gap:.2%}, lines not sent: {_unsent(plan.locations)}",
        ),
    ]


def _replan(backlog: Backlog, plan: BacklogPlan) -> list[Result]:
    """Show what an outage makes of the plan, with the prices of before."""
    allowed = backlog.allowed.copy()
    allowed[:, OUT_LOCATION] = False
    hit = backlog.line_orders[plan.locations == OUT_LOCATION]
    again = _measure(
        msgspec.structs.replace(
            backlog,
            allowed=allowed,
            present=plan.locations,
            planned=np.ones(backlog.order_count, np.bool_),
            stability_cost=STABILITY_MICROS,
            prices=plan.prices,
        ),
        pass_count=_REPLANNING_PASSES,
    )
    changed = len(again.plan.changed_orders)
    note = (
        f"stability price {STABILITY_MICROS / MICROS:.2f}; {changed} orders change, "
        f"{len(np.unique(hit))} of them had to; gap {again.plan.gap:.2%}; {_time_note(again)}"
    )
    return [_shown("a location went out: time to plan again", again.seconds, "s", note)]


def _saved_per_cent(cost: int, other: int) -> float:
    return (1 - cost / other) * 100


def _unsent(locations: Numbers) -> int:
    return int((locations == NOWHERE).sum())


def _time_note(measured: Measured) -> str:
    passes = measured.plan.pass_count
    return f"{measured.processor_seconds:.1f} s of the processor; {passes} price passes"


def _with(result: Result, value: float, note: str) -> Result:
    return msgspec.structs.replace(result, value=value, note=note)


def _shown(case: str, value: float, unit: str, note: str) -> Result:
    return Result(name=f"backlog, {case}", value=value, unit=unit, better=Better.LOWER, note=note)
