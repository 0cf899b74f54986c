"""What the backlog solver is measured against and judged by; shares no code with it but the data.

Orders one after the other as they came: each exactly as cheap as the stock left allows, or each
line from the nearest location that has it. The judge counts everything again, line by line, and
proves the bound again from the prices.
"""

import numpy as np
from numpy.typing import NDArray

from domgrpc.core.routing.backlog_data import NOWHERE, Backlog, Numbers

_NEVER = 1 << 50


def serve_exactly(backlog: Backlog) -> Numbers:
    """Return the locations when each order in turn takes its cheapest plan."""
    stock = backlog.stock.copy()
    locations = np.full(len(backlog.skus), NOWHERE)
    for order in range(backlog.order_count):
        lines = slice(*backlog.line_starts[order : order + 2].tolist())
        skus, quantities = backlog.skus[lines], backlog.quantities[lines]
        costs = backlog.unit_costs[lines] * quantities[:, None]
        costs[stock[skus] < quantities[:, None]] = _NEVER
        _, chosen = cheapest(
            backlog.package_costs[order], costs, backlog.backorder_costs[lines].tolist()
        )
        locations[lines] = chosen
        is_sent = locations[lines] != NOWHERE
        stock[skus[is_sent], locations[lines][is_sent]] -= quantities[is_sent]
    return locations


def serve_nearest(backlog: Backlog, miles: NDArray[np.float64]) -> Numbers:
    """Return the locations when each line in turn goes from the nearest that has enough."""
    stock = backlog.stock.copy()
    locations = np.full(len(backlog.skus), NOWHERE)
    for order in range(backlog.order_count):
        nearest = np.argsort(miles[order], kind="stable")
        for line in range(*backlog.line_starts[order : order + 2].tolist()):
            sku, quantity = backlog.skus[line], backlog.quantities[line]
            having = nearest[stock[sku, nearest] >= quantity]
            if len(having):
                locations[line] = having[0]
                stock[sku, having[0]] -= quantity
    return locations


def cheapest(packages: Numbers, costs: Numbers, unsent: list[int]) -> tuple[int, list[int]]:
    """Return the cost and the locations of one order's cheapest plan, by subsets of its lines."""
    count = len(unsent)
    table = np.empty((1 << count, len(packages)), np.int64)
    table[0] = packages
    for line in range(count):
        table[1 << line : 2 << line] = table[: 1 << line] + costs[line]
    senders = table.argmin(axis=1).tolist()
    package: list[int] = table.min(axis=1).tolist()
    for line in range(count):
        if unsent[line] <= package[1 << line]:
            package[1 << line], senders[1 << line] = unsent[line], NOWHERE
    best, chosen = [0], [0]
    for lines in range(1, 1 << count):
        options = ((package[part] + best[lines ^ part], part) for part in _parts(lines))
        cost, part = min(options)
        best.append(cost)
        chosen.append(part)
    locations = [NOWHERE] * count
    rest = len(best) - 1
    while rest:
        for line in range(count):
            if chosen[rest] >> line & 1:
                locations[line] = senders[chosen[rest]]
        rest ^= chosen[rest]
    return best[-1], locations


def _parts(lines: int) -> list[int]:
    """Return the subsets of a set of lines that hold its lowest line."""
    lowest = lines & -lines
    rest = part = lines ^ lowest
    parts = [lines]
    while part:
        part = (part - 1) & rest
        parts.append(part | lowest)
    return parts


# --- the judge


def plan_cost(backlog: Backlog, locations: Numbers) -> int:
    """Return what a plan costs, in micros."""
    total = 0
    for order in range(backlog.order_count):
        lines = range(*backlog.line_starts[order : order + 2].tolist())
        senders = {int(locations[line]) for line in lines} - {NOWHERE}
        total += sum(int(backlog.package_costs[order, sender]) for sender in senders)
        for line in lines:
            if locations[line] == NOWHERE:
                total += int(backlog.backorder_costs[line])
            else:
                cost = int(backlog.unit_costs[line, locations[line]])
                total += cost * int(backlog.quantities[line])
    return total


def faults(backlog: Backlog, locations: Numbers) -> list[str]:
    """Return every way in which a plan breaks a rule, in words."""
    found = []
    taken: dict[tuple[int, int], int] = {}
    for line, location in enumerate(locations.tolist()):
        if location == NOWHERE:
            continue
        if not backlog.allowed[line, location]:
            found.append(f"line {line} must not be sent from {location}")
        place = (int(backlog.skus[line]), location)
        taken[place] = taken.get(place, 0) + int(backlog.quantities[line])
    found += [
        f"{units} units of {place} are taken, {backlog.stock[place]} are there"
        for place, units in taken.items()
        if units > backlog.stock[place]
    ]
    return found


def proven_bound(backlog: Backlog, prices: Numbers) -> int:
    """Return what no plan costs less than, by prices of stock; for orders without a plan."""
    bound = -sum(
        price * units
        for price, units in zip(
            prices.reshape(-1).tolist(), backlog.stock.reshape(-1).tolist(), strict=True
        )
    )
    for order in range(backlog.order_count):
        lines = slice(*backlog.line_starts[order : order + 2].tolist())
        skus, quantities = backlog.skus[lines], backlog.quantities[lines, None]
        costs = (backlog.unit_costs[lines] + prices[skus]) * quantities
        costs[(backlog.stock[skus] < quantities) | ~backlog.allowed[lines]] = _NEVER
        unsent = backlog.backorder_costs[lines].tolist()
        bound += cheapest(backlog.package_costs[order], costs, unsent)[0]
    return bound
