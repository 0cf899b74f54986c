"""QuoteOrder over the wire: what can be promised, and booking what was."""

from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from domgrpc.v1 import order_pb2 as pb
from domgrpc.v1.types_pb2 import DeliveryMethod
from tests.rpc.ordering import (
    HOME,
    PICKUP,
    SHIP,
    line,
    open_chain,
    place,
    places,
    quote,
)
from tests.rpc.serving import NOON_MS, Shop, refusal

Code = grpc.StatusCode
NOON = Timestamp(seconds=NOON_MS // 1_000)
FRAUD = pb.HOLD_KIND_FRAUD
NOWHERE = pb.OrderTerms(channel="web", customer_id="ann")


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


async def test_a_quote_says_when_and_at_what_cost_by_each_method(chain: Shop) -> None:
    answer = await quote(
        chain,
        line("A", 2),
        methods=[
            pb.QuoteMethod(delivery_method=SHIP),
            pb.QuoteMethod(delivery_method=PICKUP),
            pb.QuoteMethod(delivery_method=PICKUP, location_id="newark"),
        ],
    )
    ways = [(option.delivery_method, option.location_id) for option in answer.options]
    assert {(SHIP, ""), (PICKUP, "york"), (PICKUP, "newark")} <= set(ways)
    costs = [option.cost_micros for option in answer.options]
    assert costs == sorted(costs)
    for option in answer.options:
        assert option.plan.cost_micros == option.cost_micros
        is_collected = option.delivery_method == PICKUP
        assert option.HasField("collect_by_time") == is_collected
        assert option.plan.packages[0].collect_by_time == option.collect_by_time
        assert option.deliver_by_time.seconds >= option.ship_by_time.seconds > NOON.seconds
        (leg,) = option.plan.legs
        assert leg.is_proven
        assert [(item.sku, item.quantity) for item in leg.items] == [("A", 2)]
    assert answer.expire_time.ToDatetime(UTC) > datetime.fromtimestamp(NOON.seconds, UTC)
    assert (await chain.position("A", "york")).soft_reserved == 0


async def test_a_way_by_which_nothing_can_be_promised_says_why(chain: Shop) -> None:
    dropped, near = (
        pb.QuoteMethod(delivery_method=method)
        for method in (DeliveryMethod.DELIVERY_METHOD_DROP_SHIP, PICKUP)
    )
    answer = await quote(chain, line("A", 2), methods=[dropped, near])
    (miss,) = answer.misses
    assert miss.delivery_method == dropped.delivery_method
    assert [(short.sku, short.quantity) for short in miss.plan.shortages] == [("A", 2)]
    assert {each.filter for each in miss.plan.legs[0].removed} == {"method"}
    assert answer.options
    assert (await refusal(quote(chain, line("A-24")))).reason == "SKU_NOT_FOUND"


async def test_a_quoted_plan_is_booked_though_another_is_better_by_now(chain: Shop) -> None:
    await chain.count(("A", "york", 0))
    (option,) = (await quote(chain, line("A", 2))).options
    assert option.plan.packages[0].location_id == "newark"
    await chain.count(("A", "york", 10))
    order = await place(chain, line("A", 2), quote_token=option.quote_token)
    assert places(order.fulfillment_orders) == [("newark", [("A", 2)])]
    fresh = await place(chain, line("A", 2), terms=pb.OrderTerms(address=HOME.address))
    assert places(fresh.fulfillment_orders) == [("york", [("A", 2)])]


async def test_an_option_is_placed_by_the_method_that_was_quoted(chain: Shop) -> None:
    answer = await quote(
        chain,
        line("A", 2),
        methods=[pb.QuoteMethod(delivery_method=PICKUP, location_id="newark")],
    )
    (option,) = answer.options
    order = await place(
        chain,
        line("A", 2),
        quote_token=option.quote_token,
        delivery_method=option.delivery_method,
        location_id=option.location_id,
    )
    assert places(order.fulfillment_orders) == [("newark", [("A", 2)])]


async def test_a_quote_holds_the_stock_it_planned_where_it_is_asked_to(chain: Shop) -> None:
    answer = await quote(
        chain, line("A", 10), hold_ttl=Duration(seconds=60), request_id="q", reservation_id="h"
    )
    assert answer.reservation.reservation_id == "h"
    assert (await chain.position("A", "york")).soft_reserved == 10
    order = await place(chain, line("A", 10), quote_token=answer.options[0].quote_token)
    assert places(order.fulfillment_orders) == [("york", [("A", 10)])]
    position = await chain.position("A", "york")
    assert (position.soft_reserved, position.allocated) == (0, 10)


async def test_a_quote_is_refused_when_it_is_too_old_or_its_stock_is_gone(chain: Shop) -> None:
    answer = await quote(chain, line("A", 10))
    token = answer.options[0].quote_token
    refused = await refusal(place(chain, line("A", 9), quote_token=token))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "QUOTE_MISMATCH")
    await chain.hold(("A", "york", 5))
    refused = await refusal(place(chain, line("A", 10), quote_token=token))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "QUOTE_OUTDATED")
    assert "newark" in refused.facts["fresh_plan"]
    chain.clock.now_ms = answer.expire_time.ToMilliseconds()
    refused = await refusal(place(chain, line("A", 10), quote_token=token))
    assert (refused.code, refused.reason) == (Code.FAILED_PRECONDITION, "QUOTE_EXPIRED")


async def test_a_quote_that_holds_needs_a_request_id(chain: Shop) -> None:
    refused = await refusal(quote(chain, line("A"), hold_ttl=Duration(seconds=60)))
    assert refused.reason == "REQUEST_ID_MISSING"


async def test_what_holds_when_a_quote_is_asked_is_at_least_as_new_as_wanted(chain: Shop) -> None:
    counted = await chain.count(("Z", "york", 1))
    answer = await quote(chain, line("Z"), min_revision=counted.revision)
    assert answer.revision >= counted.revision
    assert answer.options
