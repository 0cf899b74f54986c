"""What is checked before a rule set may be used: each rule, and the rules against each other."""

import pytest

from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.rule_checks import WARNINGS_MAX
from domgrpc.core.rule_sets import RoutingRule, RuleEffect, RuleSet
from domgrpc.core.values import LocationType, RuleId
from tests.core.commands import group, place
from tests.core.given import Shop
from tests.core.routing_rules import draft, exclude, limit, prefer, require, validate

STORES = "location.type == 'STORE'"
OTHERS = "location.type != 'STORE'"
WEB = "order.channel == 'web'"


@pytest.fixture
def town(shop: Shop) -> Shop:
    """Build two stores and a distribution center."""
    center = place("b", LocationType.DISTRIBUTION_CENTER)
    return shop.given(place("a"), center, place("c"))


def refused(shop: Shop, *rules: RoutingRule) -> Rejection:
    """Return how a set of these rules is refused."""
    version = shop.gives(RuleSet, draft(*rules)).version
    return shop.refusal(validate(version))


def warned(shop: Shop, *rules: RoutingRule) -> tuple[str, ...]:
    """Return the warnings of a set of these rules, which is valid."""
    version = shop.gives(RuleSet, draft(*rules)).version
    return shop.gives(RuleSet, validate(version)).warnings


def test_an_error_in_a_condition_names_the_rule_and_the_column(town: Shop) -> None:
    no = refused(town, exclude("good", STORES), exclude("bad", "order.chanel == 'web'"))
    assert no.reason is Reason.RULE_SET_INVALID
    assert no.message == (
        "rule 'bad', condition, column 7, at \"chanel == 'web'\": "
        "order has no fact 'chanel', did you mean 'channel'?"
    )
    assert no.facts == {"rule_id": "bad", "line": "1", "column": "7"}


def test_an_error_in_a_long_condition_names_the_line_too(town: Shop) -> None:
    no = refused(town, exclude("bad", f"{WEB}\n  && location.typ == 'STORE'"))
    said = "line 2, column 15, at \"typ == 'STORE'\": location has no fact 'typ'"
    assert said in no.message
    assert no.facts == {"rule_id": "bad", "line": "2", "column": "15"}


@pytest.mark.parametrize("condition", ["1e999 > order.value", r"order.region == '\ud800'"])
def test_what_only_the_library_cannot_read_is_refused_too(town: Shop, condition: str) -> None:
    no = refused(town, limit("far", condition, 1))
    assert "column 1, at " in no.message
    assert no.message.endswith("the CEL library cannot compile this")


def test_an_error_at_the_end_says_so(town: Shop) -> None:
    assert "column 17, at the end: " in refused(town, exclude("r", "order.channel ==")).message


def test_a_term_that_mixes_order_and_location_is_told_how_to_be_split(town: Shop) -> None:
    no = refused(town, exclude("mixed", f"{STORES} || {WEB}"))
    assert no.facts["column"] == str(len(f"{STORES} || ") + 1)
    assert "may only be joined by && outside all brackets; for 'or' write two rules" in no.message


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (exclude("r", WEB), "EXCLUDE needs a term about locations"),
        (exclude("r", ""), "EXCLUDE needs a term about locations"),
        (require("r", "true"), "REQUIRE needs a term about locations"),
        (prefer("r", STORES, 0), "PREFER needs a price_micros other than 0"),
        (limit("r", WEB, 0), "LIMIT needs a package_count_max of at least 1"),
        (limit("r", STORES, 1), "its condition must not name location"),
    ],
)
def test_an_effect_that_means_nothing_is_refused(town: Shop, rule: RoutingRule, said: str) -> None:
    no = refused(town, rule)
    assert no.reason is Reason.RULE_SET_INVALID
    assert no.message.startswith("rule 'r': ")
    assert said in no.message


def test_all_rules_that_are_wrong_are_told_at_once(town: Shop) -> None:
    wrong = [exclude(f"r{number}", "order.chanel == 'web'") for number in range(12)]
    no = refused(town, limit("l", STORES, 1), exclude("good", STORES), *wrong)
    assert no.message.startswith("rule 'l': LIMIT is about the order: its condition must not name")
    assert "; rule 'r0', condition, column 7, at " in no.message
    assert no.message.count("order has no fact") == 9
    assert no.message.endswith("; and 3 more rules are wrong")
    assert no.facts == {"rule_id": "l"}


def test_a_rule_id_is_used_once(town: Shop) -> None:
    no = refused(town, prefer("a", "", 1), prefer("b", "", 1), prefer("a", "", 2))
    assert no.reason is Reason.RULE_SET_INVALID
    assert "rules 1 and 3 have the same rule_id 'a'" in no.message


def test_excluding_every_location_is_refused(town: Shop) -> None:
    no = refused(town, exclude("all", "location.id != ''"))
    assert no.reason is Reason.RULE_SET_CONTRADICTORY
    assert no.message.startswith("rule 'all' leaves no location of those that there are now")


def test_requirements_that_can_never_both_hold_are_refused(town: Shop) -> None:
    rules = (exclude("a", "location.id == 'a'"), require("s", STORES), require("o", OTHERS))
    no = refused(town, *rules)
    assert no.reason is Reason.RULE_SET_CONTRADICTORY
    # Only those that it takes.
    assert no.facts == {"rule_ids": "s,o"}


def test_rules_of_the_same_orders_are_taken_together(town: Shop) -> None:
    no = refused(town, require("s", f"{WEB} && {STORES}"), require("o", f"{OTHERS} && {WEB}"))
    assert no.facts == {"rule_ids": "s,o"}
    no = refused(town, exclude("s", STORES), exclude("o", f"{OTHERS} && {WEB}"))
    assert no.facts == {"rule_ids": "s,o"}


def test_rules_of_different_orders_that_meet_are_a_warning(town: Shop) -> None:
    rules = (
        require("s", f"{WEB} && {STORES}"),
        require("o", f"order.value > 5 && {OTHERS}"),
        require("t", f"line.quantity > 5 && {STORES}"),
    )
    assert warned(town, *rules) == (
        "rules 's' and 'o' leave no location where both hold",
        "rules 'o' and 't' leave no location where both hold",
    )


def test_an_order_that_nobody_may_fill_is_a_warning(town: Shop) -> None:
    assert warned(town, exclude("r", f"{WEB} && location.id != ''")) == (
        "rule 'r' leaves no location to what it is about",
    )


def test_a_rule_about_no_location_is_a_warning(town: Shop) -> None:
    rules = (prefer("p", "'x' in location.groups", 1), exclude("e", "location.id == 'z'"))
    assert warned(town, *rules, limit("l", WEB, 1)) == (
        "rule 'p' is about no location that there is now",
        "rule 'e' is about no location that there is now",
    )
    town.given(group("x", "a"), place("z"))
    assert warned(town, *rules) == ()


def test_only_so_many_warnings_are_kept(town: Shop) -> None:
    rules = [exclude(f"r{number}", "location.id == 'z'") for number in range(WARNINGS_MAX + 9)]
    assert len(warned(town, *rules)) == WARNINGS_MAX


def test_without_locations_nothing_contradicts(shop: Shop) -> None:
    assert warned(shop, require("s", STORES), require("o", OTHERS)) == ()


def test_rules_that_leave_something_are_valid(town: Shop) -> None:
    rules = (exclude("a", "location.id == 'a'"), require("s", STORES), prefer("p", "", -3))
    assert warned(town, *rules) == ()


def test_an_effect_is_one_of_four() -> None:
    effects = {"EXCLUDE": 1, "REQUIRE": 2, "PREFER": 3, "LIMIT": 4}
    assert {effect.name: effect.value for effect in RuleEffect} == effects
    assert RoutingRule(rule_id=RuleId("r"), effect=RuleEffect.LIMIT).condition == ""
