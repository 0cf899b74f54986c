"""The first scenes: the retailer is stored, and a customer asks what can be collected nearby."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

from domgrpc.cli.demonstration.retailer import STORE
from domgrpc.cli.demonstration.stage import Stage
from domgrpc.client import in_groups, near
from domgrpc.v1.inventory_pb2 import (
    CheckAvailabilityResponse,
    LocationAvailability,
    SkuAvailability,
    StockUpdate,
    StreamStockUpdatesRequest,
)
from domgrpc.v1.types_pb2 import DeliveryMethod, Scope

PICKUP: Final = DeliveryMethod.DELIVERY_METHOD_PICKUP
PLACES_NEARBY: Final = 6
CHANNEL: Final = "web"
_EVERYWHERE_KM: Final = 20_000.0
_BATCH_ROWS: Final = 1_000
_UNITS_MIN: Final = 3
_UNITS_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the customer's nearest store has: some units of one product, and another product."""

    location_id: str
    sku: str
    available: int
    other_sku: str
    other_available: int


def nearby(stage: Stage) -> Scope:
    """Return the scope of the places nearest to the customer."""
    return near(
        stage.customer.latitude_degrees,
        stage.customer.longitude_degrees,
        radius_km=_EVERYWHERE_KM,
        location_count_max=PLACES_NEARBY,
    )


async def start(stage: Stage) -> None:
    """Start the server on its empty folder and say where it is."""
    seconds = await stage.server.start()
    server = stage.server
    stage.narration.scene("A server")
    stage.narration.say(
        f"Process {server.pid} listens on {server.target} after {seconds:.1f} s. Its folder is "
        f"{server.folder}."
    )


async def store_retailer(stage: Stage) -> None:
    """Prove that places, groups, products and rules are stored as they were sent."""
    stage.narration.scene("A retailer on the map of the United States")
    retailer = stage.retailer
    client = await stage.client("back-office")
    started = time.perf_counter()
    # One after the other: the order of creation decides between places that are equally good.
    for location in retailer.locations():
        await client.create_location(location)
    for group in retailer.groups():
        await client.create_location_group(group)
    await client.batch_create_products(retailer.products)
    await client.create_safety_stock_rule(retailer.pickup_rule())
    seconds = time.perf_counter() - started
    store_count = sum(site.type == STORE for site in retailer.sites)
    stage.narration.say(
        f"{len(retailer.sites) - store_count} distribution centers and {store_count} stores at "
        "real ZIP codes, grouped into 4 regions, and a rule: each store keeps the last unit of "
        "everything back from pickup orders."
    )
    status = await client.get_status()
    stage.promise(
        f"{len(retailer.sites)} locations and {len(retailer.products)} products stored in "
        f"{seconds:.2f} s",
        expected=(len(retailer.sites), len(retailer.products)),
        came=(status.location_count, status.sku_count),
    )
    stage.note("retailer", locations=status.location_count, skus=status.sku_count, seconds=seconds)


async def load_stock(stage: Stage) -> None:
    """Prove that a feed of stock is applied whole, and show how fast."""
    stage.narration.scene("Stock from a feed")
    retailer = stage.retailer
    client = await stage.client("back-office")
    updates = list(retailer.stock_counts())
    started = time.perf_counter()
    applied = 0
    async for answer in client.stream_stock(_batches("opening-count", updates)):
        applied += answer.applied_count
    seconds = time.perf_counter() - started
    rate = applied / seconds
    status = await client.get_status()
    stage.promise(
        f"{applied:,} counts ({len(retailer.products)} products x {len(retailer.sites)} places) "
        f"in {seconds:.2f} s: {rate:,.0f} rows/s, each safely on disk",
        expected=(len(updates), len(updates)),
        came=(applied, status.position_count),
    )
    everything = await client.check_availability(retailer.skus)
    units = sum(item.available_to_fulfill for item in everything.items)
    stage.promise(
        f"{units:,} units in all, as many as were sent",
        expected=sum(update.count.on_hand for update in updates),
        came=units,
    )
    stage.note("stock", rows=applied, units=units, seconds=seconds, rows_per_second=rate)


async def show_availability(stage: Stage) -> Offer:
    """Prove that availability is sorted by distance and that every figure has its parts."""
    stage.narration.scene(f"What can be collected near {stage.customer}?")
    client = await stage.client("checkout")

    async def ask() -> tuple[CheckAvailabilityResponse, float]:
        started = time.perf_counter()
        answer = await client.check_availability(
            stage.retailer.skus,
            scope=nearby(stage),
            channel=CHANNEL,
            delivery_method=PICKUP,
            include_locations=True,
        )
        return answer, (time.perf_counter() - started) * 1_000

    answer, first_ms = await ask()
    _, again_ms = await ask()
    pairs = sum(len(item.locations) for item in answer.items)
    stage.narration.say(
        f"{len(answer.items)} products at the {PLACES_NEARBY} nearest places, {pairs:,} figures "
        f"in one call: {first_ms:.0f} ms for the first question of this kind, {again_ms:.1f} ms "
        "for the next. One product with the parts of its figures:"
    )
    offer = _choose_offer(answer.items[: len(stage.retailer.customer_skus)])
    await _show_parts(stage, offer)
    stage.note(
        "availability",
        figures=pairs,
        first_ms=first_ms,
        again_ms=again_ms,
        sku=offer.sku,
        nearest_store=offer.location_id,
    )
    return offer


async def _show_parts(stage: Stage, offer: Offer) -> None:
    client = await stage.client("checkout")
    answer = await client.check_availability(
        [offer.sku],
        scope=nearby(stage),
        channel=CHANNEL,
        delivery_method=PICKUP,
        include_locations=True,
        include_parts=True,
    )
    found = answer.items[0].locations
    stage.narration.say(f"{stage.retailer.product_name(offer.sku)} ({offer.sku})")
    stage.narration.table(
        ("km", "place", "available", "= on hand", "- held", "- sold", "- kept"),
        [_parts_row(stage, place) for place in found],
        left=frozenset({"place"}),
    )
    await _show_totals(stage, offer)
    stage.promise(
        "nearest first, and every figure is the sum of its parts",
        expected=(sorted(place.distance_km for place in found), []),
        came=(
            [place.distance_km for place in found],
            [place for place in found if place.available_to_fulfill != _sum_of_parts(place)],
        ),
    )


async def _show_totals(stage: Stage, offer: Offer) -> None:
    client = await stage.client("checkout")
    region = stage.retailer.site(offer.location_id).region
    scopes = {"nearby": nearby(stage), f"in the {region}": in_groups([region]), "everywhere": None}
    totals = []
    for name, scope in scopes.items():
        answer = await client.check_availability(
            [offer.sku], scope=scope, channel=CHANNEL, delivery_method=PICKUP
        )
        totals.append(f"{answer.items[0].available_to_fulfill:,} {name}")
    stage.narration.say(f"For pickup in all: {', '.join(totals)}.")


def _batches(source: str, updates: list[StockUpdate]) -> Iterator[StreamStockUpdatesRequest]:
    rows = iter(updates)
    for sequence in count(1):
        batch = list(islice(rows, _BATCH_ROWS))
        if not batch:
            return
        yield StreamStockUpdatesRequest(source=source, sequence=sequence, updates=batch)


def _choose_offer(items: Sequence[SkuAvailability]) -> Offer:
    """Choose a scarce product of the nearest store with pickup, and another one that it has."""
    nearest = min(
        (place for item in items for place in item.locations if place.available_to_fulfill),
        key=lambda place: place.distance_km,
    )
    available = {
        item.sku: {place.location_id: place.available_to_fulfill for place in item.locations}
        for item in items
    }
    sku = next(
        sku
        for sku, by_place in available.items()
        if _UNITS_MIN <= by_place[nearest.location_id] <= _UNITS_MAX
        and sorted(by_place.values())[-2] >= _UNITS_MAX
    )
    other_sku = next(
        other
        for other, by_place in available.items()
        if by_place[nearest.location_id] > 1 and other.partition("-")[0] != sku.partition("-")[0]
    )
    return Offer(
        location_id=nearest.location_id,
        sku=sku,
        available=available[sku][nearest.location_id],
        other_sku=other_sku,
        other_available=available[other_sku][nearest.location_id],
    )


def _parts_row(stage: Stage, place: LocationAvailability) -> tuple[str, ...]:
    parts = place.parts
    figures = (parts.on_hand, parts.soft_reserved, parts.allocated, parts.safety_stock)
    town = stage.retailer.site(place.location_id).place
    return (
        f"{place.distance_km:,.1f}",
        f"{town.city} {town.state}" + (" (no pickup)" if parts.excluded_reason else ""),
        str(place.available_to_fulfill),
        *map(str, figures),
    )


def _sum_of_parts(place: LocationAvailability) -> int:
    parts = place.parts
    if parts.excluded_reason:
        return 0
    claimed = parts.soft_reserved + parts.allocated + parts.safety_stock
    return max(0, parts.on_hand - claimed)
