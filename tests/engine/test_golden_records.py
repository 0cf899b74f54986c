"""What any release wrote is read for ever, and says the same.

A field that came after the files were written is not in them: it has its default there.
"""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from domgrpc.core.events import Event
from domgrpc.core.order_commands import OrderPlaced
from domgrpc.core.values import Limits, ReservationId
from domgrpc.engine.dump import digest, dump
from domgrpc.engine.engine import Engine
from domgrpc.engine.recovery import load_newest_snapshot, replay_frames
from domgrpc.storage.reading import read_frames
from domgrpc.storage.snapshot import list_snapshots
from tests.core.commands import place
from tests.engine.data_layout import Layout, layout, without_types
from tests.engine.golden_records import (
    differences,
    disk_with,
    expected_of,
    golden_files,
    moved,
    records_on,
    replayed,
    values_of,
)
from tests.engine.rooms import Room, given, state_digest

EVERY_GOLDEN = pytest.mark.parametrize("golden", golden_files(), ids=lambda path: path.stem)


@EVERY_GOLDEN
def test_no_place_tag_default_or_number_of_an_older_format_has_moved(golden: Path) -> None:
    assert list(moved(expected_of(golden).layout, layout())) == []


@pytest.mark.slow
@EVERY_GOLDEN
def test_the_records_say_what_they_said(golden: Path) -> None:
    expected = expected_of(golden)
    assert list(differences(expected.records, records_on(disk_with(golden)), "records")) == []


@pytest.mark.slow
@EVERY_GOLDEN
def test_the_log_makes_the_state_that_it_made(golden: Path) -> None:
    expected = expected_of(golden)
    found = values_of(replayed(disk_with(golden), len(expected.records)))
    assert list(found) == list(expected.state)
    for kind, values in expected.state.items():
        assert list(differences(values, found[kind], f"chunk {kind}")) == []


@pytest.mark.slow
@EVERY_GOLDEN
def test_the_snapshot_holds_what_the_log_makes(golden: Path) -> None:
    disk = disk_with(golden)
    assert len(list_snapshots(disk)) == 1
    loaded = load_newest_snapshot(disk, Limits())
    assert loaded.refused == ()
    assert digest(dump(loaded.state)) == digest(dump(replayed(disk, loaded.snapshot_revision)))
    last = len(expected_of(golden).records)
    assert loaded.snapshot_revision < last, "records follow the snapshot"
    replay_frames(loaded.state, read_frames(disk), last_revision=last)
    assert digest(dump(loaded.state)) == digest(dump(replayed(disk, last)))


@pytest.mark.slow
@EVERY_GOLDEN
def test_a_server_starts_on_it_and_goes_on(golden: Path) -> None:
    async def go_on(engine: Engine) -> str:
        await given(engine, place("one-more"))
        return state_digest(engine)

    async def look(engine: Engine) -> str:
        return state_digest(engine)

    room = Room(disk=disk_with(golden))
    assert room.live(go_on) == room.live(look)


def test_the_newest_files_hold_every_kind_of_event() -> None:
    records = records_on(disk_with(golden_files()[-1]))
    there = {type(event) for record in records for event in record.events}
    assert there == set(get_args(Event)), "make new golden files: see docs/data-format.md"


# --- the comparison itself


@pytest.mark.parametrize(
    ("then", "since"),
    [
        ('{"name":"order"},{"name":"claims"}', '{"name":"claims"},{"name":"order"}'),
        ('"ship_complete","default":"false"', '"ship_complete","default":"true"'),
        ('"tag":26', '"tag":27'),
        ('"SHIPPED":8', '"SHIPPED":9'),
        ('{"name":"fingerprint","default":"0"}', '{"name":"fingerprint"}'),
    ],
    ids=["two fields changed places", "another default", "another tag", "another number", "none"],
)
def test_what_moves_is_noticed(then: str, since: str) -> None:
    text = msgspec.json.encode(without_types(layout())).decode()
    assert then in text
    changed = msgspec.json.decode(text.replace(then, since, 1), type=Layout)
    assert len(list(moved(layout(), changed))) == 1


def test_a_new_field_at_the_end_is_growth_and_one_that_goes_is_not() -> None:
    text = msgspec.json.encode(without_types(layout())).decode()
    older_text = text.replace(',{"name":"guests","default":"[]"}', "", 1)
    older = msgspec.json.decode(older_text, type=Layout)
    assert list(moved(older, layout())) == []
    assert len(list(moved(layout(), older))) == 1


def test_what_an_older_file_does_not_say_has_its_default() -> None:
    said = {"is": "OrderPlaced", "claims": []}
    default = OrderPlaced(order=None, claims=())  # type: ignore[arg-type]
    other = msgspec.structs.replace(default, reservation_id=ReservationId("cart"))
    assert list(differences(said | {"order": None}, default, "it")) == []
    assert list(differences(said | {"order": None}, other, "it")) == [
        "it.reservation_id: 'cart' where the file says nothing"
    ]
