"""docs/api.md is held against the code: reasons, limits, location types, service config."""

import json
import re

import grpc.aio
import pytest

from domgrpc.core.availability import PAIRS_MAX, PAIRS_PER_MESSAGE_MAX
from domgrpc.core.locations import USUAL_DELIVERY_METHODS
from domgrpc.core.order_commands import MOVES_MAX, ORDER_LINES_MAX
from domgrpc.core.order_moves import MOVED_CELLS_MAX
from domgrpc.core.products import PARTS_PER_CALL_MAX
from domgrpc.core.rejections import Reason
from domgrpc.core.replan_proposals import SEARCHED_ORDERS_MAX
from domgrpc.core.reservations import LINES_MAX
from domgrpc.core.supply import SUPPLIES_PER_POSITION_MAX
from domgrpc.core.values import MICROS_MAX, QUANTITY_MAX, TTL_MS_MAX, TTL_MS_MIN
from domgrpc.rpc.feed_watch import FILTER_MAX
from domgrpc.rpc.pages import PAGE_SIZE_MAX
from domgrpc.rpc.pipeline_service import OPERATIONS_MAX
from domgrpc.rpc.quote_tokens import QUOTED_PACKAGES_MAX
from domgrpc.rpc.refusals import TransportReason
from domgrpc.rpc.registration import service_descriptors
from domgrpc.rpc.server import CALLS_MAX
from domgrpc.rpc.status import TREATMENTS
from domgrpc.rpc.translate_addresses import ORDER_SCOPE_MAX
from domgrpc.rpc.translate_availability import HORIZON_DAYS_MAX, ITEMS_MAX
from domgrpc.rpc.translate_calendars import SPECIAL_DAYS_MAX
from domgrpc.rpc.translate_logistics import SURCHARGES_MAX, WEIGHT_STEPS_MAX
from domgrpc.rpc.translate_order_lines import PRICE_MICROS_MAX
from domgrpc.rpc.translate_orders import PLANNED_LINES_MAX, QUOTE_METHODS_MAX
from domgrpc.rpc.translate_products import PRODUCTS_MAX
from domgrpc.rpc.translate_routing import EXPLAINED_LOCATIONS_MAX, MOCKED_MAX
from domgrpc.rpc.translate_scope import SCOPE_GROUPS_MAX, SCOPE_LOCATIONS_MAX
from domgrpc.rpc.translate_stock import UPDATES_MAX
from domgrpc.v1.admin_pb2 import GetStatusRequest
from domgrpc.v1.admin_pb2_grpc import AdminServiceStub
from domgrpc.v1.reservation_pb2 import GetReservationRequest, ReleaseReservationRequest
from domgrpc.v1.reservation_pb2_grpc import ReservationServiceStub
from tests.rpc.serving import Shop, refusal
from tests.tidy.project_files import ROOT, read_text

PAGE = read_text(ROOT / "docs/api.md")
ROWS = [
    [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]
LIMITS = {
    "updates in an `UpdateStock` call or a batch of a feed": UPDATES_MAX,
    "SKUs in a `CheckAvailability` call": ITEMS_MAX,
    "SKU and location pairs listed in an answer, or promised by date": PAIRS_MAX,
    "supplies announced for a SKU at a location": SUPPLIES_PER_POSITION_MAX,
    "days of promises by date": HORIZON_DAYS_MAX,
    "lines of a reservation": LINES_MAX,
    "operations in an `Execute` call": OPERATIONS_MAX,
    "those of all questions in an `Execute` call": PAIRS_PER_MESSAGE_MAX,
    "products in a batch": PRODUCTS_MAX,
    "categories, components and substitutes of a batch of products": PARTS_PER_CALL_MAX,
    "entries of a page": PAGE_SIZE_MAX,
    "locations in a scope or a group": SCOPE_LOCATIONS_MAX,
    "groups in a scope": SCOPE_GROUPS_MAX,
    "SKUs, orders, customers, and locations, in the filter of a watch": FILTER_MAX,
    "lines of an order, of an edit, of a cancellation": ORDER_LINES_MAX,
    "locations in the scope of an order": ORDER_SCOPE_MAX,
    "methods in a `QuoteOrder` call": QUOTE_METHODS_MAX,
    "lines planned in a `QuoteOrder` or `Execute` call, for each way": PLANNED_LINES_MAX,
    "packages that a quote token, or a move, can have": QUOTED_PACKAGES_MAX,
    "figures of stock in a simulation": MOCKED_MAX,
    "locations in an `ExplainDecision` call": EXPLAINED_LOCATIONS_MAX,
    "orders in an `ApplyReplan` call": MOVES_MAX,
    "packages times locations in an `ApplyReplan` call of several orders": MOVED_CELLS_MAX,
    "orders that a search of the backlog looks at": SEARCHED_ORDERS_MAX,
    "price of a unit, millionths of the currency unit": PRICE_MICROS_MAX,
    "surcharges of a rate card": SURCHARGES_MAX,
    "weight steps of a zone": WEIGHT_STEPS_MAX,
    "special days of a calendar": SPECIAL_DAYS_MAX,
    "a price in micros": MICROS_MAX,
    "calls and streams under way at once": CALLS_MAX,
    "shortest hold, milliseconds": TTL_MS_MIN,
    "longest hold, milliseconds": TTL_MS_MAX,
    "quantity": QUANTITY_MAX,
}


def service_config() -> str:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_every_reason_stands_in_its_table_with_its_code_and_an_advice() -> None:
    documented = {
        row[0]: row[1] for row in ROWS if row[0] in {*Reason, *TransportReason} and len(row) == 4
    }
    assert documented == {
        reason.value: treatment.code.name for reason, treatment in TREATMENTS.items()
    }
    assert all(row[3] for row in ROWS if row[0] in documented)


def test_every_method_stands_in_the_table_of_its_service() -> None:
    for service in service_descriptors():
        section = PAGE.partition(f"### {service.name}\n")[2].partition("\n#")[0]
        described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert [name for name in described if not name.isupper()] == [
            method.name for method in service.methods
        ]


def test_every_refusal_that_a_method_names_is_a_reason() -> None:
    named = {
        word for row in ROWS if len(row) == 3 for word in re.findall(r"[A-Z]{2,}_[A-Z_]+", row[2])
    }
    assert named <= {*Reason, *TransportReason}


def test_the_limits_are_those_of_the_code() -> None:
    first = next(place for place, row in enumerate(ROWS) if row == ["what", "limit"])
    written = {row[0]: row[1] for row in ROWS[first + 2 :] if len(row) == 2}
    assert {name.strip("`"): f"{limit:,}" for name, limit in LIMITS.items()} == written


def test_the_page_says_what_each_type_of_location_can_do() -> None:
    for kind, methods in USUAL_DELIVERY_METHODS.items():
        if kind:
            said = ", ".join(f"`{method.name}`" for method in methods) or "nothing"
            assert f"| `{kind.name}` | {said} |" in PAGE


async def test_the_service_config_is_one_that_clients_take(shop: Shop) -> None:
    retried, streams = json.loads(service_config())["methodConfig"]
    assert [name["service"] for name in retried["name"]] == [
        service.full_name for service in service_descriptors()
    ]
    assert retried["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert {name["method"] for name in streams["name"]} == {
        method.name
        for service in service_descriptors()
        for method in service.methods
        if method.server_streaming
    }
    options = [("grpc.service_config", service_config())]
    async with grpc.aio.insecure_channel(shop.address, options=options) as channel:
        assert (await AdminServiceStub(channel).GetStatus(GetStatusRequest())).version


@pytest.mark.slow
async def test_a_client_with_the_service_config_tries_a_refusal_again(shop: Shop) -> None:
    shop.engine.writer.close_queue()
    before_count = shop.engine.admission.arrived_count
    options = [("grpc.service_config", service_config())]
    async with grpc.aio.insecure_channel(shop.address, options=options) as channel:
        stub = ReservationServiceStub(channel)
        end = ReleaseReservationRequest(request_id="end", reservation_id="hold")
        for call in (
            stub.ReleaseReservation(end),
            stub.GetReservation(GetReservationRequest(reservation_id="hold")),
        ):
            assert (await refusal(call)).reason == "SERVER_DRAINING"
    assert shop.engine.admission.arrived_count - before_count == 2 * 5
