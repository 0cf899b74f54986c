"""What a watch of orders is about, and the walk over the open ones that its snapshot makes.

Orders are walked as they are listed, oldest first: a place never moves, new orders come behind
all others. The walk is a query: it reads the state and changes nothing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from domgrpc.core.events import Record
from domgrpc.core.order_commands import ClaimChange, OrderChanged, OrderPlaced, OrdersReplanned
from domgrpc.core.orders import Order, StepKind, is_finished
from domgrpc.core.state import State
from domgrpc.core.values import CustomerId, LocationId, OrderId
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX, order_bytes

ORDERS_PER_SLICE_MAX = 250
SCANNED_PER_SLICE_MAX = 2_000

Place = tuple[int, str]
"""Create time and id of an order."""
START: Place = (-1, "")


class OrderNews(msgspec.Struct, frozen=True, gc=False):
    """What one event did to one order."""

    order: Order
    kind: StepKind
    claims: tuple[ClaimChange, ...]


class OrderSelection(msgspec.Struct, frozen=True):
    """What a watch is about; empty for all."""

    order_ids: frozenset[OrderId]
    customer_ids: frozenset[CustomerId]
    location_ids: frozenset[LocationId]

    def wants(self, news: OrderNews) -> bool:
        """Whether something that happened is of an order that is watched.

        A location is concerned too by work that was taken away from it: only the claims tell.
        """
        return self._wants_order(news.order) and (
            not self.location_ids
            or self._concerns(news.order)
            or any(claim.location_id in self.location_ids for claim in news.claims)
        )

    def includes(self, order: Order) -> bool:
        """Whether an order is watched, as it stands."""
        return self._wants_order(order) and (not self.location_ids or self._concerns(order))

    def _wants_order(self, order: Order) -> bool:
        return (not self.order_ids or order.order_id in self.order_ids) and (
            not self.customer_ids or order.terms.customer_id in self.customer_ids
        )

    def _concerns(self, order: Order) -> bool:
        wanted = self.location_ids
        return any(
            work.location_id in wanted or work.destination_location_id in wanted
            for work in order.fulfillment_orders
        ) or any(line.location_id in wanted for line in order.lines)


class OrderSlice(msgspec.Struct, frozen=True):
    """Orders of a slice, the last place that was looked at, and whether none is behind it."""

    orders: tuple[Order, ...]
    place: Place
    is_last: bool = False


def news_of(record: Record) -> Iterator[OrderNews]:
    """Iterate what a record did to orders, in the order of its events."""
    for event in record.events:
        match event:
            case OrderPlaced(order=order, claims=claims):
                yield OrderNews(order, StepKind.PLACED, claims)
            case OrderChanged(order=order, claims=claims, step=step, guests=guests):
                yield OrderNews(order, step, claims)
                for guest in guests:
                    yield OrderNews(guest, StepKind.REPLANNED, ())
            case OrdersReplanned(changes=changes):
                for change in changes:
                    yield OrderNews(change.order, change.step, change.claims)
            case _:
                # Stock, places and rules are told by other watches.
                continue


def read_slice(state: State, selection: OrderSelection, after: Place) -> OrderSlice:
    """Return the next open orders behind a place; looks at 2,000, returns 250 at most.

    It also ends with the order that brings it above 2 MiB.
    """
    found: list[Order] = []
    place, size_bytes = after, 0
    for scanned_count, order in enumerate(_walked(state, after), 1):
        place = (order.create_time_ms, order.order_id)
        if selection.includes(order) and not is_finished(order):
            found.append(order)
            size_bytes += order_bytes(order)
        if (
            len(found) == ORDERS_PER_SLICE_MAX
            or scanned_count == SCANNED_PER_SLICE_MAX
            or size_bytes > MESSAGE_BYTES_MAX
        ):
            return OrderSlice(tuple(found), place)
    return OrderSlice(tuple(found), place, is_last=True)


def _walked(state: State, after: Place) -> Iterable[Order]:
    return state.orders.after(after)
