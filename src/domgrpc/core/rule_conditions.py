"""Conditions: checked, and split by what they name.

`split` checks the types of an expression and takes its outermost && apart: a term names order,
line and product, or location, never location with another. So what depends on the location is
asked once for each location, what depends on the order once for each order, and what depends on
a line once for each kind of line; no loop over candidates asks anything.
"""

from collections.abc import Iterator

import msgspec

from domgrpc.core.rule_expressions import BadExpression, Node, NodeKind, parse, terms
from domgrpc.core.rule_questions import Part, variable_of
from domgrpc.core.rule_types import named_type, type_of

_NO_NAMES: dict[str, str] = {}


class Condition(msgspec.Struct, frozen=True):
    """A condition in three parts, which must all hold."""

    order: Part
    line: Part
    location: Part


def split(text: str) -> Condition:
    """Check a condition and take it apart; raises BadExpression. Blank always holds."""
    if not text.strip():
        return Condition(Part(), Part(), Part())
    tree = parse(text)
    kind = type_of(tree, _NO_NAMES)
    if kind != "bool":
        raise BadExpression(f"a condition is true or false, this is {named_type(kind)}", tree.start)
    parts: dict[str, list[Node]] = {"order": [], "line": [], "location": []}
    for term in terms(tree):
        parts[_part_of(term)].append(term)
    order, line, location = (_part(text, found) for found in parts.values())
    return Condition(order, line, location)


def facts_in(node: Node) -> Iterator[Node]:
    """Iterate the facts that a tree names, from the left."""
    if node.kind is NodeKind.FACT:
        yield node
    for child in node.children:
        yield from facts_in(child)


def _part_of(term: Node) -> str:
    facts = list(facts_in(term))
    roots = dict.fromkeys(fact.name.partition(".")[0] for fact in facts)
    if "location" in roots:
        for fact in facts:
            if (fact.name.startswith("location.")) != (facts[0].name.startswith("location.")):
                raise _mixed(facts[0], fact)
        return "location"
    return "line" if "line" in roots or "product" in roots else "order"


def _mixed(first: Node, second: Node) -> BadExpression:
    return BadExpression(
        f"{second.name} meets {first.name} inside one term: what is asked of a location and what "
        "is asked of an order, a line or a product may only be joined by && outside all brackets; "
        "for 'or' write two rules",
        second.start,
    )


def _part(text: str, found: list[Node]) -> Part:
    facts = sorted({fact.name for term in found for fact in facts_in(term)})
    return Part(" && ".join(f"({_plain(text, term)})" for term in found), tuple(facts))


def _plain(text: str, term: Node) -> str:
    # From the right, so that what is left keeps its place.
    written = text[: term.end]
    for fact in reversed(list(facts_in(term))):
        written = written[: fact.start] + variable_of(fact.name) + written[fact.end :]
    return written[term.start :]
