"""The methods about orders and routing do what their calls do, alone and together."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domgrpc.client import (
    DomgrpcClient,
    DomgrpcError,
    Item,
    SyncClient,
    Terms,
    address_of,
    at_locations,
    count_stock,
)
from domgrpc.v1.location_pb2 import Location, LocationType
from domgrpc.v1.order_pb2 import (
    FulfillmentState,
    HoldKind,
    Order,
    OrderStatus,
    OrderView,
    ShortagePolicy,
    WatchOrdersResponse,
)
from domgrpc.v1.routing_pb2 import ReplanMove, ReplanPackage
from domgrpc.v1.rule_set_pb2 import RoutingStrategy
from domgrpc.v1.types_pb2 import DeliveryMethod, Point
from tests.rpc.serving import Shop, serving

SHIP = DeliveryMethod.DELIVERY_METHOD_SHIP_TO_HOME
PICKUP = DeliveryMethod.DELIVERY_METHOD_PICKUP
FRAUD = HoldKind.HOLD_KIND_FRAUD
BASIC = OrderView.ORDER_VIEW_BASIC
STORE = LocationType.LOCATION_TYPE_STORE
HOME = Terms(channel="web", customer_id="ann", address=address_of("10001"))
KETTLE = Item("kettle", 1)
POINTS = {
    "york": Point(latitude_degrees=40.75, longitude_degrees=-73.99),
    "newark": Point(latitude_degrees=40.73, longitude_degrees=-74.17),
}


async def stock_up(client: DomgrpcClient) -> DomgrpcClient:
    for location_id, point in POINTS.items():
        await client.create_location(Location(location_id=location_id, type=STORE, point=point))
    await client.update_stock([count_stock("kettle", place, 50) for place in POINTS])
    return client


@pytest.fixture
async def stocked(client: DomgrpcClient) -> DomgrpcClient:
    """Two stores with kettles."""
    return await stock_up(client)


async def test_an_order_from_quote_to_door(stocked: DomgrpcClient) -> None:
    quote = await stocked.quote_order([Item("kettle", 2)], HOME)
    order = await stocked.place_order(
        [Item("kettle", 2)],
        HOME,
        order_id="o1",
        quote_token=quote.options[0].quote_token,
        holds={FRAUD: "score 80"},
    )
    assert order.order_id == "o1"
    assert order.holds[0].reason == "score 80"
    assert order.terms.address.point.latitude_degrees > 40
    await stocked.hold_order("o1", HoldKind.HOLD_KIND_OTHER, reason="gift card")
    for kind in (FRAUD, HoldKind.HOLD_KIND_OTHER):
        order = await stocked.release_order("o1", kind)
    edited = await stocked.edit_order(
        "o1", [Item("kettle", 1, PICKUP, "newark", line_id="x")], quantities={"1": 3}
    )
    assert [(line.line_id, line.quantity) for line in edited.lines] == [("1", 3), ("x", 1)]
    cancelled = await stocked.cancel_order("o1", quantities={"1": 1}, reason="too many")
    assert cancelled.lines[0].cancelled_quantity == 1
    work = cancelled.fulfillment_orders[0].fulfillment_order_id
    advanced = cancelled
    for state in (
        FulfillmentState.FULFILLMENT_STATE_RELEASED,
        FulfillmentState.FULFILLMENT_STATE_SHIPPED,
    ):
        advanced = await stocked.advance_fulfillment_order("o1", work, state, view=BASIC)
    assert advanced.status == OrderStatus.ORDER_STATUS_PARTIALLY_SHIPPED
    read = await stocked.get_order("o1", min_revision=advanced.revision)
    assert len(read.history) == 8
    listed = await stocked.list_orders(
        customer_id="ann",
        sku="kettle",
        location_id="york",
        status=OrderStatus.ORDER_STATUS_PARTIALLY_SHIPPED,
        start_time=datetime(2020, 1, 1, tzinfo=UTC),
        end_time=datetime(2099, 1, 1, tzinfo=UTC),
    )
    assert [each.order_id for each in listed.orders] == ["o1"]


async def test_everything_that_can_be_said_of_terms_and_items_is_said(
    stocked: DomgrpcClient,
) -> None:
    terms = Terms(
        channel="app",
        customer_id="bob",
        address=address_of(
            "19301",
            latitude_degrees=40.0,
            longitude_degrees=-75.5,
            recipient="Bob",
            street="1 Lane",
            city="Paoli",
            region="PA",
            country_code="US",
        ),
        promise_time=datetime(2030, 1, 1, tzinfo=UTC),
        promise_is_hard=True,
        package_count_max=2,
        ship_complete=True,
        shortage_policy=ShortagePolicy.SHORTAGE_POLICY_REFUSE,
        scope=at_locations(["york"]),
        placed_at_location_id="newark",
        reference="till 4",
    )
    item = Item("kettle", 1, SHIP, "", 5_000_000, "k", "g")
    order = await stocked.place_order([item], terms, validate_only=True)
    said = order.terms
    assert (said.channel, said.customer_id, said.reference) == ("app", "bob", "till 4")
    assert (said.address.city, said.address.point.longitude_degrees) == ("Paoli", -75.5)
    assert said.promise_time.ToDatetime(UTC) == terms.promise_time
    assert (said.promise_is_hard, said.package_count_max, said.ship_complete) == (True, 2, True)
    assert said.shortage_policy == terms.shortage_policy
    assert said.scope.locations.location_ids == ["york"]
    assert said.placed_at_location_id == "newark"
    (line,) = order.lines
    assert (line.line_id, line.unit_price_micros, line.package_group) == ("k", 5_000_000, "g")


async def test_a_quote_by_methods_and_one_that_holds(stocked: DomgrpcClient) -> None:
    quote = await stocked.quote_order([KETTLE], HOME, methods=[(PICKUP, "newark"), (SHIP, "")])
    assert {option.delivery_method for option in quote.options} == {PICKUP, SHIP}
    held = await stocked.quote_order(
        [KETTLE], delivery_method=PICKUP, location_id="york", hold_seconds=60, reservation_id="h"
    )
    assert held.reservation.reservation_id == "h"
    assert (await stocked.get_position("kettle", "york")).soft_reserved == 1


async def test_orders_placed_together_travel_together_and_are_answered_each(
    shop: Shop, stocked: DomgrpcClient
) -> None:
    before = shop.engine.revision
    refusing = Terms(
        address=address_of("10001"), shortage_policy=ShortagePolicy.SHORTAGE_POLICY_REFUSE
    )
    answers = await asyncio.gather(
        *(stocked.place_order([KETTLE], HOME, order_id=f"o{number}") for number in range(30)),
        stocked.place_order([Item("kettle", 999)], refusing),
        return_exceptions=True,
    )
    placed = [each for each in answers if isinstance(each, Order)]
    assert [order.order_id for order in placed] == [f"o{number}" for number in range(30)]
    (refused,) = [each for each in answers if isinstance(each, DomgrpcError)]
    assert refused.reason == "INSUFFICIENT_STOCK"
    assert refused.short_lines[0].asked_quantity == 999
    assert shop.engine.revision == before + 31
    read, quoted = await asyncio.gather(
        stocked.get_order("o3", view=BASIC), stocked.quote_order([KETTLE], HOME)
    )
    assert read.fulfillment_orders
    assert quoted.options


async def test_an_order_is_simulated_explained_and_planned_again(stocked: DomgrpcClient) -> None:
    simulated = await stocked.simulate_routing(
        [KETTLE],
        HOME,
        stock={("kettle", "newark"): 7},
        strategy=RoutingStrategy.ROUTING_STRATEGY_CHEAPEST,
        rule_set_version=0,
        include_candidates=True,
    )
    assert [package.location_id for package in simulated.plan.packages] == ["newark"]
    order = await stocked.place_order([KETTLE], HOME)
    explained = await stocked.explain_decision(
        order.order_id, decision_number=0, location_ids=["newark"], include_candidates=True
    )
    assert explained.locations[0].cheaper_by_micros > 0
    package = ReplanPackage(location_id="newark", delivery_method=SHIP)
    package.lines.add(line_id="1", quantity=1)
    move = ReplanMove(order_id=order.order_id, etag=order.etag, packages=[package])
    assert (await stocked.apply_replan([move], validate_only=True)).applied_order_ids
    applied = await stocked.apply_replan([move])
    assert applied.applied_order_ids == [order.order_id]
    again = await stocked.simulate_routing(order_id=order.order_id)
    assert [package.location_id for package in again.plan.packages] == ["york"]
    proposal = await stocked.reoptimize_backlog(dry_run=True, search_seconds=1)
    assert proposal.order_count == 1
    assert not proposal.applied_order_ids


async def next_change(client: DomgrpcClient, after_revision: int) -> WatchOrdersResponse:
    """Return the next answer with a change in it."""
    watch = client.watch_orders(after_revision=after_revision, location_ids=["york"])
    async with aclosing(watch):
        async for answer in watch:
            if answer.changes:
                return answer
    raise AssertionError


async def test_a_store_watches_its_work_over_a_restart_of_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as first, DomgrpcClient(first.address) as client:
        await stock_up(client)
        await client.place_order([KETTLE], HOME, order_id="o1")
        watch = client.watch_orders(snapshot=True, location_ids=["york"], view=BASIC)
        async with aclosing(watch):
            snapshot = await anext(watch)
        assert snapshot.snapshot_complete
        assert [order.order_id for order in snapshot.orders] == ["o1"]
        await client.place_order([KETTLE], HOME, order_id="o2")
        placed = await next_change(client, snapshot.revision)
        assert [change.order.order_id for change in placed.changes] == ["o2"]
    async with serving(tmp_path) as second, DomgrpcClient(second.address) as client:
        await client.cancel_order("o1")
        cancelled = await next_change(client, placed.revision)
    # The second travelled in the parcel of the first, which is its own by now.
    assert [change.order.order_id for change in cancelled.changes] == ["o1", "o2"]


async def test_a_watch_has_one_beginning(client: DomgrpcClient) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        await anext(client.watch_orders(snapshot=True, after_revision=1))


async def test_a_place_has_two_coordinates() -> None:
    with pytest.raises(ValueError, match="give both or none"):
        address_of(latitude_degrees=40.0)


async def test_the_synchronous_client_places_and_watches(
    shop: Shop, stocked: DomgrpcClient
) -> None:
    def script() -> str:
        with SyncClient(shop.address) as client:
            order = client.place_order([KETTLE], HOME)
            for answer in client.watch_orders(snapshot=True):
                return answer.orders[0].order_id if answer.orders else order.order_id
        return ""

    placed = await asyncio.to_thread(script)
    assert (await stocked.get_order(placed)).order_id == placed
