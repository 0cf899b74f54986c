"""From a plan to a proposal: which orders change, which changes need each other, what they save.

An order that moves in where another moves out can change only together with it. Changes are linked
where more is newly taken from a place than was free there before; all that take or leave such a
place form a group, and groups that share an order are one. Groups are independent of each other:
each can be carried out or left alone, and the plan stays within the stock.

A group that does not save more than its stability costs is left alone, unless some order in it
cannot stay as it is.
"""

import msgspec
import numpy as np

from domgrpc.core.routing.backlog_data import NOWHERE, Booleans, Numbers
from domgrpc.core.routing.backlog_parts import Parts


class Proposal(msgspec.Struct, frozen=True, eq=False):
    """The changes that are worth it."""

    locations: Numbers
    """By line."""
    cost: int
    changed_orders: Numbers
    savings: Numbers
    """By changed order."""
    groups: Numbers
    """By changed order."""


def propose(parts: Parts, locations: Numbers) -> Proposal:
    """Compare a plan with the present one, and take back what is not worth it."""
    backlog = parts.backlog
    locations = np.where(backlog.released[backlog.line_orders], backlog.present, locations)
    savings = order_costs(parts, backlog.present) - order_costs(parts, locations)
    groups, must_change = _link(parts, locations)
    changed = np.flatnonzero(groups != NOWHERE)
    gains = np.zeros(backlog.order_count, np.int64)
    stability = np.where(parts.keepable, backlog.stability_cost, 0)
    np.add.at(gains, groups[changed], (savings - stability)[changed])
    is_worth = (gains > 0) | must_change
    stays = groups == NOWHERE
    stays[changed] = ~is_worth[groups[changed]]
    locations = np.where(stays[backlog.line_orders], backlog.present, locations)
    changed = np.flatnonzero(~stays)
    costs = order_costs(parts, locations)[~backlog.released]
    return Proposal(locations, int(costs.sum()), changed, savings[changed], groups[changed])


def order_costs(parts: Parts, locations: Numbers) -> Numbers:
    """Return by order what it costs at these locations, in micros."""
    backlog = parts.backlog
    is_sent = locations != NOWHERE
    sent = parts.line_costs[np.arange(len(locations)), locations]
    opens = np.zeros(backlog.package_costs.shape, np.bool_)
    opens[backlog.line_orders[is_sent], locations[is_sent]] = True
    costs: Numbers = np.where(opens, backlog.package_costs, 0).sum(axis=1)
    np.add.at(costs, backlog.line_orders, np.where(is_sent, sent, backlog.backorder_costs))
    return costs


def _link(parts: Parts, locations: Numbers) -> tuple[Numbers, Booleans]:
    """Return by order its group, or NOWHERE if it is unchanged, and by group whether it must be.

    The number of a group is that of its first order.
    """
    backlog = parts.backlog
    moved = np.flatnonzero(locations != backlog.present)
    orders = backlog.line_orders[moved]
    open_lines = np.flatnonzero(~backlog.released[backlog.line_orders])
    held = _place_units(parts, backlog.present, open_lines)
    taken = _place_units(parts, locations, moved)
    is_tight = taken > parts.stock - held
    leaders = np.arange(backlog.order_count)
    firsts: dict[int, int] = {}
    for plan in (backlog.present, locations):
        places = _places(parts, plan, moved)
        is_linked = (plan[moved] != NOWHERE) & is_tight[places]
        for order, place in zip(
            orders[is_linked].tolist(), places[is_linked].tolist(), strict=True
        ):
            _join(leaders, order, firsts.setdefault(place, order))
    groups = np.full(backlog.order_count, NOWHERE)
    for order in dict.fromkeys(orders.tolist()):
        groups[order] = _leader(leaders, order)
    must_change = np.zeros(backlog.order_count, np.bool_)
    must_change[groups[orders[~parts.can_stay[orders]]]] = True
    is_overfull = (backlog.present[moved] != NOWHERE) & (held > parts.stock)[
        _places(parts, backlog.present, moved)
    ]
    must_change[groups[orders[is_overfull]]] = True
    return groups, must_change


def _places(parts: Parts, locations: Numbers, lines: Numbers) -> Numbers:
    """Return the places in all stock of lines at locations; any for those nowhere."""
    firsts: Numbers = parts.backlog.skus[lines] * parts.backlog.stock.shape[1]
    return firsts + locations[lines]


def _place_units(parts: Parts, locations: Numbers, lines: Numbers) -> Numbers:
    """Return by place the units of lines at locations."""
    lines = lines[locations[lines] != NOWHERE]
    units = np.zeros_like(parts.stock)
    np.add.at(units, _places(parts, locations, lines), parts.backlog.quantities[lines])
    return units


def _leader(leaders: Numbers, order: int) -> int:
    """Return the first order of a group, and shorten the way to it."""
    while leaders[order] != order:
        leaders[order] = leaders[leaders[order]]
        order = int(leaders[order])
    return order


def _join(leaders: Numbers, one: int, other: int) -> None:
    low, high = sorted((_leader(leaders, one), _leader(leaders, other)))
    leaders[high] = low
