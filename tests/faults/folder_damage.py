"""Ways to damage a data folder as a whole: its files cut, zeroed, mixed up, gone or multiplied.

Each damage is a name for people, the files that it touched, and the folder afterwards. Small
damage to one file is in `tests/storage/damage.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

from domgrpc.storage.frame import BLOCK_BYTES, SECTOR_BYTES
from domgrpc.storage.segment import segment_name
from domgrpc.storage.snapshot import snapshot_name
from domgrpc.storage.spare import SPARE_NAME, SPARE_TEMPORARY_NAME
from tests.faults.small_folder import SmallFolder
from tests.storage.damage import flip, patch

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged folder. `offset_bytes` is the first damaged byte, None for whole files."""

    what: str
    names: tuple[str, ...]
    files: Files
    offset_bytes: int | None = None


def flipped_bits(files: Mapping[str, bytes], name: str, bits: range) -> Iterator[Damage]:
    """Turn over some bits of a file, one at a time."""
    for bit in bits:
        changed = {**files, name: flip(files[name], bit)}
        yield Damage(f"bit {bit} of {name}", (name,), changed, bit // 8)


def truncations(folder: SmallFolder) -> Iterator[Damage]:
    """Cut each file off at each length."""
    for name, content in folder.files.items():
        for size_bytes in range(len(content)):
            changed = folder.files | {name: content[:size_bytes]}
            yield Damage(f"{name} cut to {size_bytes}", (name,), changed)


def zeroed_places(folder: SmallFolder) -> Iterator[Damage]:
    """Zero each sector, each block and each file."""
    for name, content in folder.files.items():
        sizes = (SECTOR_BYTES, BLOCK_BYTES, len(content))
        for size_bytes in sizes:
            for start in range(0, len(content), size_bytes):
                zeros = bytes(min(size_bytes, len(content) - start))
                yield _patched(folder, name, start, zeros)


def zeroed_ends(folder: SmallFolder) -> Iterator[Damage]:
    """Zero each file from each sector on."""
    for name, content in folder.files.items():
        for start in range(SECTOR_BYTES, len(content), SECTOR_BYTES):
            yield _patched(folder, name, start, bytes(len(content) - start))


def copied_pages(folder: SmallFolder) -> Iterator[Damage]:
    """Copy each block over each other block, and each sector over each other sector."""
    for size_bytes in (BLOCK_BYTES, SECTOR_BYTES):
        places = [
            (name, start)
            for name, content in folder.files.items()
            for start in range(0, len(content), size_bytes)
        ]
        for (source, source_start), (target, start) in permutations(places, 2):
            room_bytes = len(folder.files[target]) - start
            page = folder.files[source][source_start : source_start + size_bytes]
            yield _patched(folder, target, start, page[:room_bytes])


def swapped_files(folder: SmallFolder) -> Iterator[Damage]:
    """Swap each two files, and put each one in the place of each other."""
    files = folder.files
    for one, other in combinations(files, 2):
        swapped = files | {one: files[other], other: files[one]}
        yield Damage(f"{one} swapped with {other}", (one, other), swapped)
    for one, other in permutations(files, 2):
        yield Damage(f"{one} over {other}", (other,), files | {other: files[one]})


def missing_files(folder: SmallFolder) -> Iterator[Damage]:
    """Leave out each set of files; all of the log and the snapshots gone is another folder."""
    for count in range(1, len(folder.files)):
        for gone in combinations(folder.files, count):
            left = {name: content for name, content in folder.files.items() if name not in gone}
            if any(name != SPARE_NAME for name in left):
                yield Damage(f"without {', '.join(gone)}", gone, left)


def extra_files(folder: SmallFolder) -> Iterator[Damage]:
    """Add a copy of each file under each name that means something."""
    last = folder.last_sequence
    sequences = (1, 2, last - 1, last, last + 1, last + 2, 2**63)
    made = [make(sequence) for make in (segment_name, snapshot_name) for sequence in sequences]
    marks = (".bak", ".tmp", "~", ".0a1b2c3d.tmp")
    copies = [name + mark for name in folder.files for mark in marks]
    trash = ["trimmed-" + name for name in folder.files]
    names = [*made, *copies, *trash, SPARE_TEMPORARY_NAME, "notes.txt", "log-", "snapshot-"]
    for source, name in product(folder.files, names):
        if name not in folder.files:
            changed = folder.files | {name: folder.files[source]}
            yield Damage(f"{source} also as {name}", (source, name), changed)


def replaced_files(folder: SmallFolder, others: Sequence[Files], whose: str) -> Iterator[Damage]:
    """Put in the place of each file the one that other folders have there."""
    for number, other in enumerate(others):
        for name, content in folder.files.items():
            if other.get(name, content) != content:
                what = f"{name} {whose} {number}"
                yield Damage(what, (name,), folder.files | {name: other[name]})


def _patched(folder: SmallFolder, name: str, start: int, data: bytes) -> Damage:
    changed = folder.files | {name: patch(folder.files[name], start, data)}
    return Damage(f"{name} from byte {start} on", (name,), changed, start)
