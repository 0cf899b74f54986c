"""What a user can call, set or be told must stand in the docs."""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.tidy.findings import Finding, Source

RPC = re.compile(r"^\s*rpc\s+(?P<name>\w+)", re.MULTILINE)


def rpc_names(path: str, proto: str) -> Iterator[tuple[str, int, str]]:
    """Path, line and name of each method that a proto defines."""
    for match in RPC.finditer(proto):
        yield path, proto.count("\n", 0, match.start("name")) + 1, match["name"]


def setting_names(config: Source) -> Iterator[tuple[str, int, str]]:
    """Path, line and name of each field of the class Settings."""
    for member in _members(config.tree, "Settings"):
        match member:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield config.path, member.lineno, name


def reason_names(source: Source) -> Iterator[tuple[str, int, str]]:
    """Path, line and value of each member of an enumeration called Reason or ...Reason."""
    for member in _members(source.tree, "Reason"):
        match member:
            case ast.Assign(value=ast.Constant(value=str(reason))):
                yield source.path, member.lineno, reason


def check_documented(
    names: Iterable[tuple[str, int, str]], page_path: str, page: str
) -> list[Finding]:
    """Each name stands in the page as a whole word; a setting may stand there as its flag."""
    words = frozenset(re.findall(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*", page))
    return [
        Finding("undocumented", path, line, f"{page_path} does not mention {name}")
        for path, line, name in names
        if name not in words and name.replace("_", "-") not in words
    ]


def _members(tree: ast.Module, ending: str) -> Iterator[ast.stmt]:
    """What stands in the classes whose names end so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(ending):
            yield from node.body
