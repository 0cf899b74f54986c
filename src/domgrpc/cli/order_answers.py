"""How orders and quotes are shown: as facts and tables, or as the document."""

import sys
from typing import TYPE_CHECKING

import typer

from domgrpc.cli.session import session_of

if TYPE_CHECKING:
    from domgrpc.v1.order_pb2 import Order, Quote


def show(
    context: typer.Context, order: "Order", *, dry_run: bool = False, with_history: bool = False
) -> None:
    """Print an order: its facts, what was ordered, and who does what."""
    from domgrpc.cli.answers import DRY_RUN
    from domgrpc.cli.output import plain, print_facts, print_json, time_text, word
    from domgrpc.cli.plan_tables import (
        ORDER_LINES,
        STEPS,
        address_text,
        money,
        paid_of,
        print_section,
        weighed_of,
        work_columns,
    )

    if session_of(context).as_json:
        print_json(plain(order))
        return
    weighed = sum(map(weighed_of, order.fulfillment_orders))
    if dry_run:
        sys.stdout.write(DRY_RUN)
    print_facts(
        {
            "order_id": order.order_id,
            "status": word(order, "status"),
            "attention": word(order, "attention"),
            "customer_id": order.terms.customer_id,
            "holds": [f"{word(hold, 'kind')} {hold.reason}".strip() for hold in order.holds],
            "to": address_text(order.terms.address),
            "promise": _promise(order),
            "placed_at": order.terms.placed_at_location_id,
            "reference": order.terms.reference,
            "placed": time_text(order.create_time),
            "paid": money(sum(map(paid_of, order.fulfillment_orders))),
            "weighed": money(weighed) if weighed else "",
            "etag": order.etag,
        }
    )
    print_section("ordered", ORDER_LINES, order.lines)
    works = order.fulfillment_orders
    print_section("work", work_columns(works), works)
    if with_history:
        print_section("history", STEPS, order.history)


def _promise(order: "Order") -> str:
    from domgrpc.cli.output import time_text

    terms = order.terms
    return time_text(terms.promise_time) if terms.HasField("promise_time") else ""


def uncancelled_text(order: "Order") -> str:
    """Say which units the cancelling of a whole order has left, because somebody works on them."""
    left = [
        f"{line.quantity - line.cancelled_quantity:,} x {line.sku} (line {line.line_id})"
        for line in order.lines
        if line.quantity > line.cancelled_quantity
    ]
    if not left:
        return ""
    return f"not cancelled, as a location already works on it: {', '.join(left)}\n"


def show_quote(context: typer.Context, quote: "Quote") -> None:
    """Print what can be promised, the tokens that book it, and what cannot be."""
    from domgrpc.cli.output import plain, print_json, time_text, word
    from domgrpc.cli.plan_tables import miss_sentence, option_columns
    from domgrpc.cli.tables import print_table

    if session_of(context).as_json:
        print_json(plain(quote))
        return
    if quote.options:
        print_table(option_columns(quote.options), quote.options)
    for miss in quote.misses:
        sys.stdout.write(miss_sentence(miss) + "\n")
    for number, option in enumerate(quote.options, 1):
        way = word(option, "delivery_method") or "as the lines say"
        sys.stdout.write(f"\n{number} {way} {option.location_id}\n{option.quote_token}\n")
    if quote.options:
        sys.stdout.write(f"\ngood until {time_text(quote.expire_time)}\n")
