"""Deciding stock updates: a draft of the stock as it will be.

The draft remembers what the updates before have changed, so that the updates of one command see
each other and none of them touches the state. A refused update leaves the draft as it was.
"""

from typing import assert_never

import msgspec

from domgrpc.core.delta_memory import DeltaMemory
from domgrpc.core.moments import instant_text
from domgrpc.core.network import Network
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.stock_changes import (
    SELLABLE,
    AdjustStock,
    AnnounceSupply,
    BucketChanged,
    Cause,
    CountStock,
    MoveStock,
    ReceiveSupply,
    StockChange,
    StockCounted,
    StockUpdate,
    SupplyChanged,
)
from domgrpc.core.supply import SUPPLIES_PER_POSITION_MAX, Supply
from domgrpc.core.values import (
    QUANTITY_MAX,
    LocationIndex,
    Quantity,
    Sku,
    Stamp,
    StockCondition,
    SupplyId,
    TimeMs,
)

Bucket = tuple[Sku, LocationIndex, StockCondition]


class Draft:
    """The stock as it will be after the updates decided so far."""

    __slots__ = (
        "_at",
        "_buckets",
        "_counted_ms",
        "_deltas",
        "_memory",
        "_network",
        "_sku_room",
        "_supplies",
        "_supply_counts",
        "changes",
        "new_skus",
    )

    def __init__(self, network: Network, memory: DeltaMemory, at: Stamp) -> None:
        """Start from the state as it is."""
        self._network = network
        self._memory = memory
        self._at = at
        self._sku_room = network.products.limits.skus_max - network.stock.sku_count
        self._buckets: dict[Bucket, int] = {}
        self._deltas: dict[tuple[Sku, LocationIndex], list[tuple[TimeMs, int]]] = {}
        self._counted_ms: dict[tuple[Sku, LocationIndex], TimeMs] = {}
        self._supplies: dict[tuple[Sku, LocationIndex, SupplyId], Supply | None] = {}
        self._supply_counts: dict[tuple[Sku, LocationIndex], int] = {}
        self.changes: list[StockChange] = []
        self.new_skus: dict[Sku, None] = {}

    def apply(self, update: StockUpdate) -> None:
        """Decide one update; a refused one leaves the draft as it was."""
        index = self._network.locations.index(update.location_id)
        is_new = update.sku not in self.new_skus and self._network.stock.find(update.sku) is None
        if is_new and self._sku_room <= len(self.new_skus):
            raise Rejected(
                Reason.CAPACITY_EXCEEDED,
                f"{update.sku!r} would be one SKU more than are allowed",
                limit=self._network.products.limits.skus_max,
            )
        change_count = len(self.changes)
        match update:
            case CountStock():
                self._count(update, index)
            case AdjustStock():
                self._adjust(update, index)
            case MoveStock():
                self._move(update, index)
            case AnnounceSupply():
                self._announce(update, index)
            case ReceiveSupply():
                self._receive(update, index)
            case _:
                assert_never(update)
        if is_new and len(self.changes) > change_count:
            self.new_skus[update.sku] = None

    def _count(self, update: CountStock, index: LocationIndex) -> None:
        key = (update.sku, index, SELLABLE)
        before = self._quantity(key)
        if update.expected_on_hand is not None and update.expected_on_hand != before:
            raise Rejected(
                Reason.STALE_EXPECTATION,
                f"{update.sku!r} at {update.location_id!r} has {before} on hand, not the expected "
                f"{update.expected_on_hand}: read it again and decide anew",
                sku=update.sku,
                location_id=update.location_id,
                on_hand=before,
                expected_on_hand=update.expected_on_hand,
            )
        on_hand: int = update.on_hand
        if update.effective_time_ms is not None:
            on_hand += self._deltas_since(update, index, update.effective_time_ms)
        self._check_range(key, on_hand)
        self._buckets[key] = on_hand
        self._counted_ms[update.sku, index] = update.effective_time_ms or self._at.time_ms
        effective_ms = update.effective_time_ms or TimeMs(0)
        self.changes.append(
            StockCounted(update.sku, update.location_id, on_hand - before, effective_ms)
        )

    def _deltas_since(self, update: CountStock, index: LocationIndex, time_ms: TimeMs) -> int:
        self._check_past(time_ms)
        counted_ms = self._count_time_ms(update.sku, index)
        where = f"{update.sku!r} at {update.location_id!r}"
        if time_ms < counted_ms:
            raise Rejected(
                Reason.COUNT_OUTDATED,
                f"{where} was counted at {instant_text(counted_ms)}, after the given "
                f"{instant_text(time_ms)}: drop it",
                effective_time_ms=time_ms,
                count_time_ms=counted_ms,
            )
        if time_ms < self._memory.floor_ms:
            raise Rejected(
                Reason.EFFECTIVE_TIME_TOO_OLD,
                f"changes of {where} since {instant_text(time_ms)} are remembered only from "
                f"{instant_text(self._memory.floor_ms)} on: count again",
                effective_time_ms=time_ms,
                oldest_time_ms=self._memory.floor_ms,
            )
        drafted = self._deltas.get((update.sku, index), ())
        later = sum(delta for happened_ms, delta in drafted if happened_ms > time_ms)
        return self._memory.sum_after(update.sku, index, time_ms) + later

    def _adjust(self, update: AdjustStock, index: LocationIndex) -> None:
        effective_ms = update.effective_time_ms
        if effective_ms is not None:
            self._check_past(effective_ms)
            seen = effective_ms < self._count_time_ms(update.sku, index)
            if seen and update.condition is SELLABLE:
                # The later count has seen this change already.
                return
        change = BucketChanged(
            update.sku,
            update.location_id,
            update.delta,
            Cause.ADJUSTED,
            update.condition,
            update.reason,
            effective_ms or TimeMs(0),
        )
        self._check_range(
            (update.sku, index, update.condition),
            self._quantity((update.sku, index, update.condition)) + update.delta,
        )
        self._change(index, change)

    def _move(self, update: MoveStock, index: LocationIndex) -> None:
        target_id = update.to_location_id or update.location_id
        target = self._network.locations.index(target_id)
        from_key = (update.sku, index, update.from_condition)
        to_key = (update.sku, target, update.to_condition)
        quantity = update.quantity
        # Both are checked before either is put: a refused move leaves no half behind.
        self._check_range(from_key, self._quantity(from_key) - quantity)
        if from_key == to_key:
            return
        self._check_range(to_key, self._quantity(to_key) + quantity)
        for place, location_id, condition, delta in (
            (index, update.location_id, update.from_condition, -quantity),
            (target, target_id, update.to_condition, quantity),
        ):
            change = BucketChanged(
                update.sku, location_id, delta, Cause.MOVED, condition, update.reason
            )
            self._change(place, change)

    def _announce(self, update: AnnounceSupply, index: LocationIndex) -> None:
        supply = update.supply
        if not supply.quantity and self._supply(update.sku, index, supply.supply_id) is None:
            # To withdraw what is not announced must not make a SKU or a position of it.
            return
        self._put_supply(update, index, update.supply)
        self.changes.append(SupplyChanged(update.sku, update.location_id, update.supply))

    def _receive(self, update: ReceiveSupply, index: LocationIndex) -> None:
        supply = self._supply(update.sku, index, update.supply_id)
        if supply is None:
            raise Rejected(
                Reason.SUPPLY_NOT_FOUND,
                f"no supply {update.supply_id!r} is announced for {update.sku!r} at "
                f"{update.location_id!r}: announce it or adjust the stock",
                supply_id=update.supply_id,
            )
        key = (update.sku, index, update.condition)
        self._check_range(key, self._quantity(key) + update.quantity)
        self._change(
            index,
            BucketChanged(
                update.sku, update.location_id, update.quantity, Cause.RECEIVED, update.condition
            ),
        )
        rest = 0 if update.close else max(0, supply.quantity - update.quantity)
        remaining = msgspec.structs.replace(supply, quantity=Quantity(rest))
        self._put_supply(update, index, remaining)
        self.changes.append(SupplyChanged(update.sku, update.location_id, remaining))

    def _change(self, index: LocationIndex, change: BucketChanged) -> None:
        key = (change.sku, index, change.condition)
        self._buckets[key] = self._quantity(key) + change.delta
        if change.condition is SELLABLE:
            happened_ms = change.effective_time_ms or self._at.time_ms
            self._deltas.setdefault((change.sku, index), []).append((happened_ms, change.delta))
        self.changes.append(change)

    def _quantity(self, key: Bucket) -> int:
        drafted = self._buckets.get(key)
        if drafted is not None:
            return drafted
        stock = self._network.stock.find(key[0])
        return 0 if stock is None else stock.condition_quantity(key[1], key[2])

    def _supply(self, sku: Sku, index: LocationIndex, supply_id: SupplyId) -> Supply | None:
        key = (sku, index, supply_id)
        if key in self._supplies:
            return self._supplies[key]
        stock = self._network.stock.find(sku)
        supplies = stock.supplies(index) if stock is not None else None
        return supplies.get(supply_id) if supplies is not None else None

    def _put_supply(
        self, update: AnnounceSupply | ReceiveSupply, index: LocationIndex, supply: Supply
    ) -> None:
        was_there = self._supply(update.sku, index, supply.supply_id) is not None
        count = self._supply_count(update.sku, index) + bool(supply.quantity) - was_there
        if count > SUPPLIES_PER_POSITION_MAX and supply.quantity and not was_there:
            raise Rejected(
                Reason.CAPACITY_EXCEEDED,
                f"{SUPPLIES_PER_POSITION_MAX} supplies are announced for {update.sku!r} at "
                f"{update.location_id!r}, the most that is allowed: withdraw those that will "
                "not come",
                sku=update.sku,
                location_id=update.location_id,
                limit=SUPPLIES_PER_POSITION_MAX,
            )
        self._supplies[update.sku, index, supply.supply_id] = supply if supply.quantity else None
        self._supply_counts[update.sku, index] = count

    def _supply_count(self, sku: Sku, index: LocationIndex) -> int:
        drafted = self._supply_counts.get((sku, index))
        if drafted is not None:
            return drafted
        stock = self._network.stock.find(sku)
        supplies = stock.supplies(index) if stock is not None else None
        return len(supplies) if supplies is not None else 0

    def _count_time_ms(self, sku: Sku, index: LocationIndex) -> TimeMs:
        drafted = self._counted_ms.get((sku, index))
        if drafted is not None:
            return drafted
        stock = self._network.stock.find(sku)
        slot = stock.slot(index) if stock is not None else -1
        return TimeMs(stock.count_times_ms[slot]) if stock is not None and slot >= 0 else TimeMs(0)

    def _check_past(self, time_ms: TimeMs) -> None:
        if time_ms > self._at.time_ms:
            raise Rejected(
                Reason.EFFECTIVE_TIME_IN_FUTURE,
                f"effective time {instant_text(time_ms)} is after the server's "
                f"{instant_text(self._at.time_ms)}: check the sender's clock",
                effective_time_ms=time_ms,
                server_time_ms=self._at.time_ms,
            )

    def _check_range(self, key: Bucket, quantity: int) -> None:
        if 0 <= quantity <= QUANTITY_MAX:
            return
        sku, index, condition = key
        location_id = self._network.locations.by_index[index].location_id
        below = quantity < 0
        raise Rejected(
            Reason.QUANTITY_BELOW_ZERO if below else Reason.QUANTITY_TOO_LARGE,
            f"{condition.name} stock of {sku!r} at {location_id!r} would be {quantity}, "
            + ("below zero: count it first" if below else f"above the most, {QUANTITY_MAX}"),
            sku=sku,
            location_id=location_id,
            quantity=quantity,
        )
