"""The program as people run it: in this process against a real server, or as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from typer.testing import CliRunner

from domgrpc.cli.commands import app

Document: TypeAlias = Any
"""What the program prints as JSON."""
WAIT_SECONDS = 30.0
SERVE = ("serve", "--port", "0", "--log-format", "json", "--snapshot-log-bytes", "0")


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def json(self) -> Document:
        """The document that was printed."""
        return json.loads(self.output)

    @property
    def json_lines(self) -> list[Document]:
        """The documents that were printed, one a line."""
        return [json.loads(line) for line in self.output.splitlines()]


class Program:
    """Runs commands against one server."""

    def __init__(self, server: str, folder: Path | None = None) -> None:
        self.server = server
        self.folder = folder

    def run(self, *arguments: str | Path) -> Ended:
        """Run a command in this process."""
        result = CliRunner().invoke(
            app, [str(argument) for argument in arguments], env={"DOMGRPC_SERVER": self.server}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    def done(self, *arguments: str | Path) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*arguments)
        assert ended.exit_code == 0, ended
        return ended

    def read(self, *arguments: str | Path) -> Document:
        """Run a command that must succeed and return the document that it prints."""
        return self.done("--output", "json", *arguments).json


def run_process(*arguments: str | Path, **environment: str) -> Ended:
    """Run the program as a process of its own to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "domgrpc", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, **environment},
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def started_process(*arguments: str | Path, server: str) -> "Iterator[subprocess.Popen[str]]":
    """Run the program as a process that is killed when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "domgrpc", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "DOMGRPC_SERVER": server},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving_process(folder: Path) -> Iterator[Program]:
    """Run `domgrpc serve` on a folder until the block ends."""
    server = subprocess.Popen(
        [sys.executable, "-m", "domgrpc", *SERVE, "--data-dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stderr is not None
            lines = (json.loads(line) for line in server.stderr)
            port = next(line["port"] for line in lines if line["event"] == "listening")
            yield Program(f"127.0.0.1:{port}", folder)
        finally:
            server.terminate()
            server.wait(WAIT_SECONDS)
    assert server.returncode == 0
