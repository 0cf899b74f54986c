"""docs/routing-rules.md is held against the code: facts, defaults, examples, errors."""

import re

import pytest

from domgrpc.core.rejections import Rejected
from domgrpc.core.rule_checks import check_rules
from domgrpc.core.rule_conditions import split
from domgrpc.core.rule_facts import FACTS
from domgrpc.core.rule_sets import (
    CONDITION_CHARACTERS_MAX,
    RULES_MAX,
    RoutingRule,
    RuleEffect,
    RuleSetContent,
    RuleSetState,
    Strategy,
    Unfilled,
)
from domgrpc.core.rule_types import named_type
from domgrpc.core.values import RuleId
from tests.core.given import Shop
from tests.tidy.project_files import ROOT, read_text

PAGE = read_text(ROOT / "docs/routing-rules.md")


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading."""
    section = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


EXAMPLES = [row[0].strip("`") for row in rows("Examples")]
ERRORS = [(row[0].strip("`"), row[1].strip("`")) for row in rows("What is checked")]


def test_the_table_of_facts_is_that_of_the_code() -> None:
    told = [(row[0].strip("`"), row[1]) for row in rows("Facts")]
    names = {"bool": "condition", "int": "whole number", "double": "number"}
    types = {kind: names.get(kind) or named_type(kind).removeprefix("a ") for kind in KINDS}
    assert told == [(name, types[fact.type]) for name, fact in FACTS.items()]
    for name, fact in FACTS.items():
        (meaning,) = (row[2] for row in rows("Facts") if row[0] == f"`{name}`")
        if name != "location.delivery_methods":
            assert [word for word in fact.words if f"`{word}`" not in meaning] == []


KINDS = {fact.type for fact in FACTS.values()}


def test_states_effects_strategies_and_policies_are_those_of_the_code() -> None:
    assert [row[0].strip("`") for row in rows("The life of a rule set")] == [
        state.name for state in RuleSetState
    ]
    assert [row[0].strip("`") for row in rows("A rule")] == [effect.name for effect in RuleEffect]
    said = {row[0].strip("`"): row[2] for row in rows("What a rule set says")}
    assert re.findall(r"`(\w+)`", said["strategy"]) == [strategy.name for strategy in Strategy]
    assert re.findall(r"`(\w+)`", said["unfilled_policy"]) == [each.name for each in Unfilled]
    assert f"up to {RULES_MAX}" in said["rules"]
    assert f"up to {CONDITION_CHARACTERS_MAX:,}\ncharacters" in PAGE


def test_the_defaults_are_those_of_the_code() -> None:
    told = {row[0].strip("`"): row[1].strip("`") for row in rows("What a rule set says")}
    content = RuleSetContent()
    for part in ("prices", "limits"):
        values = getattr(content, part)
        for name in values.__struct_fields__:
            value = getattr(values, name)
            text = str(value).lower() if isinstance(value, bool) else f"{value:,}"
            assert told[f"{part}.{name}"] == text
    assert told["strategy"] == content.strategy.name
    assert told["unfilled_policy"] == content.unfilled.name
    replanning = content.replanning
    price = told["replanning.stability_price_micros"]
    assert price == f"{replanning.stability_price_micros:,}"
    assert told["replanning.cool_down"] == f"{replanning.cool_down_ms // 60_000} minutes"
    assert told["promise"] == f"{content.promise_ms // 86_400_000} days"


@pytest.mark.parametrize("condition", EXAMPLES)
def test_an_example_is_a_condition(condition: str) -> None:
    split(condition)


def test_the_conditions_in_the_text_are_conditions() -> None:
    (condition,) = re.findall(r"```\n(order\.channel.*)\n```", PAGE)
    split(condition)
    split(" ".join(re.findall(r"`(location\.groups\.exists[^`]*)`", PAGE)[0].split()))


@pytest.mark.parametrize(("condition", "said"), ERRORS)
def test_an_error_is_told_as_the_page_says(condition: str, said: str) -> None:
    rule = RoutingRule(rule_id=RuleId("r"), effect=RuleEffect.EXCLUDE, condition=condition)
    with pytest.raises(Rejected) as caught:
        check_rules(RuleSetContent(rules=(rule,)), Shop().state.network)
    assert str(caught.value) == f"rule 'r', condition, {said}"
