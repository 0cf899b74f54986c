"""The rules about docs, places and exemptions see what is planted and nothing else."""

import pytest

from tests.tidy.documented import check_documented, reason_names, rpc_names, setting_names
from tests.tidy.findings import check_exemptions, without_exempted
from tests.tidy.planted import lines, plant
from tests.tidy.private_places import check_lock_file, check_private_places
from tests.tidy.sizes import check_parameters


def test_an_rpc_that_the_page_does_not_mention_is_found() -> None:
    proto = (
        "service A {\n  rpc GetStock(X) returns (Y);\n  // rpc Old\n  rpc Get(X) returns (Y);\n}"
    )
    found = check_documented(rpc_names("a.proto", proto), "api.md", "`GetStock` says what")
    assert [(finding.line, finding.message) for finding in found] == [
        (4, "api.md does not mention Get")
    ]


def test_a_setting_may_stand_in_the_page_as_its_flag() -> None:
    config = plant("class Settings:\n    data_dir: str\n    batch_bytes_max: int\n")
    found = check_documented(setting_names(config), "operating.md", "`--data-dir` names the folder")
    assert lines(found) == [3]


def test_a_reason_that_the_page_does_not_mention_is_found() -> None:
    source = plant(
        'class Reason(StrEnum):\n    """Why."""\n\n    SHORT = "SHORT"\n    GONE = "GONE"'
    )
    assert lines(check_documented(reason_names(source), "api.md", "GONE: it is gone")) == [4]


@pytest.mark.parametrize(
    "parts",
    [
        ("see /ho", "me/anna/domgrpc"),
        ("'/wo", "rk/main'"),
        ("(/tm", "p/x)"),
        ("--extra-in", "dex-url x"),
        ("https://py", "pi.org/simple"),
        ("files.python", "hosted.org"),
    ],
)
def test_a_path_of_one_machine_and_a_registry_are_found(parts: tuple[str, str]) -> None:
    assert lines(check_private_places("notes.md", "fine\n" + "".join(parts))) == [2]


@pytest.mark.parametrize(
    "text",
    ["/var/lib/domgrpc", "/etc/domgrpc/tls.pem", "docs/home/x", "buf-bin on PyPI", "a/tmp/b"],
)
def test_other_places_are_left_alone(text: str) -> None:
    assert check_private_places("notes.md", text) == []


def test_a_lock_file_is_found() -> None:
    assert lines(check_lock_file("console/package-lock.json")) == [1]
    assert check_lock_file("constraints.txt") == []


def test_an_exempted_line_is_not_found_and_its_exemption_is_needed() -> None:
    source = plant("def f(a, b, c, d, e): ...  # tidy: allow parameters: the library calls it so")
    found = check_parameters(source)
    assert len(found) == 1
    assert without_exempted([source], found) == []
    assert check_exemptions([source], found) == []


def test_an_exemption_for_another_rule_does_not_count() -> None:
    source = plant("def f(a, b, c, d, e): ...  # tidy: allow nesting: the library calls it so")
    found = check_parameters(source)
    assert without_exempted([source], found) == found
    assert "nothing here needs" in check_exemptions([source], found)[0].message


def test_an_exemption_without_a_reason_is_found() -> None:
    source = plant("def f(a, b, c, d, e): ...  # tidy: allow parameters")
    found = check_parameters(source)
    assert [str(finding) for finding in check_exemptions([source], found)] == [
        "src/domgrpc/core/products.py:1: an exemption says its reason [exemption]"
    ]
