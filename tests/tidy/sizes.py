"""How long, how deep and how wide code may be."""

import ast
import tokenize
from collections.abc import Iterator

from tests.tidy.findings import Finding, Source

BODY_CODE_LINES_MAX = 40
MODULE_LINES_MAX = 400
LINE_CHARACTERS_MAX = 100
NESTING_MAX = 3
POSITIONAL_PARAMETERS_MAX = 4

NOT_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)
BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
# pytest and hypothesis call these by the names of their parameters.
CALLED_BY_NAME = frozenset({"fixture", "given", "rule", "initialize", "parametrize"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def check_body_length(source: Source) -> list[Finding]:
    """A body has at most 40 lines of code: docstring, comments and blank lines are free."""
    code = _code_lines(source)
    found = []
    for function in _functions(source.tree):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if not body:
            continue
        count = sum(body[0].lineno <= line <= (body[-1].end_lineno or 0) for line in code)
        if count > BODY_CODE_LINES_MAX:
            message = f"{function.name} has {count} lines of code, {BODY_CODE_LINES_MAX} may be"
            found.append(source.finding("long-body", function.lineno, message))
    return found


def check_module_length(source: Source) -> list[Finding]:
    """A module has at most 400 lines, all counted: beyond that it is two concepts."""
    count = len(source.text.splitlines())
    if count <= MODULE_LINES_MAX:
        return []
    message = f"{count} lines, {MODULE_LINES_MAX} may be: split it by concept"
    return [source.finding("long-module", 1, message)]


def check_line_length(path: str, text: str) -> list[Finding]:
    """A line has at most 100 characters."""
    return [
        Finding("long-line", path, number, f"{len(line)} characters, {LINE_CHARACTERS_MAX} may be")
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > LINE_CHARACTERS_MAX
    ]


def check_nesting(source: Source) -> list[Finding]:
    """Blocks stand at most three deep in a function; an elif is as deep as its if."""
    found = []
    for function in _functions(source.tree):
        for block, depth in _blocks(function.body, 1):
            if depth == NESTING_MAX + 1:
                message = f"{function.name} nests {depth} deep, {NESTING_MAX} may be"
                found.append(source.finding("nesting", block.lineno, message))
    return found


def check_parameters(source: Source) -> list[Finding]:
    """A function takes at most four positional parameters, self and cls not counted."""
    found = []
    for function in _functions(source.tree):
        positional = function.args.posonlyargs + function.args.args
        count = len(positional)
        if positional and positional[0].arg in {"self", "cls"}:
            count -= 1
        if count > POSITIONAL_PARAMETERS_MAX and not _is_called_by_name(function):
            message = (
                f"{function.name} takes {count} positional parameters, "
                f"{POSITIONAL_PARAMETERS_MAX} may be: make them keyword-only or a frozen struct"
            )
            found.append(source.finding("parameters", function.lineno, message))
    return found


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def _code_lines(source: Source) -> frozenset[int]:
    return frozenset(
        line
        for token in source.tokens
        if token.type not in NOT_CODE
        for line in range(token.start[0], token.end[0] + 1)
    )


def _blocks(statements: list[ast.stmt], depth: int) -> Iterator[tuple[ast.stmt, int]]:
    """Each block below the statements with its depth; functions inside start anew."""
    for statement in statements:
        if not isinstance(statement, BLOCKS):
            continue
        yield statement, depth
        for inner in _bodies(statement):
            # The parser makes an elif an if inside else; only its column tells.
            is_elif = (
                isinstance(statement, ast.If)
                and inner is statement.orelse
                and [kept.col_offset for kept in inner] == [statement.col_offset]
            )
            yield from _blocks(inner, depth if is_elif else depth + 1)


def _bodies(block: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(block, name, [])
    for handler in getattr(block, "handlers", []):
        yield handler.body
    for case in getattr(block, "cases", []):
        yield case.body


def _is_called_by_name(function: Function) -> bool:
    if function.name.startswith("test_"):
        return True
    named = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
        if isinstance(node, (ast.Attribute, ast.Name))
    }
    return bool(named & CALLED_BY_NAME)
