"""The columns of every table: what people see of each kind of row."""

from typing import Final

from domgrpc.cli.output import plain, time_text, word
from domgrpc.cli.tables import Column, Row

_MICROS: Final = 1_000_000


def _method_words(row: Row) -> object:
    return plain(row)["delivery_methods"]


def _place(row: Row) -> str:
    if not row.HasField("point"):
        return ""
    return f"{row.point.latitude_degrees:.4f},{row.point.longitude_degrees:.4f}"


def _lines(row: Row) -> str:
    return ", ".join(f"{line.sku}={line.quantity}@{line.location_id}" for line in row.lines)


def _alternatives(row: Row) -> str:
    return ", ".join(
        f"{other.available_quantity} of {other.sku} at {other.location_id}"
        if other.sku != row.sku
        else f"{other.available_quantity} at {other.location_id}"
        for other in row.alternatives
    )


def _rule_value(row: Row) -> str:
    if row.HasField("percent_of_on_hand"):
        return f"{row.percent_of_on_hand}%"
    return str(row.fixed_quantity)


def _rule_conditions(row: Row) -> str:
    named = (
        ("sku", row.sku),
        ("category", row.category),
        ("location", row.location_id),
        ("group", row.group_id),
        ("type", word(row, "location_type")),
        ("method", word(row, "delivery_method")),
        ("channel", row.channel),
    )
    return ", ".join(f"{name} {value}" for name, value in named if value)


def _rule_effect(row: Row) -> str:
    effect = word(row, "effect")
    figures = {
        "PREFER": f" {row.price_micros / 1_000_000:+,.2f}",
        "LIMIT": f" {row.package_count_max}",
    }
    return effect + figures.get(effect, "")


def _oversold(row: Row) -> object:
    # Units that were sold and are not there: of backorders, or of a count that found fewer.
    return max(0, row.allocated - row.on_hand) or ""


def _active_since(row: Row) -> object:
    # A retired one tells when it was active last, which is over.
    return row.active_revision or "" if word(row, "state") == "ACTIVE" else ""


def _zones(row: Row) -> str:
    return f"1-{len(row.zone_rates)}" if len(row.zone_rates) > 1 else str(len(row.zone_rates))


def _package_prices(row: Row) -> str:
    prices = [rate.package_micros / _MICROS for rate in row.zone_rates]
    return f"{min(prices):,.2f} to {max(prices):,.2f}"


def _owner(row: Row) -> str:
    return row.location_id or f"every {word(row, 'location_type')}"


def _hours(row: Row) -> str:
    return ", ".join(
        f"{_weekday(hours.weekday)} {clock(hours.open_minute)}-{clock(hours.close_minute)}"
        for hours in row.opening_hours
    )


def _weekday(number: int) -> str:
    return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[number - 1]


def _capacity(row: Row) -> str:
    if not row.daily_capacity:
        return ""
    return f"{row.daily_capacity:,} {word(row, 'capacity_unit').lower()}"


def clock(minutes: int) -> str:
    """Return minutes after midnight as a time of day."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


LOCATIONS: Final = (
    Column("location", lambda row: row.location_id),
    Column("type", lambda row: word(row, "type")),
    Column("state", lambda row: word(row, "state")),
    Column("name", lambda row: row.display_name),
    Column("place", _place),
    Column("methods", _method_words),
)
GROUPS: Final = (
    Column("group", lambda row: row.group_id),
    Column("name", lambda row: row.display_name),
    Column("members", lambda row: len(row.location_ids), is_number=True),
)
PRODUCTS: Final = (
    Column("sku", lambda row: row.sku),
    Column("name", lambda row: row.display_name),
    Column("unit", lambda row: row.unit),
    Column("categories", lambda row: list(row.categories)),
    Column("backorder", lambda row: word(row.backorder_policy, "mode")),
)
POSITIONS: Final = (
    Column("sku", lambda row: row.sku),
    Column("location", lambda row: row.location_id),
    Column("on hand", lambda row: row.on_hand, is_number=True),
    Column("held", lambda row: row.soft_reserved, is_number=True),
    Column("allocated", lambda row: row.allocated, is_number=True),
    Column("safety", lambda row: row.safety_stock, is_number=True),
    Column("available", lambda row: row.available_to_fulfill, is_number=True),
    Column("oversold", _oversold, is_number=True),
    Column("level", lambda row: word(row, "level")),
)
RESERVATIONS: Final = (
    Column("reservation", lambda row: row.reservation_id),
    Column("state", lambda row: word(row, "state")),
    Column("client", lambda row: row.client_id),
    Column("lines", _lines),
    Column("expires", lambda row: time_text(row.expire_time)),
    Column("reference", lambda row: row.reference),
)
RESERVATION_LINES: Final = (
    Column("sku", lambda row: row.sku),
    Column("location", lambda row: row.location_id),
    Column("quantity", lambda row: row.quantity, is_number=True),
    Column("backordered", lambda row: row.backordered_quantity, is_number=True),
    Column("settled", lambda row: row.settled_quantity, is_number=True),
)
SHORT_LINES: Final = (
    Column("sku", lambda row: row.sku),
    Column("location", lambda row: row.location_id or "any"),
    Column("asked", lambda row: row.asked_quantity, is_number=True),
    Column("available", lambda row: row.available_quantity, is_number=True),
    Column("elsewhere", _alternatives),
)
RULES: Final = (
    Column("rule", lambda row: row.rule_id),
    Column("kind", lambda row: word(row, "kind")),
    Column("value", _rule_value, is_number=True),
    Column("where", _rule_conditions),
    Column("from", lambda row: time_text(row.start_time) if row.HasField("start_time") else ""),
    Column("until", lambda row: time_text(row.end_time) if row.HasField("end_time") else ""),
)
RULE_SETS: Final = (
    Column("version", lambda row: str(row.version), is_number=True),
    Column("state", lambda row: word(row, "state")),
    Column("name", lambda row: row.display_name),
    Column("strategy", lambda row: word(row, "strategy")),
    Column("rules", lambda row: len(row.rules), is_number=True),
    Column("active since revision", _active_since, is_number=True),
)
ROUTING_RULES: Final = (
    Column("rule", lambda row: row.rule_id),
    Column("effect", _rule_effect),
    Column("condition", lambda row: " ".join(row.condition.split())),
)
DECISIONS: Final = (
    Column("kind", lambda row: word(row, "kind")),
    Column("rule", lambda row: row.rule_id),
    Column("units", lambda row: row.quantity, is_number=True),
    Column("lost", lambda row: list(row.other_rule_ids)),
)
AVAILABILITY: Final = (
    Column("sku", lambda row: row.sku),
    Column("fulfill", lambda row: row.available_to_fulfill, is_number=True),
    Column("sell", lambda row: row.available_to_sell, is_number=True),
    Column("known", lambda row: "yes" if row.known else "no"),
)
AVAILABLE_LOCATIONS: Final = (
    Column("location", lambda row: row.location_id),
    Column("fulfill", lambda row: row.available_to_fulfill, is_number=True),
    Column("sell", lambda row: row.available_to_sell, is_number=True),
    Column("km", lambda row: f"{row.distance_km:.1f}", is_number=True),
)
AVAILABLE_PARTS: Final = (
    Column("on hand", lambda row: row.parts.on_hand, is_number=True),
    Column("held", lambda row: row.parts.soft_reserved, is_number=True),
    Column("allocated", lambda row: row.parts.allocated, is_number=True),
    Column("safety", lambda row: row.parts.safety_stock, is_number=True),
    Column("by rule", lambda row: row.parts.safety_stock_rule_id),
    Column("backorder", lambda row: row.parts.backorder_quantity, is_number=True),
    Column("excluded", lambda row: row.parts.excluded_reason),
)
PROMISES: Final = (
    Column("from", lambda row: time_text(row.start_time)),
    Column("units", lambda row: row.quantity, is_number=True),
)
RATE_CARDS: Final = (
    Column("service", lambda row: row.service_id),
    Column("name", lambda row: row.display_name),
    Column("methods", _method_words),
    Column("zones", _zones),
    Column("package", _package_prices, is_number=True),
    Column(
        "steps",
        lambda row: len(row.zone_rates[0].weight_steps),
        is_number=True,
    ),
    Column("surcharges", lambda row: [surcharge.name for surcharge in row.surcharges]),
)
LANES: Final = (
    Column("service", lambda row: row.service_id),
    Column("days by zone", lambda row: " ".join(map(str, row.transit_days))),
    Column("counted", lambda row: "all days" if row.calendar_days else "business days"),
    Column("delivers", lambda row: [_weekday(day) for day in row.delivery_weekdays]),
    Column("until", lambda row: clock(row.deliver_by_minute)),
    Column("holidays", lambda row: f"{row.holidays.country} {row.holidays.subdivision}".strip()),
)
CALENDARS: Final = (
    Column("of", _owner),
    Column("time zone", lambda row: row.time_zone),
    Column("open", _hours),
    Column("cut-off", lambda row: clock(row.cut_off_minute)),
    Column("holidays", lambda row: f"{row.holidays.country} {row.holidays.subdivision}".strip()),
    Column("priority", lambda row: row.priority, is_number=True),
    Column("a day", _capacity),
)
