"""Conditions that cannot be meant: each error points to the character where it goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.rule_conditions import split
from domgrpc.core.rule_expressions import DEPTH_MAX, BadExpression
from domgrpc.core.rule_questions import Part, Questions

MARK = "¦"
"""Stands before the character that the error points to."""
SLIPS = [
    ("order.channel ==¦", "the end stands where a value should"),
    ("order.channel ¦= 'web'", "'=' has no meaning here; equal is =="),
    ("order.value > 1 ¦& order.value < 2", "'&' has no meaning here; and is &&"),
    ("order.value > 1 ¦| order.value < 2", "'|' has no meaning here; or is ||"),
    ("order.value > 1 ¦; true", "';' has no meaning here"),
    ("order.channel == ¦'web", "no end on its line"),
    (r"order.channel == ¦'\q'", "an escape that is not known"),
    ("order.channel == 'a' ¦'b'", "\"'b'\" stands where an operator or the end should"),
    ("(order.value > 1¦", "the end stands where ')' should"),
    ("true ? true¦", "the end stands where ':' should"),
    ("order.¦'a' == 5", "\"'a'\" stands where the name of a fact should"),
    ("order.¦", "the end stands where the name of a fact should"),
    ("'a'.¦'b'", "\"'b'\" stands where a name should"),
    ("'a'.¦length == 1", "this has no field 'length'"),
    ("'a' in ['b' ¦'c']", "\"'c'\" stands where ',' should"),
    ("¦null == 1", "'null' cannot be used here"),
    ("order.line_count > ¦9223372036854775808", "is above 9223372036854775807"),
    ("order.line_count > ¦0x8000000000000000", "is above 9223372036854775807"),
    ("product.categories.¦exists(c)", "exists takes a name and a condition"),
    ("product.categories.¦all('c', true)", "all takes a name and a condition"),
]
NAMES = [
    ("order.¦chanel == 'web'", "order has no fact 'chanel', did you mean 'channel'?"),
    ("order.¦zzz == 1", "order has no fact 'zzz'"),
    ("¦order == 1", "'order' alone is no value"),
    ("¦order['channel'] == 'web'", "'order' alone is no value"),
    ("location.type == ¦STORE", "there is no 'STORE'; a condition names order, line, product"),
    ("¦ordr.channel == 'a'", "there is no 'ordr', did you mean 'order'?"),
    ("¦has(order.channel)", "no function 'has': every fact has a value"),
    ("order.channel.¦matches('a')", "no function 'matches': startsWith"),
    ("order.channel.¦lower() == 'a'", "there are startsWith, endsWith, contains, size"),
    ("product.categories.exists(c, ¦d == 'a')", "there is no 'd'"),
    ("location.type == ¦'STROE'", "location.type is never 'STROE', did you mean 'STORE'?"),
    ("location.type in ['STORE', ¦'shop']", "is never 'shop'; it is one of DISTRIBUTION_CENTER"),
    ("¦'PICK_UP' in location.delivery_methods", "did you mean 'PICKUP'?"),
    ("order.delivery_method == ¦r'pickup'", "is never 'pickup', did you mean 'PICKUP'?"),
]
TYPES = [
    ("order.channel.¦startsWith(1)", "startsWith does not take text and a whole number"),
    ("product.categories.¦contains('a')", "of a list write: x in list"),
    ("¦size() == 1", "size does not take nothing"),
    ("¦order.value", "a condition is true or false, this is a number"),
    ("¦['a']", "a condition is true or false, this is a list of text"),
    ("¦(1)", "a condition is true or false, this is a whole number"),
    ("true && ¦1", "&& takes conditions, this is a whole number"),
    ("true || !¦'a'", "! takes conditions, this is text"),
    ("order.value ¦* 2 > 1", "* does not take a number and a whole number; write 2.0"),
    ("order.channel ¦== 1", "== does not take text and a whole number"),
    ("order.channel ¦< 1", "< does not take text and a whole number"),
    ("true ¦< false", "< does not take a condition and a condition"),
    ("['a'] ¦< ['b']", "< does not take a list of text and a list of text"),
    ("¦-'a' == 'b'", "- does not take text"),
    ("order.line_count ¦% 2.0 == 1", "% does not take"),
    ("1.5 ¦% 2.0 == 1.0", "% does not take a number and a number"),
    ("(true ¦+ false) == true", "+ does not take a condition and a condition"),
    ("'a' ¦- 'b' == 'c'", "- does not take text and text"),
    ("1 ¦in product.categories", "in does not take a whole number and a list of text"),
    ("'a' ¦in 'abc'", "in does not take text and text"),
    ("'abc'¦[0] == 'a'", "[…] does not take text and a whole number"),
    ("product.categories¦['a'] == 'a'", "[…] does not take a list of text and text"),
    ("1 ¦? true : false", "? does not take a whole number and a condition and a condition"),
    ("true ¦? true : 'a'", "? does not take a condition and a condition and text"),
    ("'a' in ¦[]", "a list needs an element"),
    ("'a' in ['b', ¦1]", "this list begins with text, here is a whole number"),
    ("'a' in [¦['b']]", "a list must not hold lists"),
    ("product.categories.exists(c, ¦c)", "exists needs a condition, this is text"),
    ("'abc'.¦exists(c, c == 'a')", "exists is asked of a list"),
    ("product.categories.exists(¦c__d, true)", "'c__d' must not have two _ in a row"),
    ("product.categories.map(c, ¦[c]).size() == 1", "a list must not hold lists"),
    (
        "product.categories.all(c, product.categories.¦exists(d, d == c))",
        "exists must not stand inside another such call",
    ),
]
MIXED = [
    ("location.type == 'STORE' || ¦order.value > 5", "order.value meets location.type inside"),
    ("order.country == 'US' ? ¦location.id == 'a' : true", "location.id meets order.country"),
    ("order.channel == 'a' && !(line.quantity > 1 && ¦location.id == 'a')", "meets line.quantity"),
    ("product.unit == ¦location.id", "location.id meets product.unit"),
]


@pytest.mark.parametrize(("marked", "said"), [*SLIPS, *NAMES, *TYPES, *MIXED])
def test_an_error_points_to_the_place(marked: str, said: str) -> None:
    with pytest.raises(BadExpression) as caught:
        split(marked.replace(MARK, ""))
    assert said in caught.value.message
    assert caught.value.position == marked.index(MARK)


GOOD = {
    "": ("", "", ""),
    " \n": ("", "", ""),
    "true": ("(true)", "", ""),
    "order.channel == 'web' && location.type == 'STORE'": (
        "(order__channel == 'web')",
        "",
        "(location__type == 'STORE')",
    ),
    "(order.line_count > 1 && 'a' in product.categories) && order.hour < 9": (
        "(order__line_count > 1) && (order__hour < 9)",
        "('a' in product__categories)",
        "",
    ),
    "line.quantity > 2 || order.value >= 1.5e2 // a remark": (
        "",
        "(line__quantity > 2 || order__value >= 1.5e2)",
        "",
    ),
    "order . region\n==\t'CA' || (order.region) == 'NY'": (
        "(order__region\n==\t'CA' || order__region == 'NY')",
        "",
        "",
    ),
    "location.groups.exists(g, g.startsWith('n')) && location.id != 'a'": (
        "",
        "",
        "(location__groups.exists(g, g.startsWith('n'))) && (location__id != 'a')",
    ),
}


@pytest.mark.parametrize("text", GOOD)
def test_a_condition_is_split_by_what_its_terms_name(text: str) -> None:
    condition = split(text)
    parts = (condition.order, condition.line, condition.location)
    assert tuple(part.source for part in parts) == GOOD[text]


WELL_TYPED = [
    "size(product.categories) + product.categories.size() > order.channel.size()",
    "product.categories.filter(c, c != 'a').map(c, size(c)) == [1, 2]",
    "product.categories.exists_one(c, c == 'a') ? 1 < 2.5 : 2.0 == 2",
    "[1.5, 2.5][0] < double('3') && int(2.5) % 2 == 0 && string(1) + 'a' == '1a'",
    "-order.line_count < - -1 && !(!true) && order.value / 2.0 > -1.0",
    "'STORE' == location.type || location.type in ['HUB', r'VIRTUAL', \"\"]",
    "order.weekday in [1, 7] && 0x1f == 31 && .5 < 1e3",
    "'\\u00e9\\'\\n' != \"\\\"\" && [true, 1 < 2] == [true, true]",
    "true ? true : false ? false : true",
]


@pytest.mark.parametrize("text", WELL_TYPED)
def test_what_can_be_meant_is_taken_by_the_library_too(text: str) -> None:
    condition = split(text)
    assert not Questions((condition.order, condition.line, condition.location)).is_broken


@pytest.mark.parametrize("opened", ["(", "!", "-", "[", "size(", "true ? true : "])
def test_an_expression_is_nested_only_so_deep(opened: str) -> None:
    with pytest.raises(BadExpression, match=f"more than {DEPTH_MAX} deep"):
        split(opened * 300)


def test_a_chain_of_conditions_may_be_long_and_a_sum_may_not() -> None:
    chain = " && ".join(["order.line_count > 1 || true"] * 60)
    assert split(chain).order.source.count("&&") == 59
    with pytest.raises(BadExpression, match="deep"):
        split(f"{'1+' * 300}1 > 0")


@pytest.mark.slow
@given(st.text("ordeline.typ&|()[]'\"?:!=<>+-%,10 \\\n/", max_size=40))
def test_whatever_is_written_is_split_or_refused_at_a_place(text: str) -> None:
    bad = None
    try:
        condition = split(text)
        broken = Questions((condition.order, condition.line, condition.location)).is_broken
    except BadExpression as refused:
        bad, broken = refused, False
    assert bad is None or 0 <= bad.position <= len(text)
    assert not broken


def test_what_the_library_cannot_compile_fails_whenever_it_is_asked() -> None:
    questions = Questions((Part("1 +"), Part("true"), Part()))
    assert questions.is_broken
    assert questions.ask(()) == [None, True, True]
