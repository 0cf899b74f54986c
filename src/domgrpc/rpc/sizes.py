"""How many bytes things take in a message, so that pages and streams stay below 4 MiB.

Clients refuse larger messages by default. What is counted here is never less than what protobuf
writes: the bytes of the texts, and for numbers, times and tags the most that they can take.
"""

from collections.abc import Iterable

from domgrpc.core.changes import PositionChange
from domgrpc.core.listings import PositionView
from domgrpc.core.location_groups import LocationGroup
from domgrpc.core.products import Product
from domgrpc.core.reservations import Reservation
from domgrpc.core.rule_sets import RuleSet

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
_NAME_BYTES = 3


def texts_bytes(texts: Iterable[str]) -> int:
    """Count the bytes of texts in UTF-8."""
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts)


def reservation_bytes(reservation: Reservation) -> int:
    """Count a reservation; O(its lines)."""
    lines = reservation.lines
    ids = texts_bytes(line.sku for line in lines) + texts_bytes(line.location_id for line in lines)
    return _RESERVATION_BYTES + _LINE_BYTES * len(lines) + ids


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
    texts = (change.sku, change.location_id, change.reason, change.reservation_id)
    return _CHANGE_BYTES + texts_bytes(texts)
