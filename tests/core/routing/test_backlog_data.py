"""A backlog that does not fit together is refused, with what is wrong and where."""

from typing import Any

import msgspec
import numpy as np
import pytest

from domgrpc.core.routing.backlog_data import COST_MAX, Backlog, check_backlog
from tests.core.routing.backlogs import written

NO_LOCATION = {
    "stock": np.zeros((2, 0)),
    "package_costs": np.zeros((2, 0)),
    "unit_costs": np.zeros((3, 0)),
    "allowed": np.zeros((3, 0)),
}
NO_ORDER = {
    **{name: np.zeros(0) for name in ("skus", "quantities", "backorder_costs", "present")},
    **{name: np.zeros(0) for name in ("planned", "released")},
    **{name: np.zeros((0, 2)) for name in ("package_costs", "unit_costs", "allowed")},
    "line_starts": np.array([0]),
}


def sound(**changes: Any) -> Backlog:  # noqa: ANN401 -- fields of any type
    backlog = written([{0: 1, 1: 2}, {1: 1}], stock=[[1, 2], [3, 4]], packages=[[5, 6], [7, 8]])
    return msgspec.structs.replace(backlog, **changes)


def test_a_sound_backlog_is_taken() -> None:
    check_backlog(sound())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantities": np.array([1, 2])}, r"quantities has the shape \(2,\) where \(3,\)"),
        ({"stock": np.zeros((2, 3))}, r"package_costs has the shape \(2, 2\) where \(2, 3\)"),
        (NO_LOCATION, "there is no location"),
        (NO_ORDER, "line_starts must rise from 0 to the 0 lines"),
        ({"line_starts": np.array([1, 2, 3])}, "line_starts must rise"),
        ({"line_starts": np.array([0, 1, 2])}, "line_starts must rise"),
        ({"line_starts": np.array([0, 3, 3])}, "line_starts must rise"),
        ({"skus": np.array([0, 1, 2])}, "skus holds 2, which is not within 0 to 1"),
        ({"quantities": np.array([1, 0, 1])}, "quantities holds 0"),
        ({"package_costs": np.full((2, 2), -1)}, "package_costs holds -1"),
        ({"unit_costs": np.full((3, 2), COST_MAX + 1)}, "unit_costs holds"),
        ({"backorder_costs": np.full(3, -1)}, "backorder_costs holds -1"),
        ({"stock": np.full((2, 2), -3)}, "stock holds -3"),
        ({"present": np.full(3, 2)}, "present holds 2, which is not within -1 to 1"),
        ({"stability_cost": -1}, "stability_cost holds -1"),
        ({"quantities": np.full(3, 1 << 40), "unit_costs": np.full((3, 2), COST_MAX)}, "dearest"),
        ({"prices": np.zeros((1, 2))}, r"prices has the shape \(1, 2\) where \(2, 2\)"),
        ({"prices": np.full((2, 2), -1)}, "prices holds -1"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_backlog(sound(**changes))
