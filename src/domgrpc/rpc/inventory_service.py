"""InventoryService: stock in, availability out, and the rules that withhold some of it.

The two streams have modules of their own: stock_feed.py and stock_watch.py.
"""

from collections.abc import AsyncGenerator, AsyncIterator

from domgrpc.core.answers import Deleted
from domgrpc.core.availability import check_availability, explain_safety_stock
from domgrpc.core.listings import Page, get_position, list_rules
from domgrpc.core.network import Ask
from domgrpc.core.safety_stock import SafetyStockRule
from domgrpc.core.stock_changes import StockSummary
from domgrpc.core.values import LocationId, Revision, RuleId, Sku
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, NamePlace, page_size
from domgrpc.rpc.position_pages import list_position_page, position_query
from domgrpc.rpc.shapes import identifier
from domgrpc.rpc.stock_feed import StockFeeds
from domgrpc.rpc.stock_watch import StockWatches
from domgrpc.rpc.translate_availability import fill_availability, read_question
from domgrpc.rpc.translate_rules import (
    create_rule,
    delete_rule,
    fill_decision,
    fill_rule,
    update_rule,
)
from domgrpc.rpc.translate_scope import demand_of
from domgrpc.rpc.translate_stock import fill_position, fill_summary, update_stock
from domgrpc.v1 import inventory_pb2

_RULES: Listing[NamePlace] = Listing("ListSafetyStockRules", NamePlace, ("",))


class InventoryService:
    """Stock in, availability out, safety stock rules."""

    def __init__(self, feeds: StockFeeds, watches: StockWatches) -> None:
        """Take over the two streams."""
        self._feeds = feeds
        self._watches = watches

    # --- stock

    async def UpdateStock(
        self, message: inventory_pb2.UpdateStockRequest, call: Call
    ) -> inventory_pb2.UpdateStockResponse:
        """Apply up to 10,000 updates, all or none."""
        summary, revision = await call.change(
            update_stock(message),
            message.request_id,
            StockSummary,
            validate_only=message.validate_only,
        )
        answer = inventory_pb2.UpdateStockResponse()
        fill_summary(answer, summary, revision)
        return answer

    def StreamStockUpdates(
        self, messages: AsyncIterator[inventory_pb2.StreamStockUpdatesRequest], call: Call
    ) -> AsyncGenerator[inventory_pb2.StreamStockUpdatesResponse, None]:
        """Apply the batches of one source."""
        return self._feeds.run(messages, call)

    async def CheckAvailability(
        self, message: inventory_pb2.CheckAvailabilityRequest, call: Call
    ) -> inventory_pb2.CheckAvailabilityResponse:
        """Say what can be fulfilled, sold and promised."""
        question = read_question(message)
        reading = await call.read(
            lambda state, now_ms: check_availability(state.network, question, now_ms),
            message.min_revision,
        )
        answer = inventory_pb2.CheckAvailabilityResponse()
        fill_availability(answer, reading)
        return answer

    async def GetPosition(
        self, message: inventory_pb2.GetPositionRequest, call: Call
    ) -> inventory_pb2.InventoryPosition:
        """Return the figures of one SKU at one location."""
        sku = Sku(identifier(message.sku, "sku"))
        location_id = LocationId(identifier(message.location_id, "location_id"))
        reading = await call.read(
            lambda state, now_ms: get_position(state, sku, location_id, now_ms),
            message.min_revision,
        )
        answer = inventory_pb2.InventoryPosition()
        fill_position(answer, reading.value, reading.revision)
        return answer

    async def ListPositions(
        self, message: inventory_pb2.ListPositionsRequest, call: Call
    ) -> inventory_pb2.ListPositionsResponse:
        """List positions in an order that is stable while data changes."""
        query = position_query(message)
        reading = await call.read(
            lambda state, now_ms: list_position_page(state, query, now_ms), message.min_revision
        )
        answer = inventory_pb2.ListPositionsResponse(
            next_page_token=query.token(reading.value), revision=reading.revision
        )
        for position in reading.value.entries:
            fill_position(answer.positions.add(), position, reading.revision)
        return answer

    def WatchInventory(
        self, message: inventory_pb2.WatchInventoryRequest, call: Call
    ) -> AsyncGenerator[inventory_pb2.WatchInventoryResponse, None]:
        """Stream every change of stock."""
        return self._watches.run(message, call)

    # --- safety stock rules

    async def CreateSafetyStockRule(
        self, message: inventory_pb2.CreateSafetyStockRuleRequest, call: Call
    ) -> inventory_pb2.SafetyStockRule:
        """Add a rule."""
        command = create_rule(message)
        return _rule(*await call.change(command, message.request_id, SafetyStockRule))

    async def GetSafetyStockRule(
        self, message: inventory_pb2.GetSafetyStockRuleRequest, call: Call
    ) -> inventory_pb2.SafetyStockRule:
        """Return one rule."""
        rule_id = RuleId(identifier(message.rule_id, "rule_id"))
        reading = await call.read(
            lambda state, _: state.network.rules.get(rule_id), message.min_revision
        )
        return _rule(reading.value, reading.revision)

    async def ListSafetyStockRules(
        self, message: inventory_pb2.ListSafetyStockRulesRequest, call: Call
    ) -> inventory_pb2.ListSafetyStockRulesResponse:
        """List rules in order of their id."""
        (after,) = _RULES.place(message.page_token, ())
        size = page_size(message.page_size)
        reading = await call.read(
            lambda state, _: list_rules(state, after, size), message.min_revision
        )
        page: Page[SafetyStockRule] = reading.value
        answer = inventory_pb2.ListSafetyStockRulesResponse(
            next_page_token=_RULES.token(page, ()), revision=reading.revision
        )
        for rule in page.entries:
            fill_rule(answer.rules.add(), rule, reading.revision)
        return answer

    async def UpdateSafetyStockRule(
        self, message: inventory_pb2.UpdateSafetyStockRuleRequest, call: Call
    ) -> inventory_pb2.SafetyStockRule:
        """Change fields of a rule."""
        command = update_rule(message)
        return _rule(*await call.change(command, message.request_id, SafetyStockRule))

    async def DeleteSafetyStockRule(
        self, message: inventory_pb2.DeleteSafetyStockRuleRequest, call: Call
    ) -> inventory_pb2.DeleteSafetyStockRuleResponse:
        """Remove a rule."""
        command = delete_rule(message)
        _, revision = await call.change(command, message.request_id, Deleted)
        return inventory_pb2.DeleteSafetyStockRuleResponse(revision=revision)

    async def ExplainSafetyStock(
        self, message: inventory_pb2.ExplainSafetyStockRequest, call: Call
    ) -> inventory_pb2.ExplainSafetyStockResponse:
        """Say which rule wins for one position and one request, and which others matched."""
        sku = Sku(identifier(message.sku, "sku"))
        location_id = LocationId(identifier(message.location_id, "location_id"))
        demand = demand_of(message.channel, message.delivery_method)
        reading = await call.read(
            lambda state, now_ms: explain_safety_stock(
                state.network, sku, location_id, Ask(demand, now_ms)
            ),
            message.min_revision,
        )
        answer = inventory_pb2.ExplainSafetyStockResponse(revision=reading.revision)
        for decision in reading.value:
            fill_decision(answer.decisions.add(), decision)
        return answer


def _rule(rule: SafetyStockRule, revision: Revision) -> inventory_pb2.SafetyStockRule:
    answer = inventory_pb2.SafetyStockRule()
    fill_rule(answer, rule, revision)
    return answer
