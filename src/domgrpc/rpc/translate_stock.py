"""Stock in and positions out: updates, feed batches, positions and changes of them."""

from collections.abc import Mapping
from typing import cast

from domgrpc.core.changes import PositionChange
from domgrpc.core.listings import PositionView
from domgrpc.core.stock_changes import (
    SELLABLE,
    AdjustStock,
    AnnounceSupply,
    CountStock,
    MoveStock,
    ReceiveSupply,
    StockSummary,
    StockUpdate,
    UpdateStock,
)
from domgrpc.core.supply import InboundKind, Supply
from domgrpc.core.values import (
    QUANTITY_MAX,
    LocationId,
    Quantity,
    Revision,
    Sku,
    StockCondition,
    SupplyId,
    TimeMs,
)
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    IDENTIFIER_BYTES_MAX,
    REASON_BYTES_MAX,
    chosen,
    identifier,
    identifier_or_empty,
    item_count,
    quantity,
    set_timestamp,
    text,
    timestamp_ms,
    whole,
)
from domgrpc.v1 import inventory_pb2

UPDATES_MAX = 10_000
SUPPLY_ID_BYTES_MAX = 64

_CONDITIONS: Mapping[int, StockCondition] = {0: SELLABLE} | {
    condition.value: condition for condition in StockCondition
}
_INBOUND_KINDS: Mapping[int, InboundKind] = {0: InboundKind.PURCHASE_ORDER} | {
    kind.value: kind for kind in InboundKind
}


# --- updates


def update_stock(message: inventory_pb2.UpdateStockRequest) -> UpdateStock:
    """Read UpdateStock: 1 to 10,000 updates."""
    updates = message.updates
    item_count(len(updates), "updates", 1, UPDATES_MAX)
    found = []
    for place, update in enumerate(updates):
        try:
            found.append(stock_update(update))
        except InvalidField as invalid:
            raise invalid.within(f"updates[{place}]") from None
    return UpdateStock(tuple(found))


def stock_update(message: inventory_pb2.StockUpdate) -> StockUpdate:
    """Read one update."""
    sku = message.sku
    # The test of `identifier`, inline: most updates pass it, and there are many.
    if not (sku.isascii() and sku.isprintable() and 0 < len(sku) <= IDENTIFIER_BYTES_MAX):
        identifier(sku, "sku")
    place = message.location_id
    if not (place.isascii() and place.isprintable() and 0 < len(place) <= IDENTIFIER_BYTES_MAX):
        identifier(place, "location_id")
    where = cast("tuple[Sku, LocationId]", (sku, place))
    match message.WhichOneof("update"):
        case "count":
            return _count(where, message.count)
        case "adjustment":
            return _adjustment(where, message.adjustment)
        case "move":
            return _move(where, message.move)
        case "inbound":
            return AnnounceSupply(*where, _supply(message.inbound))
        case "receipt":
            return _receipt(where, message.receipt)
        case _:
            raise InvalidField("update", "is missing; say what changes")


def _count(where: tuple[Sku, LocationId], message: inventory_pb2.StockCount) -> CountStock:
    on_hand = message.on_hand
    if not 0 <= on_hand <= QUANTITY_MAX:
        quantity(on_hand, "count.on_hand")
    expected = None
    if message.HasField("expected_on_hand"):
        units = quantity(message.expected_on_hand, "count.expected_on_hand")
        expected = Quantity(units)
    effective_ms = None
    if message.HasField("effective_time"):
        effective_ms = timestamp_ms(message.effective_time, "count.effective_time")
    return CountStock(*where, cast("Quantity", on_hand), expected, effective_ms)


def _adjustment(
    where: tuple[Sku, LocationId], message: inventory_pb2.StockAdjustment
) -> AdjustStock:
    delta = message.delta
    if not delta or not -QUANTITY_MAX <= delta <= QUANTITY_MAX:
        raise InvalidField(
            "adjustment.delta",
            f"is {delta}; -{QUANTITY_MAX} to {QUANTITY_MAX}, not 0, is allowed",
        )
    condition = _condition(message.condition, "adjustment.condition")
    effective_ms = None
    if message.HasField("effective_time"):
        effective_ms = timestamp_ms(message.effective_time, "adjustment.effective_time")
    reason = text(message.reason, "adjustment.reason", REASON_BYTES_MAX)
    return AdjustStock(*where, delta, condition, reason, effective_ms)


def _move(where: tuple[Sku, LocationId], message: inventory_pb2.StockMove) -> MoveStock:
    from_condition = _condition(message.from_condition, "move.from_condition")
    to_condition = _condition(message.to_condition, "move.to_condition")
    target = identifier_or_empty(message.to_location_id, "move.to_location_id")
    if target in ("", where[1]) and from_condition is to_condition:
        raise InvalidField("move", "has the same location and condition on both sides")
    return MoveStock(
        *where,
        Quantity(quantity(message.quantity, "move.quantity", 1)),
        from_condition,
        LocationId(target),
        to_condition,
        text(message.reason, "move.reason", REASON_BYTES_MAX),
    )


def _supply(message: inventory_pb2.InboundSupply) -> Supply:
    units = quantity(message.quantity, "inbound.quantity")
    due_ms = TimeMs(0)
    if message.HasField("due_time"):
        due_ms = timestamp_ms(message.due_time, "inbound.due_time")
    elif units:
        raise InvalidField("inbound.due_time", "is missing; say when the units can be sold")
    kind = chosen(message.kind, "inbound.kind", _INBOUND_KINDS)
    return Supply(_supply_id(message.supply_id, "inbound"), kind, Quantity(units), due_ms)


def _receipt(where: tuple[Sku, LocationId], message: inventory_pb2.InboundReceipt) -> ReceiveSupply:
    return ReceiveSupply(
        *where,
        _supply_id(message.supply_id, "receipt"),
        Quantity(quantity(message.quantity, "receipt.quantity", 1)),
        _condition(message.condition, "receipt.condition"),
        message.close,
    )


def _supply_id(value: str, parent: str) -> SupplyId:
    path = f"{parent}.supply_id"
    if len(value.encode()) > SUPPLY_ID_BYTES_MAX:
        raise InvalidField(
            path, f"has {len(value.encode())} bytes; 1 to {SUPPLY_ID_BYTES_MAX} are allowed"
        )
    return SupplyId(identifier(value, path))


def _condition(value: int, path: str) -> StockCondition:
    return SELLABLE if not value else chosen(value, path, _CONDITIONS)


# --- the feed


def feed_sequence(message: inventory_pb2.StreamStockUpdatesRequest) -> int:
    """Read the sequence of a batch; 0 only asks where the server stands."""
    sequence = whole(message.sequence, "sequence", 0, 2**63 - 1)
    item_count(len(message.updates), "updates", 0, UPDATES_MAX if sequence else 0)
    return sequence


def feed_updates(
    message: inventory_pb2.StreamStockUpdatesRequest,
) -> tuple[dict[int, StockUpdate], dict[int, InvalidField]]:
    """Read the updates of a batch by place: those with a good shape, and what is wrong with others.

    Each update stands alone, so that a bad one is refused like one that the stock refuses.
    """
    good: dict[int, StockUpdate] = {}
    bad: dict[int, InvalidField] = {}
    for place, update in enumerate(message.updates):
        try:
            good[place] = stock_update(update)
        except InvalidField as invalid:
            bad[place] = invalid.within(f"updates[{place}]")
    return good, bad


def fill_summary(
    message: inventory_pb2.UpdateStockResponse, summary: StockSummary, revision: Revision
) -> None:
    """Write what UpdateStock did in place."""
    message.revision = revision
    message.update_count = summary.update_count
    message.created_sku_count = summary.created_sku_count


# --- positions


def fill_position(
    message: inventory_pb2.InventoryPosition, view: PositionView, revision: Revision
) -> None:
    """Write the figures of a position in place."""
    message.sku = view.sku
    message.location_id = view.location_id
    message.on_hand = view.on_hand
    message.soft_reserved = view.soft_reserved
    message.allocated = view.allocated
    message.safety_stock = view.safety_stock
    message.available_to_fulfill = view.available_to_fulfill
    message.oversold = view.oversold
    for condition, units in view.conditions:
        message.conditions.add(condition=condition, quantity=units)
    for supply in view.inbound:
        _fill_supply(message.inbound.add(), supply)
    message.level = view.level  # type: ignore[assignment]  # the same numbers, by a test
    if view.count_time_ms:
        set_timestamp(message.count_time, view.count_time_ms)
    message.revision = revision


def _fill_supply(message: inventory_pb2.InboundSupply, supply: Supply) -> None:
    message.supply_id = supply.supply_id
    message.kind = supply.kind  # type: ignore[assignment]  # the same numbers, by a test
    message.quantity = supply.quantity
    set_timestamp(message.due_time, supply.due_time_ms)


def fill_change(
    message: inventory_pb2.StockChange, change: PositionChange, revision: Revision, time_ms: TimeMs
) -> None:
    """Write a change of a position in place."""
    message.revision = revision
    set_timestamp(message.change_time, time_ms)
    message.sku = change.sku
    message.location_id = change.location_id
    if change.on_hand_delta:
        message.on_hand_delta = change.on_hand_delta
    if change.soft_reserved_delta:
        message.soft_reserved_delta = change.soft_reserved_delta
    if change.allocated_delta:
        message.allocated_delta = change.allocated_delta
    message.reason = change.reason
    if change.reservation_id:
        message.reservation_id = change.reservation_id
    if change.order_id:
        message.order_id = change.order_id
    if change.level is not None:
        message.level = change.level  # type: ignore[assignment]  # the same numbers, by a test
