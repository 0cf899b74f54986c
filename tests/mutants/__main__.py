"""Plants each fault in a copy of the project and shows that the tests find it.

    python -m tests.mutants [WORD ...]

With words only the plants whose names contain one are run. Ends with 1 where a plant survives, or
where the tests fail without any plant, which would prove nothing.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.plants import PLANTS, Plant

PROJECT = Path(__file__).parents[2]
_SECONDS_MAX = 600.0
_TESTS_FAILED = 1
"""What pytest ends with where tests ran and some failed; any other status proves nothing."""


def main(words: Sequence[str]) -> int:
    """Run the plants, print a table, return the exit status."""
    chosen = [each for each in PLANTS if not words or any(word in each.name for word in words)]
    console = Console(width=100)
    table = Table("planted fault", "in", "found by", "seconds", "verdict")
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="domgrpc-mutants-") as place:
        copy = _copy_of_the_project(Path(place))
        names = sorted({name for each in chosen for name in each.tests})
        if _run(copy, names) != 0:
            console.print("the tests fail without any planted fault: nothing can be shown")
            return 1
        for each in chosen:
            started = time.perf_counter()
            is_found = _is_found(copy, each)
            survivors += not is_found
            seconds = f"{time.perf_counter() - started:.1f}"
            verdict = "found" if is_found else "SURVIVED"
            table.add_row(each.name, each.file, "\n".join(each.tests), seconds, verdict)
            console.print(f"{each.name}: {verdict} ({seconds} s)", highlight=False)
    console.print(table)
    console.print(f"{len(chosen) - survivors} of {len(chosen)} planted faults were found")
    return 1 if survivors else 0


def planted(plant: Plant, text: str) -> str:
    """Return the text of a file with the fault; it must fit exactly once."""
    if text.count(plant.before) != 1:
        raise ValueError(
            f"the plant {plant.name!r} fits {plant.file} {text.count(plant.before)} times: "
            "adapt it to the code"
        )
    return text.replace(plant.before, plant.after)


def _copy_of_the_project(place: Path) -> Path:
    copy = place / "project"
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in ("src", "tests", "protos", "docs", "benchmarks"):
        shutil.copytree(PROJECT / name, copy / name, ignore=ignored)
    shutil.copy(PROJECT / "pyproject.toml", copy)
    return copy


def _is_found(copy: Path, plant: Plant) -> bool:
    file = copy / "src" / "domgrpc" / plant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(planted(plant, whole), encoding="utf-8")
    try:
        return _run(copy, plant.tests) == _TESTS_FAILED
    finally:
        file.write_text(whole, encoding="utf-8")


def _run(copy: Path, tests: Sequence[str]) -> int:
    # The copy comes before what is installed; bytecode of a plant must not outlive it.
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    # In a group of its own: a planted fault may leave a child that never ends.
    process = subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(_SECONDS_MAX)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
