"""Power cuts at every single disk operation: what was acknowledged is there, and nothing else."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.log import Log
from domgrpc.storage.segment import segment_name
from tests.storage.fake_disk import FakeDisk, PowerCutError
from tests.storage.logs import Group, append, groups, groups_of, open_log

SEGMENT_BYTES = 6 * BLOCK_BYTES


class Workload:
    """A fixed series of steps that remembers what was acknowledged and what is under way."""

    def __init__(self, disk: FakeDisk) -> None:
        self.disk = disk
        self.acknowledged: list[Group] = []
        self.under_way: list[Group] = []
        self.trimmed_before = 1

    def run(self) -> None:
        log = open_log(self.disk, segment_bytes=SEGMENT_BYTES)
        steps: list[Callable[[Log], object]] = [
            self.append(b"a" * 50),
            self.append(bytes(2 * BLOCK_BYTES)),
            Log.seal,
            self.append(b"c" * 5000),
            Log.rotate,
            Log.prepare_spare,
            self.append(b"d" * 12000),
            self.append(b"e"),
            self.trim,
            Log.prepare_spare,
            Log.prepare_spare,
            Log.rotate,
            self.append(b"f" * 9000),
            Log.seal,
            Log.close,
        ]
        for step in steps:
            step(log)

    def append(self, payload: bytes) -> Callable[[Log], object]:
        def step(log: Log) -> None:
            group = (log.last_sequence + 1, 2, payload)
            self.under_way = [group]
            append(log, payload, 2)
            self.acknowledged.append(group)
            self.under_way = []

        return step

    def trim(self, log: Log) -> None:
        self.trimmed_before = log.last_sequence
        log.trim(self.trimmed_before)

    def check(self, disk: FakeDisk) -> None:
        log = open_log(disk, segment_bytes=SEGMENT_BYTES)
        kept = groups_of(log)
        whole = [*self.acknowledged, *self.under_way]
        # Trimming may have happened or not; whatever is kept must be a tail of what was written.
        expected = (self.acknowledged, whole)
        assert kept in [
            [group for group in each if group[0] >= log.first_sequence] for each in expected
        ]
        assert log.first_sequence <= self.trimmed_before
        append(log, b"goes on")
        assert groups(open_log(disk, segment_bytes=SEGMENT_BYTES).read(0))[:-1] == kept


def operations_of_workload() -> int:
    disk = FakeDisk()
    Workload(disk).run()
    return disk.operations


def cut(power_cut_at: int) -> Workload:
    disk = FakeDisk()
    disk.power_cut_at = power_cut_at
    workload = Workload(disk)
    with suppress(PowerCutError):
        workload.run()
    return workload


@pytest.mark.slow
def test_a_power_cut_at_any_operation_loses_nothing_that_was_acknowledged() -> None:
    for power_cut_at in range(1, operations_of_workload() + 1):
        workload = cut(power_cut_at)
        for seed in range(25):
            workload.check(workload.disk.after_power_cut(Random(seed)))


@pytest.mark.slow
def test_a_kill_at_any_operation_loses_nothing_that_was_acknowledged() -> None:
    for power_cut_at in range(1, operations_of_workload() + 1):
        workload = cut(power_cut_at)
        workload.check(workload.disk.after_kill())


@pytest.mark.slow
def test_what_a_killed_process_left_in_the_cache_is_durable_once_it_was_read() -> None:
    for power_cut_at in range(1, operations_of_workload() + 1, 2):
        disk = cut(power_cut_at).disk.after_kill()
        kept = groups(open_log(disk, segment_bytes=SEGMENT_BYTES).read(0))
        for seed in range(10):
            after = open_log(disk.after_power_cut(Random(seed)), segment_bytes=SEGMENT_BYTES)
            assert groups(after.read(0)) == kept


def after_broken_recoveries(disk: FakeDisk, die: Random) -> FakeDisk:
    """Cut the power, and again during each of five starts."""
    for _ in range(5):
        disk = disk.after_power_cut(die)
        disk.power_cut_at = die.randrange(1, 30)
        with suppress(PowerCutError):
            open_log(disk, segment_bytes=SEGMENT_BYTES)
    return disk.after_power_cut(die)


@pytest.mark.slow
def test_recovery_itself_may_be_cut_short_any_number_of_times() -> None:
    for power_cut_at in range(1, operations_of_workload() + 1, 3):
        workload = cut(power_cut_at)
        for seed in range(15):
            workload.check(after_broken_recoveries(workload.disk, Random(seed)))


def test_a_torn_tail_is_cut_reported_and_zeroed_before_anything_is_appended() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    append(log, b"a")
    content = disk.contents()[segment_name(1)]
    disk.files[segment_name(1)].write(b"\xa5" * 3 * BLOCK_BYTES, 2 * BLOCK_BYTES + 512)
    log = open_log(disk)
    assert log.recovery_report.torn_bytes_cut == 4 * BLOCK_BYTES
    assert disk.contents()[segment_name(1)] == content
    assert groups_of(log) == [(1, 1, b"a")]
    assert open_log(disk).recovery_report.torn_bytes_cut == 0


def test_a_tail_that_was_cut_stays_cut_when_the_power_goes_during_the_next_append() -> None:
    for seed in range(50):
        disk = FakeDisk()
        log = open_log(disk)
        append(log, b"a")
        disk.files[segment_name(1)].write(b"\xa5" * 3 * BLOCK_BYTES, 2 * BLOCK_BYTES + 512)
        disk = disk.after_kill()
        log = open_log(disk)
        disk.power_cut_at = disk.operations + 1
        with pytest.raises(PowerCutError):
            append(log, b"b")
        after = open_log(disk.after_power_cut(Random(seed)))
        assert groups_of(after) in ([(1, 1, b"a")], [(1, 1, b"a"), (2, 1, b"b")])


def test_a_killed_rotation_is_completed_even_when_its_last_frame_was_torn() -> None:
    disk = FakeDisk()
    log = open_log(disk)
    append(log, b"a")
    log.prepare_spare()
    # Open, write, sync, rename, sync the folder; the next write is the end of the segment.
    disk.power_cut_at = disk.operations + 6
    with pytest.raises(PowerCutError):
        log.rotate()
    cuts = set()
    for seed in range(30):
        log = open_log(disk.after_power_cut(Random(seed)))
        cuts.add(log.recovery_report.torn_bytes_cut)
        assert log.recovery_report.segments == 2
        assert groups_of(log) == [(1, 1, b"a")]
        assert append(log, b"b") == 2
    assert cuts == {0, BLOCK_BYTES}
