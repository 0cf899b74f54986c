"""The quick form of full, slow and hanging disks, and of repeats and of the last unit."""

import asyncio

import pytest

from tests.faults import disk_space, duplicates, one_unit
from tests.faults.slow_disk import hanging_disk, slow_disk
from tests.faults.table import Row, Verdict

pytestmark = pytest.mark.slow
SCALE = 0.01
HANG_SECONDS = 3.0
SLOW_SECONDS = 3.0


def expect_met(*rows: Row) -> None:
    """Fail with the row that missed its must; skip where nothing could be measured."""
    for row in rows:
        assert row.verdict is not Verdict.MISSED, row
    if all(row.verdict is Verdict.SKIPPED for row in rows):
        pytest.skip(rows[0].note)


def test_a_full_disk_refuses_changes_answers_reads_and_goes_on_when_it_is_freed() -> None:
    expect_met(disk_space.run_kind("tmpfs", 0.5))


def test_a_slow_disk_still_answers_many_callers_within_their_deadlines() -> None:
    expect_met(asyncio.run(slow_disk(SLOW_SECONDS)))


def test_while_the_disk_hangs_health_says_so_and_nobody_gets_a_false_answer() -> None:
    expect_met(*asyncio.run(hanging_disk(HANG_SECONDS)))


def test_repeats_and_reused_ids_have_no_second_effect_through_a_crash() -> None:
    expect_met(*duplicates.run(SCALE))


def test_of_many_clients_exactly_one_gets_the_last_unit() -> None:
    expect_met(*one_unit.run(SCALE))
