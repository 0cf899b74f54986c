"""Readings of orders and plans, and how each is judged where nothing has changed since."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from domgrpc.core.order_queries import (
    OrderFilter,
    explain_decision,
    get_order,
    list_orders,
    quote_order,
    simulate_routing,
)
from domgrpc.core.orders import OrderStatus
from domgrpc.core.plans import SimulationQuestion
from domgrpc.core.state import State
from domgrpc.core.values import CustomerId, LocationId, OrderId, Sku, TimeMs
from tests.simulation.books import Books, Plain
from tests.simulation.order_books import DECISIONS
from tests.simulation.order_figures import listed_orders
from tests.simulation.plan_figures import Asked
from tests.simulation.quote_verdicts import judge_plan, judge_quote
from tests.simulation.workload import PLACES, SKUS, Workload

PAGE = 10


class OrderRead(NamedTuple):
    """What is asked, and how the answer is judged as a plain value."""

    kind: str
    name: str
    query: Callable[[State, TimeMs], Any]
    judge: Callable[[Books, Plain], None]
    note: Callable[[Any], None] = lambda _: None
    """Told the answer itself, for what is asked next."""


def draw_read(workload: Workload, draw: Callable[[], float]) -> OrderRead:
    """Draw a question about orders or plans."""
    orders = workload.orders
    match int(draw() * 6):
        case 0 | 1:
            return _get(orders.order_id())
        case 2:
            return _list(_filter(draw), draw)
        case 3:
            question = orders.question()
            lines, terms = _plain(question.lines), _plain(question.terms)
            return OrderRead(
                "quotes",
                "what can be promised",
                lambda state, now_ms: quote_order(state, question, now_ms),
                lambda books, quote: judge_quote(books, lines, terms, quote),
                lambda quote: orders.quoted(question, quote),
            )
        case 4:
            return _simulate(workload, draw)
        case _:
            return _explain(orders.order_id(), LocationId(PLACES[int(draw() * len(PLACES))]))


def _get(order_id: OrderId) -> OrderRead:
    def judge(books: Books, order: Plain) -> None:
        assert books.orders.by_id[order_id] == order, f"{order_id} was read as {order}"

    return OrderRead("order", order_id, lambda state, _: get_order(state, order_id), judge)


def _list(wanted: OrderFilter, draw: Callable[[], float]) -> OrderRead:
    size = 1 + int(draw() * PAGE)

    def judge(books: Books, page: Plain) -> None:
        found = listed_orders(books, _plain(wanted))
        entries, next_place = page
        assert entries == found[: len(entries)], f"{wanted} lists {entries}"
        assert next_place is not None or len(entries) == len(found), f"{wanted} leaves some out"

    def ask(state: State, _now_ms: TimeMs) -> Any:  # noqa: ANN401 - whatever a page has
        page = list_orders(state, (0, ""), size, wanted)
        return page.entries, page.next_place

    return OrderRead("a list", f"{wanted}", ask, judge)


def _filter(draw: Callable[[], float]) -> OrderFilter:
    match int(draw() * 6):
        case 0:
            return OrderFilter()
        case 5:
            return OrderFilter(needs_attention=True)
        case 1:
            statuses = tuple(OrderStatus)
            return OrderFilter(status=statuses[int(draw() * len(statuses))])
        case 2:
            return OrderFilter(customer_id=CustomerId("ann"))
        case 3:
            return OrderFilter(location_id=LocationId(PLACES[int(draw() * len(PLACES))]))
        case _:
            return OrderFilter(sku=Sku(SKUS[int(draw() * len(SKUS))]))


def _simulate(workload: Workload, draw: Callable[[], float]) -> OrderRead:
    question = workload.orders.question()
    again = draw() < 0.3
    asked = SimulationQuestion(
        question.lines,
        question.terms,
        order_id=workload.orders.order_id() if again else OrderId(""),
    )
    plain = Asked(_plain(question.terms), _plain(question.lines))

    def judge(books: Books, plan: Plain) -> None:
        if not again:
            judge_plan(books, plain, plan)

    return OrderRead(
        "a simulation",
        f"of {asked.order_id or 'new lines'}",
        lambda state, now_ms: simulate_routing(state, asked, now_ms),
        judge,
    )


def _explain(order_id: OrderId, location_id: LocationId) -> OrderRead:
    def judge(books: Books, explanation: Plain) -> None:
        decisions = books.orders.by_id[order_id][DECISIONS]
        assert explanation[1:3] == [decisions[-1], len(decisions)], f"{order_id} is explained so"

    return OrderRead(
        "why",
        order_id,
        lambda state, now_ms: explain_decision(
            state, order_id, None, location_ids=(location_id,), now_ms=now_ms
        ),
        judge,
    )


def _plain(value: object) -> Plain:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))
