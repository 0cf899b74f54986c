"""What the naive model says is available, and how it applies updates of stock.

Written from docs/api.md and not from the service's code, without any cache: every figure is worked
out anew from the books. Of each kind of rule the workload keeps at most one.
"""

from tests.simulation.books import ALLOCATED, ON_HAND, SELLABLE, SOFT, Books, Place, Plain

DAY_MS = 86_400_000
QUANTITY_MAX = 10**12
SAFETY_STOCK, FULFILLMENT_MINIMUM = 1, 2
LIMITED, INBOUND, UNLIMITED = 2, 3, 4
COUNT, ADJUST, MOVE, ANNOUNCE, RECEIVE = 1, 2, 3, 4, 5
ADJUSTED, MOVED, RECEIVED = 1, 2, 3


def available(books: Books, place: Place, demand: Plain, *, own: int = 0) -> tuple[int, int]:
    """Return what may be taken of a place from stock, and with what may be sold beyond it.

    `own` units of the claims are the asker's.
    """
    numbers = books.positions.get(place)
    if numbers is None or exclusion(books, place[1], demand):
        return 0, 0
    on_hand, claimed = numbers[ON_HAND], numbers[SOFT] + numbers[ALLOCATED] - own
    if on_hand - claimed < _by_rule(books, FULFILLMENT_MINIMUM, on_hand):
        return 0, 0
    free = max(0, on_hand - _by_rule(books, SAFETY_STOCK, on_hand)) - claimed
    beyond = _beyond(books, place) if books.locations[place[1]][6] else 0
    return max(0, free), max(0, free + beyond)


def exclusion(books: Books, location_id: str, demand: Plain) -> str:
    """Return why a location as a whole may not be used, nothing where it may."""
    location = books.locations[location_id]
    window, methods = location[7], location[5]
    if window is not None and window[1] <= books.time_ms < window[2]:
        return "LOCATION_DISABLED"
    able = demand[1] in methods if demand[1] else bool(methods)
    return "" if able else "DELIVERY_METHOD_UNSUPPORTED"


def _by_rule(books: Books, kind: int, on_hand: int) -> int:
    # Nothing on hand falls below nothing asked for: without a rule the minimum never hides.
    found = -QUANTITY_MAX if kind == FULFILLMENT_MINIMUM else 0
    for rule in books.rules.values():
        fields = rule[2]
        if fields[0] == kind and fields[10] <= books.time_ms < fields[11]:
            found = fields[8] if fields[9] is None else -(-on_hand * fields[9] // 100)
    return found


def _beyond(books: Books, place: Place) -> int:
    product = books.products.get(place[0])
    if product is None:
        return 0
    mode, limit, horizon_days = map(int, product[1][10])
    if mode == INBOUND:
        until_ms = books.time_ms + horizon_days * DAY_MS
        supplies = books.supplies.get(place, {}).values()
        return sum(int(units) for _, _, units, due in supplies if books.time_ms < due <= until_ms)
    return {LIMITED: limit, UNLIMITED: QUANTITY_MAX}.get(mode, 0)


class Draft:
    """Stock as it will be after some updates; `refusal` names what stands against the next."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stock: dict[tuple[str, str, int], int] = {}
        self._counted_ms: dict[Place, int] = {}
        self._deltas: dict[Place, list[tuple[int, int]]] = {}
        self._supplies: dict[tuple[str, str, str], Plain] = {}
        self.changes: list[Plain] = []

    def apply(self, update: Plain) -> str:
        """Apply one update; return the reason why it cannot be, and then nothing has changed."""
        tag, sku, location = update[:3]
        if location not in self._books.locations:
            return "LOCATION_NOT_FOUND"
        place = (sku, location)
        if tag == COUNT:
            return self._count(place, update)
        if tag == ADJUST:
            return self._adjust(place, update)
        if tag == MOVE:
            return self._move(place, update)
        if tag == ANNOUNCE:
            return self._announce(place, update[3])
        return self._receive(place, update)

    def _count(self, place: Place, update: Plain) -> str:
        _, _, _, units, expected, effective_ms = update
        before = self._units(place)
        if expected is not None and expected != before:
            return "STALE_EXPECTATION"
        if effective_ms is not None:
            if effective_ms > self._books.time_ms:
                return "EFFECTIVE_TIME_IN_FUTURE"
            if effective_ms < self._counted(place):
                return "COUNT_OUTDATED"
            happened = self._books.deltas.get(place, []) + self._deltas.get(place, [])
            units += sum(delta for time_ms, delta in happened if time_ms > effective_ms)
        if not 0 <= units <= QUANTITY_MAX:
            return _out_of_range(units)
        self._stock[*place, SELLABLE] = units
        self._counted_ms[place] = effective_ms or self._books.time_ms
        self.changes.append([1, *place, units - before, effective_ms or 0])
        return ""

    def _adjust(self, place: Place, update: Plain) -> str:
        _, _, _, delta, condition, reason, effective_ms = update
        if effective_ms is not None:
            if effective_ms > self._books.time_ms:
                return "EFFECTIVE_TIME_IN_FUTURE"
            if condition == SELLABLE and effective_ms < self._counted(place):
                return ""
        units = self._units(place, condition) + delta
        if not 0 <= units <= QUANTITY_MAX:
            return _out_of_range(units)
        self._change(place, condition, delta, [ADJUSTED, reason, effective_ms or 0])
        return ""

    def _move(self, place: Place, update: Plain) -> str:
        sku, (_, _, _, units, from_condition, target, to_condition, reason) = place[0], update
        target_place = (sku, target or place[1])
        if target_place[1] not in self._books.locations:
            return "LOCATION_NOT_FOUND"
        if self._units(place, from_condition) < units:
            return "QUANTITY_BELOW_ZERO"
        if (place, from_condition) == (target_place, to_condition):
            return ""
        self._change(place, from_condition, -units, [MOVED, reason, 0])
        self._change(target_place, to_condition, units, [MOVED, reason, 0])
        return ""

    def _announce(self, place: Place, supply: Plain) -> str:
        if not supply[2] and not self._announced(place, supply[0]):
            return ""
        self._supplies[*place, supply[0]] = supply
        self.changes.append([3, *place, supply])
        return ""

    def _receive(self, place: Place, update: Plain) -> str:
        _, _, _, supply_id, units, condition, close = update
        supply = self._announced(place, supply_id)
        if not supply:
            return "SUPPLY_NOT_FOUND"
        self._change(place, condition, units, [RECEIVED, "", 0])
        rest = 0 if close else max(0, supply[2] - units)
        return self._announce(place, [supply[0], supply[1], rest, supply[3]])

    def _announced(self, place: Place, supply_id: str) -> Plain:
        announced = self._books.supplies.get(place, {}).get(supply_id)
        supply = self._supplies.get((*place, supply_id), announced)
        return supply if supply is not None and supply[2] else None

    def _change(self, place: Place, condition: int, delta: int, about: Plain) -> None:
        cause, reason, effective_ms = about
        self._stock[*place, condition] = self._units(place, condition) + delta
        if condition == SELLABLE:
            happened_ms = effective_ms or self._books.time_ms
            self._deltas.setdefault(place, []).append((happened_ms, delta))
        self.changes.append([2, *place, delta, cause, condition, reason, effective_ms])

    def _units(self, place: Place, condition: int = SELLABLE) -> int:
        bucket = (*place, condition)
        if bucket in self._stock:
            return self._stock[bucket]
        if condition == SELLABLE:
            return self._books.positions.get(place, [0])[ON_HAND]
        return self._books.conditions.get(bucket, 0)

    def _counted(self, place: Place) -> int:
        return self._counted_ms.get(place, self._books.counted_ms.get(place, 0))


def _out_of_range(units: int) -> str:
    return "QUANTITY_BELOW_ZERO" if units < 0 else "QUANTITY_TOO_LARGE"
