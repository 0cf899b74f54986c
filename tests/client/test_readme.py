"""The Python of the docs does what it says, as a program of its own, against a real server."""

import asyncio
import re
import sys

import pytest

from domgrpc.client import DomgrpcClient, count_stock
from domgrpc.v1.location_pb2 import Location, LocationType
from domgrpc.v1.order_pb2 import FulfillmentState
from domgrpc.v1.reservation_pb2 import ReservationState
from tests.rpc.serving import Shop
from tests.tidy.project_files import ROOT, project_files, read_text

PAGES = [path for path in project_files(ROOT) if path.endswith(".md")]
BLOCKS = {
    f"{path}:{number}": block
    for path in PAGES
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", read_text(ROOT / path), re.DOTALL | re.MULTILINE)
    )
}


def test_the_readme_shows_python() -> None:
    assert "README.md:0" in BLOCKS


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCKS)
async def test_python_in_the_docs_runs(name: str, shop: Shop, client: DomgrpcClient) -> None:
    evanston = Location(location_id="evanston", type=LocationType.LOCATION_TYPE_STORE)
    await client.create_location(evanston)
    await client.update_stock([count_stock("SHOE-42", "evanston", 3)])
    program = BLOCKS[name].replace("127.0.0.1:50051", shop.address)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    if "place_order" in program:
        (order,) = (await client.list_orders(location_id="evanston")).orders
        assert [work.state for work in order.fulfillment_orders] == [
            FulfillmentState.FULFILLMENT_STATE_RELEASED
        ]
        return
    (hold,) = (await client.list_reservations()).reservations
    assert hold.state == ReservationState.RESERVATION_STATE_CONFIRMED
    assert [(line.sku, line.quantity) for line in hold.lines] == [("SHOE-42", 1)]
