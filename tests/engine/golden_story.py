"""What the golden files of records tell: every kind of event, as a server writes it.

The commands of every_command.py, then what takes more places, more goods and more time: a parcel
that two orders share, work that another location gets, holds that run out.
"""

import asyncio

import msgspec

from domgrpc.core.carriers import LaneFields, Surcharge
from domgrpc.core.dispatch import Command
from domgrpc.core.holiday_dates import HolidayRegion
from domgrpc.core.order_commands import ApplyReplan, HoldQuote, OrderMove, PlaceOrder
from domgrpc.core.orders import Address, FulfillmentState, OrderTerms, ShortagePolicy
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.products import BackorderPolicy, BundleComponent, CreateProducts, ProductFields
from domgrpc.core.rule_sets import (
    CreateRuleSet,
    Replanning,
    RoutingLimits,
    RoutingPrices,
    RuleSetContent,
    Unfilled,
)
from domgrpc.core.values import (
    AddressType,
    BackorderMode,
    Channel,
    CustomerId,
    Limits,
    LineId,
    LocationId,
    LocationType,
    Micros,
    OrderId,
    Quantity,
    ReservationId,
    Revision,
    Sku,
    TimeMs,
)
from domgrpc.engine.engine import Engine
from tests.core.commands import (
    adjust,
    announce,
    confirm,
    count,
    demand,
    disable,
    group,
    on_hand,
    place,
    reserve,
    rule,
    stock,
)
from tests.core.logistics_words import (
    calendar,
    card,
    changed,
    lane,
    rate,
    schedule,
)
from tests.core.order_words import (
    BOSTON,
    DALLAS,
    PICKUP,
    SHIP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    point,
    terms,
)
from tests.core.routing_rules import activate, exclude, limit, prefer, validate
from tests.core.scope_words import at_locations, in_groups, near
from tests.engine.every_command import DAY_MS, EVERY_COMMAND, HOUR_MS
from tests.engine.rooms import Room, ask, send
from tests.engine.virtual_time import NOON_MS

GROUP_RECORDS = 40
DC = LocationType.DISTRIBUTION_CENTER
FEW = Limits(
    finished_reservations_max=4_001,
    kept_answers_max=4_002,
    kept_answer_age_ms=9 * DAY_MS,
    remembered_deltas_max=4_004,
    finished_orders_max=4_005,
)
HOME_IN_CHICAGO = Address(
    point(41.88, -87.63),
    "60601",
    "Chicago",
    "IL",
    "US",
    "1 Lake Street",
    "Ann Example",
    AddressType.COMMERCIAL,
)
EVERY_TERM = OrderTerms(
    channel=Channel("app"),
    customer_id=CustomerId("ann"),
    address=HOME_IN_CHICAGO,
    promise_time_ms=TimeMs(NOON_MS + 9 * DAY_MS),
    promise_is_hard=True,
    package_count_max=2,
    ship_complete=True,
    shortage_policy=ShortagePolicy.CANCEL,
    scope=near(41.88, -87.63, 5_000, 4),
    placed_at_location_id=LocationId("shop"),
    reference="basket 17",
)
MORE_PLACES: tuple[Command, ...] = (
    place("dal", DC, at=DALLAS),
    place("bos", DC, at=BOSTON, methods=(SHIP, PICKUP)),
    place("shop", at=(41.95, -87.70)),
    group("two", "dal", "bos", name="Two of them"),
    card(
        "heavy",
        tuple(
            rate(zone, 2_000_000 * zone, unit=30_000, kilogram=400_000, mile=5, steps=steps)
            for zone, steps in (
                (1, ((1_000, 50_000), (9_000, 60_000))),
                (2, ((1_000, 70_000), (9_000, 80_000))),
            )
        ),
        surcharges=(Surcharge("fuel", 1_200, Micros(90_000), residential_only=True),),
        origin_types=(DC,),
        grams_max=9_000,
        metres_max=4_000_000,
    ),
    lane(
        "heavy",
        LaneFields(
            (1, 2, 4),
            business_days=False,
            delivery_weekdays=(2, 3, 4),
            deliver_by_minute=1_000,
            holidays=HolidayRegion("US", "TX"),
        ),
    ),
    changed(
        calendar(
            "dal",
            schedule(
                "America/Chicago",
                weekdays=(1, 2, 3, 4, 5, 6),
                handling_minutes=90,
                lead_days=1,
                holidays=("US", "TX"),
                special=(("2025-12-24", 9, 12),),
            ),
        ),
        pickup_window_hours=48,
        package_micros=700_000,
        unit_micros=80_000,
        priority=7,
        daily_capacity=50,
    ),
    rule(
        "many",
        percent=10,
        category="mugs",
        group="two",
        channel="app",
        method=SHIP,
        kind_of_location=DC,
        window_ms=(NOON_MS, NOON_MS + 300 * DAY_MS),
    ),
)
MORE_GOODS: tuple[Command, ...] = (
    CreateProducts(
        products=(
            (
                Sku("mug"),
                ProductFields(
                    display_name="Mug",
                    unit="piece",
                    unit_decimals=1,
                    weight_grams=400,
                    length_mm=120,
                    width_mm=90,
                    height_mm=100,
                    categories=("mugs", "gifts"),
                    backorder_policy=BackorderPolicy(
                        mode=BackorderMode.INBOUND, limit_quantity=Quantity(0), horizon_days=30
                    ),
                    substitute_skus=(Sku("cup"),),
                ),
            ),
            (Sku("vase"), ProductFields(weight_grams=900, keep_together=True, ship_alone=True)),
            (Sku("set"), ProductFields(components=(BundleComponent(Sku("mug"), Quantity(2)),))),
        )
    ),
    on_hand("mug", dal=30, bos=20, shop=6),
    stock(count("jar", "bos", 4, as_of_ms=NOON_MS - 2_000)),
    on_hand("vase", dal=5, bos=5),
    stock(announce("mug", "bos", 40, due_ms=NOON_MS + 2 * DAY_MS, supply_id="po-7")),
    stock(adjust("vase", "shop", 3, reason="found", as_of_ms=NOON_MS - 1_000)),
    CreateRuleSet(
        content=RuleSetContent(
            display_name="Busy season",
            prices=RoutingPrices(
                split_penalty_micros=250_000,
                late_day_micros=2_000_000,
                scarcity_weight_permille=10,
            ),
            limits=RoutingLimits(
                package_count_max=5, split_minimum_value_micros=1_000_000, radius_m=6_000_000
            ),
            unfilled=Unfilled.BACKORDER,
            replanning=Replanning(stability_price_micros=1, cool_down_ms=60_000),
            promise_ms=6 * DAY_MS,
            rules=(
                exclude("no-south", "location.id == 'south' && order.channel == 'app'"),
                prefer("near-first", "location.id == 'bos'", 150_000),
                limit("few", "order.channel == 'app'", 3),
            ),
        )
    ),
)
MORE_ORDERS: tuple[Command, ...] = (
    validate(3),
    activate(3),
    *(order(line("mug", 2, price=9_000_000), as_id=name, customer="bob") for name in "abc"),
    cancel_order("a"),
    PlaceOrder(
        (line("mug", 5, price=8_000_000), line("vase", 2, price=20_000_000, group="gift")),
        EVERY_TERM,
        OrderId("all"),
    ),
    order(line("vase", 1), as_id="listed", to=BOSTON, scope=at_locations("dal", "bos")),
    order(line("mug", 1), as_id="grouped", to=BOSTON, scope=in_groups("two"), business=True),
    order(line("mug", 3), as_id="moved", to=DALLAS),
    order(line("mug", 1, by=PICKUP, at="shop"), as_id="collected"),
    *(
        advance("collected/1", state)
        for state in (
            FulfillmentState.RELEASED,
            FulfillmentState.READY,
            FulfillmentState.COLLECTED,
        )
    ),
    order(line("vase", 1), as_id="given-back", to=DALLAS),
    advance("given-back/1", FulfillmentState.RELEASED),
    advance("given-back/1", FulfillmentState.CANCELLED),
    edit("b", line("mug", 1), to=BOSTON),
    reserve(
        ("vase", "shop", 2),
        as_id="late",
        ttl_ms=HOUR_MS,
        demand=demand("app", PICKUP),
        reference="basket 18",
    ),
    HoldQuote(
        (line("mug", 2),),
        terms(customer="bob"),
        2 * HOUR_MS,
        ReservationId("offered"),
        methods=((SHIP, LocationId("")), (PICKUP, LocationId("shop"))),
    ),
    order(line("mug", 90), as_id="short"),
    reserve(("tea", "south", 9), as_id="beyond", ttl_ms=30 * DAY_MS),
    order(line("tea", 1, by=PICKUP, at="south"), as_id="beyond"),
    disable("dal", start_ms=NOON_MS + DAY_MS, end_ms=NOON_MS + 30 * DAY_MS),
)
LAST: tuple[Command, ...] = (
    confirm("late", revive=True),
    on_hand("mug", bos=19),
    order(line("tea", 1), as_id="last", to=DALLAS),
)


def tell(room: Room) -> None:
    """Write the log and, before its last records, a snapshot."""
    room.settings = msgspec.structs.replace(room.settings, limits=FEW)
    room.live(_first_days)
    room.clock.set_wall(NOON_MS + 3 * DAY_MS)
    room.live(_later_days)


async def _first_days(engine: Engine) -> None:
    commands = (*EVERY_COMMAND, *MORE_PLACES, *MORE_GOODS, *MORE_ORDERS)
    for first in range(0, len(commands), GROUP_RECORDS):
        group = commands[first : first + GROUP_RECORDS]
        await engine.execute(
            [ask(command, f"r{number}") for number, command in enumerate(group, first)]
        )
    moved = engine.writer.state.orders.by_id[OrderId("moved")]
    package = QuotedPackage(LocationId("bos"), SHIP, LocationId(""), ((LineId("mug"), 3),))
    move = OrderMove(OrderId("moved"), moved.revision, (package,))
    stale = OrderMove(OrderId("short"), Revision(1), ())
    await engine.submit(ask(ApplyReplan((move, stale)), "replan"))


async def _later_days(engine: Engine) -> None:
    # The timers find what became due meanwhile.
    await asyncio.sleep(60)
    await send(engine, LAST[0], first=900)
    await engine.create_snapshot("golden")
    await send(engine, *LAST[1:], first=901)
