"""Damages a data folder of 64 KiB in every small way and many large ones, and starts it.

    python -m tests.faults.run bit_flips

A start has two ways to go: it is refused by the name of a damaged file and the exact place in it,
and not one byte was changed; or it gives the very state that was acknowledged. Anything else is a
silent change. One way to be right is to be healed: by the snapshot before, or because what was
damaged was not needed.
"""

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from itertools import islice

from domgrpc.storage.errors import Corruption, FormatTooNew, HistoryTrimmed
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.segment import list_segment_names
from tests.faults.folder_damage import (
    Damage,
    copied_pages,
    extra_files,
    flipped_bits,
    missing_files,
    replaced_files,
    swapped_files,
    truncations,
    zeroed_ends,
    zeroed_places,
)
from tests.faults.journal_disk import holding
from tests.faults.opened_folder import Opener
from tests.faults.small_folder import SmallFolder, write_folder
from tests.faults.table import Row, counting, judged
from tests.faults.workers import workers

SEED = 1
OTHER_SEED = 2
FLIPS_PER_TASK = 8_192
_TOLD_MAX = 5
PARTS = 8
KILLED = "sealed, then killed"


@dataclass(slots=True)
class Outcomes:
    """How starts ended. `elsewhere` counts refusals that name the wrong place."""

    tried: int = 0
    refused: int = 0
    healed: int = 0
    elsewhere: int = 0
    silent: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, other: "Outcomes") -> None:
        """Add what another saw."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def tell(self, what: str) -> None:
        """Keep a few words about what went wrong."""
        if len(self.told) < _TOLD_MAX:
            self.told.append(what)


class Judge:
    """Starts damaged folders and says how that ended."""

    def __init__(self, folder: SmallFolder) -> None:
        """Judge damage to this folder."""
        self._folder = folder
        self._opener = Opener()

    def judge(self, damages: Iterable[Damage]) -> Outcomes:
        """Start each of the folders."""
        outcomes = Outcomes()
        for damage in damages:
            if damage.files != self._folder.files:
                outcomes.tried += 1
                self._judge(damage, outcomes)
        return outcomes

    def _judge(self, damage: Damage, outcomes: Outcomes) -> None:
        disk = holding(damage.files)
        try:
            found = self._opener.open(disk)
        except (Corruption, FormatTooNew, HistoryTrimmed) as refusal:
            outcomes.refused += 1
            wrong = self._wrong_place(damage, refusal)
            if disk.contents() != damage.files:
                wrong = "the refused start has changed a file"
            if wrong:
                outcomes.elsewhere += 1
                outcomes.tell(f"{damage.what}: {wrong}")
            return
        is_right = (found.state_digest, found.last_sequence) == (
            self._folder.state_digest,
            self._folder.last_sequence,
        )
        outcomes.healed += is_right
        outcomes.silent += not is_right
        if not is_right:
            outcomes.tell(f"{damage.what}: starts with the state after {found.last_sequence}")

    def _wrong_place(
        self, damage: Damage, refusal: Corruption | FormatTooNew | HistoryTrimmed
    ) -> str:
        """Return what is wrong with the place that a refusal names, nothing where all is right."""
        if not isinstance(refusal, Corruption):
            return f"told as {type(refusal).__name__}"
        if damage.offset_bytes is None:
            return "" if self._is_near(damage, refusal) else f"told of {refusal.file_name}"
        name = damage.names[0]
        told = refusal.file_name, refusal.offset_bytes
        starts = self._folder.starts.get(name)
        if starts is None:
            return "" if told in self._damaged_blocks(damage) else f"told of {told}"
        expected = name, starts[bisect_right(starts, damage.offset_bytes) - 1]
        return "" if told == expected and refusal.sequence else f"told of {told}, not {expected}"

    def _damaged_blocks(self, damage: Damage) -> Iterator[tuple[str, int]]:
        name = damage.names[0]
        content, whole = damage.files[name], self._folder.files[name]
        for start in range(0, len(whole), BLOCK_BYTES):
            block = slice(start, start + BLOCK_BYTES)
            if content[block] != whole[block]:
                yield name, start

    def _is_near(self, damage: Damage, refusal: Corruption) -> bool:
        """Say whether whole files were told of: a touched one, a missing one, or its neighbour."""
        if refusal.file_name not in damage.files or any(
            name in str(refusal) for name in damage.names
        ):
            return True
        log = list_segment_names(holding(self._folder.files))
        return refusal.file_name in log and any(name in log for name in damage.names)


def bit_flips(scale: float) -> list[Row]:
    """Flip every bit of the folder, and damage it in all other ways."""
    folder = write_folder(SEED)
    tasks = [
        (name, start, min(start + FLIPS_PER_TASK, len(content) * 8))
        for name, content in folder.files.items()
        for start in range(0, len(content) * 8, FLIPS_PER_TASK)
    ]
    if scale < 1:
        tasks = tasks[:: max(int(1 / scale), 1)]
    started = time.perf_counter()
    flips, last_flips = Outcomes(), Outcomes()
    rest = {name: Outcomes() for name in OTHER_DAMAGE}
    with (
        workers() as pool,
        counting("damaged folders", len(tasks) + PARTS * len(rest) + 1) as counter,
    ):
        running = {
            pool.submit(judge_kind, name, part, scale): rest[name]
            for name in rest
            for part in range(PARTS)
        }
        running[pool.submit(judge_last_group)] = last_flips
        running |= {pool.submit(judge_flips, *task): flips for task in tasks}
        for done in as_completed(running):
            running[done].add(done.result())
            counter.add()
    tried = flips.tried + last_flips.tried + sum(each.tried for each in rest.values())
    rate = f"{tried / (time.perf_counter() - started):,.0f} starts/s"
    size_bytes = sum(map(len, folder.files.values()))
    return [
        _row(f"every bit of a folder of {size_bytes:,} bytes flipped", flips, rate),
        _row("every bit of the last group flipped before its seal", last_flips),
        *(_row(name, outcomes) for name, outcomes in rest.items()),
    ]


def judge_flips(name: str, start_bit: int, end_bit: int) -> Outcomes:
    """Flip some bits of a file of the folder, one at a time."""
    folder = write_folder(SEED)
    return Judge(folder).judge(flipped_bits(folder.files, name, range(start_bit, end_bit)))


def judge_last_group(step: int = 1) -> Outcomes:
    """Flip the bits of the last group of a folder that was not sealed yet."""
    folder = write_folder(SEED)
    unsealed = folder.stages[-2]
    name = list_segment_names(holding(unsealed))[-1]
    # The last two are the seal and where it ends.
    start, end = folder.starts[name][-3:-1]
    return Judge(folder).judge(flipped_bits(unsealed, name, range(start * 8, end * 8, step)))


def judge_kind(name: str, part: int, scale: float) -> Outcomes:
    """Do one of the parts of one kind of other damage."""
    folder = write_folder(SEED)
    if name.startswith(KILLED):
        folder = replace(folder, files=folder.stages[-1], stages=folder.stages[:-1])
    step = PARTS * (max(int(1 / scale), 1) if scale < 1 else 1)
    return Judge(folder).judge(islice(OTHER_DAMAGE[name](folder), part, None, step))


def foreign_files(folder: SmallFolder) -> Iterator[Damage]:
    """Put in the place of each file the one that another server has there."""
    return replaced_files(folder, [write_folder(OTHER_SEED).files], "of another server")


def stale_files(folder: SmallFolder) -> Iterator[Damage]:
    """Bring back each file as it was after each step before."""
    return replaced_files(folder, folder.stages, "as it was after step")


OTHER_DAMAGE = {
    "every file cut to every length": truncations,
    "every sector, block and file zeroed": zeroed_places,
    "every file zeroed from every sector on": zeroed_ends,
    "every block and sector over every other": copied_pages,
    "files swapped": swapped_files,
    "files missing": missing_files,
    "files added": extra_files,
    "files of another server": foreign_files,
    "stale files": stale_files,
    KILLED + ", every file zeroed from every sector on": zeroed_ends,
    KILLED + ", stale files": stale_files,
}


def _row(what: str, outcomes: Outcomes, note: str = "") -> Row:
    figure = f"{outcomes.refused:,} refused, {outcomes.healed:,} healed"
    if outcomes.elsewhere:
        figure += f", {outcomes.elsewhere:,} at the wrong place"
    return judged(
        what,
        must="0 silent",
        figure=f"{figure}, {outcomes.silent:,} silent",
        holds=outcomes.silent == 0 and outcomes.elsewhere == 0 and outcomes.tried > 0,
        note="; ".join(filter(None, [note, *outcomes.told])),
    )
