"""What each number stands for in a run of repeats: a hold of one unit, or a step of an order.

Of forty numbers the last six are one order: it is placed for two units, edited to three, loses
one, is held, is let go on, and is given to its place. So every number says which request it is,
and a repeat is the same to the byte. `is_other` makes another content for the same id.
"""

from collections import Counter as Multiset

from domgrpc.v1 import order_pb2, types_pb2
from domgrpc.v1.pipeline_pb2 import Operation
from tests.faults.ledger import PLACE

SKUS = tuple(f"sku-{number}" for number in range(100))
PERIOD, STEPS = 40, 6
_FIRST_STEP = PERIOD - STEPS
_PLACED, _EDITED, _CUT = 2, 3, 1
_OTHER = 1
_TTL_SECONDS = 24 * 60 * 60
_PAYMENT = order_pb2.HOLD_KIND_PAYMENT


def step_of(number: int) -> int:
    """Return which step of an order a number is, from 1; 0 where it is a hold."""
    return max(0, number % PERIOD - _FIRST_STEP + 1)


def sku_of(number: int) -> str:
    """Return what a request is about; of all steps of an order the same."""
    return SKUS[(number - max(0, step_of(number) - 1)) % len(SKUS)]


def effects_of(count: int) -> "tuple[Multiset[str], Multiset[str]]":
    """Return by SKU what so many requests hold and what they allocate; orders are whole."""
    held = Multiset(sku_of(number) for number in range(count) if not step_of(number))
    allocated: Multiset[str] = Multiset()
    for number in range(_FIRST_STEP, count, PERIOD):
        allocated[sku_of(number)] += _EDITED - _CUT
    return held, allocated


def fill(operation: Operation, number: int, *, is_other: bool) -> None:
    """Write the request of a number, or another one under its id."""
    order_id = f"o{number // PERIOD}"
    more = _OTHER if is_other else 0
    match step_of(number):
        case 0:
            reserve = operation.reserve_stock
            reserve.request_id = f"r{number}"
            reserve.lines.add(sku=sku_of(number), location_id=PLACE, quantity=1 + more)
            reserve.ttl.seconds = _TTL_SECONDS
        case 1:
            placing = operation.place_order
            placing.request_id, placing.order_id = f"r{number}", order_id
            placing.delivery_method = types_pb2.DELIVERY_METHOD_PICKUP
            placing.location_id = PLACE
            placing.lines.add(line_id="line", sku=sku_of(number), quantity=_PLACED + more)
        case 2:
            edit = operation.edit_order
            edit.request_id, edit.order_id = f"r{number}", order_id
            edit.lines.add(line_id="line", quantity=_EDITED + more)
        case 3:
            cut = operation.cancel_order
            cut.request_id, cut.order_id = f"r{number}", order_id
            cut.lines.add(line_id="line", quantity=_CUT + more)
        case step:
            _fill_work(operation, step, (f"r{number}", order_id), is_other=is_other)


def _fill_work(operation: Operation, step: int, ids: tuple[str, str], *, is_other: bool) -> None:
    if step < STEPS:
        held = operation.hold_order if step == STEPS - 2 else operation.release_order
        held.request_id, held.order_id = ids
        held.kind = order_pb2.HOLD_KIND_FRAUD if is_other else _PAYMENT
        return
    advance = operation.advance_fulfillment_order
    advance.request_id, advance.order_id = ids
    advance.fulfillment_order_id = f"{ids[1]}/{2 if is_other else 1}"
    advance.state = order_pb2.FULFILLMENT_STATE_RELEASED
