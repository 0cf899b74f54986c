"""Pictures: all that a caller could read of a state, as plain data that can be compared."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from domgrpc.core.changes import position_changes
from domgrpc.core.events import Record
from domgrpc.core.listings import (
    Page,
    PositionFilter,
    ReservationFilter,
    list_calendars,
    list_groups,
    list_lanes,
    list_locations,
    list_low_positions,
    list_positions,
    list_products,
    list_rate_cards,
    list_reservations,
    list_rule_sets,
    list_rules,
)
from domgrpc.core.order_queries import OrderFilter, list_orders
from domgrpc.core.state import State
from domgrpc.core.values import TimeMs

Entry = TypeVar("Entry")
# Any: each listing has its own kind of place.
Place = Any


def picture(state: State, now_ms: TimeMs) -> dict[str, object]:
    """Return everything that listings show at a time."""
    any_position = (PositionFilter(), now_ms)
    return {
        "locations": every(lambda at: list_locations(state, at, 100, (None, None)), ""),
        "groups": every(lambda at: list_groups(state, at, 100), ""),
        "rule sets": every(lambda at: list_rule_sets(state, at, 100, None), 2**63),
        "rules": every(lambda at: list_rules(state, at, 100), ""),
        "rate cards": every(lambda at: list_rate_cards(state, at, 100), ""),
        "lanes": every(lambda at: list_lanes(state, at, 100), ""),
        "calendars": every(lambda at: list_calendars(state, at, 100), (0, "")),
        "products": every(lambda at: list_products(state, at, 100, None), (0, -1)),
        "reservations": every(
            lambda at: list_reservations(state, at, 100, ReservationFilter()), (0, "")
        ),
        "orders": every(lambda at: list_orders(state, at, 100, OrderFilter()), (0, "")),
        "positions": every(lambda at: list_positions(state, at, 100, any_position), (0, 0, -1)),
        "low positions": every(
            lambda at: list_low_positions(state, at, 100, any_position), ("", -1)
        ),
    }


Figures = dict[tuple[str, str], tuple[int, int, int]]
"""on_hand, soft_reserved and allocated by SKU and location; positions without any left out."""


def figures_of(state: State, now_ms: TimeMs) -> Figures:
    """Return the figures of all positions."""
    by = (PositionFilter(), now_ms)
    found = every(lambda at: list_positions(state, at, 100, by), (0, 0, -1))
    figures = {
        (each.sku, each.location_id): (each.on_hand, each.soft_reserved, each.allocated)
        for each in found
    }
    assert len(figures) == len(found), "each position is listed once"
    return {key: units for key, units in figures.items() if any(units)}


def added_up(records: Iterable[Record]) -> Figures:
    """Return the figures that a watcher has who adds up all deltas since the beginning."""
    figures: Figures = {}
    for record in records:
        for change in position_changes(record):
            key = (change.sku, change.location_id)
            on_hand, soft_reserved, allocated = figures.get(key, (0, 0, 0))
            figures[key] = (
                on_hand + change.on_hand_delta,
                soft_reserved + change.soft_reserved_delta,
                allocated + change.allocated_delta,
            )
    return {key: units for key, units in figures.items() if any(units)}


def every(page_after: Callable[[Place], Page[Entry]], first: Place) -> list[Entry]:
    """Return all entries of a listing, page by page."""
    found: list[Entry] = []
    place: Place = first
    while place is not None:
        page = page_after(place)
        found.extend(page.entries)
        place = page.next_place
        if place is not None and isinstance(first, str):
            (place,) = place
    return found
