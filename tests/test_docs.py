"""The docs are held against the project: what they tell the reader to do and to open exists."""

import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.tidy.findings import Finding
from tests.tidy.pages import (
    anchors,
    check_decision,
    check_fragment,
    links,
    make_targets,
    program_commands,
    targets_defined,
)
from tests.tidy.project_files import ROOT, project_files, read_text

FILES = project_files(ROOT)
PAGES = {path: read_text(ROOT / path) for path in FILES if path.endswith(".md")}
FOLDERS = frozenset(parent.as_posix() for path in FILES for parent in PurePosixPath(path).parents)
PROGRAM = "domgrpc"
COMMAND_LINE = "domgrpc.cli.commands"


def test_every_make_target_in_the_docs_exists() -> None:
    known = targets_defined(read_text(ROOT / "Makefile"))
    expect_none(
        Finding("make-target", path, line, f"the Makefile has no target {target}")
        for path, page in PAGES.items()
        for line, target in make_targets(page)
        if target not in known
    )


def test_every_command_in_the_docs_exists() -> None:
    if importlib.util.find_spec("domgrpc.cli") is None:
        pytest.skip("there is no command line yet")
    from typer.main import get_command  # noqa: PLC0415 - only where there is a command line

    command_line = get_command(importlib.import_module(COMMAND_LINE).app)
    expect_none(
        Finding("command", path, line, f"{PROGRAM} {' '.join(words)}: no such command")
        for path, page in PAGES.items()
        for line, words in program_commands(page, PROGRAM)
        if not has_command(command_line, words)
    )


def test_every_link_inside_the_project_leads_somewhere() -> None:
    expect_none(finding for path, page in PAGES.items() for finding in broken_links(path, page))


def test_every_decision_has_a_number_a_status_and_its_parts() -> None:
    found = [
        finding for path in below("docs/decisions") for finding in check_decision(path, PAGES[path])
    ]
    expect_none(found)


def test_no_two_decisions_share_a_number() -> None:
    first: dict[str, str] = {}
    for path in below("docs/decisions"):
        number = PurePosixPath(path).name[:4]
        assert first.setdefault(number, path) == path, f"two decisions are called {number}"


def test_every_change_fragment_is_called_by_issue_words_and_kind() -> None:
    fragments = (path for path in below("changes") if not path.endswith("/README.md"))
    expect_none(finding for path in fragments for finding in check_fragment(path))


def below(folder: str) -> Iterator[str]:
    """The pages that stand in the folder."""
    return (path for path in PAGES if PurePosixPath(path).parent.as_posix() == folder)


def broken_links(path: str, page: str) -> Iterator[Finding]:
    """The links of a page to files and headings that are not there."""
    for line, target, anchor in links(page):
        linked = resolve(path, target)
        if linked not in PAGES and linked not in FILES and linked not in FOLDERS:
            yield Finding("link", path, line, f"there is no {linked}")
        elif anchor and linked in PAGES and anchor not in anchors(PAGES[linked]):
            yield Finding("link", path, line, f"{linked} has no heading for #{anchor}")


def resolve(path: str, target: str) -> str:
    """The path from the root of the project of what a page links to."""
    if not target:
        return path
    folder = ROOT if target.startswith("/") else (ROOT / path).parent
    place = (folder / target.lstrip("/")).resolve()
    return place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else target


def has_command(command: Any, words: Iterable[str]) -> bool:  # noqa: ANN401 - typer hides its type
    """Say whether the words name a command; what follows a command are its arguments."""
    for word in words:
        commands: Mapping[str, Any] | None = getattr(command, "commands", None)
        if commands is None:
            return True
        if word not in commands:
            return False
        command = commands[word]
    return True


def expect_none(findings: Iterable[Finding]) -> None:
    """Fail with every finding on a line of its own."""
    lines = sorted(map(str, findings))
    if lines:
        pytest.fail("\n".join([f"{len(lines)} found", *lines]), pytrace=False)
