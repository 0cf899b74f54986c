"""How orders, plans and decisions look to people: tables, and a sentence where it says more."""

import sys
from collections.abc import Iterable
from typing import Any, Final

from domgrpc.cli.output import time_text, word
from domgrpc.cli.tables import Column, Row, print_table

_MICROS: Final = 1_000_000
_CENT: Final = 10_000
_SHOWN_SHARE: Final = 0.000_5
FILTERS: Final = {
    "disabled": "out of use",
    "method": "cannot do the method",
    "scope": "outside the scope",
    "stock": "have nothing of it",
    "excluded": "gave it back",
    "reach": "do not reach the customer",
    "capacity": "have no capacity left that day",
    "promise": "would be late",
    "rules": "excluded by rules",
    "packages": "would be a package too many",
}


_AT_STORE: Final = ("PICKUP", "CURBSIDE")
_OTHER_STORE: Final = "not at the store asked for"


def counted(count: int, noun: str) -> str:
    """Return a number of things, in the singular for one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def money(micros: int) -> str:
    """Return an amount in units of the currency."""
    return f"{micros / _MICROS:,.2f}"


def contents(row: Row) -> str:
    """Return what is in a package."""
    return ", ".join(
        f"{line.quantity} x {line.sku}"
        + (f" ({line.backordered_quantity} to come)" if line.backordered_quantity else "")
        for line in row.lines
    )


def cost_of(row: Row) -> int:
    """Return what the work of a location costs; nothing where it was cancelled."""
    if word(row, "state") == "CANCELLED":
        return 0
    return int(row.package_cost_micros + row.units_cost_micros + row.price_micros)


def paid_of(row: Row) -> int:
    """Return what carriers and handling are paid for the work of a location."""
    return cost_of(row) - weighed_of(row)


def weighed_of(row: Row) -> int:
    """Return what the rule set adds to a cost, as for lateness: it is weighed, and nobody pays."""
    return 0 if word(row, "state") == "CANCELLED" else int(row.price_micros)


def weighed_in_plan(plan: Row) -> int:
    """Return what of the cost of a plan is weighed only."""
    return sum(leg.price_micros for leg in plan.legs)


def cost_text(cost_micros: int, weighed_micros: int) -> str:
    """Return a cost as what is paid, and what is weighed where there is any."""
    paid = f"{money(cost_micros - weighed_micros)} paid"
    return f"{paid} and {money(weighed_micros)} weighed" if weighed_micros else paid


def address_text(address: Row) -> str:
    """Return an address in a line: its words, or its coordinates where it has none."""
    named = (
        *(address.recipient, address.street, address.postal_code, address.city),
        *(address.region, address.country_code),
    )
    text = ", ".join(part for part in named if part)
    if text and word(address, "address_type") == "COMMERCIAL":
        return f"{text} (business)"
    if text or not address.HasField("point"):
        return text
    return f"{address.point.latitude_degrees:g},{address.point.longitude_degrees:g}"


def route(row: Row) -> str:
    """Return where a package comes from, and the store that it goes to."""
    target = row.destination_location_id
    return row.location_id if target in ("", row.location_id) else f"{row.location_id} -> {target}"


def short_units(plan: Row) -> int:
    """Return how many units of a plan nobody can fill."""
    return sum(shortage.quantity for shortage in plan.shortages)


def removed_text(leg: Row) -> str:
    """Return what removed locations from a leg, in words."""
    return ", ".join(
        f"{each.location_count:,} {_filter_words(each.filter, leg)}" for each in leg.removed
    )


def _filter_words(name: str, leg: Row) -> str:
    if name == "scope" and word(leg, "delivery_method") in _AT_STORE:
        return _OTHER_STORE
    return FILTERS.get(name, name)


def miss_sentence(miss: Row) -> str:
    """Say of a way by which nothing can be promised what is short, and why."""
    way = word(miss, "delivery_method") or "as the lines say"
    if not miss.HasField("plan"):
        return f"{way}: nothing can be promised: no store near enough does it"
    store = f" at {miss.location_id}" if miss.location_id else ""
    short = ", ".join(f"{each.quantity:,} x {each.sku}" for each in miss.plan.shortages)
    why = "; ".join(dict.fromkeys(filter(None, map(removed_text, miss.plan.legs))))
    return f"{way}{store}: nothing can be promised: short of {short}" + (
        f" (locations: {why})" if why else ""
    )


def _weighed_text(micros: int) -> str:
    return money(micros) if micros else ""


ORDERS: Final = (
    Column("order", lambda row: row.order_id),
    Column("status", lambda row: word(row, "status")),
    Column("attention", lambda row: word(row, "attention")),
    Column("customer", lambda row: row.terms.customer_id),
    Column("lines", lambda row: len(row.lines), is_number=True),
    Column("from", lambda row: ", ".join({work.location_id: 0 for work in row.fulfillment_orders})),
    Column("placed", lambda row: time_text(row.create_time)),
)
ORDER_LINES: Final = (
    Column("line", lambda row: row.line_id),
    Column("sku", lambda row: row.sku),
    Column("quantity", lambda row: row.quantity, is_number=True),
    Column("method", lambda row: word(row, "delivery_method")),
    Column("store", lambda row: row.location_id),
    Column("cancelled", lambda row: row.cancelled_quantity or "", is_number=True),
    Column("without a place", lambda row: row.unsourced_quantity or "", is_number=True),
)
_WORK: Final = (
    Column("work", lambda row: row.fulfillment_order_id),
    Column("from", route),
    Column("what", contents),
    Column("method", lambda row: word(row, "delivery_method")),
    Column("state", lambda row: word(row, "state")),
    Column("ship by", lambda row: time_text(row.ship_by_time)),
    Column("there by", lambda row: time_text(row.deliver_by_time)),
    Column("paid", lambda row: money(paid_of(row)), is_number=True),
    Column("weighed", lambda row: _weighed_text(weighed_of(row)), is_number=True),
)
_PACKAGES: Final = (
    Column("from", route),
    Column("what", contents),
    Column("ship by", lambda row: time_text(row.ship_by_time)),
    Column("there by", lambda row: time_text(row.deliver_by_time)),
    Column("package", lambda row: money(row.package_cost_micros), is_number=True),
    Column("units", lambda row: money(row.units_cost_micros), is_number=True),
    Column("weighed", lambda row: money(row.price_micros), is_number=True),
)
STEPS: Final = (
    Column("time", lambda row: time_text(row.step_time)),
    Column("what", lambda row: word(row, "kind")),
    Column("by", lambda row: row.client_id),
    Column("detail", lambda row: row.detail),
)
_OPTIONS: Final = (
    Column("method", lambda row: word(row, "delivery_method") or "as the lines say"),
    Column("store", lambda row: row.location_id),
    Column(
        "paid",
        lambda row: money(row.cost_micros - weighed_in_plan(row.plan)),
        is_number=True,
    ),
    Column("weighed", lambda row: _weighed_text(weighed_in_plan(row.plan)), is_number=True),
    Column("there by", lambda row: time_text(row.deliver_by_time)),
    Column("from", lambda row: ", ".join({each.location_id: 0 for each in row.plan.packages})),
    Column("units short", lambda row: short_units(row.plan) or "", is_number=True),
)
SHORTAGES: Final = (
    Column("line", lambda row: row.line_id),
    Column("sku", lambda row: row.sku),
    Column("quantity", lambda row: row.quantity, is_number=True),
)
TRIED_ORDERS: Final = (
    Column("order", lambda row: row.order_id),
    Column("now from", lambda row: ", ".join(row.active.location_ids)),
    Column("then from", lambda row: ", ".join(row.tried.location_ids)),
    Column("paid now", lambda row: money(row.active.paid_micros), is_number=True),
    Column("paid then", lambda row: money(row.tried.paid_micros), is_number=True),
    Column("short now", lambda row: row.active.unfilled_quantity or "", is_number=True),
    Column("short then", lambda row: row.tried.unfilled_quantity or "", is_number=True),
)
MOVES: Final = (
    Column("order", lambda row: row.order_id),
    Column("to", lambda row: ", ".join({each.location_id: 0 for each in row.packages})),
    Column("before", lambda row: money(row.cost_before_micros), is_number=True),
    Column("after", lambda row: money(row.cost_after_micros), is_number=True),
    Column(
        "saves", lambda row: money(row.cost_before_micros - row.cost_after_micros), is_number=True
    ),
)


def work_columns(works: Iterable[Row]) -> tuple[Column, ...]:
    """Return the columns of the work of an order."""
    return _with_host(_with_waiting(_WORK, works), works)


def package_columns(packages: Iterable[Row]) -> tuple[Column, ...]:
    """Return the columns of the packages of a plan."""
    return _with_host(_with_waiting(_PACKAGES, packages), packages)


def option_columns(options: Iterable[Row]) -> tuple[Column, ...]:
    """Return the columns of the options of a quote."""
    return _with_waiting(_OPTIONS, options)


def _with_waiting(columns: tuple[Column, ...], rows: Iterable[Row]) -> tuple[Column, ...]:
    # Until when goods wait is said where any are collected.
    if not any(row.HasField("collect_by_time") for row in rows):
        return columns
    place = [column.heading for column in columns].index("there by") + 1
    return (*columns[:place], Column("collect by", _collect_by), *columns[place:])


def _with_host(columns: tuple[Column, ...], rows: Iterable[Row]) -> tuple[Column, ...]:
    # In whose parcel it travels is said where any does.
    if not any(row.parcel_id for row in rows):
        return columns
    place = [column.heading for column in columns].index("what") + 1
    return (*columns[:place], Column("in parcel of", lambda row: row.parcel_id), *columns[place:])


def _collect_by(row: Row) -> str:
    return time_text(row.collect_by_time) if row.HasField("collect_by_time") else ""


def print_section(
    heading: str,
    columns: tuple[Column, ...],
    rows: Any,  # noqa: ANN401 - repeated messages
) -> None:
    """Print a table under a heading; nothing where it has no rows."""
    if rows:
        sys.stdout.write(f"\n{heading}\n")
        print_table(columns, rows)


def print_leg(leg: Row) -> None:
    """Print how a leg was decided: cost by part, the proof, the filters and the candidates."""
    items = ", ".join(f"{item.quantity} x {item.sku}" for item in leg.items)
    sys.stdout.write(f"\n{leg_name(leg)}: {items}\n")
    sys.stdout.write(
        f"  cost {money(leg.cost_micros)}: packages {money(leg.package_micros)}, units "
        f"{money(leg.units_micros)}, weighed {money(leg.price_micros)}\n  {_proof(leg)}\n"
        f"  {counted(leg.candidate_count, 'candidate')}"
    )
    if leg.HasField("runner_up_micros"):
        more = money(leg.runner_up_micros - leg.cost_micros)
        places = ", ".join(leg.runner_up_location_ids)
        sys.stdout.write(f"; next best from {places}, {more} dearer")
    sys.stdout.write("\n")
    if leg.failed_rule_ids:
        rules = ", ".join(leg.failed_rule_ids)
        sys.stdout.write(f"  rules that failed and excluded nothing: {rules}\n")
    if leg.removed:
        print_table(_removed_columns(leg), leg.removed)
    able = [row for row in leg.candidates if any(row.available_quantities)]
    if able:
        print_table(_candidate_columns(leg), able)


def leg_name(leg: Row) -> str:
    """Return the method of a leg, and its store where it has one."""
    store = f" to {leg.destination_location_id}" if leg.destination_location_id else ""
    return f"{word(leg, 'delivery_method')}{store}"


def _proof(leg: Row) -> str:
    if leg.is_proven:
        return "proven: no plan costs less"
    gap = leg.cost_micros - leg.lower_bound_micros
    if not gap:
        # Of any plan this proves that it is the cheapest.
        return "nothing is planned"
    if gap < _CENT:
        return "no plan is cheaper by as much as 0.01"
    share = gap / max(1, leg.lower_bound_micros)
    per_cent = f"{share:.1%}" if share >= _SHOWN_SHARE else "less than 0.1%"
    # Rounded so that it stays true.
    least = leg.lower_bound_micros // _CENT * _CENT
    most = -(-gap // _CENT) * _CENT
    return (
        f"no plan costs less than {money(least)}: this is at most {money(most)} ({per_cent}) dearer"
    )


def _removed_columns(leg: Row) -> tuple[Column, ...]:
    return (
        Column("locations", lambda row: row.location_count, is_number=True),
        Column("removed because they", lambda row: _filter_words(row.filter, leg)),
    )


def _candidate_columns(leg: Row) -> tuple[Column, ...]:
    columns = [
        Column("candidate", lambda row: row.location_id),
        Column("package", lambda row: money(row.package_micros), is_number=True),
    ]
    if any(row.weight_micros for row in leg.candidates):
        columns.append(Column("by weight", lambda row: money(row.weight_micros), is_number=True))
    for number, item in enumerate(leg.items):
        columns.append(_unit_column(number, item.sku))
    return tuple(columns)


def _unit_column(number: int, sku: str) -> Column:
    def text(row: Row) -> str:
        units = row.available_quantities[number]
        return f"{units:,} at {money(row.unit_micros[number])}" if units else "none"

    return Column(sku, text, is_number=True)


def location_sentence(found: Row, *, names_leg: bool = False) -> str:
    """Say why a location is or is not in a plan, and the least that would have changed that.

    With `names_leg`, as where there are several, also of which way it is said.
    """
    name = found.location_id
    if names_leg:
        name += f", {leg_name(found)}:"
    if found.is_used:
        return f"{name} is in the plan"
    parts = []
    if found.removed_by:
        parts.append(f"was no candidate: {_filter_words(found.removed_by, found)}")
    if found.missing:
        lacking = ", ".join(f"{item.quantity:,} of {item.sku}" for item in found.missing)
        parts.append(f"lacks {lacking} to send all of it")
    if found.HasField("cheaper_by_micros"):
        parts.append(f"would be in the plan were it cheaper by {money(found.cheaper_by_micros)}")
    when = "" if found.is_as_decided else " (as things stand now)"
    return f"{name} {'; it '.join(parts) or 'could not be weighed'}{when}"
