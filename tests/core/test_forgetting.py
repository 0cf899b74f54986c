"""Finished reservations are forgotten, the oldest first; one that lives again never is."""

from domgrpc.core.reservations import ReservationState
from domgrpc.core.values import Limits
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
