"""A better plan of the open orders: searched beside the engine, booked while it still fits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from domgrpc.config import Settings
from domgrpc.core.dispatch import Command
from domgrpc.core.machine import Request
from domgrpc.core.order_commands import ApplyReplan, ReplanSummary
from domgrpc.core.orders import Order
from domgrpc.core.rejections import Rejection
from domgrpc.core.replan_proposals import BacklogQuestion, Staying
from domgrpc.core.values import ClientId, Micros, OrderId, RequestId
from domgrpc.engine.beside import BesideFailed, run_module
from domgrpc.engine.engine import Engine, open_engine
from domgrpc.engine.records import fingerprint
from domgrpc.engine.reoptimizing import ReoptimizationRunning
from tests.core.broken import Breaking
from tests.core.commands import on_hand, place
from tests.core.order_words import BOSTON, CHICAGO, DALLAS, cancel_order, line, order, work_of

pytestmark = pytest.mark.slow  # each search is a process that has to start


class Running:
    """An engine on a folder, and a counter of request ids."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._count = 0

    async def send(self, *commands: Command) -> object:
        """Send commands, none of which may be refused, and return the last outcome."""
        outcome: object = None
        for command in commands:
            self._count += 1
            key = RequestId(f"request-{self._count}")
            request = Request(command, ClientId("test"), key, fingerprint(command))
            outcome = (await self.engine.submit(request)).outcome
            assert not isinstance(outcome, Rejection), outcome
        return outcome


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Run an engine with two warehouses of which the nearer one has a single unit of A."""
    engine = await open_engine(Settings(data_dir=tmp_path))
    shop = Running(engine)
    await shop.send(
        place("chicago", at=CHICAGO),
        place("dallas", at=DALLAS),
        on_hand("A", chicago=1, dallas=9),
        on_hand("B", chicago=9, dallas=9),
    )
    yield shop
    await engine.close()


async def test_two_orders_exchange_what_they_hold(running: Running) -> None:
    # Chicago has no A any more once its only one is promised to somebody in Boston.
    await running.send(order(line("A"), as_id="boston", to=BOSTON))
    held = await running.send(order(line("A"), line("B"), as_id="near", to=CHICAGO))
    assert isinstance(held, Order)
    assert work_of(held) == {"dallas": {"A": 1, "B": 1}}
    proposal = await running.engine.reoptimizer.propose(
        BacklogQuestion(stability_price_micros=Micros(0), allow_late=True)
    )
    assert proposal.order_count == 2
    assert proposal.lower_bound_micros <= proposal.cost_after_micros
    assert proposal.cost_after_micros < proposal.cost_before_micros
    moved = {each.move.order_id for each in proposal.moves}
    assert moved == {"boston", "near"}
    summary = await running.send(ApplyReplan(tuple(each.move for each in proposal.moves)))
    assert isinstance(summary, ReplanSummary)
    assert set(summary.applied_order_ids) == moved
    assert not summary.skipped
    state = running.engine.writer.state
    state.check_invariants()
    placed = state.orders.by_id
    assert {name: set(work_of(each)) for name, each in placed.items()} == {
        "boston": {"dallas"},
        "near": {"chicago"},
    }


async def test_a_change_must_save_more_than_the_stability_price(running: Running) -> None:
    await running.send(
        order(line("A"), as_id="boston", to=BOSTON),
        order(line("A"), line("B"), as_id="near", to=CHICAGO),
    )
    dear = BacklogQuestion(stability_price_micros=Micros(10**9), allow_late=True)
    proposal = await running.engine.reoptimizer.propose(dear)
    assert not proposal.moves
    assert proposal.cost_after_micros == proposal.cost_before_micros


async def test_nothing_comes_later_than_planned_unless_it_may(running: Running) -> None:
    # Boston is two zones nearer to Chicago than to Dallas, and a day.
    await running.send(
        order(line("A"), as_id="boston", to=BOSTON),
        order(line("A"), line("B"), as_id="near", to=CHICAGO),
    )
    before = running.engine.writer.state.orders.by_id[OrderId("boston")].fulfillment_orders[0]
    proposal = await running.engine.reoptimizer.propose(
        BacklogQuestion(stability_price_micros=Micros(0))
    )
    for each in proposal.moves:
        await running.send(ApplyReplan((each.move,)))
    after = running.engine.writer.state.orders.by_id[OrderId("boston")].fulfillment_orders[0]
    assert after.deliver_by_time_ms <= before.deliver_by_time_ms


async def test_without_open_orders_there_is_nothing_to_propose(running: Running) -> None:
    proposal = await running.engine.reoptimizer.propose(BacklogQuestion())
    assert proposal.order_count == 0
    assert proposal.moves == ()


async def test_one_search_at_a_time(running: Running) -> None:
    await running.send(order(line("A"), to=CHICAGO))
    first = running.engine.reoptimizer.propose(BacklogQuestion())
    second = running.engine.reoptimizer.propose(BacklogQuestion())
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert sum(isinstance(each, ReoptimizationRunning) for each in results) == 1


async def test_what_changed_meanwhile_stays_as_it_is(running: Running) -> None:
    await running.send(
        order(line("A"), as_id="boston", to=BOSTON),
        order(line("A"), line("B"), as_id="near", to=CHICAGO),
    )
    proposal = await running.engine.reoptimizer.propose(
        BacklogQuestion(stability_price_micros=Micros(0), allow_late=True)
    )
    assert proposal.moves
    await running.send(cancel_order("boston"))
    summary = await running.send(ApplyReplan(tuple(each.move for each in proposal.moves)))
    assert isinstance(summary, ReplanSummary)
    assert "boston" in dict(summary.skipped)
    running.engine.writer.state.check_invariants()


async def test_an_order_that_breaks_the_counting_stays_and_stops_nobody(running: Running) -> None:
    await running.send(order(line("A"), as_id="bad"), order(line("B"), as_id="good"))
    orders = running.engine.writer.state.orders.by_id
    bad = orders[OrderId("bad")]
    broken = msgspec.structs.replace(bad.terms, address=Breaking(OverflowError("too large")))
    orders[OrderId("bad")] = msgspec.structs.replace(bad, terms=broken)
    proposal = await running.engine.reoptimizer.propose(BacklogQuestion())
    orders[OrderId("bad")] = bad
    assert proposal.order_count == 2
    assert proposal.left_out == ((Staying.FAILED, 1),)
    assert 0 < proposal.lower_bound_micros <= proposal.cost_after_micros


async def test_a_process_that_fails_is_told_as_our_mistake(running: Running) -> None:
    with pytest.raises(BesideFailed, match="the server's log says why, report it"):
        await run_module("domgrpc.engine.backlog_search", b"no job")
    assert not running.engine.failed.done()
