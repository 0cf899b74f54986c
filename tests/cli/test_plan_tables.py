"""How decisions look at the terminal."""

import pytest

from domgrpc.cli.plan_tables import print_leg
from domgrpc.v1.plan_pb2 import LegDecision, RemovedLocations


def test_nothing_is_proven_of_a_leg_that_is_not_planned(capsys: pytest.CaptureFixture[str]) -> None:
    print_leg(LegDecision(removed=[RemovedLocations(filter="packages", location_count=2)]))
    said = capsys.readouterr().out
    assert "  nothing is planned\n" in said
    assert "2   would be a package too many" in said
