"""The rules about pages see what is planted and nothing else."""

import pytest

from tests.tidy.pages import (
    anchors,
    check_decision,
    check_fragment,
    links,
    make_targets,
    program_commands,
    targets_defined,
)

PAGE = """\
# The title: of `it`

Say `make demo` and make sure of [the way](docs/way.md#to-go "a way"), see [above](#the-title).
Not a link: `[a](b)`; far away: [there](https://example.com/x).

```
$ make test PYTEST="-k hold"
.venv/bin/domgrpc log show --from 1   # domgrpc nothing
make bench BENCH=core
```
"""


def test_make_targets_are_taken_from_code_only() -> None:
    assert list(make_targets(PAGE)) == [(3, "demo"), (7, "test"), (9, "bench")]


def test_the_words_of_a_program_end_at_its_first_option() -> None:
    assert list(program_commands(PAGE, "domgrpc")) == [(8, ("log", "show"))]


def test_targets_are_those_with_a_rule() -> None:
    makefile = "bin := .venv\nhelp:  ## List.\n\tdo it: now\ncheck-lint: venv\n$(made): x\n"
    assert targets_defined(makefile) == {"help", "check-lint"}


def test_links_that_leave_the_project_and_those_in_code_are_left_out() -> None:
    assert list(links(PAGE)) == [(3, "docs/way.md", "to-go"), (3, "", "the-title")]


def test_a_heading_makes_an_anchor() -> None:
    assert anchors(PAGE) == {"the-title-of-it"}


GOOD = "# 0007. A title\n\nStatus: accepted\n\n## Context\n\n## Choice\n\n## Consequences\n"


def test_a_whole_decision_is_left_alone() -> None:
    assert check_decision("docs/decisions/0007-a-title.md", GOOD) == []


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("a-title.md", GOOD),
        ("0008-a-title.md", GOOD),
        ("0007-a-title.md", GOOD.replace("Status: accepted", "Status: perhaps")),
        ("0007-a-title.md", GOOD.replace("## Choice", "## Thoughts")),
    ],
)
def test_a_decision_that_lacks_something_is_found(name: str, page: str) -> None:
    assert len(check_decision(f"docs/decisions/{name}", page)) == 1


def test_a_fragment_is_called_by_issue_words_and_kind() -> None:
    assert check_fragment("changes/17-faster-restart.changed.md") == []
    assert len(check_fragment("changes/faster.md")) == 1
