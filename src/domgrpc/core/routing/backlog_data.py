"""What the backlog solver is asked and what it answers, as plain arrays.

The backlog is all orders that are not released yet, with the stock that they share. Each line is
sent whole from one location or not at all; each location that sends anything of an order sends a
package of it. To be found is where each line is sent from, so that

    packages + lines sent + lines not sent + the stability cost of each planned order that changes

costs as little as can be while no location sends more of a SKU than it has.
"""

import enum

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NOWHERE = -1
"""The location of a line that is not sent."""
COST_MAX = 1 << 48
"""No single cost may be above, in micros: 281 million of the currency unit."""
QUANTITY_MAX = STOCK_MAX = 1 << 40
PRICE_MAX = 1 << 48
TOTAL_MAX = 1 << 62
"""What all orders together may cost at the most, everything at its dearest."""
PASS_COUNT_DEFAULT = 60


class Backlog(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Open orders and the stock that they share; money in micros. Solving changes none of it.

    Orders are numbered as they arrived, lines through all orders, SKUs and locations from 0. Lines
    of an order that are of one SKU, twins, may be sent from different locations.
    """

    line_starts: Numbers
    """The first line of each order, and then the number of all lines; each order has a line."""
    skus: Numbers
    """By line."""
    quantities: Numbers
    """By line, at least 1."""
    package_costs: Numbers
    """By order and location."""
    unit_costs: Numbers
    """By line and location."""
    backorder_costs: Numbers
    """By line, what it costs not to send it; a location that costs as much is not used."""
    allowed: Booleans
    """By line and location; False where a filter or a promise forbids it."""
    stock: Numbers
    """By SKU and location: units that these orders may use, what they hold at present included."""
    present: Numbers
    """By line: its location in the present plan, or NOWHERE."""
    planned: Booleans
    """By order: whether it has a present plan, which costs `stability_cost` to leave."""
    released: Booleans
    """By order: whether it stays as it is; it takes its stock before all others."""
    stability_cost: int = 0
    prices: Numbers | None = None
    """By SKU and location: prices of an earlier answer to begin with, in micros a unit."""

    @property
    def order_count(self) -> int:
        """How many orders there are."""
        return len(self.line_starts) - 1

    @property
    def line_orders(self) -> Numbers:
        """The order of each line."""
        return np.repeat(np.arange(self.order_count), np.diff(self.line_starts))


class BacklogPlan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Where everything is sent from, and the proof of how good that is; money in micros."""

    locations: Numbers
    """By line: its location, or NOWHERE; a released order keeps its own."""
    cost: int
    """What all open orders cost, lines that are not sent included."""
    stability_cost: int
    """What the changes of planned orders cost on top, as far as they could have stayed."""
    lower_bound: int
    """No plan's cost and stability cost together are below."""
    changed_orders: Numbers
    """The orders that are not as in their present plan."""
    savings: Numbers
    """By changed order: what it cost before less what it costs now; below 0 where it made room."""
    groups: Numbers
    """By changed order: a number that it shares with those it depends on; they change together."""
    prices: Numbers
    """By SKU and location, in micros: what one more unit is worth. They prove the bound."""
    pass_count: int
    """How many price passes were made."""
    is_complete: bool
    """False where it was told to stop before it was done."""

    @property
    def gap(self) -> float:
        """Return by how much at most the plan is dearer than the best: 0.01 is one per cent."""
        return (self.cost + self.stability_cost - self.lower_bound) / max(1, self.lower_bound)


class Stage(enum.IntEnum):
    """What the solver is at."""

    FIRST_COME = 1
    PRICES = 2
    FILL = 3
    IMPROVE = 4


class Progress(msgspec.Struct, frozen=True):
    """How far the solver is; money in micros."""

    stage: Stage
    pass_count: int
    """Passes of this stage that are done."""
    lower_bound: int
    best: int
    """Cost and stability cost of the best plan so far."""


def check_backlog(backlog: Backlog) -> None:
    """Raise ValueError where the arrays do not fit together or a number is out of its bounds."""
    _check_shapes(backlog)
    starts, line_count = backlog.line_starts, len(backlog.skus)
    if starts[0] != 0 or starts[-1] != line_count or (np.diff(starts) < 1).any() or not line_count:
        raise ValueError(f"line_starts must rise from 0 to the {line_count} lines, each by a line")
    sku_count, location_count = backlog.stock.shape
    _check_bounds("skus", backlog.skus, 0, sku_count - 1)
    _check_bounds("quantities", backlog.quantities, 1, QUANTITY_MAX)
    _check_bounds("package_costs", backlog.package_costs, 0, COST_MAX)
    _check_bounds("unit_costs", backlog.unit_costs, 0, COST_MAX)
    _check_bounds("backorder_costs", backlog.backorder_costs, 0, COST_MAX)
    _check_bounds("stock", backlog.stock, 0, STOCK_MAX)
    _check_bounds("present", backlog.present, NOWHERE, location_count - 1)
    _check_bounds("stability_cost", np.array([backlog.stability_cost]), 0, COST_MAX)
    if backlog.prices is not None:
        _check_bounds("prices", backlog.prices, 0, PRICE_MAX)
    dearest = _dearest(backlog)
    if dearest > TOTAL_MAX:
        raise ValueError(f"all at its dearest costs about {dearest:.0f} micros, above {TOTAL_MAX}")


def _check_shapes(backlog: Backlog) -> None:
    orders, lines, (skus, locations) = backlog.order_count, len(backlog.skus), backlog.stock.shape
    shapes = {
        "quantities": (lines,),
        "package_costs": (orders, locations),
        "unit_costs": (lines, locations),
        "backorder_costs": (lines,),
        "allowed": (lines, locations),
        "present": (lines,),
        "planned": (orders,),
        "released": (orders,),
        **({} if backlog.prices is None else {"prices": (skus, locations)}),
    }
    for name, shape in shapes.items():
        found = getattr(backlog, name).shape
        if found != shape:
            raise ValueError(f"{name} has the shape {found} where {shape} fits the others")
    if not locations:
        raise ValueError("there is no location: the stock has no columns")


def _check_bounds(name: str, numbers: Numbers, lowest: int, highest: int) -> None:
    outside = numbers[(numbers < lowest) | (numbers > highest)]
    if len(outside):
        raise ValueError(f"{name} holds {outside[0]}, which is not within {lowest} to {highest}")


def _dearest(backlog: Backlog) -> float:
    """Return what all costs at the most, roughly but in numbers that cannot overflow."""
    line_counts = np.diff(backlog.line_starts)
    packages = backlog.package_costs.max(axis=1).astype(np.float64) * line_counts
    sent = backlog.unit_costs.max(axis=1).astype(np.float64) * backlog.quantities
    unsent = backlog.backorder_costs.astype(np.float64)
    changes = float(backlog.stability_cost) * backlog.order_count
    return float(packages.sum() + sent.sum() + unsent.sum()) + changes
