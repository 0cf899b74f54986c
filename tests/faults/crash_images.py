"""Builds what power cuts may leave of a recorded run, and opens each of it as a start would.

    python -m tests.faults.run crash_images

Every image must open; must give, whole and in order, a beginning of the groups that were written
which has in it everything that was acknowledged before the cut; must lead to the very state that
the engine had after the last of them; and opened once more must be the same to the byte. Each run
begins where a power cut left one before it, so that recoveries are recorded and cut short too.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from random import Random

from domgrpc.storage.errors import StorageError
from tests.faults.crash_states import CrashStates, Image, ImageKey
from tests.faults.journal_disk import Operation, holding
from tests.faults.opened_folder import Found, Opener
from tests.faults.recording import Promises, Recorder, Recording
from tests.faults.table import Row, counting, judged
from tests.faults.workers import workers

IMAGE_COUNT = 200_000
IMAGES_PER_CHAIN = 5_000
SETS_PER_MOMENT_MAX = 1_024
SHARE = 0.2
_KEPT_SHARE = 0.01
_HARMS_KEPT = 5


@dataclass(slots=True)
class Tally:
    """What was tried and what was found; sums of it can be added up."""

    images: int = 0
    recordings: int = 0
    operations: int = 0
    moments: int = 0
    exhaustive_moments: int = 0
    torn: int = 0
    ahead: int = 0
    violations: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add what another found."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class ImageCheck:
    """Opens images and compares what they give with what was promised."""

    def __init__(self, promises: Promises) -> None:
        """Hold against these promises."""
        self._promises = promises
        self._opener = Opener()
        self._numbers: dict[int, int] = {}

    def check(self, image: Image, tally: Tally) -> Found | str:
        """Return what an image gives, or what is wrong with it."""
        disk = holding(image.files)
        try:
            found = self._opener.open(disk)
            is_same = self._opener.open_again(disk, found)
        except (StorageError, AssertionError) as error:
            return f"does not open: {type(error).__name__}: {error}"
        tally.torn += found.torn_bytes > 0
        tally.ahead += found.last_sequence > image.acknowledged
        if not is_same:
            return "a second start finds something else than the first"
        if disk.open_count():
            return f"{disk.open_count()} files are left open"
        return self._broken_promise(found, image.acknowledged) or found

    def _broken_promise(self, found: Found, acknowledged: int) -> str:
        known = self._promises.groups
        ends = [group[0] + group[1] for group in found.groups]
        starts = [*(group[0] for group in found.groups), found.last_sequence + 1]
        ahead = sum(group[0] > acknowledged for group in found.groups)
        digest = self._promises.digests.get(found.last_sequence)
        broken = {
            f"acknowledged was {acknowledged}": found.last_sequence < acknowledged,
            "a group was never written, or not like this": any(
                known.get(group[0]) != group for group in found.groups
            ),
            "groups are missing": [found.first_sequence, *ends] != starts,
            f"{ahead} groups beyond {acknowledged}, one was under way": ahead > 1,
            f"a snapshot is damaged: {found.refused}": bool(found.refused),
            "another state than the engine had": found.state_digest != digest,
        }
        told = "; ".join(what for what, is_so in broken.items() if is_so)
        return f"found up to {found.last_sequence}: {told}" if told else ""


def check_chain(seed: int, image_count: int) -> Tally:
    """Record runs, each of them beginning where a power cut left the one before, and check them.

    The last one is checked as a whole, so that a few more images than wanted come of it.
    """
    die = Random(seed)
    tally = Tally()
    promises, contents, last_sequence = Promises(), dict[str, bytes](), 0
    while tally.images < image_count:
        recorder = Recorder(contents, promises, die, last_sequence=last_sequence)
        recording = recorder.record()
        tally.recordings += 1
        tally.operations += len(recording.journal)
        for image, found in _check(recording, promises, die, tally):
            if die.random() < _KEPT_SHARE:
                contents, last_sequence = image.files, found.last_sequence
        if tally.violations:
            break
    return tally


def check_journal(recording: Recording, journal: Sequence[Operation], promises: Promises) -> Tally:
    """Check the images of another journal than the recorded one, as of a disk that lies."""
    tally = Tally()
    changed = Recording(recording.files, recording.contents, list(journal))
    for _ in _check(changed, promises, Random(1), tally):
        pass
    return tally


def _check(
    recording: Recording, promises: Promises, die: Random, tally: Tally
) -> Iterator[tuple[Image, Found]]:
    """Check the different images of a recording, and yield the ones that are right."""
    states = CrashStates(
        recording.files,
        recording.contents,
        die,
        sets_per_moment_max=SETS_PER_MOMENT_MAX,
        share=SHARE,
    )
    check = ImageCheck(promises)
    seen: dict[ImageKey, int] = {}
    for image in states.images(recording.journal):
        known = seen.get(image.key)
        if known is not None and known >= image.acknowledged:
            continue
        seen[image.key] = image.acknowledged
        tally.images += known is None
        found = check.check(image, tally)
        if isinstance(found, Found):
            yield image, found
            continue
        tally.violations += 1
        if len(tally.told) < _HARMS_KEPT:
            tally.told.append(found)
    tally.moments += states.moments
    tally.exhaustive_moments += states.exhaustive_moments


# --- the row


def crash_images(scale: float) -> list[Row]:
    """Check 200,000 images, on all processors."""
    wanted = max(int(IMAGE_COUNT * scale), 1)
    chain_count = -(-wanted // IMAGES_PER_CHAIN)
    started = time.perf_counter()
    tally = Tally()
    with (
        workers() as pool,
        counting("crash images", chain_count) as counter,
    ):
        size = min(wanted, IMAGES_PER_CHAIN)
        for done in as_completed([pool.submit(check_chain, n, size) for n in range(chain_count)]):
            tally.add(done.result())
            counter.add()
    return [crash_row(tally, wanted, time.perf_counter() - started)]


def crash_row(tally: Tally, wanted: int, seconds: float) -> Row:
    """Return the line of the table."""
    note = (
        f"{tally.images / seconds:,.0f} images/s; {tally.recordings} recorded runs, "
        f"{tally.operations:,} operations; all sets of unsynced sectors and names at "
        f"{tally.exhaustive_moments:,} of {tally.moments:,} moments; {tally.torn:,} had a torn "
        f"tail, {tally.ahead:,} more than was acknowledged"
    )
    return judged(
        "crash images of recorded runs",
        must=f"{wanted:,} images, 0 violations",
        figure=f"{tally.images:,} images, {tally.violations} violations",
        holds=tally.images >= wanted and tally.violations == 0,
        note="; ".join([note, *tally.told]),
    )
