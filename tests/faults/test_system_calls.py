"""System calls that fail: a few points of each kind, and the judge judged."""

from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from tests.faults.failing_calls import Strike
from tests.faults.struck_life import Promise
from tests.faults.system_calls import (
    FOLDERS,
    Points,
    call_names,
    judge_points,
    points_of,
    wrong_aftermath,
)
from tests.faults.table import Verdict
from tests.faults.traced_calls import (
    WHAT,
    TracedPoint,
    judge_traced,
    reason_against_strace,
    traced_calls,
)
from tests.faults.workers import workers


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Processes without threads, which may fork."""
    with workers() as made:
        yield made


def strike_some(folder_name: str) -> tuple[list[Strike], Points]:
    """Strike a third of the kinds, each at another place of a life; forks."""
    place = list(FOLDERS).index(folder_name)
    strikes = list(Strike)[place :: len(FOLDERS)]
    points = list(points_of(folder_name, call_names(folder_name)))
    chosen = []
    for number, strike in enumerate(strikes, start=1):
        those = [point for point in points if point.strike is strike]
        chosen.append(those[len(those) * number // (len(strikes) + 1)])
    return strikes, judge_points(chosen)


@pytest.mark.slow
def test_a_call_that_fails_anywhere_ends_the_server_or_is_survived_and_nothing_is_lost(
    pool: Executor,
) -> None:
    struck: list[Strike] = []
    for strikes, found in pool.map(strike_some, FOLDERS):
        struck += strikes
        assert (found.wrong, found.told) == (0, [])
        assert found.exited + found.went_on + found.killed == len(strikes)
    assert set(struck) == set(Strike)


def lose_a_promise(folder: Path) -> str:
    """Judge an empty folder by a promise; forks."""
    return wrong_aftermath(folder, Promise(5, "digest"))


@pytest.mark.slow
def test_a_promise_that_a_folder_does_not_keep_is_noticed(tmp_path: Path, pool: Executor) -> None:
    wrong = pool.submit(lose_a_promise, tmp_path / "data").result()
    assert wrong == "promised up to 5, found up to 0" or wrong.startswith("the start afterwards")


@pytest.mark.slow
@pytest.mark.skipif(bool(reason_against_strace()), reason="strace cannot be used here")
def test_a_real_sync_that_fails_ends_the_server_and_loses_nothing(pool: Executor) -> None:
    points = [TracedPoint("fdatasync", 7, "error=EIO"), TracedPoint("fdatasync", 7, "error=EINTR")]
    failed, repeated = pool.map(judge_traced, points)
    assert (failed.tried, failed.exited, failed.told) == (1, 1, [])
    # Python itself makes a call again that a signal broke off: that is no failed sync.
    assert (repeated.tried, repeated.went_on, repeated.told) == (1, 1, [])


def test_without_strace_the_row_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (row,) = traced_calls(1.0)
    assert (row.what, row.verdict, row.note) == (WHAT, Verdict.SKIPPED, "strace is not installed")
