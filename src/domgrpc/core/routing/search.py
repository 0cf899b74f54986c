"""Branch and bound: the proof that no plan is cheaper.

The problem here is the bare one: lots (lines, or lines that travel together) are sent whole, lot i
from candidate j for c_ij, and every candidate that sends anything costs F_j.

**Prices.** Give every lot i a price v_i, and let a candidate's slack be what its package costs less
what the lots would pay beyond their costs there:

    slack_j = F_j - sum over i of max(0, v_i - c_ij)

Then any plan with the candidates O costs at least sum of v + sum of the slacks of O: what is sent
from j costs c_ij >= v_i - max(0, v_i - c_ij), and summed over the lots from j that and F_j are the
lots' prices and at least the slack. This holds for any prices whatever. So a plan of k packages
costs at least the prices and the k least slacks, and one with j in it the prices, slack_j, and the
k - 1 least: a candidate for which that is more than the best plan known is struck out.

Good prices make the bound high. The cheapest cost of each lot is a price that costs nothing to
find; with it slack_j = F_j, and the bound says how many packages can be afforded at all: since a
split has to earn at least a package cost, usually two or three, which is why this is fast. Where
more can be afforded, `prices.py` finds prices that make the bound as high as that of the linear
relaxation, or higher.

**The tree.** A node has some candidates open, and the lots' costs from those; the same bound holds
with the smaller of price and cost in place of the price. The candidates stand in the sequence of
their slacks, so those that are not yet struck out are the first so many. If only one package more
can be afforded, it has to have all lots that nobody open has; which candidates do is one
intersection of bit sets per lot, and those few are tried. Else the node branches on the missing
lot with the fewest candidates: each of them is opened in turn, and struck out for the branches
after it. Where no lot is missing, a further package has to lower the costs by more than its own,
and one that does not do so by itself does not in company either.

**Ties.** Costs are multiplied by SCALE and a package costs 1 more, so that of plans of one cost
the one with fewest packages is best. Bounds cut only what is worse, never what is as good, and
among the equals the lowest candidate numbers win.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from domgrpc.core.routing.found import Found
from domgrpc.core.routing.instance import LINES_MAX, NEVER

SCALE = 2 * LINES_MAX
IMPOSSIBLE = NEVER * SCALE


class Search:
    """One search; `run` it once, then read `chosen`, `value` and `bound`."""

    def __init__(
        self,
        names: Sequence[int],
        rows: Sequence[Sequence[int]],
        package_costs: Sequence[int],
        prices: Sequence[int],
        *,
        count_min: int,
        count_max: int,
        node_count_max: int,
    ) -> None:
        """Take scaled costs: times SCALE, and 1 more for each package; `count_max` 0: any."""
        columns = list(zip(*rows, strict=True))
        slacks = [
            package_cost
            - sum(
                [price - cost for price, cost in zip(prices, column, strict=True) if cost < price]
            )
            for package_cost, column in zip(package_costs, columns, strict=True)
        ]
        # Of candidates with the same costs the first will do: plans with the others cost the same.
        firsts: dict[object, int] = {}
        for place, twin in enumerate(zip(package_costs, columns, strict=True)):
            firsts.setdefault(twin, place)
        order = sorted(firsts.values(), key=slacks.__getitem__)
        self._names = [names[place] for place in order]
        self._columns = [columns[place] for place in order]
        self._slacks = [slacks[place] for place in order]
        self._package_costs = [package_costs[place] for place in order]
        self._prices = prices
        self._cheapest = [min(row) for row in rows]
        count = min(count_max or len(rows), len(order))
        self._count_max = count
        self._count_min = count_min
        self._paying = (1 << bisect_right(self._slacks, -1)) - 1
        self._package_sums = [0, *accumulate(sorted(self._package_costs)[:count])]
        self._slack_sums = [0, *accumulate(self._slacks[:count])]
        carriers = [0] * len(rows)
        for place, column in enumerate(self._columns):
            bit = 1 << place
            for lot, cost in enumerate(column):
                if cost < IMPOSSIBLE:
                    carriers[lot] |= bit
        self._carriers = carriers
        self._node_count_max = node_count_max
        self.chosen: tuple[int, ...] = ()
        self.value = IMPOSSIBLE
        self.bound = IMPOSSIBLE
        self.node_count = 0

    def offer(self, chosen: tuple[int, ...], value: int) -> None:
        """Keep a plan that is as good as the best so far, where it is better or comes first."""
        names = tuple(sorted(chosen))
        if value < self.value or names < self.chosen:
            self.value, self.chosen = value, names

    def run(self) -> None:
        """Look at all plans, or at as many as may be."""
        self._count_min = max(self._count_min, self._apart_count())
        self._visit((), 0, [IMPOSSIBLE] * len(self._carriers), (1 << len(self._columns)) - 1)

    def found(self) -> Found | None:
        """Return what was found, None where there is no plan."""
        if not self.chosen and self.bound >= IMPOSSIBLE:
            return None
        bound = min(self.value, self.bound) // SCALE
        return Found(self.chosen, self.value // SCALE, bound, self.node_count)

    def _apart_count(self) -> int:
        # Lots of which no two have a candidate in common need a package each.
        taken = count = 0
        for carrier in sorted(self._carriers, key=int.bit_count):
            if not carrier & taken:
                taken |= carrier
                count += 1
        return count

    def _visit(self, opened: tuple[int, ...], paid: int, costs: list[int], allowed: int) -> None:
        is_left = self.node_count >= self._node_count_max
        self.node_count += not is_left
        missing = [lot for lot, cost in enumerate(costs) if cost >= IMPOSSIBLE]
        value = self.value
        if not missing:
            total = paid + sum(costs)
            if total <= value:
                self.offer(tuple([self._names[place] for place in opened]), total)
                value = self.value
        least_floor = paid + sum(map(min, costs, self._cheapest))
        done = len(opened)
        affordable = bisect_right(self._package_sums, value - least_floor) - 1
        most = min(affordable, self._count_max - done)
        least = max(1, self._count_min - done)
        if most < least:
            return
        floor = paid + sum(map(min, costs, self._prices))
        # The others beside the one that is opened next.
        others = self._least_slacks(allowed, least - 1, most - 1)
        allowed &= (1 << bisect_right(self._slacks, value - floor - others)) - 1
        if not allowed:
            return
        if most == 1:
            for lot in missing:
                allowed &= self._carriers[lot]
            self._try_last(opened, paid, costs, allowed)
        elif is_left:
            floor += self._least_slacks(allowed, least, most)
            self.bound = min(self.bound, max(floor, least_floor + self._package_sums[least]))
        elif missing:
            self._open_missing(opened, paid, costs, (missing, allowed))
        else:
            self._open_paying(opened, paid, costs, allowed)

    def _least_slacks(self, allowed: int, least: int, most: int) -> int:
        # The least sum of so many slacks: all that are below 0, or as many as there must be.
        paying = [self._slacks[place] for place in members(allowed & self._paying)]
        return sum(paying[:most]) if len(paying) >= least else self._slack_sums[least]

    def _try_last(self, opened: tuple[int, ...], paid: int, costs: list[int], allowed: int) -> None:
        # The plans that one more package completes.
        for place in members(allowed):
            value = paid + self._package_costs[place] + sum(map(min, costs, self._columns[place]))
            if value <= self.value:
                self.offer(tuple([self._names[one] for one in (*opened, place)]), value)

    def _open_missing(
        self, opened: tuple[int, ...], paid: int, costs: list[int], among: tuple[list[int], int]
    ) -> None:
        missing, allowed = among
        carriers = [self._carriers[lot] & allowed for lot in missing]
        fewest = min(carriers, key=int.bit_count)
        for place in members(fewest):
            allowed ^= 1 << place
            lowered = list(map(min, costs, self._columns[place]))
            self._visit((*opened, place), paid + self._package_costs[place], lowered, allowed)

    def _open_paying(
        self, opened: tuple[int, ...], paid: int, costs: list[int], allowed: int
    ) -> None:
        # Every lot is there. What does not pay by itself does not pay in company: the more is
        # open, the less one more candidate can lower the costs.
        paying = []
        total = sum(costs)
        for place in members(allowed):
            lowered = list(map(min, costs, self._columns[place]))
            if sum(lowered) + self._package_costs[place] <= total:
                paying.append((place, lowered))
        allowed = sum(1 << place for place, _ in paying)
        for place, lowered in paying:
            allowed ^= 1 << place
            self._visit((*opened, place), paid + self._package_costs[place], lowered, allowed)


def members(bits: int) -> Iterator[int]:
    """Iterate the numbers of a bit set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
