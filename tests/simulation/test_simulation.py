"""Whole lives of a server under faults, each from one seed; see simulator.py."""

import ast
from itertools import count
from pathlib import Path
from typing import get_args

import pytest

from domgrpc.core.dispatch import Command
from domgrpc.storage.errors import Corruption
from domgrpc.storage.frame import frame_bytes
from tests.simulation.budget import HASH_SEEDS, digest_under, saved_seeds, simulate
from tests.simulation.disk import SimulatedDisk
from tests.simulation.simulator import Simulation

SEEDS = range(1, 5)
STEPS = 5_000
EVENT_TAGS = frozenset((*range(1, 25), *range(26, 29), 36))
READS = {f"read {what}" for what in ("order", "a list", "quotes", "a simulation", "why")}
REFUSALS = {
    "CALENDAR_NOT_FOUND",
    "CANCELLATION_TOO_LARGE",
    "COUNT_OUTDATED",
    "ETAG_MISMATCH",
    "FULFILLMENT_ORDER_NOT_FOUND",
    "GROUP_NOT_FOUND",
    "ILLEGAL_STEP",
    "ILLEGAL_TRANSITION",
    "INSUFFICIENT_STOCK",
    "LANE_NOT_FOUND",
    "LINE_RELEASED",
    "LINE_SKU_FIXED",
    "LOCATION_DISABLED",
    "LOCATION_NOT_FOUND",
    "NO_CANDIDATE",
    "ORDER_FINISHED",
    "ORDER_ID_TAKEN",
    "ORDER_LINE_NOT_FOUND",
    "ORDER_NOT_FOUND",
    "ORDER_ON_HOLD",
    "ORDER_WOULD_BE_EMPTY",
    "QUANTITY_BELOW_ZERO",
    "QUOTE_EXPIRED",
    "QUOTE_MISMATCH",
    "QUOTE_OUTDATED",
    "RATE_CARD_NOT_FOUND",
    "REQUEST_ID_REUSED",
    "RESERVATION_EXPIRED",
    "RESERVATION_ID_TAKEN",
    "RESERVATION_MISMATCH",
    "RESERVATION_NOT_FOUND",
    "RULE_SET_CONTRADICTORY",
    "RULE_SET_INVALID",
    "RULE_SET_NOT_FOUND",
    "SETTLEMENT_TOO_LARGE",
    "SKU_NOT_FOUND",
    "STALE_EXPECTATION",
    "SUPPLY_NOT_FOUND",
}
FAULTS = {"power cuts", "kills", "digests compared", "clock jumps", "full disks", "verifications"}
AUDITOR_MODULES = (
    "auditor",
    "books",
    "deadlines",
    "figures",
    "hold_verdicts",
    "impossible_orders",
    "order_books",
    "order_checks",
    "order_figures",
    "order_refusals",
    "order_replans",
    "order_verdicts",
    "parcel_verdicts",
    "part_figures",
    "plan_figures",
    "quote_verdicts",
    "refusals",
    "routing_books",
    "routing_verdicts",
    "verdicts",
)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_no_seed_loses_an_answer_oversells_or_acts_twice(seed: int) -> None:
    simulation = simulate(seed, STEPS)
    assert simulation.world.steps >= STEPS
    assert simulation.world.counts["comparisons"] > 0
    assert simulation.replayed_digest()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "steps"), saved_seeds())
def test_a_seed_that_once_found_something_finds_nothing_now(seed: int, steps: int) -> None:
    simulate(seed, steps)


@pytest.mark.slow
def test_a_seed_repeats_its_run_to_the_last_step() -> None:
    first_steps: list[str] = []
    second_steps: list[str] = []
    first = simulate(99, 1_500, first_steps.append)
    second = simulate(99, 1_500, second_steps.append)
    assert first_steps == second_steps
    assert len(first_steps) > 1_500
    assert first.replayed_digest() == second.replayed_digest()


@pytest.mark.slow
def test_the_order_of_sets_reaches_no_record() -> None:
    assert len({digest_under(hash_seed, 5, 1_000) for hash_seed in HASH_SEEDS}) == 1


@pytest.mark.slow
def test_a_hundred_thousand_steps_meet_every_command_event_and_fault_and_most_refusals() -> None:
    commands = {command.__name__ for command in get_args(Command)}
    missing = {str(tag) for tag in EVENT_TAGS} | FAULTS | READS | REFUSALS | commands
    steps = 0
    for seed in range(300, 330):
        world = simulate(seed, 4_000).world
        steps += world.steps
        missing -= {str(tag) for tag in world.auditor.books.event_counts}
        missing -= {str(what) for what in world.counts}
        if not missing:
            return
    pytest.fail(f"not met in {steps} steps: {sorted(missing)}")


@pytest.mark.slow
@pytest.mark.parametrize("is_watched", [True, False])
def test_a_disk_that_lies_about_a_sync_is_noticed(
    *, is_watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_watched:
        # Without the look at the disk before each answer: by what is missing after a power cut.
        monkeypatch.setattr(SimulatedDisk, "check_synced", lambda _: None)
    simulation = Simulation(2)
    simulation.world.disk.lies = True
    with pytest.raises((AssertionError, Corruption)):
        simulation.run(STEPS)


@pytest.mark.slow
def test_a_server_that_fails_though_its_disk_did_not_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = count()

    def breaks_once(payload_bytes: int) -> int:
        if next(calls) == 100:
            raise ValueError("a bug")
        return frame_bytes(payload_bytes)

    monkeypatch.setattr("domgrpc.engine.committing.frame_bytes", breaks_once)
    with pytest.raises(ValueError, match="a bug"):
        simulate(1, STEPS)


@pytest.mark.slow
def test_the_auditor_shares_no_code_with_the_service() -> None:
    for name in AUDITOR_MODULES:
        tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        modules = [
            node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        ] + [
            each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for each in node.names
        ]
        strangers = [module for module in modules if module.startswith(("domgrpc", "tests"))]
        allowed = {f"tests.simulation.{each}" for each in AUDITOR_MODULES} | {"tests.simulation"}
        assert set(strangers) <= allowed, name
