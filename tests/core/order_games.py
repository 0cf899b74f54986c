"""What games of orders are about: places with capacity, products with terms, and what to draw."""

from hypothesis import strategies as st

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.dispatch import Command
from domgrpc.core.orders import (
    FulfillmentOrder,
    Order,
    OrderLine,
    ShortagePolicy,
    is_claiming,
    is_unreleased,
    unsourced_quantities,
)
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.values import DeliveryMethod, LocationType, Sku
from tests.core.commands import limited, place, product
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import CHICAGO, PICKUP, SHIP, line

SKUS = ("tea", "cup", "sofa", "set")
SITES = ("A", "B", "C")
FEW = 4
MORE = {("cup", "C"): 3}
"""How far claims may exceed the stock."""
CAPACITY = {"A": (2, 0), "B": (4, 1)}
"""By location: how many packages (0) or units (1) it does a day."""
STEPS = (S.OPEN, S.RELEASED, S.SHIPPED, S.READY, S.DELIVERED, S.COLLECTED, S.CANCELLED)
LEFT = (S.SHIPPED, S.READY, S.DELIVERED, S.COLLECTED)

Wish = tuple[str, int, tuple[DeliveryMethod, str], str]
"""SKU, units, how and at which store, package group."""

sku_of = st.sampled_from(SKUS)
site_of = st.sampled_from(SITES)
few = st.integers(1, 4)
way_of = st.sampled_from(((SHIP, ""), (SHIP, ""), (PICKUP, "B"), (PICKUP, "C")))
policy_of = st.sampled_from(ShortagePolicy)
pick_of = st.integers(0, 99)
group_of = st.sampled_from(("", "", "gift"))
lines_of = st.lists(st.tuples(sku_of, few, way_of, group_of), min_size=1, max_size=4)


def written(wanted: list[Wish]) -> tuple[OrderLine, ...]:
    """Write lines, each with an id of its own."""
    return tuple(
        line(sku, units, by=by, at=at, name=f"l{number}", group=group)
        for number, (sku, units, (by, at), group) in enumerate(wanted)
    )


PLACES: tuple[Command, ...] = (
    place("A", LocationType.DISTRIBUTION_CENTER, at=CHICAGO),
    place("B", at=(41.0, -88.0)),
    place("C", at=(43.0, -88.0), backorder=True),
    product("cup", backorder=limited(3)),
    CreateProducts(
        products=(
            (Sku("sofa"), ProductFields(ship_alone=True)),
            (Sku("set"), ProductFields(keep_together=True)),
        )
    ),
    changed(calendar("A", schedule()), daily_capacity=2),
    changed(calendar("B", schedule()), daily_capacity=4, capacity_unit=CapacityUnit.UNITS),
)


def units_by_line(works: tuple[FulfillmentOrder, ...]) -> dict[str, int]:
    """Return the units of each line that work is done for, or was."""
    found: dict[str, int] = {}
    for work in works:
        for each in work.lines if work.state is not S.CANCELLED else ():
            found[each.line_id] = found.get(each.line_id, 0) + each.quantity
    return found


def is_halved(found: Order) -> bool:
    """Whether of an order that ships complete a part is planned and another waits."""
    is_open = any(map(is_unreleased, found.fulfillment_orders))
    return found.terms.ship_complete and is_open and bool(unsourced_quantities(found))


def units_claimed(works: tuple[FulfillmentOrder, ...]) -> dict[tuple[str, str], int]:
    """Return the units that work has in the stock, by SKU and location."""
    found: dict[tuple[str, str], int] = {}
    for work in filter(is_claiming, works):
        for each in work.lines:
            key = (str(each.sku), str(work.location_id))
            found[key] = found.get(key, 0) + each.quantity
    return found
