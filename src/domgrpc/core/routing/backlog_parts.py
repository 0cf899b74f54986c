"""The numbers of a backlog made ready: parts, positions, and a scale that keeps sums small.

A part is what is solved at once: an order, or a run of lines of an order that has more than
WHOLE_LINES_MAX. A position is a SKU at a location that some line can be sent from; positions are
numbered densely, so that stock and prices are short vectors.

Costs are divided by `scale` and rounded down, so that sums fit into 32 bits, which is twice as fast
as 64. A backorder cost that means "never" is cut down to a few times what sending can cost, which
is enough to have the line sent and lets prices settle. Both only lower costs, so that a bound on
these costs is a bound on the true ones. What a plan costs is always counted in whole micros.
"""

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_data import NOWHERE, Backlog, Booleans, Numbers

WHOLE_LINES_MAX = 8
"""A subset programme of 8 lines has 256 sets and 3,280 packages to try."""
RUN_LINES_MAX = 6
"""Longer orders are cut into runs of about one length; of 6 lines they cost a seventh of 8."""
_SCALE_MAX = 256
"""In micros. Where 32 bits need a coarser one, numbers of 64 bits are used."""
_NARROW_MAX = 1 << 28
_WIDE_MAX = 1 << 58
"""Sums of a few numbers up to here, and the cost of what is closed, stay below 2^31 and 2^63."""

_WORTH = 3
"""So many times what it costs at the dearest, for nearly all, to change an order and send a line
alone, it is worth to send one, unless its backorder costs less."""


class Parts(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What the stages of the solver share and none of them changes."""

    backlog: Backlog
    starts: Numbers
    """The first line of each part, and then the number of all lines."""
    orders: Numbers
    """By part."""
    sibling_counts: Numbers
    """By part: how many parts its order has, itself included."""
    open_parts: Numbers
    """The parts of orders that are not released."""
    has_twins: Booleans
    """By part: whether two of its lines are of one SKU."""
    can_stay: Booleans
    """By order: whether each line may stay where it is at present, as far as it alone goes."""
    keepable: Booleans
    """By order: whether it has a plan and can stay; only then a change has its stability cost."""
    stock: Numbers
    """By place: units that open orders may use."""
    line_costs: Numbers
    """By line and location, for the whole line, in micros."""
    backorders: Numbers
    """By line: what it counts in the search not to send it, in micros."""
    unavoidable_cost: int
    """What lines cost that nobody can send, as far as the search does not count it, in micros."""
    position_of: Numbers
    """By line and location; NOWHERE where the line cannot be sent from."""
    places: Numbers
    """By position, its place in all stock: SKU x number of locations + location."""
    sku_lines: Numbers
    """All lines, by SKU."""
    sku_starts: Numbers
    """By SKU: its first place in `sku_lines`; and then their number."""
    capacity: Numbers
    """By position: units that open orders may use."""
    price_max: Numbers
    """By position: at this price, in units of `scale`, no line is sent from there any more."""
    scale: int
    is_narrow: bool

    @property
    def count(self) -> int:
        """How many parts there are."""
        return len(self.orders)

    def lines_of(self, parts: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lines of parts, and for each line the place of its part in `parts`."""
        counts = self.starts[parts + 1] - self.starts[parts]
        owners = np.repeat(np.arange(len(parts)), counts)
        firsts = np.cumsum(counts) - counts
        return self.starts[parts][owners] + np.arange(len(owners)) - firsts[owners], owners

    def part_of(self, line: int) -> int:
        """Return the part of a line."""
        return int(np.searchsorted(self.starts, line, side="right")) - 1

    def lines_at(self, position: int, locations: Numbers) -> Numbers:
        """Return the lines that are at a position; O(lines of its SKU)."""
        sku, location = divmod(int(self.places[position]), self.backlog.stock.shape[1])
        lines: Numbers = self.sku_lines[self.sku_starts[sku] : self.sku_starts[sku + 1]]
        is_there: Booleans = locations[lines] == location
        return lines[is_there]

    def positions_of(self, lines: Numbers, locations: Numbers) -> Numbers:
        """Return the position of each line at its location, NOWHERE for a line that is nowhere."""
        return np.where(locations == NOWHERE, NOWHERE, self.position_of[lines, locations])


def prepare(backlog: Backlog) -> Parts:
    """Cut the orders into parts and number the positions; O(lines x locations)."""
    line_counts = np.diff(backlog.line_starts)
    part_counts = np.where(line_counts <= WHOLE_LINES_MAX, 1, -(-line_counts // RUN_LINES_MAX))
    orders = np.repeat(np.arange(backlog.order_count), part_counts)
    runs = np.arange(len(orders)) - (np.cumsum(part_counts) - part_counts)[orders]
    starts = backlog.line_starts[orders] + runs * line_counts[orders] // part_counts[orders]
    stock = _free_stock(backlog)
    line_costs = backlog.unit_costs * backlog.quantities[:, None]
    position_of, places = _number_positions(backlog, stock, line_costs)
    backorders = _backorders(backlog, line_costs, position_of)
    price_max, largest = _price_max(backlog, backorders, position_of, len(places))
    is_narrow = largest // _NARROW_MAX < _SCALE_MAX
    scale = 1 + largest // (_NARROW_MAX if is_narrow else _WIDE_MAX)
    stays = backlog.present == NOWHERE
    stays |= position_of[np.arange(len(stays)), backlog.present] != NOWHERE
    is_hopeless = (position_of == NOWHERE).all(axis=1) & ~backlog.released[backlog.line_orders]
    can_stay = np.logical_and.reduceat(stays, backlog.line_starts[:-1])
    return Parts(
        backlog=backlog,
        starts=np.append(starts, backlog.line_starts[-1]),
        orders=orders,
        sibling_counts=part_counts[orders],
        open_parts=np.flatnonzero(~backlog.released[orders]),
        has_twins=_has_twins(backlog, starts),
        can_stay=can_stay,
        keepable=backlog.planned & can_stay,
        stock=stock.reshape(-1),
        line_costs=line_costs,
        backorders=backorders,
        unavoidable_cost=int((backlog.backorder_costs - backorders)[is_hopeless].sum()),
        position_of=position_of,
        places=places,
        sku_lines=np.argsort(backlog.skus, kind="stable"),
        sku_starts=np.append(0, np.cumsum(np.bincount(backlog.skus, minlength=len(stock)))),
        capacity=stock.reshape(-1)[places],
        price_max=price_max // scale + 1,
        scale=scale,
        is_narrow=is_narrow,
    )


def _has_twins(backlog: Backlog, starts: Numbers) -> Booleans:
    """By part, told by its first line: whether two of its lines are of one SKU."""
    lengths = np.diff(np.append(starts, len(backlog.skus)))
    owners = np.repeat(np.arange(len(starts)), lengths)
    pairs = np.unique(np.stack([owners, backlog.skus]), axis=1)
    found: Booleans = np.bincount(pairs[0], minlength=len(starts)) < lengths
    return found


def _free_stock(backlog: Backlog) -> Numbers:
    """Return the stock less what released orders take of it; never below 0."""
    lines = np.flatnonzero(backlog.released[backlog.line_orders] & (backlog.present != NOWHERE))
    free = backlog.stock.copy()
    np.subtract.at(free, (backlog.skus[lines], backlog.present[lines]), backlog.quantities[lines])
    return np.maximum(free, 0, out=free)


def _number_positions(
    backlog: Backlog, stock: Numbers, line_costs: Numbers
) -> tuple[Numbers, Numbers]:
    usable = backlog.allowed & (stock[backlog.skus] >= backlog.quantities[:, None])
    usable &= line_costs < backlog.backorder_costs[:, None]
    usable &= ~backlog.released[backlog.line_orders, None]
    location_count = stock.shape[1]
    flat = backlog.skus[:, None] * location_count + np.arange(location_count)
    is_used = np.zeros(stock.size, np.bool_)
    is_used[flat[usable]] = True
    # Arrays of positions point at the first where there is none, so there must be one.
    is_used[0] = True
    number = np.cumsum(is_used) - 1
    return np.where(usable, number[flat], NOWHERE), np.flatnonzero(is_used)


def _backorders(backlog: Backlog, line_costs: Numbers, position_of: Numbers) -> Numbers:
    costs = backlog.package_costs[backlog.line_orders] + line_costs
    dearest = np.where(position_of == NOWHERE, 0, costs).max(axis=1)
    dear = np.sort(dearest)[len(dearest) * 99 // 100]
    worth: Numbers = _WORTH * (np.maximum(dearest, dear) + backlog.stability_cost) + 1
    return np.minimum(backlog.backorder_costs, worth)


def _price_max(
    backlog: Backlog, backorders: Numbers, position_of: Numbers, count: int
) -> tuple[Numbers, int]:
    """Return the highest sensible prices in micros, and the largest number that can come up.

    No line pays more for a unit than its backorder costs.
    """
    lines, locations = np.nonzero(position_of != NOWHERE)
    positions = position_of[lines, locations]
    bids = -(-backorders // backlog.quantities)
    highest = np.zeros(count, np.int64)
    np.maximum.at(highest, positions, bids[lines])
    most = np.zeros(count, np.int64)
    np.maximum.at(most, positions, backlog.quantities[lines])
    # As a float, since it may not fit; the scale has to be about right only.
    payment = float((highest.astype(np.float64) * most).max(initial=0))
    unsent = int(np.add.reduceat(backorders, backlog.line_starts[:-1]).max())
    return highest, max(int(payment), unsent, backlog.stability_cost, int(most.max(initial=0)))
