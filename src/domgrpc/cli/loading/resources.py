"""A row as a location or a product: which column is which field, and what its cell means.

An empty cell says nothing: the field stays as it is.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from domgrpc.cli.choices import Backorder, LocationKind, Method, number_of
from domgrpc.cli.loading.cells import (
    QUANTITY_MAX,
    BadCell,
    choice,
    decimal,
    name,
    number,
    several,
    truth,
    words,
)
from domgrpc.cli.loading.loads import BadRow
from domgrpc.v1.location_pb2 import Location
from domgrpc.v1.product_pb2 import Product

NOTHING_SAID: Final = "NOTHING_SAID"
_INT32_MAX: Final = 2**31 - 1
_INT64_MAX: Final = 2**63 - 1

Mask: TypeAlias = tuple[str, ...]
_Cells: TypeAlias = Mapping[str, str]


def product_of(cells: _Cells) -> tuple[Product, Mask]:
    """Return the product of a row, and which of its fields the row says anything about.

    Raises BadCell or BadRow.
    """
    product = Product(sku=name(cells["sku"], "sku"))
    mask: dict[str, None] = {}
    for column, cell in cells.items():
        if cell and column in _PRODUCT_COLUMNS:
            field, write = _PRODUCT_COLUMNS[column]
            write(product, column, cell)
            mask[field] = None
    if not mask:
        raise BadRow(NOTHING_SAID, "the row says nothing about the product but its sku")
    return product, tuple(sorted(mask))


def location_of(cells: _Cells) -> tuple[Location, Mask]:
    """Return the location of a row, and which of its fields the row says anything about.

    Raises BadCell or BadRow.
    """
    location = Location(location_id=name(cells["location_id"], "location_id"))
    mask: dict[str, None] = {}
    for column, cell in cells.items():
        if cell and column in _LOCATION_COLUMNS:
            field, write = _LOCATION_COLUMNS[column]
            write(location, column, cell)
            mask[field] = None
    if not mask:
        raise BadRow(NOTHING_SAID, "the row says nothing about the location but its id")
    if bool(cells.get("latitude")) != bool(cells.get("longitude")):
        raise BadCell("latitude", "and longitude go together: give both or none")
    return location, tuple(sorted(mask))


def _write_display_name(resource: Location | Product, column: str, cell: str) -> None:
    resource.display_name = words(cell, column)


# --- products


def _write_unit(product: Product, column: str, cell: str) -> None:
    product.unit = words(cell, column)


def _write_unit_decimals(product: Product, column: str, cell: str) -> None:
    product.unit_decimals = number(cell, column, low=0, high=_INT32_MAX)


def _write_measure(product: Product, column: str, cell: str) -> None:
    setattr(product, column, number(cell, column, low=0, high=_INT64_MAX))


def _write_flag(product: Product, column: str, cell: str) -> None:
    setattr(product, column, truth(cell, column))


def _write_names(product: Product, column: str, cell: str) -> None:
    getattr(product, column).extend(several(words(cell, column)))


def _write_backorder_mode(product: Product, column: str, cell: str) -> None:
    product.backorder_policy.mode = number_of(choice(cell, column, Backorder))


def _write_backorder_limit(product: Product, column: str, cell: str) -> None:
    limit = number(cell, column, low=0, high=QUANTITY_MAX)
    product.backorder_policy.limit_quantity = limit


def _write_backorder_horizon(product: Product, column: str, cell: str) -> None:
    product.backorder_policy.horizon_days = number(cell, column, low=0, high=_INT32_MAX)


# column -> the field that it is part of, and what writes its cell
_PRODUCT_COLUMNS: Final[Mapping[str, tuple[str, Callable[[Product, str, str], None]]]] = {
    "display_name": ("display_name", _write_display_name),
    "unit": ("unit", _write_unit),
    "unit_decimals": ("unit_decimals", _write_unit_decimals),
    "weight_grams": ("weight_grams", _write_measure),
    "length_mm": ("length_mm", _write_measure),
    "width_mm": ("width_mm", _write_measure),
    "height_mm": ("height_mm", _write_measure),
    "categories": ("categories", _write_names),
    "keep_together": ("keep_together", _write_flag),
    "ship_alone": ("ship_alone", _write_flag),
    "backorder_mode": ("backorder_policy", _write_backorder_mode),
    "backorder_limit_quantity": ("backorder_policy", _write_backorder_limit),
    "backorder_horizon_days": ("backorder_policy", _write_backorder_horizon),
    "substitute_skus": ("substitute_skus", _write_names),
}


# --- locations


def _write_type(location: Location, column: str, cell: str) -> None:
    location.type = number_of(choice(cell, column, LocationKind))


def _write_latitude(location: Location, column: str, cell: str) -> None:
    location.point.latitude_degrees = decimal(cell, column)


def _write_longitude(location: Location, column: str, cell: str) -> None:
    location.point.longitude_degrees = decimal(cell, column)


def _write_methods(location: Location, column: str, cell: str) -> None:
    methods = (choice(word, column, Method) for word in several(cell))
    location.delivery_methods.extend(map(number_of, methods))


def _write_backorder_enabled(location: Location, column: str, cell: str) -> None:
    location.backorder_enabled = truth(cell, column)


_LOCATION_COLUMNS: Final[Mapping[str, tuple[str, Callable[[Location, str, str], None]]]] = {
    "type": ("type", _write_type),
    "display_name": ("display_name", _write_display_name),
    "latitude": ("point", _write_latitude),
    "longitude": ("point", _write_longitude),
    "delivery_methods": ("delivery_methods", _write_methods),
    "backorder_enabled": ("backorder_enabled", _write_backorder_enabled),
}
