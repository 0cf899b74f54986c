"""Whole lots with many candidates, as numpy arrays of lots x candidates.

As with few, most orders end in the first step, for which one pass over the arrays suffices. Five
lots or less are a dynamic programme over their subsets. Else a good plan is found greedily among
the candidates that save most, and then the field is narrowed from all sides to the candidates that
can be in a plan as good: by the bound that prices prove, by the best of all pairs, which is
found through bit sets of who has what, and by the bound of plans that have three packages at least.
What is left, some tens of candidates, is searched.
"""

import numpy as np

from domgrpc.core.routing.few_cells import route_few
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.greedy import greedy_plan
from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices
from domgrpc.core.routing.search import IMPOSSIBLE, SCALE, Search, members
from domgrpc.core.routing.subsets import route_by_subsets, suits_subsets

CELLS_FEW = 500
_PROMISING = 192
_SEARCHED = 40
_SEARCHED_SLOWLY = 160
_ROUNDS_MAX = 5
_STEPS = 8
_GUIDED = 48
_GUIDES_MAX = 2
_CORE_NODES_MAX = 200
_CLOSE = 32
_PAIR = 2
_TRIPLE = 3


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
        found = _narrowed(costs, package_costs, (single, best), (count_max, node_count_max))
    if found is None or len(found.chosen) != 1:
        return found
    totals[found.chosen[0]] = NEVER
    second = int(totals.argmin())
    next_one = (int(totals[second]), second)
    return Found(found.chosen, found.cost, found.lower_bound, found.node_count, next_one)


def _narrowed(
    costs: Numbers, package_costs: Numbers, single: tuple[int, int], counts: tuple[int, int]
) -> Found | None:
    # `single` is (cost, candidate) of the best plan of one package.
    count_max, node_count_max = counts
    field = _Field(costs, package_costs, count_max)
    if single[0] < NEVER:
        field.offer((single[1],), single[0])
    field.keep(np.flatnonzero(package_costs <= field.room()))
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

    def __init__(self, costs: Numbers, package_costs: Numbers, count_max: int) -> None:
        self.names = np.arange(len(package_costs))
        self.costs = costs
        self.package_costs = package_costs
        self.count_max = min(count_max or len(costs), len(costs))
        self.count_min = _PAIR
        """Plans with fewer packages are settled."""
        self.plan: tuple[int, ...] = ()
        self.upper = NEVER
        self.prices = costs.min(axis=1)
        self.is_close = False
        """Whether the bound is near the best plan known."""
        self._guides_left = _GUIDES_MAX
        self._core_tried = False
        self._cheapest = int(costs.min(axis=1).sum())
        self._sums = np.sort(package_costs)[: self.count_max].cumsum() + self._cheapest

    def offer(self, plan: tuple[int, ...], cost: int) -> None:
        """Keep a plan where it is better."""
        count = len(plan)
        if count <= self.count_max and (cost, count, plan) < (
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
            self.costs = self.costs[:, places]
            self.package_costs = self.package_costs[places]

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
        """Find a good plan."""
        apart = (self.costs + self.package_costs).min(axis=1)
        gains = np.maximum(apart[:, None] - self.costs, 0).sum(axis=0) - self.package_costs
        if len(gains) > _PROMISING:
            promising = np.sort(gains.argpartition(-_PROMISING)[-_PROMISING:])
        else:
            promising = np.arange(len(gains))
        lost = self.costs[:, promising].min(axis=1) >= NEVER
        if lost.any():
            promising = np.union1d(promising, self.costs[lost].argmin(axis=1))
        places, cost = greedy_plan(self.costs[:, promising], self.package_costs[promising], apart)
        owners = promising[places]
        self.offer(tuple(self.names[owners].tolist()), cost)
        shares = self.costs[:, owners]
        who = shares.argmin(axis=1)
        counts = np.bincount(who, minlength=len(owners)).clip(1)
        self.prices = shares.min(axis=1) + (self.package_costs[owners] // counts)[who]

    def narrow(self) -> None:
        """Leave out candidates until few are left or none goes any more."""
        self.keep(np.flatnonzero(self.package_costs <= self.room()))
        if len(self.names) > _PROMISING:
            self._price()
        if len(self.names) > _SEARCHED and self.most() >= _PAIR:
            self._keep_first_of_twins()
            self._try_pairs()
        for _ in range(_ROUNDS_MAX):
            count = len(self.names)
            few = count <= _SEARCHED and (self.most() <= _TRIPLE or self.is_close)
            if few or min(self.most(), count) < self.count_min:
                break
            self._price()
            if len(self.names) > _SEARCHED and not self.is_close and not self._core_tried:
                self._try_core()
            elif len(self.names) * 3 > count * 2 and count <= _SEARCHED_SLOWLY:
                # A search is faster than another round that leaves out few.
                break

    def _keep_first_of_twins(self) -> None:
        # Of candidates with the same costs, as stores of one format in one zone, the first will do:
        # plans with the others cost the same and come later.
        factors = np.arange(1, 2 * len(self.costs), 2)[:, None]
        keys = (self.costs * factors).sum(axis=0) + self.package_costs * factors[-1]
        _, firsts, who = np.unique(keys, return_index=True, return_inverse=True)
        if len(firsts) < len(keys):
            first = firsts[who]
            twins = (self.costs == self.costs[:, first]).all(axis=0)
            twins &= self.package_costs == self.package_costs[first]
            twins[firsts] = False
            self.keep(np.flatnonzero(~twins))

    def _try_core(self) -> None:
        # A search among the few candidates with the least slacks mostly finds the best plan; with
        # it, far more of the others can be left out.
        self._core_tried = True
        aim = Aim(self.count_min, max(self.most(), self.count_min), self.upper)
        slacks = bound_by(self.prices, Offers(self.costs, self.package_costs), aim).slacks
        core = np.sort(slacks.argpartition(_SEARCHED)[:_SEARCHED])
        search = self._search(core, _CORE_NODES_MAX)
        if search.chosen:
            self.offer(search.chosen, search.value // SCALE)

    def _price(self) -> None:
        aim = Aim(self.count_min, max(self.most(), self.count_min), self.upper)
        offers = Offers(self.costs, self.package_costs)
        near = offers
        if len(self.names) > _PROMISING:
            slacks = bound_by(self.prices, offers, aim).slacks
            near = offers.of(slacks.argpartition(_PROMISING)[:_PROMISING])
        self.prices = improve_prices(self.prices, near, aim, _STEPS)
        bounded = bound_by(self.prices, offers, aim)
        self.is_close = self.upper - bounded.bound <= self.upper // _CLOSE
        if not self.is_close and self._guides_left:
            self._guides_left -= 1
            self._guided(bounded.slacks)
        self.keep(bounded.survivors(self.upper, aim))

    def _guided(self, slacks: Numbers) -> None:
        # Prices know better what the lots are worth.
        if len(slacks) > _GUIDED:
            places = slacks.argpartition(_GUIDED)[:_GUIDED]
        else:
            places = np.arange(len(slacks))
        costs = self.costs[:, places]
        if int(costs.min(axis=1).max()) >= NEVER:
            return
        plan, cost = greedy_plan(costs, self.package_costs[places], self.prices)
        if cost <= self.upper:
            self.offer(tuple(sorted(self.names[places[plan]].tolist())), cost)

    def _try_pairs(self) -> None:
        """Settle all plans of two packages."""
        order = self.package_costs.argsort(kind="stable")
        lefts, rights = _pairs(
            self.costs[:, order], self.package_costs[order], self.upper - self._cheapest
        )
        if lefts:
            left, right = order[lefts], order[rights]
            sums = np.minimum(self.costs[:, left], self.costs[:, right]).sum(axis=0)
            sums += self.package_costs[left] + self.package_costs[right]
            cost = int(sums.min())
            equals = np.sort(self.names[[left[sums == cost], right[sums == cost]]], axis=0)
            lower, higher = equals[:, np.lexsort(equals[::-1])[0]].tolist()
            self.offer((lower, higher), cost)
        self.count_min = _PAIR + 1

    def searched(self, node_count_max: int) -> Found | None:
        """Search what is left."""
        if self.most() < self.count_min or len(self.names) < self.count_min:
            return self.found()
        search = self._search(np.arange(len(self.names)), node_count_max)
        if not search.chosen and search.bound >= IMPOSSIBLE:
            return None
        bound = min(search.value, search.bound) // SCALE
        return Found(search.chosen, search.value // SCALE, bound, search.node_count)

    def _search(self, places: Numbers, node_count_max: int) -> Search:
        search = Search(
            self.names[places].tolist(),
            (self.costs[:, places] * SCALE).tolist(),
            (self.package_costs[places] * SCALE + 1).tolist(),
            (self.prices * SCALE).tolist(),
            count_min=self.count_min,
            count_max=self.count_max,
            node_count_max=node_count_max,
        )
        if self.plan:
            search.offer(self.plan, self.upper * SCALE + len(self.plan))
        search.run()
        return search


def _pairs(costs: Numbers, package_costs: Numbers, room: int) -> tuple[list[int], list[int]]:
    # All pairs that have every lot and whose packages cost no more than the room; the candidates
    # stand in the order of their package costs, so that those are the first so many.
    packed = np.packbits(costs < NEVER, axis=1, bitorder="little")
    carriers = sorted(
        (int.from_bytes(row.tobytes(), "little") for row in packed), key=int.bit_count
    )
    affordable = package_costs.searchsorted(room - package_costs, side="right").tolist()
    lefts: list[int] = []
    rights: list[int] = []
    settled = 0
    for left in members(carriers[0]):
        bit = 1 << left
        settled |= bit
        fitting = ((1 << affordable[left]) - 1) & ~settled
        for carrier in carriers:
            if carrier & bit:
                continue
            fitting &= carrier
            if not fitting:
                break
        if fitting:
            found = list(members(fitting))
            lefts.extend([left] * len(found))
            rights.extend(found)
    return lefts, rights
