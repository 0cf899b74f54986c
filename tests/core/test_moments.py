"""Times in the messages of refusals are read by people."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.moments import hour_text, instant_text, seconds_text
from domgrpc.core.values import TIME_MS_MAX


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_834_568_483, "2026-11-28T02:56:08.483Z"),
        (TIME_MS_MAX, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_in_utc(time_ms: int, text: str) -> None:
    assert instant_text(time_ms) == text


@given(st.integers(0, TIME_MS_MAX))
def test_no_millisecond_is_lost(time_ms: int) -> None:
    seconds, rest = divmod(time_ms, 1_000)
    read = datetime.fromisoformat(instant_text(time_ms))
    assert read == datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000)


def test_hours_of_a_day_are_written_as_on_a_door() -> None:
    assert [hour_text(minute) for minute in (0, 545, 1_020, 1_440)] == [
        "00:00",
        "09:05",
        "17:00",
        "24:00",
    ]


def test_durations_have_no_more_decimals_than_they_need() -> None:
    assert [seconds_text(ms) for ms in (0, 999, 1_000, 1_500, 2_592_000_000)] == [
        "0 s",
        "0.999 s",
        "1 s",
        "1.5 s",
        "2592000 s",
    ]
