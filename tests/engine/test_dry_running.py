"""Trying a rule set beside other calls: in slices, one run at a time."""

import asyncio

import pytest

from domgrpc.core.answers import Answer
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.values import LocationType, RuleSetVersion
from domgrpc.engine.dry_running import DryRunning, DryRunReport
from domgrpc.engine.engine import Engine
from tests.core.commands import on_hand, place
from tests.core.order_words import line, order
from tests.core.routing_rules import draft, exclude, validate
from tests.engine.rooms import Room, ask, given
from tests.engine.test_outages import two_places

DC = LocationType.DISTRIBUTION_CENTER
FIRST = RuleSetVersion(1)


async def orders(engine: Engine, count: int) -> None:
    """Place orders, and make a rule set that plans them otherwise."""
    await two_places(engine, units=count, elsewhere=count)
    await given(engine, *(order(line("tea"), as_id=f"o{n:03}") for n in range(count)))
    await given(engine, draft(exclude("no", "location.id == 'near'")), validate(1))


def test_each_order_is_planned_by_itself_the_newest_first() -> None:
    async def run(engine: Engine) -> tuple[DryRunReport, int]:
        await orders(engine, 25)
        revision = engine.revision
        return await engine.dry_runner.run(FIRST, 20), engine.revision - revision

    report, records = Room().live(run)
    assert records == 0
    assert [each.order_id for each in report.tried] == [f"o{n:03}" for n in range(24, 4, -1)]
    assert all(each.differs for each in report.tried)
    assert {each.tried.location_ids for each in report.tried} == {("far",)}
    assert (report.active_version, report.untried) == (0, ())


def test_without_orders_there_is_nothing_to_tell() -> None:
    async def run(engine: Engine) -> DryRunReport:
        await orders(engine, 0)
        return await engine.dry_runner.run(FIRST, 20)

    assert Room().live(run).tried == ()


def test_callers_have_their_turns_between_the_slices() -> None:
    async def run(engine: Engine) -> tuple[int, int]:
        await orders(engine, 25)
        running = asyncio.ensure_future(engine.dry_runner.run(FIRST, 25))
        await asyncio.sleep(0)
        answer = await engine.submit(ask(place("new"), "new"))
        assert isinstance(answer, Answer)
        assert not running.done()
        return answer.revision, (await running).revision

    asked, ended = Room().live(run)
    assert asked == ended


def test_there_is_one_run_at_a_time_and_one_that_is_given_up_is_over() -> None:
    async def run(engine: Engine) -> int:
        await orders(engine, 25)
        running = asyncio.ensure_future(engine.dry_runner.run(FIRST, 25))
        await asyncio.sleep(0)
        with pytest.raises(DryRunning):
            await engine.dry_runner.run(FIRST, 25)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return len((await engine.dry_runner.run(FIRST, 25)).tried)

    assert Room().live(run) == 25


def test_a_draft_and_what_does_not_exist_are_not_tried() -> None:
    async def run(engine: Engine) -> list[Reason]:
        await given(engine, on_hand("tea"), draft())
        reasons = []
        for version in (1, 2):
            with pytest.raises(Rejected) as refused:
                await engine.dry_runner.run(RuleSetVersion(version), 5)
            reasons.append(refused.value.rejection.reason)
        return reasons

    assert Room().live(run) == [Reason.ILLEGAL_TRANSITION, Reason.RULE_SET_NOT_FOUND]
