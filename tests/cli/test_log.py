"""What can be read from a data folder without a server."""

from pathlib import Path

import pytest

from domgrpc.cli.exits import ExitCode
from tests.cli.running import Program
from tests.cli.test_ends import damage
from tests.rpc.serving import Shop, serving

OFFLINE = Program("127.0.0.1:1")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The folder of a server that has stopped after five requests."""
    async with serving(tmp_path / "data") as shop:
        await write(shop)
    return tmp_path / "data"


async def write(shop: Shop) -> None:
    await shop.add_location("store-1")
    await shop.add_location("store-2")
    await shop.count(("kettle", "store-1", 5))
    await shop.hold(("kettle", "store-1", 2))
    await shop.count(("mug", "store-2", 7))


def test_every_record_is_shown_with_its_events(folder: Path) -> None:
    records = OFFLINE.done("-o", "json", "log", "show", folder).json_lines
    assert [record["revision"] for record in records] == [1, 2, 3, 4, 5]
    assert [next(iter(record["events"][0])) for record in records] == [
        "LocationSaved",
        "LocationSaved",
        "StockUpdated",
        "StockReserved",
        "StockUpdated",
    ]
    held = records[3]["events"][0]["StockReserved"]["reservation"]
    assert (held["state"], held["lines"][0]["quantity"]) == ("HELD", 2)
    assert records[3]["request_id"] == "request-4"
    assert records[3]["time"].endswith("Z")


def test_a_range_of_revisions_can_be_shown(folder: Path) -> None:
    shown = OFFLINE.done("log", "show", folder, "--from", "2", "--to", "3").output
    assert [line.split()[0] for line in shown.splitlines()] == ["2", "3"]


def test_frames_are_shown_with_their_place(folder: Path) -> None:
    frames = OFFLINE.done("-o", "json", "log", "show", folder, "--frames").json_lines
    assert sum(frame["records"] for frame in frames) == 5
    assert all(frame["offset_bytes"] % 4096 == 0 for frame in frames)


def test_a_whole_log_is_said_to_be_whole(folder: Path) -> None:
    facts = OFFLINE.read("log", "verify", folder)
    assert (facts["whole"], facts["records"], facts["last_revision"]) == (True, 5, 5)
    assert "whole" in OFFLINE.done("log", "verify", folder).output


def test_a_server_does_not_start_on_damaged_files_and_ends_with_71(folder: Path) -> None:
    damage(folder)
    ended = OFFLINE.run("serve", "--data-dir", folder, "--port", "0")
    assert ended.exit_code == ExitCode.CORRUPTION
    assert "is damaged at byte 8192" in ended.errors


@pytest.mark.parametrize("command", ["show", "verify"])
def test_damage_is_named_and_ends_with_71(folder: Path, command: str) -> None:
    damage(folder)
    ended = OFFLINE.run("log", command, folder)
    assert ended.exit_code == ExitCode.CORRUPTION
    assert "is damaged at byte 8192" in ended.errors


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, command: str) -> None:
    ended = OFFLINE.run("log", command, tmp_path / "nowhere")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_folder_without_a_log_is_not_called_whole(tmp_path: Path, command: str) -> None:
    ended = OFFLINE.run("log", command, tmp_path)
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert ended.errors == f"error: NO_LOG: no log in {tmp_path}\n"


def test_a_damaged_end_is_given_up_in_two_steps(folder: Path) -> None:
    damage(folder)
    plan = OFFLINE.read("log", "truncate", folder, "--at", "1")
    assert (plan["done"], plan["last_revision_kept"], plan["offset_bytes"]) == (False, 1, 8192)
    assert "is damaged at byte 8192" in plan["damage"]
    assert OFFLINE.run("log", "verify", folder).exit_code == ExitCode.CORRUPTION
    wrong = OFFLINE.run("log", "truncate", folder, "--at", "1", "--confirm", "another")
    assert (wrong.exit_code, plan["digest"] in wrong.errors) == (ExitCode.CONFIGURATION, True)
    OFFLINE.done("log", "truncate", folder, "--at", "1", "--confirm", plan["digest"])
    facts = OFFLINE.read("log", "verify", folder)
    assert (facts["whole"], facts["last_revision"]) == (True, 1)


def test_what_can_be_read_is_saved_into_a_new_folder(folder: Path, tmp_path: Path) -> None:
    damage(folder)
    saved = OFFLINE.read("log", "salvage", folder, tmp_path / "saved")
    assert (saved["records"], saved["last_revision"]) == (1, 1)
    assert "is damaged at byte 8192" in saved["damage"]
    assert OFFLINE.read("log", "verify", tmp_path / "saved")["whole"] is True
    again = OFFLINE.run("log", "salvage", folder, tmp_path / "saved")
    assert again.exit_code == ExitCode.CONFIGURATION
