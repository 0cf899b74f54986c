"""What a rule of the house says about a place, and how a line is exempted from a rule.

A rule is a plain function of a `Source` (or of several) that returns findings. A line is exempt
where it says `# tidy: allow <rule>: <the reason>`; an exemption without a reason, and one that
nothing needs any more, are findings themselves.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

REASON_CHARACTERS_MIN = 10
EXEMPTION = re.compile(r"# tidy: allow (?P<rule>[a-z-]+)(?:: (?P<reason>.*))?$")


@dataclass(frozen=True)
class Finding:
    """One breach of one rule, said so that the reader knows what to do."""

    rule: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Source:
    """The text of one Python file, by its path from the root of the project."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text, self.path)

    @cached_property
    def tokens(self) -> tuple[tokenize.TokenInfo, ...]:
        """The text as tokens, comments included."""
        return tuple(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @property
    def module(self) -> str:
        """The dotted name by which the file is imported, as domgrpc.core.values."""
        parts = list(PurePosixPath(self.path).with_suffix("").parts)
        if parts[0] == "src":
            parts.pop(0)
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    def finding(self, rule: str, line: int, message: str) -> Finding:
        """A finding in this file."""
        return Finding(rule, self.path, line, message)


def read_sources(root: Path, folders: Iterable[str]) -> tuple[Source, ...]:
    """All Python files below the folders, generated ones left out, in order of their paths."""
    paths = (path for folder in folders for path in (root / folder).rglob("*.py"))
    named = sorted((path.relative_to(root).as_posix(), path) for path in paths)
    return tuple(
        Source(name, path.read_text(encoding="utf-8"))
        for name, path in named
        if not name.startswith("src/domgrpc/v1/")
    )


def exemptions_in(sources: Iterable[Source]) -> dict[tuple[str, int], re.Match[str]]:
    """The exemptions that the files claim, by path and line."""
    return {
        (source.path, token.start[0]): match
        for source in sources
        for token in source.tokens
        if token.type == tokenize.COMMENT and (match := EXEMPTION.search(token.string))
    }


def without_exempted(sources: Iterable[Source], findings: Iterable[Finding]) -> list[Finding]:
    """The findings that no line exempts."""
    exemptions = exemptions_in(sources)
    return [
        finding
        for finding in findings
        if (place := (finding.path, finding.line)) not in exemptions
        or exemptions[place]["rule"] != finding.rule
    ]


def check_exemptions(sources: Iterable[Source], findings: Iterable[Finding]) -> list[Finding]:
    """An exemption has a reason, and stands where one of all the findings is."""
    needed = {(finding.path, finding.line, finding.rule) for finding in findings}
    found = []
    for place, exemption in exemptions_in(sources).items():
        if len(exemption["reason"] or "") < REASON_CHARACTERS_MIN:
            found.append(Finding("exemption", *place, "an exemption says its reason"))
        if (*place, exemption["rule"]) not in needed:
            message = f"nothing here needs the exemption from {exemption['rule']}: remove it"
            found.append(Finding("exemption", *place, message))
    return found
