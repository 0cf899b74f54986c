"""Packages fixed beforehand, by quotes and moves: all together they keep to the limits."""

import msgspec
import pytest

from domgrpc.core.order_commands import ApplyReplan, OrderMove, PlaceOrder, ReplanSummary
from domgrpc.core.order_queries import quote_order
from domgrpc.core.orders import FulfillmentState as S
from domgrpc.core.orders import Order, unsourced_quantities
from domgrpc.core.plans import QuotedPackage, QuotedPlan, QuoteQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.quotes import content_fingerprint
from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.rule_sets import CreateRuleSet, RoutingLimits, RuleSetContent
from domgrpc.core.values import LineId, LocationId, Micros, OrderId, Sku, TimeMs
from tests.core.commands import on_hand, place
from tests.core.given import Shop
from tests.core.order_words import (
    CHICAGO,
    DALLAS,
    SHIP,
    advance,
    edit,
    line,
    order,
    work_of,
)
from tests.core.routing_rules import activate, draft, limit, validate


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two products everywhere, and one that is kept together."""
    kept = ProductFields(keep_together=True)
    return Shop().given(
        place("chi", at=CHICAGO),
        place("dal", at=DALLAS),
        CreateProducts(products=((Sku("set"), kept),)),
        *(on_hand(sku, chi=9, dal=9) for sku in ("set", "tea", "cup")),
    )


def package(at: str, **units: int) -> QuotedPackage:
    """Write a package."""
    lines = tuple((LineId(name), count) for name, count in units.items())
    return QuotedPackage(LocationId(at), SHIP, LocationId(""), lines)


def promised(shop: Shop, command: PlaceOrder, *packages: QuotedPackage) -> PlaceOrder:
    """Place an order with a token of these packages."""
    content = content_fingerprint(command.lines, command.terms)
    quoted = QuotedPlan(content, TimeMs(shop.now_ms + 60_000), packages, Micros(0))
    return msgspec.structs.replace(command, quoted=quoted)


def moved(shop: Shop, order_id: str, *packages: QuotedPackage) -> ReplanSummary:
    """Move an order as it stands."""
    move = OrderMove(OrderId(order_id), shop.order(order_id).revision, packages)
    return shop.gives(ReplanSummary, ApplyReplan((move,)))


def quoted(shop: Shop, command: PlaceOrder) -> PlaceOrder:
    """Place an order with the token of its best option."""
    question = QuoteQuestion(command.lines, command.terms)
    best = quote_order(shop.state, question, shop.now_ms).options[0]
    return msgspec.structs.replace(command, quoted=best.quoted)


def why_outdated(shop: Shop, command: PlaceOrder) -> str:
    """Return the words of the refusal of a token."""
    refusal = shop.gives(Rejection, command)
    assert refusal.reason is Reason.QUOTE_OUTDATED
    return refusal.message


FORBIDDEN = [
    (
        order(line("set", 2)),
        (package("chi", set=1), package("dal", set=1)),
        "the 2 units of 'set' must leave in one package",
    ),
    (
        order(line("tea", group="g"), line("cup", group="g")),
        (package("chi", tea=1), package("dal", cup=1)),
        "tea, cup must leave in one package",
    ),
    (
        order(line("tea"), line("cup"), package_count_max=1),
        (package("chi", tea=1), package("dal", cup=1)),
        "it would travel in 2 packages, 1 are allowed",
    ),
]


@pytest.mark.parametrize(("command", "packages", "why"), FORBIDDEN)
def test_no_token_tears_apart_what_must_stay_together(
    shop: Shop, command: PlaceOrder, packages: tuple[QuotedPackage, ...], why: str
) -> None:
    assert why in why_outdated(shop, promised(shop, command, *packages))


@pytest.mark.parametrize(("command", "packages", "why"), FORBIDDEN)
def test_no_move_tears_apart_what_must_stay_together(
    shop: Shop, command: PlaceOrder, packages: tuple[QuotedPackage, ...], why: str
) -> None:
    before = work_of(shop.gives(Order, command))
    assert moved(shop, "o", *packages).skipped == ((OrderId("o"), why),)
    assert work_of(shop.order()) == before


def test_a_token_splits_no_units_where_rules_allow_none(shop: Shop) -> None:
    content = RuleSetContent(limits=RoutingLimits(unit_split_allowed=False))
    shop.given(CreateRuleSet(content=content), validate(1), activate(1))
    split = promised(shop, order(line("tea", 2)), package("chi", tea=1), package("dal", tea=1))
    assert "the 2 units of 'tea' must leave in one package" in why_outdated(shop, split)


def test_a_quote_keeps_to_a_limit_that_came_into_force_after_it(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=0), on_hand("cup", chi=0, dal=5))
    command = quoted(shop, order(line("tea"), line("cup")))
    shop.given(draft(limit("one", "", 1)), validate(1), activate(1))
    assert "2 packages, 1 are allowed" in why_outdated(shop, command)


def test_packages_that_were_given_to_their_location_count_beside_those_of_a_move(
    shop: Shop,
) -> None:
    shop.given(on_hand("tea", chi=5, dal=0), on_hand("cup", chi=0, dal=5), on_hand("jar", dal=5))
    shop.given(order(line("tea"), line("cup"), line("jar"), package_count_max=2))
    shop.given(advance("o/1", S.RELEASED), on_hand("cup", chi=5, dal=5))
    parts = (package("chi", cup=1), package("dal", jar=1))
    why = "it would travel in 2 packages, 1 are allowed"
    assert moved(shop, "o", *parts).skipped == ((OrderId("o"), why),)
    assert moved(shop, "o", package("dal", cup=1, jar=1)).skipped == ()


def test_what_a_quote_left_short_stays_short_where_no_package_more_is_allowed(shop: Shop) -> None:
    shop.given(on_hand("cup", chi=0, dal=0))
    command = quoted(shop, order(line("tea"), line("cup"), package_count_max=1))
    shop.given(on_hand("cup", dal=5))
    placed = shop.gives(Order, command)
    assert work_of(placed) == {"chi": {"tea": 1}}
    assert unsourced_quantities(placed) == {"cup": 1}
    assert shop.position("cup", "dal").allocated == 0


# --- what the decision says


def test_the_decision_of_a_quoted_plan_names_the_places_it_was_booked_at(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=0, dal=5))
    command = quoted(shop, order(line("tea")))
    shop.given(on_hand("tea", chi=5))
    decided = shop.gives(Order, command).decisions[-1].legs[0]
    assert decided.used_location_ids == ("dal",)
    assert (decided.runner_up_micros, decided.runner_up_location_ids) == (None, ())
    assert decided.rows.location_ids == ()
    assert decided.lower_bound_micros < decided.cost_micros


def test_the_decision_of_a_move_names_the_places_it_was_moved_to(shop: Shop) -> None:
    shop.given(order(line("tea", 3)))
    moved(shop, "o", package("chi", tea=1), package("dal", tea=2))
    decided = shop.order().decisions[-1].legs[0]
    assert decided.used_location_ids == ("chi", "dal")
    assert (decided.skus, decided.quantities) == (("tea",), (3,))


def test_a_move_opens_no_package_where_the_order_has_all_that_it_may_have(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=0), on_hand("cup", dal=0))
    shop.given(order(line("tea"), as_id="host", customer="ann"))
    shop.given(order(line("cup"), customer="ann", package_count_max=1), advance("o/1", S.RELEASED))
    shop.given(edit("o", line("tea")), on_hand("tea", chi=5))
    assert shop.order().fulfillment_orders[-1].parcel_id == "host/1"
    skipped = moved(shop, "o", package("chi", tea=1)).skipped
    assert skipped == (
        (OrderId("o"), "'chi' cannot send it any more (would be a package too many)"),
    )
