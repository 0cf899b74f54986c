"""What games of orders are played with: places, figures, and what is drawn in each step."""

from hypothesis import strategies as st

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.dispatch import Command
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import OrderLine, ShortagePolicy
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.values import DeliveryMethod, LocationType, Sku
from tests.core.commands import limited, place, product
from tests.core.logistics_words import calendar, changed, schedule
from tests.core.order_words import (
    CHICAGO,
    PICKUP,
    SHIP,
    line,
)

SKUS = ("tea", "cup", "sofa", "set")
SITES = ("A", "B", "C")
FEW = 4
MORE = {("cup", "C"): 3}
"""How far claims may exceed the stock."""
CAPACITY = {"A": (2, 0), "B": (4, 1)}
"""By location: how many packages (0) or units (1) it does a day."""
OPENING: tuple[Command, ...] = (
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
"""Three places with capacities and a backorder, and goods that travel alone or together."""
STEPS = (S.OPEN, S.RELEASED, S.SHIPPED, S.READY, S.DELIVERED, S.COLLECTED, S.CANCELLED)
LEFT = (S.SHIPPED, S.READY, S.DELIVERED, S.COLLECTED)

Wanted = list[tuple[str, int, tuple[DeliveryMethod, str], str]]
"""(SKU, units, (method, store), package group) by line."""

sku_of = st.sampled_from(SKUS)
site_of = st.sampled_from(SITES)
few = st.integers(1, 4)
way_of = st.sampled_from(((SHIP, ""), (SHIP, ""), (PICKUP, "B"), (PICKUP, "C")))
policy_of = st.sampled_from(ShortagePolicy)
pick_of = st.integers(0, 99)
group_of = st.sampled_from(("", "", "gift"))
lines_of = st.lists(st.tuples(sku_of, few, way_of, group_of), min_size=1, max_size=4)


def written(wanted: Wanted) -> tuple[OrderLine, ...]:
    """Write lines, each with an id of its own."""
    return tuple(
        line(sku, units, by=way[0], at=way[1], name=f"l{number}", group=group)
        for number, (sku, units, way, group) in enumerate(wanted)
    )
