"""The calls of RoutingService about rule sets; routing_service.py makes them methods of it."""

from domgrpc.core.listings import Page, list_rule_sets
from domgrpc.core.rule_sets import ActivateRuleSet, RuleSet, ValidateRuleSet
from domgrpc.core.state import State
from domgrpc.core.values import Revision, RuleSetVersion, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, NumberPlace, bounded_page, page_size
from domgrpc.rpc.shapes import chosen
from domgrpc.rpc.sizes import rule_set_bytes
from domgrpc.rpc.translate_rule_sets import (
    STATES,
    VERSION_MAX,
    create_rule_set,
    fill_rule_set,
    version_of,
)
from domgrpc.v1 import rule_set_pb2

_RULE_SETS: Listing[NumberPlace] = Listing("ListRuleSets", NumberPlace, (VERSION_MAX,))


async def create(message: rule_set_pb2.CreateRuleSetRequest, call: Call) -> rule_set_pb2.RuleSet:
    """Add a draft."""
    command = create_rule_set(message)
    return _rule_set(*await call.change(command, message.request_id, RuleSet))


async def validate(
    message: rule_set_pb2.ValidateRuleSetRequest, call: Call
) -> rule_set_pb2.RuleSet:
    """Check a draft."""
    command = ValidateRuleSet(version=version_of(message.version))
    return _rule_set(*await call.change(command, message.request_id, RuleSet))


async def activate(
    message: rule_set_pb2.ActivateRuleSetRequest, call: Call
) -> rule_set_pb2.RuleSet:
    """Put a rule set into force."""
    command = ActivateRuleSet(version=version_of(message.version))
    return _rule_set(*await call.change(command, message.request_id, RuleSet))


async def get(message: rule_set_pb2.GetRuleSetRequest, call: Call) -> rule_set_pb2.RuleSet:
    """Return one rule set, the active one where none is named."""
    wanted: RuleSetVersion | None = None
    if message.HasField("version"):
        wanted = version_of(message.version)

    def found(state: State, _now_ms: TimeMs) -> RuleSet:
        rule_sets = state.rule_sets
        return rule_sets.get(rule_sets.active_version if wanted is None else wanted)

    reading = await call.read(found, message.min_revision)
    return _rule_set(reading.value, reading.revision)


async def list_all(
    message: rule_set_pb2.ListRuleSetsRequest, call: Call
) -> rule_set_pb2.ListRuleSetsResponse:
    """List rule sets, the newest first."""
    wanted = chosen(message.state, "state", STATES) if message.state else None
    filters = (message.state,)
    (before,) = _RULE_SETS.place(message.page_token, filters)
    size = page_size(message.page_size)

    def page(state: State, _now_ms: TimeMs) -> Page[RuleSet]:
        return bounded_page(
            lambda most: list_rule_sets(state, before, most, wanted), size, rule_set_bytes
        )

    reading = await call.read(page, message.min_revision, Priority.LIST)
    answer = rule_set_pb2.ListRuleSetsResponse(
        next_page_token=_RULE_SETS.token(reading.value, filters), revision=reading.revision
    )
    for rule_set in reading.value.entries:
        fill_rule_set(answer.rule_sets.add(), rule_set, reading.revision)
    return answer


def _rule_set(rule_set: RuleSet, revision: Revision) -> rule_set_pb2.RuleSet:
    answer = rule_set_pb2.RuleSet()
    fill_rule_set(answer, rule_set, revision)
    return answer
