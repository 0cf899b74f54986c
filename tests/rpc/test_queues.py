"""Whose calls wait behind whose: a flood of one method must not hold up what customers wait for."""

import asyncio

import pytest

from domgrpc.rpc.registration import QUEUED_ALONE
from domgrpc.rpc.scopes import SCOPES
from domgrpc.v1 import admin_pb2
from tests.rpc.serving import Shop

FLOOD_COUNT = 400


@pytest.mark.slow
async def test_a_flood_of_other_calls_does_not_hold_up_a_till(shop: Shop) -> None:
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    done_count = 0
    begun = asyncio.Event()

    async def ask_status() -> None:
        nonlocal done_count
        await shop.admin.GetStatus(admin_pb2.GetStatusRequest())
        done_count += 1
        begun.set()

    async with asyncio.TaskGroup() as flood:
        for _ in range(FLOOD_COUNT):
            flood.create_task(ask_status())
        await begun.wait()
        await shop.position("A", "a")
        before_count = done_count
    # In one queue it would have been the last.
    assert before_count < FLOOD_COUNT / 2


def test_only_methods_that_exist_have_queues_of_their_own() -> None:
    assert set(SCOPES) >= QUEUED_ALONE
