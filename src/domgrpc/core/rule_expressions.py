"""Expressions of rules: the text of a condition as a tree whose nodes know where they stand.

The language is the part of CEL (the Common Expression Language) that conditions need: literals,
facts (`order.channel`), comparisons, arithmetic, `&&`, `||`, `!`, `? :`, `in`, lists, calls and
the macros over lists. Here it is only read, by operator precedence (Pratt 1973), so that an error
names its column and a condition can be split; rule_conditions.py checks it, and the CEL library
alone evaluates it. Everything is bounded: the depth of a tree here, its text by the caller.
"""

import enum
import re
from difflib import get_close_matches

import msgspec

DEPTH_MAX = 40
"""Brackets and operators inside each other; chains of && and of || are flat."""
_INT_MAX = 2**63 - 1

ROOTS = ("order", "line", "product", "location")
"""The variables that a condition may name."""
MACROS = ("all", "exists", "exists_one", "filter", "map")


class BadExpression(Exception):
    """An expression that cannot be used: what is wrong, and at which character from 0."""

    def __init__(self, message: str, position: int) -> None:
        """Remember the place."""
        super().__init__(message)
        self.message = message
        self.position = position


class NodeKind(enum.Enum):
    """What a node of the tree is."""

    LITERAL = enum.auto()
    FACT = enum.auto()
    NAME = enum.auto()
    OPERATOR = enum.auto()
    CALL = enum.auto()
    MACRO = enum.auto()
    LIST = enum.auto()


class Node(msgspec.Struct, frozen=True):
    """A piece of an expression: text[start:end]; `at` is the character an error points to.

    `name` is the type of a literal, the fact, the name bound by a macro, the operator or the
    function. A macro's children are the list, the NAME that it binds and the body.
    """

    kind: NodeKind
    name: str
    start: int
    end: int
    at: int
    children: tuple["Node", ...] = ()
    depth: int = 1
    text: str = ""
    """Of a literal, as it is written."""


class Token(msgspec.Struct, frozen=True):
    """A word of an expression; kind "end" stands behind the last."""

    kind: str
    text: str
    start: int
    end: int


_SPACE = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*)*")
_ESCAPE = r"\\(?:[\\\"'`?abfnrtv]|u[0-9a-fA-F]{4})"
_TOKEN = re.compile(
    rf"""(?P<double>(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<int>0x[0-9a-fA-F]+|\d+)
    |(?P<string>[rR](?:"[^"\n]*"|'[^'\n]*')|"(?:[^"\\\n]|{_ESCAPE})*"|'(?:[^'\\\n]|{_ESCAPE})*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]])""",
    re.VERBOSE,
)
_BINDS = {"||": 1, "&&": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5} | dict.fromkeys(
    ("==", "!=", "<", "<=", ">", ">=", "in"), 3
)
_CHAINS = ("&&", "||")
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"),
        *("in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void"),
        "while",
    )
)


def parse(text: str) -> Node:
    """Return the tree of an expression or raise BadExpression; O(characters)."""
    parser = _Parser(text)
    node = parser.expression()
    if parser.token.kind != "end":
        raise parser.unexpected("an operator or the end")
    return node


def terms(node: Node) -> tuple[Node, ...]:
    """Return what the outermost && joins: all of it must hold."""
    if (node.kind, node.name) == (NodeKind.OPERATOR, "&&"):
        return node.children
    return (node,)


def _tokens(text: str) -> list[Token]:
    found = []
    position = _end_of_space(text, 0)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadExpression(_strange(text, position), position)
        found.append(Token(match.lastgroup or "", match.group(), position, match.end()))
        position = _end_of_space(text, match.end())
    return [*found, Token("end", "", len(text.rstrip()), len(text))]


def _end_of_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _strange(text: str, position: int) -> str:
    character = text[position]
    if character in "\"'":
        return "this text has no end on its line, or an escape that is not known"
    hints = {"=": "; equal is ==", "&": "; and is &&", "|": "; or is ||"}
    return f"{character!r} has no meaning here{hints.get(character, '')}"


class _Parser:
    """Reads tokens from the left; each method returns the node that it read."""

    def __init__(self, text: str) -> None:
        self._rest = iter(_tokens(text))
        self.token = next(self._rest)
        self._end = 0
        self._depth = 0

    def unexpected(self, wanted: str) -> BadExpression:
        """Say what stands where something else should."""
        found = repr(self.token.text) if self.token.text else "the end"
        return BadExpression(f"{found} stands where {wanted} should", self.token.start)

    def expression(self) -> Node:
        """Read a whole expression, a choice (`a ? b : c`) included."""
        self._enter()
        node = self._chain(1)
        if self.token.text == "?":
            at = self._take().start
            yes = self._chain(1)
            self._expect(":")
            node = self._node(NodeKind.OPERATOR, "? :", at, (node, yes, self.expression()))
        self._depth -= 1
        return node

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _too_deep(self.token.start)

    def _chain(self, binds_least: int) -> Node:
        node = self._unary()
        while True:
            sign = self.token.text if self.token.kind in ("sign", "name") else ""
            binds = _BINDS.get(sign, 0)
            if binds < binds_least or not binds:
                return node
            at = self._take().start
            right = self._chain(binds + 1)
            left: tuple[Node, ...] = (node,)
            if sign in _CHAINS and (node.kind, node.name) == (NodeKind.OPERATOR, sign):
                left = node.children
            node = self._node(NodeKind.OPERATOR, sign, at, (*left, right), start=node.start)

    def _unary(self) -> Node:
        if self.token.kind != "sign" or self.token.text not in ("!", "-"):
            return self._member()
        self._enter()
        sign = self._take()
        inner = self._unary()
        self._depth -= 1
        name = "!" if sign.text == "!" else "negative"
        return self._node(NodeKind.OPERATOR, name, sign.start, (inner,), start=sign.start)

    def _member(self) -> Node:
        node = self._primary()
        while self.token.text in (".", "["):
            at = self._take()
            if at.text == "[":
                index = self.expression()
                self._expect("]")
                node = self._node(NodeKind.OPERATOR, "[ ]", at.start, (node, index))
                continue
            if self.token.kind != "name":
                raise self.unexpected("a name")
            name = self._take()
            if self.token.text != "(":
                raise _no_field(node, name)
            node = self._called(name, node)
        return node

    def _primary(self) -> Node:
        token = self.token
        if token.kind in ("int", "double", "string"):
            self._take()
            if token.kind == "int" and int(token.text, 0 if "x" in token.text else 10) > _INT_MAX:
                raise BadExpression(f"{token.text} is above {_INT_MAX}", token.start)
            return self._literal(token.kind, token)
        if token.text == "(":
            self._take()
            inner = self.expression()
            self._expect(")")
            return msgspec.structs.replace(inner, start=token.start, end=self._end)
        if token.text == "[":
            self._take()
            elements = self._list_until("]")
            return self._node(NodeKind.LIST, "list", token.start, elements, start=token.start)
        if token.kind != "name":
            raise self.unexpected("a value")
        return self._named(self._take())

    def _literal(self, kind: str, token: Token) -> Node:
        return Node(NodeKind.LITERAL, kind, token.start, token.end, token.start, text=token.text)

    def _named(self, name: Token) -> Node:
        if name.text in ("true", "false"):
            return self._literal("bool", name)
        if name.text in _RESERVED:
            raise BadExpression(f"{name.text!r} cannot be used here", name.start)
        if self.token.text == "(":
            return self._called(name, None)
        if name.text not in ROOTS:
            return self._node(NodeKind.NAME, name.text, name.start, start=name.start)
        if self.token.text != ".":
            message = f"{name.text!r} alone is no value: name a fact of it, {name.text}.…"
            raise BadExpression(message, name.start)
        self._take()
        if self.token.kind != "name":
            raise self.unexpected("the name of a fact")
        field = self._take()
        fact = f"{name.text}.{field.text}"
        return self._node(NodeKind.FACT, fact, field.start, start=name.start)

    def _called(self, name: Token, owner: Node | None) -> Node:
        self._take()
        arguments = self._list_until(")")
        if owner is None:
            start, children = name.start, arguments
        else:
            start, children = owner.start, (owner, *arguments)
        kind = NodeKind.CALL
        if owner is not None and name.text in MACROS:
            kind = NodeKind.MACRO
            if len(arguments) != 2 or arguments[0].kind is not NodeKind.NAME:  # noqa: PLR2004
                message = f"{name.text} takes a name and a condition: {name.text}(x, x == 'a')"
                raise BadExpression(message, name.start)
        return self._node(kind, name.text, name.start, children, start=start)

    def _list_until(self, bracket: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while self.token.text != bracket:
            found.append(self.expression())
            if self.token.text != bracket:
                self._expect(",")
        self._take()
        return tuple(found)

    def _expect(self, sign: str) -> None:
        if self.token.text != sign or self.token.kind != "sign":
            raise self.unexpected(repr(sign))
        self._take()

    def _take(self) -> Token:
        token = self.token
        self._end = token.end
        self.token = next(self._rest, token)
        return token

    def _node(
        self,
        kind: NodeKind,
        name: str,
        at: int,
        children: tuple[Node, ...] = (),
        *,
        start: int | None = None,
    ) -> Node:
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > DEPTH_MAX:
            raise _too_deep(at)
        first = children[0].start if start is None else start
        return Node(kind, name, first, self._end, at, children, depth)


def _no_field(node: Node, name: Token) -> BadExpression:
    # Mostly a variable that is misspelt: values have no fields.
    close = get_close_matches(node.name, ROOTS, n=1) if node.kind is NodeKind.NAME else []
    if close:
        return BadExpression(f"there is no {node.name!r}, did you mean {close[0]!r}?", node.at)
    return BadExpression(f"this has no field {name.text!r}", name.start)


def _too_deep(at: int) -> BadExpression:
    return BadExpression(f"this is nested more than {DEPTH_MAX} deep: write two rules", at)
