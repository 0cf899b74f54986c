"""Finished reservations are forgotten, the oldest first; one that lives again never is."""

from domgrpc.core.delta_memory import DeltaMemory, RememberedDelta
from domgrpc.core.reservations import ReservationState
from domgrpc.core.values import Limits, LocationIndex, Retention, Sku, TimeMs
from tests.core.commands import confirm, on_hand, place, release, reserve
from tests.core.given import Shop


def test_a_hold_that_was_revived_is_not_forgotten_with_those_that_ended() -> None:
    shop = Shop(Limits(finished_reservations_max=3))
    shop.given(place("A"), on_hand("x", A=100))
    shop.given(reserve(("x", "A", 1), as_id="phoenix", ttl_ms=1_000)).later(1_000)
    shop.given(confirm("phoenix", revive=True))
    for number in range(10):
        shop.given(reserve(("x", "A", 1), as_id=f"r{number}"), release(f"r{number}"))
    assert shop.reservation("phoenix").state is ReservationState.CONFIRMED
    assert list(shop.state.reservations.by_id) == ["phoenix", "r7", "r8", "r9"]
    assert shop.position("x", "A").allocated == 1


def test_sums_of_a_position_know_only_the_deltas_that_are_remembered() -> None:
    memory = DeltaMemory(Retention(remembered_deltas_max=3))
    deltas = [("x", 1), ("y", 2), ("x", 4), ("x", 8), ("y", 16), ("z", 32)]
    for number, (sku, delta) in enumerate(deltas):
        entry = RememberedDelta(Sku(sku), LocationIndex(0), TimeMs(number), delta)
        memory.remember(entry)
        memory.check_invariants()
        kept = deltas[max(0, number - 2) : number + 1]
        for asked in ("x", "y", "z"):
            found = memory.sum_after(Sku(asked), LocationIndex(0), TimeMs(-1))
            assert found == sum(units for of, units in kept if of == asked)
    assert memory.floor_ms == 2
    memory.retain(Retention(remembered_deltas_max=0))
    assert [memory.sum_after(Sku(sku), LocationIndex(0), TimeMs(-1)) for sku in "xyz"] == [0, 0, 0]
