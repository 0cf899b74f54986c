"""Every abuse of HTTP/2 for a moment: the server lives, answers others, and nothing was changed.

In full, with figures of time and memory: `python -m tests.faults.run http2`.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from domgrpc.v1.admin_pb2 import GetStatusRequest
from tests.faults.table import Verdict
from tests.hostile.abused_server import Measured, rows_of
from tests.hostile.abuses import ABUSES, Deeds, run
from tests.hostile.http2 import integer, literals
from tests.rpc.serving import serving, within_time

SECONDS = 0.3


@pytest.mark.slow
@pytest.mark.parametrize("name", ABUSES)
async def test_an_abused_server_answers_others_and_changes_nothing(
    tmp_path: Path, name: str
) -> None:
    async with serving(tmp_path, handshake_seconds=0.2) as shop:
        await shop.add_location("a")
        deeds = await within_time(run(name, shop.address, SECONDS))
        assert deeds.frames + deeds.connections
        status = await within_time(shop.admin.GetStatus(GetStatusRequest()))
        assert status.revision == 1


@pytest.mark.slow
async def test_who_pings_in_a_flood_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path) as shop:
        deeds = await within_time(run("ping flood", shop.address, SECONDS))
    assert deeds.cut_off


def test_an_abuse_that_slows_others_or_fills_memory_or_has_effects_is_a_miss() -> None:
    fine = Measured(
        name="x",
        deeds=Deeds(),
        calm_p99_ms=1.0,
        p99_ms=4.9,
        probe_count=100,
        failed={},
        growth_mib=64,
        cores=1.0,
        effects=0,
    )
    assert rows_of(fine)[0].verdict is Verdict.MET
    for bad in (
        replace(fine, p99_ms=5.1),
        replace(fine, growth_mib=65),
        replace(fine, cores=1.1),
        replace(fine, effects=1),
        replace(fine, failed={"UNAVAILABLE": 2}),
    ):
        assert rows_of(bad)[0].verdict is Verdict.MISSED


def test_numbers_of_headers_are_written_as_the_standard_shows() -> None:
    assert integer(10, 5) == b"\x0a"
    assert integer(1337, 5) == b"\x1f\x9a\x0a"
    assert literals([(b"a", b"bc")]) == b"\x00\x01a\x02bc"
