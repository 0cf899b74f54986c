"""The state as chunks of bytes and back: what a snapshot holds, and what a digest is made of.

Each chunk is one msgpack value; docs/data-format.md (Snapshot chunks) lists the kinds. The SKUs
of a shard fill chunks of their own, so that a shard can be compared, and later moved, alone.
Numbers of positions are little-endian arrays.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

import msgspec
from xxhash import xxh3_128

from domgrpc.core.answers import KeptAnswer
from domgrpc.core.calendars import (
    LocationCalendar,
    LocationCalendarSaved,
    evolve_calendar_saved,
)
from domgrpc.core.carriers import (
    Lane,
    LaneSaved,
    RateCard,
    RateCardSaved,
    evolve_card_saved,
    evolve_lane_saved,
)
from domgrpc.core.delta_memory import RememberedDelta
from domgrpc.core.location_groups import GroupSaved, LocationGroup, evolve_group_saved
from domgrpc.core.locations import Location, LocationSaved, evolve_location_saved
from domgrpc.core.orders import Order
from domgrpc.core.positions import Shard, SkuStock, low_positions_of
from domgrpc.core.products import Product
from domgrpc.core.reservations import Reservation
from domgrpc.core.rule_set_book import restore_rule_set
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.safety_stock import SafetyStockRule
from domgrpc.core.state import State
from domgrpc.core.supply import Supply
from domgrpc.core.values import (
    LocationIndex,
    OrderId,
    Quantity,
    ReservationId,
    Retention,
    Revision,
    Sku,
    SourceId,
    StockCondition,
    TimeMs,
)

META = 1
LOCATIONS = 2
GROUPS = 3
PRODUCTS = 4
RULES = 5
SHARD = 6
RESERVATIONS = 7
FINISHED = 8
DELTAS = 9
ANSWERS = 10
ORDERS = 16
FINISHED_ORDERS = 17
DEADLINES = 11
"""Only in digests: they follow from the reservations, and a snapshot leaves them out."""
RATE_CARDS = 12
LANES = 13
CALENDARS = 14
RULE_SETS = 15

ANSWERS_PER_PART = 2_000
"""How many kept answers are encoded before other calls get their turn."""
_ENTRIES_PER_CHUNK = 5_000
_SKUS_PER_CHUNK = 1_000
_CHUNK_BYTES_MAX = 16 * 1024 * 1024
"""A chunk with more is split; storage takes four times as much."""


class Meta(msgspec.Struct, frozen=True, array_like=True):
    """The scalars of the state."""

    revision: Revision
    time_ms: TimeMs
    last_sequences: dict[SourceId, int]
    delta_floor_ms: TimeMs
    retention: Retention = Retention()


class SkuEntry(msgspec.Struct, frozen=True, array_like=True):
    """One SKU's positions; the bytes are its arrays."""

    sku: Sku
    location_indexes: bytes
    on_hand: bytes
    soft_reserved: bytes
    allocated: bytes
    count_times_ms: bytes
    levels: bytes
    conditions: tuple[tuple[LocationIndex, StockCondition, Quantity], ...] = ()
    inbound: tuple[tuple[LocationIndex, tuple[Supply, ...]], ...] = ()


_ENCODER = msgspec.msgpack.Encoder()
CHUNK_TYPES: dict[int, Any] = {
    META: Meta,
    LOCATIONS: list[Location],
    GROUPS: list[LocationGroup],
    PRODUCTS: list[Product],
    RULES: list[SafetyStockRule],
    RULE_SETS: list[RuleSet],
    SHARD: list[SkuEntry],
    RESERVATIONS: list[Reservation],
    FINISHED: list[tuple[ReservationId, Revision]],
    DELTAS: list[RememberedDelta],
    ANSWERS: list[tuple[str, KeptAnswer]],
    ORDERS: list[Order],
    FINISHED_ORDERS: list[tuple[OrderId, Revision]],
    RATE_CARDS: list[RateCard],
    LANES: list[Lane],
    CALENDARS: list[LocationCalendar],
}
"""What the payload of each kind holds."""
_DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {
    kind: msgspec.msgpack.Decoder(content) for kind, content in CHUNK_TYPES.items()
}


# --- state to chunks


def dump(state: State) -> Iterator[tuple[int, int, bytes]]:
    """Iterate (kind, key, payload) of everything; the key is the shard or the chunk's number."""
    yield from dump_shared(state)
    for number, shard in enumerate(state.network.stock.shards):
        yield from dump_shard(shard, number)
    answers = ((key, state.answers.by_key[key]) for key in state.answers.order)
    yield from _chunks(ANSWERS, answers)


def dump_shared(state: State) -> Iterator[tuple[int, int, bytes]]:
    """Iterate the chunks of what belongs to no shard, without the kept answers."""
    network = state.network
    meta = Meta(
        state.revision,
        state.time_ms,
        state.feeds.last_sequences,
        state.memory.floor_ms,
        state.retention,
    )
    yield META, 0, _ENCODER.encode(meta)
    yield from _chunks(LOCATIONS, network.locations.by_index)
    yield from _chunks(GROUPS, network.groups.by_id.values())
    yield from _chunks(PRODUCTS, network.products.by_sku.values())
    yield from _chunks(RULES, network.rules.by_id.values())
    yield from _chunks(RATE_CARDS, state.logistics.carriers.cards.values())
    yield from _chunks(LANES, state.logistics.carriers.lanes.values())
    yield from _chunks(CALENDARS, state.logistics.calendars.by_key.values())
    yield from _chunks(RULE_SETS, state.rule_sets.by_version.values())
    yield from _chunks(RESERVATIONS, state.reservations.by_id.values())
    yield from _chunks(FINISHED, state.reservations.finished)
    yield from _chunks(ORDERS, state.orders.by_id.values())
    yield from _chunks(FINISHED_ORDERS, state.orders.finished.items())
    yield from _chunks(DELTAS, state.memory.entries)


def dump_shard(shard: Shard, number: int) -> Iterator[tuple[int, int, bytes]]:
    """Iterate the chunks of one shard, its SKUs in the order in which they were first seen."""
    for start in range(0, len(shard.order), _SKUS_PER_CHUNK):
        skus = shard.order[start : start + _SKUS_PER_CHUNK]
        for payload in _payloads([_sku_entry(stock) for stock in skus]):
            yield SHARD, number, payload


def part_digests(state: State) -> Iterator[tuple[str, str]]:
    """Iterate (name, digest) of the parts of everything, each taken when it is asked for.

    The state may change between any two: whoever compares another state takes each digest at
    the revision at which it was taken here. There is a part behind the last full one of the
    answers, so that one answer more or less is noticed.
    """
    deadlines = _chunks(DEADLINES, state.reservations.deadlines)
    yield "what belongs to no shard", digest(chain(dump_shared(state), deadlines))
    for number, shard in enumerate(state.network.stock.shards):
        yield f"shard {number}", digest(dump_shard(shard, number))
    answers = state.answers
    keys = list(answers.order)
    for start in range(0, len(keys) + 1, ANSWERS_PER_PART):
        part = keys[start : start + ANSWERS_PER_PART]
        # Some may have been forgotten since the keys were listed.
        kept = ((key, answers.by_key[key]) for key in part if key in answers.by_key)
        yield f"kept answers {start} and up", digest(_chunks(ANSWERS, kept))


def digest(chunks: Iterable[tuple[int, int, bytes]]) -> str:
    """Return 128 bits over chunks, in hexadecimal."""
    hasher = xxh3_128()
    for kind, key, payload in chunks:
        hasher.update(b"%d %d %d " % (kind, key, len(payload)))
        hasher.update(payload)
    return hasher.hexdigest()


def _chunks(kind: int, entries: Iterable[Any]) -> Iterator[tuple[int, int, bytes]]:
    remaining = iter(entries)
    number = 0
    while batch := list(islice(remaining, _ENTRIES_PER_CHUNK)):
        for payload in _payloads(batch):
            yield kind, number, payload
            number += 1


def _payloads(entries: list[Any]) -> Iterator[bytes]:
    # Mostly one. SKUs of thousands of stores and answers of thousands of lines are split.
    payload = _ENCODER.encode(entries)
    if len(payload) <= _CHUNK_BYTES_MAX or len(entries) == 1:
        yield payload
        return
    middle = len(entries) // 2
    yield from _payloads(entries[:middle])
    yield from _payloads(entries[middle:])


def _sku_entry(stock: SkuStock) -> SkuEntry:
    conditions = sorted((stock.conditions or {}).items())
    inbound = sorted((stock.inbound or {}).items())
    return SkuEntry(
        stock.sku,
        _to_bytes(stock.location_indexes),
        _to_bytes(stock.on_hand),
        _to_bytes(stock.soft_reserved),
        _to_bytes(stock.allocated),
        _to_bytes(stock.count_times_ms),
        _to_bytes(stock.levels),
        tuple((index, condition, units) for (index, condition), units in conditions),
        tuple((index, tuple(supplies)) for index, supplies in inbound if len(supplies)),
    )


def _to_bytes(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


# --- chunks to state


def decode_chunk(kind: int, payload: bytes) -> Any:  # noqa: ANN401 - each kind holds another type
    """Return what a chunk holds."""
    return _DECODERS[kind].decode(payload)


def load_chunk(state: State, kind: int, key: int, payload: bytes) -> None:
    """Add a chunk to a state that is being built; chunks come in the order of `dump`."""
    entries = decode_chunk(kind, payload)
    if kind == SHARD:
        _load_skus(state, key, entries)
    else:
        _LOADERS[kind](state, entries)


def _load_meta(state: State, meta: Meta) -> None:
    state.revision = meta.revision
    state.time_ms = meta.time_ms
    state.feeds.last_sequences.update(meta.last_sequences)
    state.memory.floor_ms = meta.delta_floor_ms
    # Before what it bounds is loaded.
    state.retain(meta.retention, meta.time_ms)


def _load_locations(state: State, locations: list[Location]) -> None:
    for location in locations:
        evolve_location_saved(state.network.locations, LocationSaved(location))


def _load_groups(state: State, groups: list[LocationGroup]) -> None:
    for group in groups:
        evolve_group_saved(state.network.groups, state.network.locations, GroupSaved(group))


def _load_products(state: State, products: list[Product]) -> None:
    for product in products:
        state.network.products.by_sku[product.sku] = product


def _load_rules(state: State, rules: list[SafetyStockRule]) -> None:
    for rule in rules:
        state.network.rules.put(rule)
    state.network.stock.levels_by_rule = True


def _load_cards(state: State, cards: list[RateCard]) -> None:
    for card in cards:
        evolve_card_saved(state.logistics.carriers, RateCardSaved(card))


def _load_lanes(state: State, lanes: list[Lane]) -> None:
    for lane in lanes:
        evolve_lane_saved(state.logistics.carriers, LaneSaved(lane))


def _load_calendars(state: State, calendars: list[LocationCalendar]) -> None:
    for calendar in calendars:
        evolve_calendar_saved(state.logistics.calendars, LocationCalendarSaved(calendar))


def _load_rule_sets(state: State, rule_sets: list[RuleSet]) -> None:
    for rule_set in rule_sets:
        restore_rule_set(state.rule_sets, rule_set)


def _load_reservations(state: State, reservations: list[Reservation]) -> None:
    state.reservations.restore(reservations)


def _load_finished(state: State, finished: list[tuple[ReservationId, Revision]]) -> None:
    state.reservations.finished.extend(finished)


def _load_orders(state: State, orders: list[Order]) -> None:
    state.orders.restore(orders)


def _load_finished_orders(state: State, finished: list[tuple[OrderId, Revision]]) -> None:
    state.orders.restore_finished(finished)


def _load_deltas(state: State, deltas: list[RememberedDelta]) -> None:
    floor_ms = state.memory.floor_ms
    for delta in deltas:
        state.memory.remember(delta)
    state.memory.floor_ms = max(floor_ms, state.memory.floor_ms)


def _load_answers(state: State, answers: list[tuple[str, KeptAnswer]]) -> None:
    state.answers.restore(answers)


_LOADERS: dict[int, Callable[[State, Any], None]] = {
    META: _load_meta,
    LOCATIONS: _load_locations,
    GROUPS: _load_groups,
    PRODUCTS: _load_products,
    RULES: _load_rules,
    RULE_SETS: _load_rule_sets,
    RESERVATIONS: _load_reservations,
    FINISHED: _load_finished,
    ORDERS: _load_orders,
    FINISHED_ORDERS: _load_finished_orders,
    DELTAS: _load_deltas,
    ANSWERS: _load_answers,
    RATE_CARDS: _load_cards,
    LANES: _load_lanes,
    CALENDARS: _load_calendars,
}


def _load_skus(state: State, shard_number: int, entries: list[SkuEntry]) -> None:
    network_stock = state.network.stock
    shard = network_stock.shards[shard_number]
    low: list[tuple[Sku, LocationIndex]] = []
    for entry in entries:
        stock = SkuStock(entry.sku, shard_number, len(shard.order))
        _from_bytes(stock.location_indexes, entry.location_indexes)
        _from_bytes(stock.on_hand, entry.on_hand)
        _from_bytes(stock.soft_reserved, entry.soft_reserved)
        _from_bytes(stock.allocated, entry.allocated)
        _from_bytes(stock.count_times_ms, entry.count_times_ms)
        _from_bytes(stock.levels, entry.levels)
        for index, condition, units in entry.conditions:
            stock.add_condition(index, condition, units)
        for index, supplies in entry.inbound:
            for supply in supplies:
                stock.ensure_supplies(index).put(supply)
        network_stock.add(stock)
        network_stock.position_count += len(stock.location_indexes)
        low.extend(low_positions_of(stock))
    network_stock.low_positions.update(low)


def _from_bytes(numbers: "array[int]", content: bytes) -> None:
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
