"""The rival PostgreSQL: the same kind of reserves, one durable transaction each.

A reserve is one call of a function in the database, which locks its two rows in order, checks
both and takes both, and writes the reservation with its deadline; a function, prepared, is the
fastest way there is. The client is pgbench, which is written in C, so that it is not what is
measured; it draws the SKUs and locations itself, from the same ranges. PostgreSQL does less than
domgrpc does: nothing gives the units of an expired reservation back, no retry is recognised.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reserve_workload import LOCATION_COUNT, ON_HAND, SKU_COUNT
from benchmarks.temporary_places import temporary_folder

CONNECTIONS = 8
"""Several, as a pool of an application has."""
CONNECTIONS_MANY = 32
_ACCOUNT = "postgres"
"""PostgreSQL refuses to run as root; then its data belongs to this account."""

SETTINGS = {
    "listen_addresses": "''",
    "synchronous_commit": "on",
    "fsync": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": str(CONNECTIONS_MANY + 8),
}

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

    def run(self, seconds: int, connections: int) -> float:
        """Reserve over many connections for so long and return how many a second."""
        variables = [f"--define={each}" for each in _WORKLOAD]
        shown = _run(
            [
                str(self._programs / "pgbench"),
                *self._database,
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={connections}",
                "--jobs=1",
                f"--time={seconds}",
                *variables,
                f"--file={_HERE / 'postgres_reserve.sql'}",
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
        data = str(folder / "data")
        _run_as_owner(
            [
                str(programs / "initdb"),
                "--pgdata",
                data,
                "--username",
                _ACCOUNT,
                "--auth=trust",
                "--no-instructions",
            ]
        )
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        control = [str(programs / "pg_ctl"), "--pgdata", data, "--wait"]
        log = str(folder / "postgres.log")
        started = " ".join([*options, f"-cunix_socket_directories={folder}"])
        _run_as_owner([*control, "--log", log, "--options", started, "start"])
        try:
            yield PostgresStock(programs, folder)
        finally:
            _run_as_owner([*control, "--mode", "immediate", "stop"])


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, _ACCOUNT, _ACCOUNT)
        except LookupError as missing:
            raise PostgresFailed(f"there is no account {_ACCOUNT} to run as") from missing


def _run_as_owner(arguments: list[str]) -> None:
    if os.geteuid() == 0:
        arguments = [
            "setpriv",
            f"--reuid={_ACCOUNT}",
            f"--regid={_ACCOUNT}",
            "--init-groups",
            "--",
            *arguments,
        ]
    _run(arguments)


def _run(arguments: list[str]) -> str:
    # From the root folder, because the account may not be able to enter this one.
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise PostgresFailed(f"{arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout
