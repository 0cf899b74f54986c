"""Every call that changes something may be repeated: the first answer comes again, byte for byte.

One table has all of them, so that a new method without a request id fails here.
"""

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from domgrpc.rpc.registration import service_descriptors
from domgrpc.v1 import inventory_pb2 as iv
from domgrpc.v1 import location_pb2 as lo
from domgrpc.v1 import logistics_pb2 as lg
from domgrpc.v1 import order_pb2 as od
from domgrpc.v1 import product_pb2 as pr
from domgrpc.v1 import reservation_pb2 as re
from domgrpc.v1 import routing_pb2 as ro
from domgrpc.v1 import rule_set_pb2 as rs
from tests.rpc.serving import Shop, counted, refusal, reserve_lines, trailer

READING = ("Get", "List", "BatchGet", "Check", "Explain", "Watch", "Verify", "Simulate")
"""How the names of methods begin that change nothing."""
IN_STREAMS = {"StreamStockUpdates", "Execute"}
"""Their own tests repeat them: the request ids are inside."""
BESIDE = {"CreateSnapshot", "DryRunRuleSet", "ReoptimizeBacklog"}
"""Their own tests repeat them: they work beside the log, and their answers are not in it."""
PICKUP = od.OrderLine(sku="A", quantity=1, delivery_method="DELIVERY_METHOD_PICKUP")
PICKUP.location_id = "north"

_CARD = lg.RateCard(
    service_id="ground",
    delivery_methods=["DELIVERY_METHOD_SHIP_TO_HOME"],
    zone_rates=[lg.ZoneRate(zone=1, package_micros=5)],
)
_LANE = lg.Lane(service_id="ground", transit_days=[1])
_CALENDAR = lg.LocationCalendar(
    location_id="north",
    opening_hours=[lg.OpeningHours(weekday="WEEKDAY_MONDAY", open_minute=1, close_minute=2)],
)
CHANGES: dict[str, Message] = {
    "CreateLocation": lo.CreateLocationRequest(
        location=lo.Location(location_id="new", type=lo.LOCATION_TYPE_STORE)
    ),
    "UpdateLocation": lo.UpdateLocationRequest(
        location=lo.Location(location_id="north", type=lo.LOCATION_TYPE_STORE, display_name="N")
    ),
    "SetLocationState": lo.SetLocationStateRequest(
        location_id="south", state=lo.LOCATION_STATE_DISABLED
    ),
    "CreateLocationGroup": lo.CreateLocationGroupRequest(
        group=lo.LocationGroup(group_id="new", location_ids=["north"])
    ),
    "UpdateLocationGroup": lo.UpdateLocationGroupRequest(
        group=lo.LocationGroup(group_id="g", display_name="G")
    ),
    "DeleteLocationGroup": lo.DeleteLocationGroupRequest(group_id="g"),
    "CreateProduct": pr.CreateProductRequest(product=pr.Product(sku="new")),
    "UpdateProduct": pr.UpdateProductRequest(product=pr.Product(sku="A", unit="kg")),
    "BatchCreateProducts": pr.BatchCreateProductsRequest(products=[pr.Product(sku="new")]),
    "BatchUpdateProducts": pr.BatchUpdateProductsRequest(products=[pr.Product(sku="A", unit="l")]),
    "UpdateStock": iv.UpdateStockRequest(updates=[counted("A", "north", 11)]),
    "CreateSafetyStockRule": iv.CreateSafetyStockRuleRequest(
        rule=iv.SafetyStockRule(rule_id="new", fixed_quantity=1)
    ),
    "UpdateSafetyStockRule": iv.UpdateSafetyStockRuleRequest(
        rule=iv.SafetyStockRule(rule_id="r", fixed_quantity=2)
    ),
    "DeleteSafetyStockRule": iv.DeleteSafetyStockRuleRequest(rule_id="r"),
    "ReserveStock": re.ReserveStockRequest(lines=reserve_lines(("A", "north", 1))),
    "UpdateReservation": re.UpdateReservationRequest(
        reservation_id="held", lines=[re.LineQuantity(sku="A", location_id="north", quantity=2)]
    ),
    "MoveReservation": re.MoveReservationRequest(
        reservation_id="held", sku="A", from_location_id="north", to_location_id="south"
    ),
    "ConfirmReservation": re.ConfirmReservationRequest(reservation_id="held"),
    "ReleaseReservation": re.ReleaseReservationRequest(reservation_id="held"),
    "SettleReservation": re.SettleReservationRequest(
        reservation_id="claimed", outcome=re.SETTLEMENT_OUTCOME_SHIPPED
    ),
    "SaveRateCard": lg.SaveRateCardRequest(rate_card=_CARD),
    "DeleteRateCard": lg.DeleteRateCardRequest(service_id="gone"),
    "SaveLane": lg.SaveLaneRequest(lane=_LANE),
    "DeleteLane": lg.DeleteLaneRequest(service_id="gone"),
    "SaveLocationCalendar": lg.SaveLocationCalendarRequest(calendar=_CALENDAR),
    "DeleteLocationCalendar": lg.DeleteLocationCalendarRequest(location_id="south"),
    "QuoteOrder": od.QuoteOrderRequest(lines=[PICKUP], hold_ttl=Duration(seconds=60)),
    "PlaceOrder": od.PlaceOrderRequest(lines=[PICKUP]),
    "EditOrder": od.EditOrderRequest(
        order_id="placed", lines=[od.OrderLine(line_id="1", quantity=2)]
    ),
    "CancelOrder": od.CancelOrderRequest(order_id="placed"),
    "HoldOrder": od.HoldOrderRequest(order_id="placed", kind=od.HOLD_KIND_FRAUD),
    "ReleaseOrder": od.ReleaseOrderRequest(order_id="placed", kind=od.HOLD_KIND_PAYMENT),
    "AdvanceFulfillmentOrder": od.AdvanceFulfillmentOrderRequest(
        order_id="placed",
        fulfillment_order_id="placed/1",
        state=od.FULFILLMENT_STATE_RELEASED,
    ),
    "CreateRuleSet": rs.CreateRuleSetRequest(rule_set=rs.RuleSet(display_name="new")),
    "ValidateRuleSet": rs.ValidateRuleSetRequest(version=1),
    "ActivateRuleSet": rs.ActivateRuleSetRequest(version=2),
    "ApplyReplan": ro.ApplyReplanRequest(
        moves=[
            ro.ReplanMove(
                order_id="placed",
                etag="1",
                packages=[
                    ro.ReplanPackage(
                        location_id="north",
                        delivery_method="DELIVERY_METHOD_PICKUP",
                        destination_location_id="north",
                        lines=[od.LineUnits(line_id="1", quantity=1)],
                    )
                ],
            )
        ]
    ),
}
REFUSED: dict[str, Message] = {
    "ReserveStock": re.ReserveStockRequest(lines=reserve_lines(("A", "north", 99))),
    "UpdateStock": iv.UpdateStockRequest(updates=[counted("A", "nowhere", 1)]),
    "ReleaseReservation": re.ReleaseReservationRequest(reservation_id="claimed"),
    "PlaceOrder": od.PlaceOrderRequest(
        lines=[
            od.OrderLine(
                sku="A",
                quantity=99,
                delivery_method="DELIVERY_METHOD_PICKUP",
                location_id="north",
            )
        ],
        terms=od.OrderTerms(shortage_policy=od.SHORTAGE_POLICY_REFUSE),
    ),
    "CancelOrder": od.CancelOrderRequest(
        order_id="placed", lines=[od.LineUnits(line_id="1", quantity=9)]
    ),
}


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    """A shop in which every change of the table can be made."""
    await shop.add_location("north")
    await shop.add_location("south")
    await shop.count(("A", "north", 10), ("A", "south", 10))
    await shop.locations.CreateLocationGroup(
        lo.CreateLocationGroupRequest(request_id=shop.key(), group=lo.LocationGroup(group_id="g"))
    )
    await shop.inventory.CreateSafetyStockRule(
        iv.CreateSafetyStockRuleRequest(
            request_id=shop.key(), rule=iv.SafetyStockRule(rule_id="r", fixed_quantity=1)
        )
    )
    await saved_logistics(shop)
    await shop.hold(("A", "north", 1), reservation_id="held")
    await shop.hold(("A", "north", 1), reservation_id="claimed")
    await shop.reservations.ConfirmReservation(
        re.ConfirmReservationRequest(request_id=shop.key(), reservation_id="claimed")
    )
    await placed_order(shop)
    await made_rule_sets(shop)
    return shop


async def placed_order(shop: Shop) -> None:
    """An order of one line."""
    await shop.orders.PlaceOrder(
        od.PlaceOrderRequest(
            request_id=shop.key(),
            order_id="placed",
            lines=[PICKUP],
            holds=[od.OrderHold(kind=od.HOLD_KIND_PAYMENT)],
        )
    )
    await shop.orders.ReleaseOrder(
        od.ReleaseOrderRequest(request_id=shop.key(), order_id="placed", kind=od.HOLD_KIND_PAYMENT)
    )


async def made_rule_sets(shop: Shop) -> None:
    """A rule set that can be validated, and one that can be activated."""
    for _ in range(2):
        await shop.routing.CreateRuleSet(
            rs.CreateRuleSetRequest(request_id=shop.key(), rule_set=rs.RuleSet(display_name="r"))
        )
    await shop.routing.ValidateRuleSet(rs.ValidateRuleSetRequest(request_id=shop.key(), version=2))


async def saved_logistics(shop: Shop) -> None:
    """A rate card, a lane and a calendar that can be deleted."""
    card, lane, calendar = lg.RateCard(), lg.Lane(), lg.LocationCalendar()
    card.CopyFrom(_CARD)
    lane.CopyFrom(_LANE)
    calendar.CopyFrom(_CALENDAR)
    card.service_id = lane.service_id = "gone"
    calendar.location_id = "south"
    calls = shop.logistics
    await calls.SaveRateCard(lg.SaveRateCardRequest(request_id=shop.key(), rate_card=card))
    await calls.SaveLane(lg.SaveLaneRequest(request_id=shop.key(), lane=lane))
    await calls.SaveLocationCalendar(
        lg.SaveLocationCalendarRequest(request_id=shop.key(), calendar=calendar)
    )


def call(
    shop: Shop, name: str, message: Message, client: str = "till-1"
) -> "grpc.aio.UnaryUnaryCall[Message, Message]":
    services = (
        shop.locations,
        shop.products,
        shop.inventory,
        shop.reservations,
        shop.logistics,
        shop.orders,
        shop.routing,
        shop.admin,
    )
    (method,) = (getattr(stub, name) for stub in services if hasattr(stub, name))
    made: grpc.aio.UnaryUnaryCall[Message, Message] = method(
        message, metadata=(("domgrpc-client", client),)
    )
    return made


def with_id(message: Message, request_id: str) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    copy.request_id = request_id  # type: ignore[attr-defined]  # every change has one
    return copy


def test_the_table_has_every_method_that_changes_something() -> None:
    changing = {
        method.name
        for service in service_descriptors()
        for method in service.methods
        if not method.name.startswith(READING)
    }
    assert changing - IN_STREAMS - BESIDE == {*CHANGES}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_repeated_change_gets_the_same_bytes_and_acts_once(
    stocked: Shop, name: str
) -> None:
    message = with_id(CHANGES[name], "retry-me")
    first_call = call(stocked, name, message)
    first = await first_call
    assert "domgrpc-replayed" not in await trailer(first_call)
    revision = stocked.engine.revision
    stocked.clock.now_ms += 1_000
    await stocked.count(("A", "north", 7))
    second_call = call(stocked, name, message)
    second = await second_call
    assert second.SerializeToString() == first.SerializeToString()
    assert (await trailer(second_call))["domgrpc-replayed"] == "true"
    assert stocked.engine.revision == revision + 1


@pytest.mark.parametrize("name", REFUSED)
async def test_a_repeated_refusal_is_the_same_refusal(stocked: Shop, name: str) -> None:
    message = with_id(REFUSED[name], "retry-me")
    first = await refusal(call(stocked, name, message))
    await stocked.count(("A", "north", 1_000))
    second_call = call(stocked, name, message)
    second = await refusal(second_call)
    assert second.status == first.status
    assert (await trailer(second_call))["domgrpc-replayed"] == "true"


async def test_a_change_without_a_request_id_is_refused(stocked: Shop) -> None:
    for name, message in CHANGES.items():
        refused = await refusal(call(stocked, name, message))
        assert (name, refused.reason) == (name, "REQUEST_ID_MISSING")
        assert refused.field == "request_id"


async def test_a_request_id_with_other_content_is_refused(stocked: Shop) -> None:
    await call(stocked, "UpdateStock", with_id(CHANGES["UpdateStock"], "same"))
    refused = await refusal(call(stocked, "ReserveStock", with_id(CHANGES["ReserveStock"], "same")))
    assert refused.code is grpc.StatusCode.ALREADY_EXISTS
    assert (refused.reason, refused.facts) == ("REQUEST_ID_REUSED", {"request_id": "same"})


async def test_request_ids_of_two_clients_are_their_own(stocked: Shop) -> None:
    message = with_id(CHANGES["ReserveStock"], "same")
    message.reservation_id = "one"  # type: ignore[attr-defined]  # a reservation call
    await call(stocked, "ReserveStock", message, client="till-1")
    message.reservation_id = "two"  # type: ignore[attr-defined]  # a reservation call
    other = await call(stocked, "ReserveStock", message, client="till-2")
    assert isinstance(other, re.Reservation)
    assert (other.reservation_id, other.client_id) == ("two", "till-2")


VALIDATED: dict[str, Message] = {
    "ReserveStock": re.ReserveStockRequest(
        lines=reserve_lines(("A", "north", 3)), validate_only=True
    ),
    "UpdateReservation": re.UpdateReservationRequest(
        reservation_id="held",
        lines=[re.LineQuantity(sku="A", location_id="north", quantity=4)],
        validate_only=True,
    ),
    "MoveReservation": re.MoveReservationRequest(
        reservation_id="held",
        sku="A",
        from_location_id="north",
        to_location_id="south",
        validate_only=True,
    ),
    "UpdateStock": iv.UpdateStockRequest(updates=[counted("A", "north", 1)], validate_only=True),
    "PlaceOrder": od.PlaceOrderRequest(lines=[PICKUP], validate_only=True),
    "EditOrder": od.EditOrderRequest(
        order_id="placed", lines=[od.OrderLine(line_id="1", quantity=3)], validate_only=True
    ),
    "CancelOrder": od.CancelOrderRequest(order_id="placed", validate_only=True),
}


@pytest.mark.parametrize("name", VALIDATED)
async def test_a_validation_answers_in_full_and_changes_nothing(stocked: Shop, name: str) -> None:
    before = await stocked.position("A", "north")
    previewed = await call(stocked, name, with_id(VALIDATED[name], "preview"))
    assert await stocked.position("A", "north") == before
    assert previewed.revision == before.revision  # type: ignore[attr-defined]  # all have it
    real = with_id(VALIDATED[name], "preview")
    real.validate_only = False  # type: ignore[attr-defined]  # as the preview had it
    done = await call(stocked, name, real)
    assert done.revision == before.revision + 1  # type: ignore[attr-defined]  # all have it
