"""OrderService over the wire: orders taken, answered, listed."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.v1 import errors_pb2, plan_pb2
from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from tests.rpc.ordering import (
    HOME,
    PICKUP,
    SHIP,
    advance,
    cancel,
    edit,
    line,
    open_chain,
    place,
    places,
    placing,
)
from tests.rpc.serving import NOON_MS, Shop, refusal
from tests.rpc.watching import read, read_until, told, watching

Code = grpc.StatusCode
NOON = Timestamp(seconds=NOON_MS // 1_000)
FRAUD = pb.HOLD_KIND_FRAUD
NOWHERE = pb.OrderTerms(channel="web", customer_id="ann")


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


# --- placing


async def test_an_order_is_planned_and_claimed_in_one_step(chain: Shop) -> None:
    order = await place(chain, line("A", 2), line("B"), order_id="o1")
    assert (order.order_id, order.client_id) == ("o1", "anonymous")
    assert order.status == pb.ORDER_STATUS_OPEN
    assert places(order.fulfillment_orders) == [("york", [("A", 2), ("B", 1)])]
    (work,) = order.fulfillment_orders
    assert work.state == pb.FULFILLMENT_STATE_OPEN
    assert NOON.seconds <= work.ready_time.seconds <= work.ship_by_time.seconds
    assert work.ship_by_time.seconds < work.deliver_by_time.seconds
    assert work.package_cost_micros > 0
    assert [(each.line_id, each.sku, each.quantity) for each in order.lines] == [
        ("1", "A", 2),
        ("2", "B", 1),
    ]
    assert order.etag == str(order.revision)
    assert (await chain.position("A", "york")).allocated == 2


async def test_the_id_of_an_order_is_that_of_its_request_where_none_is_given(chain: Shop) -> None:
    assert (await place(chain, line("A"), request_id="r-7")).order_id == "r-7"


async def test_lines_may_be_named_and_take_their_method_and_store_from_the_request(
    chain: Shop,
) -> None:
    order = await place(
        chain,
        line("A", line_id="shirt", unit_price_micros=19_990_000, package_group="g"),
        line("B", delivery_method=SHIP, package_group="g"),
        delivery_method=PICKUP,
        location_id="newark",
    )
    first, second = order.lines
    assert (first.line_id, first.delivery_method, first.location_id) == (
        "shirt",
        PICKUP,
        "newark",
    )
    assert (first.unit_price_micros, first.package_group) == (19_990_000, "g")
    assert (second.line_id, second.delivery_method, second.location_id) == ("2", SHIP, "")
    assert places(order.fulfillment_orders)[0] == ("newark", [("A", 1)])


async def test_what_is_collected_says_until_when_it_waits(chain: Shop) -> None:
    order = await place(
        chain, line("A", delivery_method=PICKUP, location_id="york"), line("B"), order_id="o1"
    )
    fetched, sent = order.fulfillment_orders
    assert fetched.collect_by_time.seconds - fetched.deliver_by_time.seconds >= 72 * 3_600
    assert not sent.HasField("collect_by_time")


async def test_an_order_that_is_only_collected_needs_no_address(chain: Shop) -> None:
    order = await place(chain, line("A", delivery_method=PICKUP, location_id="york"), terms=NOWHERE)
    assert order.fulfillment_orders[0].destination_location_id == "york"
    assert not order.terms.HasField("address")


async def test_the_terms_of_an_order_are_told_as_they_were_given(chain: Shop) -> None:
    terms = pb.OrderTerms(
        channel="app",
        customer_id="bob",
        address=pb.Address(
            point=ty.Point(latitude_degrees=40.0, longitude_degrees=-75.5),
            postal_code="19301",
            city="Paoli",
            region="PA",
            country_code="US",
            street="1 Lane",
            address_type=pb.ADDRESS_TYPE_COMMERCIAL,
            recipient="Bob",
        ),
        promise_time=Timestamp(seconds=NOON.seconds + 864_000),
        promise_is_hard=True,
        package_count_max=3,
        ship_complete=True,
        shortage_policy=pb.SHORTAGE_POLICY_BACKORDER,
        scope=ty.Scope(locations=ty.LocationList(location_ids=["york", "newark"])),
        placed_at_location_id="newark",
        reference="till 4",
    )
    order = await place(chain, line("A"), terms=terms)
    assert order.terms == terms


@pytest.mark.parametrize(
    "scope",
    [
        ty.Scope(groups=ty.GroupList(group_ids=["east"])),
        ty.Scope(
            near=ty.NearPoint(
                point=ty.Point(latitude_degrees=40.7, longitude_degrees=-74.0),
                radius_km=50.5,
                location_count_max=2,
            )
        ),
    ],
    ids=["groups", "near"],
)
async def test_every_kind_of_scope_is_told_as_it_was_given(chain: Shop, scope: ty.Scope) -> None:
    await chain.add_group("east", "york", "newark")
    terms = pb.OrderTerms(address=HOME.address, scope=scope)
    assert (await place(chain, line("A"), terms=terms)).terms.scope == scope


async def test_a_zip_code_becomes_a_place(chain: Shop) -> None:
    for postal_code, country_code in (("10001", ""), ("10001-2345", "US"), ("100012345", "US")):
        address = pb.Address(postal_code=postal_code, country_code=country_code)
        order = await place(chain, line("A"), terms=pb.OrderTerms(address=address))
        assert order.terms.address.point.latitude_degrees == pytest.approx(40.75, abs=0.01)
        assert order.terms.address.postal_code == postal_code


async def test_a_zip_code_says_state_and_country_that_rules_look_at(chain: Shop) -> None:
    for region, expected in (("", "IL"), ("Illinois", "Illinois")):
        terms = pb.OrderTerms(address=pb.Address(postal_code="60614", region=region))
        address = (await place(chain, line("A"), terms=terms)).terms.address
        assert (address.region, address.country_code) == (expected, "US")


async def test_an_unknown_zip_code_is_named(chain: Shop) -> None:
    terms = pb.OrderTerms(address=pb.Address(postal_code="99999"))
    refused = await refusal(place(chain, line("A"), terms=terms))
    assert refused.field == "terms.address.postal_code"
    assert "is '99999', which is no known US ZIP code" in refused.status.message


async def test_an_address_without_a_place_is_refused_with_what_to_give(chain: Shop) -> None:
    refused = await refusal(
        place(chain, line("A"), terms=pb.OrderTerms(address=pb.Address(city="Paris")))
    )
    assert (refused.code, refused.field) == (Code.INVALID_ARGUMENT, "terms.address.point")
    assert "coordinates" in refused.message
    assert "ZIP" in refused.message


async def test_what_nobody_has_is_refused_with_the_lines_and_where_else_it_is(chain: Shop) -> None:
    terms = pb.OrderTerms(
        address=HOME.address,
        shortage_policy=pb.SHORTAGE_POLICY_REFUSE,
        scope=ty.Scope(locations=ty.LocationList(location_ids=["york"])),
    )
    refused = await refusal(place(chain, line("A", 11), line("B"), terms=terms))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "INSUFFICIENT_STOCK")
    (short,) = refused.detail(errors_pb2.InsufficientStock).lines
    assert (short.sku, short.asked_quantity) == ("A", 11)
    assert short.alternatives
    assert (await chain.position("B", "york")).allocated == 0


async def test_an_order_may_wait_for_what_nobody_has(chain: Shop) -> None:
    terms = pb.OrderTerms(address=HOME.address, shortage_policy=pb.SHORTAGE_POLICY_BACKORDER)
    await chain.count(("X", "york", 0))
    order = await place(chain, line("A"), line("X", 3), terms=terms)
    assert order.attention == pb.ORDER_ATTENTION_BACKORDERED
    assert [each.unsourced_quantity for each in order.lines] == [0, 3]


async def test_a_preview_of_an_order_changes_nothing(chain: Shop) -> None:
    shown = await place(chain, line("A", 2), order_id="o", validate_only=True)
    assert places(shown.fulfillment_orders) == [("york", [("A", 2)])]
    assert (await chain.position("A", "york")).allocated == 0
    placed = await place(chain, line("A", 2), order_id="o")
    assert placed.fulfillment_orders == shown.fulfillment_orders


async def test_an_order_id_is_taken_once(chain: Shop) -> None:
    await place(chain, line("A"), order_id="o")
    refused = await refusal(place(chain, line("B"), order_id="o"))
    assert (refused.code, refused.reason) == (Code.ALREADY_EXISTS, "ORDER_ID_TAKEN")


async def test_an_unknown_sku_is_refused(chain: Shop) -> None:
    terms = pb.OrderTerms(address=HOME.address, shortage_policy=pb.SHORTAGE_POLICY_REFUSE)
    refused = await refusal(place(chain, line("X"), terms=terms))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "SKU_NOT_FOUND")


async def test_a_hold_that_was_reserved_before_becomes_part_of_the_order(chain: Shop) -> None:
    held = await chain.hold(("A", "newark", 10), ttl=Duration(seconds=60))
    terms = pb.OrderTerms(
        address=HOME.address,
        scope=ty.Scope(locations=ty.LocationList(location_ids=["newark"])),
    )
    order = await place(chain, line("A", 10), terms=terms, reservation_id=held.reservation_id)
    assert places(order.fulfillment_orders) == [("newark", [("A", 10)])]
    position = await chain.position("A", "newark")
    assert (position.soft_reserved, position.allocated) == (0, 10)


# --- answers


async def test_a_basic_view_tells_the_work_and_leaves_the_rest_out(chain: Shop) -> None:
    request = placing(line("A", 2), request_id="r", view=pb.ORDER_VIEW_BASIC)
    basic = await chain.orders.PlaceOrder(request)
    assert places(basic.fulfillment_orders) == [("york", [("A", 2)])]
    assert not basic.lines
    assert not basic.history
    assert not basic.decisions
    assert not basic.HasField("terms")
    assert not basic.fulfillment_orders[0].package_cost_micros
    request.view = pb.ORDER_VIEW_FULL
    assert (await chain.orders.PlaceOrder(request)).lines
    read = await chain.orders.GetOrder(pb.GetOrderRequest(order_id="r", view=pb.ORDER_VIEW_BASIC))
    assert read == basic


async def test_an_order_tells_its_history_and_decisions(chain: Shop) -> None:
    order = await place(chain, line("A", 2))
    await edit(chain, order, pb.OrderLine(line_id="1", quantity=4))
    await advance(chain, order, "RELEASED")
    read = await chain.orders.GetOrder(pb.GetOrderRequest(order_id=order.order_id))
    assert [step.kind for step in read.history] == [
        plan_pb2.ORDER_STEP_KIND_PLACED,
        plan_pb2.ORDER_STEP_KIND_EDITED,
        plan_pb2.ORDER_STEP_KIND_ADVANCED,
    ]
    assert [step.revision for step in read.history] == sorted(
        step.revision for step in read.history
    )
    assert [each.step for each in read.decisions] == [
        plan_pb2.ORDER_STEP_KIND_PLACED,
        plan_pb2.ORDER_STEP_KIND_EDITED,
    ]
    assert not any(each.legs for each in read.decisions)


async def test_an_unknown_order_is_not_found(chain: Shop) -> None:
    refused = await refusal(chain.orders.GetOrder(pb.GetOrderRequest(order_id="none")))
    assert (refused.code, refused.reason) == (Code.NOT_FOUND, "ORDER_NOT_FOUND")


# --- listing


async def listed(chain: Shop, **fields: object) -> list[str]:
    found: list[str] = []
    request = pb.ListOrdersRequest(**fields)  # type: ignore[arg-type]  # what the test says
    while True:
        page = await chain.orders.ListOrders(request)
        found += [order.order_id for order in page.orders]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def test_orders_are_listed_by_what_they_are(chain: Shop) -> None:
    await place(chain, line("A"), order_id="o1")
    chain.clock.now_ms += 1_000
    second = await place(
        chain,
        line("B", delivery_method=PICKUP, location_id="newark"),
        order_id="o2",
        terms=pb.OrderTerms(customer_id="bob"),
    )
    chain.clock.now_ms += 1_000
    third = await place(chain, line("C"), order_id="o3")
    await cancel(chain, third)
    assert await listed(chain) == ["o1", "o2", "o3"]
    assert await listed(chain, page_size=1) == ["o1", "o2", "o3"]
    assert await listed(chain, status=pb.ORDER_STATUS_CANCELLED) == ["o3"]
    assert await listed(chain, customer_id="bob") == ["o2"]
    assert await listed(chain, location_id="newark") == ["o2"]
    assert await listed(chain, sku="A") == ["o1"]
    assert await listed(chain, start_time=second.create_time) == ["o2", "o3"]
    assert await listed(chain, end_time=second.create_time) == ["o1"]


async def test_a_page_token_belongs_to_its_filters(chain: Shop) -> None:
    for number in range(3):
        await place(chain, line("A"), order_id=f"o{number}")
    page = await chain.orders.ListOrders(pb.ListOrdersRequest(page_size=1))
    refused = await refusal(
        chain.orders.ListOrders(pb.ListOrdersRequest(page_token=page.next_page_token, sku="A"))
    )
    assert refused.reason == "PAGE_TOKEN_INVALID"
    basic = await chain.orders.ListOrders(
        pb.ListOrdersRequest(page_token=page.next_page_token, view=pb.ORDER_VIEW_BASIC)
    )
    assert [order.order_id for order in basic.orders] == ["o1", "o2"]
    assert not basic.orders[0].lines


async def test_a_watch_of_stock_tells_which_order_claimed_it(chain: Shop) -> None:
    async with watching(chain) as call:
        await read(call)
        order = await place(chain, line("A", 2), order_id="o")
        await edit(chain, order, pb.OrderLine(line_id="1", quantity=3))
        await advance(chain, order, "RELEASED", "SHIPPED")
        changes = await read_until(call, chain.engine.revision)
    assert told(changes) == [
        ("A", "york", "ORDERED"),
        ("A", "york", "ORDER_EDITED"),
        ("A", "york", "ORDER_ADVANCED"),
    ]
    assert {change.order_id for change in changes} == {"o"}
    assert [(change.on_hand_delta, change.allocated_delta) for change in changes] == [
        (0, 2),
        (0, 1),
        (-3, -3),
    ]
