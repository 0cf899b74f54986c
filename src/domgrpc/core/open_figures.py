"""Open figures: what the work of a leg would cost from everywhere, parcel by parcel and SKU by SKU.

Units of a SKU that lie in several parcels are needs of their own, which move or stay each by
itself; what ends at one place is one package. What ships alone pays a package wherever it comes
from, so it is a leg of its own here, and the search needs no word for it.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from domgrpc.core.candidates import Everywhere
from domgrpc.core.leg_questions import LegLimits, LegQuestion
from domgrpc.core.leg_weights import cards_of
from domgrpc.core.open_legs import LEG_COST_MAX, UNITS_MAX, OpenLeg, OpenNeed
from domgrpc.core.order_legs import Leg
from domgrpc.core.orders import FulfillmentOrder
from domgrpc.core.replan_proposals import Staying
from domgrpc.core.values import LineId, LocationIndex, Sku


class Lying(NamedTuple):
    """The work of a leg as it lies."""

    parcels: Sequence[tuple[FulfillmentOrder, LocationIndex]]
    """And from where each comes."""
    short: frozenset[tuple[Sku, LocationIndex]]
    """Where there is less of a SKU by now than was promised."""
    latest_ms: int | None
    """When all of it must have come; None for any time."""


class _Portion(NamedTuple):
    """The units of a need that are in one parcel."""

    need: int
    parcel: int
    place: LocationIndex
    lines: tuple[tuple[LineId, int], ...]

    @property
    def quantity(self) -> int:
        return sum(units for _, units in self.lines)


def open_legs(
    everywhere: Everywhere,
    leg: Leg,
    asked: tuple[LegQuestion, LegLimits],
    lying: Lying,
) -> list[OpenLeg] | Staying:
    """Return the parcels of a leg as numbers, or why they stay; what ships alone comes last.

    O(needs x locations).
    """
    question, limits = asked
    portions = _portions(question, lying)
    if any(everywhere.arrivals_ms[portion.place] < 0 for portion in portions):
        return Staying.UNREACHABLE
    alone = _alone(asked)
    stays = _why_alone(asked, alone, portions)
    if stays is not None:
        return stays
    whole = _leg_of(everywhere, leg, question, (portions, lying))
    if _is_too_large(whole):
        return Staying.TOO_LARGE
    numbers = [number for number, portion in enumerate(portions) if portion.need not in alone]
    legs = []
    if numbers:
        count_max = limits.package_count_max and limits.package_count_max - len(alone)
        groups = tuple(_groups(asked, [portions[number] for number in numbers]))
        legs.append(_part(whole, numbers, groups, count_max))
    for number, portion in enumerate(portions):
        if portion.need in alone:
            legs.append(_part(whole, [number], ((0,),), 0))
    return legs


def _portions(question: LegQuestion, lying: Lying) -> list[_Portion]:
    need_of = {need.sku: number for number, need in enumerate(question.needs)}
    found = []
    for parcel, (work, place) in enumerate(lying.parcels):
        lines: dict[int, list[tuple[LineId, int]]] = {}
        for line in work.lines:
            lines.setdefault(need_of[line.sku], []).append((line.line_id, line.quantity))
        found += [_Portion(need, parcel, place, tuple(own)) for need, own in lines.items()]
    return sorted(found)


# --- what must stay together, or apart


def _alone(asked: tuple[LegQuestion, LegLimits]) -> frozenset[int]:
    # In a group of several it travels with them.
    question, limits = asked
    grouped = {need for group in limits.groups if len(group) > 1 for need in group}
    return frozenset(
        number
        for number, need in enumerate(question.needs)
        if need.fields.ship_alone and number not in grouped
    )


def _why_alone(
    asked: tuple[LegQuestion, LegLimits], alone: frozenset[int], portions: list[_Portion]
) -> Staying | None:
    # Whether each is all of a parcel, and no more packages are needed than are allowed.
    own = [portion for portion in portions if portion.need in alone]
    parcels = {portion.parcel for portion in own}
    is_alone = sum(portion.parcel in parcels for portion in portions) == len(alone)
    count_max = asked[1].package_count_max
    needed = len(alone) + (len(portions) > len(own))
    is_enough = not alone or not count_max or needed <= count_max
    return None if is_alone and is_enough else Staying.SHIPS_ALONE


def _groups(
    asked: tuple[LegQuestion, LegLimits], portions: list[_Portion]
) -> Iterable[tuple[int, ...]]:
    # Of what must not be split all portions are together, too.
    question, limits = asked
    grouped = {need for group in limits.groups for need in group}
    whole = [
        (number,)
        for number, need in enumerate(question.needs)
        if number not in grouped and not (limits.unit_split and need.splits)
    ]
    for group in (*limits.groups, *whole):
        members = tuple(n for n, portion in enumerate(portions) if portion.need in group)
        if members:
            yield members


# --- numbers


def _leg_of(
    everywhere: Everywhere,
    leg: Leg,
    question: LegQuestion,
    what: tuple[list[_Portion], Lying],
) -> OpenLeg:
    portions, lying = what
    allowed = [_allowed(everywhere, portion.need, lying.latest_ms) for portion in portions]
    stuck = [
        not use[portion.place] or (question.needs[portion.need].sku, portion.place) in lying.short
        for use, portion in zip(allowed, portions, strict=True)
    ]
    for use, portion in zip(allowed, portions, strict=True):
        # Where it lies it may stay, whatever is asked of other places.
        use[portion.place] = 1
    anywhere = bytearray(map(any, zip(*allowed, strict=True)))
    rows = [_priced(costs, anywhere) for costs in everywhere.unit_costs]
    needs = [
        OpenNeed(
            question.needs[portion.need].sku,
            portion.quantity,
            portion.lines,
            portion.place,
            rows[portion.need],
            bytes(use),
            question.needs[portion.need].fields.weight_grams,
            portion.parcel,
            is_stuck,
        )
        for portion, use, is_stuck in zip(portions, allowed, stuck, strict=True)
    ]
    cards, card_of = cards_of(everywhere.table)
    return OpenLeg(
        leg.delivery_method,
        leg.store_id,
        tuple(needs),
        _priced(everywhere.package_costs, anywhere),
        cards,
        array("q", card_of).tobytes() if cards else b"",
    )


def _part(
    whole: OpenLeg, numbers: list[int], groups: tuple[tuple[int, ...], ...], count_max: int
) -> OpenLeg:
    needs = tuple(whole.needs[number] for number in numbers)
    return msgspec.structs.replace(whole, needs=needs, groups=groups, package_count_max=count_max)


def _allowed(everywhere: Everywhere, need: int, latest_ms: int | None) -> bytearray:
    if latest_ms is None:
        return bytearray(everywhere.allowed[need])
    return bytearray(
        use and arrival_ms <= latest_ms
        for use, arrival_ms in zip(everywhere.allowed[need], everywhere.arrivals_ms, strict=True)
    )


def _priced(costs: list[int], allowed: bytearray) -> bytes:
    # What is not allowed has a price that says nothing; it would be beyond all bounds.
    found = array("q", [cost if use else 0 for cost, use in zip(costs, allowed, strict=True)])
    return found.tobytes()


def _is_too_large(leg: OpenLeg) -> bool:
    packages = memoryview(leg.package_costs).cast("q")
    by_weight = max((card.price(leg.grams) for card in leg.cards), default=0)
    dearest = (max(packages) + by_weight) * len(leg.needs)
    dearest += sum(max(memoryview(need.unit_costs).cast("q")) * need.quantity for need in leg.needs)
    return dearest > LEG_COST_MAX or sum(need.quantity for need in leg.needs) > UNITS_MAX
