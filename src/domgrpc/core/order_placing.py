"""Taking an order: deciding PlaceOrder and HoldQuote.

One record books everything: the plan, its claims on stock, the capacity of the days, and the end
of the hold that the order takes over. What cannot be booked is refused with what is short and
where else it is; nothing is half booked.
"""

import msgspec

from domgrpc.core.holds import check_new_reservation, deadline_ms, held_reservation
from domgrpc.core.leg_questions import removed_words
from domgrpc.core.moments import instant_text
from domgrpc.core.network import Ask
from domgrpc.core.order_checks import check_lines, check_terms
from domgrpc.core.order_claims import planned_claims
from domgrpc.core.order_commands import HoldQuote, OrderPlaced, PlaceOrder, QuoteHeld
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import attention_of, decision_of, put_in, without_short
from domgrpc.core.orders import (
    Attention,
    Order,
    OrderHold,
    OrderLine,
    OrderStep,
    ShortagePolicy,
    StepKind,
)
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import Plan, Quote, QuotedPlan, QuoteQuestion
from domgrpc.core.possible_orders import check_possible
from domgrpc.core.quotes import content_fingerprint, lines_by, make_quote, plan_quoted
from domgrpc.core.rejections import Alternative, Reason, Rejected, ShortLine, counted
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.reservations import (
    Caller,
    Expiration,
    Reservation,
    ReservationLine,
    ReservationState,
)
from domgrpc.core.scopes import EVERYWHERE
from domgrpc.core.sourcing import Picking, alternatives
from domgrpc.core.values import (
    Demand,
    LocationId,
    OrderId,
    Quantity,
    ReservationId,
    Sku,
)

_SHORT_LINES_EXPLAINED_MAX = 100
_NO_RESERVATION = ReservationId("")


def decide_place_order(
    planner: Planner, reservations: Reservations, command: PlaceOrder, caller: Caller
) -> OrderPlaced:
    """Plan the order and claim what the plan needs.

    Refuses with ORDER_ID_TAKEN, INSUFFICIENT_STOCK, NO_CANDIDATE, SKU_NOT_FOUND, QUOTE_EXPIRED,
    QUOTE_MISMATCH, QUOTE_OUTDATED, what a hold refuses with, RESERVATION_MISMATCH where it is for
    something else, and CAPACITY_EXCEEDED.
    """
    order_id = command.order_id or OrderId(caller.request_id)
    _check_new_order(planner, order_id)
    check_lines(planner.network, command.lines)
    check_terms(planner.network, command.lines, command.terms)
    reservation_id, held = _held(reservations, command)
    own = {(line.sku, line.location_id): line.quantity for line in held}
    question = PlanQuestion(command.lines, command.terms, caller.at.time_ms, own)
    plan = _planned(planner, question, command.quoted)
    policy = planner.shortage_policy(command.terms)
    order = _new_order(order_id, command, (plan, policy), caller)
    claims = planned_claims(order.fulfillment_orders)
    return OrderPlaced(order, claims, reservation_id, held)


def _held(
    reservations: Reservations, command: PlaceOrder
) -> tuple[ReservationId, tuple[ReservationLine, ...]]:
    # The hold that the order takes over. That of a quote may be over: its stock may still be there.
    of_quote = command.quoted.reservation_id if command.quoted is not None else _NO_RESERVATION
    reservation_id = command.reservation_id or of_quote
    if not reservation_id:
        return _NO_RESERVATION, ()
    if reservation_id == of_quote and _is_expired(reservations, reservation_id):
        return _NO_RESERVATION, ()
    held = held_reservation(reservations, reservation_id, "").lines
    _check_hold(reservation_id, held, command)
    return reservation_id, held


def _check_hold(
    reservation_id: ReservationId, held: tuple[ReservationLine, ...], command: PlaceOrder
) -> None:
    # Whoever placed it, a hold is for the goods of one cart: an order for other goods must not end
    # it. Units beyond those of the order go back, as where a cart was cut down.
    ordered = {line.sku for line in command.lines}
    for line in held:
        if line.sku not in ordered:
            raise Rejected(
                Reason.RESERVATION_MISMATCH,
                f"reservation {reservation_id!r} holds {counted(line.quantity, 'unit')} of "
                f"{line.sku!r}, "
                "which the order does not have: name the reservation of this order, or take the "
                "line out of it first",
                reservation_id=reservation_id,
                sku=line.sku,
                location_id=line.location_id,
            )


def _is_expired(reservations: Reservations, reservation_id: ReservationId) -> bool:
    known = reservations.by_id.get(reservation_id)
    return known is None or known.state is ReservationState.EXPIRED


def decide_hold_quote(
    planner: Planner, reservations: Reservations, command: HoldQuote, caller: Caller
) -> QuoteHeld:
    """Quote, and hold the stock of the best option; what cannot be planned is refused."""
    reservation_id = command.reservation_id or ReservationId(caller.request_id)
    check_new_reservation(reservations, reservation_id, caller)
    check_lines(planner.network, command.lines)
    now_ms = caller.at.time_ms
    expire_time_ms = deadline_ms(Expiration(ttl_ms=command.ttl_ms), now_ms)
    question = QuoteQuestion(command.lines, command.terms, command.methods)
    quote = make_quote(planner, question, now_ms)
    if not quote.options:
        raise no_candidate()
    best = quote.options[0]
    if best.plan.shortages:
        lines = lines_by(command.lines, (best.delivery_method, best.location_id))
        raise short_of(planner, PlanQuestion(lines, command.terms, now_ms), best.plan)
    terms = command.terms
    held = Reservation(
        reservation_id,
        caller.client_id,
        ReservationState.HELD,
        _held_lines(best.plan),
        Demand(terms.channel, best.delivery_method),
        terms.reference,
        expire_time_ms,
        now_ms,
        now_ms,
        caller.at.revision,
    )
    return QuoteHeld(_held_quote(quote, held))


def short_of(planner: Planner, question: PlanQuestion, plan: Plan) -> Rejected:
    """Build the refusal that names each line nobody can fill, and where else it is.

    A plan that is refused as a whole says nothing about what there is of each line: what could be
    fulfilled is planned once more, as much of it as possible.
    """
    wanted = {line.line_id: line for line in question.lines}
    short: list[ShortLine] = []
    terms = msgspec.structs.replace(
        question.terms, ship_complete=False, shortage_policy=ShortagePolicy.BACKORDER
    )
    most = plan_order(planner, msgspec.structs.replace(question, terms=terms))
    for place, shortage in enumerate(most.shortages or plan.shortages):
        line = wanted[shortage.line_id]
        elsewhere: tuple[Alternative, ...] = ()
        if place < _SHORT_LINES_EXPLAINED_MAX:
            demand = Demand(question.terms.channel, line.delivery_method)
            picking = Picking(ask=Ask(demand, question.time_ms), area=EVERYWHERE)
            elsewhere = alternatives(planner.network, line.sku, picking)
        offered = Quantity(line.quantity - shortage.quantity)
        short.append(ShortLine(line.sku, line.location_id, line.quantity, offered, elsewhere))
    first = short[0]
    whole = _wholeness(planner, wanted[(most.shortages or plan.shortages)[0].line_id])
    said = most if most.shortages else plan
    more = f", and {counted(len(short) - 1, 'more line')}" if len(short) > 1 else ""
    return Rejected(
        Reason.INSUFFICIENT_STOCK,
        f"{first.available_quantity} of {counted(first.asked_quantity, 'unit')} of "
        f"{first.sku!r} can be fulfilled{whole}{more}{_left_out(said)}: {_advice(said)}, "
        "or allow backorders",
        short_lines=tuple(short),
        sku=first.sku,
        location_id=first.location_id,
        asked_quantity=first.asked_quantity,
        available_quantity=first.available_quantity,
    )


def _wholeness(planner: Planner, line: OrderLine) -> str:
    # Why none may be there for it where some units are.
    if line.package_group:
        return ", all in one package with their group"
    fields = planner.network.products.fields(line.sku)
    splits = planner.rules(None).content.limits.unit_split_allowed
    is_whole = fields.keep_together or fields.ship_alone or not splits
    return ", all from one place" if is_whole else ""


def _left_out(plan: Plan) -> str:
    # What filters removed locations, beside having nothing of it.
    counts: dict[str, int] = {}
    for leg in plan.legs:
        for name, count in leg.removed:
            if name != "stock":
                words = removed_words(name, leg.delivery_method)
                counts[words] = counts.get(words, 0) + count
    if not counts:
        return ""
    told = ", ".join(f"{count} {words}" for words, count in counts.items())
    return f" (locations left out: {told})"


def _advice(plan: Plan) -> str:
    # These filters remove only locations that have something of what is asked.
    filters = {name for leg in plan.legs for name, _ in leg.removed}
    advice = []
    if "packages" in filters:
        advice.append("allow more packages, ask for less")
    if "capacity" in filters:
        advice.append("ask again tomorrow")
    if "promise" in filters:
        advice.append("promise a later time")
    return ", ".join(advice) or "ask for less, by another method or elsewhere"


def no_candidate() -> Rejected:
    """Build the refusal of what no location can do at all."""
    return Rejected(
        Reason.NO_CANDIDATE,
        "no location can fulfil this by any of the methods asked: explain it with "
        "SimulateRouting, which names what each filter removed",
    )


def _planned(planner: Planner, question: PlanQuestion, quoted: QuotedPlan | None) -> Plan:
    plan = plan_order(planner, question)
    if plan.shortages:
        check_possible(planner, question)
    if quoted is not None:
        _check_quote(question, quoted)
        may_be_short = planner.shortage_policy(question.terms) is not ShortagePolicy.REFUSE
        fixed = plan_quoted(planner, question, quoted.packages, plan, may_be_short=may_be_short)
        if isinstance(fixed, str):
            raise _outdated(fixed, plan)
        return fixed
    if plan.shortages and planner.shortage_policy(question.terms) is ShortagePolicy.REFUSE:
        raise short_of(planner, question, plan)
    return plan


def _check_quote(question: PlanQuestion, quoted: QuotedPlan) -> None:
    if quoted.expire_time_ms <= question.time_ms:
        raise Rejected(
            Reason.QUOTE_EXPIRED,
            f"the quote was good until {instant_text(quoted.expire_time_ms)}, it is "
            f"{instant_text(question.time_ms)}: quote anew, or place the order without it",
            expire_time_ms=quoted.expire_time_ms,
        )
    if quoted.content != content_fingerprint(question.lines, question.terms):
        raise Rejected(
            Reason.QUOTE_MISMATCH,
            "the quote was made for other lines or terms: place what was quoted, or quote anew",
        )


def _outdated(why: str, fresh: Plan) -> Rejected:
    words = "; ".join(
        f"{package.location_id}: "
        + ", ".join(f"{line.quantity} x {line.sku}" for line in package.lines)
        for package in fresh.packages[:10]
    )
    return Rejected(
        Reason.QUOTE_OUTDATED,
        f"what was quoted cannot be booked any more: {why}; a plan as things stand is in "
        "fresh_plan: quote anew, or place the order without the quote",
        fresh_plan=words[:1_000],
        fresh_cost_micros=fresh.cost_micros,
        fresh_short_line_count=len(fresh.shortages),
    )


def _new_order(
    order_id: OrderId, command: PlaceOrder, what: tuple[Plan, ShortagePolicy], caller: Caller
) -> Order:
    at = caller.at
    plan, policy = what
    works, next_number = put_in(order_id, (), plan, 1)
    reasons = dict(reversed(command.holds))
    holds = tuple(
        OrderHold(kind, reasons[kind], caller.client_id, at.time_ms)
        for kind in dict.fromkeys(kind for kind, _ in command.holds)
    )
    cancelled = policy is ShortagePolicy.CANCEL
    order = Order(
        order_id,
        caller.client_id,
        command.terms,
        without_short(command.lines, plan) if cancelled else command.lines,
        works,
        holds,
        Attention.NONE,
        (decision_of(plan, caller, StepKind.PLACED),),
        (OrderStep(at.revision, at.time_ms, StepKind.PLACED, caller.client_id),),
        at.time_ms,
        at.time_ms,
        at.revision,
        next_number,
    )
    attention = attention_of(order)
    if attention is Attention.NONE:
        return order
    return msgspec.structs.replace(order, attention=attention)


def _held_lines(plan: Plan) -> tuple[ReservationLine, ...]:
    held: dict[tuple[Sku, LocationId], tuple[int, int]] = {}
    for package in plan.packages:
        for line in package.lines:
            key = (line.sku, package.location_id)
            units, backordered = held.get(key, (0, 0))
            held[key] = (units + line.quantity, backordered + line.backordered_quantity)
    return tuple(
        ReservationLine(*key, Quantity(units), Quantity(backordered))
        for key, (units, backordered) in sorted(held.items())
    )


def _held_quote(quote: Quote, held: Reservation) -> Quote:
    best = quote.options[0]
    quoted = msgspec.structs.replace(
        best.quoted,
        reservation_id=held.reservation_id,
        expire_time_ms=max(best.quoted.expire_time_ms, held.expire_time_ms),
    )
    first = msgspec.structs.replace(best, quoted=quoted)
    # Without what came to nothing: the record of a hold is for ever.
    return Quote((first, *quote.options[1:]), quote.expire_time_ms, held)


def _check_new_order(planner: Planner, order_id: OrderId) -> None:
    orders = planner.orders
    # Work that is in the parcel of an order names it, also when that is forgotten.
    if order_id in orders.by_id or order_id in orders.hosts:
        raise Rejected(
            Reason.ORDER_ID_TAKEN,
            f"order {order_id!r} exists already: read it, or choose another id",
            order_id=order_id,
        )
    if len(orders.by_id) >= orders.limits.orders_max:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"{len(orders.by_id)} orders are remembered, the most that is allowed",
            limit=orders.limits.orders_max,
        )
