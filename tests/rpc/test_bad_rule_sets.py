"""What is wrong with the shape of a rule set is named by its field."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from domgrpc.rpc.translate_rule_sets import create_rule_set, version_of
from domgrpc.v1 import rule_set_pb2 as pb
from tests.rpc.bad_shapes import (
    LONG,
    NOT_NFC,
    TOO_MUCH,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
)

LIMIT = pb.RULE_EFFECT_LIMIT


def rule_set(**fields: Field) -> pb.CreateRuleSetRequest:
    return pb.CreateRuleSetRequest(rule_set=pb.RuleSet(**fields))


def rule(**fields: Field) -> pb.CreateRuleSetRequest:
    good = pb.RoutingRule(rule_id="good", effect=LIMIT)
    bad = pb.RoutingRule(**filled(fields, rule_id="r", effect=LIMIT))
    return rule_set(rules=[good, bad])


def prices(**fields: Field) -> pb.CreateRuleSetRequest:
    return rule_set(prices=pb.RoutingPrices(**fields))


def limits(**fields: Field) -> pb.CreateRuleSetRequest:
    return rule_set(limits=pb.RoutingLimits(**fields))


def replanning(**fields: Field) -> pb.CreateRuleSetRequest:
    return rule_set(replanning=pb.ReplanningRules(**fields))


FULL = [pb.RoutingRule(rule_id="r", effect=LIMIT, condition="x" * 2_000)]
BAD: list[tuple[pb.CreateRuleSetRequest, str]] = [
    (pb.CreateRuleSetRequest(), "rule_set"),
    (rule_set(display_name="x" * 201), "rule_set.display_name"),
    (rule_set(strategy=UNKNOWN), "rule_set.strategy"),
    (rule_set(unfilled_policy=UNKNOWN), "rule_set.unfilled_policy"),
    (rule_set(promise=Duration(seconds=-1)), "rule_set.promise"),
    (rule_set(promise=Duration(seconds=366 * 86_400)), "rule_set.promise"),
    (rule_set(promise=Duration(seconds=1, nanos=-1)), "rule_set.promise"),
    (rule_set(rules=FULL * 501), "rule_set.rules"),
    (rule_set(rules=FULL * 51), "rule_set.rules"),
    (rule(rule_id=""), "rule_set.rules[1].rule_id"),
    (rule(rule_id=LONG), "rule_set.rules[1].rule_id"),
    (rule(effect=0), "rule_set.rules[1].effect"),
    (rule(effect=UNKNOWN), "rule_set.rules[1].effect"),
    (rule(condition="x" * 2_001), "rule_set.rules[1].condition"),
    (rule(condition="a\0b"), "rule_set.rules[1].condition"),
    (rule(condition=NOT_NFC), "rule_set.rules[1].condition"),
    (rule(price_micros=TOO_MUCH), "rule_set.rules[1].price_micros"),
    (rule(price_micros=-TOO_MUCH), "rule_set.rules[1].price_micros"),
    (rule(package_count_max=-1), "rule_set.rules[1].package_count_max"),
    (rule(package_count_max=501), "rule_set.rules[1].package_count_max"),
    (prices(split_penalty_micros=-1), "rule_set.prices.split_penalty_micros"),
    (prices(late_day_micros=TOO_MUCH), "rule_set.prices.late_day_micros"),
    (prices(scarcity_weight_permille=-1), "rule_set.prices.scarcity_weight_permille"),
    (prices(scarcity_weight_permille=1_000_001), "rule_set.prices.scarcity_weight_permille"),
    (limits(package_count_max=501), "rule_set.limits.package_count_max"),
    (limits(split_minimum_value_micros=-1), "rule_set.limits.split_minimum_value_micros"),
    (limits(radius_m=20_100_001), "rule_set.limits.radius_m"),
    (replanning(stability_price_micros=-1), "rule_set.replanning.stability_price_micros"),
    (replanning(cool_down=Duration(seconds=-1)), "rule_set.replanning.cool_down"),
    (replanning(cool_down=Duration(seconds=31 * 86_400)), "rule_set.replanning.cool_down"),
]
CASES: list[Case] = [(create_rule_set, message, path) for message, path in BAD]


@each_case([*CASES, (version_of, -1, "version")])
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
