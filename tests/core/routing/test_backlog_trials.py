"""A part goes home where others stand, who go home in their turn; too many of them end it."""

import numpy as np
import pytest

from domgrpc.core.routing.backlog_batches import Pool
from domgrpc.core.routing.backlog_data import NOWHERE
from domgrpc.core.routing.backlog_ledger import Ledger
from domgrpc.core.routing.backlog_parts import prepare
from domgrpc.core.routing.backlog_trials import Trial
from tests.core.routing.backlogs import written


def queue(count: int) -> tuple[Pool, Ledger]:
    """Orders that each stand at home of the one before; the first is sent from nowhere."""
    backlog = written(
        [{0: 1}] * count, stock=[[1] * count], packages=[[10] * count for _ in range(count)]
    )
    places = np.arange(count)
    backlog.allowed[:] = (places == places[:, None]) | (places == places[:, None] - 1)
    pool = Pool(prepare(backlog))
    ledger = Ledger(pool.parts)
    for part in range(count):
        ledger.book(part, [part - 1 if part else NOWHERE])
    return pool, ledger


def test_all_go_home_one_after_the_other() -> None:
    pool, ledger = queue(20)
    trial = Trial(pool, ledger)
    assert trial.go_home(0, np.arange(20))
    assert trial.saves()
    assert ledger.locations.tolist() == list(range(20))


@pytest.mark.slow
def test_a_return_that_takes_too_many_moves_is_given_up_and_undone() -> None:
    pool, ledger = queue(120)
    before = ledger.locations.tolist()
    trial = Trial(pool, ledger)
    assert not trial.go_home(0, np.arange(120))
    trial.undo()
    assert ledger.locations.tolist() == before
    assert ledger.left.tolist() == [*[0] * 119, 1]
