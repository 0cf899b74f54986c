"""Sources with a mistake planted in them, for the tests of the rules."""

from collections.abc import Iterable
from textwrap import dedent

from tests.tidy.findings import Finding, Source


def plant(text: str, path: str = "src/domgrpc/core/products.py") -> Source:
    """A source file at the path, its text written with the indentation of the test."""
    return Source(path, dedent(text).lstrip("\n"))


def lines(findings: Iterable[Finding]) -> list[int]:
    """The lines on which the findings are, in the order of the findings."""
    return [finding.line for finding in findings]
