"""Legs: the lines of an order that can share a package, and what each asks for by SKU."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from domgrpc.core.leg_questions import Need
from domgrpc.core.orders import STORE_METHODS, FulfillmentState, Order, OrderLine
from domgrpc.core.products import ProductFields
from domgrpc.core.values import NO_LOCATION, DeliveryMethod, LineId, LocationId, Sku


class Leg(msgspec.Struct, frozen=True):
    """The lines of one delivery method and one store, or the customer's address."""

    delivery_method: DeliveryMethod
    store_id: LocationId
    lines: tuple[OrderLine, ...]

    @property
    def ends_at_store(self) -> bool:
        """Whether the customer collects it."""
        return self.delivery_method in STORE_METHODS

    @property
    def starts_at_store(self) -> bool:
        """Whether it is collected where its stock is."""
        return self.delivery_method in (DeliveryMethod.PICKUP, DeliveryMethod.CURBSIDE)


def package_count(order: Order, leg: Leg) -> int:
    """Return the packages of an order that travel the way of a leg; O(its work)."""
    destination = leg.store_id if leg.ends_at_store else NO_LOCATION
    return sum(
        work.state is not FulfillmentState.CANCELLED
        and not work.parcel_id
        and work.delivery_method is leg.delivery_method
        and work.destination_location_id == destination
        for work in order.fulfillment_orders
    )


def left_out(
    order: Order | None, excluded: tuple[LocationId, ...], since_ms: int
) -> tuple[LocationId, ...]:
    """Return where an order may not go: the excluded places, and those that gave it back since."""
    if order is None:
        return excluded
    declined = (
        work.location_id
        for work in order.fulfillment_orders
        if work.state is FulfillmentState.CANCELLED and work.given_back_time_ms > since_ms
    )
    return tuple(dict.fromkeys((*excluded, *declined)))


def goes_with(line: OrderLine, leg: Leg) -> bool:
    """Whether a line belongs to a leg."""
    return line.delivery_method is leg.delivery_method and line.location_id == leg.store_id


def uncancelled(line: OrderLine) -> int:
    """Return the units of a line that are still wanted."""
    return line.quantity - line.cancelled_quantity


def value_of(lines: Iterable[OrderLine]) -> int:
    """Return what the units of lines that are still wanted are worth, in micros."""
    return sum(uncancelled(line) * line.unit_price_micros for line in lines)


def legs_of(lines: tuple[OrderLine, ...]) -> list[Leg]:
    """Group lines into legs, in the order of their first lines; O(lines)."""
    first = lines[0]
    if len(lines) == 1:
        return [Leg(first.delivery_method, first.location_id, lines)]
    grouped: dict[tuple[DeliveryMethod, LocationId], list[OrderLine]] = {}
    for line in lines:
        grouped.setdefault((line.delivery_method, line.location_id), []).append(line)
    return [Leg(*key, tuple(members)) for key, members in grouped.items()]


def needs_of(
    lines: Sequence[OrderLine], fields_of: Callable[[Sku], ProductFields]
) -> tuple[Need, ...]:
    """Sum lines of the same SKU, so that each of its units is promised once; O(lines)."""
    by_sku: dict[Sku, list[OrderLine]] = {}
    for line in lines:
        by_sku.setdefault(line.sku, []).append(line)
    if len(by_sku) == len(lines):
        return tuple(
            [
                Need(line.sku, line.quantity, ((line.line_id, line.quantity),), fields_of(line.sku))
                for line in lines
            ]
        )
    return tuple(
        Need(
            sku,
            sum(line.quantity for line in members),
            tuple((line.line_id, line.quantity) for line in members),
            fields_of(sku),
        )
        for sku, members in by_sku.items()
    )


def parts_of(needs: tuple[Need, ...], leg: Leg, lines: tuple[OrderLine, ...]) -> tuple[Need, ...]:
    """Return the needs of a leg as parts of those of other lines, if there are any."""
    if not lines:
        return needs
    whole: dict[Sku, int] = {}
    for line in lines:
        if goes_with(line, leg):
            whole[line.sku] = whole.get(line.sku, 0) + line.quantity
    return tuple(msgspec.structs.replace(need, whole=whole.get(need.sku, 0)) for need in needs)


def package_groups(
    lines: tuple[OrderLine, ...], needs: tuple[Need, ...]
) -> tuple[tuple[int, ...], ...]:
    """Return which needs must travel in one package, by place; joined where groups overlap.

    A group of one need stands for lines of one SKU, whose units must not be split.
    """
    place_of = {need.sku: place for place, need in enumerate(needs)}
    group_of: dict[str, dict[int, None]] = {}
    for line in lines:
        if line.package_group:
            group_of.setdefault(line.package_group, {})[place_of[line.sku]] = None
    joined: list[dict[int, None]] = []
    for members in group_of.values():
        merged = dict(members)
        apart = []
        for other in joined:
            if any(place in merged for place in other):
                merged.update(other)
            else:
                apart.append(other)
        joined = [*apart, merged]
    return tuple(tuple(sorted(members)) for members in joined)


def shared_out(need: Need, units: int, done: dict[LineId, int]) -> list[tuple[LineId, int]]:
    """Hand units of a need to its lines in their order; `done` notes what each has by now."""
    shares = []
    for line_id, quantity in need.lines:
        share = min(units, quantity - done.get(line_id, 0))
        if share:
            done[line_id] = done.get(line_id, 0) + share
            units -= share
            shares.append((line_id, share))
    return shares
