"""What a module may be called, derive from, and do while it is imported."""

import ast
import tokenize
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.tidy.findings import Finding, Source

# A module is named after a business word or its job, so that one can guess it from its name.
BANNED_WORDS = frozenset(
    {
        "base",
        "common",
        "helper",
        "helpers",
        "manager",
        "managers",
        "misc",
        "shared",
        "stuff",
        "util",
        "utils",
        "utilities",
    }
)
OPEN_MARKS = ("TODO", "FIXME", "XXX", "HACK")

# What a class may derive from: data, exceptions, protocols, and what a library asks for.
DATA = frozenset(
    {"Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "StrEnum", "Struct", "TypedDict"}
)
TYPING = frozenset({"Generic", "Protocol"})
ASKED_BY_LIBRARIES = frozenset(
    {
        "BuildHookInterface",
        "CredentialsProvider",
        "RuleBasedStateMachine",
        "ServerInterceptor",
        "TyperCommand",
        "TyperGroup",
    }
)
ALLOWED_BASES = DATA | TYPING | ASKED_BY_LIBRARIES
ALLOWED_ENDINGS = ("ClientInterceptor", "Error", "Exception", "Exit", "Servicer")


def check_name(path: str) -> list[Finding]:
    """A file or folder is not named after nothing in particular."""
    found = []
    for part in PurePosixPath(path).parts:
        words = frozenset(PurePosixPath(part).stem.lower().split("_"))
        banned = " ".join(sorted(words & BANNED_WORDS))
        if banned:
            message = f"{part}: {banned!r} says nothing; name the business word or the job"
            found.append(Finding("banned-name", path, 1, message))
    return found


def check_open_marks(source: Source) -> list[Finding]:
    """A TODO names the issue in which it will be done, as #17."""
    return [
        source.finding("todo", token.start[0], f"{mark} without an issue number (#17)")
        for token in source.tokens
        if token.type == tokenize.COMMENT
        for mark in OPEN_MARKS
        if mark in token.string and not _names_an_issue(token.string)
    ]


def check_inheritance(sources: Iterable[Source]) -> list[Finding]:
    """Only data, exceptions, protocols and generated servicers are derived from.

    A class of ours may derive from one that itself may: the chain has to end well.
    """
    classes = [
        (source, node)
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    ]
    bases_of = {node.name: [_last_name(base) for base in node.bases] for _, node in classes}
    return [
        source.finding("inheritance", node.lineno, f"{node.name} derives from {base}: hold one")
        for source, node in classes
        for base in bases_of[node.name]
        if not _ends_well(base, bases_of, depth=0)
    ]


def check_import_place(source: Source) -> list[Finding]:
    """Imports stand at the top of the module, before any other code."""
    top = set()
    for statement in source.tree.body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_docstring and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        top.add(statement)
    return [
        source.finding("import-place", node.lineno, "move the import to the top of the module")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in top
    ]


def check_import_work(source: Source) -> list[Finding]:
    """Importing a module defines names and does nothing else."""
    working = ast.For | ast.While | ast.With | ast.Try | ast.Match | ast.Delete
    return [
        source.finding("import-work", statement.lineno, "this runs at import: put it in a function")
        for statement in source.tree.body
        if isinstance(statement, working)
        or (isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant))
    ]


def _names_an_issue(comment: str) -> bool:
    return any(word[1:2].isdigit() for word in comment[1:].split() if "#" in word[:2])


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Subscript(value=value):
            return _last_name(value)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ast.unparse(node)


def _ends_well(base: str, bases_of: dict[str, list[str]], *, depth: int) -> bool:
    if base in ALLOWED_BASES or base.endswith(ALLOWED_ENDINGS):
        return True
    # The depth guards against two classes of one name that derive from each other.
    bases = bases_of.get(base, []) if depth < len(bases_of) else []
    return bool(bases) and all(_ends_well(one, bases_of, depth=depth + 1) for one in bases)
