"""Each command against a real server: what it prints and what it changes."""

import json

import pytest

from tests.cli.running import Program, started_process


@pytest.fixture
def stocked(program: Program, place: str, sku: str) -> tuple[str, str]:
    """A SKU with ten units at a location."""
    program.done("stock", "count", sku, place, "10")
    return sku, place


def test_locations(program: Program, place: str) -> None:
    assert program.read("locations", "show", place)["state"] == "ENABLED"
    closed = program.read(
        *("locations", "disable", place, "--reason", "flood", "--until", "2099-01-01")
    )
    assert closed["state"] == "DISABLED"
    assert closed["disabled_window"]["end_time"] == "2099-01-01T00:00:00Z"
    assert program.read("locations", "enable", place)["disabled_window"] is None
    listed = program.read("locations", "list", "--type", "store", "--limit", "0")["locations"]
    assert place in {location["location_id"] for location in listed}
    assert place in program.done("locations", "list", "--limit", "0").output


def test_groups(program: Program, place: str) -> None:
    group = f"group-of-{place}"
    program.done("locations", "groups", "set", group, place, "--name", "South")
    shown = program.read("locations", "groups", "show", group)
    assert (shown["display_name"], shown["location_ids"]) == ("South", [place])
    emptied = program.read("locations", "groups", "set", group)
    assert (emptied["display_name"], emptied["location_ids"]) == ("South", [])
    assert group in program.done("locations", "groups", "list").output
    program.done("locations", "groups", "delete", group)
    assert program.run("locations", "groups", "show", group).exit_code == 1


def test_products(program: Program, sku: str) -> None:
    program.done(
        *("products", "set", sku, "--name", "Kettle", "--category", "kitchen"),
        *("--backorder", "limited", "--backorder-limit", "5"),
    )
    program.done("products", "set", sku, "--unit", "box")
    shown = program.read("products", "show", sku)
    assert (shown["display_name"], shown["unit"], shown["categories"]) == (
        "Kettle",
        "box",
        ["kitchen"],
    )
    assert shown["backorder_policy"]["mode"] == "LIMITED"
    assert sku in program.done("products", "list", "--category", "kitchen").output
    assert program.run("products", "set", sku).exit_code == 2


def test_stock(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    program.done("stock", "adjust", sku, place, "-3", "--reason", "broken")
    program.done("stock", "move", sku, place, "2", "--to-condition", "damaged")
    program.done("stock", "inbound", sku, place, "po-1", "9", "--due", "2099-01-01")
    program.done("stock", "receive", sku, place, "po-1", "4", "--close")
    tried = program.done("stock", "count", sku, place, "0", "--dry-run").output
    assert tried.startswith("dry run: nothing was changed\n")
    (position,) = program.read("stock", "show", sku, "--location", place)["positions"]
    assert position["on_hand"] == 10 - 3 - 2 + 4
    assert position["conditions"] == [{"condition": "DAMAGED", "quantity": 2}]
    assert position["inbound"] == []
    assert position["level"] == "IN_STOCK"


def test_availability(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    answer = program.read("available", f"{sku}=11", "--location", place, "--days", "3", "--parts")
    (item,) = answer["items"]
    assert (item["available_to_fulfill"], item["sufficient"]) == (10, False)
    assert item["locations"][0]["parts"]["on_hand"] == 10
    assert item["available_to_promise"][0]["quantity"] == 10
    table = program.done(
        *("available", f"{sku}=4", "--near", "36.36,-94.22", "--parts", "--days", "1")
    ).output
    assert place in table
    assert "yes" in table
    assert "to promise" in table


def test_a_scope_is_named_in_one_way(program: Program) -> None:
    ended = program.run("available", "kettle", "--zip", "72712", "--group", "south")
    assert ended.exit_code == 2
    assert "--zip and --group exclude each other" in ended.errors


def test_a_zip_code_that_is_none_is_refused_as_usage(program: Program) -> None:
    ended = program.run("available", "kettle", "--zip", "606140")
    assert ended.exit_code == 2
    assert "'606140' is no known US ZIP code" in ended.errors


def test_the_life_of_a_hold(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    hold = program.read("reserve", f"{sku}=4@{place}", "--ttl", "15m", "--reference", "cart 7")
    key = hold["reservation_id"]
    assert (hold["state"], hold["client_id"], hold["short_lines"]) == ("HELD", "cli", [])
    program.done("reservations", "update", key, f"{sku}=3@{place}", "--ttl", "1h")
    assert "cart 7" in program.done("reservations", "show", key).output
    assert program.read("confirm", key)["state"] == "CONFIRMED"
    settled = program.read("settle", key, "shipped", f"{sku}=2@{place}")
    assert settled["lines"][0]["settled_quantity"] == 2
    program.done("settle", key, "cancelled")
    listed = program.read("reservations", "list", "--sku", sku, "--state", "confirmed")
    assert [each["reservation_id"] for each in listed["reservations"]] == [key]


def test_a_hold_can_be_moved_and_given_back(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    program.done("locations", "create", f"{place}-b", "--type", "store")
    program.done("stock", "count", sku, f"{place}-b", "5")
    key = program.read("reserve", f"{sku}=2@{place}", "--id", f"hold-{sku}")["reservation_id"]
    moved = program.read("reservations", "move", key, sku, place, "--to", f"{place}-b")
    assert [line["location_id"] for line in moved["lines"]] == [f"{place}-b"]
    assert program.read("release", key, "--reason", "test")["state"] == "RELEASED"


def test_the_same_request_id_gives_the_first_answer(
    program: Program, stocked: tuple[str, str]
) -> None:
    sku, place = stocked
    line = ("reserve", f"{sku}@{place}", "--request-id", f"once-{sku}")
    assert program.read(*line) == program.read(*line)


def test_what_could_not_be_held_is_shown(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    shown = program.done("reserve", f"{sku}=12@{place}", "--partial", "--dry-run").output
    assert shown.startswith("dry run: nothing was changed\n")
    assert "not held" in shown


@pytest.mark.parametrize("group", ["safety-stock", "rules"])
def test_safety_stock_rules(program: Program, stocked: tuple[str, str], group: str) -> None:
    sku, place = stocked
    rule = f"rule-{sku}"
    program.done(
        *(group, "create", rule, "--sku", sku, "--percent", "20"),
        *("--channel", "web", "--until", "2099-01-01"),
    )
    explained = program.read(group, "explain", sku, place, "--channel", "web")
    assert explained["decisions"] == [
        {"kind": "SAFETY_STOCK", "rule_id": rule, "quantity": 2, "other_rule_ids": []}
    ]
    assert rule in program.done(group, "explain", sku, place, "--channel", "web").output
    assert program.read(group, "show", rule)["percent_of_on_hand"] == 20
    assert f"sku {sku}, channel web" in program.done("safety-stock", "list").output
    program.done(group, "delete", rule)
    assert program.run(group, "create", rule, "--sku", sku).exit_code == 2


def test_a_watch_prints_what_happened(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    program.done("stock", "adjust", sku, place, "5")
    seen = program.done("-o", "json", "watch", sku, "--after", "0", "--count", "2").json_lines
    assert [line["change"]["on_hand_delta"] for line in seen] == [10, 5]
    told = program.done("watch", sku, "--after", "0", "--count", "2").output
    assert f"ADJUSTED  {sku} @ {place}  on hand +5" in told


@pytest.mark.slow
def test_a_watch_may_begin_with_the_figures(program: Program, stocked: tuple[str, str]) -> None:
    sku, _ = stocked
    with started_process("-o", "json", "watch", sku, "--snapshot", server=program.server) as watch:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
    assert first["position"]["on_hand"] == 10


def test_a_watch_of_what_is_unknown_says_so(program: Program, place: str, sku: str) -> None:
    program.done("stock", "count", sku, place, "1")
    ended = program.done("watch", sku, f"{sku}-x", "--after", "0", "--count", "1")
    assert ended.errors == f"nothing is known of '{sku}-x' so far; waiting for it\n"
    refused = program.run("watch", "--location", "nope")
    assert refused.exit_code == 1
    assert refused.errors.startswith("error: LOCATION_NOT_FOUND: ")


def test_a_list_that_is_cut_says_so(program: Program, stocked: tuple[str, str]) -> None:
    sku, place = stocked
    program.done("stock", "count", f"{sku}-b", place, "2")
    cut = program.done("stock", "show", "--location", place, "--limit", "1")
    assert cut.errors == "1 shown; more with --limit 0\n"
    assert len(cut.output.splitlines()) == 3
    whole = program.done("stock", "show", "--location", place, "--limit", "2")
    assert (whole.errors, len(whole.output.splitlines())) == ("", 4)


def test_status(program: Program, place: str) -> None:
    status = program.read("status")
    assert status["revision"] == status["durable_revision"] > 0
    assert status["location_count"] > 0
    assert "recovery_summary" in program.done("status").output
    assert place


@pytest.mark.slow
def test_snapshot_and_verification(program: Program, place: str) -> None:
    assert program.read("snapshot")["size_bytes"] > 0
    assert program.done("verify").output.startswith("consistent")
    assert place


def test_the_form_of_the_output_may_stand_anywhere(program: Program, place: str) -> None:
    behind = program.done("locations", "show", place, "--output", "json").json
    assert behind == program.read("locations", "show", place)
