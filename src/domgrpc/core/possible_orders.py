"""Possible orders: whether there is any location that could fulfil what is asked, given the stock.

What no stock could ever cure is refused and not left waiting: nobody can hand it over that way, no
location that can send it reaches the customer, or nobody could be there by a promise that is hard.
Locations that are out of use at present count as well as others.
"""

from domgrpc.core.leg_questions import LegQuestion
from domgrpc.core.moments import instant_text
from domgrpc.core.network import Network
from domgrpc.core.order_legs import Leg, legs_of
from domgrpc.core.order_planning import leg_question
from domgrpc.core.planner import Planner, PlanQuestion
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.taken import Taken
from domgrpc.core.values import LocationIndex


def check_possible(planner: Planner, question: PlanQuestion) -> None:
    """Refuse with DELIVERY_METHOD_UNSUPPORTED or NO_CANDIDATE; O(legs x locations)."""
    rules = planner.rules(question.rule_set_version)
    for leg in legs_of(question.lines):
        asked, _ = leg_question(planner, question, leg, (rules, Taken()))
        able = _able(planner.network, leg, asked)
        _check_in_time(leg, asked, able)


def _able(network: Network, leg: Leg, asked: LegQuestion) -> list[LocationIndex]:
    locations = network.locations
    places = range(len(locations.by_index)) if asked.only is None else (asked.only,)
    able = [
        LocationIndex(index)
        for index in places
        if locations.can_deliver(LocationIndex(index), leg.delivery_method)
    ]
    if able:
        return able
    line_id, method = leg.lines[0].line_id, leg.delivery_method.name
    if asked.only is None:
        raise Rejected(
            Reason.NO_CANDIDATE,
            f"line {line_id!r} is to come by {method}, which no location can do: choose another "
            "method",
            line_id=line_id,
        )
    raise Rejected(
        Reason.DELIVERY_METHOD_UNSUPPORTED,
        f"line {line_id!r} is to be collected at {leg.store_id!r}, which cannot do {method}: "
        "choose another store or another method",
        line_id=line_id,
        location_id=leg.store_id,
    )


def _check_in_time(leg: Leg, asked: LegQuestion, able: list[LocationIndex]) -> None:
    table = asked.table_of(able, asked.ask.time_ms)
    rows = able if isinstance(table.indexes, range) else range(len(able))
    arrivals_ms = [table.deliver_by_ms[row] for row in rows if table.deliver_by_ms[row] >= 0]
    line_id = leg.lines[0].line_id
    if not arrivals_ms:
        raise Rejected(
            Reason.NO_CANDIDATE,
            f"none of the locations that can do {leg.delivery_method.name} reaches where line "
            f"{line_id!r} is to go: choose another method, or save a rate card or a place for "
            f"them ({len(able)} can do it)",
            line_id=line_id,
        )
    soonest_ms = min(arrivals_ms)
    if asked.promise_is_hard and soonest_ms > asked.promise_ms:
        raise Rejected(
            Reason.NO_CANDIDATE,
            f"line {line_id!r} is to be there by {instant_text(asked.promise_ms)} without fail, by "
            f"{leg.delivery_method.name} it can be by {instant_text(soonest_ms)}: promise a later "
            "time, or choose another method",
            line_id=line_id,
            promise_time_ms=asked.promise_ms,
            deliver_by_time_ms=soonest_ms,
        )
