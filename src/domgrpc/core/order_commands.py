"""Orders: what can be asked, and what happened."""

import msgspec

from domgrpc.core.orders import (
    NO_ORDER,
    Address,
    FulfillmentState,
    HoldKind,
    Order,
    OrderLine,
    OrderTerms,
    StepKind,
)
from domgrpc.core.plans import Quote, QuotedPackage, QuotedPlan
from domgrpc.core.reservations import ReservationLine
from domgrpc.core.values import (
    DeliveryMethod,
    FulfillmentOrderId,
    LineId,
    LocationId,
    OrderId,
    Quantity,
    ReservationId,
    Revision,
    Sku,
)

ORDER_LINES_MAX = 5_000
"""Lines of an order; of a call that edits or cancels, too."""
MOVES_MAX = 500
"""Orders that one command gives new plans."""

# --- commands


class PlaceOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Take an order: plan it, claim its stock and its capacity, in one step."""

    lines: tuple[OrderLine, ...]
    terms: OrderTerms
    order_id: OrderId = NO_ORDER
    quoted: QuotedPlan | None = None
    reservation_id: ReservationId = ReservationId("")
    holds: tuple[tuple[HoldKind, str], ...] = ()


class HoldQuote(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Quote, and hold the stock of the cheapest option until a deadline."""

    lines: tuple[OrderLine, ...]
    terms: OrderTerms
    ttl_ms: int
    reservation_id: ReservationId = ReservationId("")
    methods: tuple[tuple[DeliveryMethod, LocationId], ...] = ()


class EditOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Add lines, change quantities (0 removes) or the address; only what changed is planned."""

    order_id: OrderId
    lines: tuple[OrderLine, ...] = ()
    address: Address | None = None
    etag: str = ""


class CancelOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Cancel units of lines; no lines means all that can still be cancelled."""

    order_id: OrderId
    lines: tuple[tuple[LineId, Quantity], ...] = ()
    reason: str = ""
    etag: str = ""


class HoldOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Let the work of an order wait."""

    order_id: OrderId
    kind: HoldKind
    reason: str = ""
    etag: str = ""


class ReleaseOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Take a hold of an order off."""

    order_id: OrderId
    kind: HoldKind
    reason: str = ""
    etag: str = ""


class AdvanceFulfillmentOrder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Say how far the work of a location is."""

    order_id: OrderId
    fulfillment_order_id: FulfillmentOrderId
    state: FulfillmentState
    etag: str = ""


class OrderMove(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a new plan asks for one order: its revision then, and where each line goes."""

    order_id: OrderId
    order_revision: Revision
    packages: tuple[QuotedPackage, ...]


class ApplyReplan(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Book a new plan of open orders; an order that changed meanwhile stays as it is."""

    moves: tuple[OrderMove, ...]


# --- events


class ClaimChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a change of an order does to one position."""

    sku: Sku
    location_id: LocationId
    allocated_delta: int
    on_hand_delta: int = 0


class OrderPlaced(msgspec.Struct, frozen=True, array_like=True, tag=26):
    """An order was taken; its whole content and what it claims.

    `reservation_id` names the hold whose units it took over: that is over with this event, and
    `taken_over` are its lines.
    """

    order: Order
    claims: tuple[ClaimChange, ...]
    reservation_id: ReservationId = ReservationId("")
    taken_over: tuple[ReservationLine, ...] = ()


class OrderChanged(msgspec.Struct, frozen=True, array_like=True, tag=27):
    """An order has another content: the whole of it, and what that does to positions.

    `guests` are other orders, whole too, whose goods were in a parcel of it that is gone.
    """

    order: Order
    claims: tuple[ClaimChange, ...]
    step: StepKind
    guests: tuple[Order, ...] = ()


class QuoteHeld(msgspec.Struct, frozen=True, array_like=True, tag=28):
    """The stock of a quote is held; the reservation is in it."""

    quote: Quote


class ReplanSummary(msgspec.Struct, frozen=True, array_like=True, tag=18, tag_field="tag"):
    """How a new plan of open orders was booked."""

    applied_order_ids: tuple[OrderId, ...]
    skipped: tuple[tuple[OrderId, str], ...]
    """(order, why it stayed as it was)."""


class OrdersReplanned(msgspec.Struct, frozen=True, array_like=True, tag=36):
    """Open orders have new plans, all in one step."""

    changes: tuple[OrderChanged, ...]
    summary: ReplanSummary
