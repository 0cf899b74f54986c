"""How long a turn waits for calls that are arriving."""

import pytest

from domgrpc.engine.gathering import Gathering

SYNC_SECONDS = 0.001
WAIT_SECONDS_MAX = 0.005


class Line:
    """Callers who call again when they are answered, and a library that hands their calls over."""

    def __init__(self, callers: int, *, spacing_seconds: float) -> None:
        self.gathering = Gathering(WAIT_SECONDS_MAX)
        self.waits: list[float] = []
        self.counts: list[int] = []
        self._callers = callers
        self._spacing_seconds = spacing_seconds
        self._now_seconds = 0.0

    def turn(self) -> None:
        """Have one turn: it begins when its wait is over, with what was handed over by then."""
        now_seconds = self._now_seconds + self._spacing_seconds
        self.gathering.arrived(now_seconds)
        wait_seconds = self.gathering.wait_seconds()
        count = 1 + min(int(wait_seconds / self._spacing_seconds + 1e-6), self._callers - 1)
        for number in range(1, count):
            self.gathering.arrived(now_seconds + number * self._spacing_seconds)
        self._now_seconds = now_seconds + wait_seconds + SYNC_SECONDS
        self.gathering.ended(self._now_seconds, sync_seconds=SYNC_SECONDS)
        self.waits.append(wait_seconds)
        self.counts.append(count)


def line_of(callers: int, *, spacing_seconds: float = 0.0004, turns: int = 400) -> Line:
    line = Line(callers, spacing_seconds=spacing_seconds)
    for _ in range(turns):
        line.turn()
    return line


@pytest.mark.parametrize("spacing_seconds", [0.0001, 0.0004, 0.0009])
def test_many_callers_are_found_out_although_each_turn_began_with_one(
    spacing_seconds: float,
) -> None:
    line = line_of(2_000, spacing_seconds=spacing_seconds)
    assert min(line.counts[200:]) >= WAIT_SECONDS_MAX / spacing_seconds


@pytest.mark.parametrize("spacing_seconds", [0.0001, 0.0004])
@pytest.mark.parametrize("callers", [2, 5])
def test_few_callers_share_a_turn(callers: int, spacing_seconds: float) -> None:
    line = line_of(callers, spacing_seconds=spacing_seconds)
    assert set(line.counts[200:]) == {callers}


def test_a_caller_who_is_alone_waits_in_one_turn_of_a_hundred_and_for_a_moment() -> None:
    line = line_of(1, turns=1_000)
    assert sum(wait > 0 for wait in line.waits) < 10
    assert max(line.waits) == pytest.approx(0.002)


def test_a_caller_who_takes_his_time_waits_for_nobody() -> None:
    assert not any(line_of(1, spacing_seconds=0.01).waits)


def crowd() -> Gathering:
    """Return what has just had a turn of twelve calls."""
    gathering = Gathering(WAIT_SECONDS_MAX)
    for number in range(12):
        gathering.arrived(number * 0.0004)
    gathering.ended(0.006)
    return gathering


def test_who_is_left_alone_after_a_crowd_is_soon_alone() -> None:
    gathering = crowd()
    waits: list[float] = []
    for number in range(1, 31):
        gathering.arrived(float(number))
        waits.append(gathering.wait_seconds())
        gathering.ended(float(number))
    assert waits == sorted(waits, reverse=True)
    assert waits[-10:] == [0.0] * 10
    assert sum(waits) < 0.04


def test_one_small_turn_does_not_scatter_a_crowd() -> None:
    gathering = crowd()
    gathering.arrived(0.007)
    gathering.ended(0.008)
    gathering.arrived(0.009)
    assert gathering.wait_seconds() > 0.003


def test_where_no_time_is_given_for_it_no_turn_is_put_off() -> None:
    gathering = Gathering(0.0)
    for number in range(1_000):
        gathering.arrived(number * 0.0004)
        assert gathering.wait_seconds() == 0.0
        gathering.ended(number * 0.0004)
