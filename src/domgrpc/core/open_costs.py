"""Open costs: what open work costs where it lies or would lie, to the micro, weight steps included.

The search takes no weight steps: it is given prices that are exact for a leg that leaves as one
package, and a straight line below the steps for others. So what it proves is a lower bound here
too, and what it finds is counted again by `leg_cost`, which is what placing counts.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from domgrpc.core.open_legs import OpenLeg, OpenOrder
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.routing.by_weight import line_below
from domgrpc.core.values import LineId, LocationId, LocationIndex

Places: TypeAlias = Sequence[LocationIndex]
"""Where the needs of a leg lie, one after the other."""
_Parcel: TypeAlias = tuple[LocationIndex, list[int]]
"""From where it comes, and the needs in it."""


def leg_cost(leg: OpenLeg, places: Places | None) -> int:
    """Return what a leg costs with its needs at these places; None for as they lie; O(needs)."""
    cost = sum(_parcel_cost(leg, parcel) for parcel in _parcels(leg, places)) - leg.free_micros
    for need, place in zip(leg.needs, places or present_places(leg), strict=True):
        cost += need.quantity * memoryview(need.unit_costs).cast("q")[place]
    return cost


def present_places(leg: OpenLeg) -> list[LocationIndex]:
    """Return where the needs of a leg lie now."""
    return [need.present for need in leg.needs]


def is_carried_out(leg: OpenLeg, places: Places) -> bool:
    """Whether these places keep to what must travel together, and in so few packages."""
    if any(place < 0 for place in places) or any(
        need.is_stuck and need.present == place
        for need, place in zip(leg.needs, places, strict=True)
    ):
        return False
    count_max = leg.package_count_max
    if count_max and len(dict.fromkeys(places)) > count_max:
        return False
    return all(len({places[need] for need in group}) == 1 for group in leg.groups)


def moved_packages(
    order: OpenOrder, planned: Iterable[Places | None], location_ids: list[LocationId]
) -> tuple[QuotedPackage, ...]:
    """Return the packages of an order whose legs lie at these places; None for as they lie."""
    packages = list(order.staying)
    for leg, places in zip(order.legs, planned, strict=True):
        way = (leg.delivery_method, leg.store_id)
        packages += [
            QuotedPackage(location_ids[place], *way, _lines(leg, needs))
            for place, needs in _parcels(leg, places)
        ]
    return tuple(packages)


def _lines(leg: OpenLeg, needs: list[int]) -> tuple[tuple[LineId, int], ...]:
    # Units of a line that come together are one line again.
    units: dict[LineId, int] = {}
    for number in needs:
        for line_id, quantity in leg.needs[number].lines:
            units[line_id] = units.get(line_id, 0) + quantity
    return tuple(units.items())


def _parcels(leg: OpenLeg, places: Places | None) -> list[_Parcel]:
    # As it lies a leg has the parcels that it has. Elsewhere one from each place, but for those of
    # before that cost less by themselves, being lighter.
    if places is None:
        return _grouped(leg, present_places(leg), range(len(leg.needs)))
    found: list[_Parcel] = []
    there: dict[LocationIndex, list[int]] = {}
    for number, place in enumerate(places):
        there.setdefault(place, []).append(number)
    for one in there.items():
        apart = _grouped(leg, places, one[1]) if _may_part(leg) else []
        is_cheaper = sum(_parcel_cost(leg, each) for each in apart) < _parcel_cost(leg, one)
        found += apart if apart and is_cheaper else [one]
    return found


def _grouped(leg: OpenLeg, places: Places, numbers: Iterable[int]) -> list[_Parcel]:
    found: dict[tuple[int, LocationIndex], list[int]] = {}
    for number in numbers:
        found.setdefault((leg.needs[number].parcel, places[number]), []).append(number)
    return [(place, own) for (_, place), own in found.items()]


def _may_part(leg: OpenLeg) -> bool:
    is_limited = leg.package_count_max or any(len(group) > 1 for group in leg.groups)
    return bool(leg.cards) and not is_limited


def _parcel_cost(leg: OpenLeg, parcel: _Parcel) -> int:
    place, needs = parcel
    cost = memoryview(leg.package_costs).cast("q")[place]
    card = memoryview(leg.card_of).cast("q")[place] if leg.cards else -1
    if card < 0:
        return cost
    grams = sum(leg.needs[number].quantity * leg.needs[number].unit_grams for number in needs)
    return cost + leg.cards[card].price(grams)


# --- for the search


def search_rows(leg: OpenLeg) -> tuple[bytes, list[bytes]]:
    """Return the costs that the search is given: of packages, and by need of units, by location.

    No plan of the leg costs less by `leg_cost`, but for what its first package is free of.
    """
    rows = [need.unit_costs for need in leg.needs]
    if not leg.cards:
        return leg.package_costs, rows
    # Card -1, none, is the last.
    card_of = memoryview(leg.card_of).cast("q")
    packages = memoryview(leg.package_costs).cast("q")
    lines = [*(line_below(card, leg.grams, leg.grams) for card in leg.cards), (0, 0)]
    if len(leg.needs) == 1:
        one = [*(card.price(leg.grams) for card in leg.cards), 0]
        # Light ones may be cheaper than a heavy one.
        two = [2 * micros + slope * leg.grams for micros, slope in lines]
        may_part = leg.needs[0].quantity > 1 and not leg.groups
        more = [
            min(one[card], cost + two[card]) if may_part else one[card]
            for cost, card in zip(packages, card_of, strict=True)
        ]
        return _sums(packages, more), rows
    fixed = _sums(packages, [lines[card][0] for card in card_of])
    slopes = [lines[card][1] for card in card_of]
    return fixed, [
        _sums(memoryview(row).cast("q"), [need.unit_grams * slope for slope in slopes])
        for need, row in zip(leg.needs, rows, strict=True)
    ]


def _sums(one: Iterable[int], other: Iterable[int]) -> bytes:
    return array("q", map(sum, zip(one, other, strict=True))).tobytes()
