"""Whole lives of a server under faults, each from one seed; see simulator.py."""

import os

import pytest

from tests.simulation.__main__ import simulate

SEEDS = range(1, int(os.environ.get("SIMULATE_SEEDS", "6")) + 1)
STEPS = 400
EVENT_TAGS = frozenset(range(1, 18))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_no_seed_loses_an_answer_oversells_or_acts_twice(seed: int) -> None:
    simulation = simulate(seed, STEPS)
    assert simulation.counts["steps"] == STEPS
    assert simulation.auditor.revision > STEPS
    for what in ("lives", "power cuts", "kills", "comparisons", "background done"):
        assert simulation.counts[what] > 0, what


@pytest.mark.slow
def test_a_seed_repeats_its_run_to_the_last_record() -> None:
    first, second = simulate(99, 100), simulate(99, 100)
    assert first.counts == second.counts
    assert first.auditor.revision == second.auditor.revision
    assert first.auditor.positions == second.auditor.positions


@pytest.mark.slow
def test_a_run_meets_every_kind_of_event_and_most_refusals() -> None:
    simulation = simulate(4, 2 * STEPS)
    assert simulation.auditor.event_counts.keys() == EVENT_TAGS
    refusals = [reason for reason in simulation.counts if reason.isupper()]
    assert len(refusals) > 12
