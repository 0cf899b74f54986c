"""Lines whose units may come from several candidates.

Candidate j offers at most a_ij units of lot i at c_ij each, and of the lot q_i units are needed.
Once it is known who is open, filling every lot from its cheapest open candidates up is optimal.
Prices are by unit,

    slack_j = F_j - sum over i of a_ij x max(0, v_i - c_ij)

and a plan with the candidates O costs at least sum of q_i x v_i + sum over O of slack_j, for the
same reason as in `search.py`. At a node the units that the open candidates have for less than the
price count at their cost. A lot that is sent whole is one unit, which a candidate has or has not.

One package is settled by looking at all candidates. Else `batches.py` searches: at once where there
are few cells, for which a share of the package cost is price enough. Where they are many, or the
search grows, better plans and some steps of prices leave out most candidates first.
"""

from collections.abc import Sequence

import numpy as np

from domgrpc.core.routing.batches import BatchSearch, Limits
from domgrpc.core.routing.found import Found
from domgrpc.core.routing.greedy import completed_plan, greedy_plan
from domgrpc.core.routing.instance import NEVER, AnyInstance, Numbers
from domgrpc.core.routing.lots import Lot, costs_of
from domgrpc.core.routing.prices import Aim, Offers, bound_by, improve_prices
from domgrpc.core.routing.shapes import Units
from domgrpc.core.routing.turns import Field, searched

_STEPS = 8
_ROUNDS = 3
_FEW = 40
_CELLS_FEW = 2_000
_NODES_FEW = 1_000
_CLOSE = 32
_PAIR = 2
_MANY = 6
_PROMISING = 192


def unit_offers(instance: AnyInstance, lots: Sequence[Lot], package_costs: Numbers) -> Offers:
    """Return what the candidates offer of the lots, by unit where a line may split."""
    costs = costs_of(instance, lots)
    units = (costs < NEVER).astype(np.int64)
    needs = np.ones(len(lots), dtype=np.int64)
    for at, (line, *others) in enumerate(lots):
        if not others and instance.terms.may_split(line):
            needs[at] = instance.quantities[line]
            costs[at] = instance.unit_costs[line]
            np.minimum(np.asarray(instance.available[line]), needs[at], out=units[at])
    return Offers(costs, package_costs, units, needs)


def route_units(offers: Offers, count_max: int, node_count_max: int) -> Found | None:
    """Return the best plan of the lots by units, None where there is none of so few packages."""
    assert offers.units is not None
    assert offers.needs is not None
    if not offers.suffices():
        return None
    field = _Field(offers, count_max)
    if field.is_settled():
        return field.found()
    nodes_used = 0
    if offers.costs.size <= _CELLS_FEW:
        search = field.search(min(node_count_max // 2, _NODES_FEW))
        nodes_used = search.node_count
        if search.bound >= search.value:
            return search.found()
        field.offer(search.chosen, search.cost)
    field.narrow()
    if field.is_settled():
        return field.found(nodes_used)
    search = field.search(node_count_max - nodes_used)
    search.node_count += nodes_used
    return search.found()


class _Field:
    """The candidates that can still be in the best plan, and the best plan known."""

    def __init__(self, offers: Offers, count_max: int) -> None:
        assert offers.units is not None
        package_costs = offers.package_costs
        self.names = np.arange(len(package_costs))
        self.offers = offers
        self.count_max = min(count_max or len(self.names), len(self.names))
        self._sums = np.sort(package_costs)[: self.count_max].cumsum() + offers.floor()
        shares = offers.costs + package_costs // np.maximum(offers.units, 1)
        self.prices = np.where(offers.units > 0, shares, NEVER).min(axis=1)
        shape = Units(offers)
        singles = shape.cost(shape.added_each(shape.root()))[0] + package_costs
        best = int(singles.argmin())
        self.plan: tuple[int, ...] = ()
        self.upper = NEVER
        if singles[best] < NEVER:
            self.plan, self.upper = (best,), int(singles[best])

    def most(self) -> int:
        """Return how many packages can be afforded."""
        return int(self._sums.searchsorted(self.upper, side="right"))

    def is_settled(self) -> bool:
        """Say whether no two packages can be as good as the best plan known."""
        return min(self.most(), len(self.names)) < _PAIR

    def found(self, node_count: int = 0) -> Found | None:
        """Return the best plan known as the best of all."""
        return Found(self.plan, self.upper, self.upper, node_count) if self.plan else None

    def narrow(self) -> None:
        """Improve the plan and the prices, and leave out candidates."""
        for _ in range(_ROUNDS):
            self._greedy()
            if not self.plan or self.is_settled():
                break
            aim = Aim(_PAIR, self.most(), self.upper)
            self.prices = improve_prices(self.prices, self.offers, aim, _STEPS)
            bounded = bound_by(self.prices, self.offers, aim)
            if len(bounded.chosen) > _MANY:
                # Where many packages pay, those that pay by these prices are nearly the best plan.
                places, cost = completed_plan(self.offers, bounded.chosen.tolist())
                self._offer_places(places, cost)
            self._keep(bounded.survivors(self.upper, aim))
            if len(self.names) <= _FEW or self.upper - bounded.bound <= self.upper // _CLOSE:
                break

    def offer(self, plan: tuple[int, ...], cost: int) -> None:
        """Keep a plan where it is better."""
        count = len(plan)
        if 0 < count <= self.count_max and (cost, len(plan), plan) < (
            self.upper,
            len(self.plan),
            self.plan,
        ):
            self.plan, self.upper = plan, cost

    def _keep(self, places: Numbers) -> None:
        # Leave out all other candidates.
        self.names = self.names[places]
        self.offers = self.offers.of(places)

    def _greedy(self) -> None:
        offers = self.offers
        places = np.arange(len(self.names))
        if len(places) > _PROMISING:
            near = offers.slacks(self.prices).argsort(kind="stable")[:_PROMISING]
            if offers.of(near).suffices():
                offers, places = offers.of(near), near
        found = greedy_plan(offers, self.prices, self.count_max)
        if found is not None:
            plan, cost = found
            self._offer_places(places[plan].tolist(), cost)

    def _offer_places(self, places: list[int], cost: int) -> None:
        self.offer(tuple(sorted(self.names[places].tolist())), cost)

    def search(self, node_count_max: int) -> BatchSearch:
        """Search what is left."""
        limits = Limits(_PAIR, self.count_max, node_count_max)
        field = Field(self.names, self.offers, self.prices)
        return searched(field, limits, self.plan, self.upper)


def filled_by(offers: Offers, chosen: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Return by lot (candidate, units), from the cheapest of the chosen up."""
    assert offers.units is not None
    assert offers.needs is not None
    filled = []
    for costs, units, need in zip(offers.costs, offers.units, offers.needs.tolist(), strict=True):
        taken = []
        left = need
        for candidate in sorted(chosen, key=costs.__getitem__):
            quantity = min(left, int(units[candidate]))
            if quantity:
                taken.append((candidate, quantity))
                left -= quantity
        filled.append(taken)
    return filled
