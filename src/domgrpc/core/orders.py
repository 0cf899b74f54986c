"""Orders: what a customer bought, from where it is fulfilled, and why from there.

An order's quantities carry its state: what fulfilment orders hold of each line, what was
cancelled, and the rest, which is backordered. The status is derived from them and never stored.
A fulfilment order is the work asked of one location: one parcel, one handover. Its units are
counted in `allocated` of their positions until they leave or are cancelled.

Here are the words; plans.py has those of plans and quotes, order_commands.py what can be asked and
what happened, order_book.py keeps the orders and applies events. An order is an immutable value
that each event replaces, so that an answer kept for a retry is simply the value as it was.
"""

import enum

import msgspec

from domgrpc.core.geography import Point
from domgrpc.core.scopes import Scope
from domgrpc.core.values import (
    AddressType,
    Channel,
    ClientId,
    CustomerId,
    DeliveryMethod,
    FulfillmentOrderId,
    LineId,
    LocationId,
    Micros,
    OrderId,
    Quantity,
    Revision,
    RuleId,
    Sku,
    TimeMs,
)

HISTORY_MAX = 100
"""So many steps of an order are remembered; the oldest go first, the placing stays."""
DECISIONS_MAX = 10
"""So many decisions of an order are remembered; the oldest go first."""
GIVEN_BACK_MAX = 50
"""So much work that locations gave back is remembered of an order; the oldest goes first."""

NO_ORDER = OrderId("")
NO_LINE = LineId("")
NO_PARCEL = FulfillmentOrderId("")
STORE_METHODS = (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE, DeliveryMethod.SHIP_TO_STORE)
"""Methods whose goods the customer collects at a store that the line names."""


class FulfillmentState(enum.IntEnum):
    """Where the work asked of a location stands; gaps are for steps of the work to come."""

    SCHEDULED = 1
    """Planned on supply that is not there yet."""
    OPEN = 2
    """Planned on stock that is there; may still be planned again."""
    RELEASED = 3
    """Given to the location: it stays where it is."""
    SHIPPED = 8
    """On its way; the units have left the stock."""
    READY = 9
    """Waiting for the customer at the store."""
    DELIVERED = 10
    COLLECTED = 11
    CANCELLED = 12


UNRELEASED_STATES = (FulfillmentState.SCHEDULED, FulfillmentState.OPEN)
"""Work in these may be planned again."""
ARRIVED_STATES = (FulfillmentState.DELIVERED, FulfillmentState.COLLECTED)
FINISHED_STATES = (*ARRIVED_STATES, FulfillmentState.CANCELLED)


class OrderStatus(enum.IntEnum):
    """The status of an order, derived from its quantities and holds."""

    OPEN = 1
    ON_HOLD = 2
    PARTIALLY_SHIPPED = 3
    SHIPPED = 4
    PARTIALLY_DELIVERED = 5
    DELIVERED = 6
    CANCELLED = 9


class Attention(enum.IntEnum):
    """Why somebody should look at an order."""

    NONE = 0
    BACKORDERED = 1
    """Units of it that nobody can fill at present."""
    LOCATION_DISABLED = 2
    """Work of it lies at a location that is out of use, and no other can do it."""
    PROMISE_LATE = 3
    """A part of it is planned to arrive after the promise."""
    RULE_FAILED = 4
    """A rule of the rule set failed while it was planned and excluded nothing."""


class HoldKind(enum.IntEnum):
    """Why the work of an order waits."""

    FRAUD = 1
    PAYMENT = 2
    ADDRESS = 3
    OTHER = 4


class StepKind(enum.IntEnum):
    """What happened to an order."""

    PLACED = 1
    EDITED = 2
    CANCELLED = 3
    HELD = 4
    HOLD_RELEASED = 5
    ADVANCED = 6
    REPLANNED = 7


class ShortagePolicy(enum.IntEnum):
    """What becomes of units that nobody can fill."""

    UNSPECIFIED = 0
    """As the rule set says."""
    REFUSE = 1
    BACKORDER = 2
    CANCEL = 3


# --- state


class Address(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the customer is; `point` is what costs and days are counted by."""

    point: Point | None = None
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country_code: str = ""
    street: str = ""
    recipient: str = ""
    address_type: AddressType = AddressType.RESIDENTIAL


class OrderTerms(msgspec.Struct, frozen=True, array_like=True):
    """What holds for an order as a whole."""

    channel: Channel = Channel("")
    customer_id: CustomerId = CustomerId("")
    address: Address = Address()
    promise_time_ms: TimeMs | None = None
    """Everything should be with the customer by then."""
    promise_is_hard: bool = False
    package_count_max: int = 0
    """Of those that travel the same way; 0 for as many as the rule set allows."""
    ship_complete: bool = False
    """All of it is planned, or nothing is."""
    shortage_policy: ShortagePolicy = ShortagePolicy.UNSPECIFIED
    scope: Scope = None
    """Where it may be fulfilled from."""
    placed_at_location_id: LocationId = LocationId("")
    """The store at whose counter it was placed, empty for none."""
    reference: str = ""


class OrderLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Units of one SKU that were ordered."""

    line_id: LineId
    sku: Sku
    quantity: Quantity
    delivery_method: DeliveryMethod
    location_id: LocationId = LocationId("")
    """The store at which the customer collects; empty for other methods."""
    unit_price_micros: Micros = Micros(0)
    cancelled_quantity: Quantity = Quantity(0)
    package_group: str = ""
    """Lines of one group travel in one package; empty for none."""


class FulfillmentLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Units of an order line that one location fulfils."""

    line_id: LineId
    sku: Sku
    quantity: Quantity
    backordered_quantity: Quantity = Quantity(0)
    """Units of them beyond the stock when they were planned."""


class FulfillmentOrder(msgspec.Struct, frozen=True, array_like=True):
    """The work asked of one location for one order: one parcel or one handover."""

    fulfillment_order_id: FulfillmentOrderId
    location_id: LocationId
    delivery_method: DeliveryMethod
    state: FulfillmentState
    lines: tuple[FulfillmentLine, ...]
    destination_location_id: LocationId = LocationId("")
    """The store where it is collected; empty where it goes to the address."""
    ready_time_ms: TimeMs = TimeMs(0)
    """When all of its stock is there."""
    ship_by_time_ms: TimeMs = TimeMs(0)
    deliver_by_time_ms: TimeMs = TimeMs(0)
    """Estimated: when it is with the customer, or ready to be collected."""
    package_cost_micros: Micros = Micros(0)
    units_cost_micros: Micros = Micros(0)
    price_micros: Micros = Micros(0)
    """What rules and lateness add: not paid to anybody, only weighed."""
    parcel_id: FulfillmentOrderId = NO_PARCEL
    """The fulfilment order whose parcel it travels in; empty for a parcel of its own."""
    capacity_day: int = 0
    """The day that it takes the location's capacity of: days since 1970 in its time zone."""
    given_back_time_ms: TimeMs = TimeMs(0)
    """When its location gave it back; 0 for work that was not."""
    collect_by_time_ms: TimeMs = TimeMs(0)
    """Until when it waits to be collected, as planned; 0 where it goes to the address."""


class OrderHold(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reason for which the work of an order waits."""

    kind: HoldKind
    reason: str
    client_id: ClientId
    time_ms: TimeMs


class CandidateRows(msgspec.Struct, frozen=True, array_like=True):
    """Some candidates as they were weighed, side by side."""

    location_ids: tuple[LocationId, ...] = ()
    package_micros: tuple[int, ...] = ()
    unit_micros: tuple[tuple[int, ...], ...] = ()
    """By SKU of the leg, then candidate."""
    available: tuple[tuple[int, ...], ...] = ()
    """The same."""
    cards: tuple[tuple[tuple[int, int], ...], ...] = ()
    """Rate cards by weight, as (grams at most, micros); none where nothing goes by weight."""
    card_indexes: tuple[int, ...] = ()
    """By candidate, into `cards`."""
    unit_grams: tuple[int, ...] = ()
    """By SKU of the leg, where something goes by weight."""
    splits: tuple[bool, ...] = ()
    """The same: whether its units may come in several packages."""
    parcel_micros: tuple[int, ...] = ()
    """By card: what each parcel beyond the first costs beside its step."""
    once: tuple[bool, ...] = ()
    """By candidate, where something goes by weight: whether all joins one open parcel."""


NO_ROWS = CandidateRows()


class LegDecision(msgspec.Struct, frozen=True, array_like=True):
    """How one leg was decided: the lines of one method and destination, planned together."""

    delivery_method: DeliveryMethod
    destination_location_id: LocationId
    skus: tuple[Sku, ...]
    quantities: tuple[int, ...]
    cost_micros: Micros
    lower_bound_micros: Micros
    is_proven: bool
    node_count: int
    candidate_count: int
    removed: tuple[tuple[str, int], ...]
    """(filter, how many locations it removed), in the order of the filters."""
    package_micros: Micros = Micros(0)
    units_micros: Micros = Micros(0)
    price_micros: Micros = Micros(0)
    runner_up_micros: Micros | None = None
    runner_up_location_ids: tuple[LocationId, ...] = ()
    rows: CandidateRows = NO_ROWS
    """The best candidates as they were weighed, up to a bound."""
    failed_rule_ids: tuple[RuleId, ...] = ()
    used_location_ids: tuple[LocationId, ...] = ()
    """Where the plan is fulfilled from."""


class Decision(msgspec.Struct, frozen=True, array_like=True):
    """Why an order was planned as it was: under which rules, by which stock, at what cost."""

    revision: Revision
    time_ms: TimeMs
    step: StepKind
    rule_set_version: int
    legs: tuple[LegDecision, ...]

    @property
    def cost_micros(self) -> int:
        """Return the cost of all legs."""
        return sum(leg.cost_micros for leg in self.legs)


class OrderStep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of an order's history."""

    revision: Revision
    time_ms: TimeMs
    kind: StepKind
    client_id: ClientId
    detail: str = ""


class Order(msgspec.Struct, frozen=True, array_like=True, tag=16, tag_field="tag"):
    """What a customer bought, and how it is fulfilled."""

    order_id: OrderId
    client_id: ClientId
    terms: OrderTerms
    lines: tuple[OrderLine, ...]
    fulfillment_orders: tuple[FulfillmentOrder, ...]
    holds: tuple[OrderHold, ...]
    attention: Attention
    decisions: tuple[Decision, ...]
    history: tuple[OrderStep, ...]
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision
    next_fulfillment_number: int = 1


# --- views


def order_status(order: Order) -> OrderStatus:
    """Derive the status of an order from its quantities and holds; O(its parts)."""
    wanted = sum(line.quantity - line.cancelled_quantity for line in order.lines)
    if not wanted:
        return OrderStatus.CANCELLED
    arrived = units_in(order, ARRIVED_STATES)
    left = arrived + units_in(order, (FulfillmentState.SHIPPED,))
    if arrived == wanted:
        return OrderStatus.DELIVERED
    if order.holds and not left:
        return OrderStatus.ON_HOLD
    if arrived:
        return OrderStatus.PARTIALLY_DELIVERED
    if left == wanted:
        return OrderStatus.SHIPPED
    return OrderStatus.PARTIALLY_SHIPPED if left else OrderStatus.OPEN


def units_in(order: Order, states: tuple[FulfillmentState, ...]) -> int:
    """Return the units of an order whose work is in one of the states."""
    return sum(
        line.quantity
        for work in order.fulfillment_orders
        if work.state in states
        for line in work.lines
    )


def unsourced_quantities(order: Order) -> dict[LineId, int]:
    """Return the units of each line that no location fulfils; lines without any are left out."""
    left = {line.line_id: line.quantity - line.cancelled_quantity for line in order.lines}
    for work in order.fulfillment_orders:
        if work.state is not FulfillmentState.CANCELLED:
            for line in work.lines:
                left[line.line_id] -= line.quantity
    return {line_id: units for line_id, units in left.items() if units}


def waiting_skus(order: Order) -> tuple[Sku, ...]:
    """Return the SKUs that an order waits for: unfilled, or stuck where nobody can work on them.

    O(the order), O(1) for one that is not flagged.
    """
    if order.attention not in (Attention.BACKORDERED, Attention.LOCATION_DISABLED):
        return ()
    unsourced = unsourced_quantities(order)
    skus = {line.sku: None for line in order.lines if line.line_id in unsourced}
    if order.attention is Attention.LOCATION_DISABLED:
        for work in filter(is_unreleased, order.fulfillment_orders):
            skus.update((line.sku, None) for line in work.lines)
    return tuple(skus)


def is_unreleased(work: FulfillmentOrder) -> bool:
    """Whether work may still be planned again."""
    return work.state in UNRELEASED_STATES


def is_claiming(work: FulfillmentOrder) -> bool:
    """Whether the units of work are still in the stock of its location, and allocated there."""
    if work.state is FulfillmentState.READY:
        return work.delivery_method is not DeliveryMethod.SHIP_TO_STORE
    return work.state in (*UNRELEASED_STATES, FulfillmentState.RELEASED)


def is_finished(order: Order) -> bool:
    """Whether nothing of an order is left to do."""
    for work in order.fulfillment_orders:
        if work.state not in FINISHED_STATES:
            return False
    return not unsourced_quantities(order)
