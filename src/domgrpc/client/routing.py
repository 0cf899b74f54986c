"""The calls of RoutingService about plans, as methods of a client."""

from collections.abc import Mapping, Sequence
from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.client.order_values import (
    ANY_METHOD,
    ANY_TERMS,
    Item,
    Terms,
    write_items,
    write_terms,
)
from domgrpc.client.values import set_seconds
from domgrpc.v1.routing_pb2 import (
    ApplyReplanRequest,
    ApplyReplanResponse,
    ExplainDecisionRequest,
    ExplainDecisionResponse,
    ReoptimizeBacklogRequest,
    ReoptimizeBacklogResponse,
    ReplanMove,
    SimulateRoutingRequest,
    SimulateRoutingResponse,
)
from domgrpc.v1.rule_set_pb2 import RoutingStrategy
from domgrpc.v1.types_pb2 import DeliveryMethod, Scope

_AS_RULES_SAY: Final = RoutingStrategy.ROUTING_STRATEGY_UNSPECIFIED
_SEARCH_SECONDS: Final = 60.0
_BOOKING_SECONDS: Final = 30.0
"""What a search may take beyond its own time, to read the open orders and to book the moves."""


async def simulate_routing(
    client: Caller,
    items: Sequence[Item] = (),
    terms: Terms = ANY_TERMS,
    *,
    order_id: str = "",
    delivery_method: DeliveryMethod = ANY_METHOD,
    location_id: str = "",
    rule_set_version: int | None = None,
    strategy: RoutingStrategy = _AS_RULES_SAY,
    stock: Mapping[tuple[str, str], int] | None = None,
    include_candidates: bool = False,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> SimulateRoutingResponse:
    """Plan an order as it would be planned now, changing nothing.

    Items and terms, or an `order_id` to plan again what is open of it. `stock`, by (SKU,
    location), stands in for all real figures.
    """
    request = SimulateRoutingRequest(
        order_id=order_id,
        delivery_method=delivery_method,
        location_id=location_id,
        rule_set_version=rule_set_version,
        strategy=strategy,
        include_candidates=include_candidates,
        min_revision=min_revision,
    )
    write_items(request.lines, items)
    write_terms(request.terms, terms)
    for (sku, place), quantity in (stock or {}).items():
        request.stock.add(sku=sku, location_id=place, quantity=quantity)
    calls = client.calls
    return await calls.read(calls.stubs.routing.SimulateRouting, request, timeout_seconds)


async def explain_decision(
    client: Caller,
    order_id: str,
    *,
    decision_number: int | None = None,
    location_ids: Sequence[str] = (),
    include_candidates: bool = False,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ExplainDecisionResponse:
    """Say why an order was planned as it was, and what would have brought a location in.

    Decisions are numbered from 0, the oldest that is remembered; without a number the newest.
    """
    request = ExplainDecisionRequest(
        order_id=order_id,
        decision_number=decision_number,
        location_ids=location_ids,
        include_candidates=include_candidates,
        min_revision=min_revision,
    )
    calls = client.calls
    return await calls.read(calls.stubs.routing.ExplainDecision, request, timeout_seconds)


async def reoptimize_backlog(
    client: Caller,
    *,
    scope: Scope | None = None,
    dry_run: bool = False,
    allow_late: bool = False,
    stability_price_micros: int | None = None,
    saving_micros_min: int = 0,
    order_count_max: int = 0,
    search_seconds: float = _SEARCH_SECONDS,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> ReoptimizeBacklogResponse:
    """Plan the unreleased work of all open orders together, and book what is better.

    With `dry_run` nothing changes; hand the moves that you agree with to `apply_replan`.
    """
    calls = client.calls
    request = ReoptimizeBacklogRequest(
        request_id=request_id or calls.new_request_id(),
        scope=scope,
        dry_run=dry_run,
        allow_late=allow_late,
        stability_price_micros=stability_price_micros,
        saving_micros_min=saving_micros_min,
        order_count_max=order_count_max,
    )
    set_seconds(request.search_time_max, search_seconds)
    if timeout_seconds is None:
        timeout_seconds = search_seconds + _BOOKING_SECONDS
    return await calls.write(calls.stubs.routing.ReoptimizeBacklog, request, timeout_seconds)


async def apply_replan(
    client: Caller,
    moves: Sequence[ReplanMove],
    *,
    validate_only: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> ApplyReplanResponse:
    """Book new plans of up to 500 open orders in one step; what does not fit any more is told."""
    calls = client.calls
    request = ApplyReplanRequest(
        request_id=request_id or calls.new_request_id(), moves=moves, validate_only=validate_only
    )
    return await calls.write(calls.stubs.routing.ApplyReplan, request, timeout_seconds)
