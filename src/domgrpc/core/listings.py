"""Listings: pages of what there is, in an order that is stable while data changes.

A page is asked with a filter and the place where the page before ended. Filters that no index
serves look at a bounded number of entries a page, so that no list stops the writer for long; such
a page may hold fewer entries than asked, even none, and still have a next place.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from domgrpc.core.calendars import LocationCalendar, OwnerKey, calendars_after
from domgrpc.core.carriers import Lane, RateCard, cards_after, lanes_after
from domgrpc.core.location_groups import LocationGroup, groups_after
from domgrpc.core.locations import Location, locations_after
from domgrpc.core.network import Ask, Network
from domgrpc.core.positions import SkuStock
from domgrpc.core.products import Product, find_product
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.reservations import Reservation, ReservationState
from domgrpc.core.rule_set_book import rule_sets_before
from domgrpc.core.rule_sets import RuleSet, RuleSetState
from domgrpc.core.safety_stock import RuleKind, SafetyStockRule
from domgrpc.core.state import State
from domgrpc.core.supply import Supply
from domgrpc.core.values import (
    ClientId,
    Demand,
    GroupId,
    LocationId,
    LocationIndex,
    LocationType,
    Quantity,
    RuleId,
    Sku,
    StockCondition,
    StockLevel,
    TimeMs,
)

SCANNED_PER_PAGE_MAX = 10_000

Entry = TypeVar("Entry")


class Page(msgspec.Struct, Generic[Entry], frozen=True):
    """Entries and the place behind the last one looked at; None at the end."""

    entries: tuple[Entry, ...]
    next_place: tuple[str | int, ...] | None


class PositionView(msgspec.Struct, frozen=True):
    """The figures of one position."""

    sku: Sku
    location_id: LocationId
    on_hand: int
    soft_reserved: int
    allocated: int
    safety_stock: int
    available_to_fulfill: int
    conditions: tuple[tuple[StockCondition, Quantity], ...]
    inbound: tuple[Supply, ...]
    level: StockLevel
    count_time_ms: TimeMs

    @property
    def oversold(self) -> int:
        """Return the claims beyond on_hand."""
        return max(0, self.soft_reserved + self.allocated - self.on_hand)


class PositionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which positions; None for any."""

    sku: Sku | None = None
    location_id: LocationId | None = None
    level: StockLevel | None = None


class ReservationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reservations; None for any."""

    state: ReservationState | None = None
    client_id: ClientId | None = None
    sku: Sku | None = None
    location_id: LocationId | None = None

    def matches(self, reservation: Reservation) -> bool:
        """Whether a reservation is wanted."""
        return (
            self.state in (None, reservation.state)
            and self.client_id in (None, reservation.client_id)
            and (
                (self.sku is None and self.location_id is None)
                or any(
                    self.sku in (None, line.sku) and self.location_id in (None, line.location_id)
                    for line in reservation.lines
                )
            )
        )


def list_locations(
    state: State, after: str, size: int, wanted: tuple[LocationType | None, GroupId | None]
) -> Page[Location]:
    """List locations by id behind `after`, of a type and in a group where given."""
    kind, group_id = wanted
    members = None
    if group_id is not None:
        state.network.groups.get(group_id)
        members = state.network.groups.members[group_id]
    index_of = state.network.locations.index_of

    def matches(location: Location) -> bool:
        inside = members is None or index_of[location.location_id] in members
        return inside and kind in (None, location.type)

    found = locations_after(state.network.locations, after)
    return page_of(found, size, matches, lambda location: (location.location_id,))


def list_groups(state: State, after: str, size: int) -> Page[LocationGroup]:
    """List groups by id behind `after`."""
    found = groups_after(state.network.groups, after)
    return page_of(found, size, lambda _: True, lambda group: (group.group_id,))


def list_rules(state: State, after: str, size: int) -> Page[SafetyStockRule]:
    """List rules by id behind `after`."""
    rules = state.network.rules.by_id
    found = (rules[key] for key in rules.irange(RuleId(after), None, (False, True)))
    return page_of(found, size, lambda _: True, lambda rule: (rule.rule_id,))


def list_rate_cards(state: State, after: str, size: int) -> Page[RateCard]:
    """List rate cards by service behind `after`."""
    found = cards_after(state.logistics.carriers, after)
    return page_of(found, size, lambda _: True, lambda card: (card.service_id,))


def list_lanes(state: State, after: str, size: int) -> Page[Lane]:
    """List lanes by service behind `after`."""
    found = lanes_after(state.logistics.carriers, after)
    return page_of(found, size, lambda _: True, lambda lane: (lane.service_id,))


def list_calendars(state: State, after: OwnerKey, size: int) -> Page[LocationCalendar]:
    """List calendars behind an owner, those of types before those of locations."""
    found = calendars_after(state.logistics.calendars, after)
    return page_of(found, size, lambda _: True, lambda calendar: calendar.owner.key)


def list_rule_sets(
    state: State, before: int, size: int, wanted: RuleSetState | None
) -> Page[RuleSet]:
    """List rule sets of versions below `before`, the newest first, in a state where given."""
    return page_of(
        rule_sets_before(state.rule_sets, before),
        size,
        lambda rule_set: wanted in (None, rule_set.state),
        lambda rule_set: (rule_set.version,),
    )


def list_products(
    state: State, after: tuple[int, int], size: int, category: str | None
) -> Page[Product]:
    """List products behind (shard, ordinal), of a category where given."""

    def product_of(stock: SkuStock) -> Product:
        product = find_product(state.network.products, stock.sku, state.is_stocked)
        assert product is not None
        return product

    page = page_of(
        state.network.stock.skus_after(*after),
        size,
        lambda stock: category is None or category in product_of(stock).fields.categories,
        lambda stock: (stock.shard_number, stock.ordinal),
    )
    return Page(tuple(product_of(stock) for stock in page.entries), page.next_place)


def list_reservations(
    state: State, after: tuple[int, str], size: int, wanted: ReservationFilter
) -> Page[Reservation]:
    """List reservations behind (create time, id), oldest first."""
    return page_of(
        state.reservations.after(after),
        size,
        wanted.matches,
        lambda reservation: (reservation.create_time_ms, reservation.reservation_id),
    )


def get_position(state: State, sku: Sku, location_id: LocationId, now_ms: TimeMs) -> PositionView:
    """Return the figures of one position or refuse with POSITION_NOT_FOUND."""
    stock = state.network.stock.find(sku)
    index = state.network.locations.index(location_id)
    slot = stock.slot(index) if stock is not None else -1
    if stock is None or slot < 0:
        raise Rejected(
            Reason.POSITION_NOT_FOUND,
            f"no stock was ever written for {sku!r} at {location_id!r}",
            sku=sku,
            location_id=location_id,
        )
    return position_view(state.network, stock, slot, now_ms)


def list_positions(
    state: State, after: tuple[int, int, int], size: int, by: tuple[PositionFilter, TimeMs]
) -> Page[PositionView]:
    """List positions behind (shard, ordinal, location index); `by` is (filter, now).

    Low and out-of-stock positions come from their index, one SKU from its arrays; everything
    else is looked at in order, up to a bound a page.
    """
    wanted, now_ms = by
    network = state.network
    if wanted.sku is not None:
        stock = network.stock.find(wanted.sku)
        skus: Iterable[SkuStock] = [] if stock is None else [stock]
    elif wanted.level in (StockLevel.LOW_STOCK, StockLevel.OUT_OF_STOCK):
        raise AssertionError("levels are listed by list_low_positions")
    else:
        skus = network.stock.skus_after(after[0], after[1] - 1)
    page = page_of(
        _positions_after(skus, after),
        size,
        _position_matches(network, wanted),
        lambda found: (
            found[0].shard_number,
            found[0].ordinal,
            found[0].location_indexes[found[1]],
        ),
    )
    return Page(
        tuple(position_view(network, stock, slot, now_ms) for stock, slot in page.entries),
        page.next_place,
    )


def list_low_positions(
    state: State, after: tuple[str, int], size: int, by: tuple[PositionFilter, TimeMs]
) -> Page[PositionView]:
    """List low and out-of-stock positions behind (SKU, location index) from their index."""
    wanted, now_ms = by
    network = state.network
    low = network.stock.low_positions
    first = (Sku(after[0]), LocationIndex(after[1]))

    def place(found: tuple[SkuStock, int]) -> tuple[str, int]:
        return found[0].sku, found[0].location_indexes[found[1]]

    def entries() -> Iterable[tuple[SkuStock, int]]:
        for sku, index in low.irange(first, None, (False, True)):
            stock = network.stock.find(sku)
            assert stock is not None, sku
            yield stock, stock.slot(index)

    page = page_of(entries(), size, _position_matches(network, wanted), place)
    return Page(
        tuple(position_view(network, stock, slot, now_ms) for stock, slot in page.entries),
        page.next_place,
    )


def position_view(network: Network, stock: SkuStock, slot: int, now_ms: TimeMs) -> PositionView:
    """Return the figures of a position without regard to channel, method and place's state."""
    network.refresh(now_ms)
    index = LocationIndex(stock.location_indexes[slot])
    on_hand = stock.on_hand[slot]
    rule = network.winner(RuleKind.SAFETY_STOCK, stock, index, Ask(Demand(), now_ms))
    safety = rule.quantity(on_hand) if rule is not None else 0
    supplies = stock.supplies(index)
    conditions = sorted((stock.conditions or {}).items())
    return PositionView(
        sku=stock.sku,
        location_id=network.locations.by_index[index].location_id,
        on_hand=on_hand,
        soft_reserved=stock.soft_reserved[slot],
        allocated=stock.allocated[slot],
        safety_stock=safety,
        available_to_fulfill=max(0, stock.free(slot) - safety),
        conditions=tuple((key[1], units) for key, units in conditions if key[0] == index),
        inbound=tuple(supplies) if supplies is not None else (),
        level=StockLevel(stock.levels[slot]),
        count_time_ms=TimeMs(stock.count_times_ms[slot]),
    )


def _positions_after(
    skus: Iterable[SkuStock], after: tuple[int, int, int]
) -> Iterable[tuple[SkuStock, int]]:
    for stock in skus:
        resumed = (stock.shard_number, stock.ordinal) == after[:2]
        for slot, index in enumerate(stock.location_indexes):
            if not resumed or index > after[2]:
                yield stock, slot


def _position_matches(
    network: Network, wanted: PositionFilter
) -> Callable[[tuple[SkuStock, int]], bool]:
    index = None
    if wanted.location_id is not None:
        index = network.locations.index(wanted.location_id)

    def matches(found: tuple[SkuStock, int]) -> bool:
        stock, slot = found
        return (
            index in (None, stock.location_indexes[slot])
            and wanted.sku in (None, stock.sku)
            and wanted.level in (None, stock.levels[slot])
        )

    return matches


def page_of(
    found: Iterable[Entry],
    size: int,
    matches: Callable[[Entry], bool],
    place_of: Callable[[Entry], tuple[str | int, ...]],
) -> Page[Entry]:
    """Return the next page of what is found; looks at a bounded number of entries."""
    entries: list[Entry] = []
    last: Entry | None = None
    for scanned, entry in enumerate(found):
        if last is not None and (len(entries) == size or scanned == SCANNED_PER_PAGE_MAX):
            return Page(tuple(entries), place_of(last))
        if matches(entry):
            entries.append(entry)
        last = entry
    return Page(tuple(entries), None)
