"""All plans of so many packages, compared with looking at every set of candidates."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.routing.few_packages import plans_of
from domgrpc.core.routing.instance import NEVER

STEPS = 10**6


def drawn(seed: int, lot_count: int, candidate_count: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    costs = np.where(chance.random((lot_count, candidate_count)) < chance.random(), 5, NEVER)
    return costs, np.sort(chance.integers(-5, 20, candidate_count))


@pytest.mark.slow
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(2, 9),
    st.integers(2, 4),
    st.integers(-12, 80),
)
def test_each_plan_within_the_room_comes_once(
    seed: int, lot_count: int, candidate_count: int, package_count: int, room: int
) -> None:
    costs, slacks = drawn(seed, lot_count, candidate_count)
    package_count = min(package_count, candidate_count)
    found = plans_of(package_count, costs, slacks, (room, STEPS))
    assert found is not None
    expected = [
        chosen
        for chosen in combinations(range(candidate_count), package_count)
        if (costs[:, chosen].min(axis=1) < NEVER).all() and slacks[list(chosen)].sum() <= room
    ]
    assert sorted(tuple(sorted(plan)) for plan in found.T.tolist()) == expected


def test_what_takes_too_many_steps_is_left_to_others() -> None:
    costs, slacks = np.full((3, 40), 5), np.zeros(40, dtype=np.int64)
    assert plans_of(2, costs, slacks, (0, 100)) is None
    assert plans_of(3, costs, slacks, (0, 500)) is None
    found = plans_of(2, costs, slacks, (0, 1_000))
    assert found is not None
    assert found.shape == (2, 40 * 39 // 2)
