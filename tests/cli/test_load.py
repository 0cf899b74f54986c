"""Loading files: every row is applied or rejected, once, whatever comes between."""

import csv
import gzip
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from domgrpc.cli.exits import ExitCode
from domgrpc.cli.loading.csv_files import BLOCK_ROWS, digest_of, open_csv
from domgrpc.cli.loading.loads import Load
from domgrpc.cli.loading.rejects import Rejects
from domgrpc.cli.loading.stock import SOURCE_COUNT, FileFeed, feed_of, load_stock
from domgrpc.client import DomgrpcClient
from tests.cli.running import WAIT_SECONDS, Program, started_process
from tests.tidy.project_files import ROOT, read_text

HEADER = "sku,location_id,on_hand\n"
ROW_COUNT = 8 * BLOCK_ROWS


def rejected(path: Path) -> list[dict[str, str]]:
    """Return the rows of a rejects file."""
    with path.with_name(path.name + ".rejects.csv").open(
        encoding="utf-8", errors="surrogateescape", newline=""
    ) as file:
        return list(csv.DictReader(file))


def test_stock_is_loaded(program: Program, place: str, sku: str, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(f"{HEADER}{sku}-a,{place},7\n\n{sku}-b,{place},0\n")
    report = program.read("load", file)
    assert (report["kind"], report["rows"], report["applied"]) == ("stock", 2, 2)
    assert report["rejects_file"] is None
    positions = program.read("stock", "show", "--location", place)["positions"]
    assert {each["sku"]: each["on_hand"] for each in positions} == {f"{sku}-a": 7, f"{sku}-b": 0}
    assert not list(tmp_path.glob("*.rejects.csv"))


def test_columns_may_stand_in_any_order_and_have_conditions(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(
        "on_hand,effective_time,location_id,sku,expected_on_hand\n"
        f"5,2020-01-01,{place},{sku},0\n"
        f"6,,{place},{sku},5\n"
        f"7,,{place},{sku},5\n"
        f"8,soon,{place},{sku},\n"
    )
    assert program.run("load", file).exit_code == ExitCode.REJECTED_ROWS
    assert [(row["line"], row["reason"]) for row in rejected(file)] == [
        ("4", "STALE_EXPECTATION"),
        ("5", "INVALID_FIELD"),
    ]
    (position,) = program.read("stock", "show", sku)["positions"]
    assert position["on_hand"] == 6


def test_a_compressed_file_with_another_delimiter_is_loaded(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv.gz"
    content = f"\N{ZERO WIDTH NO-BREAK SPACE}sku;location_id;on_hand\r\n{sku};{place};3\r\n"
    file.write_bytes(gzip.compress(content.encode()))
    assert program.read("load", "--delimiter", ";", file)["applied"] == 1


def test_refused_rows_keep_line_reason_and_cells(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    rows = [
        f"{sku},{place},5",
        f"{sku},nowhere,5",
        f'"two\nlines",{place},5',
        f"{sku},{place},many",
        f"{sku},{place},-1",
        f",{place},5",
        f"{sku},{place},5,5",
        f"cafe\u0301,{place},5",
        f"{'x' * 129},{place},5",
        f"{sku},{place},10000000000001",
    ]
    file.write_bytes((HEADER + "\n".join(rows) + "\n").encode() + b"\xff," + place.encode() + b",5")
    ended = program.run("-o", "json", "load", file)
    assert ended.exit_code == ExitCode.REJECTED_ROWS
    assert (ended.json["applied"], ended.json["rejected"]) == (1, 10)
    found = rejected(file)
    assert [(row["line"], row["reason"]) for row in found] == [
        ("3", "LOCATION_NOT_FOUND"),
        ("4", "INVALID_FIELD"),
        ("6", "INVALID_FIELD"),
        ("7", "INVALID_FIELD"),
        ("8", "INVALID_FIELD"),
        ("9", "WRONG_FIELD_COUNT"),
        ("10", "INVALID_FIELD"),
        ("11", "INVALID_FIELD"),
        ("12", "INVALID_FIELD"),
        ("13", "INVALID_FIELD"),
    ]
    assert found[1]["sku"] == "two\nlines"
    assert found[2]["message"] == "on_hand is 'many'; a whole number is needed"


def test_the_rejects_file_can_be_corrected_and_loaded(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(f"{HEADER}{sku},nowhere,5\n")
    program.run("load", file)
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", newline="") as target:
        writer = csv.DictWriter(target, ("sku", "location_id", "on_hand"), extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "location_id": place} for row in rejected(file))
    assert program.read("load", corrected)["applied"] == 1


def test_a_second_load_changes_nothing_unless_it_is_asked_to(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(f"{HEADER}{sku},{place},5\n{sku},nowhere,5\n")
    program.run("load", file)
    program.done("stock", "count", sku, place, "9")
    ended = program.run("-o", "json", "load", file)
    assert ended.exit_code == ExitCode.REJECTED_ROWS
    assert (ended.json["applied"], ended.json["skipped"], ended.json["rejected"]) == (0, 1, 1)
    assert program.read("stock", "show", sku)["positions"][0]["on_hand"] == 9
    assert "--again" in program.run("load", file).output
    assert program.run("load", "--again", file).exit_code == ExitCode.REJECTED_ROWS
    assert program.read("stock", "show", sku)["positions"][0]["on_hand"] == 5


def test_files_share_a_bounded_number_of_sources() -> None:
    feeds = {feed_of(f"{number:064x}") for number in range(4_000)}
    assert len(feeds) == 4_000
    assert len({feed.source for feed in feeds}) <= SOURCE_COUNT
    assert feed_of("a" * 64) != feed_of("a" * 64, run="1")


def test_a_file_goes_on_where_it_was_unless_another_of_its_source_came() -> None:
    feed, other = FileFeed("load:1", 5), FileFeed("load:1", 6)
    before, applied = feed.place_of(0)
    assert applied == 0
    assert feed.place_of(before + 7) == (before, 7)
    other_before, applied = other.place_of(before + 7)
    assert applied == 0
    assert other_before > before + 7
    # The first file again: from its beginning, under numbers that are new.
    again, applied = feed.place_of(other_before + 3)
    assert applied == 0
    assert again > other_before + 3


class Interrupted(Exception):
    """The load is interrupted here."""


@pytest.mark.slow
async def test_an_interrupted_load_goes_on_where_it_was(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = large_file(tmp_path, place, sku)
    feed = feed_of(digest_of(file))
    seen_counts: list[int] = []

    def note(*, read_bytes: int, row_count: int) -> None:
        assert read_bytes > 0
        seen_counts.append(row_count)

    def interrupt(*, read_bytes: int, row_count: int) -> None:
        note(read_bytes=read_bytes, row_count=row_count)
        if row_count >= ROW_COUNT // 2:
            raise Interrupted

    async with DomgrpcClient(program.server, client_id="cli") as client:
        with open_csv(file, ",") as opened:
            rejects = Rejects(file, opened.columns, ",")
            load = Load(opened, rejects, interrupt)
            with pytest.raises(Interrupted):
                await load_stock(client, load, feed)
            rejects.close()
        applied_first = load.applied_count
        assert applied_first > 0
        with open_csv(file, ",") as opened:
            rejects = Rejects(file, opened.columns, ",")
            load = Load(opened, rejects, note)
            await load_stock(client, load, feed)
            rejects.close()
        page = await client.list_positions(location_id=place, page_size=1)
    assert load.row_count == seen_counts[-1] == ROW_COUNT
    assert load.skipped_count >= applied_first
    assert load.applied_count + load.skipped_count + load.rejects.count == ROW_COUNT
    assert [int(row["line"]) for row in rejected(file)] == list(range(100, ROW_COUNT, 1_000))
    assert page.positions


@pytest.mark.slow
def test_a_load_that_was_killed_goes_on_where_it_was(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = large_file(tmp_path, place, sku)
    rejects = file.with_name(file.name + ".rejects.csv")
    with started_process("load", file, server=program.server) as killed:
        _wait_for(rejects, killed)
    ended = program.run("-o", "json", "load", file)
    report = ended.json
    assert report["rows"] == ROW_COUNT
    assert report["applied"] + report["skipped"] + report["rejected"] == ROW_COUNT
    assert [int(row["line"]) for row in rejected(file)] == list(range(100, ROW_COUNT, 1_000))


@pytest.mark.slow
def test_an_interrupted_load_says_how_far_it_came(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = large_file(tmp_path, place, sku)
    rejects = file.with_name(file.name + ".rejects.csv")
    with started_process("load", file, server=program.server) as load:
        _wait_for(rejects, load)
        load.send_signal(signal.SIGINT)
        assert load.wait(WAIT_SECONDS) == ExitCode.INTERRUPTED
        assert load.stderr is not None
        said = load.stderr.read()
    assert said.startswith(f"{file}: interrupted with ")
    assert said.endswith("rows in; the same command again goes on from there\n")


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    # Looked for often: what is interrupted must not be over before.
    while not file.exists() and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)


def large_file(folder: Path, place: str, sku: str) -> Path:
    """Write a file of which every thousandth row names a location that is not there."""
    file = folder / "large.csv"
    with file.open("w") as target:
        target.write(HEADER)
        for line in range(2, ROW_COUNT + 2):
            location = "nowhere" if line % 1_000 == 100 else place
            target.write(f"{sku}-{line % 5_000},{location},{line}\n")
    return file


def test_locations_are_added_and_changed(program: Program, place: str, tmp_path: Path) -> None:
    file = tmp_path / "locations.csv"
    file.write_text(
        "location_id,type,display_name,latitude,longitude,"
        "delivery_methods,backorder_enabled,groups\n"
        f"{place}-a,distribution_center,DC,35,-90,ship-to-home|PICKUP,yes,{place}-g\n"
        f"{place},,Renamed,,,,,{place}-g;{place}-h\n"
        f"{place}-b,shop,,,,,,\n"
        f"{place}-c,store,,35,,,,\n"
        f"{place}-d,,No type,,,,,\n"
        f"{place}-e,,,,,,,\n"
        f"{place}-f,store,,91,0,,,\n"
        f"{place},,Renamed again,,,,,\n"
        f" {place},,Blank,,,,,\n"
        f"{place} ,,Blank,,,,,\n"
    )
    ended = program.run("-o", "json", "load", file)
    assert ended.exit_code == ExitCode.REJECTED_ROWS
    assert (ended.json["rows"], ended.json["applied"]) == (10, 3)
    reasons = {row["line"]: row["reason"] for row in rejected(file)}
    assert reasons == dict.fromkeys("4578", "INVALID_FIELD") | {
        "6": "LOCATION_TYPE_MISSING",
        "7": "NOTHING_SAID",
        "10": "INVALID_FIELD",
        "11": "INVALID_FIELD",
    }
    messages = {row["line"]: row["message"] for row in rejected(file)}
    assert messages["11"] == f"location_id '{place} ' begins or ends with a blank"
    made = program.read("locations", "show", f"{place}-a")
    assert made["delivery_methods"] == ["SHIP_TO_HOME", "PICKUP"]
    assert (made["backorder_enabled"], made["point"]["latitude_degrees"]) == (True, 35)
    changed = program.read("locations", "show", place)
    assert (changed["display_name"], changed["type"]) == ("Renamed again", "STORE")
    group = program.read("locations", "groups", "show", f"{place}-g")
    assert group["location_ids"] == [place, f"{place}-a"]
    again = program.run("-o", "json", "load", file)
    assert (again.json["applied"], again.json["rejected"]) == (3, 7)


def test_products_are_added_and_changed(program: Program, sku: str, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(
        "sku,display_name,unit,weight_grams,categories,keep_together,backorder_mode,"
        "backorder_limit_quantity,substitute_skus\n"
        f"{sku}-a,Kettle,each,900,kitchen|hot,true,limited,5,{sku}-b\n"
        f"{sku}-b,Mug,,,,,,,\n"
        f"{sku}-c,,{'x' * 17},,,,,,\n"
        f"{sku}-d,,,heavy,,,,,\n"
        f"{sku}-e,,,,,maybe,,,\n"
        f"{sku}-f,,,,,,,,\n"
        f"{sku}-b,,box,,,,,,\n"
    )
    ended = program.run("-o", "json", "load", file)
    assert ended.exit_code == ExitCode.REJECTED_ROWS
    assert (ended.json["rows"], ended.json["applied"]) == (7, 3)
    assert {row["line"]: row["message"] for row in rejected(file)} == {
        "4": "unit has 17 bytes; up to 16 are allowed",
        "5": "weight_grams is 'heavy'; a whole number is needed",
        "6": "keep_together is 'maybe'; true or false is needed",
        "7": "the row says nothing about the product but its sku",
    }
    made = program.read("products", "show", f"{sku}-a")
    assert (made["weight_grams"], made["categories"]) == (900, ["hot", "kitchen"])
    assert (made["backorder_policy"]["mode"], made["substitute_skus"]) == ("LIMITED", [f"{sku}-b"])
    changed = program.read("products", "show", f"{sku}-b")
    assert (changed["display_name"], changed["unit"]) == ("Mug", "box")


def test_of_a_large_batch_of_products_only_the_bad_ones_are_rejected(
    program: Program, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    rows = (f"{sku}-{number},{'x' * (9 + number % 8)}\n" for number in range(2_500))
    bad = f"{sku}-bad,{'x' * 17}\n"
    file.write_text("sku,unit\n" + bad + "".join(rows) + bad)
    report = program.run("-o", "json", "load", file).json
    assert (report["applied"], report["rejected"]) == (2_500, 2)
    assert [row["line"] for row in rejected(file)] == ["2", "2503"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("colour,size\nred,5\n", "locations need location_id"),
        ("sku,location_id\na,b\n", "has no column on_hand, which stock needs"),
        (HEADER.replace("on_hand", "on_hand,colour"), "has the column 'colour', which is none"),
        ("sku,location_id,on_hnd\n", "'on_hnd' is not known, did you mean 'on_hand'?"),
        ("sku,on_hand\na,1\n", "has no column location_id, which stock needs"),
        ("sku,sku,unit\na,a,b\n", "a column twice"),
        (f'{HEADER}"a\n', "cannot be read behind line"),
    ],
    ids=[
        "empty",
        "blank",
        "unknown",
        "no quantity",
        "misspelt quantity",
        "strange column",
        "no location",
        "twice",
        "open quote",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_as_a_whole(
    program: Program, tmp_path: Path, content: str, problem: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(content)
    ended = program.run("load", file)
    assert ended.exit_code == ExitCode.USAGE
    assert problem in ended.errors
    assert f"error: FILE_UNREADABLE: {file} " in ended.errors


def test_unknown_columns_may_be_ignored(
    program: Program, place: str, sku: str, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(f"sku,colour,location_id,on_hand\n{sku},red,{place},5\n")
    assert program.read("load", "--ignore-unknown", file)["applied"] == 1


def test_a_file_that_is_not_compressed_as_its_name_says_is_refused(
    program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv.gz"
    file.write_text(HEADER)
    ended = program.run("load", file)
    assert ended.exit_code == ExitCode.USAGE
    assert "cannot be read" in ended.errors


def test_without_a_server_a_load_ends_with_3(tmp_path: Path, unused_tcp_port: int) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(f"{HEADER}kettle,store-1,5\n")
    ended = Program(f"127.0.0.1:{unused_tcp_port}").run("--timeout", "0.1", "load", file)
    assert ended.exit_code == ExitCode.UNAVAILABLE


def test_the_examples_can_be_loaded(program: Program, tmp_path: Path) -> None:
    for kind in ("locations", "products", "stock"):
        file = tmp_path / f"{kind}.csv"
        file.write_text(read_text(ROOT / "examples" / file.name))
        report = program.read("load", file)
        assert (report["kind"], report["rejected"]) == (kind, 0)
        assert report["applied"] == report["rows"] > 0
