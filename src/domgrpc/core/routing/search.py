"""Branch and bound: the proof that no plan is cheaper.

The problem here is the bare one: lots (lines, or lines that travel together) are sent whole, lot i
from candidate j for `rows[i][j]`, and every candidate that sends anything costs `package_costs[j]`.

**The bound.** Give every lot i a price v_i, and let a candidate's slack be what its package costs
less what the lots would pay beyond their costs there:

    slack_j(v) = F_j - sum over i of max(0, v_i - c_ij)

For a plan that uses the candidates O, cost(O) >= sum of v + sum over O of slack_j(v): each lot that
is sent from j costs c_ij >= v_i - max(0, v_i - c_ij), and summed over the lots of j that and F_j
are v's of these lots plus at least the slack. So whatever the prices, as long as no slack is below
0, no plan costs less than the sum of the prices, and none that uses j less than that plus slack_j:
a candidate whose slack exceeds the distance to the best plan known can be struck out. Prices are
found by dual ascent (Erlenkotter 1978): begin with each lot's cheapest cost and raise one after the
other, step by step, until slacks of 0 stop them all.

**The tree.** A node has candidates that are open, candidates that are allowed, and the lots' costs
from those open. How many more packages can be afforded is known from the cheapest package costs
and the cheapest costs of the lots: none, and the node is done; one, and all candidates are tried
as the last one in one pass; more, and the node is bounded by dual ascent and branches on the lot
with the fewest candidates that would lower its cost: each of them is opened in turn, and struck
out for the branches after it; in the last branch the lot stays where it is. Since a split has to
earn at least a package cost, two or three packages are usually the end of it.

Costs are multiplied by SCALE and a package costs 1 more, so that of two plans of one cost that
with fewer packages is the better one; where that is equal too, both are kept in sight and the
lower candidate numbers win.
"""

from bisect import bisect_right
from itertools import accumulate

from domgrpc.core.routing.ascent import raise_prices
from domgrpc.core.routing.instance import LINES_MAX, NEVER

SCALE = 2 * LINES_MAX
IMPOSSIBLE = NEVER * SCALE


class Search:
    """One search; `run` it once, then read `chosen`, `value` and `bound`.

    Sizes: each node costs O(lots x allowed candidates). `node_count_max` bounds the whole.
    """

    __slots__ = (
        "_cheapest",
        "_columns",
        "_costs",
        "_count_max",
        "_masks",
        "_node_count_max",
        "bound",
        "chosen",
        "node_count",
        "value",
    )

    def __init__(
        self,
        rows: list[list[int]],
        package_costs: list[int],
        *,
        count_max: int,
        node_count_max: int,
    ) -> None:
        """Take scaled costs: times SCALE, and 1 more for each package."""
        self._columns = list(zip(*rows, strict=True))
        self._costs = package_costs
        self._cheapest = [min(row) for row in rows]
        self._masks = [
            sum(1 << lot for lot, cost in enumerate(column) if cost < IMPOSSIBLE)
            for column in self._columns
        ]
        self._count_max = count_max
        self._node_count_max = node_count_max
        self.chosen: tuple[int, ...] = ()
        self.value = IMPOSSIBLE
        self.bound = IMPOSSIBLE
        """No plan that was not looked at is better than this."""
        self.node_count = 0

    def offer(self, chosen: tuple[int, ...], value: int) -> None:
        """Keep a plan where it is the best so far."""
        if value > self.value:
            return
        chosen = tuple(sorted(chosen))
        if value < self.value or chosen < self.chosen:
            self.value, self.chosen = value, chosen

    def run(self) -> None:
        """Look at all plans, or at as many as may be."""
        lot_count = len(self._cheapest)
        allowed = list(range(len(self._costs)))
        self._visit((), [IMPOSSIBLE] * lot_count, allowed, list(self._cheapest))

    def _visit(
        self, opened: tuple[int, ...], costs: list[int], allowed: list[int], prices: list[int]
    ) -> None:
        self.node_count += 1
        paid = sum(self._costs[candidate] for candidate in opened)
        if max(costs) < IMPOSSIBLE:
            self.offer(opened, paid + sum(costs))
        count = self._affordable(opened, paid + sum(map(min, costs, self._cheapest)), allowed)
        if count == 0:
            return
        if count == 1:
            self._try_last(opened, paid, costs, allowed)
            return
        prices, bound = self._ascend(costs, allowed, prices)
        bound += paid
        if bound > self.value:
            return
        if self.node_count >= self._node_count_max:
            self.bound = min(self.bound, bound)
            return
        self._branch(opened, costs, allowed, prices)

    def _affordable(self, opened: tuple[int, ...], floor: int, allowed: list[int]) -> int:
        # How many packages more could still be in a plan as good as the best one.
        limit = len(allowed)
        if self._count_max:
            limit = min(limit, self._count_max - len(opened))
        sums = list(accumulate(sorted(self._costs[candidate] for candidate in allowed)))
        return min(limit, bisect_right(sums, self.value - floor))

    def _try_last(
        self, opened: tuple[int, ...], paid: int, costs: list[int], allowed: list[int]
    ) -> None:
        missing = sum(1 << lot for lot, cost in enumerate(costs) if cost >= IMPOSSIBLE)
        for candidate in allowed:
            if missing & ~self._masks[candidate]:
                continue
            value = sum(map(min, costs, self._columns[candidate]))
            self.offer((*opened, candidate), paid + self._costs[candidate] + value)

    def _ascend(
        self, costs: list[int], allowed: list[int], prices: list[int]
    ) -> tuple[list[int], int]:
        # Prices and bound of what is still to come; the prices of the parent are a good start.
        prices = list(map(min, prices, costs))
        columns = [self._columns[candidate] for candidate in allowed]
        slacks = [
            self._costs[candidate] - sum(map(_excess, prices, column))
            for candidate, column in zip(allowed, columns, strict=True)
        ]
        bound = raise_prices(prices, costs, list(zip(*columns, strict=True)), slacks)
        return prices, bound

    def _branch(
        self, opened: tuple[int, ...], costs: list[int], allowed: list[int], prices: list[int]
    ) -> None:
        columns = self._columns
        options = []
        for lot, cost in enumerate(costs):
            if cost > prices[lot]:
                lowering = [candidate for candidate in allowed if columns[candidate][lot] < cost]
                options.append((cost < IMPOSSIBLE, len(lowering), lot, lowering))
        if not options:
            return
        _, _, lot, lowering = min(options)
        lowering.sort(key=lambda candidate: self._costs[candidate] + columns[candidate][lot])
        rest = allowed
        for candidate in lowering:
            rest = [other for other in rest if other != candidate]
            lowered = list(map(min, costs, columns[candidate]))
            self._visit((*opened, candidate), lowered, rest, prices)
        if costs[lot] < IMPOSSIBLE:
            self._visit(opened, costs, rest, prices)


def _excess(price: int, cost: int) -> int:
    return price - cost if price > cost else 0
