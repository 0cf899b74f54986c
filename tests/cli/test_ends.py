"""How the program ends: exit codes, and errors in one line."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO

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
        ("--server", "localhost", "status"),
        ("--server", "", "status"),
        ("--server", "localhost:99999", "status"),
        ("--timeout", "0", "status"),
        ("--timeout", "-1", "status"),
        ("--timeout", "nan", "status"),
        ("reserve", "kettle", "--ttl", "5m", "--until", "2030-01-01"),
        ("products", "set", "kettle", "--backorder-limit", "3"),
        ("stock", "show", "kettle\udcff"),
    ],
    ids=lambda line: ascii(" ".join(line)),
)
def test_what_is_not_well_formed_ends_with_2(program: Program, line: tuple[str, ...]) -> None:
    ended = program.run(*line)
    assert ended.exit_code == ExitCode.USAGE
    assert ended.errors.startswith("error: ")
    assert ended.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "reason", "named"),
    [
        (("stock", "count", "kettle", "store-1", "-5"), "INVALID_OPTION", "QUANTITY: "),
        (("stock", "show", "--limit", "-5"), "INVALID_OPTION", "--limit: "),
        (("available", "kettle", "--near", "x"), "INVALID_OPTION", "--near 'x'"),
        (("status", "--timeout", "0"), "INVALID_OPTION", "--timeout is 0"),
        (("status", "--server", "x"), "INVALID_OPTION", "--server is 'x'"),
        (("locations", "create", "x", "--type", "shop"), "INVALID_OPTION", "--type: 'shop'"),
        (("status", "--ca-file", "no-such-file.pem"), "FILE_UNREADABLE", "no-such-file.pem"),
        (("load", "no-such-file.csv"), "FILE_UNREADABLE", "no-such-file.csv"),
    ],
    ids=lambda part: part if isinstance(part, str) else part[0],
)
def test_an_error_of_this_side_has_a_reason_and_is_a_document_too(
    program: Program, line: tuple[str, ...], reason: str, named: str
) -> None:
    ended = program.run(*line, "-o", "json")
    assert ended.exit_code == ExitCode.USAGE
    error = ended.json["error"]
    assert (error["code"], error["reason"]) == (None, reason)
    assert named in error["message"]
    assert ended.errors == f"error: {reason}: {error['message']}\n"


@pytest.mark.parametrize("word", ["--output=json", "-ojson"])
def test_the_form_of_the_output_is_seen_on_a_line_that_cannot_be_read(
    program: Program, word: str
) -> None:
    assert program.run("no-such-command", word).json["error"]["reason"] == "INVALID_OPTION"


def test_a_group_without_a_command_shows_its_help(program: Program) -> None:
    ended = program.run("stock")
    assert ended.exit_code == ExitCode.USAGE
    assert "\n  count " in ended.errors


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
        assert watch.wait(WAIT_SECONDS) == ExitCode.PIPE_CLOSED
        assert watch.stderr.read() == ""


@pytest.mark.slow
@pytest.mark.parametrize("line", [("status",), ("--help",), ("--version",), ("stock", "--help")])
def test_a_reader_that_is_gone_from_the_beginning_is_no_error(
    program: Program, line: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        ended = run_on(output, line, program.server)
    assert (ended.returncode, ended.stderr) == (ExitCode.PIPE_CLOSED, "")


@pytest.mark.slow
@pytest.mark.parametrize("line", [("status",), ("--help",), ("-o", "json", "status")])
def test_an_output_that_was_closed_is_an_error_in_one_line(
    program: Program, line: tuple[str, ...]
) -> None:
    ended = run_in_shell('"$@" >&-', line, program.server)
    assert ended.returncode == ExitCode.USAGE
    assert ended.stderr.startswith("error: CANNOT_WRITE: the output cannot be written: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
def test_without_an_error_stream_the_code_still_tells(program: Program) -> None:
    ended = run_in_shell('"$@" 2>&-', ("no-such-command",), program.server)
    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, "")


def run_on(
    output: IO[bytes], line: Sequence[str], server: str
) -> "subprocess.CompletedProcess[str]":
    """Run the program with its output going somewhere."""
    return subprocess.run(
        [sys.executable, "-m", "domgrpc", *line],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, "DOMGRPC_SERVER": server},
        check=False,
    )


def run_in_shell(
    script: str, line: Sequence[str], server: str
) -> "subprocess.CompletedProcess[str]":
    """Run the program as `"$@"` of a script of the shell."""
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", sys.executable, "-m", "domgrpc", *line],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, "DOMGRPC_SERVER": server},
        check=False,
    )


@pytest.mark.slow
def test_the_version_is_said() -> None:
    ended = run_process("--version")
    assert (ended.exit_code, ended.output) == (0, f"domgrpc {version('domgrpc')}\n")


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
    assert ended.errors.startswith("error: INVALID_SETTING: port is 70000; 0 to 65535")


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
    assert f"error: CANNOT_LISTEN: cannot listen on 127.0.0.1:{port}" in ended.errors
    assert "add_port" not in ended.errors


def test_a_folder_in_use_ends_with_73_and_names_the_process(program: Program) -> None:
    assert program.folder is not None
    ended = program.run("serve", "--data-dir", program.folder, "--port", "0")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert ended.errors.startswith("error: FOLDER_IN_USE: ")
    assert "is in use by process" in ended.errors


def test_an_empty_name_of_a_data_folder_ends_with_73(program: Program) -> None:
    ended = program.run("serve", "--data-dir", "", "--port", "0")
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert ended.errors.startswith("error: INVALID_SETTING: --data-dir is empty")


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
