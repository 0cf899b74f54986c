"""Golden files of records: a log and a snapshot as a release wrote them, and what they say.

`python -m tests.engine.golden_records` writes the files of today's format into golden/, under the
next number: the bytes as text, and beside them, by name, what a reader must find in them. It never
writes over files that are there: those are what every later release must read.
"""

from array import array
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.state import State
from domgrpc.core.values import Limits
from domgrpc.engine.dump import ANSWERS, SkuEntry, decode_chunk, dump
from domgrpc.engine.records import decode_records
from domgrpc.engine.recovery import replay_frames
from domgrpc.storage.reading import read_frames
from tests.engine.data_layout import Layout, ValueLayout, default_of, layout, without_types
from tests.engine.golden_story import tell
from tests.engine.rooms import Room
from tests.storage.fake_disk import FakeDisk
from tests.storage.golden_files import parse, render

GOLDEN = Path(__file__).parent / "golden"
# Any: what JSON holds.
Picture = Any


class Expected(msgspec.Struct, frozen=True):
    """What a reader must find: the layout, the records and the state at the end."""

    layout: Layout
    records: list[Picture]
    state: dict[str, list[Picture]]


def golden_files() -> list[Path]:
    """Return the files of bytes, oldest first."""
    return sorted(GOLDEN.glob("records_*.txt"))


def disk_with(golden: Path) -> FakeDisk:
    """Return a disk with a golden folder."""
    return FakeDisk.holding(parse(golden.read_text()))


def expected_of(golden: Path) -> Expected:
    """Return what must be found in a golden folder."""
    return msgspec.json.decode(golden.with_suffix(".json").read_text(), type=Expected)


def records_on(disk: FakeDisk) -> list[Record]:
    """Return the records of the log."""
    frames = read_frames(disk)
    return [record for frame in frames for record in decode_records(frame.payload, frame.count)]


def replayed(disk: FakeDisk, revision: int) -> State:
    """Return the state that the log alone makes, up to a revision."""
    state = State(Limits())
    replay_frames(state, read_frames(disk), last_revision=revision)
    state.check_invariants()
    return state


def values_of(state: State) -> dict[str, list[Any]]:
    """Return what a snapshot would hold, by kind of chunk.

    Of the kept answers only what they are kept by: what they say is what the records say.
    """
    found: dict[str, list[Any]] = {}
    for kind, _, payload in dump(state):
        content = decode_chunk(kind, payload)
        if kind == ANSWERS:
            content = [(key, kept.fingerprint, kept.revision) for key, kept in content]
        found.setdefault(str(kind), []).extend(content if isinstance(content, list) else [content])
    return found


def picture_of(value: Any) -> Picture:  # noqa: ANN401 - pictures whatever is stored
    """Return a value by the names of its fields and numbers."""
    if isinstance(value, msgspec.Struct):
        named = {name: picture_of(part) for name, part in parts_of(value)}
        return {"is": type(value).__name__} | named
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (list, tuple)):
        return [picture_of(part) for part in value]
    if isinstance(value, dict):
        return {str(key): picture_of(part) for key, part in value.items()}
    return value


def parts_of(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Iterate the fields of a value; columns of numbers as numbers."""
    codes = {"location_indexes": "i", "levels": "b"} if isinstance(value, SkuEntry) else {}
    for name in value.__struct_fields__:
        part = getattr(value, name)
        yield name, list(array(codes.get(name, "q"), part)) if isinstance(part, bytes) else part


def differences(expected: Picture, value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - any
    """Iterate where a value is not as expected; fields that came later have their defaults."""
    if isinstance(value, msgspec.Struct) and isinstance(expected, dict):
        yield from _differing_fields(expected, value, where)
    elif isinstance(value, (list, tuple)) and isinstance(expected, list):
        if len(value) != len(expected):
            yield f"{where}: {len(value)} entries instead of {len(expected)}"
        for number, (old, part) in enumerate(zip(expected, value, strict=False)):
            yield from differences(old, part, f"{where}[{number}]")
    elif (picture := picture_of(value)) != expected:
        yield f"{where}: {picture!r} instead of {expected!r}"


def _differing_fields(
    expected: dict[str, Picture], value: msgspec.Struct, where: str
) -> Iterator[str]:
    parts = {"is": type(value).__name__} | dict(parts_of(value))
    for name, old in expected.items():
        if name not in parts:
            yield f"{where}: no field {name} any more"
        else:
            yield from differences(old, parts[name], f"{where}.{name}")
    for field in msgspec.structs.fields(value):
        if field.name not in expected and parts[field.name] != default_of(field):
            yield f"{where}.{field.name}: {parts[field.name]!r} where the file says nothing"


def moved(old: Layout, new: Layout) -> Iterator[str]:
    """Iterate what a format may never do: another tag, place, name, default or number."""
    for name, value in old.values.items():
        today = new.values.get(name)
        if today is None or (today.tag, today.is_map) != (value.tag, value.is_map):
            yield f"{name}: {today and today.tag} instead of tag {value.tag}"
            continue
        places = zip(value.fields, today.fields, strict=False)
        kept = all((field.name, field.default) == (at.name, at.default) for field, at in places)
        if not kept or len(today.fields) < len(value.fields):
            yield f"{name}: {words_of(today)} does not begin with {words_of(value)}"
        elif any(not field.default for field in today.fields[len(value.fields) :]):
            yield f"{name}: a new field has no default"
    for name, numbers in old.numbers.items():
        if not numbers.items() <= new.numbers.get(name, {}).items():
            yield f"{name}: {new.numbers.get(name)} instead of {numbers}"


def words_of(value: ValueLayout) -> str:
    """Return the fields of a value with their defaults."""
    return ", ".join(f"{field.name}={field.default}" for field in value.fields)


def write_new() -> Path:
    """Write the golden files of today's format and return the file of bytes."""
    room = Room()
    tell(room)
    records = room.records()
    state = replayed(room.disk, records[-1].revision)
    expected = Expected(without_types(layout()), picture_of(records), picture_of(values_of(state)))
    path = GOLDEN / f"records_{len(golden_files()) + 1}.txt"
    GOLDEN.mkdir(exist_ok=True)
    with path.with_suffix(".json").open("x") as file:
        file.write(_in_lines(msgspec.to_builtins(expected)))
    with path.open("x") as file:
        file.write(render(room.disk.contents()))
    return path


def _in_lines(value: Picture, depth: int = 0) -> str:
    """Write JSON with a line for each record and each entry."""
    if depth == 2 or not isinstance(value, (dict, list)) or not value:
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return "[\n" + ",\n".join(msgspec.json.encode(part).decode() for part in value) + "\n]"
    parts = (f'"{name}": {_in_lines(part, depth)}' for name, part in value.items())
    return "{\n" + ",\n".join(parts) + "\n}"


if __name__ == "__main__":
    print(write_new())  # noqa: T201 - what the program is for
