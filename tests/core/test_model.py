"""The core against a naive shop: whatever is done in whatever order, both say the same."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domgrpc.core.dispatch import Command
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.values import DeliveryMethod, ReservationId
from tests.core import commands
from tests.core.commands import (
    PICKUP,
    SHIP,
    adjust,
    cancel,
    confirm,
    count,
    disable,
    enable,
    limited,
    move,
    no_rule,
    on_hand,
    place,
    product,
    release,
    relocate,
    reserve,
    ship,
    stock,
)
from tests.core.given import NOON_MS, Shop, quantities
from tests.core.naive_shop import Demand, Hold, Lines, NaiveShop, Refused, Rule, Site
from tests.core.scope_words import at_locations

SKUS = ("x", "y")
SITES = ("A", "B", "C")
METHODS = {"": DeliveryMethod.UNSPECIFIED, "ship": SHIP, "pickup": PICKUP}
HOLDS = 4
PLACES = tuple((sku, name) for sku in SKUS for name in SITES)
DEMANDS: tuple[Demand, ...] = (("", ""), ("web", "ship"), ("", "pickup"), ("app", ""))

place_of = st.sampled_from(PLACES)
demand_of = st.sampled_from(DEMANDS)
few = st.integers(1, 6)
some = st.integers(0, 9)
ttl_of = st.sampled_from((1_000, 4_000, 9_000))
step_of = st.sampled_from((1, 499, 500, 4_000, 9_000))
number_of = st.integers(0, HOLDS)
picks_of = st.lists(st.tuples(number_of, st.integers(0, 6)), max_size=2)
further_of = st.dictionaries(place_of, some, max_size=1)
lines_of = st.dictionaries(place_of, few, min_size=1, max_size=3)
needs_of = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 12), min_size=1)
scope_of = st.sampled_from((SITES, ("A",), ("A", "C"), ("B", "C")))


def asked(lines: Lines) -> list[tuple[str, str, int]]:
    """Write lines as commands take them."""
    return [(sku, name, units) for (sku, name), units in lines.items()]


def has_holds(machine: "ShopMachine") -> bool:
    """Say whether there is a hold to do something with."""
    return bool(machine.naive.holds)


class ShopMachine(RuleBasedStateMachine):
    """Does the same to the core and to the naive shop, and compares them after each step."""

    @initialize(
        lines=st.lists(lines_of, min_size=3, max_size=3),
        opening=st.lists(st.integers(-2, 15), min_size=6, max_size=6),
        limit=some,
    )
    def start(self, lines: list[Lines], opening: list[int], limit: int) -> None:
        self.shop = Shop()
        self.naive = NaiveShop(NOON_MS)
        self.hold_count = 0
        self.sent: list[tuple[str, Command]] = []
        self.shop.given(place("A"), place("B", backorder=True), place("C", methods=(SHIP,)))
        self.naive.sites = {
            "A": Site(("ship", "pickup"), backorder=False),
            "B": Site(("ship", "pickup"), backorder=True),
            "C": Site(("ship",), backorder=False),
        }
        self.shop.given(product("y", backorder=limited(limit)))
        self.naive.limits = {"y": limit}
        for (sku, name), units in zip(PLACES, opening, strict=True):
            if units < 0:
                continue
            self.shop.given(on_hand(sku, **{name: units}))
            self.naive.on_hand[sku, name] = units
        for each in lines:
            self.reserve_here(each, DEMANDS[0], 9_000, in_stock=False, partial=True)

    # --- stock

    @rule(where=place_of, units=st.integers(-6, 9), counted=st.booleans())
    def change_stock(self, where: tuple[str, str], units: int, *, counted: bool) -> None:
        if counted:
            units = abs(units)
            command = stock(count(*where, units))
            self.both(command, lambda: self.naive.on_hand.update({where: units}))
        elif units:
            self.both(stock(adjust(*where, units)), lambda: self.add(where, units))

    @rule(where=place_of, goal=st.sampled_from(SITES), units=few)
    def move_stock(self, where: tuple[str, str], goal: str, units: int) -> None:
        def naive() -> None:
            self.add(where, -units)
            self.add((where[0], goal), units)

        if goal != where[1]:
            self.both(stock(move(*where, units, to=goal)), naive)

    def add(self, where: tuple[str, str], delta: int) -> None:
        """Change the naive shop's stock."""
        if self.naive.on_hand.get(where, 0) + delta < 0:
            raise Refused
        self.naive.on_hand[where] = self.naive.on_hand.get(where, 0) + delta

    # --- holds

    @rule(
        lines=lines_of, by=demand_of, ttl_ms=ttl_of, in_stock=st.booleans(), partial=st.booleans()
    )
    def reserve_here(
        self, lines: Lines, by: Demand, ttl_ms: int, *, in_stock: bool, partial: bool
    ) -> None:
        name = self.new_name()
        hold = Hold(lines, by, self.naive.now_ms + ttl_ms)

        def naive() -> None:
            got = self.naive.reserve_here(hold, in_stock=in_stock, partial=partial)
            self.naive.holds[name] = Hold(got, by, hold.expire_ms)

        command = reserve(
            *asked(lines),
            as_id=name,
            ttl_ms=ttl_ms,
            demand=commands.demand(by[0], METHODS[by[1]]),
            in_stock_only=in_stock,
            allow_partial=partial,
        )
        self.both(command, naive)

    @rule(needs=needs_of, by=demand_of, ttl_ms=ttl_of, scope=scope_of, in_stock=st.booleans())
    def reserve_anywhere(
        self,
        needs: dict[str, int],
        by: Demand,
        ttl_ms: int,
        scope: tuple[str, ...],
        *,
        in_stock: bool,
    ) -> None:
        name = self.new_name()
        possible = self.naive.can_pick(needs, by, scope, in_stock=in_stock)
        command = reserve(
            *((sku, "", units) for sku, units in needs.items()),
            as_id=name,
            ttl_ms=ttl_ms,
            demand=commands.demand(by[0], METHODS[by[1]]),
            scope=at_locations(*scope),
            in_stock_only=in_stock,
        )
        outcome = self.shop.send(command).outcome
        assert isinstance(outcome, Reservation) == possible
        if isinstance(outcome, Reservation):
            picked = quantities(outcome)
            self.naive.check_picked(needs, picked, by, scope)
            for sku, units in needs.items():
                there = sum(self.naive.available((sku, each), by)[0] for each in scope)
                beyond = sum(e.backordered_quantity for e in outcome.lines if e.sku == sku)
                assert beyond == max(0, units - there)
            self.naive.holds[name] = Hold(picked, by, self.naive.now_ms + ttl_ms)
        self.compare()

    @precondition(has_holds)
    @rule(number=number_of, picked=picks_of, further=further_of, ttl_ms=ttl_of)
    def change_hold(
        self, number: int, picked: list[tuple[int, int]], further: Lines, ttl_ms: int
    ) -> None:
        name = self.name_of(number)
        wanted = further | self.lines_of(name, picked)
        expire_ms = self.naive.now_ms + ttl_ms
        command = commands.change(name, *asked(wanted), ttl_ms=ttl_ms)
        self.both(command, lambda: self.naive.change(name, wanted, expire_ms))

    @precondition(has_holds)
    @rule(number=number_of, sku=st.sampled_from(SKUS), total=st.integers(0, 12), scope=scope_of)
    def change_total(self, number: int, sku: str, total: int, scope: tuple[str, ...]) -> None:
        name = self.name_of(number)
        hold = self.naive.holds.get(name)
        command = commands.change(name, (sku, "", total), scope=at_locations(*scope))
        outcome = self.shop.send(command).outcome
        if hold is None or hold.state != "HELD":
            assert isinstance(outcome, Rejection)
            return
        before = {each: units for each, units in hold.lines.items() if each[0] == sku}
        more = total - sum(before.values())
        others = len(hold.lines) > len(before)
        possible = self.naive.can_pick({sku: max(0, more)}, hold.demand, scope, in_stock=False)
        assert isinstance(outcome, Reservation) == (possible and (others or total > 0))
        if isinstance(outcome, Reservation):
            after = quantities(outcome)
            changes = {
                each: after.get(each, 0) - hold.lines.get(each, 0)
                for each in sorted({*after, *hold.lines})
                if after.get(each, 0) != hold.lines.get(each, 0)
            }
            assert sum(changes.values()) == more
            assert all(each[0] == sku and units * more > 0 for each, units in changes.items())
            if more > 0:
                self.naive.check_picked({sku: more}, changes, hold.demand, scope)
            hold.lines = after
        self.compare()

    @precondition(has_holds)
    @rule(number=number_of, pick=number_of, goal=st.sampled_from(SITES), units=st.integers(0, 3))
    def move_hold(self, number: int, pick: int, goal: str, units: int) -> None:
        name = self.name_of(number)
        (where,) = self.lines_of(name, [(pick, units)]) or [("x", "A")]
        command = relocate(name, *where, goal, units=units)
        self.both(command, lambda: self.naive.move(name, where, goal, units))

    @precondition(has_holds)
    @rule(number=number_of, revive=st.booleans())
    def confirm_hold(self, number: int, *, revive: bool) -> None:
        expired = [name for name, hold in self.naive.holds.items() if hold.state == "EXPIRED"]
        name = expired[number % len(expired)] if revive and expired else self.name_of(number)
        told = self.shop.state.reservations.by_id.get(ReservationId(name))
        beyond: Lines = {
            (line.sku, line.location_id): line.backordered_quantity
            for line in (told.lines if told is not None else ())
        }
        self.both(
            confirm(name, revive=revive),
            lambda: self.naive.confirm(name, beyond, revive=revive),
        )

    @precondition(has_holds)
    @rule(number=number_of)
    def release_hold(self, number: int) -> None:
        name = self.name_of(number)
        self.both(release(name), lambda: self.naive.release(name))

    @precondition(has_holds)
    @rule(number=number_of, picked=picks_of, shipped=st.booleans())
    def settle_claim(self, number: int, picked: list[tuple[int, int]], *, shipped: bool) -> None:
        name = self.name_of(number)
        wanted = {where: units for where, units in self.lines_of(name, picked).items() if units}
        command = (ship if shipped else cancel)(name, *asked(wanted))
        self.both(command, lambda: self.naive.settle(name, wanted, shipped=shipped))

    # --- places, rules, time, retries

    @rule(
        name=st.sampled_from(SITES),
        start_ms=st.sampled_from((0, 500)),
        length_ms=st.sampled_from((0, 1, 500)),
    )
    def close(self, name: str, start_ms: int, length_ms: int) -> None:
        begin_ms = self.naive.now_ms + start_ms
        if length_ms:
            command = disable(name, start_ms=begin_ms, end_ms=begin_ms + length_ms)
        else:
            command = enable(name)
        self.both(command, lambda: self.set_window(name, begin_ms, begin_ms + length_ms))

    def set_window(self, name: str, start_ms: int, end_ms: int) -> None:
        """Close a location of the naive shop for a time."""
        site = self.naive.sites[name]
        site.closed_from_ms, site.closed_until_ms = start_ms, end_ms

    @rule(
        number=st.integers(0, 3),
        units=some,
        sku=st.sampled_from(("", *SKUS)),
        location=st.sampled_from(("", *SITES)),
        channel=st.sampled_from(("", "web")),
    )
    def put_rule(self, number: int, units: int, sku: str, location: str, channel: str) -> None:
        rule_id = f"rule-{number}"
        if rule_id in self.naive.rules:
            self.both(no_rule(rule_id), lambda: self.naive.rules.pop(rule_id))
        self.both(
            commands.rule(rule_id, units, sku=sku, location=location, channel=channel),
            lambda: self.naive.rules.update({rule_id: Rule(units, sku, location, channel)}),
        )

    @rule(duration_ms=step_of)
    def wait(self, duration_ms: int) -> None:
        self.shop.later(duration_ms)
        self.naive.pass_ms(duration_ms)
        self.compare()

    @rule(number=st.integers(0, 200))
    def retry(self, number: int) -> None:
        if self.sent:
            request_id, command = self.sent[number % len(self.sent)]
            count_before = len(self.shop.records)
            assert self.shop.send(command, request_id=request_id).replayed
            assert len(self.shop.records) == count_before

    # --- both at once

    def both(self, command: Command, naive: Callable[[], object]) -> None:
        """Do the same to both; they must agree whether it can be done, and on everything after."""
        request_id = f"step-{len(self.shop.records)}"
        outcome = self.shop.send(command, request_id=request_id).outcome
        self.sent.append((request_id, command))
        try:
            naive()
        except Refused:
            assert isinstance(outcome, Rejection), f"the naive shop refuses {command}"
        else:
            assert not isinstance(outcome, Rejection), outcome
        self.compare()

    def new_name(self) -> str:
        """Return an id for a new hold."""
        self.hold_count += 1
        return f"hold-{self.hold_count}"

    def name_of(self, number: int) -> str:
        """Return the id of one of the newest holds, now and then of one that never was."""
        names = [*self.naive.holds][-HOLDS:]
        return names[-1 - number % len(names)] if names and number < HOLDS else "never"

    def lines_of(self, name: str, picked: list[tuple[int, int]]) -> Lines:
        """Return units for lines that a hold has."""
        hold = self.naive.holds.get(name)
        if hold is None:
            return {}
        places = list(hold.lines)
        return {places[pick % len(places)]: units for pick, units in picked}

    def compare(self) -> None:
        """Compare figures, offers and reservations."""
        for sku, name in self.naive.on_hand:
            position = self.shop.position(sku, name)
            told = (position.on_hand, position.soft_reserved, position.allocated)
            assert told == self.naive.figures((sku, name))
        turn = len(self.shop.records)
        for by in (DEMANDS[turn % len(DEMANDS)], DEMANDS[turn // 2 % len(DEMANDS)]):
            demand = commands.demand(by[0], METHODS[by[1]])
            for sku in SKUS:
                found = self.shop.available(sku, demand=demand)
                expected = {
                    name: self.naive.available((sku, name), by)
                    for name in SITES
                    if (sku, name) in self.naive.on_hand
                }
                assert expected == {
                    each.location_id: (each.available_to_fulfill, each.available_to_sell)
                    for each in found.locations
                }
                assert found.available_to_fulfill == sum(atf for atf, _ in expected.values())
                assert found.available_to_sell == sum(ats for _, ats in expected.values())
        for name, hold in self.naive.holds.items():
            kept = self.shop.reservation(name)
            assert (kept.state.name, quantities(kept)) == (hold.state, hold.lines)
            assert kept.expire_time_ms == hold.expire_ms

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.shop.check_replay()


def play(examples: int, steps: int) -> None:
    """Let the machine play so many games of so many steps."""
    run_state_machine_as_test(
        ShopMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.slow
def test_the_core_and_the_naive_shop_agree_in_short_games() -> None:
    play(examples=50, steps=25)


@pytest.mark.slow
def test_the_core_and_the_naive_shop_agree_in_long_games() -> None:
    play(examples=60, steps=60)
