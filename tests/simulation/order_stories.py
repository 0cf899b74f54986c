"""Words for stories of orders: an order of tea, its work, and what is done with it."""

from typing import Any
from zlib import crc32

import msgspec

from tests.simulation.stories import NOON, Story, created, location

Plain = Any
POINT = [1, 1]
ADDRESS = [POINT, "", "", "", "", "", ""]
REFUSE, BACKORDER, CANCEL = 1, 2, 3
OPEN, RELEASED, SHIPPED, GIVEN_BACK = 2, 3, 8, 12
DAY = 11
WAREHOUSE = 1
FIRST = 5
"""The revision of what comes behind two places with ten units of tea each."""


def terms(policy: int = BACKORDER, *, scope: Plain = None, promise: Plain = None) -> Plain:
    return ["", "", ADDRESS, promise, False, 0, False, policy, scope, "", ""]


def wanted(units: int = 3, *, name: str = "l", cancelled: int = 0) -> Plain:
    return [name, "tea", units, 1, "", 0, cancelled, ""]


def work(
    units: int = 3,
    place: str = "north",
    *,
    number: int = 1,
    state: int = OPEN,
    order_id: str = "o",
    day: int = DAY,
) -> Plain:
    lines = [["l", "tea", units, 0]]
    head = [f"{order_id}/{number}", place, 1, state, lines, "", NOON, NOON, NOON]
    return [*head, 5, 0, 0, "", day, NOON if state == GIVEN_BACK else 0, 0]


def leg(units: int = 3, *, cost: int = 5, paid: int = 5, bound: int = 5) -> Plain:
    head = [1, "", ["tea"], [units], cost, bound, bound == cost, 1, 1, []]
    return [*head, paid, 0, 0, None, [], [[], [], [], []], [], ["north"]]


def order(
    *works: Plain,
    lines: Plain = None,
    terms: Plain = None,
    name: str = "o",
    legs: Plain = None,
    attention: int = 0,
    revision: int = FIRST,
) -> Plain:
    lines = lines or [wanted()]
    works = works or (work(order_id=name),)
    decision = [revision, NOON, 1, 0, legs or [leg()]]
    step = [revision, NOON, 1, "web", ""]
    head = [16, name, "web", terms or TERMS, lines, list(works), [], attention, [decision]]
    return [*head, [step], NOON, NOON, revision, len(works) + 1]


def place_order(
    lines: Plain = None,
    terms: Plain = None,
    *,
    name: str = "o",
    quoted: Plain = None,
    hold: str = "",
) -> Plain:
    return ["PlaceOrder", lines or [wanted()], terms or TERMS, name, quoted, hold, []]


def placed(it: Plain, *claims: Plain, hold: str = "", taken: Plain = ()) -> Plain:
    return [26, it, list(claims or [["tea", "north", 3, 0]]), hold, list(taken)]


def quoted(
    *packages: Plain, lines: Plain = None, due: int = NOON + 1_000, its_terms: Plain = None
) -> Plain:
    content = crc32(msgspec.msgpack.encode([lines or [wanted()], its_terms or TERMS]))
    return [content, due, list(packages or [["north", 1, "", [["l", 3]]]]), 5, ""]


def after(
    old: Plain, kind: int, detail: str = "", *, revision: int, client: str = "web", **fields: Plain
) -> Plain:
    """Return an order one step later."""
    new = [*old]
    places = {"lines": 4, "works": 5, "holds": 6, "attention": 7, "decisions": 8, "next": 13}
    for field, value in fields.items():
        new[places[field]] = value
    new[9] = [*old[9], [revision, NOON, kind, client, detail]]
    new[11], new[12] = NOON, revision
    return new


def changed(it: Plain, kind: int, *claims: Plain, guests: Plain = ()) -> Plain:
    return [27, it, list(claims), kind, list(guests)]


def advance(state: int, *, name: str = "o/1", etag: str = "") -> Plain:
    return ["AdvanceFulfillmentOrder", "o", name, state, etag]


def calendar(capacity: int) -> Plain:
    return [["UTC", [], 0, 0, 0, 0, ["", ""], []], 72, 0, 0, 100, capacity, 1]


TERMS = terms()
PLACE, PLACED = place_order(), placed(order())


def shop(*, window: Plain = None, methods: tuple[int, ...] = (1,)) -> Story:
    """Tell of two places with ten units of tea each, whose last record is the fourth."""
    north, south = location(window=window), location("south")
    north[5] = list(methods)
    north[4] = south[4] = POINT
    south[3] = WAREHOUSE
    create = created(south)
    create[2]["type"] = WAREHOUSE
    story = Story(north).then(create, [1, south])
    move = [[2, "tea", "south", 10, 1, 1, "", 0]]
    return story.then(["UpdateStock", [[2, "tea", "south", 10, 1, "", None]]], [7, move, [2, 1, 0]])


def ordered() -> Story:
    """Tell of an order of three units from the first place."""
    return shop().then(PLACE, PLACED)


def save_calendar(story: Story, capacity: int) -> None:
    """Tell of a calendar of the first place."""
    fields = calendar(capacity)
    saved = [12, ["north", 0], fields, NOON, NOON, 5]
    story.then(["SaveLocationCalendar", ["north", 0], fields, ""], [21, saved])


def rule_set_active(story: Story, rules: Plain, *, steps: int = 3) -> None:
    """Tell of a rule set that is made, found right and becomes active, or of the first steps."""
    content = ["", 1, [0, 0, 0], [0, 0, True, 0], 2, [0, 0], 0, rules]
    draft = [14, 1, content, 1, NOON, NOON, 5, [], 0]
    story.then(["CreateRuleSet", content], [23, draft])
    if steps > 1:
        story.then(["ValidateRuleSet", 1], [24, 1, 2, []])
    if steps > 2:
        story.then(["ActivateRuleSet", 1], [24, 1, 4, []])
