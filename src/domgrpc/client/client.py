"""The client: one connection to a server, with a method for every call of the API."""

import asyncio
from types import TracebackType
from typing import Final, Self

from domgrpc.client import (
    administration,
    feeding,
    inventory,
    locations,
    logistics,
    orders,
    products,
    reservations,
    routing,
    rule_sets,
    rules,
    watching,
)
from domgrpc.client.calls import Calls
from domgrpc.client.connection import Tls, open_channel
from domgrpc.client.retries import RetryPolicy

TARGET_DEFAULT: Final = "127.0.0.1:50051"
CLIENT_ID_DEFAULT: Final = "anonymous"
READ_TIMEOUT_SECONDS: Final = 2.0
WRITE_TIMEOUT_SECONDS: Final = 5.0


class DomgrpcClient:
    """An asyncio client of a domgrpc server.

        async with DomgrpcClient("127.0.0.1:50051", client_id="till-3") as client:
            hold = await client.reserve_stock([Line("kettle", 1, "store-7")], ttl_seconds=900)
            await client.confirm_reservation(hold.reservation_id)

    Methods take plain keyword arguments and return the messages of `domgrpc.v1`; errors are
    `DomgrpcError`. A request_id is made for each write that brings none, and calls that fail
    because the server is away are repeated with it, within their timeout and a budget.
    Concurrent calls on reservations, orders, availability and stock are coalesced into batches
    (`coalesce`); an answer out of a batch keeps the memory of the whole batch until it is
    dropped.

    `client_id` says who calls: 1 to 64 letters, digits and . _ : - ; quotas and kept answers
    are by client. Make it in a running event loop; it belongs to that loop.
    """

    def __init__(
        self,
        target: str = TARGET_DEFAULT,
        *,
        client_id: str = CLIENT_ID_DEFAULT,
        tls: Tls | None = None,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        write_timeout_seconds: float = WRITE_TIMEOUT_SECONDS,
        retry: RetryPolicy | None = None,
        coalesce: bool = True,
    ) -> None:
        """Prepare the connection to `host:port`; it is made by the first call."""
        asyncio.get_running_loop()
        self.calls = Calls(
            open_channel(target, tls),
            client_id=client_id,
            read_timeout_seconds=read_timeout_seconds,
            write_timeout_seconds=write_timeout_seconds,
            retry=retry or RetryPolicy(),
            coalesce=coalesce,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls under way fail with CANCELLED."""
        await self.calls.close()

    # Each of these is a function whose first parameter is the client, so here it is a method.

    create_location = locations.create_location
    get_location = locations.get_location
    list_locations = locations.list_locations
    update_location = locations.update_location
    enable_location = locations.enable_location
    disable_location = locations.disable_location
    create_location_group = locations.create_location_group
    get_location_group = locations.get_location_group
    list_location_groups = locations.list_location_groups
    update_location_group = locations.update_location_group
    delete_location_group = locations.delete_location_group

    create_product = products.create_product
    get_product = products.get_product
    list_products = products.list_products
    update_product = products.update_product
    batch_create_products = products.batch_create_products
    batch_get_products = products.batch_get_products
    batch_update_products = products.batch_update_products

    update_stock = inventory.update_stock
    check_availability = inventory.check_availability
    get_position = inventory.get_position
    list_positions = inventory.list_positions
    watch_inventory = watching.watch_inventory
    get_feed_sequence = feeding.get_feed_sequence
    stream_stock = feeding.stream_stock

    create_safety_stock_rule = rules.create_safety_stock_rule
    get_safety_stock_rule = rules.get_safety_stock_rule
    list_safety_stock_rules = rules.list_safety_stock_rules
    update_safety_stock_rule = rules.update_safety_stock_rule
    delete_safety_stock_rule = rules.delete_safety_stock_rule
    explain_safety_stock = rules.explain_safety_stock

    create_rule_set = rule_sets.create_rule_set
    validate_rule_set = rule_sets.validate_rule_set
    activate_rule_set = rule_sets.activate_rule_set
    dry_run_rule_set = rule_sets.dry_run_rule_set
    get_rule_set = rule_sets.get_rule_set
    list_rule_sets = rule_sets.list_rule_sets

    reserve_stock = reservations.reserve_stock
    get_reservation = reservations.get_reservation
    list_reservations = reservations.list_reservations
    update_reservation = reservations.update_reservation
    move_reservation = reservations.move_reservation
    confirm_reservation = reservations.confirm_reservation
    release_reservation = reservations.release_reservation
    settle_reservation = reservations.settle_reservation

    save_rate_card = logistics.save_rate_card
    get_rate_card = logistics.get_rate_card
    list_rate_cards = logistics.list_rate_cards
    delete_rate_card = logistics.delete_rate_card
    save_lane = logistics.save_lane
    get_lane = logistics.get_lane
    list_lanes = logistics.list_lanes
    delete_lane = logistics.delete_lane
    save_location_calendar = logistics.save_location_calendar
    get_location_calendar = logistics.get_location_calendar
    list_location_calendars = logistics.list_location_calendars
    delete_location_calendar = logistics.delete_location_calendar
    quote_order = orders.quote_order
    place_order = orders.place_order
    get_order = orders.get_order
    list_orders = orders.list_orders
    edit_order = orders.edit_order
    cancel_order = orders.cancel_order
    hold_order = orders.hold_order
    release_order = orders.release_order
    advance_fulfillment_order = orders.advance_fulfillment_order
    watch_orders = watching.watch_orders

    simulate_routing = routing.simulate_routing
    explain_decision = routing.explain_decision
    reoptimize_backlog = routing.reoptimize_backlog
    apply_replan = routing.apply_replan

    execute = administration.execute
    get_status = administration.get_status
    create_snapshot = administration.create_snapshot
    verify_state = administration.verify_state
