"""The rivals and the judge of the backlog benchmark against the naive model of the core's tests."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from benchmarks.backlog_rivals import (
    faults,
    plan_cost,
    proven_bound,
    serve_exactly,
    serve_nearest,
)
from domgrpc.core.routing.backlog_data import NOWHERE, Backlog
from tests.core.routing.backlogs import drawn, seeds, written
from tests.core.routing.naive_backlog import NaiveBacklog


def unplanned(seed: int) -> Backlog:
    backlog = drawn(seed, order_count=6, line_count_max=3, location_count=3)
    nothing = np.zeros(6, np.bool_)
    return msgspec.structs.replace(
        backlog, planned=nothing, released=nothing, allowed=np.ones_like(backlog.allowed)
    )


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_serving_in_turn_costs_what_the_naive_model_says(seed: int) -> None:
    backlog = unplanned(seed)
    locations = serve_exactly(backlog)
    assert faults(backlog, locations) == NaiveBacklog(backlog).faults(locations.tolist()) == []
    assert plan_cost(backlog, locations) == NaiveBacklog(backlog).first_come_total()


@pytest.mark.slow
@given(seeds)
@settings(max_examples=30)
def test_prices_prove_what_the_naive_model_says(seed: int) -> None:
    backlog = unplanned(seed)
    prices = np.random.default_rng(seed).integers(0, 10**6, backlog.stock.shape)
    assert proven_bound(backlog, prices) == NaiveBacklog(backlog).bound(prices.tolist())


def test_each_line_goes_from_the_nearest_that_has_enough() -> None:
    backlog = written([{0: 1, 1: 2}, {0: 1}], stock=[[1, 1], [1, 2]], packages=[[5, 5], [5, 5]])
    miles = np.array([[3.0, 8.0], [3.0, 8.0]])
    assert serve_nearest(backlog, miles).tolist() == [0, 1, 1]


def test_nothing_is_sent_where_nobody_has_enough() -> None:
    backlog = written([{0: 3}], stock=[[1, 2]], packages=[[5, 5]])
    assert serve_nearest(backlog, np.array([[3.0, 8.0]])).tolist() == [NOWHERE]
    assert serve_exactly(backlog).tolist() == [NOWHERE]


def test_the_judge_finds_units_that_are_not_there_and_locations_that_are_forbidden() -> None:
    backlog = written([{0: 1}, {0: 1}], stock=[[1, 1]], packages=[[5, 5], [5, 5]])
    backlog.allowed[1, 0] = False
    assert faults(backlog, np.array([0, 0])) == [
        "line 1 must not be sent from 0",
        "2 units of (0, 0) are taken, 1 are there",
    ]
