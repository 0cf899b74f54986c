"""The rules of the house, each held against the whole tree.

What a rule says and how it sees a breach stands in tests/tidy/; the tests of the rules, on planted
bad code, stand beside them. A line is exempt where it says `# tidy: allow <rule>: <reason>`, with
the rule as the finding names it in brackets.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

import pytest

from tests.tidy import arrows, documented, private_places, purity, shape, sizes
from tests.tidy.findings import (
    Finding,
    Source,
    check_exemptions,
    read_sources,
    without_exempted,
)
from tests.tidy.project_files import ROOT, project_files, read_text

PACKAGE = read_sources(ROOT, ["src"])
CORE = tuple(source for source in PACKAGE if source.path.startswith("src/domgrpc/core/"))
# Imports at the top would cost `domgrpc --help` most of a second, and commands are registered
# while their module is imported.
EAGER = tuple(source for source in PACKAGE if not source.path.startswith("src/domgrpc/cli/"))
PYTHON = (
    *PACKAGE,
    *read_sources(ROOT, ["tests", "benchmarks"]),
    Source("hatch_build.py", read_text(ROOT / "hatch_build.py")),
)
MODULES = frozenset(source.module for source in PYTHON)
FILES = project_files(ROOT)
PROTOS = {path: read_text(ROOT / path) for path in FILES if path.endswith(".proto")}

API_PAGE = "docs/api.md"
OPERATING_PAGE = "docs/operating.md"


def each(
    check: Callable[[Source], list[Finding]], sources: Iterable[Source]
) -> Callable[[], Iterator[Finding]]:
    """The rule that holds a check against each of the sources."""
    return lambda: chain.from_iterable(map(check, sources))


def check_lines() -> Iterator[Finding]:
    texts = {source.path: source.text for source in PYTHON} | PROTOS
    for path, text in texts.items():
        yield from sizes.check_line_length(path, text)


def check_names() -> Iterator[Finding]:
    for path in FILES:
        if path.endswith((".py", ".proto")):
            yield from shape.check_name(path)


def check_places() -> Iterator[Finding]:
    for path in FILES:
        yield from private_places.check_lock_file(path)
        yield from private_places.check_private_places(path, read_text(ROOT / path))


def check_rpcs() -> Iterator[Finding]:
    names = chain.from_iterable(documented.rpc_names(*proto) for proto in PROTOS.items())
    yield from documented.check_documented(names, API_PAGE, read_text(ROOT / API_PAGE))


def check_settings() -> Iterator[Finding]:
    config = [source for source in PACKAGE if source.module == "domgrpc.config"]
    names = chain.from_iterable(map(documented.setting_names, config))
    yield from documented.check_documented(names, OPERATING_PAGE, read_text(ROOT / OPERATING_PAGE))


def check_reasons() -> Iterator[Finding]:
    names = chain.from_iterable(map(documented.reason_names, PACKAGE))
    yield from documented.check_documented(names, API_PAGE, read_text(ROOT / API_PAGE))


RULES: dict[str, Callable[[], Iterable[Finding]]] = {
    "imports go along the arrows only": each(
        lambda source: arrows.check_arrows(source, MODULES), PACKAGE
    ),
    "a module of the core imports only those before it": each(
        lambda source: arrows.check_core_order(source, MODULES), CORE
    ),
    "each part uses only its own libraries": each(arrows.check_libraries, PACKAGE),
    "nothing imports the package root": each(
        lambda source: arrows.check_package_root(source, MODULES), PYTHON
    ),
    "nothing imports in a circle": lambda: arrows.check_cycles(PYTHON),
    "a body has at most 40 lines of code": each(sizes.check_body_length, PYTHON),
    "a module has at most 400 lines": each(sizes.check_module_length, PYTHON),
    "a line has at most 100 characters": check_lines,
    "blocks stand at most 3 deep": each(sizes.check_nesting, PYTHON),
    "a function takes at most 4 positional parameters": each(sizes.check_parameters, PYTHON),
    "every file is named after something": check_names,
    "every open mark names its issue": each(shape.check_open_marks, PYTHON),
    "only data, exceptions and protocols are derived from": (
        lambda: shape.check_inheritance(PYTHON)
    ),
    "imports stand at the top": each(shape.check_import_place, EAGER),
    "importing a module does no work": each(shape.check_import_work, EAGER),
    "the core touches no clock, chance, file or task": each(purity.check_impurity, CORE),
    "the core keeps no floats": each(purity.check_floats, CORE),
    "the core never shows the order of a set": each(purity.check_set_order, CORE),
    "no file names a place of one machine or a registry": check_places,
}
PAGES: dict[str, tuple[str, Callable[[], Iterable[Finding]]]] = {
    "every rpc is documented": (API_PAGE, check_rpcs),
    "every rejection reason is documented": (API_PAGE, check_reasons),
    "every setting is documented": (OPERATING_PAGE, check_settings),
}


@cache
def found_by(rule: str) -> tuple[Finding, ...]:
    """What a rule finds in the tree; two tests ask, and no file changes in between."""
    return tuple(RULES[rule]())


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_keeps_the_rule(rule: str) -> None:
    expect_none(without_exempted(PYTHON, found_by(rule)))


@pytest.mark.parametrize("rule", PAGES)
def test_the_docs_keep_the_rule(rule: str) -> None:
    page, check = PAGES[rule]
    if not (ROOT / page).exists():
        pytest.skip(f"there is no {page} yet")
    expect_none(check())


@pytest.mark.slow
def test_every_exemption_has_a_reason_and_is_needed() -> None:
    expect_none(check_exemptions(PYTHON, chain.from_iterable(map(found_by, RULES))))


def expect_none(findings: Iterable[Finding]) -> None:
    """Fail with every finding on a line of its own."""
    lines = sorted(map(str, findings))
    if lines:
        pytest.fail("\n".join([f"{len(lines)} found", *lines]), pytrace=False)
