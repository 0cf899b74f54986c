"""The log against a list: whatever is done to it in whatever order, both hold the same."""

from contextlib import suppress
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domgrpc.storage.errors import DiskFull
from domgrpc.storage.frame import BLOCK_BYTES, SECTOR_BYTES, frame_bytes
from domgrpc.storage.inspection import verify_log
from domgrpc.storage.log import Log
from tests.storage.fake_disk import FakeDisk, Fault, PowerCutError
from tests.storage.logs import SEGMENT_BYTES, Group, groups, open_log

PAYLOADS = st.one_of(
    st.binary(max_size=100),
    st.integers(min_value=0, max_value=5 * BLOCK_BYTES).map(bytes),
    st.integers(min_value=0, max_value=5 * BLOCK_BYTES).map(lambda size: b"\xa5" * size),
)
COUNTS = st.integers(min_value=1, max_value=5)
SEEDS = st.integers(min_value=0, max_value=1_000_000)


class LogMachine(RuleBasedStateMachine):
    """`groups` are those that were acknowledged and not trimmed."""

    @initialize()
    def start(self) -> None:
        self.disk = FakeDisk()
        self.log: Log = open_log(self.disk)
        self.groups: list[Group] = []

    @rule(payload=PAYLOADS, count=COUNTS)
    def append(self, payload: bytes, count: int) -> None:
        first_sequence = self.log.last_sequence + 1
        assert self.log.append(first_sequence, payload, count) == first_sequence + count - 1
        self.groups.append((first_sequence, count, payload))

    @rule()
    def seal(self) -> None:
        self.log.seal()

    @rule()
    def rotate(self) -> None:
        self.log.rotate()

    @rule(step_bytes=st.sampled_from([BLOCK_BYTES, 3 * BLOCK_BYTES, SEGMENT_BYTES]))
    def prepare_spare(self, step_bytes: int) -> None:
        self.log.prepare_spare(step_bytes)

    @rule(part=st.floats(min_value=0, max_value=1))
    def trim(self, part: float) -> None:
        first_sequence, last_sequence = self.log.first_sequence, self.log.last_sequence
        before_sequence = first_sequence + int(part * (last_sequence + 1 - first_sequence))
        self.log.trim(before_sequence)
        assert self.log.first_sequence <= max(before_sequence, first_sequence)
        self.groups = [group for group in self.groups if group[0] >= self.log.first_sequence]

    @rule(payload=PAYLOADS, written_sectors=st.integers(min_value=0, max_value=40))
    def run_out_of_space(self, payload: bytes, written_sectors: int) -> None:
        written_bytes = min(written_sectors * SECTOR_BYTES, frame_bytes(len(payload)) - 1)
        self.disk.faults.append(Fault("pwrite", DiskFull("full"), written_bytes=written_bytes))
        with pytest.raises(DiskFull):
            self.log.append(self.log.last_sequence + 1, payload, 1)

    @rule()
    def restart(self) -> None:
        self.log.close()
        self.reopen(self.disk.after_kill())

    @rule()
    def kill(self) -> None:
        self.reopen(self.disk.after_kill())

    @rule(payload=PAYLOADS, count=COUNTS, after=st.integers(min_value=1, max_value=20), seed=SEEDS)
    def cut_the_power(self, payload: bytes, count: int, after: int, seed: int) -> None:
        under_way = (self.log.last_sequence + 1, count, payload)
        self.disk.power_cut_at = self.disk.operations + after
        with suppress(PowerCutError):
            self.log.append(under_way[0], payload, count)
            self.groups.append(under_way)
            self.log.rotate()
        self.reopen(self.disk.after_power_cut(Random(seed)))
        if self.log.last_sequence == under_way[0] + count - 1 and under_way not in self.groups:
            self.groups.append(under_way)

    def reopen(self, disk: FakeDisk) -> None:
        self.disk = disk
        self.log = open_log(disk)

    @invariant()
    def both_hold_the_same(self) -> None:
        assert groups(self.log.read(0)) == self.groups
        if self.groups:
            first_sequence, count, _ = self.groups[-1]
            assert self.log.last_sequence == first_sequence + count - 1
        assert verify_log(self.disk).damage is None


LogMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLogAgainstAList = pytest.mark.slow(LogMachine.TestCase)
