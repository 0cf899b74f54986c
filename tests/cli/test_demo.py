"""The demonstration runs as users run it: a process, its output, its exit code, what it leaves."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from domgrpc.cli.choices import Strategy
from domgrpc.cli.demonstration.narration import Narration
from domgrpc.cli.demonstration.performance import perform
from domgrpc.cli.demonstration.retailer import UnknownZip, build_retailer, find_place
from domgrpc.cli.demonstration.stage import FAST

SECONDS_MAX = 100
PROMISES_MIN = 20
CUSTOMER_ZIP = "98101"


@pytest.mark.slow
def test_every_promise_is_kept_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "demo", "--fast", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["all_kept"]
    assert len(report["promises_kept"]) >= PROMISES_MIN
    assert report["figures"]["race"] | {"seconds": 0} == {
        "winners": 100,
        "refused": 900,
        "seconds": 0,
    }
    assert report["figures"]["crash"]["lost"] == 0
    assert set(report["figures"]["strategies"]) == {strategy.value for strategy in Strategy}
    assert (
        min(report["figures"]["strategies"].values())
        == (report["figures"]["strategies"]["cheapest"])
    )
    assert report["figures"]["outage"]["location"] == report["figures"]["shoes"]["warehouse"]
    assert report["figures"]["outage"]["replanned"] >= 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_piped_it_is_plain_text_of_80_columns(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "demo", "--fast", "--zip", CUSTOMER_ZIP, "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert not [line for line in lines if not line.isascii() or not line.isprintable()]
    assert not [line for line in lines if line != line.rstrip()]
    assert not [line for line in lines if len(line) > 80]
    scenes = [int(line[:2]) for line in lines if re.match(r"[ 0-9][0-9]  ", line)]
    assert scenes == list(range(1, len(scenes) + 1))
    assert "Seattle WA 98101" in done.stdout
    for said in ("SHOE-DRESSY, PICKUP, OPEN", "    nearest-first", "REPLANNED", "out of use"):
        assert said in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_server_and_folder_too(
    tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    with running_demo(tmp_path) as demo:
        assert demo.stdout is not None
        line = next(line for line in demo.stdout if "listens on" in line)
        (server_pid,) = re.findall(r"Process (\d+)", line)
        assert is_running(int(server_pid))
        demo.send_signal(number)
        demo.communicate(timeout=SECONDS_MAX)
        assert demo.returncode == exit_code
        assert not is_running(int(server_pid))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_promise_that_does_not_hold_is_told_with_what_was_expected_and_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    retailer = build_retailer(seed=1)
    # The same place twice: one location more is expected than the service can store.
    retailer = replace(retailer, sites=(*retailer.sites, retailer.sites[0]))
    output = StringIO()
    outcome = perform(
        retailer, find_place("60614"), narration=Narration(Console(file=output)), script=FAST
    )
    assert outcome.failure
    shown = output.getvalue()
    assert "    NO  65 locations and 200 products stored" in shown
    assert "expected: (65, 200)" in shown
    assert "came:     (64, 200)" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_retailer() -> None:
    first, again, other = (list(build_retailer(seed).stock_counts()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.slow
def test_the_stores_stand_at_real_places_in_most_of_the_country() -> None:
    retailer = build_retailer(seed=1)
    assert len(retailer.sites) == len({site.location_id for site in retailer.sites}) == 64
    assert len({site.place.state for site in retailer.sites}) > 25
    assert len(set(retailer.skus)) == 200


@pytest.mark.slow
@pytest.mark.parametrize("zip_code", ["", "1", "abcde", "00000", "09000", "606140"])
def test_a_zip_code_without_a_place_is_refused(zip_code: str) -> None:
    with pytest.raises(UnknownZip, match="give five digits"):
        find_place(zip_code)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "domgrpc", *words]


def run_demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@contextmanager
def running_demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    demo = subprocess.Popen(
        command("demo", "--fast"),
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield demo
    finally:
        # SIGTERM lets it end its own server, should the test have failed before.
        demo.terminate()
        demo.communicate(timeout=SECONDS_MAX)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
