"""Types: whether what a condition says can be meant at all, found before anything is asked.

Every part of an expression has a type: bool, int, double, string or a list of one of them. The
signs and functions are a closed list, and each says which types it takes, so that a slip is told
with its place, whether or not an order would ever reach it. Whole numbers and others may be
compared, but not computed with each other, as in CEL.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from domgrpc.core.rule_expressions import MACROS, ROOTS, BadExpression, Node, NodeKind
from domgrpc.core.rule_facts import FACTS

_NUMBERS = ("int", "double")
_SCALARS = ("bool", "int", "double", "string")


def type_of(node: Node, names: Mapping[str, str]) -> str:
    """Return the type of an expression in which `names` are bound, or raise BadExpression."""
    return _TYPE_OF[node.kind](node, names)


def named_type(kind: str) -> str:
    """Return a type in words."""
    element = _element(kind)
    return f"a list of {_NAMES[element].removeprefix('a ')}" if element else _NAMES[kind]


def _type_of_literal(node: Node, _names: Mapping[str, str]) -> str:
    return node.name


def _type_of_fact(node: Node, _names: Mapping[str, str]) -> str:
    fact = FACTS.get(node.name)
    if fact is None:
        root, _, field = node.name.partition(".")
        fields = [name.partition(".")[2] for name in FACTS if name.startswith(f"{root}.")]
        message = f"{root} has no fact {field!r}{_instead(field, fields)}"
        raise BadExpression(message, node.at)
    return fact.type


def _type_of_name(node: Node, names: Mapping[str, str]) -> str:
    kind = names.get(node.name)
    if kind is None:
        message = (
            f"there is no {node.name!r}{_instead(node.name, [*ROOTS, *names])}; a condition names "
            f"{', '.join(ROOTS)}, and text stands in quotes"
        )
        raise BadExpression(message, node.at)
    return kind


def _type_of_list(node: Node, names: Mapping[str, str]) -> str:
    if not node.children:
        raise BadExpression("a list needs an element", node.at)
    kinds = [type_of(child, names) for child in node.children]
    for child, kind in zip(node.children, kinds, strict=True):
        if kind not in _SCALARS:
            raise BadExpression("a list must not hold lists", child.start)
        if kind != kinds[0]:
            message = f"this list begins with {named_type(kinds[0])}, here is {named_type(kind)}"
            raise BadExpression(message, child.start)
    return f"list({kinds[0]})"


def _type_of_macro(node: Node, names: Mapping[str, str]) -> str:
    owner, bound, body = node.children
    if names:
        # One list inside another could take the product of their lengths.
        raise BadExpression(f"{node.name} must not stand inside another such call", node.at)
    element = _element(type_of(owner, names))
    if not element:
        raise BadExpression(f"{node.name} is asked of a list", node.at)
    if "__" in bound.name:
        raise BadExpression(f"{bound.name!r} must not have two _ in a row", bound.at)
    kind = type_of(body, {bound.name: element})
    if node.name == "map":
        if kind not in _SCALARS:
            raise BadExpression("a list must not hold lists", body.start)
        return f"list({kind})"
    if kind != "bool":
        message = f"{node.name} needs a condition, this is {named_type(kind)}"
        raise BadExpression(message, body.start)
    return f"list({element})" if node.name == "filter" else "bool"


# function -> what it takes, and what it gives
_FUNCTIONS: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "startsWith": {("string", "string"): "bool"},
    "endsWith": {("string", "string"): "bool"},
    "contains": {("string", "string"): "bool"},
    "size": {(kind,): "int" for kind in ("string", *(f"list({kind})" for kind in _SCALARS))},
    "int": {(kind,): "int" for kind in ("int", "double", "string")},
    "double": {(kind,): "double" for kind in ("int", "double", "string")},
    "string": {(kind,): "string" for kind in ("int", "double", "string")},
}
_HINTS = {
    "has": "every fact has a value, an unknown one is empty or 0",
    "matches": "startsWith, endsWith and contains cost less than a regular expression",
}


def _type_of_call(node: Node, names: Mapping[str, str]) -> str:
    overloads = _FUNCTIONS.get(node.name)
    if overloads is None:
        hint = _HINTS.get(node.name) or f"there are {', '.join([*_FUNCTIONS, *MACROS])}"
        message = f"there is no function {node.name!r}: {hint}"
        raise BadExpression(message, node.at)
    taken = tuple(type_of(child, names) for child in node.children)
    given = overloads.get(taken)
    if given is None:
        hint = ""
        if node.name == "contains" and taken and _element(taken[0]):
            hint = "; of a list write: x in list"
        message = f"{node.name} does not take {_all_of(taken)}{hint}"
        raise BadExpression(message, node.at)
    return given


def _type_of_operation(node: Node, names: Mapping[str, str]) -> str:
    kinds = tuple(type_of(child, names) for child in node.children)
    if node.name in ("&&", "||", "!"):
        for child, kind in zip(node.children, kinds, strict=True):
            if kind != "bool":
                message = f"{node.name} takes conditions, this is {named_type(kind)}"
                raise BadExpression(message, child.start)
        return "bool"
    given = _result(node.name, kinds)
    if not given:
        word = {"negative": "-", "? :": "?", "[ ]": "[…]"}.get(node.name, node.name)
        hint = ""
        if kinds in (("int", "double"), ("double", "int")):
            hint = "; write 2.0 for 2, or double(…)"
        raise BadExpression(f"{word} does not take {_all_of(kinds)}{hint}", node.at)
    if node.name in ("==", "!=", "in"):
        _check_words(node)
    return given


_TYPE_OF: dict[NodeKind, Callable[[Node, Mapping[str, str]], str]] = {
    NodeKind.LITERAL: _type_of_literal,
    NodeKind.FACT: _type_of_fact,
    NodeKind.NAME: _type_of_name,
    NodeKind.LIST: _type_of_list,
    NodeKind.MACRO: _type_of_macro,
    NodeKind.CALL: _type_of_call,
    NodeKind.OPERATOR: _type_of_operation,
}


def _result(sign: str, kinds: tuple[str, ...]) -> str:
    """Return the type of an operation, empty where there is none."""
    first, last = kinds[0], kinds[-1]
    match sign:
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return "bool" if _comparable(sign, first, last) else ""
        case "in":
            return "bool" if first == _element(last) else ""
        case "[ ]":
            return _element(first) if last == "int" else ""
        case "? :":
            return last if first == "bool" and kinds[1] == last else ""
        case _:
            return first if first == last and _computes(sign, first) else ""


def _comparable(sign: str, first: str, last: str) -> bool:
    if first in _NUMBERS:
        return last in _NUMBERS
    return first == last and (first == "string" or sign in ("==", "!="))


def _computes(sign: str, kind: str) -> bool:
    match sign:
        case "%":
            return kind == "int"
        case "+":
            return kind != "bool"
        case _:
            return kind in _NUMBERS


def _check_words(node: Node) -> None:
    """Refuse a word that a fact of few words can never be: mostly a slip."""
    for fact in node.children:
        words = FACTS[fact.name].words if fact.kind is NodeKind.FACT else ()
        for value in _texts(node) if words else ():
            word = value.text.lstrip("rR")[1:-1]
            if word not in ("", *words):
                message = (
                    f"{fact.name} is never {word!r}{_instead(word, words)}; "
                    f"it is one of {', '.join(words)}"
                )
                raise BadExpression(message, value.start)


def _texts(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.kind is NodeKind.LITERAL:
            yield child
        elif child.kind is NodeKind.LIST:
            yield from _texts(child)


def _element(kind: str) -> str:
    return kind[5:-1] if kind.startswith("list(") else ""


def _instead(word: str, words: Sequence[str]) -> str:
    close = get_close_matches(word, words, n=1) or get_close_matches(word.upper(), words, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


_NAMES = {"bool": "a condition", "int": "a whole number", "double": "a number", "string": "text"}


def _all_of(kinds: Sequence[str]) -> str:
    return " and ".join(named_type(kind) for kind in kinds) or "nothing"
