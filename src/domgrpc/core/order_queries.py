"""Questions about orders: one, pages of them, quotes, simulations, and why a decision was so."""

import msgspec

from domgrpc.core.listings import Page, page_of
from domgrpc.core.order_explaining import about_location, without_open_work, without_own
from domgrpc.core.order_legs import uncancelled
from domgrpc.core.order_planning import plan_order
from domgrpc.core.order_works import claimed_units
from domgrpc.core.orders import (
    Order,
    OrderStatus,
    is_unreleased,
    order_status,
    unsourced_quantities,
)
from domgrpc.core.planner import PlanQuestion
from domgrpc.core.plans import (
    Explanation,
    Plan,
    Quote,
    QuoteQuestion,
    SimulationQuestion,
)
from domgrpc.core.quotes import make_quote
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.state import State
from domgrpc.core.values import (
    FOREVER_MS,
    CustomerId,
    LocationId,
    OrderId,
    Quantity,
    RuleSetVersion,
    Sku,
    TimeMs,
)


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders; None for any. Times are those of creation, the end exclusive."""

    status: OrderStatus | None = None
    customer_id: CustomerId | None = None
    location_id: LocationId | None = None
    """With work at this location, or to be collected there."""
    sku: Sku | None = None
    start_time_ms: TimeMs = TimeMs(0)
    end_time_ms: TimeMs = FOREVER_MS

    def matches(self, order: Order) -> bool:
        """Whether an order is wanted."""
        return (
            self.start_time_ms <= order.create_time_ms < self.end_time_ms
            and self.customer_id in (None, order.terms.customer_id)
            and (self.sku is None or any(line.sku == self.sku for line in order.lines))
            and (self.location_id is None or is_at(order, self.location_id))
            and self.status in (None, order_status(order))
        )


def is_at(order: Order, location_id: LocationId) -> bool:
    """Whether a location has to do with an order: it works on it, or is to hand it over."""
    return any(
        location_id in (work.location_id, work.destination_location_id)
        for work in order.fulfillment_orders
    ) or any(location_id == line.location_id and uncancelled(line) for line in order.lines)


def get_order(state: State, order_id: OrderId) -> Order:
    """Return an order or refuse with ORDER_NOT_FOUND."""
    return state.orders.get(order_id)


def list_orders(
    state: State, after: tuple[int, str], size: int, wanted: OrderFilter
) -> Page[Order]:
    """List orders by (create time, id) behind `after`; looks at a bounded number a page."""
    first = max(after, (wanted.start_time_ms - 1, ""))
    return page_of(
        state.orders.after(first),
        size,
        wanted.matches,
        lambda order: (order.create_time_ms, order.order_id),
    )


def quote_order(state: State, question: QuoteQuestion, now_ms: TimeMs) -> Quote:
    """Say what can be promised; nothing is held."""
    return make_quote(state.planner, question, now_ms)


def simulate_routing(state: State, question: SimulationQuestion, now_ms: TimeMs) -> Plan:
    """Plan an order as it would be planned now, by any rules and any stock; changes nothing."""
    version = question.rule_set_version
    asked = PlanQuestion(
        question.lines,
        question.terms,
        now_ms,
        rule_set_version=None if version is None else RuleSetVersion(version),
        strategy=question.strategy,
        mocked=question.stock or None,
    )
    if not question.order_id:
        return plan_order(state.planner, asked)
    order = state.orders.get(question.order_id)
    return plan_order(state.planner, _again(order, asked), without_own(state.planner, order))


def explain_decision(
    state: State,
    order_id: OrderId,
    number: int | None,
    *,
    location_ids: tuple[LocationId, ...],
    now_ms: TimeMs,
) -> Explanation:
    """Return a decision of an order, the newest for None, and why locations are not in it."""
    order = state.orders.get(order_id)
    count = len(order.decisions)
    if number is None:
        number = count - 1
    if not 0 <= number < count:
        raise Rejected(
            Reason.DECISION_NOT_FOUND,
            f"order {order_id!r} has {count} decisions that are remembered, numbered from 0",
            order_id=order_id,
            decision_count=count,
        )
    decision = order.decisions[number]
    return Explanation(
        order_id,
        decision,
        count,
        tuple(
            about_location(state.planner, order, decision, (name, now_ms)) for name in location_ids
        ),
    )


def _again(order: Order, asked: PlanQuestion) -> PlanQuestion:
    # All that may still be planned again, with its own units counted as free.
    open_works = tuple(filter(is_unreleased, order.fulfillment_orders))
    needs = unsourced_quantities(order)
    for work in open_works:
        for line in work.lines:
            needs[line.line_id] = needs.get(line.line_id, 0) + line.quantity
    if not needs:
        raise Rejected(
            Reason.LINE_RELEASED,
            f"all of order {order.order_id!r} was given to its locations: nothing is left to plan",
            order_id=order.order_id,
        )
    lines = tuple(
        msgspec.structs.replace(
            line, quantity=Quantity(needs[line.line_id]), cancelled_quantity=Quantity(0)
        )
        for line in order.lines
        if line.line_id in needs
    )
    return msgspec.structs.replace(
        asked,
        lines=lines,
        whole=order.lines,
        terms=order.terms,
        own=claimed_units(open_works),
        order=without_open_work(order),
    )
