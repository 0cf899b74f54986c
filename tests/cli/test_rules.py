"""Rule sets from the command line: files, presets, and their way into force."""

import json
from pathlib import Path

import pytest

from domgrpc.cli.rules import is_about_safety_stock
from tests.cli.running import Program
from tests.tidy.project_files import ROOT

EXAMPLE = ROOT / "examples/rule_set.toml"


@pytest.mark.slow
def test_the_example_goes_from_a_file_into_force_and_back(program: Program, place: str) -> None:
    made = program.read("rules", "create", EXAMPLE)
    version = str(made["version"])
    assert (made["state"], made["strategy"]) == ("DRAFT", "CHEAPEST")
    assert made["promise"] == 5 * 86_400
    assert made["replanning"] == {"stability_price_micros": 500_000, "cool_down": 1_800}
    assert [rule["effect"] for rule in made["rules"]] == ["REQUIRE", "EXCLUDE", "PREFER", "LIMIT"]
    program.done("rules", "validate", version)
    active = program.done("rules", "activate", version).output
    assert "heavy-not-from-stores" in active
    assert "PREFER +1.50" in active
    assert program.read("rules", "show")["version"] == made["version"]
    shown = program.done("rules", "show", version).output
    assert shown.startswith("version ")
    assert "order.weekday >= 6 && location.type == 'STORE'" in shown
    listed = program.read("rules", "list", "--state", "active")["rule_sets"]
    assert [rule_set["version"] for rule_set in listed] == [made["version"]]
    assert "Cheapest, but kind to the stores" in program.done("rules", "list").output
    assert program.read("rules", "activate", "0")["state"] == "ACTIVE"
    assert program.done("rules", "show", "0").output.startswith("version ")
    assert place


def test_what_is_shown_as_json_can_be_created_again(program: Program, tmp_path: Path) -> None:
    first = program.read("rules", "create", EXAMPLE)
    file = tmp_path / "again.json"
    file.write_text(json.dumps(first))
    again = program.read("rules", "create", file)
    assert again["version"] == first["version"] + 1
    for name in ("display_name", "prices", "limits", "replanning", "promise", "rules"):
        assert again[name] == first[name]


def test_a_preset_is_created_by_its_name(program: Program) -> None:
    made = program.read("rules", "create", "--preset", "nearest-first")
    assert (made["strategy"], made["rules"]) == ("NEAREST_FIRST", [])


def test_a_bad_condition_is_told_with_its_place(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('rules = [{rule_id = "r", effect = "limit", condition = "order.chanel == 1"}]')
    version = str(program.read("rules", "create", file)["version"])
    refused = program.run("rules", "validate", version)
    assert refused.exit_code == 1
    assert refused.errors == (
        "error: RULE_SET_INVALID: rule 'r', condition, column 7, at 'chanel == 1': "
        "order has no fact 'chanel', did you mean 'channel'?\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", "strategy = ", "is no rule set: Invalid value"),
        ("a.toml", "strateg = 'cheapest'", "has no field named"),
        ("a.toml", "strategy = 'quickest'", "ROUTING_STRATEGY_QUICKEST"),
        ("a.toml", "promise = 'soon'", "promise 'soon' is no duration"),
        ("a.toml", "promise = true", "is no rule set"),
        ("a.toml", "promise = []", "promise is []: write seconds"),
        ("a.toml", "prices = 3", "3 stands where fields of RoutingPrices should"),
        ("a.json", "[]", "[] stands where fields of RuleSet should"),
        ("a.json", "{", "is no rule set"),
        ("a.json", "\udcff", "is no rule set"),
    ],
)
def test_a_file_that_is_no_rule_set_is_told(
    program: Program, tmp_path: Path, name: str, content: str, said: str
) -> None:
    file = tmp_path / name
    file.write_text(content, errors="surrogateescape")
    ended = program.run("rules", "create", file)
    assert ended.exit_code == 2
    assert ended.errors.startswith(f"error: FILE_UNREADABLE: {file} is no rule set: ")
    assert said in ended.errors


@pytest.mark.parametrize("words", [(), (EXAMPLE, "--preset", "cheapest")])
def test_a_file_or_a_preset_is_needed(program: Program, words: tuple[str | Path, ...]) -> None:
    ended = program.run("rules", "create", *words)
    assert ended.exit_code == 2
    assert "give a FILE or --preset" in ended.errors


def test_a_file_that_is_not_there_is_told(program: Program) -> None:
    ended = program.run("rules", "create", "nowhere.toml")
    assert (ended.exit_code, ended.output) == (2, "")
    assert "nowhere.toml" in ended.errors


@pytest.mark.parametrize(
    ("line", "is_old"),
    [
        ("delete r", True),
        ("explain kettle store-7", True),
        ("create r --quantity 3", True),
        ("create r --percent=20", True),
        ("show r", True),
        ("show 3", False),
        ("show", False),
        ("create rules.toml", False),
        ("list", False),
    ],
)
def test_old_lines_about_safety_stock_are_told_from_new_ones(line: str, *, is_old: bool) -> None:
    assert is_about_safety_stock(line.split()) is is_old


@pytest.mark.slow
def test_a_rule_set_is_tried_on_the_newest_orders(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    program.done("stock", "count", sku, place, "5")
    program.done("locations", "create", f"{place}-beside", "--type", "store")
    order_id = str(program.read("order", "place", f"{sku}=2", "--zip", "60614")["order_id"])
    file = tmp_path / "none.toml"
    condition = f"location.id == '{place}'"
    file.write_text(f'rules = [{{rule_id = "r", effect = "exclude", condition = "{condition}"}}]')
    version = str(program.read("rules", "create", file)["version"])
    program.done("rules", "validate", version)
    told = program.done("rules", "dry-run", version, "--orders", "1").output
    first, active, tried, *table = told.splitlines()
    assert first == "1 order: 1 would be planned otherwise"
    assert active.startswith("rule set ")
    assert active.endswith("nobody can fill 0 units of 0 orders")
    assert tried.startswith(f"rule set {version}: 0 packages, paid 0.00, cost 0.00;")
    assert tried.endswith("nobody can fill 2 units of 1 order")
    assert any(order_id in row and place in row for row in table)
    answer = program.read("rules", "dry-run", version, "--orders", "1")
    assert answer["rule_set"]["state"] == "DRY_RUN"
    assert [each["order_id"] for each in answer["orders"]] == [order_id]
    active_version = str(program.read("rules", "show")["version"])
    same = program.done("rules", "dry-run", active_version, "--orders", "1")
    assert order_id not in same.output
    shown = program.done("rules", "dry-run", active_version, "--orders", "1", "--all")
    assert order_id in shown.output
