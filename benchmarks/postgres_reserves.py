"""The rival PostgreSQL: the same kind of reserves, one durable transaction each.

Two ways are measured: a transaction of statements over a few connections, as an application
makes it, and a function in the database over many, the fastest way there is. Both lock their two
rows in order, check both, take both and write the reservation with its deadline. The client is
pgbench, which is written in C, so that it is not what is measured; it draws the SKUs and
locations itself, from the same ranges. PostgreSQL does less than domgrpc does: nothing gives the
units of an expired reservation back, no retry is recognised.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.reserve_workload import LOCATION_COUNT, ON_HAND, SKU_COUNT
from benchmarks.temporary_places import temporary_folder


class Way(msgspec.Struct, frozen=True):
    """A way to reserve: the script that pgbench runs, and over how many connections."""

    script: str
    connections: int


STATEMENTS = Way("postgres_reserve_statements.sql", connections=8)
FUNCTION = Way("postgres_reserve_function.sql", connections=32)

_ACCOUNT = "postgres"
"""PostgreSQL refuses to run as root; then its data belongs to this account."""

SETTINGS = {
    "listen_addresses": "",
    "synchronous_commit": "on",
    "fsync": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
}

_START_SECONDS_MAX = 30.0
_POLL_SECONDS = 0.05
_HERE = Path(__file__).parent
_WORKLOAD = (f"sku_count={SKU_COUNT}", f"location_count={LOCATION_COUNT}")


class PostgresFailed(Exception):
    """PostgreSQL did not start, or refused what it was given."""


class PostgresStock:
    """A PostgreSQL with the stock of the workload in it. Made by `postgres_stock`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Fill the stock of a running server whose socket lies in the folder."""
        self._programs = programs
        self._database = ("--host", str(folder), "--username", _ACCOUNT)
        variables = [f"--set={each}" for each in (*_WORKLOAD, f"on_hand={ON_HAND}")]
        _run(
            [
                str(programs / "psql"),
                *self._database,
                "--quiet",
                "--no-psqlrc",
                *variables,
                "--set=ON_ERROR_STOP=1",
                f"--file={_HERE / 'postgres_stock.sql'}",
                _ACCOUNT,
            ]
        )

    def run(self, way: Way, seconds: int) -> float:
        """Reserve for so long and return how many a second."""
        variables = [f"--define={each}" for each in _WORKLOAD]
        shown = _run(
            [
                str(self._programs / "pgbench"),
                *self._database,
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={way.connections}",
                "--jobs=1",
                f"--time={seconds}",
                *variables,
                f"--file={_HERE / way.script}",
                _ACCOUNT,
            ]
        )
        facts = dict(line.split(" = ", 1) for line in shown.splitlines() if " = " in line)
        if not facts.get("tps"):
            raise PostgresFailed(f"pgbench said no rate: {shown!r}")
        if "failed transactions: 0 " not in shown:
            raise PostgresFailed(f"pgbench had failed transactions: {shown!r}")
        return float(facts["tps"].split()[0])


def postgres_programs() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    if found:
        return found[-1].parent
    program = shutil.which("pgbench")
    return Path(program).resolve().parent if program and shutil.which("initdb") else None


def postgres_version() -> str | None:
    """Return the version of the installed server, None where there is none."""
    programs = postgres_programs()
    if programs is None:
        return None
    return _run([str(programs / "postgres"), "--version"]).split()[2]


@contextmanager
def postgres_stock() -> Iterator[PostgresStock]:
    """Start a PostgreSQL of our own in a temporary folder, on a socket only; stop it after."""
    programs = postgres_programs()
    if programs is None:
        raise PostgresFailed("PostgreSQL with pgbench is not installed")
    with temporary_folder() as folder:
        _give_away(folder)
        data = ("-D", str(folder / "data"))
        initdb = (str(programs / "initdb"), *data, "--username", _ACCOUNT, "--auth=trust")
        _run([*_as_owner(), *initdb])
        settings = {**SETTINGS, "unix_socket_directories": str(folder)}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        with (folder / "postgres.log").open("wb") as log:
            process = subprocess.Popen(
                [*_as_owner(), str(programs / "postgres"), *data, *options],
                cwd="/",
                stdout=log,
                stderr=log,
            )
        try:
            _wait_until_ready(programs, folder, process)
            yield PostgresStock(programs, folder)
        finally:
            # Stop at once: nobody will look at this data again.
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _wait_until_ready(programs: Path, folder: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS_MAX
    asked = [str(programs / "pg_isready"), "--quiet", "--host", str(folder)]
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run(asked, check=False).returncode == 0:
            return
        time.sleep(_POLL_SECONDS)
    shown = (folder / "postgres.log").read_text(encoding="utf-8", errors="replace")
    raise PostgresFailed(f"PostgreSQL did not start: {shown}")


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, _ACCOUNT, _ACCOUNT)
        except LookupError as missing:
            raise PostgresFailed(f"there is no account {_ACCOUNT} to run as") from missing


def _as_owner() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--init-groups", "--"]


def _run(arguments: list[str]) -> str:
    # From the root folder, because the account may not be able to enter this one.
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise PostgresFailed(f"{arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout
