"""What the server writes about itself: lines for machines or people, one per event or call."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from structlog.testing import capture_logs

from domgrpc.rpc.journal import CallLog, configure_journal
from domgrpc.v1 import admin_pb2
from tests.rpc.serving import Shop, refusal, serving


@pytest.fixture(autouse=True)
def journal_as_before() -> Iterator[None]:
    """Leave the journal as other tests expect it."""
    yield
    structlog.reset_defaults()


def written(monkeypatch: pytest.MonkeyPatch, log_format: str) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_journal(log_format)
    return stream


@pytest.mark.parametrize("log_format", ["json", "auto"])
def test_lines_are_json_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    stream = written(monkeypatch, log_format)
    structlog.get_logger().info("listening", port=5)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["port"], line["level"]) == ("listening", 5, "info")
    assert line["timestamp"].endswith("Z")


def test_lines_are_for_people_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "console")
    structlog.get_logger().warning("listening", port=5)
    assert "listening" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_hostile_value_stays_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "json")
    structlog.get_logger().info("call", message='a\nb\r\x1b[31m"\u2028')
    assert len(stream.getvalue().splitlines()) == 1


def test_an_exception_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "json")
    structlog.get_logger().error("handler_broken", exc_info=KeyError("why"))
    assert "KeyError: 'why'" in json.loads(stream.getvalue())["exception"]


def test_a_reader_that_is_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "json")
    stream.close()
    structlog.get_logger().info("listening")


@pytest.mark.parametrize(
    ("mode", "codes"),
    [("errors", ["NOT_FOUND"]), ("all", ["OK", "NOT_FOUND", "OK"]), ("off", [])],
)
async def test_calls_are_logged_as_the_setting_says(
    tmp_path: Path, mode: str, codes: list[str]
) -> None:
    async with serving(tmp_path, call_log=mode) as shop:
        with capture_logs() as lines:
            await make_calls(shop)
    assert [line["code"] for line in lines if "code" in line] == codes
    for line in lines:
        assert line["method"].partition("/")[0] in {"AdminService", "InventoryService"}
        assert line["client"] == "anonymous"
        assert line["peer"].startswith("ipv4:127.0.0.1:")
        assert line["duration_ms"] >= 0


async def make_calls(shop: Shop) -> None:
    await shop.admin.GetStatus(admin_pb2.GetStatusRequest())
    refused = await refusal(shop.position("A", "a"))
    assert refused.reason == "LOCATION_NOT_FOUND"
    await shop.admin.GetStatus(admin_pb2.GetStatusRequest())


def test_only_a_mistake_of_ours_is_an_error_in_the_log() -> None:
    log = CallLog("errors")
    with capture_logs() as lines:
        log.failed("A/B", grpc.StatusCode.INTERNAL)
        log.failed("A/B", grpc.StatusCode.NOT_FOUND)
    assert [line["log_level"] for line in lines] == ["error", "info"]


def test_refusals_of_overload_are_logged_a_few_a_second_and_the_others_counted() -> None:
    seconds = [0.0]
    log = CallLog("errors", lambda: seconds[0])
    with capture_logs() as lines:
        for second in (0.0, 1.0):
            seconds[0] = second
            for _ in range(1_000):
                log.failed("M", grpc.StatusCode.RESOURCE_EXHAUSTED, reason="SERVER_BUSY")
        log.failed("M", grpc.StatusCode.NOT_FOUND, reason="LOCATION_NOT_FOUND")
    assert len(lines) == 10 + 10 + 1
    assert sum(line.get("unsaid_count", 0) for line in lines) == 990
