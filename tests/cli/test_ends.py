"""How the program ends: exit codes, and errors in one line."""

import signal
import socket
from pathlib import Path

import pytest

from domgrpc.cli.exits import ExitCode, exit_code_of
from domgrpc.client import DomgrpcError
from domgrpc.storage.disk import LocalDisk
from tests.cli.running import WAIT_SECONDS, Program, run_process, started_process
from tests.client.scripted import EXHAUSTED, UNAVAILABLE, status

NO_WAIT = ("--timeout", "0.1")


def test_a_refusal_is_one_line_with_its_reason(program: Program) -> None:
    ended = program.run("locations", "show", "nowhere")
    assert ended.exit_code == 1
    assert ended.output == ""
    assert ended.errors == (
        "error: LOCATION_NOT_FOUND: location 'nowhere' does not exist: create it first\n"
    )


def test_a_shortage_shows_the_lines_and_where_else_stock_is(
    program: Program, place: str, sku: str
) -> None:
    program.done("locations", "create", f"{place}-b", "--type", "store")
    program.done("stock", "count", sku, place, "2")
    program.done("stock", "count", sku, f"{place}-b", "8")
    ended = program.run("reserve", f"{sku}=5@{place}")
    assert ended.exit_code == 1
    assert ended.errors.startswith("error: INSUFFICIENT_STOCK: 2 of 5 units")
    assert f"8 at {place}-b" in ended.errors


def test_for_a_program_a_refusal_is_also_a_document(program: Program, place: str) -> None:
    ended = program.run("--output", "json", "reserve", f"nothing=5@{place}")
    assert ended.exit_code == 1
    error = ended.json["error"]
    assert (error["code"], error["reason"]) == ("FAILED_PRECONDITION", "INSUFFICIENT_STOCK")
    assert error["short_lines"][0]["asked_quantity"] == 5
    assert ended.errors.startswith("error: INSUFFICIENT_STOCK")


@pytest.mark.parametrize(
    "line",
    [
        ("no-such-command",),
        ("reserve",),
        ("reserve", "kettle=two"),
        ("reserve", "kettle", "--ttl", "soon"),
        ("reserve", "kettle=0@store-1"),
        ("stock", "count", "kettle", "store-1", "-5"),
        ("stock", "adjust", "kettle", "store-1", "99999999999999999999"),
        ("stock", "count", "", "store-1", "5"),
        ("locations", "create", "x", "--type", "shop"),
        ("load", "no-such-file.csv"),
        ("--output", "xml", "status"),
        ("--certificate-file", "no-such-file.pem", "status"),
    ],
    ids=" ".join,
)
def test_what_is_not_well_formed_ends_with_2(program: Program, line: tuple[str, ...]) -> None:
    ended = program.run(*line)
    assert ended.exit_code == ExitCode.USAGE
    assert "rror: " in ended.errors
    assert "Traceback" not in ended.errors


def test_without_a_server_it_ends_with_3_and_names_the_address(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    ended = Program(address).run(*NO_WAIT, "status")
    assert ended.exit_code == ExitCode.UNAVAILABLE
    assert f"no server at {address}" in ended.errors


@pytest.mark.slow
def test_a_server_that_does_not_answer_ends_with_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = Program(f"127.0.0.1:{silent.getsockname()[1]}").run(*NO_WAIT, "status")
    assert ended.exit_code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (status(EXHAUSTED, "SERVER_BUSY"), ExitCode.UNAVAILABLE),
        (status(EXHAUSTED, "DISK_FULL"), ExitCode.UNAVAILABLE),
        (status(EXHAUSTED, "RESERVATION_QUOTA_EXCEEDED"), ExitCode.REFUSED),
        (status(UNAVAILABLE, "SERVER_DRAINING"), ExitCode.UNAVAILABLE),
    ],
    ids=lambda each: getattr(each, "message", ""),
)
def test_a_server_in_trouble_is_no_refusal(error: object, code: ExitCode) -> None:
    assert exit_code_of(DomgrpcError(error)) is code  # type: ignore[arg-type] # of two columns


@pytest.mark.slow
def test_the_program_ends_with_the_code(program: Program) -> None:
    ended = run_process("locations", "show", "nowhere", DOMGRPC_SERVER=program.server)
    assert (ended.exit_code, ended.output) == (1, "")


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(program: Program, place: str, sku: str) -> None:
    program.done("stock", "count", sku, place, "1")
    with started_process("watch", sku, "--after", "0", server=program.server) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert sku in watch.stdout.readline()
        watch.stdout.close()
        program.done("stock", "count", sku, place, "2")
        assert watch.wait(WAIT_SECONDS) == 1
        assert watch.stderr.read() == ""


@pytest.mark.slow
def test_an_interruption_ends_with_130(program: Program, place: str, sku: str) -> None:
    program.done("stock", "count", sku, place, "1")
    with started_process("watch", sku, "--after", "0", server=program.server) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert sku in watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        assert watch.wait(WAIT_SECONDS) == ExitCode.INTERRUPTED
        assert watch.stderr.read() == ""


def test_a_setting_outside_its_limits_ends_with_73(program: Program, tmp_path: Path) -> None:
    ended = program.run("serve", "--data-dir", tmp_path, "--port", "70000")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert ended.errors.startswith("error: port is 70000; 0 to 65535")


@pytest.mark.slow
def test_a_certificate_that_cannot_be_read_ends_with_73(program: Program, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    ended = program.run(
        *("serve", "--data-dir", tmp_path / "data", "--port", "0"),
        *("--tls-certificate-file", missing, "--tls-key-file", missing),
    )
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert "missing.pem cannot be read" in ended.errors


@pytest.mark.slow
def test_a_port_that_is_taken_ends_with_73(program: Program, tmp_path: Path) -> None:
    port = program.server.rpartition(":")[2]
    ended = run_process("serve", "--data-dir", tmp_path / "data", "--port", port)
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert f"error: cannot listen on 127.0.0.1:{port}" in ended.errors


def test_a_folder_in_use_ends_with_73_and_names_the_process(program: Program) -> None:
    assert program.folder is not None
    ended = program.run("serve", "--data-dir", program.folder, "--port", "0")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert "is in use by process" in ended.errors


def test_a_folder_that_cannot_be_made_ends_with_73(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = program.run("serve", "--data-dir", tmp_path / "file" / "data", "--port", "0")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert "cannot be used" in ended.errors


def damage(folder: Path) -> None:
    """Flip a bit of the second frame, in the middle of the log."""
    name = next(name for name in LocalDisk(folder).list_names() if name.startswith("log-"))
    with (folder / name).open("r+b") as segment:
        segment.seek(2 * 4096 + 100)
        (before,) = segment.read(1)
        segment.seek(-1, 1)
        segment.write(bytes([before ^ 1]))
