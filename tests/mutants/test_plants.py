"""Every planted fault still fits the code; `make mutants` shows that the tests find each."""

import pytest

from tests.mutants.__main__ import PROJECT, main, planted
from tests.mutants.plants import PLANTS, Plant


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_plant_fits_its_file_once_and_its_tests_are_there(plant: Plant) -> None:
    text = (PROJECT / "src" / "domgrpc" / plant.file).read_text(encoding="utf-8")
    assert planted(plant, text) != text
    compile(planted(plant, text), plant.file, "exec")
    assert all((PROJECT / name).is_file() for name in plant.tests)


def test_a_plant_that_does_not_fit_is_told() -> None:
    with pytest.raises(ValueError, match="0 times"):
        planted(PLANTS[0], "another text")


@pytest.mark.slow
def test_a_planted_fault_is_found() -> None:
    assert main(["fingerprint"]) == 0
