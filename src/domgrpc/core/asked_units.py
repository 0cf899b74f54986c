"""Units that a question names by location: its own claims, and stock that it supposes."""

from collections.abc import Mapping

from domgrpc.core.leg_questions import Units
from domgrpc.core.network import Network
from domgrpc.core.plans import MockStock
from domgrpc.core.values import LocationId, LocationIndex, Sku


def units_by_index(
    network: Network, units: Mapping[tuple[Sku, LocationId], int]
) -> dict[Sku, dict[LocationIndex, int]]:
    """Return units by SKU, then location index."""
    found: dict[Sku, dict[LocationIndex, int]] = {}
    for (sku, location_id), count in units.items():
        found.setdefault(sku, {})[network.locations.index(location_id)] = count
    return found


def mocked_units(network: Network, mocked: tuple[MockStock, ...] | None) -> dict[Sku, Units] | None:
    """Return stock that a question supposes, by SKU; None for what there is."""
    if mocked is None:
        return None
    found: dict[Sku, Units] = {}
    for each in mocked:
        units = found.setdefault(each.sku, {})
        index = network.locations.index(each.location_id)
        units[index] = units.get(index, 0) + each.quantity
    return found
