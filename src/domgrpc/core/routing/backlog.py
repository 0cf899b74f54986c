"""The open backlog, planned as a whole: where every order is best sent from, with a proof.

One order after the other takes the stock that the next one needs more. Here all of them are
planned together, in five stages, each in a module of its own:

1. `backlog_parts`, `backlog_batches`: the numbers made ready, orders in batches that are solved
   together, exactly, by a subset programme (`backlog_subsets`);
2. `backlog_first_come`: a plan to begin with, first come, first served, or all as it is;
3. `backlog_prices`: prices for scarce stock, which steer orders to where others need it less, and
   a lower bound that no plan is below; less tight for orders of several parts (`backlog_shares`);
4. `backlog_regret`: a plan at these prices, those first who would regret most to be left out;
5. `backlog_trades`, `backlog_trials`: passes, trades and returns, until nothing is gained.

At last `backlog_proposal` takes back changes that are not worth it. The answer is never worse than
first come, first served, nor than all as it is where that can be. It depends on nothing but the
numbers: the same backlog has the same answer.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_batches import Pool
from domgrpc.core.routing.backlog_data import (
    PASS_COUNT_DEFAULT,
    Backlog,
    BacklogPlan,
    Numbers,
    Progress,
    Stage,
)
from domgrpc.core.routing.backlog_first_come import keep_present, serve_in_turn
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_parts import Parts, prepare
from domgrpc.core.routing.backlog_prices import Bound, raise_bound
from domgrpc.core.routing.backlog_proposal import propose
from domgrpc.core.routing.backlog_regret import Filling
from domgrpc.core.routing.backlog_trades import Improver

_PROOF_PASSES_MAX = 10


def solve_backlog(
    backlog: Backlog,
    *,
    pass_count: int = PASS_COUNT_DEFAULT,
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[Progress], None] = lambda _: None,
) -> BacklogPlan:
    """Plan the backlog, which `check_backlog` finds nothing wrong with.

    `pass_count` price passes are made at most. `should_stop` is asked after the plan to begin with
    and after every pass and round, some 0.1 s apart for 10,000 orders; the best plan until then is
    the answer. `report` is called as often. O(passes x lines x locations), times 2^lines of a part.
    """
    parts = prepare(backlog)
    run = _Run(Pool(parts), should_stop, report)
    is_complete = run.finish(pass_count)
    proposal = propose(parts, run.ledger.locations)
    changed = proposal.changed_orders
    return BacklogPlan(
        locations=proposal.locations,
        cost=proposal.cost,
        stability_cost=backlog.stability_cost * int(parts.keepable[changed].sum()),
        lower_bound=run.lower_bound,
        changed_orders=changed,
        savings=proposal.savings,
        groups=proposal.groups,
        prices=_spread(parts, run.bound.prices),
        pass_count=run.bound.pass_count,
        is_complete=is_complete,
    )


def bound_without_stability(
    backlog: Backlog, plan: BacklogPlan, *, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Return a lower bound, in micros, on what plans cost without what changing costs.

    A plan's own bound counts that in. Begins with the prices of a plan, which may be of a backlog
    that allows less, and asks `should_stop` after each of a few passes.
    """
    free = msgspec.structs.replace(backlog, stability_cost=0, prices=plan.prices)
    parts = prepare(free)
    best = Bound(0, np.zeros_like(parts.capacity), 0)

    def keeps_going(bound: Bound) -> bool:
        nonlocal best
        best = bound
        return not should_stop()

    raise_bound(Pool(parts), _first_prices(parts), _PROOF_PASSES_MAX, keeps_going)
    return best.value * parts.scale + parts.unavoidable_cost


class _Run:
    """One run: the best plan and the best bound so far."""

    __slots__ = ("_best", "_home", "_parts", "_pool", "_report", "_should_stop", "bound", "ledger")

    def __init__(
        self,
        pool: Pool,
        should_stop: Callable[[], bool],
        report: Callable[[Progress], None],
    ) -> None:
        """Begin with the better of two plans: first come, first served, and all as it is."""
        self._pool = pool
        self._parts = pool.parts
        self._should_stop = should_stop
        self._report = report
        self.bound = Bound(0, np.zeros_like(pool.parts.capacity), 0)
        self.ledger = Ledger(pool.parts)
        serve_in_turn(pool, self.ledger, pool.parts.open_parts.tolist())
        self._best = self.ledger.plan_cost()
        if pool.parts.keepable.any():
            kept = Ledger(pool.parts)
            serve_in_turn(pool, kept, keep_present(pool, kept))
            self._take_better(kept)
        self._home = self.ledger.locations.copy()

    def finish(self, pass_count: int) -> bool:
        """Go through the other stages, and say whether they were not ended before their time."""
        return self._goes_on(Stage.FIRST_COME, 1) and self._find_prices(pass_count) and self._fill()

    @property
    def lower_bound(self) -> int:
        """The bound in micros."""
        return self.bound.value * self._parts.scale + self._parts.unavoidable_cost

    def _find_prices(self, pass_count: int) -> bool:
        def keeps_going(bound: Bound) -> bool:
            self.bound = bound
            return self._goes_on(Stage.PRICES, bound.pass_count)

        prices = _first_prices(self._parts)
        return raise_bound(self._pool, prices, pass_count, keeps_going)

    def _fill(self) -> bool:
        """Fill a plan at the prices and improve it, and where that is not better the first plan."""
        filled = Ledger(self._parts)
        filling = Filling(self._pool, filled, self.bound.prices)
        if not filling.run(lambda rounds: self._goes_on(Stage.FILL, rounds)):
            return False
        first_cost = self._best
        is_improved = self._improve(filled)
        self._take_better(filled)
        return is_improved and (self._best < first_cost or self._improve(self.ledger))

    def _improve(self, ledger: Ledger) -> bool:
        def keeps_going(rounds: int) -> bool:
            self._best = min(self._best, ledger.plan_cost())
            return self._goes_on(Stage.IMPROVE, rounds)

        return Improver(self._pool, ledger, self._home).run(keeps_going)

    def _take_better(self, ledger: Ledger) -> None:
        cost = ledger.plan_cost()
        if cost < self.ledger.plan_cost():
            self.ledger, self._best = ledger, cost

    def _goes_on(self, stage: Stage, round_count: int) -> bool:
        self._report(Progress(stage, round_count, self.lower_bound, self._best))
        return not self._should_stop()


def _first_prices(parts: Parts) -> Numbers:
    """Return the prices of the earlier answer, as far as they still make sense."""
    if parts.backlog.prices is None:
        return np.zeros_like(parts.capacity)
    prices = parts.backlog.prices.reshape(-1)[parts.places] // parts.scale
    return np.clip(prices, 0, parts.price_max)


def _spread(parts: Parts, prices: Numbers) -> Numbers:
    """Return prices by SKU and location, in micros."""
    spread = np.zeros(parts.backlog.stock.size, np.int64)
    spread[parts.places] = prices * parts.scale
    return spread.reshape(parts.backlog.stock.shape)
