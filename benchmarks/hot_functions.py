"""The hot functions of the core and the log, timed by pytest-benchmark in a process of their own.

python -m pytest benchmarks/test_core_speed.py
"""

import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.results import Better, Result
from benchmarks.temporary_places import temporary_folder

_FILES = "test_*_speed.py"
_SECONDS_MAX = 600
_SHOWN_CHARACTERS_MAX = 2_000


class TimingFailed(Exception):
    """A test of the timings failed."""


class _Times(msgspec.Struct, frozen=True):
    median: float
    rounds: int
    iterations: int


class _Timed(msgspec.Struct, frozen=True):
    name: str
    stats: _Times


class _Report(msgspec.Struct, frozen=True):
    benchmarks: list[_Timed]


def run(*, quick: bool) -> list[Result]:
    """Time all; quick leaves out the log, which needs seconds of disk."""
    files = sorted(Path(__file__).parent.glob("test_core_speed.py" if quick else _FILES))
    with temporary_folder() as folder:
        report_path = folder / "report.json"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--quiet", "--benchmark-only"),
                # The server collects rarely and never looks at what it recovered.
                *("--benchmark-disable-gc", f"--benchmark-json={report_path}"),
                f"--basetemp={folder / 'pytest'}",
                *map(str, files),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS_MAX,
        )
        if done.returncode:
            raise TimingFailed(done.stdout[-_SHOWN_CHARACTERS_MAX:] + done.stderr)
        report = msgspec.json.decode(report_path.read_bytes(), type=_Report)
    # The tests run in random order.
    return [_result(timed) for timed in sorted(report.benchmarks, key=lambda timed: timed.name)]


def _result(timed: _Timed) -> Result:
    name = timed.name.removeprefix("test_").replace("_", " ")
    return Result(
        name=f"{name}: median",
        value=timed.stats.median * 1e6,
        unit="us",
        better=Better.LOWER,
        note=f"{timed.stats.rounds} rounds of {timed.stats.iterations}",
    )
