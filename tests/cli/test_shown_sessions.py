"""What the docs show of the command line is what it prints: each page is typed in from its top."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.running import serving_process
from tests.tidy.project_files import ROOT, read_text

PAGES = {
    "README.md": "From Python",
    # What follows are single lines about data of nobody.
    "docs/cli.md": "## Output",
}
"""Each page, and where its session ends."""
_BLOCK = re.compile(r"^```\n(\$ domgrpc .*?)^```", re.DOTALL | re.MULTILINE)
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?"), "<time>"),
    (re.compile(r"\d+\.\d s"), "<seconds>"),
    (re.compile(r"[\d,]+ rows/s"), "<rate>"),
    # How wide a column is depends on the digits of a time.
    (re.compile("─+"), "<rule>"),
    (re.compile(" +"), " "),
)


class Typed(NamedTuple):
    """A command of a page, and what the page shows of its output."""

    line: str
    shown: str


def session_of(page: str, end: str) -> Iterator[Typed]:
    """Iterate the commands of a page up to where its session ends."""
    text, found, _ = read_text(ROOT / page).partition(end)
    assert found, f"{page} has no {end!r}"
    for block in _BLOCK.findall(text):
        for part in block.removeprefix("$ domgrpc ").split("\n$ domgrpc "):
            line, _, shown = part.partition("\n")
            yield Typed(line, shown.strip("\n"))


def steady(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def is_shown(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed; a line with only an ellipsis stands for any lines."""
    parts = re.split(r"^…$", steady(shown), flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(re.escape(part.lstrip("\n")) for part in parts)
    return re.fullmatch(pattern, steady(printed) + "\n" * shown.endswith("…")) is not None


def test_an_ellipsis_stands_for_lines() -> None:
    assert is_shown("a  1\n…\nd", "a 1\nb\nc\nd\n")
    assert is_shown("…", "a\nb")
    assert is_shown("a\n…", "a\nb")
    assert not is_shown("a\nd", "a\nb\nd")
    assert is_shown("2026-11-28T15:00:00Z ──", "2031-01-01T15:00:00.125Z ────")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_is_printed(page: str, tmp_path: Path) -> None:
    with serving_process(tmp_path / "data") as program:
        for typed in session_of(page, PAGES[page]):
            words = [
                str(ROOT / word) if word.startswith("examples/") else word
                for word in shlex.split(typed.line)
            ]
            ended = program.run(*words)
            printed = (ended.output + ended.errors).replace(f"{ROOT}/", "")
            assert is_shown(typed.shown, printed), f"{page}: {typed.line}\n{printed}"
            assert (ended.exit_code == 0) != typed.shown.startswith("error:"), typed.line
