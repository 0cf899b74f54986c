"""The run of all faults: what breaks is a must that is missed, and keeps no other from running."""

import pytest

from tests.faults import run
from tests.faults.table import Row, judged


def broken(_scale: float) -> list[Row]:
    raise TimeoutError("no server within 120 s")


def whole(_scale: float) -> list[Row]:
    return [judged("whole", must="1", figure="1", holds=True)]


def test_a_fault_that_breaks_is_missed_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "FAULTS", {"broken": broken, "whole": whole})
    assert run.main([]) == 1
    printed = capsys.readouterr()
    assert "TimeoutError: no server within 120 s" in printed.out
    assert "whole" in printed.out
    assert printed.err.endswith("missed what it must reach: broken\n")


def test_faults_that_meet_their_musts_end_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "FAULTS", {"whole": whole})
    assert run.main([]) == 0
