"""The calls of InventoryService about safety stock rules, as methods of a client."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.client.calls import Caller
from domgrpc.v1.inventory_pb2 import (
    CreateSafetyStockRuleRequest,
    DeleteSafetyStockRuleRequest,
    DeleteSafetyStockRuleResponse,
    ExplainSafetyStockRequest,
    ExplainSafetyStockResponse,
    GetSafetyStockRuleRequest,
    ListSafetyStockRulesRequest,
    ListSafetyStockRulesResponse,
    SafetyStockRule,
    UpdateSafetyStockRuleRequest,
)
from domgrpc.v1.types_pb2 import DeliveryMethod

_NO_METHOD: Final = DeliveryMethod.DELIVERY_METHOD_UNSPECIFIED


async def create_safety_stock_rule(
    client: Caller,
    rule: SafetyStockRule,
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> SafetyStockRule:
    """Add a rule; raises DomgrpcError with RULE_ID_TAKEN where the id has other content."""
    calls = client.calls
    request = CreateSafetyStockRuleRequest(
        request_id=request_id or calls.new_request_id(), rule=rule
    )
    return await calls.write(calls.stubs.inventory.CreateSafetyStockRule, request, timeout_seconds)


async def get_safety_stock_rule(
    client: Caller, rule_id: str, *, min_revision: int = 0, timeout_seconds: float | None = None
) -> SafetyStockRule:
    """Return one rule."""
    calls = client.calls
    request = GetSafetyStockRuleRequest(rule_id=rule_id, min_revision=min_revision)
    return await calls.read(calls.stubs.inventory.GetSafetyStockRule, request, timeout_seconds)


async def list_safety_stock_rules(
    client: Caller,
    *,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListSafetyStockRulesResponse:
    """Return a page of rules in order of their id; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListSafetyStockRulesRequest(
        page_size=page_size, page_token=page_token, min_revision=min_revision
    )
    return await calls.read(calls.stubs.inventory.ListSafetyStockRules, request, timeout_seconds)


async def update_safety_stock_rule(
    client: Caller,
    rule: SafetyStockRule,
    *,
    update_mask: Sequence[str] = (),
    etag: str = "",
    allow_missing: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> SafetyStockRule:
    """Change the masked fields of a rule; an empty mask changes all."""
    calls = client.calls
    request = UpdateSafetyStockRuleRequest(
        request_id=request_id or calls.new_request_id(),
        rule=rule,
        update_mask=FieldMask(paths=update_mask) if update_mask else None,
        etag=etag,
        allow_missing=allow_missing,
    )
    return await calls.write(calls.stubs.inventory.UpdateSafetyStockRule, request, timeout_seconds)


async def delete_safety_stock_rule(
    client: Caller,
    rule_id: str,
    *,
    etag: str = "",
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> DeleteSafetyStockRuleResponse:
    """Remove a rule."""
    calls = client.calls
    request = DeleteSafetyStockRuleRequest(
        request_id=request_id or calls.new_request_id(), rule_id=rule_id, etag=etag
    )
    return await calls.write(calls.stubs.inventory.DeleteSafetyStockRule, request, timeout_seconds)


async def explain_safety_stock(
    client: Caller,
    sku: str,
    location_id: str,
    *,
    channel: str = "",
    delivery_method: DeliveryMethod = _NO_METHOD,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ExplainSafetyStockResponse:
    """Say which rule of each kind wins for one position and one demand, and which lost."""
    calls = client.calls
    request = ExplainSafetyStockRequest(
        sku=sku,
        location_id=location_id,
        channel=channel,
        delivery_method=delivery_method,
        min_revision=min_revision,
    )
    return await calls.read(calls.stubs.inventory.ExplainSafetyStock, request, timeout_seconds)
