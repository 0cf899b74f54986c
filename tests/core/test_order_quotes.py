"""Quotes and holds: what was promised before there was an order, and placing it."""

import msgspec
import pytest

from domgrpc.core.calendars import CapacityUnit
from domgrpc.core.order_queries import quote_order
from domgrpc.core.orders import (
    Order,
    OrderLine,
    OrderTerms,
    ShortagePolicy,
    unsourced_quantities,
)
from domgrpc.core.plans import Quote, QuotedPackage, QuotedPlan, QuoteQuestion
from domgrpc.core.products import CreateProducts, ProductFields
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.rule_sets import CreateRuleSet, RoutingPrices, RuleSetContent
from domgrpc.core.values import (
    MINUTE_MS,
    TTL_MS_DEFAULT,
    DeliveryMethod,
    LineId,
    LocationId,
    LocationType,
    Sku,
)
from tests.core.commands import disable, on_hand, place
from tests.core.given import Shop
from tests.core.logistics_words import calendar, card, changed, rate, schedule
from tests.core.order_words import (
    BOSTON,
    CHICAGO,
    DALLAS,
    PICKUP,
    REFUSING,
    SHIP,
    line,
    order,
    terms,
    units_at,
    work_of,
)
from tests.core.routing_rules import activate, draft, exclude, validate
from tests.core.scope_words import at_locations

DC = LocationType.DISTRIBUTION_CENTER
UNSPECIFIED = DeliveryMethod.UNSPECIFIED
MINUTE = MINUTE_MS
Ways = tuple[tuple[DeliveryMethod, LocationId], ...]


@pytest.fixture
def shop() -> Shop:
    """Return a shop with two distribution centres and two stores."""
    return Shop().given(
        place("chi", DC, at=CHICAGO),
        place("dal", DC, at=DALLAS),
        place("store", at=(41.95, -87.70)),
        place("bos", at=BOSTON),
    )


def quoted(shop: Shop, *lines: OrderLine, methods: Ways = (), **more: object) -> Quote:
    """Return a quote as things stand."""
    asked: OrderTerms = terms(**more)  # type: ignore[arg-type]
    question = QuoteQuestion(lines, asked, methods)
    return quote_order(shop.state, question, shop.now_ms)


def token(shop: Shop, *lines: OrderLine, **more: object) -> QuotedPlan:
    """Return the token of the best option."""
    return quoted(shop, *lines, **more).options[0].quoted  # type: ignore[arg-type]


def forged(plan: QuotedPlan, *packages: tuple[str, DeliveryMethod, str, str, int]) -> QuotedPlan:
    """Return a token with other packages in it."""
    return msgspec.structs.replace(
        plan,
        packages=tuple(
            QuotedPackage(LocationId(at), by, LocationId(to), ((LineId(name), units),))
            for at, by, to, name, units in packages
        ),
    )


# --- quotes


def test_a_quote_offers_each_way_the_cheapest_first(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, store=5, bos=5))
    ways = ((SHIP, LocationId("")), (PICKUP, LocationId("")), (PICKUP, LocationId("bos")))
    found = quoted(shop, line("tea", 2), methods=ways)
    costs = [option.plan.cost_micros for option in found.options]
    assert costs == sorted(costs)
    assert [(option.delivery_method, option.location_id) for option in found.options] == [
        (PICKUP, "store"),
        (PICKUP, "bos"),
        (SHIP, ""),
    ]
    assert found.options[0].deliver_by_time_ms < found.options[2].deliver_by_time_ms
    assert shop.position("tea", "chi").allocated == 0


def test_a_whole_plan_comes_before_a_cheaper_one_that_is_short(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=1, bos=5))
    ways = ((PICKUP, LocationId("bos")), (PICKUP, LocationId("store")), (SHIP, LocationId("")))
    found = quoted(shop.given(on_hand("tea", store=1)), line("tea", 2), methods=ways)
    assert [bool(option.plan.shortages) for option in found.options] == [False, False, True]


def test_stores_are_offered_only_near_a_known_place(shop: Shop) -> None:
    shop.given(on_hand("tea", store=5))
    ways = ((PICKUP, LocationId("")),)
    assert quoted(shop, line("tea"), methods=ways, to=None).options == ()
    assert quoted(shop, line("tea"), methods=ways, to=DALLAS).options == ()
    assert len(quoted(shop, line("tea"), methods=ways).options) == 1


def test_a_sku_that_nobody_knows_is_refused_as_it_is_when_placed(shop: Shop) -> None:
    with pytest.raises(Rejected) as refused:
        quoted(shop, line("tae"))
    assert refused.value.rejection.reason is Reason.SKU_NOT_FOUND
    assert refused.value.rejection.facts["sku"] == "tae"


def test_each_way_by_which_nothing_can_be_promised_says_what_is_short(shop: Shop) -> None:
    shop.given(on_hand("tea", store=1), on_hand("cup", store=0))
    ways = ((DeliveryMethod.DROP_SHIP, LocationId("")), (PICKUP, LocationId("store")))
    found = quoted(shop, line("cup", 3), methods=ways)
    assert found.options == ()
    assert [(miss.delivery_method, miss.location_id) for miss in found.misses] == list(ways)
    for miss in found.misses:
        assert miss.plan is not None
        (short,) = miss.plan.shortages
        assert (short.sku, short.quantity) == ("cup", 3)
    served = quoted(shop, line("tea"), methods=((PICKUP, LocationId("store")),))
    assert (len(served.options), served.misses) == (1, ())


def test_a_method_that_no_store_is_near_enough_for_is_told(shop: Shop) -> None:
    shop.given(on_hand("tea", store=1))
    found = quoted(shop, line("tea"), methods=((PICKUP, LocationId("")),), to=DALLAS)
    (miss,) = found.misses
    assert (miss.delivery_method, miss.location_id, miss.plan) == (PICKUP, "", None)


def test_no_more_than_the_three_nearest_stores_are_offered(shop: Shop) -> None:
    for number in range(5):
        shop.given(place(f"s{number}", at=(41.9, -87.7 - number / 10)))
        shop.given(on_hand("tea", **{f"s{number}": 5}))
    found = quoted(shop, line("tea"), methods=((PICKUP, LocationId("")),))
    assert len(found.options) == 2
    assert {option.location_id for option in found.options} == {"s0", "s1"}


def test_a_quote_at_a_store_that_does_not_exist_is_refused(shop: Shop) -> None:
    shop.given(on_hand("tea", store=1))
    with pytest.raises(Rejected, match="nowhere"):
        quoted(shop, line("tea"), methods=((PICKUP, LocationId("nowhere")),))


# --- placing with a quote


def test_an_order_is_booked_as_it_was_quoted_while_the_stock_is_there(shop: Shop) -> None:
    shop.given(on_hand("tea", dal=5))
    plan = token(shop, line("tea", 2))
    shop.given(on_hand("tea", chi=5))
    placed = shop.gives(Order, order(line("tea", 2), quoted=plan))
    assert work_of(placed) == {"dal": {"tea": 2}}
    leg = placed.decisions[0].legs[0]
    assert leg.cost_micros == plan.cost_micros
    assert leg.lower_bound_micros < leg.cost_micros
    assert not leg.is_proven


def test_a_quote_that_is_still_the_best_stays_proven(shop: Shop) -> None:
    penalty = RoutingPrices(split_penalty_micros=1_000_000)
    shop.given(CreateRuleSet(content=RuleSetContent(prices=penalty)), validate(1), activate(1))
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5), on_hand("jam", bos=5))
    lines = (line("tea"), line("cup"), line("jam"))
    plan = token(shop, *lines)
    placed = shop.gives(Order, order(*lines, quoted=plan))
    (leg,) = placed.decisions[0].legs
    assert (leg.cost_micros, leg.is_proven) == (plan.cost_micros, True)
    assert leg.price_micros == 2_000_000
    assert sum(work.price_micros for work in placed.fulfillment_orders) == 2_000_000


def test_a_quote_is_good_until_its_time_exactly(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    plan = token(shop, line("tea"))
    shop.later(TTL_MS_DEFAULT - 1)
    shop.given(order(line("tea"), quoted=plan))
    shop.later(1)
    assert shop.refuses(order(line("tea"), as_id="p", quoted=plan)) is Reason.QUOTE_EXPIRED


def test_a_quote_is_for_the_lines_and_terms_that_were_quoted(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    plan = token(shop, line("tea"))
    assert shop.refuses(order(line("tea", 2), quoted=plan)) is Reason.QUOTE_MISMATCH
    assert shop.refuses(order(line("tea"), to=DALLAS, quoted=plan)) is Reason.QUOTE_MISMATCH


def test_a_quote_whose_stock_is_gone_is_refused_with_a_fresh_plan(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5))
    plan = token(shop, line("tea", 5))
    shop.given(order(line("tea", 1), as_id="other"))
    refusal = shop.refusal(order(line("tea", 5), quoted=plan))
    assert refusal.reason is Reason.QUOTE_OUTDATED
    assert refusal.facts["fresh_plan"] == "dal: 5 x tea"
    assert int(refusal.facts["fresh_cost_micros"]) > 0


def test_a_quote_that_was_short_books_what_it_promised(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=0))
    lines = (line("tea", 2), line("cup", 1))
    plan = token(shop, *lines)
    placed = shop.gives(Order, order(*lines, quoted=plan))
    assert (units_at(placed), unsourced_quantities(placed)) == ({("tea", "chi"): 2}, {"cup": 1})
    cancel = ShortagePolicy.CANCEL
    plan = token(shop, *lines, shortage_policy=cancel)
    placed = shop.gives(Order, order(*lines, as_id="p", quoted=plan, shortage_policy=cancel))
    assert [each.cancelled_quantity for each in placed.lines] == [0, 1]


def test_what_a_quote_did_not_cover_is_planned_as_things_stand(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=0))
    lines = (line("tea", 2), line("cup", 1))
    plan = token(shop, *lines)
    shop.given(on_hand("cup", dal=5))
    placed = shop.gives(Order, order(*lines, quoted=plan))
    assert units_at(placed) == {("tea", "chi"): 2, ("cup", "dal"): 1}


def test_each_package_of_several_from_one_place_is_booked(shop: Shop) -> None:
    alone = ProductFields(ship_alone=True)
    shop.given(CreateProducts(products=((Sku("sofa"), alone), (Sku("bed"), alone))))
    shop.given(on_hand("sofa", chi=2), on_hand("bed", chi=2))
    lines = (line("sofa", 2), line("bed", 2))
    placed = shop.gives(Order, order(*lines, quoted=token(shop, *lines)))
    assert [len(work.lines) for work in placed.fulfillment_orders] == [1, 1]


def test_rules_about_the_whole_order_hold_for_each_package_of_a_quote(shop: Shop) -> None:
    small = exclude("small", "order.unit_count < 3 && location.id == 'dal'")
    shop.given(draft(small), validate(1), activate(1))
    shop.given(on_hand("tea", chi=5), on_hand("cup", dal=5))
    lines = (line("tea", 2), line("cup", 1))
    placed = shop.gives(Order, order(*lines, quoted=token(shop, *lines)))
    assert units_at(placed) == {("tea", "chi"): 2, ("cup", "dal"): 1}


def test_a_quote_that_cannot_be_kept_says_what_is_left(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=50))
    plan = token(shop, line("tea", 50))
    shop.given(on_hand("tea", chi=20))
    why = "'chi' cannot send it any more (20 of 50 units of 'tea' are left there)"
    assert why in shop.refusal(order(line("tea", 50), quoted=plan)).message


def test_a_quote_that_cannot_be_kept_says_why_its_place_sends_nothing(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5, dal=5))
    plan = token(shop, line("tea"))
    shop.given(disable("chi"), disable("bos"))
    why = "'chi' cannot send it any more (out of use);"
    assert why in shop.refusal(order(line("tea"), quoted=plan)).message


def test_a_quote_says_of_a_place_that_has_the_stock_that_it_cannot_do_all(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    plan = token(shop, line("tea", 5))
    limit = changed(calendar(DC, schedule()), daily_capacity=3, capacity_unit=CapacityUnit.UNITS)
    shop.given(limit)
    refusal = shop.refusal(order(line("tea", 5), quoted=plan))
    assert "'chi' cannot send it any more (it has all of it, and" in refusal.message


# --- forged quotes


def test_a_forged_quote_never_takes_more_than_there_is(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2, dal=9))
    plan = token(shop, line("tea", 3))
    wrong = (
        forged(plan, ("chi", SHIP, "", "tea", 3)),
        forged(plan, ("chi", SHIP, "", "tea", 1), ("chi", SHIP, "", "tea", 2)),
        forged(plan, ("dal", SHIP, "", "tea", 4)),
        forged(plan, ("dal", SHIP, "", "tea", 0)),
        forged(plan, ("dal", SHIP, "", "tea", 4), ("dal", SHIP, "", "tea", -1)),
        forged(plan, ("dal", SHIP, "", "cup", 3)),
        forged(plan, ("dal", PICKUP, "dal", "tea", 3)),
    )
    for number, each in enumerate(wrong):
        command = order(line("tea", 3), as_id=f"o{number}", quoted=each)
        assert shop.refuses(command) is Reason.QUOTE_OUTDATED
    nowhere = forged(plan, ("nowhere", SHIP, "", "tea", 3))
    assert shop.refuses(order(line("tea", 3), quoted=nowhere)) is Reason.LOCATION_NOT_FOUND


def test_a_forged_package_without_lines_is_refused(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=2))
    plan = token(shop, line("tea"))
    empty = QuotedPackage(LocationId("chi"), SHIP, LocationId(""), ())
    bad = msgspec.structs.replace(plan, packages=(*plan.packages, empty))
    assert shop.refuses(order(line("tea"), quoted=bad)) is Reason.QUOTE_OUTDATED


def test_a_package_that_names_a_line_twice_has_both_parts_of_it(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    plan = token(shop, line("tea", 3))
    parts = ((LineId("tea"), 1), (LineId("tea"), 2))
    twice = QuotedPackage(LocationId("chi"), SHIP, LocationId(""), parts)
    placed = shop.gives(
        Order, order(line("tea", 3), quoted=msgspec.structs.replace(plan, packages=(twice,)))
    )
    assert units_at(placed) == {("tea", "chi"): 3}


def test_a_forged_quote_moves_no_goods_to_another_store_or_out_of_the_scope(shop: Shop) -> None:
    shop.given(on_hand("tea", bos=5, store=5, chi=5, dal=5))
    fetched = line("tea", by=PICKUP, at="store")
    plan = token(shop, fetched)
    for at, to in (("bos", "store"), ("bos", "bos"), ("store", "bos")):
        bad = forged(plan, (at, PICKUP, to, "tea", 1))
        assert shop.refuses(order(fetched, quoted=bad)) is Reason.QUOTE_OUTDATED
    scope = at_locations("dal")
    plan = token(shop, line("tea"), scope=scope)
    bad = forged(plan, ("chi", SHIP, "", "tea", 1))
    assert shop.refuses(order(line("tea"), quoted=bad, scope=scope)) is Reason.QUOTE_OUTDATED


def test_a_forged_quote_leaves_nothing_short_where_shortages_are_refused(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5))
    plan = forged(
        token(shop, line("tea", 2), shortage_policy=REFUSING), ("chi", SHIP, "", "tea", 1)
    )
    command = order(line("tea", 2), quoted=plan, shortage_policy=REFUSING)
    assert shop.refuses(command) is Reason.QUOTE_OUTDATED


def test_a_quote_of_a_complete_order_is_booked_whole_or_not(shop: Shop) -> None:
    shop.given(on_hand("tea", chi=5), on_hand("cup", chi=5))
    lines = (line("tea"), line("cup"))
    plan = token(shop, *lines, ship_complete=True)
    part = forged(plan, ("chi", SHIP, "", "tea", 1))
    placed = shop.gives(Order, order(*lines, quoted=part, ship_complete=True))
    assert unsourced_quantities(placed) == {}
    shop.given(on_hand("cup", chi=1))
    command = order(*lines, as_id="p", quoted=part, ship_complete=True)
    assert shop.refuses(command) is Reason.QUOTE_OUTDATED


def test_what_was_quoted_as_one_package_leaves_as_two_where_that_is_cheaper_by_now() -> None:
    weighs = CreateProducts(products=((Sku("rug"), ProductFields(weight_grams=900)),))
    shop = Shop().given(place("chi", at=CHICAGO), weighs, on_hand("rug", chi=5))
    promised = token(shop, line("rug", 2))
    steep = tuple(
        rate(zone, 10**6, steps=((1_000, 10**5), (30_000, 9 * 10**6))) for zone in range(1, 9)
    )
    shop.given(card("ground", steep))
    placed = shop.gives(Order, order(line("rug", 2), quoted=promised))
    assert [work.lines[0].quantity for work in placed.fulfillment_orders] == [1, 1]
    (leg,) = placed.decisions[0].legs
    assert leg.cost_micros == leg.lower_bound_micros == 2 * (10**6 + 10**5)
