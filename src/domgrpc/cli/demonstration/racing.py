"""A scene about crowds: a thousand buyers at once for a hundred units."""

import asyncio
import time
from collections import Counter
from typing import Final

from domgrpc.cli.demonstration.stage import Stage
from domgrpc.client import DomgrpcClient, DomgrpcError, Line, count_stock, pages
from domgrpc.v1.reservation_pb2 import ListReservationsResponse
from domgrpc.v1.types_pb2 import DeliveryMethod

BUYERS: Final = 1_000
UNITS: Final = 100
_CONNECTIONS: Final = 10
_REFUSED: Final = "INSUFFICIENT_STOCK"
_PAGE_SIZE: Final = 1_000


async def race_for_the_last_units(stage: Stage) -> None:
    """Prove that a crowd gets exactly what is there: no unit twice, none left over."""
    stage.narration.scene(f"{BUYERS:,} buyers race for {UNITS} units")
    sku = stage.retailer.crowd_skus[0]
    location_id = stage.retailer.center.location_id
    back_office = await stage.client("back-office")
    await back_office.update_stock([count_stock(sku, location_id, UNITS)])
    stage.narration.say(
        f"{UNITS} x {stage.retailer.product_name(sku)} at {stage.retailer.center}; every buyer is "
        f"a call of its own, all sent at once over {_CONNECTIONS} connections."
    )
    clients = [
        await stage.client(f"buyers-{number}", coalesce=False) for number in range(_CONNECTIONS)
    ]
    # Connected beforehand, so that they start at the same line.
    await asyncio.gather(*(client.get_status() for client in clients))
    started = time.perf_counter()
    outcomes = await asyncio.gather(
        *(
            _buy(clients[number % _CONNECTIONS], Line(sku, 1, location_id), f"buyer-{number}")
            for number in range(BUYERS)
        )
    )
    seconds = time.perf_counter() - started
    winners = {key for key, reason in outcomes if not reason}
    reasons = Counter(reason for _, reason in outcomes if reason)
    stage.promise(
        f"{len(winners)} won and {reasons[_REFUSED]} were refused with {_REFUSED}, in "
        f"{seconds:.2f} s",
        expected=(UNITS, {_REFUSED: BUYERS - UNITS}),
        came=(len(winners), dict(reasons)),
    )
    await _check_books(stage, sku, location_id, winners)
    stage.note("race", winners=len(winners), refused=reasons[_REFUSED], seconds=seconds)


async def _check_books(stage: Stage, sku: str, location_id: str, winners: set[str]) -> None:
    """Compare the position and the list of holds with who won."""
    after = await stage.position(sku, location_id)
    stage.promise(
        f"the position afterwards: {after.on_hand} on hand, {after.soft_reserved} held, "
        f"{after.available_to_fulfill} available, {after.oversold} oversold",
        expected=(UNITS, UNITS, 0, 0),
        came=(after.on_hand, after.soft_reserved, after.available_to_fulfill, after.oversold),
    )
    client = await stage.client("back-office")

    async def fetch(token: str) -> ListReservationsResponse:
        return await client.list_reservations(
            sku=sku, location_id=location_id, page_size=_PAGE_SIZE, page_token=token
        )

    listed = {one.reservation_id async for page in pages(fetch) for one in page.reservations}
    stage.promise(
        f"the service lists the same {len(listed)} holds that the winners were promised",
        expected=winners,
        came=listed,
    )


async def _buy(client: DomgrpcClient, line: Line, request_id: str) -> tuple[str, str]:
    """Return the buyer's request_id and why it was refused, empty where it won."""
    try:
        await client.reserve_stock(
            [line],
            delivery_method=DeliveryMethod.DELIVERY_METHOD_SHIP_TO_HOME,
            request_id=request_id,
        )
    except DomgrpcError as error:
        return request_id, error.reason if error.reason == _REFUSED else str(error)
    return request_id, ""
