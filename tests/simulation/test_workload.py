"""The workload leaves nothing out."""

from random import Random
from typing import get_args

import pytest

from domgrpc.core.dispatch import Command
from domgrpc.core.stock_changes import StockUpdate, UpdateStock
from tests.engine.virtual_time import NOON_MS
from tests.simulation.workload import Workload

ENOUGH = 12_000


@pytest.mark.slow
def test_the_workload_makes_every_command_and_every_update_of_stock() -> None:
    workload = Workload(Random(1), lambda: NOON_MS, ttl_ms_max=20_000)
    made = [*workload.opening(), *(workload.command() for _ in range(ENOUGH))]
    assert {type(command) for command in made} == set(get_args(Command))
    updates = [update for each in made if isinstance(each, UpdateStock) for update in each.updates]
    assert {type(update) for update in updates} == set(get_args(StockUpdate))


def test_the_same_seed_asks_the_same() -> None:
    first, second = (Workload(Random(3), lambda: NOON_MS, ttl_ms_max=9_000) for _ in range(2))
    assert [first.command() for _ in range(200)] == [second.command() for _ in range(200)]
