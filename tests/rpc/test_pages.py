"""Pages: their size, their tokens, and that a list is stable while data changes."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from domgrpc.core.listings import Page
from domgrpc.rpc.pages import Listing, NamePlace, bounded_page, page_size
from domgrpc.rpc.refusals import Refused
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX
from domgrpc.v1 import inventory_pb2 as iv
from domgrpc.v1 import location_pb2 as lo
from domgrpc.v1 import product_pb2 as pr
from domgrpc.v1 import reservation_pb2 as re
from domgrpc.v1 import types_pb2
from tests.rpc.serving import Field, Shop, refusal

Walk = Callable[..., Awaitable[list[str]]]


async def walk(
    method: Callable[[Any], Awaitable[Any]], request: type[Any], name: str, **fields: Field
) -> list[str]:
    """Return the ids of all pages, each page but the last as long as asked."""
    field, _, key = name.partition(".")
    found: list[str] = []
    token = ""
    while True:
        answer = await method(request(page_token=token, page_size=2, **fields))
        entries = getattr(answer, field)
        found.extend(getattr(entry, key) for entry in entries)
        token = answer.next_page_token
        if not token:
            return found
        assert len(entries) == 2


@pytest.fixture
async def filled(shop: Shop) -> Shop:
    """A shop with five of everything."""
    for number in range(5):
        await shop.add_location(f"l{number}")
        await shop.locations.CreateLocationGroup(
            lo.CreateLocationGroupRequest(
                request_id=shop.key(), group=lo.LocationGroup(group_id=f"g{number}")
            )
        )
        await shop.inventory.CreateSafetyStockRule(
            iv.CreateSafetyStockRuleRequest(
                request_id=shop.key(),
                rule=iv.SafetyStockRule(rule_id=f"r{number}", channel="x", fixed_quantity=1),
            )
        )
        await shop.count((f"s{number}", "l0", 5))
        await shop.hold((f"s{number}", "l0", 1), reservation_id=f"h{number}")
    return shop


async def test_every_list_gives_each_entry_once_over_its_pages(filled: Shop) -> None:
    shop = filled
    numbers = range(5)
    assert await walk(
        shop.locations.ListLocations, lo.ListLocationsRequest, "locations.location_id"
    ) == [f"l{number}" for number in numbers]
    assert await walk(
        shop.locations.ListLocationGroups, lo.ListLocationGroupsRequest, "groups.group_id"
    ) == [f"g{number}" for number in numbers]
    assert await walk(
        shop.inventory.ListSafetyStockRules, iv.ListSafetyStockRulesRequest, "rules.rule_id"
    ) == [f"r{number}" for number in numbers]
    assert await walk(
        shop.reservations.ListReservations,
        re.ListReservationsRequest,
        "reservations.reservation_id",
    ) == [f"h{number}" for number in numbers]
    skus = await walk(shop.products.ListProducts, pr.ListProductsRequest, "products.sku")
    assert sorted(skus) == [f"s{number}" for number in numbers]
    positions = await walk(shop.inventory.ListPositions, iv.ListPositionsRequest, "positions.sku")
    assert positions == skus


async def test_low_positions_are_paged_from_their_index(filled: Shop) -> None:
    await filled.count(*((f"s{number}", "l0", 1) for number in range(5)))
    found = await walk(
        filled.inventory.ListPositions,
        iv.ListPositionsRequest,
        "positions.sku",
        level=types_pb2.STOCK_LEVEL_OUT_OF_STOCK,
    )
    assert found == [f"s{number}" for number in range(5)]


async def test_a_list_skips_and_repeats_nothing_while_entries_come_and_go(
    filled: Shop,
) -> None:
    shop = filled
    first = await shop.locations.ListLocations(lo.ListLocationsRequest(page_size=2))
    await shop.add_location("a-new-one-before")
    await shop.add_location("l1-between")
    second = await shop.locations.ListLocations(
        lo.ListLocationsRequest(page_size=9, page_token=first.next_page_token)
    )
    found = [location.location_id for page in (first, second) for location in page.locations]
    assert found == ["l0", "l1", "l1-between", "l2", "l3", "l4"]


async def test_a_token_of_another_query_is_refused(filled: Shop) -> None:
    shop = filled
    page = await shop.products.ListProducts(pr.ListProductsRequest(page_size=1))
    token = page.next_page_token
    for call in (
        shop.products.ListProducts(pr.ListProductsRequest(page_token=token, category="c")),
        shop.inventory.ListPositions(iv.ListPositionsRequest(page_token=token)),
        shop.locations.ListLocations(lo.ListLocationsRequest(page_token=token)),
        shop.products.ListProducts(pr.ListProductsRequest(page_token=token[:-4])),
        shop.products.ListProducts(pr.ListProductsRequest(page_token="nonsense")),  # noqa: S106
        shop.products.ListProducts(pr.ListProductsRequest(page_token="\u00e9" * 9_000)),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "PAGE_TOKEN_INVALID",
        )
        assert refused.field == "page_token"


async def test_the_page_size_may_change_from_page_to_page(filled: Shop) -> None:
    page = await filled.products.ListProducts(pr.ListProductsRequest(page_size=1))
    rest = await filled.products.ListProducts(
        pr.ListProductsRequest(page_size=5_000, page_token=page.next_page_token)
    )
    assert len(rest.products) == 4


def test_a_page_size_is_brought_within_its_limits() -> None:
    assert [page_size(value) for value in (0, 1, 1_000, 1_001)] == [100, 1, 1_000, 1_000]


def test_a_changed_token_is_refused() -> None:
    listing: Listing[NamePlace] = Listing("ListThings", NamePlace, ("",))
    token = listing.token(Page((), ("thing-9",)), ("filter",))
    assert listing.place(token, ("filter",)) == ("thing-9",)
    raw = bytearray(urlsafe_b64decode(token))
    for place in range(len(raw)):
        changed = bytes(raw[:place]) + bytes([raw[place] ^ 1]) + bytes(raw[place + 1 :])
        with pytest.raises(Refused):
            listing.place(urlsafe_b64encode(changed).decode(), ("filter",))


def test_a_page_of_large_entries_ends_early() -> None:
    entries = tuple(range(10))

    def listed(size: int) -> Page[int]:
        return Page(entries[:size], (size,) if size < len(entries) else None)

    third = MESSAGE_BYTES_MAX // 3
    assert bounded_page(listed, 10, lambda _: third).next_place == (3,)
    assert bounded_page(listed, 10, lambda _: MESSAGE_BYTES_MAX + 1).next_place == (1,)
    assert bounded_page(listed, 10, lambda _: 1).next_place is None
