"""What a page of documentation says that can be held against the project."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import PurePosixPath

from tests.tidy.findings import Finding

FENCE = re.compile(r"^\s*(```|~~~)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:")
STATUS = re.compile(r"^Status: (?P<status>proposed|accepted|superseded by \d{4})$", re.MULTILINE)
DECISION_NAME = re.compile(r"(?P<number>\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
FRAGMENT_NAME = re.compile(r"\d+-[a-z0-9]+(?:-[a-z0-9]+)*\.(?:added|changed|fixed|removed)\.md")
COMMAND_WORD = re.compile(r"[a-z][a-z-]*")
DECISION_PARTS = ("Context", "Choice", "Consequences")


def commands(page: str) -> Iterator[tuple[int, str]]:
    """The line and text of each command in a page: fenced lines and spans in backticks."""
    for number, line, is_fenced in _lines(page):
        if is_fenced:
            yield number, line.strip().removeprefix("$ ").partition(" #")[0]
        else:
            for span in SPAN.findall(line):
                yield number, span


def make_targets(page: str) -> Iterator[tuple[int, str]]:
    """The line and name of each target that a page tells its reader to make."""
    for number, command in commands(page):
        words = _words(command)
        if words[:1] == ["make"]:
            yield from ((number, word) for word in words[1:] if COMMAND_WORD.fullmatch(word))


def program_commands(page: str, program: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The line and words of each call of the program, up to its first option or argument."""
    for number, command in commands(page):
        words = _words(command)
        if words and PurePosixPath(words[0]).name == program:
            yield number, tuple(takewhile(COMMAND_WORD.fullmatch, words[1:]))


def targets_defined(makefile: str) -> frozenset[str]:
    """The targets with a plain name that a makefile defines."""
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


def links(page: str) -> Iterator[tuple[int, str, str]]:
    """The line, path and anchor of each link inside the project; an empty path is the page."""
    for number, line, is_fenced in _lines(page):
        if is_fenced:
            continue
        for match in LINK.finditer(SPAN.sub("", line)):
            if not SCHEME.match(match["target"]):
                path, _, anchor = match["target"].partition("#")
                yield number, path, anchor


def anchors(page: str) -> frozenset[str]:
    """The anchors that the headings of a page make, as forges write them."""
    titles = (
        match["title"]
        for _, line, is_fenced in _lines(page)
        if not is_fenced and (match := HEADING.match(line))
    )
    return frozenset(re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles)


def check_decision(path: str, page: str) -> list[Finding]:
    """A decision has a number in its name and its title, a status, and its three parts."""
    name = DECISION_NAME.fullmatch(PurePosixPath(path).name)
    if name is None:
        return [Finding("decision", path, 1, "call it NNNN-a-few-words.md")]
    wrong = []
    if not page.startswith(f"# {name['number']}. "):
        wrong.append(f"the first line is '# {name['number']}. ' and the title")
    if not STATUS.search(page):
        wrong.append("a line says 'Status: ' and proposed, accepted or superseded by NNNN")
    wrong += [
        f"there is a part '## {part}'" for part in DECISION_PARTS if f"\n## {part}" not in page
    ]
    return [Finding("decision", path, 1, f"make it so that {what}") for what in wrong]


def check_fragment(path: str) -> list[Finding]:
    """A change fragment is called as changes/README.md says."""
    if FRAGMENT_NAME.fullmatch(PurePosixPath(path).name):
        return []
    return [Finding("fragment", path, 1, "call it as changes/README.md says: 17-words.fixed.md")]


def _words(command: str) -> list[str]:
    """The words of a command as a shell would split it, empty for what is no command."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _lines(page: str) -> Iterator[tuple[int, str, bool]]:
    """Number, text and whether it is fenced code of each line; the fences are left out."""
    is_fenced = False
    for number, line in enumerate(page.splitlines(), start=1):
        if FENCE.match(line):
            is_fenced = not is_fenced
        else:
            yield number, line, is_fenced
