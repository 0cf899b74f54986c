"""The quick form of the fuzzer, and that it would find what it looks for.

In full: `python -m tests.faults.run fuzz`.
"""

from collections.abc import Iterator
from random import Random

import pytest
import structlog

from domgrpc.storage.reading import read_frames
from domgrpc.storage.snapshot import read_snapshot
from tests.faults.table import Verdict
from tests.hostile.call_lives import CallLife, Tally
from tests.hostile.cases import Cases
from tests.hostile.file_lives import folder, quiet, start_on
from tests.hostile.forged_files import Files, Forger, rebuilt_segment, rebuilt_snapshot, segments
from tests.hostile.fuzz import Fuzzed, Plan, fuzz, rows_of
from tests.hostile.good_messages import good_messages
from tests.hostile.mutation import Mutator, varint
from tests.hostile.surface import METHODS
from tests.hostile.verdicts import REASONS
from tests.storage.fake_disk import FakeDisk

CALLS = 300
STARTS = 60


@pytest.fixture(autouse=True)
def quiet_servers() -> Iterator[None]:
    """Keep hundreds of starts from writing their lines."""
    quiet()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def files() -> Files:
    """The folder that is forged."""
    quiet()
    return folder()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_hostile_calls_are_answered_or_refused_in_published_words(seed: int) -> None:
    tally = Tally()
    CallLife(seed, 0, tally).live(CALLS)
    assert [found.what for found in tally.found] == []
    assert tally.executions == CALLS
    assert {"OK", "INVALID_FIELD", "MESSAGE_MALFORMED"} < set(tally.ends)


@pytest.mark.slow
def test_a_start_on_a_forged_folder_ends_with_a_server_or_a_named_refusal(files: Files) -> None:
    forger = Forger(Random(5))
    ends = set()
    for number in range(STARTS):
        end, what = start_on(forger.forged(files))
        assert not what, f"start {number}: {what}"
        ends.add(end)
    assert ends == {"started", "Corruption", "FormatTooNew"}


def test_every_method_has_a_good_message_to_start_from() -> None:
    assert {path for path, _ in good_messages()} == {method.path for method in METHODS}


def test_the_same_seed_makes_the_same_calls() -> None:
    first, second = Cases("7:0"), Cases("7:0")
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]


def test_files_that_are_put_together_again_unchanged_are_the_same(files: Files) -> None:
    assert start_on(files) == ("started", "")
    again = dict(files)
    for name in segments(files):
        frames = [f for f in read_frames(FakeDisk.holding(files)) if f.segment_name == name]
        if frames and name != segments(files)[-1]:
            again[name] = rebuilt_segment(name, files[name], frames)
    for name in files:
        if name.endswith(".snap"):
            chunks = list(read_snapshot(FakeDisk.holding(files), name))
            again[name] = rebuilt_snapshot(name, chunks)
    end, what = start_on(again)
    assert (end, what) != ("crash", what)


def test_broken_bytes_differ_from_whole_ones() -> None:
    mutator = Mutator(Random(1))
    raw = good_messages()[0][1]
    broken = [mutator.broken(raw) for _ in range(100)]
    assert sum(each != raw for each in broken) > 90
    assert varint(300) == b"\xac\x02"


@pytest.mark.slow
def test_a_finding_names_the_life_that_repeats_it_and_fails_the_run() -> None:
    fuzzed = fuzz(Plan(executions=200, seed=3))
    assert [row.verdict for row in rows_of(fuzzed, 200)] == [Verdict.MET] * 3
    broken = Fuzzed()
    CallLife(0, 7, broken.calls).live(10)
    broken.calls.ends["INTERNAL"] += 1
    assert rows_of(broken, 200)[0].verdict is Verdict.MISSED
    assert "INTERNAL" not in REASONS
