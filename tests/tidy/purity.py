"""What the core must not touch: clocks, chance, files, sockets, tasks, floats, the order of sets.

The core is a pure function of (state, command, now). All that can be seen of that without running
it is checked here; the rest is the work of the replay tests.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.tidy.findings import Finding, Source

IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "concurrent",
        "fcntl",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "uuid",
    }
)
CLOCK_CALLS = frozenset({"now", "today", "utcnow"})
CLOCK_OWNERS = frozenset({"date", "datetime"})
# hash() of a text differs from one process to the next.
IMPURE_CALLS = frozenset({"hash", "input", "open", "print"})

# These give the same answer in whatever order the elements come.
ORDER_FREE_CALLS = frozenset(
    {"all", "any", "bool", "frozenset", "len", "max", "min", "set", "sorted", "sum"}
)
ORDER_FREE_CLASSES = frozenset({"SortedDict", "SortedKeyList", "SortedList", "SortedSet"})
SET_TYPES = frozenset({"AbstractSet", "FrozenSet", "MutableSet", "Set", "frozenset", "set"})
SET_METHODS = frozenset({"difference", "intersection", "symmetric_difference", "union"})


def check_impurity(source: Source) -> list[Finding]:
    """The core reads no clock, rolls no dice, opens nothing and waits for nothing."""
    return [
        source.finding("impure-core", line, f"{what} has no place in the core")
        for node in ast.walk(source.tree)
        for line, what in _impurities(node)
    ]


def check_floats(source: Source) -> list[Finding]:
    """No field of a class in the core is a float: quantities, money and time are integers."""
    found = []
    for field in ast.walk(source.tree):
        if not isinstance(field, ast.ClassDef):
            continue
        for statement in field.body:
            if isinstance(statement, ast.AnnAssign) and "float" in _names(statement.annotation):
                message = f"a field of {field.name} is a float: use an integer with its unit named"
                found.append(source.finding("float-field", statement.lineno, message))
    return found


def check_set_order(source: Source) -> list[Finding]:
    """Nothing goes through a set where the order can be seen: it differs with the hash seed.

    Seen are set displays, calls of set() and frozenset(), operations on them, and the names,
    parameters and attributes that are annotated or assigned as one in the same file.
    """
    outer = _attribute_names(source.tree) | _set_names(source.tree.body)
    free = _order_free_nodes(source.tree)
    found = []
    for scope in _scopes(source.tree):
        names = outer | _set_names(ast.walk(scope), outer)
        found += [
            source.finding("set-order", walked.lineno, "this shows the order of a set: sort it")
            for node in ast.walk(scope)
            if node not in free
            for walked in _walked_in_order(node)
            if _is_set(walked, names)
        ]
    return found


def _impurities(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import():
            for alias in node.names:
                if alias.name.partition(".")[0] in IMPURE_MODULES:
                    yield node.lineno, alias.name
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in IMPURE_MODULES:
            yield node.lineno, module
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            yield node.lineno, "async code"
        case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
            yield node.lineno, f"{name}()"
        case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in CLOCK_CALLS:
            if _names(owner) & CLOCK_OWNERS:
                yield node.lineno, f"the clock ({name})"


def _names(node: ast.AST) -> frozenset[str]:
    """The names and attributes in an expression, and those in annotations written as text."""
    found = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Constant(value=str(text)):
                found.update(re.findall(r"\w+", text))
    return frozenset(found)


def _walked_in_order(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions whose elements the node takes one after the other."""
    match node:
        case ast.For(iter=walked) | ast.Starred(value=walked) | ast.YieldFrom(value=walked):
            yield walked
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in node.generators:
                yield generator.iter
        case ast.Call(func=ast.Name(id="list" | "tuple" | "enumerate" | "iter" | "zip" | "map")):
            yield from node.args
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), keywords=[_, *_]):
            # Equal keys come out in the order in which they went in.
            yield from node.args
        case ast.Call(func=ast.Attribute(attr="pop", value=owner), args=[]):
            yield owner
        case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=[walked]):
            yield walked


def _order_free_nodes(tree: ast.AST) -> frozenset[ast.AST]:
    """The arguments of calls to which no order matters."""
    order_free = ORDER_FREE_CALLS | ORDER_FREE_CLASSES
    return frozenset(
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords
        if node.func.id in order_free
        for argument in node.args
    )


def _scopes(tree: ast.Module) -> Iterator[ast.stmt]:
    """The functions and methods, with what is inside them, and the other statements."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            yield from statement.body
        else:
            yield statement


def _attribute_names(tree: ast.Module) -> frozenset[str]:
    """The attributes that stand for sets, written as methods write them: self.name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef():
                found.update(f"self.{name}" for name in _set_names(node.body))
            case ast.AnnAssign(target=ast.Attribute() as target, annotation=annotation):
                if _is_set_type(annotation):
                    found.add(ast.unparse(target))
            case ast.Assign(targets=[ast.Attribute() as target], value=value):
                if _is_set(value, frozenset()):
                    found.add(ast.unparse(target))
    return frozenset(found)


def _set_names(nodes: Iterable[ast.AST], outer: frozenset[str] = frozenset()) -> frozenset[str]:
    """The plain names that the statements bind to sets."""
    found = set(outer)
    for node in nodes:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if _is_set_type(annotation):
                    found.add(name)
            case ast.arg(arg=name, annotation=ast.expr() as annotation):
                if _is_set_type(annotation):
                    found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if _is_set(value, frozenset(found)):
                    found.add(name)
    return frozenset(found)


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    """Say whether the expression is visibly a set."""
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in SET_METHODS:
            return _is_set(owner, names)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor() | ast.Sub()):
            return _is_set(left, names) or _is_keys(left)
        case ast.Name() | ast.Attribute():
            return ast.unparse(node) in names
        case _:
            return False


def _is_keys(node: ast.expr) -> bool:
    """Say whether the expression is the keys of a dict; with an operator they make a set."""
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "keys"


def _is_set_type(annotation: ast.expr) -> bool:
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return bool(_names(outer) & SET_TYPES)
