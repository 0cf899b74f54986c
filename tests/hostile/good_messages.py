"""A message of every method that works in the shop of the fuzzer: what mutation starts from."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from tests.hostile.surface import METHODS

Fields = Mapping[str, Any]

_LOCATION = {
    "location_id": "a", "type": "LOCATION_TYPE_STORE", "display_name": "North",
    "backorder_enabled": True,
    "point": {"latitude_degrees": 40.7, "longitude_degrees": -74.0},
}  # fmt: skip
_PRODUCT = {
    "sku": "A", "display_name": "Tea", "unit": "kg", "unit_decimals": 1, "weight_grams": 500,
    "categories": ["drinks"], "backorder_policy": {"mode": "BACKORDER_MODE_INBOUND"},
    "substitute_skus": ["B"],
}  # fmt: skip
_BUNDLE = {"sku": "set", "components": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]}
_RULE = {
    "rule_id": "keep", "kind": "SAFETY_STOCK_RULE_KIND_SAFETY_STOCK", "sku": "A",
    "location_id": "b", "fixed_quantity": 1,
}  # fmt: skip
_CARD: Fields = {
    "service_id": "ground", "delivery_methods": ["DELIVERY_METHOD_SHIP_TO_HOME"],
    "zone_rates": [{"zone": 1, "package_micros": 5, "weight_steps": [
        {"grams_max": 500, "micros": 3}]}],
    "surcharges": [{"name": "fuel", "basis_points": 1_250}], "package_grams_max": 500,
}  # fmt: skip
_LANE: Fields = {
    "service_id": "ground", "transit_days": [1, 2], "delivery_weekdays": ["WEEKDAY_MONDAY"],
    "holidays": {"country": "US", "subdivision": "CA"},
}  # fmt: skip
_CALENDAR: Fields = {
    "location_id": "a", "time_zone": "America/New_York",
    "opening_hours": [{"weekday": "WEEKDAY_MONDAY", "open_minute": 480, "close_minute": 1_200}],
    "special_days": [{"date": "2026-12-24", "open_minute": 480, "close_minute": 720}],
    "daily_capacity": 50, "package_micros": 700_000,
}  # fmt: skip
_GROUP = {"group_id": "all", "location_ids": ["a", "b", "c"]}
_SCOPE = {"locations": {"location_ids": ["a", "b"]}}
_NEAR = {"near": {"point": _LOCATION["point"], "radius_km": 50.0, "location_count_max": 5}}
_RULE_SET = {
    "display_name": "no stores", "strategy": "ROUTING_STRATEGY_CHEAPEST",
    "prices": {"split_penalty_micros": 500_000, "late_day_micros": 0},
    "limits": {"package_count_max": 4, "unit_split_allowed": False},
    "replanning": {"cool_down": {"seconds": 60}}, "promise": {"seconds": 86_400},
    "rules": [
        {"rule_id": "far", "effect": "RULE_EFFECT_EXCLUDE",
         "condition": "order.channel == 'web' && !(location.latitude > 30.5)"},
        {"rule_id": "food", "effect": "RULE_EFFECT_PREFER", "price_micros": -1,
         "condition": "'drinks' in product.categories && location.groups.exists(g, g == 'all')"},
        {"rule_id": "one", "effect": "RULE_EFFECT_LIMIT", "package_count_max": 1,
         "condition": "order.line_count / 2 < 1 ? true : line.quantity in [1, 2]"},
    ],
}  # fmt: skip
_LINES = [{"sku": "A", "location_id": "a", "quantity": 2}, {"sku": "B", "quantity": 1}]
_COUNTS = [
    {"sku": sku, "location_id": place, "count": {"on_hand": 50}} for sku in "ABC" for place in "abc"
]
_CHANGES = [
    {"sku": "A", "location_id": "a", "adjustment": {"delta": -1, "reason": "sold"}},
    {"sku": "B", "location_id": "b", "inbound": {
        "supply_id": "po-1", "kind": "INBOUND_KIND_PURCHASE_ORDER", "quantity": 20,
        "due_time": {"seconds": 1_750_100_000}}},
    {"sku": "B", "location_id": "b", "receipt": {"supply_id": "po-1", "quantity": 2}},
    {"sku": "C", "location_id": "c", "move": {
        "quantity": 1, "from_condition": "STOCK_CONDITION_SELLABLE",
        "to_condition": "STOCK_CONDITION_DAMAGED"}},
]  # fmt: skip
_RESERVE: Fields = {
    "reservation_id": "h1", "lines": _LINES, "scope": _SCOPE, "ttl": {"seconds": 900},
    "channel": "web", "reference": "order 7",
}  # fmt: skip
_QUESTION: Fields = {
    "items": [{"sku": "A", "quantity": 3}, {"sku": "B"}], "scope": _NEAR,
    "include_locations": True, "include_parts": True, "horizon_days": 30,
}  # fmt: skip
_ADDRESS = {"postal_code": "10001", "city": "New York", "country_code": "US"}
_TERMS: Fields = {
    "channel": "web", "customer_id": "ann", "address": _ADDRESS, "package_count_max": 3,
    "promise_time": {"seconds": 1_760_000_000}, "shortage_policy": "SHORTAGE_POLICY_BACKORDER",
}  # fmt: skip
_PICKUP = {
    "sku": "A", "quantity": 1, "delivery_method": "DELIVERY_METHOD_PICKUP", "location_id": "a",
}  # fmt: skip
_ITEMS = [{"line_id": "1", "sku": "A", "quantity": 2, "unit_price_micros": 5_000_000}, _PICKUP]
_ORDER: Fields = {"order_id": "o1", "lines": _ITEMS, "terms": _TERMS}
_QUOTE: Fields = {"lines": [{"sku": "A", "quantity": 1}], "terms": _TERMS}
_WORK = {
    "order_id": "o2", "fulfillment_order_id": "o2/1", "state": "FULFILLMENT_STATE_RELEASED",
}  # fmt: skip
_MOVE = {
    "order_id": "o1", "etag": "12", "packages": [{
        "location_id": "b", "delivery_method": "DELIVERY_METHOD_SHIP_TO_HOME",
        "lines": [{"line_id": "1", "quantity": 2}]}],
}  # fmt: skip
_OPERATIONS = [
    {"reserve_stock": {"request_id": "x1", "lines": _LINES}},
    {"update_reservation": {"request_id": "x2", "reservation_id": "h1", "ttl": {"seconds": 60}}},
    {"move_reservation": {
        "request_id": "x3", "reservation_id": "h1", "sku": "A", "from_location_id": "a",
        "to_location_id": "b", "quantity": 1}},
    {"confirm_reservation": {"request_id": "x4", "reservation_id": "h2"}},
    {"release_reservation": {"request_id": "x5", "reservation_id": "h3"}},
    {"settle_reservation": {
        "request_id": "x6", "reservation_id": "h2", "outcome": "SETTLEMENT_OUTCOME_SHIPPED"}},
    {"get_reservation": {"reservation_id": "h1"}},
    {"check_availability": _QUESTION},
    {"update_stock": {"request_id": "x7", "updates": _CHANGES}},
    {"place_order": {**_ORDER, "request_id": "x8", "order_id": "o3"}},
    {"hold_order": {"request_id": "x9", "order_id": "o3", "kind": "HOLD_KIND_FRAUD"}},
    {"release_order": {"request_id": "x10", "order_id": "o3", "kind": "HOLD_KIND_FRAUD"}},
    {"edit_order": {
        "request_id": "x11", "order_id": "o3", "lines": [{"line_id": "1", "quantity": 1}]}},
    {"cancel_order": {"request_id": "x12", "order_id": "o3"}},
    {"advance_fulfillment_order": {**_WORK, "request_id": "x13"}},
    {"get_order": {"order_id": "o1", "view": "ORDER_VIEW_BASIC"}},
    {"quote_order": _QUOTE},
    {},
]  # fmt: skip

GOOD: Sequence[tuple[str, Fields]] = (
    ("CreateLocation", {"location": _LOCATION}),
    ("CreateLocation", {"location": {**_LOCATION, "location_id": "b"}}),
    ("CreateLocation", {"location": {"location_id": "c", "type": "LOCATION_TYPE_SUPPLIER"}}),
    ("CreateLocationGroup", {"group": _GROUP}),
    ("CreateProduct", {"product": _PRODUCT}),
    ("BatchCreateProducts", {"products": [{"sku": "B"}, {"sku": "C"}, _BUNDLE]}),
    ("CreateSafetyStockRule", {"rule": _RULE}),
    ("UpdateStock", {"updates": _COUNTS}),
    ("UpdateStock", {"updates": _CHANGES}),
    ("StreamStockUpdates", {"source": "pos", "sequence": 1, "updates": _CHANGES}),
    ("ReserveStock", _RESERVE),
    ("ReserveStock", {**_RESERVE, "reservation_id": "h2", "allow_partial": True}),
    ("ReserveStock", {
        **_RESERVE, "reservation_id": "h3", "scope": {"groups": {"group_ids": ["all"]}}}),
    ("PlaceOrder", _ORDER),
    ("PlaceOrder", {
        **_ORDER, "order_id": "o2", "holds": [{"kind": "HOLD_KIND_PAYMENT", "reason": "card"}]}),
    ("GetLocation", {"location_id": "a"}),
    ("ListLocations", {"page_size": 1, "group_id": "all"}),
    ("UpdateLocation", {
        "location": {**_LOCATION, "display_name": "South"},
        "update_mask": {"paths": ["display_name"]}}),
    ("SetLocationState", {"location_id": "c", "state": "LOCATION_STATE_ENABLED"}),
    ("SetLocationState", {
        "location_id": "c", "state": "LOCATION_STATE_DISABLED",
        "disabled_window": {"start_time": {"seconds": 1_760_000_000}}}),
    ("GetLocationGroup", {"group_id": "all"}),
    ("ListLocationGroups", {}),
    ("UpdateLocationGroup", {"group": {**_GROUP, "display_name": "All"}}),
    ("DeleteLocationGroup", {"group_id": "none"}),
    ("GetProduct", {"sku": "A"}),
    ("ListProducts", {"page_size": 2, "category": "drinks"}),
    ("UpdateProduct", {"product": _PRODUCT, "allow_missing": True}),
    ("BatchGetProducts", {"skus": ["A", "B"]}),
    ("BatchUpdateProducts", {"products": [_PRODUCT, _BUNDLE], "allow_missing": True}),
    ("CheckAvailability", _QUESTION),
    ("GetPosition", {"sku": "A", "location_id": "a"}),
    ("ListPositions", {"page_size": 2, "sku": "A"}),
    ("ListPositions", {"level": "STOCK_LEVEL_OUT_OF_STOCK"}),
    ("WatchInventory", {"snapshot": True, "skus": ["A"]}),
    ("WatchInventory", {"after_revision": 1, "location_ids": ["a"]}),
    ("GetSafetyStockRule", {"rule_id": "keep"}),
    ("ListSafetyStockRules", {"page_size": 1}),
    ("UpdateSafetyStockRule", {"rule": {**_RULE, "fixed_quantity": 2}}),
    ("DeleteSafetyStockRule", {"rule_id": "none"}),
    ("ExplainSafetyStock", {"sku": "A", "location_id": "b"}),
    ("GetReservation", {"reservation_id": "h1"}),
    ("ListReservations", {"page_size": 1, "state": "RESERVATION_STATE_HELD"}),
    ("UpdateReservation", {"reservation_id": "h1", "lines": _LINES[:1], "ttl": {"seconds": 600}}),
    ("MoveReservation", {
        "reservation_id": "h1", "sku": "A", "from_location_id": "a", "to_location_id": "b",
        "quantity": 1}),
    ("SaveRateCard", {"rate_card": _CARD}),
    ("GetRateCard", {"service_id": "ground"}),
    ("ListRateCards", {"page_size": 1}),
    ("DeleteRateCard", {"service_id": "none"}),
    ("SaveLane", {"lane": _LANE}),
    ("GetLane", {"service_id": "ground"}),
    ("ListLanes", {}),
    ("DeleteLane", {"service_id": "none"}),
    ("SaveLocationCalendar", {"calendar": _CALENDAR}),
    ("GetLocationCalendar", {"location_id": "a"}),
    ("ListLocationCalendars", {"page_size": 2}),
    ("DeleteLocationCalendar", {"location_type": "LOCATION_TYPE_HUB"}),
    ("ConfirmReservation", {"reservation_id": "h2"}),
    ("SettleReservation", {
        "reservation_id": "h2", "outcome": "SETTLEMENT_OUTCOME_SHIPPED", "lines": _LINES[:1]}),
    ("ReleaseReservation", {"reservation_id": "h3", "reason": "changed their mind"}),
    ("CreateRuleSet", {"rule_set": _RULE_SET}),
    ("ValidateRuleSet", {"version": 1}),
    ("DryRunRuleSet", {"version": 1, "order_count": 5}),
    ("ActivateRuleSet", {"version": 1}),
    ("GetRuleSet", {}),
    ("GetRuleSet", {"version": 0}),
    ("ListRuleSets", {"page_size": 1, "state": "RULE_SET_STATE_ACTIVE"}),
    ("QuoteOrder", {**_QUOTE, "methods": [
        {"delivery_method": "DELIVERY_METHOD_PICKUP"},
        {"delivery_method": "DELIVERY_METHOD_SHIP_TO_HOME"}]}),
    ("GetOrder", {"order_id": "o1"}),
    ("ListOrders", {
        "page_size": 1, "status": "ORDER_STATUS_OPEN", "customer_id": "ann", "sku": "A",
        "location_id": "a", "start_time": {"seconds": 1_700_000_000}}),
    ("EditOrder", {
        "order_id": "o1", "address": {**_ADDRESS, "point": _LOCATION["point"]},
        "lines": [{"line_id": "1", "quantity": 3}, {**_PICKUP, "line_id": "x"}]}),
    ("HoldOrder", {"order_id": "o1", "kind": "HOLD_KIND_FRAUD", "reason": "score 80"}),
    ("ReleaseOrder", {"order_id": "o2", "kind": "HOLD_KIND_PAYMENT"}),
    ("AdvanceFulfillmentOrder", _WORK),
    ("CancelOrder", {"order_id": "o1", "lines": [{"line_id": "1", "quantity": 1}], "reason": "no"}),
    ("WatchOrders", {"snapshot": True, "location_ids": ["a"]}),
    ("WatchOrders", {"after_revision": 1, "customer_ids": ["ann"], "order_ids": ["o1"]}),
    ("SimulateRouting", {
        **_QUOTE, "strategy": "ROUTING_STRATEGY_CHEAPEST", "rule_set_version": 0,
        "stock": [{"sku": "A", "location_id": "a", "quantity": 3}], "include_candidates": True}),
    ("ExplainDecision", {"order_id": "o1", "decision_number": 0, "location_ids": ["a", "b"]}),
    ("ReoptimizeBacklog", {"dry_run": True, "search_time_max": {"seconds": 5}}),
    ("ApplyReplan", {"moves": [_MOVE]}),
    ("Execute", {"operations": _OPERATIONS}),
    ("GetStatus", {}),
    ("CreateSnapshot", {}),
    ("VerifyState", {}),
    ("Check", {"service": "domgrpc.v1.InventoryService"}),
    ("Watch", {}),
    ("ServerReflectionInfo", {"list_services": ""}),
    ("ServerReflectionInfo", {"file_containing_symbol": "domgrpc.v1.Location"}),
    ("ServerReflectionInfo", {"file_by_filename": "domgrpc/v1/types.proto"}),
    ("ServerReflectionInfo", {"all_extension_numbers_of_type": "domgrpc.v1.Location"}),
    ("ServerReflectionInfo", {"file_containing_extension": {
        "containing_type": "domgrpc.v1.Location", "extension_number": 7}}),
)  # fmt: skip
"""In the order of a short day; requests of the same method differ."""
OPENING_COUNT = 15
"""How many of them open the shop."""


def good_messages() -> list[tuple[str, bytes]]:
    """Return (path, bytes) of every good message; a request id tells each from the others."""
    found = []
    for number, (name, fields) in enumerate(GOOD):
        for method in METHODS:
            if method.name != name:
                continue
            kind = method.descriptor.input_type
            key = {"request_id": f"good-{number}"} if "request_id" in kind.fields_by_name else {}
            found.append((method.path, GetMessageClass(kind)(**fields, **key).SerializeToString()))
    return found
