"""What passes the check of types never fails for its types: the library agrees with the table."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domgrpc.core.products import ProductFields
from domgrpc.core.rule_expressions import BadExpression, parse
from domgrpc.core.rule_facts import FACTS, LineFacts, OrderFacts
from domgrpc.core.rule_questions import library
from domgrpc.core.rule_types import type_of
from domgrpc.core.values import Quantity, Sku

ORDER = OrderFacts(value_micros=5_500_000, line_count=2, region="NY")
LINE = LineFacts(Sku("x"), Quantity(3), 2_000_000, ProductFields(categories=("a", "b")))
CONTEXT: dict[str, dict[str, Any]] = {
    root: {
        name.partition(".")[2]: fact.read(ORDER if root == "order" else LINE)
        for name, fact in FACTS.items()
        if name.startswith(root)
    }
    for root in ("order", "line", "product")
}
KINDS = {
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    list: "list",
}
Texts = st.SearchStrategy[str]


def written(pattern: str, *parts: Texts) -> Texts:
    """Draw an expression from the parts of it."""
    return st.builds(pattern.format, *parts)


def signs(*words: str) -> Texts:
    """Draw one of some signs."""
    return st.sampled_from(words)


WHOLE: Texts = st.deferred(
    lambda: (
        signs("1", "0", "order.line_count", "line.quantity")
        | written("({} {} {})", WHOLE, signs("+", "-", "*", "/", "%"), WHOLE)
        | written("size({})", LISTS | TEXT)
        | written("int({})", WHOLE | NUMBER | TEXT)
        | written("-{}", WHOLE)
    )
)
NUMBER: Texts = st.deferred(
    lambda: (
        signs("2.5", "order.value", "line.unit_price")
        | written("({} {} {})", NUMBER, signs("+", "-", "*", "/"), NUMBER)
        | written("double({})", WHOLE | NUMBER | TEXT)
        | written("-{}", NUMBER)
    )
)
TEXT: Texts = st.deferred(
    lambda: (
        signs("'a'", "''", "'7'", "order.region")
        | written("({} + {})", TEXT, TEXT)
        | written("string({})", WHOLE | NUMBER | TEXT)
        | written("{}[{}]", LISTS, WHOLE)
        | written("({} ? {} : {})", TRUTH, TEXT, TEXT)
    )
)
ABOUT_X = signs("x == 'a'", "size(x) > 1", "x in ['b', 'c']", "x.startsWith('a') || x < 'b'")
LISTS: Texts = st.deferred(
    lambda: (
        st.just("product.categories")
        | written("[{}, {}]", TEXT, TEXT)
        | written("({} + {})", LISTS, LISTS)
        | written("{}.filter(x, {})", LISTS, ABOUT_X)
        | written("{}.map(x, {})", LISTS, signs("x + 'a'", "string(size(x))"))
    )
)
TRUTH: Texts = st.deferred(
    lambda: (
        signs("true", "false", "product.keep_together")
        | written("({} {} {})", TRUTH, signs("&&", "||", "==", "!="), TRUTH)
        | written(
            "({0} {1} {2})", WHOLE | NUMBER, signs("<", "<=", ">", "==", "!="), WHOLE | NUMBER
        )
        | written("({} {} {})", TEXT, signs("<", ">=", "==", "!="), TEXT)
        | written("({} {} {})", LISTS, signs("==", "!="), LISTS)
        | written("({} in {})", TEXT, LISTS)
        | written("({} in [{}, {}])", NUMBER, NUMBER, NUMBER)
        | written("!{}", TRUTH)
        | written("({} ? {} : {})", TRUTH, TRUTH, TRUTH)
        | written("{}.{}({})", TEXT, signs("startsWith", "endsWith", "contains"), TEXT)
        | written("{}.{}(x, {})", LISTS, signs("all", "exists", "exists_one"), ABOUT_X)
    )
)
EVERY_KIND = {"bool": TRUTH, "int": WHOLE, "double": NUMBER, "string": TEXT, "list(string)": LISTS}
TYPED = st.one_of(*(st.tuples(st.just(kind), texts) for kind, texts in EVERY_KIND.items()))


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(TYPED)
def test_the_library_gives_the_type_that_was_told(typed: tuple[str, str]) -> None:
    kind, text = typed
    try:
        assert type_of(parse(text), {}) == kind
    except BadExpression as refused:
        # Nothing is wrong with it but its depth.
        assert "deep" in refused.message  # noqa: PT017 - one of two good ends
        return
    failures: tuple[type[Exception], ...] = (ArithmeticError, IndexError)
    if "int(" in text or "double(" in text:
        # What is read as a number may be none.
        failures = (*failures, RuntimeError)
    try:
        value = library().compile(text).execute(CONTEXT)
    except failures:
        return
    assert KINDS[type(value)] == kind.partition("(")[0]
    if isinstance(value, list):
        assert all(isinstance(each, str) for each in value)
