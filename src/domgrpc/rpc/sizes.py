"""How many bytes things take in a message, so that pages and streams stay below 4 MiB.

Clients refuse larger messages by default. What is counted here is never less than what protobuf
writes: the bytes of the texts, and for numbers, times and tags the most that they can take.
"""

from collections.abc import Iterable

import msgspec

from domgrpc.core.calendars import LocationCalendar
from domgrpc.core.carriers import RateCard
from domgrpc.core.changes import PositionChange
from domgrpc.core.listings import PositionView
from domgrpc.core.location_groups import LocationGroup
from domgrpc.core.orders import Order
from domgrpc.core.products import Product
from domgrpc.core.reservations import Reservation
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.scopes import GroupList, LocationList

MESSAGE_BYTES_MAX = 2 * 1024 * 1024
"""No message grows further once it has so many; the last entry may have as many again."""

_RESERVATION_BYTES = 640
_LINE_BYTES = 48
_GROUP_BYTES = 512
_PRODUCT_BYTES = 768
_PART_BYTES = 16
_POSITION_BYTES = 256
_RULE_SET_BYTES = 768
_RULE_BYTES = 48
_SUPPLY_BYTES = 48
_CHANGE_BYTES = 96
_CARD_BYTES = 512
_ZONE_RATE_BYTES = 48
_STEP_BYTES = 20
_SURCHARGE_BYTES = 24
_CALENDAR_BYTES = 512
_HOURS_BYTES = 24
_NAME_BYTES = 3
_ORDER_BYTES = 512
_ORDER_LINE_BYTES = 96
_WORK_BYTES = 160
_STEP_BYTES = 64
_HOLD_BYTES = 48


def texts_bytes(texts: Iterable[str]) -> int:
    """Count the bytes of texts in UTF-8."""
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts)


def reservation_bytes(reservation: Reservation) -> int:
    """Count a reservation; O(its lines)."""
    lines = reservation.lines
    ids = texts_bytes(line.sku for line in lines) + texts_bytes(line.location_id for line in lines)
    return _RESERVATION_BYTES + _LINE_BYTES * len(lines) + ids


def order_bytes(order: Order) -> int:
    """Count an order in full; O(its parts)."""
    terms = order.terms
    texts = [
        order.order_id,
        *(field for field in msgspec.structs.astuple(terms) if isinstance(field, str)),
        *(field for field in msgspec.structs.astuple(terms.address) if isinstance(field, str)),
    ]
    if isinstance(terms.scope, LocationList):
        texts.extend(terms.scope.location_ids)
    elif isinstance(terms.scope, GroupList):
        texts.extend(terms.scope.group_ids)
    size_bytes = _ORDER_BYTES + _PART_BYTES * len(texts)
    for line in order.lines:
        size_bytes += _ORDER_LINE_BYTES
        texts += (line.line_id, line.sku, line.location_id, line.package_group)
    for work in order.fulfillment_orders:
        size_bytes += _WORK_BYTES + _LINE_BYTES * len(work.lines)
        texts += (work.fulfillment_order_id, work.location_id, work.destination_location_id)
        texts.append(work.parcel_id)
        texts.extend(text for line in work.lines for text in (line.line_id, line.sku))
    texts.extend(step.client_id + step.detail for step in order.history)
    texts.extend(hold.client_id + hold.reason for hold in order.holds)
    size_bytes += _STEP_BYTES * (len(order.history) + len(order.decisions))
    return size_bytes + _HOLD_BYTES * len(order.holds) + texts_bytes(texts)


def group_bytes(group: LocationGroup) -> int:
    """Count a location group; O(its members)."""
    names = group.location_ids
    return _GROUP_BYTES + _NAME_BYTES * len(names) + texts_bytes(names)


def product_bytes(product: Product) -> int:
    """Count a product; O(its categories, components and substitutes)."""
    fields = product.fields
    skus = [component.sku for component in fields.components]
    parts = (*fields.categories, *skus, *fields.substitute_skus)
    return _PRODUCT_BYTES + _PART_BYTES * len(parts) + texts_bytes(parts)


def rule_set_bytes(rule_set: RuleSet) -> int:
    """Count a rule set; O(its rules)."""
    rules = rule_set.content.rules
    texts = (text for rule in rules for text in (rule.rule_id, rule.condition))
    warnings = texts_bytes(rule_set.warnings) + _PART_BYTES * len(rule_set.warnings)
    return _RULE_SET_BYTES + _RULE_BYTES * len(rules) + texts_bytes(texts) + warnings


def position_bytes(position: PositionView) -> int:
    """Count a position; O(its supplies)."""
    inbound = position.inbound
    ids = texts_bytes((position.sku, position.location_id))
    supply_ids = texts_bytes(supply.supply_id for supply in inbound)
    return _POSITION_BYTES + _SUPPLY_BYTES * len(inbound) + ids + supply_ids


def change_bytes(change: PositionChange) -> int:
    """Count a change of a position."""
    keys = (change.reservation_id, change.order_id)
    texts = (change.sku, change.location_id, change.reason, *keys)
    return _CHANGE_BYTES + texts_bytes(texts)


def card_bytes(card: RateCard) -> int:
    """Count a rate card; O(its prices)."""
    fields = card.fields
    steps = sum(len(rate.weight_steps) for rate in fields.zone_rates)
    return (
        _CARD_BYTES
        + _ZONE_RATE_BYTES * len(fields.zone_rates)
        + _STEP_BYTES * steps
        + _SURCHARGE_BYTES * len(fields.surcharges)
        + texts_bytes(surcharge.name for surcharge in fields.surcharges)
    )


def calendar_bytes(calendar: LocationCalendar) -> int:
    """Count a calendar; O(its hours)."""
    schedule = calendar.fields.schedule
    return _CALENDAR_BYTES + _HOURS_BYTES * (
        len(schedule.opening_hours) + len(schedule.special_days)
    )
