"""Whole lots with many candidates, as numpy arrays of lots x candidates.

As with few, most orders end in the first step, for which one pass over the arrays suffices. Five
lots or less are a dynamic programme over their subsets. Else the field is narrowed to the
candidates that can be in a plan as good as the best known.

First prices come from rarity: what few have is what packages are opened for. They say who is
promising, among whom a plan is found greedily. Then all plans of two packages are settled, of
three, and so on, through bit sets (`few_packages.py`), until no more packages can be afforded:
first among the most promising, for a better plan, then of all whom the bound that the prices prove
does not leave out. The more packages a plan has at least, the higher that bound. Where these plans
are too many, prices are improved, and what is left in the end is searched by batches.
"""

import numpy as np

from domgrpc.core.routing.batches import Limits
from domgrpc.core.routing.few_cells import route_few
from domgrpc.core.routing.few_packages import plans_of
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.greedy import greedy_plan
from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices
from domgrpc.core.routing.search import SCALE, Search
from domgrpc.core.routing.subsets import route_by_subsets, suits_subsets
from domgrpc.core.routing.turns import Field, searched

CELLS_FEW = 500
_PAIR = 2
_TRIPLE = 3
_CORE = 64
"""So many candidates are the most promising."""
_PROMISING = 192
_SAMPLED = 256
_RARITY_BITS = 10
_PRICE_STEPS = 12
_STEPS_SOON = 600
_STEPS_MAX = 2_000
"""What all plans of so many packages may take, before and after there are good prices."""
_LOTS = 20
"""Of more lots a step takes longer."""
_PACKAGES_MAX = 6
"""Plans of more are too many."""
_ROUNDS_MAX = 5
_SEARCHED = 300
_SMALL = 60
_STALLED = 800
_CLOSE = 32
_FEW = 40
_NODES_FEW = 400


def route_many(
    costs: Numbers, package_costs: Numbers, count_max: int, node_count_max: int
) -> Found | None:
    """Return the best plan of the lots, None where there is none of so few packages."""
    if costs.size <= CELLS_FEW:
        return route_few(costs.tolist(), package_costs.tolist(), count_max, node_count_max)
    totals = costs.sum(axis=0)
    totals += package_costs
    best = int(totals.argmin())
    single = int(totals[best])
    cheapest = costs.min(axis=1)
    if int(cheapest.max()) >= NEVER:
        return None
    floor = int(cheapest.sum()) + int(np.partition(package_costs, 1)[:_PAIR].sum())
    if single <= floor or len(costs) == 1 or count_max == 1:
        found = Found((best,), single, single, 0) if single < NEVER else None
    else:
        field = _Field(costs, package_costs, cheapest, count_max)
        if single < NEVER:
            field.offer((best,), single)
        found = _narrowed(field, node_count_max)
    if found is None or len(found.chosen) != 1:
        return found
    totals[found.chosen[0]] = NEVER
    second = int(totals.argmin())
    next_one = (int(totals[second]), second)
    return Found(found.chosen, found.cost, found.lower_bound, found.node_count, next_one)


def _narrowed(field: "_Field", node_count_max: int) -> Found | None:
    # The best plan of one package is offered already.
    field.keep(np.flatnonzero(field.package_costs <= field.room()))
    if int(field.costs.min(axis=1, initial=NEVER).max()) >= NEVER:
        # Two packages cannot be as good: some lot is only where they would be too dear.
        return field.found()
    if suits_subsets(*field.costs.shape):
        return field.found_by_subsets()
    field.start()
    field.narrow()
    return field.searched(node_count_max)


class _Field:
    """The candidates that can still be in the best plan, and the best plan known."""

    def __init__(
        self, costs: Numbers, package_costs: Numbers, cheapest: Numbers, count_max: int
    ) -> None:
        self.names = np.arange(len(package_costs))
        self.costs = costs
        self.package_costs = package_costs
        self.count_max = min(count_max or len(costs), len(costs))
        self.count_min = _PAIR
        """Plans with fewer packages are settled."""
        self.plan: tuple[int, ...] = ()
        self.upper = NEVER
        self.prices = cheapest
        self.slacks = package_costs
        """Those of the prices."""
        self.is_close = False
        """Whether the bound is near the best plan known."""
        self._cheapest = int(cheapest.sum())
        self._sums = np.sort(package_costs)[: self.count_max].cumsum() + self._cheapest

    def offer(self, plan: tuple[int, ...], cost: int) -> None:
        """Keep a plan where it is better."""
        count = len(plan)
        if 0 < count <= self.count_max and (cost, count, plan) < (
            self.upper,
            len(self.plan),
            self.plan,
        ):
            self.plan, self.upper = plan, cost

    def most(self) -> int:
        """Return how many packages can be afforded."""
        return int(self._sums.searchsorted(self.upper, side="right"))

    def keep(self, places: Numbers) -> None:
        """Leave out all other candidates."""
        if len(places) < len(self.names):
            self.names = self.names[places]
            self.costs = self.costs.take(places, axis=1)
            self.package_costs = self.package_costs[places]
            self.slacks = self.slacks[places]

    def found_by_subsets(self) -> Found | None:
        """Settle all plans at once."""
        found = route_by_subsets(self.costs, self.package_costs, self.count_max)
        if found is not None:
            self.offer(tuple(self.names[list(found.chosen)].tolist()), found.cost)
        return self.found()

    def found(self) -> Found | None:
        """Return the best plan known as the best of all."""
        return Found(self.plan, self.upper, self.upper, 0) if self.plan else None

    def room(self) -> int:
        """Return what a package can cost in a plan with at least one more."""
        return self.upper - self._cheapest - int(self.package_costs.min())

    def start(self) -> None:
        """Find first prices, and a good plan."""
        middle = len(self.names) // 2
        package_cost = int(np.partition(self.package_costs, middle)[middle])
        self.prices = self.prices + self._rarity(package_cost)
        offers = Offers(self.costs, self.package_costs)
        self.slacks = offers.slacks(self.prices)
        places = _least(self.slacks, _CORE)
        lost = self.costs[:, places].min(axis=1) >= NEVER
        if lost.any():
            places = np.union1d(places, self.costs[lost].argmin(axis=1))
        worth = self.prices + package_cost // 4
        found = greedy_plan(offers.of(places), worth, len(places), dropped_max=0)
        assert found is not None, "every lot is there"
        plan, cost = found
        self.offer(tuple(sorted(self.names[places[plan]].tolist())), cost)

    def _rarity(self, package_cost: int) -> Numbers:
        # What few have is what packages are opened for: by lot its part of a package's cost, which
        # grows with rarity. Hardly anybody has lots whose parts are more than one package together.
        some = self.costs[:, :: 1 + len(self.names) // _SAMPLED] < NEVER
        counts = some.sum(axis=1)
        parts = ((some.shape[1] - counts) << _RARITY_BITS) // (some.shape[1] + 3 * counts)
        most = max(int(np.partition(parts @ some, -_PAIR)[-_PAIR]), int(parts.max()), 1)
        found: Numbers = parts * package_cost // most
        return found

    def narrow(self) -> None:
        """Leave out candidates until few are left or none goes any more."""
        self._try_all(_STEPS_SOON)
        for turn in range(_ROUNDS_MAX):
            if self._is_settled():
                break
            count = len(self.names)
            self._price(_PROMISING if turn > 1 else _CORE)
            self._cut()
            if not turn:
                self._keep_first_of_twins()
            self._try_core()
            while self._try_all(_STEPS_MAX):
                self._cut()
            if self._is_settled() or self._is_small():
                break
            if turn and len(self.names) * 3 > count * 2 and count <= _STALLED:
                break

    def _is_settled(self) -> bool:
        return min(self.most(), len(self.names)) < self.count_min

    def _is_small(self) -> bool:
        # Whether a search is faster than to leave out more.
        count = len(self.names)
        is_shallow = self.most() <= _TRIPLE or self.is_close
        return count <= (_SEARCHED if is_shallow else _SMALL)

    def _try_core(self) -> None:
        # The few candidates with the least slacks mostly have the best plan; with it, far more of
        # the others can be left out.
        if len(self.names) <= 2 * _CORE:
            return
        upper, count = self.upper, self.count_min
        places = _least(self.slacks, _CORE)
        while count <= self.most() and self.upper == upper:
            if not self._try(places, count, _STEPS_MAX):
                break
            count += 1
        if self.upper < upper:
            self._price(_CORE)
            self._cut()

    def _keep_first_of_twins(self) -> None:
        # Of candidates with the same costs, as stores of one format in one zone, the first will do:
        # plans with the others cost the same and come later.
        factors = np.arange(1, 2 * len(self.costs), 2)
        keys = factors @ self.costs + self.package_costs * factors[-1]
        ordered = np.sort(keys)
        if (ordered[1:] == ordered[:-1]).any():
            _, firsts, who = np.unique(keys, return_index=True, return_inverse=True)
            first = firsts[who]
            twins = (self.costs == self.costs[:, first]).all(axis=0)
            twins &= self.package_costs == self.package_costs[first]
            twins[firsts] = False
            self.keep(np.flatnonzero(~twins))

    def _price(self, count: int) -> None:
        # Better prices, by the candidates with the least slacks.
        offers = Offers(self.costs, self.package_costs)
        if len(self.names) > count:
            offers = offers.of(_least(self.slacks, count))
        self.prices = improve_prices(self.prices, offers, self._aim(), _PRICE_STEPS)

    def _cut(self) -> None:
        # Leave out who cannot be in a plan as good as the best known.
        aim = self._aim()
        bounded = bound_by(self.prices, Offers(self.costs, self.package_costs), aim)
        self.slacks = bounded.slacks
        self.is_close = self.upper - bounded.bound <= self.upper // _CLOSE
        places = bounded.survivors(self.upper, aim)
        self.keep(places[self.package_costs[places] <= self.room()])

    def _aim(self) -> Aim:
        return Aim(self.count_min, max(self.most(), self.count_min), self.upper)

    def _try_all(self, step_count_max: int) -> bool:
        # Settle all plans of the least number of packages, unless there are too many.
        if self._is_settled():
            return False
        count = self.count_min
        room = self.upper - int(self.prices.sum())
        least = np.partition(self.slacks, count - 1)[: count - 1]
        places = np.flatnonzero(self.slacks <= room - int(least.sum()))
        if not self._try(places, count, step_count_max):
            return False
        self.count_min += 1
        return True

    def _try(self, places: Numbers, count: int, step_count_max: int) -> bool:
        # All plans of so many packages from these places, unless there are too many.
        if len(places) < count:
            return True
        if count > _PACKAGES_MAX:
            return False
        step_count_max = step_count_max * _LOTS // max(_LOTS, len(self.costs))
        room = self.upper - int(self.prices.sum())
        order = places[self.slacks[places].argsort(kind="stable")]
        costs = self.costs.take(order, axis=1)
        found = plans_of(count, costs, self.slacks[order], (room, step_count_max))
        if found is not None and found.size:
            sums = costs.take(found[0], axis=1)
            for others in found[1:]:
                np.minimum(sums, costs.take(others, axis=1), out=sums)
            values = sums.sum(axis=0) + self.package_costs[order[found]].sum(axis=0)
            cost = int(values.min())
            equals = np.sort(self.names[order[found[:, values == cost]]], axis=0)
            self.offer(tuple(equals[:, np.lexsort(equals[::-1])[0]].tolist()), cost)
        return found is not None

    def searched(self, node_count_max: int) -> Found | None:
        """Search what is left."""
        if self._is_settled():
            return self.found()
        offers = Offers(self.costs, self.package_costs)
        nodes_used = 0
        if len(self.names) <= _FEW and not self._is_tied(offers):
            few = self._search_few(offers, min(node_count_max, _NODES_FEW))
            if few.bound >= few.value or few.node_count >= node_count_max:
                return few.found()
            self.offer(few.chosen, few.value // SCALE)
            nodes_used = few.node_count
        limits = Limits(self.count_min, self.count_max, node_count_max - nodes_used)
        field = Field(self.names, offers, self.prices)
        search = searched(field, limits, self.plan, self.upper)
        search.node_count += nodes_used
        return search.found()

    def _is_tied(self, offers: Offers) -> bool:
        # Whether only plans of one cost are left; then better prices come first.
        aim = Aim(self.count_min, self.most(), self.upper)
        return aim.count_max > _TRIPLE and bound_by(self.prices, offers, aim).bound >= self.upper

    def _search_few(self, offers: Offers, node_count_max: int) -> Search:
        search = Search(
            self.names.tolist(),
            (offers.costs * SCALE).tolist(),
            (offers.package_costs * SCALE + 1).tolist(),
            (self.prices * SCALE).tolist(),
            count_min=self.count_min,
            count_max=self.count_max,
            node_count_max=node_count_max,
        )
        search.offer(self.plan, self.upper * SCALE + len(self.plan))
        search.run()
        return search


def _least(values: Numbers, count: int) -> Numbers:
    # The places of so many least values, lowest first.
    if len(values) <= count:
        return np.arange(len(values))
    found: Numbers = np.sort(values.argpartition(count)[:count])
    return found
