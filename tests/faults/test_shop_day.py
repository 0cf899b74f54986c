"""What is recorded to be cut short is a working shop: hardly anything is refused, orders occur."""

from random import Random

import pytest

from domgrpc.core.events import Event, RequestRefused
from domgrpc.core.order_commands import OrderChanged, OrderPlaced, OrdersReplanned
from domgrpc.core.orders import StepKind
from domgrpc.core.reservations import StockReserved
from domgrpc.engine.records import decode_records
from tests.faults.recording import Promises, Recorder

RECORDING_COUNT = 30


def recorded_events(seed: int) -> list[Event]:
    """Return the events of all groups of a recording."""
    promises = Promises()
    Recorder({}, promises, Random(seed)).record()
    return [
        event
        for _, count, payload in promises.groups.values()
        for record in decode_records(payload, count)
        for event in record.events
    ]


@pytest.mark.slow
def test_recorded_days_have_holds_and_every_step_of_orders_and_hardly_a_refusal() -> None:
    events = [event for seed in range(RECORDING_COUNT) for event in recorded_events(seed)]
    kinds = {type(event) for event in events}
    steps = {event.step for event in events if isinstance(event, OrderChanged)}
    assert {StockReserved, OrderPlaced, OrdersReplanned} <= kinds
    assert {StepKind.EDITED, StepKind.CANCELLED, StepKind.HELD, StepKind.ADVANCED} <= steps
    refused = [event for event in events if isinstance(event, RequestRefused)]
    assert len(refused) < len(events) / 100
