"""The retailer of the demonstration: real towns by ZIP code, a small catalogue, stock by chance.

Everything here is the same for the same seed. It builds messages and sends nothing.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import zipcodes

from domgrpc.client import count_stock
from domgrpc.v1.inventory_pb2 import SafetyStockRule, StockUpdate
from domgrpc.v1.location_pb2 import Location, LocationGroup, LocationType
from domgrpc.v1.product_pb2 import Product
from domgrpc.v1.types_pb2 import DeliveryMethod, Point

DISTRIBUTION_CENTER: Final = LocationType.LOCATION_TYPE_DISTRIBUTION_CENTER
STORE: Final = LocationType.LOCATION_TYPE_STORE
PICKUP_RULE_ID: Final = "pickup-display-unit"
PICKUP_UNITS_KEPT_BACK: Final = 1

_ZIP_CODE: Final = re.compile("[0-9]{5}")
_DISTRIBUTION_CENTER_ZIPS: Final = ("60436", "17013", "30336", "89506")
_STORE_ZIPS: Final = {
    "midwest": (
        *("60611", "60201", "60173", "60540", "60452", "53202", "48226", "43215"),
        *("44113", "46204", "55401", "63101", "64108", "68102", "50309"),
    ),
    "northeast": (
        *("10001", "11201", "10601", "07030", "02116", "02139"),
        *("02903", "06103", "19103", "15222", "14202", "04101"),
    ),
    "south": (
        *("20001", "21201", "22201", "23219", "27601", "28202", "30309", "33131", "32801"),
        *("33602", "37203", "70112", "75201", "76102", "77002", "78701", "78205"),
    ),
    "west": (
        *("80202", "80302", "84101", "85004", "89101", "90017", "90401", "92618"),
        *("92101", "94103", "94612", "95113", "94301", "97204", "98101", "98004"),
    ),
}
_ITEMS: Final = {
    "kitchen": ("Kettle", "Toaster", "Blender", "Skillet", "Teapot"),
    "home": ("Lamp", "Cushion", "Throw", "Mirror", "Clock"),
    "garden": ("Planter", "Lantern", "Bench", "Hose", "Parasol"),
    "outdoors": ("Tent", "Backpack", "Cooler", "Bottle", "Stool"),
    "sport": ("Dumbbell", "Football", "Helmet", "Racket", "Mat"),
    "travel": ("Suitcase", "Duffel", "Umbrella", "Wallet", "Pouch"),
    "office": ("Desk", "Chair", "Shelf", "Notebook", "Stand"),
    "toys": ("Scooter", "Puzzle", "Kite", "Wagon", "Blocks"),
}
_COLORS: Final = ("black", "white", "red", "blue", "sage")
_CROWD_SKUS: Final = 4
_STORE_UNITS_MAX: Final = 12
_STORE_EMPTY_SHARE: Final = 0.15
_CENTER_UNITS_MIN: Final = 50
_CENTER_UNITS_MAX: Final = 500


class UnknownZip(ValueError):
    """No place in the United States has this ZIP code; the message says what to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A town by its ZIP code; coordinates are kept as the list of ZIP codes writes them."""

    zip_code: str
    city: str
    state: str
    latitude_degrees: float
    longitude_degrees: float

    def __str__(self) -> str:
        return f"{self.city} {self.state} {self.zip_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A location of the retailer and the place where it stands; the region is empty for a DC."""

    location_id: str
    type: LocationType
    place: Place
    region: str = ""

    def __str__(self) -> str:
        return f"{self.place.city} {self.place.state}" + (" (DC)" if not self.region else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retailer:
    """Who sells what where."""

    seed: int
    sites: tuple[Site, ...]
    products: tuple[Product, ...]

    @property
    def skus(self) -> tuple[str, ...]:
        """Every SKU in the order of the catalogue."""
        return tuple(product.sku for product in self.products)

    @property
    def customer_skus(self) -> tuple[str, ...]:
        """The SKUs that single customers ask for."""
        return self.skus[:-_CROWD_SKUS]

    @property
    def crowd_skus(self) -> tuple[str, ...]:
        """The SKUs that crowds ask for: nobody else touches them, so that every unit is known."""
        return self.skus[-_CROWD_SKUS:]

    @property
    def center(self) -> Site:
        """The first distribution center, where large quantities are sold from."""
        return self.sites[0]

    def site(self, location_id: str) -> Site:
        """Return the site with an id; O(sites)."""
        return next(site for site in self.sites if site.location_id == location_id)

    def product_name(self, sku: str) -> str:
        """Return what people call a product; O(products)."""
        return next(product.display_name for product in self.products if product.sku == sku)

    def locations(self) -> list[Location]:
        """Return every location as it is created; what it can do is usual for its type."""
        return [
            Location(
                location_id=site.location_id,
                display_name=str(site),
                type=site.type,
                point=Point(
                    latitude_degrees=site.place.latitude_degrees,
                    longitude_degrees=site.place.longitude_degrees,
                ),
            )
            for site in self.sites
        ]

    def groups(self) -> list[LocationGroup]:
        """Return the stores of each region as a group."""
        return [
            LocationGroup(
                group_id=region,
                display_name=f"Stores in the {region.capitalize()}",
                location_ids=[site.location_id for site in self.sites if site.region == region],
            )
            for region in _STORE_ZIPS
        ]

    def pickup_rule(self) -> SafetyStockRule:
        """Return the rule that keeps the display unit of every store from pickup orders."""
        return SafetyStockRule(
            rule_id=PICKUP_RULE_ID,
            location_type=STORE,
            delivery_method=DeliveryMethod.DELIVERY_METHOD_PICKUP,
            fixed_quantity=PICKUP_UNITS_KEPT_BACK,
        )

    def stock_counts(self) -> Iterator[StockUpdate]:
        """Iterate a count of every product at every site, by chance and by the seed."""
        chance = random.Random(self.seed)  # noqa: S311 - it must repeat, and guards nothing
        for site in self.sites:
            for product in self.products:
                yield count_stock(product.sku, site.location_id, _units(chance, site))


def build_retailer(seed: int) -> Retailer:
    """Return the retailer of a seed: 4 distribution centers, 60 stores, 200 products."""
    centers = (
        Site(location_id=f"dc-{code}", type=DISTRIBUTION_CENTER, place=find_place(code))
        for code in _DISTRIBUTION_CENTER_ZIPS
    )
    stores = (
        Site(location_id=f"store-{code}", type=STORE, place=find_place(code), region=region)
        for region, codes in _STORE_ZIPS.items()
        for code in codes
    )
    return Retailer(seed=seed, sites=(*centers, *stores), products=tuple(_products()))


def find_place(zip_code: str) -> Place:
    """Return the place of a five-digit ZIP code; raises UnknownZip."""
    found = []
    if _ZIP_CODE.fullmatch(zip_code):
        found = zipcodes.matching(zip_code)  # type: ignore[no-untyped-call]  # it ships none
    # Codes of the armed forces abroad have no place of their own: their coordinates are zero.
    if not found or not float(found[0]["lat"]):
        raise UnknownZip(f"no place has the ZIP code {zip_code!r}: give five digits, as 60614")
    entry = found[0]
    return Place(
        zip_code=entry["zip_code"],
        city=entry["city"],
        state=entry["state"],
        latitude_degrees=float(entry["lat"]),
        longitude_degrees=float(entry["long"]),
    )


def _products() -> Iterator[Product]:
    for category, items in _ITEMS.items():
        for item in items:
            for color in _COLORS:
                yield Product(
                    sku=f"{item}-{color}".upper(),
                    display_name=f"{item}, {color}",
                    categories=[category],
                )


def _units(chance: random.Random, site: Site) -> int:
    if site.type == DISTRIBUTION_CENTER:
        return chance.randint(_CENTER_UNITS_MIN, _CENTER_UNITS_MAX)
    return 0 if chance.random() < _STORE_EMPTY_SHARE else chance.randint(1, _STORE_UNITS_MAX)
