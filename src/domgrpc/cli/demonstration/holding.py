"""Scenes about one cart: a hold, a second customer who is refused, a confirmation, a retry."""

from dataclasses import dataclass, replace
from typing import Final

from domgrpc.cli.demonstration.opening import CHANNEL, PICKUP, Offer, nearby
from domgrpc.cli.demonstration.stage import Stage
from domgrpc.client import DomgrpcError, Line, at_locations
from domgrpc.v1.reservation_pb2 import Reservation, ReservationState, ShortLine

HELD: Final = ReservationState.RESERVATION_STATE_HELD
CONFIRMED: Final = ReservationState.RESERVATION_STATE_CONFIRMED
FIRST_CUSTOMER: Final = "checkout"
SECOND_CUSTOMER: Final = "till-7"
UNITS_HELD: Final = 2
_HOLD_REQUEST_ID: Final = "cart-1001"
_REFUSED_REQUEST_ID: Final = "cart-1002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a refused customer is told."""

    reason: str
    message: str
    short_lines: tuple[ShortLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What the first customer held, and what the second one wanted and was told."""

    offer: Offer
    hold: Reservation
    wanted_units: int
    refusal: Refusal | None = None


async def hold_two_lines(stage: Stage, offer: Offer) -> Cart:
    """Prove that a hold takes its units from what others are offered."""
    stage.narration.scene("A cart holds two lines")
    hold = await _reserve_first(stage, offer)
    names = stage.retailer.product_name
    held_ms = hold.expire_time.ToMilliseconds() - hold.create_time.ToMilliseconds()
    stage.narration.say(
        f"{UNITS_HELD} x {names(offer.sku)} and 1 x {names(offer.other_sku)} at "
        f"{stage.retailer.site(offer.location_id)}: {hold.reservation_id} is "
        f"{state_name(hold.state)} for {held_ms / 60_000:.0f} minutes."
    )
    left = await _available(stage, offer)
    stage.promise(
        f"others are offered {left[0]} and {left[1]} now; it was {offer.available} and "
        f"{offer.other_available} before",
        expected=(offer.available - UNITS_HELD, offer.other_available - 1),
        came=left,
    )
    return Cart(offer=offer, hold=hold, wanted_units=left[0] + 1)


async def refuse_second_customer(stage: Stage, cart: Cart) -> Cart:
    """Prove that nobody gets what is held, that a refused cart holds nothing, and who has more."""
    stage.narration.scene("A second customer wants more than is left")
    offer = cart.offer
    stage.narration.say(
        f"{cart.wanted_units} x {stage.retailer.product_name(offer.sku)} and 1 x "
        f"{stage.retailer.product_name(offer.other_sku)}, at the same store:"
    )
    before = await _available(stage, offer)
    refusal = await _refused(stage, cart)
    stage.promise(
        "refused with INSUFFICIENT_STOCK", expected="INSUFFICIENT_STOCK", came=refusal.reason
    )
    stage.narration.quote(refusal.message)
    elsewhere = refusal.short_lines[0].alternatives
    places = (f"{stage.retailer.site(at.location_id)} {at.available_quantity}" for at in elsewhere)
    stage.narration.say(f"The answer says where most of it is: {', '.join(places)}.")
    stage.promise(
        "all lines or none: the other product was not taken either",
        expected=before,
        came=await _available(stage, offer),
    )
    await _hold_nearby(stage, cart)
    return replace(cart, refusal=refusal)


async def confirm_first_cart(stage: Stage, cart: Cart) -> None:
    """Prove that a confirmed hold becomes a claim without a deadline, once only."""
    stage.narration.scene("The first customer pays")
    client = await stage.client(FIRST_CUSTOMER)
    before = await stage.position(cart.offer.sku, cart.offer.location_id)
    first = await client.confirm_reservation(cart.hold.reservation_id)
    again = await client.confirm_reservation(cart.hold.reservation_id)
    after = await stage.position(cart.offer.sku, cart.offer.location_id)
    stage.promise(
        f"{cart.hold.reservation_id} is CONFIRMED: {UNITS_HELD} units of "
        f"{cart.offer.sku} went from held to sold",
        expected=(CONFIRMED, -UNITS_HELD, UNITS_HELD),
        came=(
            first.state,
            after.soft_reserved - before.soft_reserved,
            after.allocated - before.allocated,
        ),
    )
    stage.promise("confirmed again: nothing changes", expected=first.etag, came=again.etag)


async def retry_old_requests(stage: Stage, cart: Cart) -> None:
    """Prove that a late duplicate gets the first answer and does not act, even after a crash."""
    stage.narration.scene("Old requests are sent again")
    offer = cart.offer
    before = await stage.position(offer.sku, offer.location_id)
    client = await stage.client(FIRST_CUSTOMER)
    now = await client.get_reservation(cart.hold.reservation_id)
    stage.promise(
        f"{cart.hold.reservation_id} survived the crash and is {state_name(CONFIRMED)}",
        expected=(CONFIRMED, list(cart.hold.lines)),
        came=(now.state, list(now.lines)),
    )
    stage.promise(
        f"request {_HOLD_REQUEST_ID} sent again: the first answer, {state_name(HELD)} at revision "
        f"{cart.hold.revision}, to the last byte",
        expected=cart.hold,
        came=await _reserve_first(stage, offer),
    )
    stage.promise(
        f"request {_REFUSED_REQUEST_ID} sent again: the first refusal, word for word",
        expected=cart.refusal,
        came=await _refused(stage, cart),
    )
    stage.promise(
        f"request {_HOLD_REQUEST_ID} with other content: REQUEST_ID_REUSED",
        expected="REQUEST_ID_REUSED",
        came=await _reuse_request_id(stage, offer),
    )
    after = await stage.position(offer.sku, offer.location_id)
    after.revision = before.revision
    stage.promise("none of this moved a unit", expected=before, came=after)


def state_name(state: ReservationState) -> str:
    """Return the word for a state."""
    return ReservationState.Name(state).removeprefix("RESERVATION_STATE_")


async def _reserve_first(stage: Stage, offer: Offer) -> Reservation:
    client = await stage.client(FIRST_CUSTOMER)
    return await client.reserve_stock(
        [
            Line(offer.sku, UNITS_HELD, offer.location_id),
            Line(offer.other_sku, 1, offer.location_id),
        ],
        channel=CHANNEL,
        delivery_method=PICKUP,
        request_id=_HOLD_REQUEST_ID,
    )


async def _refused(stage: Stage, cart: Cart) -> Refusal:
    """Ask for more than there is; a hold that succeeds is told as a refusal without a reason."""
    client = await stage.client(SECOND_CUSTOMER)
    lines = [
        Line(cart.offer.sku, cart.wanted_units, cart.offer.location_id),
        Line(cart.offer.other_sku, 1, cart.offer.location_id),
    ]
    try:
        hold = await client.reserve_stock(
            lines, channel=CHANNEL, delivery_method=PICKUP, request_id=_REFUSED_REQUEST_ID
        )
    except DomgrpcError as error:
        return Refusal(reason=error.reason, message=error.message, short_lines=error.short_lines)
    return Refusal(reason="HELD", message=str(hold), short_lines=())


async def _hold_nearby(stage: Stage, cart: Cart) -> None:
    client = await stage.client(SECOND_CUSTOMER)
    hold = await client.reserve_stock(
        [Line(cart.offer.sku, cart.wanted_units), Line(cart.offer.other_sku, 1)],
        scope=nearby(stage),
        channel=CHANNEL,
        delivery_method=PICKUP,
    )
    picked = dict.fromkeys(str(stage.retailer.site(line.location_id)) for line in hold.lines)
    stage.promise(
        f"asked for any store nearby, the service picks {' and '.join(picked)}",
        expected={cart.offer.sku: cart.wanted_units, cart.offer.other_sku: 1},
        came=_units_by_sku(hold),
    )


async def _reuse_request_id(stage: Stage, offer: Offer) -> str:
    client = await stage.client(FIRST_CUSTOMER)
    try:
        await client.reserve_stock(
            [Line(offer.sku, 1, offer.location_id)], request_id=_HOLD_REQUEST_ID
        )
    except DomgrpcError as error:
        return error.reason
    return "HELD"


async def _available(stage: Stage, offer: Offer) -> tuple[int, int]:
    client = await stage.client(FIRST_CUSTOMER)
    answer = await client.check_availability(
        [offer.sku, offer.other_sku],
        scope=at_locations([offer.location_id]),
        channel=CHANNEL,
        delivery_method=PICKUP,
    )
    first, second = answer.items
    return first.available_to_fulfill, second.available_to_fulfill


def _units_by_sku(hold: Reservation) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in hold.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units
