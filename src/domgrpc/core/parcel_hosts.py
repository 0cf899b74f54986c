"""Hosts of parcels: where the work that others joined goes away, the first of them takes its place.

Guests pay no package and take none of the day's capacity: their host does. A step that cancels
the host's work or moves it elsewhere leaves its parcel to the first guest by id: it names nobody
from then on, pays the package as it is priced by then, and the others name it. Where the host's
work leaves, what nobody had begun stays behind as a parcel of its own. The orders of guests change
in the event of that step, so that whoever reads the log never sees a parcel without a host.

Work that has left its location keeps what it says: that is history.
"""

from collections.abc import Mapping

import msgspec

from domgrpc.core.order_commands import OrderChanged
from domgrpc.core.order_works import stamped
from domgrpc.core.orders import (
    NO_PARCEL,
    FulfillmentOrder,
    FulfillmentState,
    Order,
    StepKind,
    is_claiming,
    is_unreleased,
)
from domgrpc.core.parcel_prices import package_micros
from domgrpc.core.planner import Planner
from domgrpc.core.reservations import Caller
from domgrpc.core.taken import Taken
from domgrpc.core.values import FulfillmentOrderId, Micros, OrderId, TimeMs

Changed = Mapping[OrderId, Order]
"""The orders that a step changes, as they will be."""


def with_hosts(planner: Planner, changed: Changed, now_ms: TimeMs) -> dict[OrderId, Order]:
    """Return the orders of a step as they are once every parcel has a host again.

    Those of guests come behind those that were changed; nothing is stamped. O(their work).
    """
    after = dict(changed)
    guests = planner.orders.guests
    if not guests:
        return after
    for order_id in changed:
        for host in planner.orders.by_id[order_id].fulfillment_orders:
            if host.fulfillment_order_id in guests:
                left = _left_behind(planner, after, (order_id, host))
                after.update(_hosted(planner, after, left, (host, now_ms)))
    return after


def take_packages(planner: Planner, taken: Taken, changed: Changed, after: Changed) -> None:
    """Count the packages that guests take which became hosts."""
    index_of = planner.network.locations.index_of
    for order_id, order in after.items():
        before = _present(planner, changed, order_id)
        if before is not order:
            taken.give_back(before.fulfillment_orders, order.fulfillment_orders, index_of)


def guests_of(planner: Planner, changed: Changed, after: Changed, caller: Caller) -> list[Order]:
    """Return the orders that only became what they are as guests, stamped."""
    return [
        _stamped_guest(planner.orders.by_id[order_id], order, caller)
        for order_id, order in after.items()
        if order_id not in changed
    ]


def changes_with_hosts(
    planner: Planner, changes: list[OrderChanged], caller: Caller
) -> tuple[OrderChanged, ...]:
    """Return the changes of one step, and behind them those of the guests that it left behind."""
    changed = {change.order.order_id: change.order for change in changes}
    after = with_hosts(planner, changed, caller.at.time_ms)
    own = (
        msgspec.structs.replace(change, order=after[change.order.order_id]) for change in changes
    )
    guests = guests_of(planner, changed, after, caller)
    return (*own, *(OrderChanged(order, (), StepKind.REPLANNED) for order in guests))


def hosts_among(planner: Planner, changed: Changed, after: Changed) -> list[FulfillmentOrder]:
    """Return the work of other orders that a step makes a host."""
    return [
        new
        for order_id, order in after.items()
        if order_id not in changed
        for old, new in zip(
            planner.orders.by_id[order_id].fulfillment_orders,
            order.fulfillment_orders,
            strict=True,
        )
        if old.parcel_id and not new.parcel_id
    ]


def _left_behind(
    planner: Planner, after: Changed, gone: tuple[OrderId, FulfillmentOrder]
) -> list[tuple[OrderId, FulfillmentOrder]]:
    # The guests of a host that need another, by id; none where the host is still there.
    order_id, host = gone
    host_id = host.fulfillment_order_id
    now = _works(after[order_id]).get(host_id)
    if now is not None and is_claiming(now):
        return []
    # What was begun is in the parcel that left.
    has_left = now is not None and now.state is not FulfillmentState.CANCELLED
    stays = is_unreleased if has_left else is_claiming
    left = []
    for guest_id, guest_order_id in planner.orders.guests[host_id].items():
        work = _works(_present(planner, after, guest_order_id)).get(guest_id)
        if work is not None and stays(work) and work.parcel_id == host_id:
            left.append((guest_order_id, work))
    return left


def _hosted(
    planner: Planner,
    after: Changed,
    left: list[tuple[OrderId, FulfillmentOrder]],
    told: tuple[FulfillmentOrder, TimeMs],
) -> dict[OrderId, Order]:
    # The orders of guests that were left behind: the first of them has the parcel.
    found: dict[OrderId, Order] = {}
    for order_id, work in left:
        heir = left[0][1].fulfillment_order_id
        order = found.get(order_id) or _present(planner, after, order_id)
        if work.fulfillment_order_id != heir:
            new = msgspec.structs.replace(work, parcel_id=heir)
        else:
            # It has been told what it paid for what it added.
            paid_micros = max(work.package_cost_micros, _paid_anew(planner, order, work, told))
            new = msgspec.structs.replace(
                work, parcel_id=NO_PARCEL, package_cost_micros=Micros(paid_micros)
            )
        found[order_id] = _with_work(order, new)
    return found


def _paid_anew(
    planner: Planner,
    order: Order,
    work: FulfillmentOrder,
    told: tuple[FulfillmentOrder, TimeMs],
) -> int:
    # What the host paid was for its own weight too, and at the rates of its time. It stands only
    # where no carrier goes any more. What the guest paid was for what it added.
    host, now_ms = told
    paid_micros = package_micros(planner, order.terms, work, now_ms)
    if paid_micros is None:
        return host.package_cost_micros + work.package_cost_micros
    return paid_micros


def _present(planner: Planner, after: Changed, order_id: OrderId) -> Order:
    found = after.get(order_id)
    return planner.orders.by_id[order_id] if found is None else found


def _works(order: Order) -> dict[FulfillmentOrderId, FulfillmentOrder]:
    return {work.fulfillment_order_id: work for work in order.fulfillment_orders}


def _with_work(order: Order, new: FulfillmentOrder) -> Order:
    works = tuple(
        new if work.fulfillment_order_id == new.fulfillment_order_id else work
        for work in order.fulfillment_orders
    )
    return msgspec.structs.replace(order, fulfillment_orders=works)


def _stamped_guest(before: Order, order: Order, caller: Caller) -> Order:
    moved = (
        f"{new.fulfillment_order_id} "
        + (f"joins {new.parcel_id}" if new.parcel_id else "has the parcel")
        for old, new in zip(before.fulfillment_orders, order.fulfillment_orders, strict=True)
        if old.parcel_id != new.parcel_id
    )
    changed = stamped(order, caller, StepKind.REPLANNED, ", ".join(moved))
    # Neither units nor dates changed: what somebody was to look at is still there.
    return msgspec.structs.replace(changed, attention=before.attention)
