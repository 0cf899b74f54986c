"""Orders against a naive ledger: whatever is done in whatever order, every unit is in one place."""

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domgrpc.core.dispatch import Command
from domgrpc.core.order_commands import ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.order_queries import quote_order
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, OrderLine, ShortagePolicy, is_claiming, unsourced_quantities
from domgrpc.core.plans import QuotedPackage, QuoteQuestion
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import Reservation
from domgrpc.core.state import State
from domgrpc.core.values import LocationId, OrderId, Revision
from domgrpc.engine.dump import digest, dump, load_chunk
from tests.core.commands import (
    adjust,
    announce,
    count,
    disable,
    enable,
    on_hand,
    release,
    reserve,
    stock,
)
from tests.core.given import Shop
from tests.core.order_games import (
    CAPACITY,
    FEW,
    MORE,
    PLACES,
    SITES,
    SKUS,
    STEPS,
    Wish,
    few,
    is_halved,
    lines_of,
    pick_of,
    policy_of,
    site_of,
    sku_of,
    units_by_line,
    units_claimed,
    written,
)
from tests.core.order_words import (
    PICKUP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
)


def has_orders(machine: "OrderMachine") -> bool:
    """Say whether there is an order to do something with."""
    return bool(machine.wanted)


class OrderMachine(RuleBasedStateMachine):
    """Does things to orders and stock, and adds up by hand what must come of it."""

    @initialize(
        opening=st.lists(st.integers(0, 8), min_size=12, max_size=12),
        orders=st.lists(lines_of, min_size=1, max_size=4),
    )
    def start(self, opening: list[int], orders: list[list[Wish]]) -> None:
        self.shop = Shop()
        self.wanted: dict[str, dict[str, int]] = {}
        """By order and line: the units that are neither cancelled nor taken off."""
        self.gone: dict[tuple[str, str], int] = {}
        """By SKU and location: the units that have left."""
        self.stocked: dict[tuple[str, str], int] = {}
        self.held: list[str] = []
        self.number = 0
        self.shop.given(*PLACES)
        places = [(sku, site) for sku in SKUS for site in SITES]
        for (sku, site), units in zip(places, opening, strict=True):
            self.shop.given(on_hand(sku, **{site: units}))
            self.stocked[sku, site] = units
        for number, wanted in enumerate(orders):
            self.place(wanted, ShortagePolicy.UNSPECIFIED, 2 * number + 1, whole=False, count_max=0)

    # --- stock

    @rule(sku=sku_of, site=site_of, units=st.integers(0, 8), counted=st.booleans())
    def change_stock(self, sku: str, site: str, units: int, *, counted: bool) -> None:
        key = (sku, site)
        if counted:
            self.shop.given(stock(count(sku, site, units)))
            self.stocked[key] = units + self.gone.get(key, 0)
        elif units:
            self.shop.given(stock(adjust(sku, site, units)))
            self.stocked[key] += units

    @rule(units=few)
    def announce_supply(self, units: int) -> None:
        self.number += 1
        due_ms = self.shop.now_ms + 86_400_000
        self.shop.given(
            stock(announce("cup", "C", units, due_ms=due_ms, supply_id=f"po-{self.number}"))
        )

    @precondition(lambda machine: len(machine.held) < FEW)
    @rule(sku=sku_of, site=site_of, units=few)
    def reserve(self, sku: str, site: str, units: int) -> None:
        self.number += 1
        name = f"hold-{self.number}"
        outcome = self.send(reserve((sku, site, units), as_id=name, ttl_ms=60_000))
        if isinstance(outcome, Reservation):
            self.held.append(name)

    @precondition(lambda machine: machine.held)
    @rule(pick=pick_of)
    def release_one(self, pick: int) -> None:
        self.send(release(self.held[pick % len(self.held)]))

    @rule(minutes=st.sampled_from((1, 200, 600)))
    def wait(self, minutes: int) -> None:
        self.shop.later(minutes * 60_000)

    # --- placing

    @rule(
        wanted=lines_of,
        policy=policy_of,
        pick=pick_of,
        whole=st.booleans(),
        count_max=st.sampled_from((0, 0, 1, 2)),
    )
    def place(
        self,
        wanted: list[Wish],
        policy: ShortagePolicy,
        pick: int,
        *,
        whole: bool,
        count_max: int,
    ) -> None:
        self.number += 1
        name = f"o{self.number}"
        lines = written(wanted)
        hold = self.held[pick % len(self.held)] if self.held and pick % 3 == 0 else ""
        more = {
            "customer": "ann" if pick % 2 else "",
            "shortage_policy": policy,
            "ship_complete": whole and pick % 2 == 0,
            "package_count_max": count_max,
        }
        command = order(*lines, as_id=name, hold=hold, **more)  # type: ignore[arg-type]
        if pick % 5 == 0 and not hold:
            question = QuoteQuestion(command.lines, command.terms)
            found = quote_order(self.shop.state, question, self.shop.now_ms).options
            if found:
                command = msgspec.structs.replace(command, quoted=found[0].quoted)
        outcome = self.send(command)
        if command.quoted is not None:
            assert isinstance(outcome, Order) or policy is ShortagePolicy.REFUSE, outcome
        self.placed(name, lines, outcome)

    def placed(self, name: str, lines: tuple[OrderLine, ...], outcome: object) -> None:
        """Note a new order, where it is one."""
        if not isinstance(outcome, Order):
            return
        assert [(each.line_id, each.quantity) for each in outcome.lines] == [
            (each.line_id, each.quantity) for each in lines
        ]
        self.wanted[name] = {
            each.line_id: each.quantity - each.cancelled_quantity for each in outcome.lines
        }
        if outcome.terms.shortage_policy is ShortagePolicy.CANCEL:
            assert not unsourced_quantities(outcome)
        else:
            assert not any(each.cancelled_quantity for each in outcome.lines)

    # --- changing

    def some(self, pick: int) -> str:
        """Return the id of an order."""
        return sorted(self.wanted)[pick % len(self.wanted)]

    @precondition(has_orders)
    @rule(pick=pick_of, sku=sku_of, units=st.integers(0, 6), far=st.booleans())
    def edit(self, pick: int, sku: str, units: int, *, far: bool) -> None:
        name = self.some(pick)
        before = self.shop.order(name)
        target = before.lines[pick % len(before.lines)]
        added = line(sku, units, name=f"more{self.number}")
        new = added if pick % 3 == 0 else msgspec.structs.replace(target, quantity=units)
        outcome = self.send(edit(name, new, to=(40.0, -88.0) if far else None))
        if not isinstance(outcome, Order):
            assert self.shop.order(name) == before
            return
        cancelled_before = {each.line_id: each.cancelled_quantity for each in before.lines}
        expected = self.wanted[name]
        expected[new.line_id] = max(0, units - cancelled_before.get(new.line_id, 0))
        for each in outcome.lines:
            more = each.cancelled_quantity - cancelled_before.get(each.line_id, 0)
            assert more == 0 or outcome.terms.shortage_policy is ShortagePolicy.CANCEL
            expected[each.line_id] -= more

    @precondition(has_orders)
    @rule(pick=pick_of, units=st.integers(0, 3), whole=st.booleans())
    def cancel(self, pick: int, units: int, *, whole: bool) -> None:
        name = self.some(pick)
        before = self.shop.order(name)
        chosen = before.lines[pick % len(before.lines)].line_id
        outcome = self.send(cancel_order(name, **({} if whole else {chosen: units})))
        if not isinstance(outcome, Order):
            return
        cancelled = {
            each.line_id: each.cancelled_quantity - old.cancelled_quantity
            for each, old in zip(outcome.lines, before.lines, strict=True)
        }
        if not whole:
            assert cancelled[chosen] == units
            assert sum(cancelled.values()) == units
        for line_id, gone in cancelled.items():
            assert gone >= 0
            self.wanted[name][line_id] -= gone

    @precondition(has_orders)
    @rule(pick=pick_of, held=st.booleans())
    def hold(self, pick: int, *, held: bool) -> None:
        name = self.some(pick)
        self.send(put_on_hold(name) if held else take_off_hold(name))

    @precondition(has_orders)
    @rule(pick=pick_of, step=st.sampled_from(STEPS))
    def advance(self, pick: int, step: S) -> None:
        before = self.shop.order(self.some(pick))
        if not before.fulfillment_orders:
            return
        work = before.fulfillment_orders[pick % len(before.fulfillment_orders)]
        outcome = self.send(advance(work.fulfillment_order_id, step))
        if not isinstance(outcome, Order) or work.state is step:
            return
        leaves = is_claiming(work) and step in (S.SHIPPED, S.COLLECTED)
        for each in work.lines if leaves else ():
            key = (each.sku, work.location_id)
            self.gone[key] = self.gone.get(key, 0) + each.quantity
        if step is S.CANCELLED and outcome.terms.shortage_policy is ShortagePolicy.CANCEL:
            self.count_again(outcome)

    def count_again(self, found: Order) -> None:
        """Take what the order says was cancelled for want of stock."""
        self.wanted[found.order_id] = {
            each.line_id: each.quantity - each.cancelled_quantity for each in found.lines
        }

    # --- planning again

    @rule(site=site_of, closed=st.booleans())
    def close(self, site: str, *, closed: bool) -> None:
        self.shop.given(disable(site) if closed else enable(site))
        before = self.claimed()
        # Both timers, until neither finds anything to do.
        while self.shop.replan() or self.shop.serve():
            self.check_new_claims(before)
            before = self.claimed()

    @precondition(has_orders)
    @rule(picks=st.lists(pick_of, min_size=1, max_size=3), site=site_of, stale=st.booleans())
    def move(self, picks: list[int], site: str, *, stale: bool) -> None:
        moves = []
        for pick in picks:
            found = self.shop.order(self.some(pick))
            packages = tuple(
                QuotedPackage(
                    work.location_id if work.delivery_method is PICKUP else LocationId(site),
                    work.delivery_method,
                    work.destination_location_id,
                    tuple((each.line_id, each.quantity) for each in work.lines),
                )
                for work in found.fulfillment_orders
                if work.state in (S.OPEN, S.SCHEDULED)
            )
            moves.append(
                OrderMove(OrderId(found.order_id), Revision(found.revision - stale), packages)
            )
        outcome = self.send(ApplyReplan(tuple(moves)))
        assert isinstance(outcome, ReplanSummary)
        named = {move.order_id for move in moves}
        assert {*outcome.applied_order_ids, *(name for name, _ in outcome.skipped)} == named
        assert not stale or not outcome.applied_order_ids

    # --- both together

    def send(self, command: Command) -> object:
        """Send a command and check what it newly claims."""
        before = self.claimed()
        outcome = self.shop.send(command).outcome
        self.check_new_claims(before)
        if isinstance(outcome, Rejection):
            assert self.claimed() == before
        return outcome

    def claimed(self) -> dict[tuple[str, str], int]:
        """Return the units that are allocated or held by position."""
        found = {}
        for sku in SKUS:
            for site in SITES:
                position = self.shop.position(sku, site)
                found[sku, site] = position.allocated + position.soft_reserved
        return found

    def check_new_claims(self, before: dict[tuple[str, str], int]) -> None:
        """Nothing is claimed that is not there."""
        for (sku, site), units in self.claimed().items():
            if units > before[sku, site]:
                assert units <= self.shop.position(sku, site).on_hand + MORE.get((sku, site), 0)

    @invariant()
    def every_unit_is_in_one_place(self) -> None:
        allocated: dict[tuple[str, str], int] = {}
        for name, wanted in self.wanted.items():
            found = self.shop.order(name)
            placed = units_by_line(found.fulfillment_orders)
            left = {line_id: units - placed.get(line_id, 0) for line_id, units in wanted.items()}
            short = unsourced_quantities(found)
            assert {line_id: units for line_id, units in left.items() if units} == short
            assert all(units > 0 for units in short.values())
            for key, units in units_claimed(found.fulfillment_orders).items():
                allocated[key] = allocated.get(key, 0) + units
        for (sku, site), units in self.stocked.items():
            position = self.shop.position(sku, site)
            assert position.on_hand == units - self.gone.get((sku, site), 0)
            assert position.allocated == allocated.get((sku, site), 0)

    @invariant()
    def what_ships_alone_together_or_complete_does_so(self) -> None:
        for name in self.wanted:
            found = self.shop.order(name)
            assert not is_halved(found)
            if any(each.sku == "sofa" and each.package_group for each in found.lines):
                # A group is stronger: whoever asks for one gets it.
                continue
            for work in found.fulfillment_orders:
                skus = {each.sku for each in work.lines}
                assert "sofa" not in skus or len(skus) == 1

    @invariant()
    def no_place_does_more_in_a_day_than_it_can(self) -> None:
        for (site, _), used in self.shop.state.orders.used_capacity.items():
            most, kind = CAPACITY.get(site, (10**9, 0))
            assert used[kind] <= most

    def teardown(self) -> None:
        """The log and a snapshot tell the same."""
        if not hasattr(self, "shop"):
            return
        self.shop.check_replay()
        chunks = list(dump(self.shop.state))
        state = State(self.shop.limits)
        for kind, key, payload in chunks:
            load_chunk(state, kind, key, payload)
        state.check_invariants()
        assert digest(dump(state)) == digest(chunks)


def play(examples: int, steps: int) -> None:
    """Let the machine play so many games of so many steps."""
    run_state_machine_as_test(
        OrderMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.slow
def test_every_unit_of_every_order_is_in_one_place_in_short_games() -> None:
    play(examples=60, steps=15)


@pytest.mark.slow
def test_every_unit_of_every_order_is_in_one_place_in_long_games() -> None:
    play(examples=40, steps=50)
