"""What the work of an order costs stays right when the order changes."""

from domgrpc.core.orders import Order
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import CHICAGO, cancel_order, edit, line, order


def placed_shop(*units: tuple[str, int]) -> Shop:
    """Open a warehouse with plenty of A and B, and place an order there."""
    shop = Shop().given(
        place("chicago", at=CHICAGO), on_hand("A", chicago=99), on_hand("B", chicago=99)
    )
    return shop.given(order(*(line(sku, count) for sku, count in units)))


def units_cost(shop: Shop) -> int:
    """Return what the units of the only work cost."""
    (work,) = shop.state.orders.by_id["o"].fulfillment_orders  # type: ignore[index]
    return work.units_cost_micros


def test_fewer_units_cost_less() -> None:
    shop = placed_shop(("A", 4))
    before = units_cost(shop)
    shop.gives(Order, edit("o", line("A", 2)))
    assert units_cost(shop) == before // 2


def test_cancelled_units_cost_nothing_any_more() -> None:
    shop = placed_shop(("A", 3), ("B", 1))
    before = units_cost(shop)
    shop.gives(Order, cancel_order("o", A=3))
    assert units_cost(shop) == before // 4
