"""How a figure stands to its limits, and how the runner reports it."""

import signal
from pathlib import Path

import msgspec
import pytest

from benchmarks import run
from benchmarks.results import Better, Result, Verdict, figure_text, skipped
from benchmarks.run import main


def rate(value: float | None) -> Result:
    return Result(name="r", value=value, unit="/s", better=Better.HIGHER, must=10, aim=20)


def took(value: float) -> Result:
    return Result(name="t", value=value, unit="ms", better=Better.LOWER, must=20, aim=10)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (9.9, Verdict.MUST_MISSED),
        (10, Verdict.MUST_MET),
        (19.9, Verdict.MUST_MET),
        (20, Verdict.AIM_MET),
        (None, Verdict.SKIPPED),
    ],
)
def test_a_rate_meets_its_limits_from_below(value: float | None, verdict: Verdict) -> None:
    assert rate(value).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(20.1, Verdict.MUST_MISSED), (20, Verdict.MUST_MET), (10, Verdict.AIM_MET)],
)
def test_a_time_meets_its_limits_from_above(value: float, verdict: Verdict) -> None:
    assert took(value).verdict is verdict


def test_a_figure_without_limits_is_only_shown() -> None:
    assert Result(name="x", value=1, unit="", better=Better.LOWER).verdict is Verdict.SHOWN


def test_what_was_skipped_says_why() -> None:
    result = skipped(rate(None), "it is not installed")
    assert (result.verdict, result.note) == (Verdict.SKIPPED, "it is not installed")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8321, "0.832 x"), (12.34, "12.3 x"), (123.45, "123.5 x"), (61_234.5, "61,234 x")],
)
def test_a_figure_is_written_with_about_three_digits(value: float, text: str) -> None:
    assert figure_text(value, "x") == text


@pytest.mark.slow
def test_the_runner_prints_a_table_and_keeps_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "results.json"
    # A shrunk run proves no figure, so that its exit status may be either.
    assert main(["--quick", "--results", str(kept), "availability_of_many"]) in {0, 1}
    assert "CheckAvailability of 10,000 pairs" in capsys.readouterr().out
    report = msgspec.json.decode(kept.read_bytes())
    assert report["quick"] is True
    assert report["machine"]["cores"] > 0
    assert report["versions"]["grpcio"]
    assert len(report["findings"]) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_has_and_names_what_was_not_run(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = ""

    def first(*, quick: bool) -> list[Result]:
        return [rate(15 if quick else None)]

    def second(*, quick: bool) -> list[Result]:
        nonlocal shown
        shown = capsys.readouterr().out
        signal.raise_signal(number)
        return [took(1 if quick else 2)]

    benchmarks = {"first": first, "second": second, "third": first}
    monkeypatch.setattr(run, "BENCHMARKS", benchmarks)
    handler = signal.getsignal(signal.SIGTERM)
    kept = tmp_path / "results.json"
    assert main(["--quick", "--results", str(kept)]) == run.INTERRUPTED_STATUS
    assert signal.getsignal(signal.SIGTERM) is handler
    assert "must met" in shown
    output, errors = capsys.readouterr()
    assert "must met" in output
    assert "not run: second, third" in errors
    report = msgspec.json.decode(kept.read_bytes())
    assert [found["benchmark"] for found in report["findings"]] == ["first"]
    assert report["not_run"] == ["second", "third"]


def test_a_benchmark_that_breaks_takes_no_figure_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*, quick: bool) -> list[Result]:
        raise OSError("no disk" if quick else "")

    monkeypatch.setattr(run, "BENCHMARKS", {"first": lambda **_: [rate(15)], "second": broken})
    kept = tmp_path / "results.json"
    with pytest.raises(OSError, match="no disk"):
        main(["--quick", "--results", str(kept)])
    assert "not run: second" in capsys.readouterr().err
    report = msgspec.json.decode(kept.read_bytes())
    assert (len(report["findings"]), report["not_run"]) == (1, ["second"])


def test_a_whole_run_leaves_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BENCHMARKS", {"first": lambda **_: [rate(15)]})
    kept = tmp_path / "results.json"
    assert main(["--quick", "--results", str(kept)]) == 0
    assert msgspec.json.decode(kept.read_bytes())["not_run"] == []
