"""Damage to a whole folder: a start is refused with the place, or gives what was acknowledged."""

import pytest

from tests.faults.bit_flips import (
    OTHER_DAMAGE,
    SEED,
    Judge,
    Outcomes,
    judge_kind,
    judge_last_group,
)
from tests.faults.folder_damage import Damage, flipped_bits, zeroed_places
from tests.faults.small_folder import SmallFolder, write_folder

FLIP_STEP = 1_009


@pytest.fixture(scope="module")
def folder() -> SmallFolder:
    return write_folder(SEED)


def test_the_folder_has_several_groups_snapshots_and_a_spare(folder: SmallFolder) -> None:
    assert sum(map(len, folder.files.values())) >= 15 * 4096
    kinds = [name.split("-")[0] for name in sorted(folder.files) if name != "MANIFEST"]
    assert kinds == ["log", "log", "snapshot", "snapshot", "spare.seg"]
    assert all(len(starts) >= 4 for starts in folder.starts.values())
    assert Judge(folder).judge([Damage("none", (), dict(folder.files))]) == Outcomes()


@pytest.mark.slow
def test_a_flipped_bit_anywhere_in_a_folder_is_refused_at_its_place_or_healed(
    folder: SmallFolder,
) -> None:
    judge = Judge(folder)
    for name, content in folder.files.items():
        bits = range(len(name) % 8, len(content) * 8, FLIP_STEP)
        outcomes = judge.judge(flipped_bits(folder.files, name, bits))
        assert (outcomes.silent, outcomes.elsewhere, outcomes.told) == (0, 0, [])
        assert outcomes.refused > 0 or not name.startswith("log-")


@pytest.mark.slow
def test_a_flipped_bit_of_the_last_group_is_refused_also_before_its_seal() -> None:
    outcomes = judge_last_group(step=211)
    assert (outcomes.healed, outcomes.silent, outcomes.elsewhere) == (0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OTHER_DAMAGE)
def test_a_folder_that_was_damaged_otherwise_is_refused_or_healed(kind: str) -> None:
    outcomes = judge_kind(kind, part=0, scale=0.02 if "every" in kind else 1.0)
    assert outcomes.tried > 0
    assert (outcomes.silent, outcomes.elsewhere, outcomes.told) == (0, 0, [])


def test_a_start_that_says_nothing_of_a_change_is_counted_as_silent(folder: SmallFolder) -> None:
    other = SmallFolder(folder.files, folder.stages, "another", folder.last_sequence, folder.starts)
    first = next(damage for damage in zeroed_places(folder) if damage.names[0] in folder.starts)
    healed = Damage("spare", ("spare.seg",), folder.files | {"spare.seg": b""})
    outcomes = Judge(other).judge([first, healed])
    assert (outcomes.refused, outcomes.silent) == (1, 1)


def test_a_refusal_that_names_another_place_is_counted(folder: SmallFolder) -> None:
    name = next(name for name in folder.files if name.startswith("log-"))
    damage = next(flipped_bits(folder.files, name, range(5000 * 8, 5001 * 8)))
    claimed = Damage(damage.what, damage.names, damage.files, offset_bytes=9000)
    outcomes = Judge(folder).judge([claimed])
    assert (outcomes.refused, outcomes.elsewhere) == (1, 1)
