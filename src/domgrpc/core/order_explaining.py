"""Why a location is or is not in a decision of an order.

What was weighed then answers first. Of a location that the decision does not tell of, the leg is
put again as things stand now: the filters are asked for that one location, in their order, and only
one that none of them removes is weighed.
"""

import msgspec

from domgrpc.core.candidates import removed_by, units_at
from domgrpc.core.leg_explaining import explain_location
from domgrpc.core.leg_questions import FILTERS, LegQuestion
from domgrpc.core.order_legs import legs_of
from domgrpc.core.order_planning import leg_question, plan_order
from domgrpc.core.order_works import claimed_units
from domgrpc.core.orders import (
    STORE_METHODS,
    Decision,
    FulfillmentState,
    LegDecision,
    Order,
    OrderLine,
    is_unreleased,
)
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.plans import LocationExplanation
from domgrpc.core.taken import Taken
from domgrpc.core.values import NO_LOCATION, LineId, LocationId, Micros, Quantity, Sku, TimeMs


def about_location(
    planner: Planner,
    order: Order,
    decision: Decision,
    where: tuple[LocationId, TimeMs],
) -> LocationExplanation:
    """Explain one location at a time; of several legs the one that it is in, or comes nearest to.

    Refuses with LOCATION_NOT_FOUND; O(legs x (positions of their SKUs + some searches)).
    """
    location_id, _ = where
    planner.network.locations.index(location_id)
    weighed = []
    for leg in decision.legs:
        is_used = _is_used(order, decision, leg, location_id)
        found = explain_location(leg, location_id, is_used=is_used, is_as_decided=True)
        if found is None and is_used:
            # It was fixed beforehand: there was nothing to weigh.
            found = _explanation(location_id, is_used=True, cheaper_by_micros=Micros(0))
        if found is not None:
            weighed.append(_of_leg(found, leg))
    if not weighed:
        weighed = [
            _of_leg(_as_things_stand(planner, order, leg, where), leg) for leg in decision.legs
        ]
    return min(weighed, key=_farness)


def without_open_work(order: Order) -> Order:
    """Return an order without what may be planned again, which must not join its own parcel."""
    stays = tuple(work for work in order.fulfillment_orders if not is_unreleased(work))
    return msgspec.structs.replace(order, fulfillment_orders=stays)


def without_own(planner: Planner, order: Order) -> Taken:
    """Return what is taken for an order: the capacity of its own open work is free for it."""
    taken = Taken()
    index_of = planner.network.locations.index_of
    taken.give_back(filter(is_unreleased, order.fulfillment_orders), (), index_of)
    return taken


def _is_used(order: Order, decision: Decision, leg: LegDecision, location_id: LocationId) -> bool:
    if location_id in leg.used_location_ids:
        return True
    if leg.used_location_ids or decision is not order.decisions[-1]:
        return False
    # The newest plan changed nothing: what was planned before it stands.
    destination = leg.destination_location_id if leg.delivery_method in STORE_METHODS else ""
    return any(
        work.location_id == location_id
        and work.state is not FulfillmentState.CANCELLED
        and work.delivery_method is leg.delivery_method
        and work.destination_location_id == destination
        and any(line.sku in leg.skus for line in work.lines)
        for work in order.fulfillment_orders
    )


def _as_things_stand(
    planner: Planner, order: Order, leg: LegDecision, where: tuple[LocationId, TimeMs]
) -> LocationExplanation:
    location_id, now_ms = where
    question = PlanQuestion(
        _lines(leg),
        order.terms,
        now_ms,
        own=claimed_units(order.fulfillment_orders),
        order=without_open_work(order),
        shown=(location_id,),
    )
    taken = without_own(planner, order)
    rules = planner.rules(None)
    asked, _ = leg_question(planner, question, legs_of(question.lines)[0], (rules, taken))
    index = planner.network.locations.index(location_id)
    filtered = removed_by(planner.network, asked, index)
    if filtered not in ("", "stock"):
        # What it has is no matter: it may not be used.
        return _explanation(location_id, removed_by=filtered)
    if not filtered:
        plan = plan_order(planner, question, taken)
        found = explain_location(plan.legs[0], location_id, is_used=False, is_as_decided=False)
        if found is not None:
            return found
    units = units_at(planner.network, asked, index)
    return _explanation(location_id, removed_by=filtered, missing=_missing(asked, units))


def _lines(leg: LegDecision) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(
            LineId(str(number)),
            sku,
            Quantity(max(1, units)),
            leg.delivery_method,
            leg.destination_location_id,
        )
        for number, (sku, units) in enumerate(zip(leg.skus, leg.quantities, strict=True))
    )


def _missing(asked: LegQuestion, units: list[int]) -> tuple[tuple[Sku, int], ...]:
    return tuple(
        (need.sku, need.quantity - there)
        for need, there in zip(asked.needs, units, strict=True)
        if there < need.quantity
    )


def _explanation(
    location_id: LocationId,
    *,
    is_used: bool = False,
    removed_by: str = "",
    missing: tuple[tuple[Sku, int], ...] = (),
    cheaper_by_micros: Micros | None = None,
) -> LocationExplanation:
    return LocationExplanation(
        location_id, is_used, removed_by, missing, cheaper_by_micros, is_as_decided=is_used
    )


def _of_leg(found: LocationExplanation, leg: LegDecision) -> LocationExplanation:
    ends_at_store = leg.delivery_method in STORE_METHODS
    return msgspec.structs.replace(
        found,
        delivery_method=leg.delivery_method,
        destination_location_id=leg.destination_location_id if ends_at_store else NO_LOCATION,
    )


def _farness(found: LocationExplanation) -> tuple[bool, bool, int, int]:
    # Of two that cannot be, the one whose location passed more filters.
    cheaper_by = found.cheaper_by_micros
    passed = FILTERS.index(found.removed_by) if found.removed_by else len(FILTERS)
    return not found.is_used, cheaper_by is None, cheaper_by or 0, -passed
