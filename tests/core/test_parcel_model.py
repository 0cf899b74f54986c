"""Parcels against a naive model: whatever is done, each has one host, and is counted once."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from domgrpc.core.dispatch import Command
from domgrpc.core.order_commands import ApplyReplan, OrderMove
from domgrpc.core.orders import FulfillmentOrder, Order, is_claiming, is_unreleased
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.values import LocationId, LocationType, Retention
from domgrpc.rpc.order_walk import news_of
from tests.core.commands import disable, enable, on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    SHIP,
    advance,
    cancel_order,
    edit,
    line,
    order,
    put_on_hold,
    take_off_hold,
)

DC = LocationType.DISTRIBUTION_CENTER
SITES, SKUS = ("A", "B"), ("tea", "cup")
ADDRESSES = (CHICAGO, DALLAS)
CAPACITY = 4
NEXT = {S.OPEN: S.RELEASED, S.RELEASED: S.SHIPPED, S.SHIPPED: S.DELIVERED}
pick_of = st.integers(0, 999)
Works = dict[str, FulfillmentOrder]


class ParcelMachine(RuleBasedStateMachine):
    """Does things to orders of few customers, and says by hand who must host which parcel."""

    @initialize(limited=st.booleans(), kept=st.sampled_from((0, 2, 50)))
    def start(self, kept: int, *, limited: bool) -> None:
        self.shop = Shop()
        self.names: list[str] = []
        self.limited = limited
        self.shop.retain(Retention(finished_orders_max=kept))
        self.shop.given(place("A", DC, at=(41.0, -88.0)), place("B", DC, at=(33.0, -96.0)))
        if limited:
            self.shop.given(changed(calendar("A", schedule()), daily_capacity=CAPACITY))
        self.shop.given(*(on_hand(sku, A=40, B=15) for sku in SKUS))

    # --- what is done

    @rule(pick=pick_of, units=st.integers(1, 3))
    def place(self, pick: int, units: int) -> None:
        self.names.append(f"o{len(self.names)}")
        skus = SKUS if pick % 5 == 0 else (SKUS[pick % 2],)
        self.do(
            order(
                *(line(sku, units) for sku in skus),
                as_id=self.names[-1],
                customer="bob" if pick % 7 == 0 else "ann",
                to=ADDRESSES[pick % 11 == 0],
            )
        )

    @rule(pick=pick_of, units=st.integers(0, 4), far=st.integers(0, 9))
    def edit(self, pick: int, units: int, far: int) -> None:
        if found := self.some(pick):
            to = ADDRESSES[pick % 2] if far < 2 else None
            group = "g" if far == 9 else ""
            self.do(edit(found.order_id, line(SKUS[pick % 2], units, group=group), to=to))

    @rule(pick=pick_of)
    def cancel(self, pick: int) -> None:
        if found := self.some(pick):
            self.do(cancel_order(found.order_id))

    @rule(pick=pick_of, held=st.booleans())
    def hold(self, pick: int, *, held: bool) -> None:
        if found := self.some(pick):
            self.do(put_on_hold(found.order_id) if held else take_off_hold(found.order_id))

    @rule(pick=pick_of, given_back=st.booleans())
    def advance(self, pick: int, *, given_back: bool) -> None:
        works = [work for work in self.works().values() if work.state in NEXT]
        if works:
            work = works[pick % len(works)]
            step = S.CANCELLED if given_back and work.state is S.RELEASED else NEXT[work.state]
            self.do(advance(work.fulfillment_order_id, step))

    @rule(site=st.sampled_from(SITES), closed=st.booleans())
    def close(self, site: str, *, closed: bool) -> None:
        self.do(disable(site) if closed else enable(site))
        more = True
        while more:
            before = self.orders()
            more = self.shop.replan() is not None
            self.check(before)

    @rule(picks=st.lists(pick_of, min_size=1, max_size=4), site=st.sampled_from(SITES))
    def move(self, picks: list[int], site: str) -> None:
        found = {each.order_id: each for each in map(self.some, picks) if each}
        moves = []
        for each in found.values():
            units: dict[str, int] = {}
            for work in filter(is_unreleased, each.fulfillment_orders):
                for part in work.lines:
                    units[part.line_id] = units.get(part.line_id, 0) + part.quantity
            package = QuotedPackage(
                LocationId(site),
                SHIP,
                LocationId(""),
                tuple(units.items()),  # type: ignore[arg-type]
            )
            moves.append(OrderMove(each.order_id, each.revision, (package,)))
        self.do(ApplyReplan(tuple(moves)))

    @rule(hours=st.sampled_from((1, 30)))
    def wait(self, hours: int) -> None:
        self.shop.later(hours * 3_600_000)

    # --- what must come of it

    def do(self, command: Command) -> None:
        """Send a command and look at what it did to parcels."""
        before, revision = self.orders(), self.shop.state.revision
        self.shop.send(command)
        if self.shop.state.revision > revision:
            self.check(before)

    def check(self, before: dict[str, Order]) -> None:
        """Every parcel that lost its host has the first of its guests, and watchers were told."""
        after = self.orders()
        old, new = dict(works_of(before)), dict(works_of(after))
        for host_id, guests in hosted(old).items():
            self.check_parcel(host_id, [each for each in guests if each in new], new)
        newest = {news.order.order_id: news.order for news in news_of(self.shop.records[-1])}
        for name, each in after.items():
            if before.get(name) != each:
                assert newest[each.order_id] == each
                assert each.revision == self.shop.state.revision
                assert name not in before or each.history != before[name].history

    def check_parcel(self, host_id: str, guests: list[str], new: Works) -> None:
        """See what became of the guests that are left of a parcel."""
        host = new.get(host_id)
        if host is not None and is_claiming(host):
            assert all(new[each].parcel_id == host_id for each in guests)
            return
        left = [
            each
            for each in guests
            if is_unreleased(new[each]) or (not host and new[each].state is S.RELEASED)
        ]
        if host_id in self.over:
            left = [each for each in left if is_unreleased(new[each])]
        for each in guests:
            if each not in left:
                assert new[each].parcel_id == host_id
            elif each == left[0]:
                assert new[each].parcel_id == ""
                assert new[each].package_cost_micros > 0
            else:
                assert new[each].parcel_id == left[0]
                assert new[each].package_cost_micros == 0

    @property
    def over(self) -> set[str]:
        """The work that left with its order, which is forgotten by now."""
        return {
            work.fulfillment_order_id
            for record in self.shop.records
            for news in news_of(record)
            for work in news.order.fulfillment_orders
            if work.state in (S.SHIPPED, S.DELIVERED)
        }

    @invariant()
    def each_parcel_takes_one_package_of_the_day(self) -> None:
        if not self.names:
            return
        counts: dict[tuple[str, int], int] = {}
        hosts = self.works()
        for work in hosts.values():
            key = (str(work.location_id), work.capacity_day)
            counts[key] = counts.get(key, 0) + (not work.parcel_id)
            host = hosts.get(work.parcel_id)
            if is_unreleased(work) and work.parcel_id:
                assert host is not None
                assert is_claiming(host)
                assert not host.parcel_id
                assert (host.location_id, host.capacity_day) == (
                    work.location_id,
                    work.capacity_day,
                )
        used = self.shop.state.orders.used_capacity
        assert {(str(name), day): both[0] for (name, day), both in used.items()} == counts

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.shop.check_replay()

    # --- what there is

    def some(self, pick: int) -> Order | None:
        """Return one of the orders that are remembered."""
        orders = list(self.orders().values())
        return orders[pick % len(orders)] if orders else None

    def orders(self) -> dict[str, Order]:
        """Return all orders that are remembered."""
        return {str(name): each for name, each in self.shop.state.orders.by_id.items()}

    def works(self) -> Works:
        """Return all work that is not cancelled."""
        return dict(works_of(self.orders()))


def works_of(orders: dict[str, Order]) -> Iterator[tuple[str, FulfillmentOrder]]:
    for each in orders.values():
        for work in each.fulfillment_orders:
            if work.state is not S.CANCELLED:
                yield str(work.fulfillment_order_id), work


def hosted(works: Works) -> dict[str, list[str]]:
    """Return the guests of each host that have not left, by id."""
    found: dict[str, list[str]] = {}
    for name, work in sorted(works.items()):
        if work.parcel_id and is_claiming(work):
            found.setdefault(str(work.parcel_id), []).append(name)
    return found


def play(examples: int, steps: int) -> None:
    """Let the machine play so many games of so many steps."""
    run_state_machine_as_test(
        ParcelMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.slow
def test_every_parcel_has_one_host_in_short_games() -> None:
    play(examples=60, steps=15)


@pytest.mark.slow
def test_every_parcel_has_one_host_in_long_games() -> None:
    play(examples=40, steps=50)
