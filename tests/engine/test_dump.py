"""The state as chunks: complete, equal after a round, and never too large for a snapshot."""

from array import array

import pytest

from domgrpc.core.answers import KeptAnswer
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import Reservation, ReservationLine, ReservationState
from domgrpc.core.state import State
from domgrpc.core.stock_changes import BatchSummary
from domgrpc.core.values import (
    ClientId,
    Demand,
    Limits,
    LocationId,
    Quantity,
    ReservationId,
    Revision,
    Sku,
    StockLevel,
    TimeMs,
)
from domgrpc.engine.dump import digest, dump, load_chunk
from domgrpc.engine.engine import Engine
from domgrpc.storage.snapshot import CHUNK_PAYLOAD_BYTES_MAX
from tests.core.commands import adjust, place, stock
from tests.core.pictures import picture
from tests.engine.every_command import EVERY_COMMAND
from tests.engine.rooms import Room, given, send

STORE_COUNT = 2_000


def loaded_again(state: State) -> State:
    """Return the state that its own chunks make."""
    copy = State(state.limits)
    for kind, key, payload in dump(state):
        load_chunk(copy, kind, key, payload)
    return copy


def test_a_state_comes_back_from_its_chunks() -> None:
    async def round_trip(engine: Engine) -> None:
        await send(engine, *EVERY_COMMAND)
        copy = loaded_again(engine.writer.state)
        copy.check_invariants()
        assert digest(dump(copy)) == digest(dump(engine.writer.state))
        assert len(copy.answers.by_key) == len(EVERY_COMMAND)
        # The digest would not notice what is left out of the chunks.
        now_ms = engine.writer.now_ms()
        assert picture(copy, now_ms) == picture(engine.writer.state, now_ms)

    Room().live(round_trip)


def test_an_empty_state_comes_back_too() -> None:
    assert digest(dump(loaded_again(State(Limits())))) == digest(dump(State(Limits())))


def test_the_digest_sees_a_change_of_one_unit_anywhere() -> None:
    async def change_by_one(engine: Engine) -> int:
        await given(engine, place("a"), *(stock(adjust(f"s{n}", "a", 5)) for n in range(50)))
        seen = {digest(dump(engine.writer.state))}
        for sku in engine.writer.state.network.stock.skus():
            sku.on_hand[0] += 1
            seen.add(digest(dump(engine.writer.state)))
        return len(seen)

    assert Room().live(change_by_one) == 51


def many_large_answers(state: State) -> None:
    refusals = tuple(
        (n, Rejection(Reason.LOCATION_NOT_FOUND, "x" * 200, {"location_id": "y" * 60}))
        for n in range(45)
    )
    outcome = BatchSummary(sequence=1, applied_count=0, refusals=refusals)
    kept = KeptAnswer(1, TimeMs(0), Revision(1), outcome)
    state.answers.restore([(f"web r{number}", kept) for number in range(5_000)])


def many_large_reservations(state: State) -> None:
    lines = tuple(
        ReservationLine(Sku(f"sku-{number:06}"), LocationId("a-store"), Quantity(1))
        for number in range(700)
    )
    state.reservations.restore(
        [
            Reservation(
                ReservationId(f"r{number}"),
                ClientId("web"),
                ReservationState.RELEASED,
                lines,
                Demand(),
                "",
                *(TimeMs(0),) * 3,
                Revision(1),
            )
            for number in range(5_000)
        ]
    )


def many_stores(state: State) -> None:
    """As many stores as the largest chains have, a thousand SKUs in one shard."""
    network_stock = state.network.stock
    indexes = array("i", range(STORE_COUNT))
    sku_count = number = 0
    while sku_count < 1_000:
        number += 1
        sku = network_stock.ensure(Sku(f"sku-{number}"))
        if sku.shard_number == 0:
            sku_count += 1
            zeros = bytes(8 * STORE_COUNT)
            for column in (sku.on_hand, sku.soft_reserved, sku.allocated, sku.count_times_ms):
                column.frombytes(zeros)
            sku.location_indexes.extend(indexes)
            sku.levels.frombytes(bytes((StockLevel.OUT_OF_STOCK,)) * STORE_COUNT)


@pytest.mark.slow
@pytest.mark.parametrize("fill", [many_large_answers, many_large_reservations, many_stores])
def test_no_chunk_is_too_large_for_a_snapshot(fill: object) -> None:
    state = State(Limits())
    assert callable(fill)
    fill(state)
    assert max(len(payload) for _, _, payload in dump(state)) <= CHUNK_PAYLOAD_BYTES_MAX
