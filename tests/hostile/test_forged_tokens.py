"""A page token that somebody made, with the right checksum: it leads to a page, or is refused."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec
import pytest

from domgrpc.core.listings import Page
from domgrpc.core.order_queries import OrderFilter
from domgrpc.core.values import StockLevel
from domgrpc.engine.engine import Engine
from domgrpc.rpc.pages import (
    Listing,
    LowPositionPlace,
    NamePlace,
    OrderPlace,
    PositionPlace,
    ReservationPlace,
    SkuPlace,
)
from domgrpc.v1 import inventory_pb2, location_pb2, order_pb2, product_pb2, reservation_pb2
from tests.engine.rooms import Room
from tests.hostile.call_lives import open_shop
from tests.hostile.nasty_strings import NASTY_STRINGS
from tests.hostile.surface import METHODS, Surface
from tests.hostile.verdicts import finding

NUMBERS = (-(2**63), -2, -1, 0, 1, 5, 63, 64, 10**9, 2**31, 2**62, 2**63 - 1, 2**64 - 1)
NAMES = ("", "a", "zzzz", *NASTY_STRINGS[:20])
LOW = StockLevel.LOW_STOCK.value

LISTS: tuple[tuple[Listing[Any], tuple[object, ...], Any], ...] = (
    (
        Listing("ListSafetyStockRules", NamePlace, ("",)),
        (),
        inventory_pb2.ListSafetyStockRulesRequest(),
    ),
    (Listing("ListLocations", NamePlace, ("",)), (0, ""), location_pb2.ListLocationsRequest()),
    (Listing("ListLocationGroups", NamePlace, ("",)), (), location_pb2.ListLocationGroupsRequest()),
    (Listing("ListProducts", SkuPlace, (0, -1)), ("",), product_pb2.ListProductsRequest()),
    (
        Listing("ListPositions", PositionPlace, (0, 0, -1)),
        (0, "", ""),
        inventory_pb2.ListPositionsRequest(),
    ),
    (
        Listing("ListPositions", LowPositionPlace, ("", -1)),
        (LOW, "", ""),
        inventory_pb2.ListPositionsRequest(level="STOCK_LEVEL_LOW_STOCK"),
    ),
    (
        Listing("ListReservations", ReservationPlace, (-1, "")),
        (0, "", "", ""),
        reservation_pb2.ListReservationsRequest(),
    ),
    (
        Listing("ListOrders", OrderPlace, (-1, "")),
        msgspec.structs.astuple(OrderFilter()),
        order_pb2.ListOrdersRequest(),
    ),
)


def forged_places(like: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Iterate places of a kind, and some of no kind."""
    yield from product(*((NAMES if isinstance(part, str) else NUMBERS) for part in like))
    yield from ((), (0,) * 9, ("", "", ""), (1, "a"), ("a", 1))


@pytest.mark.slow
def test_a_forged_page_token_leads_to_a_page_or_is_refused() -> None:
    assert Room().live(ask_with_forged_tokens) == []


async def ask_with_forged_tokens(engine: Engine) -> list[str]:
    surface = Surface(engine)
    await open_shop(surface)
    methods = {method.name: method for method in METHODS}
    found = []
    codes = set()
    for listing, filters, request in LISTS:
        method = methods[request.DESCRIPTOR.name.removesuffix("Request")]
        for place in list(forged_places(listing.first))[::7]:
            request.page_token = listing.token(Page((), place), filters)
            ending = await surface.call(method, [request.SerializeToString()])
            codes.add(ending.reason)
            what = finding(ending)
            if what:
                found.append(f"{method.name} at {place}: {what}")
    # Some were believed, so that the places themselves were reached.
    assert {"OK", "PAGE_TOKEN_INVALID"} <= codes
    return found
