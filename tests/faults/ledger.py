"""What was sent to a server and what it answered, written down outside of it.

The orders are the same for every way to send them. An order is a hold on two units of tea and a
cup; by its number it then stays, is confirmed or is released. Each step has a request id that
never changes, so that a repeat is a repeat. The ledger shares no code with the service: it adds
up plain numbers.
"""

from collections.abc import Mapping

import msgspec

TEA, CUP, PLACE = "tea", "cup", "north"
QUANTITIES: Mapping[str, int] = {TEA: 2, CUP: 1}
PLENTY = 10**9
HELD, CONFIRMED, RELEASED = 1, 2, 3
_HARMS_KEPT = 20


class Found(msgspec.Struct, frozen=True):
    """What a server says that it holds."""

    orders: dict[str, tuple[int, dict[str, int]]]
    """By order: its state, and its quantities by SKU."""
    positions: dict[str, tuple[int, int, int]]
    """By SKU: on hand, soft reserved, allocated."""


def reserve_id(order: str) -> str:
    """Return the request id of the hold itself."""
    return f"{order}.r"


def end_id(order: str) -> str:
    """Return the request id of what ends the hold."""
    return f"{order}.e"


def order_of(request_id: str) -> str:
    """Return the order that a request belongs to."""
    return request_id[:-2]


def is_end(request_id: str) -> bool:
    """Whether a request ends its order, rather than making it."""
    return request_id.endswith(".e")


def end_state(order: str) -> int:
    """Return the state that an order comes to, by its number."""
    return (HELD, CONFIRMED, RELEASED)[int(order.rpartition("-")[2]) % 3]


class Ledger:
    """What was sent and answered; `lost` and `doubled` say what went wrong, the first few."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self.sent: dict[str, None] = {}
        self.answers: dict[str, str] = {}
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.repeated_count = 0

    def send(self, request_id: str) -> None:
        """Write down that a request goes out; before it does."""
        self.sent[request_id] = None

    def answer(self, request_id: str, answer: str) -> None:
        """Write down an answer; the same request must always get the same one."""
        if request_id not in self.answers:
            self.answers[request_id] = answer
            return
        self.repeated_count += 1
        if self.answers[request_id] != answer:
            _note(self.doubled, f"{request_id}: another answer to the same request")

    def refuse(self, request_id: str) -> None:
        """Write down that a request was refused and changed nothing: it may not be found."""
        del self.sent[request_id]

    def unanswered(self) -> list[str]:
        """Return the requests whose outcome is unknown."""
        return [request_id for request_id in self.sent if request_id not in self.answers]

    def newest_answered(self, count: int) -> list[str]:
        """Return the requests that were answered last."""
        return list(self.answers)[-count:]

    def check(self, found: Found) -> None:
        """Compare what a server holds, before anything was repeated, with what was answered."""
        for request_id in self.answers:
            order = order_of(request_id)
            state, quantities = found.orders.get(order, (0, {}))
            if quantities != QUANTITIES or (is_end(request_id) and state != end_state(order)):
                _note(self.lost, f"{request_id} was answered, found state {state}, {quantities}")
        for order, (state, _) in found.orders.items():
            if reserve_id(order) not in self.sent:
                _note(self.doubled, f"{order} was never sent")
            if state != HELD and (end_id(order) not in self.sent or state != end_state(order)):
                _note(self.doubled, f"{order} is in state {state}, which nobody asked for")
        for sku, quantity in QUANTITIES.items():
            states = [state for state, _ in found.orders.values()]
            due = (PLENTY, quantity * states.count(HELD), quantity * states.count(CONFIRMED))
            if found.positions[sku] != due:
                _note(self.doubled, f"{sku}: {found.positions[sku]}, the orders make {due}")


def _note(harms: list[str], harm: str) -> None:
    # Every later check finds the same harm again: a few say enough.
    if harm not in harms and len(harms) < _HARMS_KEPT:
        harms.append(harm)
