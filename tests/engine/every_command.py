"""A short day of one shop in which every kind of command occurs, and every kind of answer."""

from domgrpc.core.carriers import LaneFields
from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import DeleteLocationGroup, UpdateLocationGroup
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.order_commands import ApplyReplan, HoldQuote, OrderMove
from domgrpc.core.orders import FulfillmentState, HoldKind
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.safety_stock import RuleFields, RuleKind, UpdateSafetyStockRule
from domgrpc.core.values import (
    GroupId,
    LocationId,
    LocationType,
    OrderId,
    Quantity,
    ReservationId,
    Revision,
    RuleId,
    Sku,
    StockCondition,
)
from tests.core.commands import (
    adjust,
    announce,
    cancel,
    change,
    confirm,
    count,
    disable,
    enable,
    feed,
    group,
    limited,
    move,
    no_rule,
    on_hand,
    place,
    product,
    receive,
    release,
    relocate,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.logistics_words import (
    calendar,
    card,
    lane,
    no_calendar,
    no_card,
    no_lane,
    rates,
    schedule,
)
from tests.core.order_words import (
    PICKUP,
    REFUSING,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
    terms,
)
from tests.core.routing_rules import activate, draft, exclude, tried, validate
from tests.engine.virtual_time import NOON_MS

DAY_MS = 86_400_000
DAMAGED = StockCondition.DAMAGED
HOUR_MS = 3_600_000

PLACES: tuple[Command, ...] = (
    place("north", at=(40.7, -74.0)),
    place("south", at=(29.8, -95.4), backorder=True),
    place("north", at=(40.7, -74.0)),
    place("north"),
    UpdateLocation(location_id=LocationId("south"), fields=LocationFields(display_name="South")),
    group("all", "north", "south"),
    UpdateLocationGroup(group_id=GroupId("all"), display_name="All of them"),
    group("gone", "north"),
    DeleteLocationGroup(group_id=GroupId("gone")),
    DeleteLocationGroup(group_id=GroupId("gone")),
    disable("north", start_ms=NOON_MS + DAY_MS, end_ms=NOON_MS + 2 * DAY_MS),
    enable("south"),
)
GOODS: tuple[Command, ...] = (
    product("tea", categories=("drinks",), backorder=limited(3)),
    product("tea"),
    UpdateProducts(
        products=((Sku("tea"), ProductFields(display_name="Tea")),), field_names=("display_name",)
    ),
    on_hand("tea", north=10, south=4),
    on_hand("cup", north=5),
    stock(adjust("cup", "south", 7), move("cup", "north", 2, to="south")),
    stock(move("cup", "north", 1, conditions=(StockCondition.SELLABLE, DAMAGED))),
    stock(adjust("cup", "north", -50)),
    stock(announce("tea", "south", 20, due_ms=NOON_MS + DAY_MS)),
    stock(receive("tea", "south", 5)),
    feed(1, adjust("tea", "north", -1), adjust("tea", "nowhere", -1), count("jar", "north", 3)),
    feed(1, adjust("tea", "north", -1)),
    rule("keep", 1, location="north"),
    rule("low", 3, kind=RuleKind.LOW_STOCK),
    UpdateSafetyStockRule(
        rule_id=RuleId("low"),
        fields=RuleFields(RuleKind.LOW_STOCK, fixed_quantity=Quantity(2)),
        field_names=("fixed_quantity",),
    ),
    no_rule("keep"),
)
HOLDS: tuple[Command, ...] = (
    reserve(("tea", "north", 2), ("cup", "south", 1), as_id="a", ttl_ms=HOUR_MS),
    reserve(("tea", "north", 2), as_id="a"),
    reserve(("tea", "north", 1_000)),
    reserve(("tea", "", 9), as_id="b"),
    reserve(("jar", "north", 9), as_id="part", allow_partial=True),
    change("a", ("tea", "north", 3), ttl_ms=2 * HOUR_MS),
    relocate("a", "cup", "south", "north"),
    relocate("a", "cup", "north", "north"),
    confirm("a"),
    confirm("a"),
    ship("a", ("tea", "north", 1)),
    cancel("a"),
    release("b", reason="changed their mind"),
    release("b"),
    confirm("b"),
    reserve(("tea", "south", 2), as_id="short", ttl_ms=1_000),
    reserve(("tea", "north", 1), as_id="open", ttl_ms=DAY_MS),
)
LOGISTICS: tuple[Command, ...] = (
    card("ground", rates(5_000_000, 6_000_000)),
    card("ground", rates(5_000_000, 6_000_000)),
    card("ground", rates(5_000_000, 7_000_000)),
    card("gone", rates(1)),
    no_card("gone"),
    no_card("gone"),
    lane("ground", LaneFields((1, 2))),
    lane("ground", LaneFields((1, 2))),
    lane("gone", LaneFields()),
    no_lane("gone"),
    calendar("north", schedule("America/New_York")),
    calendar("north", schedule("America/New_York")),
    calendar(LocationType.STORE, schedule(weekdays=(1, 2, 3))),
    calendar(LocationType.HUB, schedule()),
    no_calendar(LocationType.HUB),
)
ROUTING: tuple[Command, ...] = (
    draft(exclude("no-stores", "order.channel == 'web' && location.type == 'STORE'")),
    draft(exclude("typo", "location.typ == 'STORE'")),
    validate(1),
    validate(1),
    validate(2),
    tried(2),
    tried(1),
    activate(2),
    activate(1),
    activate(1),
    activate(0),
)
NEAR = (40.8, -74.1)
ORDERS: tuple[Command, ...] = (
    product("shoe"),
    on_hand("shoe", north=9, south=9),
    reserve(("shoe", "north", 1), as_id="cart", ttl_ms=DAY_MS),
    order(line("shoe", 2), line("tea", 1), to=NEAR, customer="ann", hold="cart"),
    order(line("shoe", 1), as_id="p", to=NEAR, customer="ann", holds=((HoldKind.FRAUD, "new"),)),
    order(line("shoe", 1), as_id="p"),
    order(line("shoe", 99), as_id="q", shortage_policy=REFUSING),
    order(line("shoe", 1, by=PICKUP, at="south"), as_id="r"),
    HoldQuote((line("shoe", 1),), terms(NEAR), HOUR_MS, ReservationId("quoted")),
    edit("o", line("shoe", 3)),
    edit("o", line("shoe", 3)),
    cancel_order("o", shoe=1),
    cancel_order("o", shoe=9),
    put_on_hold("o"),
    put_on_hold("o"),
    take_off_hold("o"),
    advance("r/1", FulfillmentState.RELEASED),
    advance("r/1", FulfillmentState.RELEASED),
    advance("r/1", FulfillmentState.DELIVERED),
    advance("r/1", FulfillmentState.CANCELLED),
    ApplyReplan((OrderMove(OrderId("o"), Revision(1), ()),)),
)
EVERY_COMMAND: tuple[Command, ...] = (
    *PLACES,
    *GOODS,
    *HOLDS,
    *LOGISTICS,
    *ROUTING,
    *ORDERS,
)
