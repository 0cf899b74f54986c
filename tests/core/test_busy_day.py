"""The same commands write the same bytes, whatever the interpreter's hash seed."""

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from domgrpc.core.listings import ReservationFilter, list_reservations
from domgrpc.core.reservations import ReservationState
from tests.core.busy_day import begun, checksum_of, live_on
from tests.core.given import encoded
from tests.core.pictures import every, picture

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_hash_seed_does_not_reach_the_log() -> None:
    days = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.core.busy_day"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "2")
    ]
    written = [day.communicate(timeout=60)[0].strip() for day in days]
    assert [day.returncode for day in days] == [0, 0, 0]
    assert len(written[0]) == 64
    assert len(set(written)) == 1


@pytest.mark.slow
def test_a_busy_day_can_be_replayed() -> None:
    shop = live_on(*begun(seed=3), 400)
    found = every(lambda at: list_reservations(shop.state, at, 100, ReservationFilter()), (0, ""))
    assert {each.state for each in found} == set(ReservationState), "the day shows every state"
    shop.check_replay()


@pytest.mark.slow
def test_a_replayed_shop_goes_on_as_the_one_that_was_not_interrupted() -> None:
    shop, day = begun(seed=11)
    for _ in range(4):
        live_on(shop, day, 60)
        again, next_day = shop.reopened(), deepcopy(day)
        live_on(again, next_day, 60)
        live_on(shop, day, 60)
        assert [encoded(record) for record in again.records] == [
            encoded(record) for record in shop.records
        ]
        assert picture(again.state, again.now_ms) == picture(shop.state, shop.now_ms)


@pytest.mark.slow
def test_two_days_of_one_seed_are_the_same_and_of_two_are_not() -> None:
    assert checksum_of(live_on(*begun(5), 100)) == checksum_of(live_on(*begun(5), 100))
    assert checksum_of(live_on(*begun(5), 100)) != checksum_of(live_on(*begun(6), 100))
