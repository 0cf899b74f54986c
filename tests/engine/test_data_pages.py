"""docs/data-format.md and docs/data-values.md are held against the code: nothing is left out."""

import re
from typing import get_args

import msgspec
import pytest

from domgrpc.core.events import Event
from domgrpc.core.values import Retention
from domgrpc.engine.dump import CHUNK_TYPES
from tests.engine.data_layout import layout, without_types
from tests.engine.data_pages import PAGE, described, page
from tests.engine.golden_records import disk_with, golden_files, moved, records_on, replayed
from tests.engine.golden_records import values_of as chunks_of
from tests.tidy.project_files import ROOT, read_text

FORMAT = read_text(ROOT / "docs/data-format.md")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables under a heading, without the heads of the tables."""
    section = FORMAT.split(f"\n{heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_event_stands_in_the_page_with_its_tag() -> None:
    in_the_page = {(int(tag), name) for tag, name, _ in rows("## Records")}
    assert in_the_page == {
        (event.__struct_config__.tag, event.__name__) for event in get_args(Event)
    }


def test_every_chunk_stands_in_the_page() -> None:
    assert {int(kind) for kind, *_ in rows("## Snapshot chunks")} == set(CHUNK_TYPES)


@pytest.mark.slow
def test_chunks_come_in_the_order_of_the_page() -> None:
    disk = disk_with(golden_files()[-1])
    state = replayed(disk, len(records_on(disk)))
    assert [kind for kind, *_ in rows("## Snapshot chunks")] == list(chunks_of(state))


def test_what_an_empty_log_keeps_stands_in_the_page() -> None:
    kept = msgspec.structs.astuple(Retention())
    holds, answers, age_ms, deltas, orders = (f"{number:,}" for number in kept)
    words = f"{holds} finished reservations, {answers} answers for {age_ms} ms, {deltas} deltas"
    text = " ".join(FORMAT.split())
    assert f"An empty log begins with {words} and {orders} finished orders." in text


def test_the_page_of_values_is_that_of_the_code() -> None:
    assert read_text(PAGE) == page(), "write it anew: python -m tests.engine.data_pages"


def test_the_page_of_values_can_be_read_back_to_see_what_moves() -> None:
    assert described(page()) == without_types(layout())
    swapped = page().replace("`order`: Order; `claims`", "`claims`: Order; `order`", 1)
    assert len(list(moved(described(swapped), layout()))) == 1
