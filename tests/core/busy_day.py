"""A busy day: thousands of commands from one seed, and the bytes of all that they wrote.

`python -m tests.core.busy_day` prints a checksum of the log. It must not depend on the hash seed
of the interpreter, for the order of a set or a hash must never reach an event.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

from domgrpc.core.carriers import LaneFields
from domgrpc.core.dispatch import Command
from domgrpc.core.order_commands import ApplyReplan, HoldQuote, OrderMove
from domgrpc.core.orders import FulfillmentState, ShortagePolicy
from domgrpc.core.products import BackorderPolicy, CreateProducts, ProductFields
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import ReserveStock
from domgrpc.core.safety_stock import RuleKind
from domgrpc.core.scopes import Scope
from domgrpc.core.values import LocationType, OrderId, ReservationId, Revision, Sku
from tests.core.commands import (
    PICKUP,
    SHIP,
    Line,
    adjust,
    announce,
    change,
    confirm,
    demand,
    disable,
    enable,
    feed,
    group,
    limited,
    move,
    no_rule,
    place,
    product,
    release,
    relocate,
    reserve,
    rule,
    ship,
    stock,
)
from tests.core.given import Shop, encoded
from tests.core.logistics_words import (
    calendar,
    card,
    lane,
    no_calendar,
    no_card,
    no_lane,
    rates,
    schedule,
)
from tests.core.order_words import (
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
    terms,
)
from tests.core.routing_rules import activate, draft, exclude, validate
from tests.core.scope_words import at_locations, in_groups, near

SKUS = tuple(f"sku-{number}" for number in range(24))
SITES = tuple(f"site-{number}" for number in range(12))
GROUPS = tuple(f"group-{number}" for number in range(4))
CATEGORIES = ("toys", "food", "sale")


@dataclass
class Day:
    """What chance decides next, and the holds that it knows of."""

    chance: Random
    held: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    step: int = 0


def checksum_of(shop: Shop) -> str:
    """Return the checksum of a shop's log."""
    return sha256(b"".join(encoded(record) for record in shop.records)).hexdigest()


def begun(seed: int) -> tuple[Shop, Day]:
    """Open the shop in the morning."""
    day = Day(Random(seed))
    shop = Shop(steps_per_check=500)
    return shop.given(*opening(day.chance)), day


def live_on(shop: Shop, day: Day, steps: int) -> Shop:
    """Go on for so many steps."""
    for _ in range(steps):
        day.step += 1
        command = day.chance.choice(DRAWS)(day)
        outcome = shop.send(command).outcome
        if isinstance(command, ReserveStock) and isinstance(outcome, Rejection):
            day.held.pop()
        if day.chance.random() < 0.1:
            shop.later(day.chance.randrange(1, 2_000))
        if day.step % 50 == 0:
            shop.sweep()
            shop.replan()
    return shop


def opening(chance: Random) -> Iterator[Command]:
    """Write the commands that build the shop."""
    kinds = [LocationType.STORE, LocationType.DISTRIBUTION_CENTER, LocationType.SUPPLIER]
    for number, site in enumerate(SITES):
        where = (chance.uniform(30, 45), chance.uniform(-120, -75))
        yield place(site, kinds[number % 3], at=where, backorder=number % 2 == 0)
    for name in GROUPS:
        yield group(name, *chance.sample(SITES, 5))
    for number, sku in enumerate(SKUS[:12]):
        named = tuple(chance.sample(CATEGORIES, 2))
        others = tuple(chance.sample(SKUS, 3))
        policy = limited(5) if number % 3 == 0 else BackorderPolicy()
        yield product(sku, categories=named, backorder=policy, substitutes=others)
    yield CreateProducts(products=tuple((Sku(sku), ProductFields()) for sku in SKUS[12:]))
    yield rule("low", 3, kind=RuleKind.LOW_STOCK, category="toys")
    yield stock(
        *(adjust(sku, site, chance.randrange(1, 20)) for sku in SKUS for site in SITES[::2])
    )


def some_lines(chance: Random, *, anywhere: float) -> tuple[Line, ...]:
    """Draw the lines of a hold."""
    return tuple(
        (sku, "" if chance.random() < anywhere else chance.choice(SITES), chance.randrange(1, 12))
        for sku in chance.sample(SKUS, chance.randrange(1, 5))
    )


def some_scope(chance: Random) -> Scope:
    """Draw a scope."""
    scopes: tuple[Scope, ...] = (
        None,
        at_locations(*chance.sample(SITES, 4)),
        in_groups(*chance.sample(GROUPS, 2)),
        near(38.0, -97.0, 1_500),
    )
    return chance.choice(scopes)


def some_hold(day: Day) -> Command:
    """Draw a hold."""
    chance = day.chance
    day.held.append(f"hold-{day.step}")
    return reserve(
        *some_lines(chance, anywhere=0.7),
        as_id=day.held[-1],
        ttl_ms=chance.randrange(1_000, 60_000),
        demand=demand(chance.choice(("", "web", "app")), chance.choice((SHIP, PICKUP))),
        scope=some_scope(chance),
        location_count_max=chance.choice((0, 0, 1, 2, 3)),
        allow_partial=chance.random() < 0.5,
    )


def earlier(day: Day) -> str:
    """Draw the id of one of the newest holds."""
    return day.chance.choice(day.held[-12:] or ["never"])


def some_batch(day: Day) -> Command:
    """Draw a batch of a feed, good and bad updates mixed."""
    chance = day.chance
    updates = (
        adjust(chance.choice(SKUS), chance.choice(SITES), chance.randrange(-9, 9) or 1)
        for _ in range(20)
    )
    return feed(day.step, *updates, source=chance.choice(("erp", "till")))


def some_rule(day: Day) -> Command:
    """Draw a rule to create or delete."""
    chance = day.chance
    rule_id = f"rule-{chance.randrange(8)}"
    if chance.random() < 0.5:
        return no_rule(rule_id)
    return rule(
        rule_id,
        chance.randrange(4),
        category=chance.choice(CATEGORIES),
        group=chance.choice(GROUPS),
    )


def some_state(day: Day) -> Command:
    """Draw a location to open or close."""
    chance = day.chance
    site = chance.choice(SITES)
    return enable(site) if chance.random() < 0.7 else disable(site)


def some_move(day: Day) -> Command:
    """Draw a move of stock and supply that comes."""
    chance = day.chance
    sku, source, target = chance.choice(SKUS), *chance.sample(SITES, 2)
    due_ms = 1_760_000_000_000 + chance.randrange(10**9)
    return stock(
        move(sku, source, chance.randrange(1, 4), to=target),
        announce(sku, target, chance.randrange(9), due_ms=due_ms),
    )


def some_logistics(day: Day) -> Command:
    """Draw a rate card, lane or calendar to save or delete."""
    chance = day.chance
    service, site = f"service-{chance.randrange(4)}", chance.choice(SITES)
    transit_days = tuple(chance.randrange(6) for _ in range(chance.randrange(1, 9)))
    hours = schedule(lead_days=chance.randrange(3), holidays=("US", ""))
    return chance.choice(
        (
            card(service, rates(*(chance.randrange(10**7) for _ in range(8)))),
            no_card(service),
            lane(service, LaneFields(transit_days)),
            no_lane(service),
            calendar(site, hours),
            calendar(LocationType.STORE, hours),
            no_calendar(site),
        )
    )


def some_rule_set(day: Day) -> Command:
    """Draw a step in the life of a rule set, or a new one."""
    chance = day.chance
    condition = f"order.channel == 'web' && '{chance.choice(GROUPS)}' in location.groups"
    version = chance.randrange(1 + day.step // 40)
    steps = (draft(exclude("some", condition)), validate(version), activate(version))
    return chance.choice(steps)


def some_order(day: Day) -> Command:
    """Draw an order."""
    chance = day.chance
    day.orders.append(f"order-{day.step}")
    methods = (SHIP, SHIP, PICKUP)
    lines = tuple(
        line(
            sku,
            chance.randrange(1, 6),
            by=(method := chance.choice(methods)),
            at=chance.choice(SITES) if method is PICKUP else "",
            group=chance.choice(("", "", "gift")),
        )
        for sku in chance.sample(SKUS, chance.randrange(1, 4))
    )
    return order(
        *lines,
        as_id=day.orders[-1],
        to=(chance.uniform(30, 45), chance.uniform(-120, -75)),
        customer=chance.choice(("", "ann", "bob")),
        hold=earlier(day) if chance.random() < 0.1 else "",
        shortage_policy=chance.choice(tuple(ShortagePolicy)),
        scope=some_scope(chance),
        package_count_max=chance.choice((0, 0, 2)),
    )


def some_order_change(day: Day) -> Command:
    """Draw a change of one of the newest orders, or of its work."""
    chance = day.chance
    name = chance.choice(day.orders[-8:] or ["never"])
    sku = chance.choice(SKUS)
    work = f"{name}/{chance.randrange(1, 4)}"
    changes = (
        edit(name, line(sku, chance.randrange(4)), to=chance.choice((None, (40.0, -90.0)))),
        cancel_order(name, **chance.choice(({}, {sku: 1}))),
        put_on_hold(name),
        take_off_hold(name),
        advance(work, FulfillmentState.RELEASED),
        advance(work, chance.choice(tuple(FulfillmentState))),
        HoldQuote((line(sku, 1),), terms((40.0, -90.0)), 60_000, ReservationId(f"q-{day.step}")),
        ApplyReplan((OrderMove(OrderId(name), Revision(1), ()),)),
    )
    return chance.choice(changes)


DRAWS: tuple[Callable[[Day], Command], ...] = (
    some_hold,
    some_hold,
    some_hold,
    some_batch,
    some_rule,
    some_state,
    some_move,
    some_logistics,
    some_rule_set,
    some_order,
    some_order,
    some_order_change,
    some_order_change,
    some_order_change,
    lambda day: change(earlier(day), *some_lines(day.chance, anywhere=0.5)),
    lambda day: relocate(
        earlier(day),
        day.chance.choice(SKUS),
        day.chance.choice(SITES),
        scope=some_scope(day.chance),
    ),
    lambda day: confirm(earlier(day), revive=day.chance.random() < 0.5),
    lambda day: release(earlier(day)),
    lambda day: ship(earlier(day)),
)


if __name__ == "__main__":
    print(checksum_of(live_on(*begun(seed=7), 1_500)))  # noqa: T201 - what the program is for
