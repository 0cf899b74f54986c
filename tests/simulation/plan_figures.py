"""What the naive model says of plans: who may fulfil a line, how much, and what must add up.

Written from docs/api.md and the design of routing, without any search: where costs and dates
decide, only what every right plan has in common is looked at.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tests.simulation.books import Books, Place, Plain
from tests.simulation.figures import available, exclusion
from tests.simulation.hold_verdicts import members
from tests.simulation.order_books import (
    ADDRESS,
    AT_STORE,
    BY_CURBSIDE,
    BY_PICKUP,
    BY_POST,
    CANCELLED,
    CHANNEL,
    COLLECT_BY,
    COMPLETE,
    DELIVER_BY,
    GIVEN_BACK,
    IS_HARD,
    LINE,
    LINE_SKU,
    METHOD,
    ORDERED,
    PACKAGE_COST,
    PACKAGES_MAX,
    PARCEL,
    POLICY,
    PROMISE,
    SCHEDULED,
    SCOPE,
    STORE,
    TO_STORE,
    TOGETHER,
    UNITS_COST,
    WEIGHED,
    WORK_DAY,
    WORK_LINES,
    WORK_METHOD,
    WORK_PLACE,
    WORK_STATE,
    WORK_TARGET,
    WORKS,
    WorkDay,
)
from tests.simulation.routing_books import LIMITS, PRICES, REPLANNING, RULES, UNFILLED

EXCLUDE, REQUIRE, PREFER, LIMIT = 1, 2, 3, 4
STORE_TYPE = 2
ZONE_COUNT = 8
CLOSED_MS_MAX = 8 * 86_400_000
"""No store of the workload closes later than so long after any time: each opens every week."""
Subject = tuple[str, str]  # channel and SKU
CONDITIONS: dict[str, tuple[Callable[[Subject], bool], Callable[[Plain], bool]]] = {
    "": (lambda _: True, lambda _: True),
    "location.type == 'STORE'": (lambda _: True, lambda place: place[3] == STORE_TYPE),
    "location.type != 'STORE'": (lambda _: True, lambda place: place[3] != STORE_TYPE),
    "location.id == 'place-1'": (lambda _: True, lambda place: place[1] == "place-1"),
    "order.channel == 'web' && location.type == 'STORE'": (
        lambda subject: subject[0] == "web",
        lambda place: place[3] == STORE_TYPE,
    ),
    "line.sku == 'sku-3' && location.id == 'place-2'": (
        lambda subject: subject[1] == "sku-3",
        lambda place: place[1] == "place-2",
    ),
}
"""What rules of the workload say: what must hold of the order and line, and of the place."""
TYPO = "location.typ == 'STORE'"


class Part(NamedTuple):
    """A package of a plan, whether it is proposed or is the work of an order."""

    place: str
    method: int
    lines: Plain
    target: str
    deliver_by_ms: int
    costs: tuple[int, int, int]
    joins: bool
    day: int
    is_dated: bool
    collect_by_ms: int
    is_old: bool = False
    """Whether it is more of work that was there before."""


class Asked(NamedTuple):
    """What was to be planned, and what belongs to whoever asks."""

    terms: Plain
    lines: Plain
    own: Mapping[Place, int] = MappingProxyType({})
    excluded: tuple[str, ...] = ()


def part_of_work(work: Plain) -> Part:
    """Return the work of a location as a part of a plan."""
    return Part(
        work[WORK_PLACE],
        work[WORK_METHOD],
        work[WORK_LINES],
        work[WORK_TARGET],
        work[DELIVER_BY],
        (work[PACKAGE_COST], work[UNITS_COST], work[WEIGHED]),
        bool(work[PARCEL]),
        work[WORK_DAY],
        work[WORK_STATE] == SCHEDULED,
        work[COLLECT_BY],
    )


def part_of_package(package: Plain) -> Part:
    """Return a package of a proposed plan."""
    place, method, lines, target, _, _, deliver_by_ms, *costs = package[:10]
    parcel, day, is_dated, collect_by_ms = package[10:]
    first, second, third = costs
    return Part(
        place,
        method,
        lines,
        target,
        deliver_by_ms,
        (first, second, third),
        bool(parcel),
        day,
        is_dated,
        collect_by_ms,
    )


# --- who may


def may_fulfil(books: Books, asked: Asked, line: Plain, name: str) -> bool:
    """Whether the hard filters that the model knows leave a location for a line."""
    terms, method = asked.terms, line[METHOD]
    if name in asked.excluded or exclusion(books, name, [terms[CHANNEL], method]):
        return False
    if method in (BY_PICKUP, BY_CURBSIDE) and name != line[STORE]:
        return False
    if not _is_in_scope(books, terms[SCOPE], name):
        return False
    return not _is_ruled_out(books, (terms[CHANNEL], line[LINE_SKU]), books.locations[name])


def is_scope_gone(books: Books, scope: Plain) -> bool:
    """Whether a scope names a group that does not exist any more."""
    is_of_groups = scope is not None and scope[0] == 3
    return is_of_groups and any(each not in books.groups for each in scope[1])


def _is_in_scope(books: Books, scope: Plain, name: str) -> bool:
    if is_scope_gone(books, scope):
        return False
    return scope is None or name in members(books, scope)


def is_reachable(books: Books, terms: Plain, line: Plain, name: str) -> bool:
    """Whether goods can travel, by cards that reach everywhere."""
    if line[METHOD] in (BY_PICKUP, BY_CURBSIDE) or (
        line[METHOD] == TO_STORE and name == line[STORE]
    ):
        return True
    there = terms[ADDRESS][0] if line[METHOD] == BY_POST else books.locations[line[STORE]][4]
    return there is not None and books.locations[name][4] is not None


def _is_ruled_out(books: Books, subject: Subject, place: Plain) -> bool:
    for _, effect, condition, *_ in books.routing.content[RULES]:
        about, where = CONDITIONS[condition]
        if not about(subject):
            continue
        if effect == EXCLUDE and where(place):
            return True
        if effect == REQUIRE and not where(place):
            return True
    return False


def policy_of(books: Books, terms: Plain) -> int:
    """Return what becomes of units that nobody can fill."""
    return int(terms[POLICY] or books.routing.content[UNFILLED])


def is_plain(books: Books, asked: Asked) -> bool:
    """Whether nothing but stock, places, scope and rules can stand against a plan."""
    content = books.routing.content
    packages_max, minimum_micros, *_ = content[LIMITS]
    return (
        not (asked.terms[PACKAGES_MAX] or packages_max or minimum_micros)
        and all(rule[1] != LIMIT for rule in content[RULES])
        and is_plain_but_for_packages(books, asked)
    )


def is_plain_but_for_packages(books: Books, asked: Asked) -> bool:
    """Whether only the number of packages can stand against a plan beside what is plain."""
    terms = asked.terms
    _, _, unit_split, radius_m = books.routing.content[LIMITS]
    return (
        not (terms[IS_HARD] or terms[COMPLETE] or radius_m)
        and bool(unit_split)
        and all(calendar[2][5] == 0 for calendar in books.routing.calendars.values())
        and all(_reaches_all(card[2]) for card in books.routing.cards.values())
        and all(len(lane[2][0]) == ZONE_COUNT for lane in books.routing.lanes.values())
        and all(not line[TOGETHER] and is_loose(books, line) for line in asked.lines)
    )


def _reaches_all(card: Plain) -> bool:
    _, rates, _, origins, _, metres_max, _ = card
    return len(rates) == ZONE_COUNT and not origins and not metres_max


def is_loose(books: Books, line: Plain) -> bool:
    """Whether the product of a line may be split, as far as the product says."""
    product = books.products.get(line[LINE_SKU])
    return product is None or not (product[1][8] or product[1][9])


def offered(books: Books, asked: Asked, line: Plain, *, from_stock: bool = False) -> int:
    """Add up what all locations together can do of a line in a plain world."""
    demand = [asked.terms[CHANNEL], line[METHOD]]
    found = 0
    for name in books.locations:
        place = (line[LINE_SKU], name)
        if place in books.positions and may_fulfil(books, asked, line, name):
            own = asked.own.get(place, 0)
            both = available(books, place, demand, own=own)
            found += both[not from_stock] if is_reachable(books, asked.terms, line, name) else 0
    return found


def declined(books: Books, order: Plain) -> tuple[str, ...]:
    """Return the places that gave work of an order back less than the cool-down ago."""
    since_ms = books.time_ms - books.routing.content[REPLANNING][1]
    return tuple(
        work[WORK_PLACE]
        for work in order[WORKS]
        if work[WORK_STATE] == CANCELLED and work[GIVEN_BACK] > since_ms
    )


def could_be_filled(books: Books, asked: Asked) -> bool:
    """Whether in a plain world every line finds all of its units, whatever the others take."""
    wanted: dict[str, int] = {}
    for line in asked.lines:
        wanted[line[LINE_SKU]] = wanted.get(line[LINE_SKU], 0) + line[ORDERED]
    return is_plain(books, asked) and all(
        offered(books, asked, line) >= wanted[line[LINE_SKU]] for line in asked.lines
    )


# --- what a plan must be


def check_parts(books: Books, asked: Asked, parts: list[Part], *, is_quoted: bool = False) -> None:
    """Object to what a plan may never be, as things were right before it was booked."""
    check_ways(books, asked, parts)
    _check_units(books, asked, parts)
    _check_capacity(books, parts)
    if not is_quoted:
        _check_count(books, asked, parts)


def check_ways(books: Books, asked: Asked, parts: list[Part]) -> None:
    """Object to packages that their place may not send, or not so."""
    lines = {line[LINE]: line for line in asked.lines}
    for part in parts:
        _check_way(books, asked, part, lines)


def _check_way(books: Books, asked: Asked, part: Part, lines: dict[str, Plain]) -> None:
    terms = asked.terms
    assert part.lines, f"an empty package from {part.place}"
    for line_id, sku, units, backordered in part.lines:
        line = lines[line_id]
        assert line[LINE_SKU] == sku, f"{part} has another SKU than {line}"
        assert line[METHOD] == part.method, f"{part} travels another way than {line}"
        assert 0 <= backordered <= units > 0, f"{part} has odd units"
        assert part.is_dated or not backordered, f"{part} is open and waits for supply"
        assert may_fulfil(books, asked, line, part.place), f"{part.place} may not fulfil {line}"
        assert part.target == (line[STORE] if part.method in AT_STORE else ""), (
            f"{part} goes astray"
        )
    is_late = terms[PROMISE] is not None and part.deliver_by_ms > terms[PROMISE]
    assert not (terms[IS_HARD] and is_late), f"{part} is later than the hard promise"
    _check_waiting(books, part)


def _check_waiting(books: Books, part: Part) -> None:
    # Work that was there keeps the time that its customer was told.
    if part.method not in AT_STORE:
        assert part.collect_by_ms == 0, f"{part} is not collected"
    elif part.is_old:
        assert part.collect_by_ms > part.deliver_by_ms, f"{part} is gone before it is there"
    else:
        waits_ms = books.routing.waiting_ms(books.locations[part.target])
        more_ms = part.collect_by_ms - part.deliver_by_ms - waits_ms
        assert 0 <= more_ms <= CLOSED_MS_MAX, f"{part} waits {more_ms} ms too long"


def _check_units(books: Books, asked: Asked, parts: list[Part]) -> None:
    planned: dict[Place, list[int]] = {}
    methods: dict[Place, int] = {}
    for part in parts:
        for _, sku, units, _ in part.lines:
            place = (sku, part.place)
            planned.setdefault(place, [0, 0])[part.is_dated] += units
            methods[place] = part.method
    for place, (from_stock, waiting) in planned.items():
        demand = [asked.terms[CHANNEL], methods[place]]
        both = available(books, place, demand, own=asked.own.get(place, 0))
        assert from_stock <= both[0], f"{from_stock} of {both[0]} to fulfil are planned at {place}"
        assert from_stock + waiting <= both[1], f"{planned[place]} of {both} are planned at {place}"


def _check_capacity(books: Books, parts: list[Part]) -> None:
    more: dict[WorkDay, list[int]] = {}
    for part in parts:
        both = more.setdefault((part.place, part.day), [0, 0])
        both[0] += not part.joins
        both[1] += sum(line[2] for line in part.lines)
    for day, both in more.items():
        most, unit = books.routing.capacity(books.locations[day[0]])
        total = books.orders.work_days.get(day, [0, 0])[unit - 1] + both[unit - 1]
        assert not most or not both[unit - 1] or total <= most, f"{total} of {most} on {day}"


def _check_count(books: Books, asked: Asked, parts: list[Part]) -> None:
    lines = {line[LINE]: line for line in asked.lines}
    limits = [asked.terms[PACKAGES_MAX], books.routing.content[LIMITS][0]]
    for _, effect, condition, _, count_max in books.routing.content[RULES]:
        if effect == LIMIT and not condition:
            limits.append(count_max)
    most = min(filter(None, limits), default=0)
    counts: dict[tuple[int, str], int] = {}
    for part in parts:
        leg = (part.method, lines[part.lines[0][0]][STORE])
        counts[leg] = counts.get(leg, 0) + 1
    assert not most or max(counts.values(), default=0) <= most, f"{counts} packages of {most}"


def legs_of(lines: Iterable[Plain]) -> list[tuple[int, str]]:
    """Return the ways of an order's lines, in the order of their first lines."""
    return list(dict.fromkeys((line[METHOD], line[STORE]) for line in lines))


def check_legs(books: Books, legs: Plain, asked: Asked, parts: list[Part] | None) -> None:
    """Object where the parts of a decision do not add up to its cost, or its bound is above it.

    `parts` is None for a plan of which nothing was booked.
    """
    assert [(leg[0], leg[1]) for leg in legs] == legs_of(asked.lines), f"odd legs: {legs}"
    more = books.routing.content[PRICES][0]
    for leg in legs:
        _, _, skus, quantities, cost, bound, is_proven, _, _, _, *paid = leg
        package, units, price = paid[:3]
        assert cost == package + units + price, f"{cost} is not the sum of {paid[:3]}"
        assert cost >= 0, f"a plan costs {cost}"
        assert bound <= cost, f"the lower bound {bound} is above the cost {cost}"
        assert not is_proven or bound == cost, f"{cost} is proven by {bound}"
        wanted: dict[str, int] = {}
        for line in asked.lines:
            if (line[METHOD], line[STORE]) == (leg[0], leg[1]):
                wanted[line[LINE_SKU]] = wanted.get(line[LINE_SKU], 0) + line[ORDERED]
        served = dict(zip(skus, quantities, strict=True))
        assert all(0 <= served[sku] <= wanted[sku] for sku in served), f"{served} of {wanted}"
        if parts is None:
            continue
        own = [part for part in parts if (part.method, part.target) == (leg[0], leg[1])]
        sums = [sum(part.costs[number] for part in own) for number in range(3)]
        assert sums[:2] == [package, units], f"{own} cost {sums}, the decision says {paid[:3]}"
        # The price of a package is for each beyond the first.
        assert sums[2] - price in (0, more), f"{own} weigh {sums[2]}, the decision says {price}"
