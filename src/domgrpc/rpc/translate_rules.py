"""Safety stock rules between messages and the core."""

from collections.abc import Mapping

from domgrpc.core.availability import RuleDecision
from domgrpc.core.safety_stock import (
    CreateSafetyStockRule,
    DeleteSafetyStockRule,
    RuleFields,
    RuleKind,
    SafetyStockRule,
    UpdateSafetyStockRule,
)
from domgrpc.core.values import (
    FOREVER_MS,
    Channel,
    GroupId,
    LocationId,
    LocationType,
    Quantity,
    Revision,
    RuleId,
    Sku,
    TimeMs,
)
from domgrpc.rpc.field_masks import masked_names
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    CHANNEL_BYTES_MAX,
    ETAG_BYTES_MAX,
    chosen,
    identifier,
    identifier_or_empty,
    quantity,
    set_timestamp,
    text,
    timestamp_ms,
    whole,
)
from domgrpc.rpc.translate_scope import METHODS
from domgrpc.v1 import inventory_pb2

PERCENT_MAX = 100

_KINDS: Mapping[int, RuleKind] = {0: RuleKind.SAFETY_STOCK} | {
    kind.value: kind for kind in RuleKind
}
_TYPES: Mapping[int, LocationType] = {kind.value: kind for kind in LocationType}
_VALUE = ("fixed_quantity", "percent_of_on_hand")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind",),
    "sku": ("sku",),
    "category": ("category",),
    "location_id": ("location_id",),
    "group_id": ("group_id",),
    "location_type": ("location_type",),
    "delivery_method": ("delivery_method",),
    "channel": ("channel",),
    # Setting one form of the value takes the other away.
    "value": _VALUE,
    "fixed_quantity": _VALUE,
    "percent_of_on_hand": _VALUE,
    "start_time": ("start_time_ms",),
    "end_time": ("end_time_ms",),
}


# --- messages to commands


def create_rule(message: inventory_pb2.CreateSafetyStockRuleRequest) -> CreateSafetyStockRule:
    """Read CreateSafetyStockRule."""
    rule = _rule(message)
    try:
        _check_value(rule)
        return CreateSafetyStockRule(rule_id=_rule_id(rule.rule_id), fields=_fields(rule))
    except InvalidField as invalid:
        raise invalid.within("rule") from None


def update_rule(message: inventory_pb2.UpdateSafetyStockRuleRequest) -> UpdateSafetyStockRule:
    """Read UpdateSafetyStockRule; the core checks what comes of it as a whole."""
    rule = _rule(message)
    names = masked_names(message.update_mask, _FIELDS)
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        if _VALUE[0] in names:
            _check_value(rule)
        return UpdateSafetyStockRule(
            rule_id=_rule_id(rule.rule_id),
            fields=_fields(rule),
            field_names=names,
            etag=etag,
            allow_missing=message.allow_missing,
        )
    except InvalidField as invalid:
        raise invalid.within("rule") from None


def delete_rule(message: inventory_pb2.DeleteSafetyStockRuleRequest) -> DeleteSafetyStockRule:
    """Read DeleteSafetyStockRule."""
    return DeleteSafetyStockRule(
        rule_id=_rule_id(message.rule_id), etag=text(message.etag, "etag", ETAG_BYTES_MAX)
    )


def _rule(
    message: inventory_pb2.CreateSafetyStockRuleRequest
    | inventory_pb2.UpdateSafetyStockRuleRequest,
) -> inventory_pb2.SafetyStockRule:
    if not message.HasField("rule"):
        raise InvalidField("rule", "is missing")
    return message.rule


def _rule_id(value: str) -> RuleId:
    return RuleId(identifier(value, "rule_id"))


def _check_value(message: inventory_pb2.SafetyStockRule) -> None:
    if message.WhichOneof("value") is None:
        raise InvalidField("value", "is missing; fixed_quantity or percent_of_on_hand is needed")


def _fields(message: inventory_pb2.SafetyStockRule) -> RuleFields:
    fixed, percent = _value(message)
    start_ms, end_ms = _window(message)
    return RuleFields(
        kind=chosen(message.kind, "kind", _KINDS),
        sku=Sku(identifier_or_empty(message.sku, "sku")),
        category=identifier_or_empty(message.category, "category"),
        location_id=LocationId(identifier_or_empty(message.location_id, "location_id")),
        group_id=GroupId(identifier_or_empty(message.group_id, "group_id")),
        location_type=chosen(message.location_type, "location_type", _TYPES),
        delivery_method=chosen(message.delivery_method, "delivery_method", METHODS),
        channel=Channel(text(message.channel, "channel", CHANNEL_BYTES_MAX)),
        fixed_quantity=fixed,
        percent_of_on_hand=percent,
        start_time_ms=start_ms,
        end_time_ms=end_ms,
    )


def _value(message: inventory_pb2.SafetyStockRule) -> tuple[Quantity | None, int | None]:
    match message.WhichOneof("value"):
        case "fixed_quantity":
            return Quantity(quantity(message.fixed_quantity, "fixed_quantity")), None
        case "percent_of_on_hand":
            percent = message.percent_of_on_hand
            return None, whole(percent, "percent_of_on_hand", 0, PERCENT_MAX)
        case _:
            return None, None


def _window(message: inventory_pb2.SafetyStockRule) -> tuple[TimeMs, TimeMs]:
    start_ms, end_ms = TimeMs(0), FOREVER_MS
    if message.HasField("start_time"):
        start_ms = timestamp_ms(message.start_time, "start_time")
    if message.HasField("end_time"):
        end_ms = timestamp_ms(message.end_time, "end_time")
    return start_ms, end_ms


# --- rules to messages


def fill_rule(
    message: inventory_pb2.SafetyStockRule, rule: SafetyStockRule, revision: Revision
) -> None:
    """Write a rule in place."""
    fields = rule.fields
    message.rule_id = rule.rule_id
    message.kind = fields.kind  # type: ignore[assignment]  # the same numbers, by a test
    message.sku = fields.sku
    message.category = fields.category
    message.location_id = fields.location_id
    message.group_id = fields.group_id
    message.location_type = fields.location_type  # type: ignore[assignment]  # the same
    message.delivery_method = fields.delivery_method  # type: ignore[assignment]  # the same
    message.channel = fields.channel
    if fields.percent_of_on_hand is not None:
        message.percent_of_on_hand = fields.percent_of_on_hand
    else:
        message.fixed_quantity = fields.fixed_quantity or 0
    if fields.start_time_ms:
        set_timestamp(message.start_time, fields.start_time_ms)
    if fields.end_time_ms < FOREVER_MS:
        set_timestamp(message.end_time, fields.end_time_ms)
    set_timestamp(message.create_time, rule.create_time_ms)
    set_timestamp(message.update_time, rule.update_time_ms)
    message.etag = str(rule.revision)
    message.revision = revision


def fill_decision(message: inventory_pb2.SafetyStockDecision, decision: RuleDecision) -> None:
    """Write the outcome of one kind of rule in place."""
    message.kind = decision.kind  # type: ignore[assignment]  # the same numbers, by a test
    message.rule_id = decision.rule_id
    message.quantity = decision.quantity
    message.other_rule_ids.extend(decision.other_rule_ids)
