"""The worked example of docs/routing.md is what the router answers."""

from pathlib import Path

from domgrpc.core.order_queries import explain_decision, simulate_routing
from domgrpc.core.orders import LegDecision, Order
from domgrpc.core.plans import SimulationQuestion
from domgrpc.core.values import LocationId, OrderId
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import BOSTON, CHICAGO, DALLAS, line, order, terms, work_of

PAGE = Path(__file__).parents[2].joinpath("docs/routing.md").read_text(encoding="utf-8")
LINES = (line("A"), line("B", 2), line("C"))


def example() -> Shop:
    """Open the three warehouses of the page."""
    return Shop().given(
        place("Chicago", at=CHICAGO),
        place("Dallas", at=DALLAS),
        place("Boston", at=BOSTON),
        on_hand("A", Chicago=5, Dallas=5),
        on_hand("B", Dallas=5, Boston=1),
        on_hand("C", Boston=3),
    )


def decided(shop: Shop) -> tuple[Order, LegDecision]:
    """Place the order of the page."""
    placed = shop.gives(Order, order(*LINES))
    return placed, placed.decisions[0].legs[0]


def shown(micros: int) -> bool:
    """Whether the page shows an amount."""
    return f"{micros / 1_000_000:.6f}" in PAGE


def test_the_plan_of_the_example_is_that_of_the_page() -> None:
    placed, leg = decided(example())
    assert work_of(placed) == {"Boston": {"C": 1}, "Dallas": {"A": 1, "B": 2}}
    assert leg.is_proven
    assert leg.cost_micros == leg.lower_bound_micros
    assert shown(leg.cost_micros)
    assert all(shown(work.units_cost_micros) for work in placed.fulfillment_orders)


def test_the_prices_of_the_example_are_those_of_the_page() -> None:
    _, leg = decided(example())
    assert leg.rows.location_ids == ("Boston", "Chicago", "Dallas")
    assert all(shown(micros) for micros in leg.rows.unit_micros[0])
    assert leg.rows.available == ((0, 5, 5), (1, 0, 5), (3, 0, 0))


def test_the_explanation_of_the_example_is_that_of_the_page() -> None:
    shop = example()
    decided(shop)
    explained = explain_decision(
        shop.state,
        OrderId("o"),
        None,
        location_ids=(LocationId("Chicago"),),
        now_ms=shop.now_ms,
    )
    (chicago,) = explained.locations
    assert not chicago.is_used
    assert chicago.missing == (("B", 2), ("C", 1))
    assert chicago.cheaper_by_micros is not None
    assert shown(chicago.cheaper_by_micros)


def test_nearest_first_costs_what_the_page_says() -> None:
    shop = example()
    question = SimulationQuestion(LINES, terms(), strategy="NEAREST_FIRST")
    plan = simulate_routing(shop.state, question, shop.now_ms)
    assert len(plan.packages) == 3
    assert shown(plan.cost_micros)
    assert not plan.legs[0].is_proven
