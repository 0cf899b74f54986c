"""Whole lots with many candidates, as numpy arrays of lots x candidates.

As with few, most orders end in the first step, for which one pass over the arrays suffices. Five
lots or less are a dynamic programme over their subsets. Else a good plan is found greedily among
the candidates that save most, and then the field is narrowed to the candidates that can be in a
plan as good: by the bound that prices prove, and by the best of all pairs, which is found through
bit sets of who has what and after which a plan has three packages at least. What is left, up to
some hundreds of candidates, is searched by batches. Where more packages can be afforded prices
matter more, so they are improved until the bound is close; where hundreds are left all the same, a
short search among the most promising finds the plan that leaves out the others.
"""

import numpy as np

from domgrpc.core.routing.batches import BatchSearch, Limits
from domgrpc.core.routing.few_cells import route_few
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.greedy import greedy_plan
from domgrpc.core.routing.instance import NEVER, Numbers
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices
from domgrpc.core.routing.search import SCALE, Search, members
from domgrpc.core.routing.subsets import route_by_subsets, suits_subsets
from domgrpc.core.routing.turns import Field, searched

CELLS_FEW = 500
_PROMISING = 192
_FEW = 40
_NODES_FEW = 400
_SEARCHED = 400
_SEARCHED_SLOWLY = 160
_ROUNDS_MAX = 5
_STEPS = 5
_STEPS_MANY = 12
_CLOSE = 32
_TRIPLE = 3
_GUIDED = 48
_GUIDES_MAX = 2
_CORE = 64
_CORE_NODES_MAX = 500
_PAIR = 2


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
    field.narrow(node_count_max)
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
        self._node_count = 0
        self._cheapest = int(costs.min(axis=1).sum())
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
        return Found(self.plan, self.upper, self.upper, self._node_count) if self.plan else None

    def room(self) -> int:
        """Return what a package can cost in a plan with at least one more."""
        return self.upper - self._cheapest - int(self.package_costs.min())

    def start(self) -> None:
        """Find a good plan."""
        apart = np.array([(row + self.package_costs).min() for row in self.costs])
        slacks = Offers(self.costs, self.package_costs).slacks(apart)
        promising = _least(slacks, _PROMISING)
        lost = self.costs[:, promising].min(axis=1) >= NEVER
        if lost.any():
            promising = np.union1d(promising, self.costs[lost].argmin(axis=1))
        plan = self._greedy(promising, apart)
        owners = promising[plan]
        shares = self.costs[:, owners]
        who = shares.argmin(axis=1)
        counts = np.bincount(who, minlength=len(owners)).clip(1)
        self.prices = shares.min(axis=1) + (self.package_costs[owners] // counts)[who]

    def _greedy(self, places: Numbers, worth: Numbers) -> list[int]:
        offers = Offers(self.costs[:, places], self.package_costs[places])
        found = greedy_plan(offers, worth, len(places))
        if found is None:
            return []
        plan, cost = found
        self.offer(tuple(sorted(self.names[places[plan]].tolist())), cost)
        return plan

    def narrow(self, node_count_max: int) -> None:
        """Leave out candidates until few are left or none goes any more."""
        self.keep(np.flatnonzero(self.package_costs <= self.room()))
        self._price()
        if len(self.names) > _FEW and self.most() >= _PAIR:
            self._keep_first_of_twins()
            self._try_pairs()
        for turn in range(_ROUNDS_MAX):
            count = len(self.names)
            is_small = count <= _SEARCHED and (self.most() <= _TRIPLE or self.is_close)
            if is_small or min(self.most(), count) < self.count_min:
                break
            if turn == 1:
                self._try_core(min(_CORE_NODES_MAX, node_count_max // 2))
            self._price()
            if turn and count <= _SEARCHED_SLOWLY and len(self.names) * 3 > count * 2:
                break

    def _try_core(self, node_count_max: int) -> None:
        # A search among the few candidates with the least slacks mostly finds the best plan; with
        # it, far more of the others can be left out.
        slacks = Offers(self.costs, self.package_costs).slacks(self.prices)
        search = self._search(_least(slacks, _CORE), node_count_max)
        self._node_count += search.node_count
        if search.chosen:
            self.offer(search.chosen, search.value // SCALE)

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

    def _price(self) -> None:
        aim = Aim(self.count_min, max(self.most(), self.count_min), self.upper)
        offers = Offers(self.costs, self.package_costs)
        near = offers
        if len(self.names) > _PROMISING:
            near = offers.of(_least(offers.slacks(self.prices), _PROMISING))
        self.prices = improve_prices(
            self.prices, near, aim, _STEPS if self.most() <= _TRIPLE else _STEPS_MANY
        )
        bounded = bound_by(self.prices, offers, aim)
        self.is_close = self.upper - bounded.bound <= self.upper // _CLOSE
        places = bounded.survivors(self.upper, aim)
        if len(places) > _GUIDED and self._guides_left:
            # Prices know better what the lots are worth.
            self._guides_left -= 1
            self._greedy(_least(bounded.slacks, _GUIDED), self.prices)
            places = bounded.survivors(self.upper, aim)
        self.keep(places)

    def _try_pairs(self) -> None:
        """Settle all plans of two packages."""
        slacks = Offers(self.costs, self.package_costs).slacks(self.prices)
        order = slacks.argsort(kind="stable")
        room = self.upper - int(self.prices.sum())
        lefts, rights = _pairs(self.costs[:, order], slacks[order], room)
        if lefts:
            left, right = order[lefts], order[rights]
            columns = np.ascontiguousarray(self.costs.T)
            sums = np.minimum(columns.take(left, axis=0), columns.take(right, axis=0)).sum(axis=1)
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
        search = self._search(np.arange(len(self.names)), node_count_max - self._node_count)
        search.node_count += self._node_count
        return search.found()

    def _search(self, places: Numbers, node_count_max: int) -> Search | BatchSearch:
        offers = Offers(self.costs[:, places], self.package_costs[places])
        nodes_used = 0
        if len(places) <= _FEW and not self._is_tied(offers):
            few = self._search_few(places, offers, min(node_count_max, _NODES_FEW))
            if few.bound >= few.value or few.node_count >= node_count_max:
                return few
            self.offer(few.chosen, few.value // SCALE)
            nodes_used = few.node_count
        limits = Limits(self.count_min, self.count_max, node_count_max - nodes_used)
        field = Field(self.names[places], offers, self.prices)
        search = searched(field, limits, self.plan, self.upper)
        search.node_count += nodes_used
        return search

    def _is_tied(self, offers: Offers) -> bool:
        # Whether only plans of one cost are left; then better prices come first.
        aim = Aim(self.count_min, self.most(), self.upper)
        return aim.count_max > _TRIPLE and bound_by(self.prices, offers, aim).bound >= self.upper

    def _search_few(self, places: Numbers, offers: Offers, node_count_max: int) -> Search:
        search = Search(
            self.names[places].tolist(),
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


def _pairs(costs: Numbers, slacks: Numbers, room: int) -> tuple[list[int], list[int]]:
    # All pairs that have every lot and whose slacks are no more than the room; the candidates
    # stand in the order of their slacks, so that those are the first so many.
    packed = np.packbits(costs < NEVER, axis=1, bitorder="little")
    carriers = sorted(
        (int.from_bytes(row.tobytes(), "little") for row in packed), key=int.bit_count
    )
    affordable = slacks.searchsorted(room - slacks, side="right").tolist()
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
