"""The naive model of the backlog: plain loops over orders and lines, and every plan tried."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise, product

from domgrpc.core.routing.backlog_data import NOWHERE, Backlog

Plan = list[int]
"""By line, its location."""


class NaiveBacklog:
    """The same backlog as lists."""

    def __init__(self, backlog: Backlog) -> None:
        starts = backlog.line_starts.tolist()
        self.lines_of = [range(*each) for each in pairwise(starts)]
        self.orders = range(len(self.lines_of))
        self.skus: list[int] = backlog.skus.tolist()
        self.quantities: list[int] = backlog.quantities.tolist()
        self.packages: list[list[int]] = backlog.package_costs.tolist()
        self.units: list[list[int]] = backlog.unit_costs.tolist()
        self.backorders: list[int] = backlog.backorder_costs.tolist()
        self.allowed = backlog.allowed.tolist()
        self.present: Plan = backlog.present.tolist()
        self.planned = backlog.planned.tolist()
        self.released = backlog.released.tolist()
        self.stability_cost = backlog.stability_cost
        self.stock: Counter[tuple[int, int]] = Counter(
            {
                (sku, location): units
                for sku, row in enumerate(backlog.stock.tolist())
                for location, units in enumerate(row)
            }
        )
        for order in self.orders:
            if self.released[order]:
                self.stock.subtract(self.taken(order, self.present))

    def taken(self, order: int, plan: Plan) -> Counter[tuple[int, int]]:
        """Return what the order takes by SKU and location."""
        found: Counter[tuple[int, int]] = Counter()
        for line in self.lines_of[order]:
            if plan[line] != NOWHERE:
                found[self.skus[line], plan[line]] += self.quantities[line]
        return found

    def faults(self, plan: Plan) -> list[str]:
        """Return what is wrong with a plan."""
        found = []
        total: Counter[tuple[int, int]] = Counter()
        for order in self.orders:
            if self.released[order]:
                if any(plan[line] != self.present[line] for line in self.lines_of[order]):
                    found.append(f"order {order} is released and was changed")
                continue
            total += self.taken(order, plan)
            found += [
                f"line {line} must not be sent from {plan[line]}"
                for line in self.lines_of[order]
                if plan[line] != NOWHERE and not self.allowed[line][plan[line]]
            ]
        found += [
            f"{units} units of {place} are taken, {self.stock[place]} are there"
            for place, units in total.items()
            if units > self.stock[place]
        ]
        return found

    def order_cost(self, order: int, plan: Plan) -> int:
        """Return what the order costs in the plan."""
        lines = self.lines_of[order]
        senders = {plan[line] for line in lines} - {NOWHERE}
        return sum(self.packages[order][location] for location in senders) + sum(
            self.backorders[line]
            if plan[line] == NOWHERE
            else self.quantities[line] * self.units[line][plan[line]]
            for line in lines
        )

    def is_changed(self, order: int, plan: Plan) -> bool:
        """Say whether the order is not as at present."""
        return any(plan[line] != self.present[line] for line in self.lines_of[order])

    def can_stay(self, order: int) -> bool:
        """Say whether each line of an order may stay where it is, as far as it alone goes."""
        return all(self.present[line] in self._choices(line) for line in self.lines_of[order])

    def change_cost(self, order: int, plan: Plan) -> int:
        """Return the stability cost that the order pays."""
        pays = self.planned[order] and self.can_stay(order) and self.is_changed(order, plan)
        return self.stability_cost if pays else 0

    def total(self, plan: Plan) -> int:
        """Return what all open orders cost, with their changes."""
        return sum(
            self.order_cost(order, plan) + self.change_cost(order, plan)
            for order in self.orders
            if not self.released[order]
        )

    def best_total(self) -> int:
        """Return the least that all open orders can cost; tries every plan."""
        options = [self._options(order) for order in self.orders if not self.released[order]]
        best = [sum(max(cost for cost, _ in option) for option in options)]

        def extend(depth: int, cost: int, stock: Counter[tuple[int, int]]) -> None:
            if depth == len(options):
                best[0] = min(best[0], cost)
                return
            for more, taken in options[depth]:
                if cost + more < best[0] and all(stock[place] >= taken[place] for place in taken):
                    extend(depth + 1, cost + more, stock - taken)

        extend(0, 0, +self.stock)
        return best[0]

    def best_alone(self, order: int) -> int:
        """Return the least that an order without a plan costs; tries all sets of locations."""
        everywhere = range(len(self.packages[order]))
        return min(
            sum(self.packages[order][location] for location in senders)
            + sum(
                min(
                    [
                        self.backorders[line],
                        *(
                            self.quantities[line] * self.units[line][location]
                            for location in self._choices(line)
                            if location in senders
                        ),
                    ]
                )
                for line in self.lines_of[order]
            )
            for count in range(len(everywhere) + 1)
            for senders in combinations(everywhere, count)
        )

    def first_come_total(self) -> int:
        """Return the cost of serving orders in turn, each as cheaply as the stock left allows."""
        stock = +self.stock
        total = 0
        for order in self.orders:
            if not self.released[order]:
                cost, taken = min(
                    (
                        (cost, taken)
                        for cost, taken in self._options(order)
                        if all(stock[place] >= taken[place] for place in taken)
                    ),
                    key=lambda option: option[0],
                )
                total += cost
                stock -= taken
        return total

    def bound(self, prices: list[list[int]]) -> int:
        """Return the bound that the prices prove, computed from whole orders and true costs."""
        worth = sum(prices[sku][j] * max(units, 0) for (sku, j), units in self.stock.items())
        return (
            sum(
                min(
                    cost + sum(prices[sku][j] * units for (sku, j), units in taken.items())
                    for cost, taken in self._options(order)
                )
                for order in self.orders
                if not self.released[order]
            )
            - worth
        )

    def _choices(self, line: int) -> list[int]:
        return [NOWHERE] + [
            location
            for location, allowed in enumerate(self.allowed[line])
            if allowed
            and self.stock[self.skus[line], location] >= self.quantities[line]
            and self.quantities[line] * self.units[line][location] < self.backorders[line]
        ]

    def _options(self, order: int) -> list[tuple[int, Counter[tuple[int, int]]]]:
        return [
            (self.order_cost(order, plan) + self.change_cost(order, plan), self.taken(order, plan))
            for plan in self._plans(order)
        ]

    def _plans(self, order: int) -> Iterator[Plan]:
        lines = self.lines_of[order]
        for chosen in product(*map(self._choices, lines)):
            yield [NOWHERE] * lines.start + list(chosen)
