"""The calls of RoutingService about rule sets, as methods of a client."""

from typing import Final

from domgrpc.client.calls import Caller
from domgrpc.v1.rule_set_pb2 import (
    ActivateRuleSetRequest,
    CreateRuleSetRequest,
    DryRunRuleSetRequest,
    DryRunRuleSetResponse,
    GetRuleSetRequest,
    ListRuleSetsRequest,
    ListRuleSetsResponse,
    RuleSet,
    RuleSetState,
    ValidateRuleSetRequest,
)

_ANY_STATE: Final = RuleSetState.RULE_SET_STATE_UNSPECIFIED
_DRY_RUN_SECONDS: Final = 60.0


async def create_rule_set(
    client: Caller,
    rule_set: RuleSet,
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> RuleSet:
    """Add a rule set as a draft; the answer has its version."""
    calls = client.calls
    request = CreateRuleSetRequest(
        request_id=request_id or calls.new_request_id(), rule_set=rule_set
    )
    return await calls.write(calls.stubs.routing.CreateRuleSet, request, timeout_seconds)


async def validate_rule_set(
    client: Caller, version: int, *, request_id: str = "", timeout_seconds: float | None = None
) -> RuleSet:
    """Check a draft; raises DomgrpcError with RULE_SET_INVALID or RULE_SET_CONTRADICTORY."""
    calls = client.calls
    request = ValidateRuleSetRequest(
        request_id=request_id or calls.new_request_id(), version=version
    )
    return await calls.write(calls.stubs.routing.ValidateRuleSet, request, timeout_seconds)


async def activate_rule_set(
    client: Caller, version: int, *, request_id: str = "", timeout_seconds: float | None = None
) -> RuleSet:
    """Route by a validated rule set, or by one that was active before."""
    calls = client.calls
    request = ActivateRuleSetRequest(
        request_id=request_id or calls.new_request_id(), version=version
    )
    return await calls.write(calls.stubs.routing.ActivateRuleSet, request, timeout_seconds)


async def dry_run_rule_set(
    client: Caller,
    version: int,
    *,
    order_count: int = 0,
    request_id: str = "",
    timeout_seconds: float = _DRY_RUN_SECONDS,
) -> DryRunRuleSetResponse:
    """Say what a validated rule set would make of the newest orders; changes none of them."""
    calls = client.calls
    request = DryRunRuleSetRequest(
        request_id=request_id or calls.new_request_id(), version=version, order_count=order_count
    )
    return await calls.write(calls.stubs.routing.DryRunRuleSet, request, timeout_seconds)


async def get_rule_set(
    client: Caller,
    version: int | None = None,
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> RuleSet:
    """Return one rule set, the active one where no version is given."""
    calls = client.calls
    request = GetRuleSetRequest(version=version, min_revision=min_revision)
    return await calls.read(calls.stubs.routing.GetRuleSet, request, timeout_seconds)


async def list_rule_sets(
    client: Caller,
    *,
    state: RuleSetState = _ANY_STATE,
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListRuleSetsResponse:
    """Return a page of rule sets, the newest first; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListRuleSetsRequest(
        page_size=page_size, page_token=page_token, state=state, min_revision=min_revision
    )
    return await calls.read(calls.stubs.routing.ListRuleSets, request, timeout_seconds)
