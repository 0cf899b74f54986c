"""docs/routing-costs.md is held against the code: its tables, and its example to the last micro."""

from domgrpc.core.calendars import usual_calendar
from domgrpc.core.carriers import (
    LOCAL_RADIUS_MILES,
    USUAL_TRANSIT_DAYS,
    LaneFields,
    Surcharge,
    usual_cards,
)
from domgrpc.core.freight import step_micros
from domgrpc.core.journeys import Journey, TransportTable
from domgrpc.core.opening_days import LOOKAHEAD_DAYS
from domgrpc.core.orders import Order
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.values import LocationType, Micros, Sku
from domgrpc.core.zones import ZONE_MILES_MAX
from tests.core.commands import on_hand, place, point
from tests.core.given import Shop
from tests.core.logistics_words import (
    HOME,
    NEW_YORK,
    at,
    calendar,
    card,
    changed,
    lane,
    local,
    rate,
    schedule,
)
from tests.core.order_words import line, order
from tests.tidy.project_files import ROOT, read_text

CHICAGO = "America/Chicago"
PAGE = " ".join(read_text(ROOT / "docs/routing-costs.md").split())
STEPS = ((1_000, 2_000_000), (5_000, 3_500_000))
UNITS, GRAMS = 2, 1_200


def shop_at(text: str) -> Shop:
    """Open the store of the example at a time in Chicago."""
    rates = tuple(rate(z, 4_500_000, kilogram=1_200_000, steps=STEPS) for z in range(1, 9))
    fuel = Surcharge("fuel", basis_points=1_250)
    homes = Surcharge("homes", package_micros=Micros(4_000_000), residential_only=True)
    hours = schedule(
        CHICAGO,
        weekdays=(1, 2, 3, 4, 5, 6),
        hours=(9, 19),
        handling_minutes=90,
        holidays=("US", ""),
    )
    shop = Shop().at(at(text, CHICAGO))
    return shop.given(
        place("chicago", at=(41.88, -87.63)),
        card("ground", rates, surcharges=(fuel, homes)),
        lane("ground", LaneFields((1, 1, 2, 3, 3, 4, 4, 5))),
        changed(
            calendar("chicago", hours),
            package_micros=Micros(700_000),
            unit_micros=Micros(150_000),
        ),
    )


def ordered(text: str) -> TransportTable:
    """Return the table of the example for an order that comes at a time in Chicago."""
    shop = shop_at(text)
    journey = Journey(HOME, point(40.75, -73.99), is_residential=True, time_zone=NEW_YORK)
    return shop.state.logistics.table(shop.state.network.locations, journey, shop.now_ms)


def money(micros: int) -> str:
    """Return an amount as the page writes it."""
    return f"{micros / 1_000_000:.6f}"


def test_the_example_costs_what_the_page_says() -> None:
    table = ordered("2026-11-25 15:30")
    miles = round(table.distance_m[0] / 1_609.344)
    assert f"The distance is {miles} miles: zone {table.zone[0]}." in PAGE
    weight = step_micros(table.cards[table.card[0]], GRAMS)
    kilograms = table.kilogram_micros[0] * GRAMS // 1_000
    units = table.unit_micros[0] * UNITS
    parts = {
        "package, raised by 12.5 %, and the surcharge for homes": table.package_micros[0] - 700_000,
        "weight step up to 5 kg, raised": weight,
        "1.2 kg at 1.35": kilograms,
        "handling of the package": 700_000,
        "handling of two units": units,
        "together": table.package_micros[0] + weight + kilograms + units,
    }
    for part, micros in parts.items():
        assert f"| {part} | {money(micros)} |" in PAGE


def test_an_order_pays_what_the_page_says_and_at_a_business_less() -> None:
    shop = shop_at("2026-11-25 15:30")
    weight = ProductFields(weight_grams=GRAMS // UNITS)
    shop.given(CreateProducts(products=((Sku("lamp"), weight),)), on_hand("lamp", chicago=9))
    there = (40.75, -73.99)
    home = shop.gives(Order, order(line("lamp", UNITS), to=there))
    assert f"| together | {money(paid(home))} |" in PAGE
    to_work = order(line("lamp", UNITS), as_id="b", to=there, business=True)
    business = shop.gives(Order, to_work)
    assert paid(business) == paid(home) - 4_000_000


def paid(placed: Order) -> int:
    """Return what is paid for the work of an order."""
    return sum(
        work.package_cost_micros + work.units_cost_micros for work in placed.fulfillment_orders
    )


def test_the_example_arrives_when_the_page_says() -> None:
    for text in ("2026-11-25 13:59", "2026-11-25 15:30"):
        table = ordered(text)
        leaves = local(table.ship_by_ms[0], CHICAGO)
        arrives = local(table.deliver_by_ms[0], NEW_YORK)
        assert f"| {text} | {leaves} | {arrives} |" in PAGE


def test_the_zones_and_the_usual_transit_days_stand_in_their_tables() -> None:
    for zone, miles in enumerate(ZONE_MILES_MAX, 1):
        assert f"| {zone} | {miles:,} |" in PAGE
    assert f"| days | {' | '.join(map(str, USUAL_TRANSIT_DAYS))} |" in PAGE


def test_what_is_usual_is_said_with_its_figures() -> None:
    (_, parcel), (_, local_delivery) = usual_cards()
    first = parcel.zone_rates[0]
    assert {each.package_micros for each in parcel.zone_rates} == {8_760_000}
    assert (first.unit_micros, first.unit_mile_micros) == (420_000, 540)
    assert "8.76 for the package, 0.42 for each unit and 0.00054 for each unit and mile" in PAGE
    assert local_delivery.zone_rates[0].package_micros == 6_000_000
    assert f"6.00 for the package and goes {LOCAL_RADIUS_MILES} miles" in PAGE
    usual = usual_calendar(LocationType.STORE)
    assert f"handles for {usual.schedule.handling_minutes} minutes" in PAGE
    lead_days = usual_calendar(LocationType.SUPPLIER).schedule.lead_days
    assert f"a supplier needs {lead_days} open days" in PAGE
    assert f"wait {usual.pickup_window_hours} hours" in PAGE
    assert f"the priority is {usual.priority}" in PAGE
    assert f"later than {LOOKAHEAD_DAYS} days" in PAGE
