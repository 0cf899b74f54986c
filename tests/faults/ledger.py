"""What was sent to a server and what it answered, written down outside of it.

The orders are the same for every way to send them. An order is a hold on two units of tea and a
cup; by its number it then stays, is confirmed, is released, or becomes an order that a customer
collects: that takes the hold over, is edited to three units of tea, loses its cup, and is given to
its place. Some are no hold at all, but an order that is sent to a customer: it is placed, held, let
go on, and moved from the place that is near to the one that is far by a new plan. Each step has a
request id that never changes, so that a repeat is a repeat. The ledger shares no code with the
service: it adds up plain numbers.
"""

from collections.abc import Mapping

import msgspec

TEA, CUP, PLACE, FAR_PLACE = "tea", "cup", "north", "south"
AT: Mapping[str, tuple[float, float]] = {PLACE: (42.0, -88.0), FAR_PLACE: (30.0, -97.0)}
"""Where the places are; customers are near to the first."""
CUSTOMER = (41.9, -87.6)
QUANTITIES: Mapping[str, int] = {TEA: 2, CUP: 1}
PLENTY = 10**9
TEA_AFTER_EDIT = 3
HELD, CONFIRMED, RELEASED, TAKEN_OVER, SENT = 1, 2, 3, 4, 5
"""What becomes of a hold; one that was taken over is a confirmed one too, and SENT was none."""
EDIT, CUT, ADVANCE = ".c", ".d", ".f"
"""How the request ids of what is done with an order that is collected end."""
SENT_STEPS = PLACING, PAUSE, GO_ON, MOVE = ".p", ".h", ".g", ".m"
"""The same of one that is sent."""
_HARMS_KEPT = 20


class Found(msgspec.Struct, frozen=True):
    """What a server says that it holds."""

    orders: dict[str, tuple[int, dict[str, int]]]
    """By order: its state, and its quantities by SKU."""
    positions: dict[str, tuple[int, int, int]]
    """By SKU: on hand, soft reserved, allocated, at all places together."""
    placed: dict[str, tuple[list[str], dict[str, int]]] = {}
    """By order that was placed: what it is, as ADVANCE, PAUSE and MOVE, and units by SKU."""


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
    return (HELD, CONFIRMED, RELEASED, TAKEN_OVER, SENT)[int(order.rpartition("-")[2]) % 5]


def steps_of(order: str) -> tuple[str, ...]:
    """Return the request ids of an order, one after the other."""
    match end_state(order):
        case 1:
            return (reserve_id(order),)
        case 4:
            steps = (EDIT, CUT, ADVANCE)
            return (reserve_id(order), end_id(order), *(f"{order}{step}" for step in steps))
        case 5:
            return tuple(f"{order}{step}" for step in SENT_STEPS)
        case _:
            return (reserve_id(order), end_id(order))


def held_state(order: str) -> int:
    """Return the state that the hold of an order comes to."""
    state = end_state(order)
    return CONFIRMED if state == TAKEN_OVER else state


class Ledger:
    """What was sent and answered; `lost` and `doubled` say what went wrong, the first few."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self.sent: dict[str, str] = {}
        """Request ids, and the etag that each was sent with, empty for none."""
        self.answers: dict[str, str] = {}
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.repeated_count = 0

    def send(self, request_id: str, etag: str = "") -> str:
        """Write down that a request goes out, before it does; return the etag of its first time."""
        return self.sent.setdefault(request_id, etag)

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
            order, step = order_of(request_id), request_id[-2:]
            if step in SENT_STEPS:
                continue
            state, quantities = found.orders.get(order, (0, {}))
            if quantities != QUANTITIES or (is_end(request_id) and state != held_state(order)):
                _note(self.lost, f"{request_id} was answered, found state {state}, {quantities}")
        for order, (state, _) in found.orders.items():
            if reserve_id(order) not in self.sent:
                _note(self.doubled, f"{order} was never sent")
            if state != HELD and (end_id(order) not in self.sent or state != held_state(order)):
                _note(self.doubled, f"{order} is in state {state}, which nobody asked for")
        for request_id in self.answers:
            if not self._is_done(request_id, found):
                _note(self.lost, f"{request_id} was answered and is not done")
        for order, (marks, units) in found.placed.items():
            self._check_placed(order, units, marks)
        self._check_sums(found)

    def _check_placed(self, order: str, units: dict[str, int], marks: list[str]) -> None:
        steps = (EDIT, CUT, ADVANCE, PAUSE, MOVE)
        asked = {step for step in steps if f"{order}{step}" in self.sent}
        done = set(marks)
        done |= {EDIT} if units[TEA] != QUANTITIES[TEA] else set()
        done |= {CUT} if not units[CUP] else set()
        right = units[TEA] in (QUANTITIES[TEA], TEA_AFTER_EDIT) and units[CUP] in (0, 1)
        made_by = f"{order}{PLACING}" if end_state(order) == SENT else end_id(order)
        if made_by not in self.sent or not done <= asked or not right:
            _note(self.doubled, f"{order} has {units}, {marks}, which nobody asked for")

    def _is_done(self, request_id: str, found: Found) -> bool:
        order, step = order_of(request_id), request_id[-2:]
        if end_state(order) < TAKEN_OVER or request_id == reserve_id(order):
            return True
        marks, units = found.placed.get(order, ([], {}))
        effects = {
            EDIT: units.get(TEA) == TEA_AFTER_EDIT,
            CUT: not units.get(CUP),
            ADVANCE: ADVANCE in marks,
            PAUSE: PAUSE in marks or f"{order}{GO_ON}" in self.sent,
            GO_ON: PAUSE not in marks,
            MOVE: MOVE in marks,
        }
        return bool(units) and effects.get(step, True)

    def _check_sums(self, found: Found) -> None:
        for sku, quantity in QUANTITIES.items():
            states = [
                TAKEN_OVER if order in found.placed else state
                for order, (state, _) in found.orders.items()
            ]
            allocated = quantity * states.count(CONFIRMED)
            allocated += sum(units[sku] for _, units in found.placed.values())
            due = (PLENTY * len(AT), quantity * states.count(HELD), allocated)
            if found.positions[sku] != due:
                _note(self.doubled, f"{sku}: {found.positions[sku]}, the orders make {due}")


def _note(harms: list[str], harm: str) -> None:
    # Every later check finds the same harm again: a few say enough.
    if harm not in harms and len(harms) < _HARMS_KEPT:
        harms.append(harm)
