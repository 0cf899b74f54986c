"""What the simulator found, in the few steps that show it."""

from domgrpc.core.safety_stock import RuleKind
from tests.core.commands import change, on_hand, place, reserve, rule
from tests.core.given import Shop


def test_a_view_that_is_built_again_takes_in_what_changes_after_it() -> None:
    shop = Shop().given(place("a"), place("b"), on_hand("tea", a=10, b=10))
    shop.given(reserve(("tea", "", 1)), reserve(("tea", "a", 1)))
    shop.given(rule("least", 1, kind=RuleKind.FULFILLMENT_MINIMUM))
    shop.given(reserve(("tea", "", 1), ("tea", "a", 1)), reserve(("tea", "b", 9)))
    refusal = shop.refusal(reserve(("tea", "", 9)))
    available = sum(shop.here("tea", name).available_to_sell for name in "ab")
    assert [line.available_quantity for line in refusal.short_lines] == [available]


def test_none_of_a_sku_anywhere_takes_back_what_the_same_change_adds() -> None:
    shop = Shop().given(place("a"), on_hand("tea", a=10), on_hand("cup", a=10))
    shop.given(reserve(("cup", "a", 1), as_id="h"))
    outcome = shop.send(change("h", ("tea", "", 0), ("tea", "a", 1))).outcome
    lines = getattr(outcome, "lines", None) or shop.reservation("h").lines
    assert [line.sku for line in lines] == ["cup"]
