"""What an order may not be, whatever the stock: lines, places and addresses that make no sense.

Checked before anything is planned, so that nobody waits for goods that can never come.
"""

from collections.abc import Iterable

from domgrpc.core.network import Network
from domgrpc.core.order_commands import ORDER_LINES_MAX
from domgrpc.core.orders import STORE_METHODS, OrderLine, OrderTerms
from domgrpc.core.rejections import Reason, Rejected


def check_lines(network: Network, lines: Iterable[OrderLine]) -> None:
    """Refuse with SKU_NOT_FOUND what was never described nor stocked; O(lines)."""
    by_sku, products = network.stock.by_sku, network.products.by_sku
    for line in lines:
        if line.sku not in by_sku and line.sku not in products:
            raise Rejected(
                Reason.SKU_NOT_FOUND,
                f"line {line.line_id!r} is of {line.sku!r}, which nobody has described or stocked: "
                "create the product or its stock first",
                sku=line.sku,
                line_id=line.line_id,
            )


def check_line_count(line_count: int) -> None:
    """Refuse with TOO_MANY_LINES more than one order may have."""
    if line_count > ORDER_LINES_MAX:
        raise Rejected(
            Reason.TOO_MANY_LINES,
            f"the order would have {line_count} lines, {ORDER_LINES_MAX} are allowed: place a "
            "second order",
            limit=ORDER_LINES_MAX,
        )


def check_terms(network: Network, lines: Iterable[OrderLine], terms: OrderTerms) -> None:
    """Refuse with LOCATION_NOT_FOUND a counter that does not exist, and where nothing can arrive.

    Goods that travel to an address need to know where that is: NO_CANDIDATE without.
    """
    if terms.placed_at_location_id:
        network.locations.index(terms.placed_at_location_id)
    if terms.address.point is not None:
        return
    for line in lines:
        if line.delivery_method not in STORE_METHODS:
            raise Rejected(
                Reason.NO_CANDIDATE,
                f"line {line.line_id!r} is to be brought to the customer by "
                f"{line.delivery_method.name}, but the address has no coordinates: give its point, "
                "or a postal code that is known",
                line_id=line.line_id,
            )
