"""Pages of positions: which of the core's two listings serves a filter, and its tokens.

Low and out-of-stock positions come from their index unless one SKU is asked for; everything else
is walked in the stable order of SKUs.
"""

from collections.abc import Mapping

import msgspec

from domgrpc.core.listings import (
    Page,
    PositionFilter,
    PositionView,
    list_low_positions,
    list_positions,
)
from domgrpc.core.state import State
from domgrpc.core.values import LocationId, Sku, StockLevel, TimeMs
from domgrpc.rpc.pages import (
    Listing,
    LowPositionPlace,
    PositionPlace,
    bounded_page,
    page_size,
)
from domgrpc.rpc.shapes import chosen, identifier_or_empty
from domgrpc.rpc.sizes import position_bytes
from domgrpc.v1 import inventory_pb2

_POSITIONS: Listing[PositionPlace] = Listing("ListPositions", PositionPlace, (0, 0, -1))
_LOW: Listing[LowPositionPlace] = Listing("ListPositions", LowPositionPlace, ("", -1))
_LEVELS: Mapping[int, StockLevel] = {level.value: level for level in StockLevel}


class PositionQuery(msgspec.Struct, frozen=True):
    """What a page of positions is asked for; one of the two places is set."""

    wanted: PositionFilter
    filters: tuple[object, ...]
    size: int
    after: PositionPlace | None = None
    low_after: LowPositionPlace | None = None

    def token(self, page: Page[PositionView]) -> str:
        """Return the token of the page behind a page."""
        listing = _POSITIONS if self.low_after is None else _LOW
        return listing.token(page, self.filters)


def position_query(message: inventory_pb2.ListPositionsRequest) -> PositionQuery:
    """Read ListPositions."""
    sku = identifier_or_empty(message.sku, "sku")
    location_id = identifier_or_empty(message.location_id, "location_id")
    level = chosen(message.level, "level", _LEVELS) if message.level else None
    wanted = PositionFilter(
        sku=Sku(sku) if sku else None,
        location_id=LocationId(location_id) if location_id else None,
        level=level,
    )
    filters = (message.level, sku, location_id)
    size = page_size(message.page_size)
    token = message.page_token
    if not sku and level in (StockLevel.LOW_STOCK, StockLevel.OUT_OF_STOCK):
        return PositionQuery(wanted, filters, size, low_after=_LOW.place(token, filters))
    return PositionQuery(wanted, filters, size, after=_POSITIONS.place(token, filters))


def list_position_page(state: State, query: PositionQuery, now_ms: TimeMs) -> Page[PositionView]:
    """Return a page of positions; a query of the core's state."""
    by = (query.wanted, now_ms)

    def listed(size: int) -> Page[PositionView]:
        if query.low_after is not None:
            return list_low_positions(state, query.low_after, size, by)
        assert query.after is not None
        return list_positions(state, query.after, size, by)

    return bounded_page(listed, query.size, position_bytes)
