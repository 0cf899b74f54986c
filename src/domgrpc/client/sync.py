"""A synchronous face for scripts: the same methods, run on an event loop in a thread.

Use the asyncio client where speed matters: each call here crosses two threads.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

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
from domgrpc.client.client import (
    CLIENT_ID_DEFAULT,
    READ_TIMEOUT_SECONDS,
    TARGET_DEFAULT,
    WRITE_TIMEOUT_SECONDS,
    DomgrpcClient,
)
from domgrpc.client.connection import Tls
from domgrpc.client.retries import RetryPolicy

_P = ParamSpec("_P")
_T = TypeVar("_T")

_THREAD_NAME: Final = "domgrpc-client"


def _synchronous(
    method: Callable[Concatenate[DomgrpcClient, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate["SyncClient", _P], _T]:
    """Return the method that runs another one on the client's loop, with the same types."""

    def call(client: "SyncClient", /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return client.run(lambda inner: method(inner, *args, **kwargs))

    call.__name__ = method.__name__
    call.__doc__ = method.__doc__
    return call


def _iterated(
    method: Callable[Concatenate[DomgrpcClient, _P], AsyncGenerator[_T, None]],
) -> Callable[Concatenate["SyncClient", _P], Iterator[_T]]:
    """Return the method that iterates another one's answers, with the same types."""

    def call(client: "SyncClient", /, *args: _P.args, **kwargs: _P.kwargs) -> Iterator[_T]:
        return client.iterate(lambda inner: method(inner, *args, **kwargs))

    call.__name__ = method.__name__
    call.__doc__ = method.__doc__
    return call


class SyncClient:
    """A client for scripts, to be used from any number of threads.

        with SyncClient("127.0.0.1:50051", client_id="stocktaking") as client:
            print(client.get_status().revision)

    Takes what `DomgrpcClient` takes and has its methods; `run` does several calls at once.
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
        """Start the thread; the connection is made by the first call."""

        async def connect() -> DomgrpcClient:
            return DomgrpcClient(
                target,
                client_id=client_id,
                tls=tls,
                read_timeout_seconds=read_timeout_seconds,
                write_timeout_seconds=write_timeout_seconds,
                retry=retry,
                coalesce=coalesce,
            )

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=_THREAD_NAME, daemon=True
        )
        self._thread.start()
        try:
            self._client = self._await(connect())
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, call: Callable[[DomgrpcClient], Coroutine[Any, Any, _T]]) -> _T:
        """Run a coroutine that is given the asyncio client, and return its result."""
        return self._await(call(self._client))

    def iterate(self, stream: Callable[[DomgrpcClient], AsyncGenerator[_T, None]]) -> Iterator[_T]:
        """Iterate an asynchronous generator; closing this one closes it."""
        answers = stream(self._client)
        try:
            while True:
                try:
                    yield self._await(_next(answers))
                except StopAsyncIteration:
                    return
        finally:
            if self._loop.is_running():
                self._await(_close(answers))

    def close(self) -> None:
        """Close the connection and end the thread; twice is the same as once."""
        if self._loop.is_closed():
            return
        try:
            self._await(self._client.close())
        finally:
            self._stop()

    def _await(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if not self._loop.is_running():
            coroutine.close()
            raise RuntimeError("the client is closed: make a new one")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except (KeyboardInterrupt, CancelledError):
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    create_location = _synchronous(locations.create_location)
    get_location = _synchronous(locations.get_location)
    list_locations = _synchronous(locations.list_locations)
    update_location = _synchronous(locations.update_location)
    enable_location = _synchronous(locations.enable_location)
    disable_location = _synchronous(locations.disable_location)
    create_location_group = _synchronous(locations.create_location_group)
    get_location_group = _synchronous(locations.get_location_group)
    list_location_groups = _synchronous(locations.list_location_groups)
    update_location_group = _synchronous(locations.update_location_group)
    delete_location_group = _synchronous(locations.delete_location_group)

    create_product = _synchronous(products.create_product)
    get_product = _synchronous(products.get_product)
    list_products = _synchronous(products.list_products)
    update_product = _synchronous(products.update_product)
    batch_create_products = _synchronous(products.batch_create_products)
    batch_get_products = _synchronous(products.batch_get_products)
    batch_update_products = _synchronous(products.batch_update_products)

    update_stock = _synchronous(inventory.update_stock)
    check_availability = _synchronous(inventory.check_availability)
    get_position = _synchronous(inventory.get_position)
    list_positions = _synchronous(inventory.list_positions)
    watch_inventory = _iterated(watching.watch_inventory)
    get_feed_sequence = _synchronous(feeding.get_feed_sequence)
    stream_stock = _iterated(feeding.stream_stock)

    create_safety_stock_rule = _synchronous(rules.create_safety_stock_rule)
    get_safety_stock_rule = _synchronous(rules.get_safety_stock_rule)
    list_safety_stock_rules = _synchronous(rules.list_safety_stock_rules)
    update_safety_stock_rule = _synchronous(rules.update_safety_stock_rule)
    delete_safety_stock_rule = _synchronous(rules.delete_safety_stock_rule)
    explain_safety_stock = _synchronous(rules.explain_safety_stock)

    create_rule_set = _synchronous(rule_sets.create_rule_set)
    validate_rule_set = _synchronous(rule_sets.validate_rule_set)
    activate_rule_set = _synchronous(rule_sets.activate_rule_set)
    dry_run_rule_set = _synchronous(rule_sets.dry_run_rule_set)
    get_rule_set = _synchronous(rule_sets.get_rule_set)
    list_rule_sets = _synchronous(rule_sets.list_rule_sets)

    reserve_stock = _synchronous(reservations.reserve_stock)
    get_reservation = _synchronous(reservations.get_reservation)
    list_reservations = _synchronous(reservations.list_reservations)
    update_reservation = _synchronous(reservations.update_reservation)
    move_reservation = _synchronous(reservations.move_reservation)
    confirm_reservation = _synchronous(reservations.confirm_reservation)
    release_reservation = _synchronous(reservations.release_reservation)
    settle_reservation = _synchronous(reservations.settle_reservation)

    save_rate_card = _synchronous(logistics.save_rate_card)
    get_rate_card = _synchronous(logistics.get_rate_card)
    list_rate_cards = _synchronous(logistics.list_rate_cards)
    delete_rate_card = _synchronous(logistics.delete_rate_card)
    save_lane = _synchronous(logistics.save_lane)
    get_lane = _synchronous(logistics.get_lane)
    list_lanes = _synchronous(logistics.list_lanes)
    delete_lane = _synchronous(logistics.delete_lane)
    save_location_calendar = _synchronous(logistics.save_location_calendar)
    get_location_calendar = _synchronous(logistics.get_location_calendar)
    list_location_calendars = _synchronous(logistics.list_location_calendars)
    delete_location_calendar = _synchronous(logistics.delete_location_calendar)
    quote_order = _synchronous(orders.quote_order)
    place_order = _synchronous(orders.place_order)
    get_order = _synchronous(orders.get_order)
    list_orders = _synchronous(orders.list_orders)
    edit_order = _synchronous(orders.edit_order)
    cancel_order = _synchronous(orders.cancel_order)
    hold_order = _synchronous(orders.hold_order)
    release_order = _synchronous(orders.release_order)
    advance_fulfillment_order = _synchronous(orders.advance_fulfillment_order)
    watch_orders = _iterated(watching.watch_orders)

    simulate_routing = _synchronous(routing.simulate_routing)
    explain_decision = _synchronous(routing.explain_decision)
    reoptimize_backlog = _synchronous(routing.reoptimize_backlog)
    apply_replan = _synchronous(routing.apply_replan)

    execute = _synchronous(administration.execute)
    get_status = _synchronous(administration.get_status)
    create_snapshot = _synchronous(administration.create_snapshot)
    verify_state = _synchronous(administration.verify_state)


async def _next(answers: AsyncGenerator[_T, None]) -> _T:
    return await anext(answers)


async def _close(answers: AsyncGenerator[Any, None]) -> None:
    await answers.aclose()
