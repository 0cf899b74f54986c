"""The plain hold: named locations, no rules, enough free stock. The hottest path of the core.

Most holds ask nothing more, and they come by the hundred thousand; what asks more, or is short of
anything, is drafted line by line (hold_draft.py), which gives the same lines at three times the
cost. A test compares both on random holds.
"""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import cast

from domgrpc.core.network import Ask, Network
from domgrpc.core.reservations import LineQuantity, ReservationLine
from domgrpc.core.values import LocationId, Sku

# A call of the NewType for the quantity would cost as much as the line.
_line = cast("Callable[[Sku, LocationId, int], ReservationLine]", ReservationLine)
_place_of_line = attrgetter("sku", "location_id")


def plain_lines(
    network: Network, ask: Ask, lines: tuple[LineQuantity, ...]
) -> tuple[ReservationLine, ...] | None:
    """Return the lines of a new hold by SKU and location, None where it is not a plain one."""
    network.refresh(ask.time_ms)
    places = network.plain_places(ask)
    if not places:
        return None
    index_of = network.locations.index_of
    by_sku = network.stock.by_sku
    taken: list[ReservationLine] = []
    for line in lines:
        index = index_of.get(line.location_id)
        stock = by_sku.get(line.sku)
        if index is None or stock is None:
            return None
        place = places[index]
        indexes = stock.location_indexes
        slot = bisect_left(indexes, index)
        if place is None or slot == len(indexes) or indexes[slot] != index:
            return None
        quantity = line.quantity
        if quantity > stock.on_hand[slot] - stock.soft_reserved[slot] - stock.allocated[slot]:
            return None
        # The state's own strings: millions of lines need not each keep a copy.
        taken.append(_line(stock.sku, place, quantity))
    if len(taken) > 1:
        taken.sort(key=_place_of_line)
        before = taken[0]
        for line_after in taken[1:]:
            if before.sku is line_after.sku and before.location_id is line_after.location_id:
                # Named twice: their sum is what counts.
                return None
            before = line_after
    return tuple(taken)
