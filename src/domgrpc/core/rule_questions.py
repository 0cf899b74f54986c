"""Questions: conditions put to the CEL library, which alone decides what an expression means.

Facts become plain variables (`order.channel` is `order__channel`): a value inside another costs
the library ten times as much to take in.
"""

import functools
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from domgrpc.core.rule_facts import Value

if TYPE_CHECKING:
    import cel  # tidy: allow import-place: only its types; library says why not the package

_FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What the library raises where a condition fails: a division by zero, an index too large."""


class Part(msgspec.Struct, frozen=True):
    """Terms that are asked together; an empty source always holds."""

    source: str = ""
    facts: tuple[str, ...] = ()


class Questions:
    """Conditions that are asked together, of the same facts. An ask costs about 0.5 µs each."""

    __slots__ = ("_context", "_count", "_last", "_programs", "_variables", "facts")

    def __init__(self, parts: Sequence[Part]) -> None:
        """Compile all; 0.3 ms each. One that cannot be compiled fails whenever it is asked."""
        self.facts = tuple(sorted({fact for part in parts for fact in part.facts}))
        self._count = len(parts)
        self._variables = tuple(variable_of(fact) for fact in self.facts)
        self._context: cel.Context = library().Context()
        self._programs = [
            (number, _compiled(part.source)) for number, part in enumerate(parts) if part.source
        ]
        self._last: tuple[Value, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether the library could not compile one of them."""
        return any(program is None for _, program in self._programs)

    def ask(self, values: tuple[Value, ...]) -> list[bool | None]:
        """Return for each condition whether it holds, None where it fails.

        `values` are those of `facts`, in their order.
        """
        last = self._last or (None,) * len(values)
        for variable, value, before in zip(self._variables, values, last, strict=True):
            # Taking in a text or a list costs the library ten times what a condition does.
            if value != before:
                self._context.add_variable(variable, value)
        self._last = values
        answers: list[bool | None] = [True] * self._count
        for number, program in self._programs:
            answers[number] = _answer(program, self._context)
        return answers


def _compiled(source: str) -> "cel.Program | None":
    program: cel.Program | None = None
    try:
        program = library().compile(source)
    except ValueError:
        return None
    return program


def _answer(program: "cel.Program | None", context: "cel.Context") -> bool | None:
    if program is None:
        return None
    try:
        return program.execute(context) is True
    except _FAILURES:
        return None


def variable_of(fact: str) -> str:
    """Return the name of a fact in what is given to the library."""
    return fact.replace(".", "__")


@functools.cache
def library() -> Any:  # noqa: ANN401 - the module, whose types are those of `cel`
    """Return the library: only its compiled part.

    Importing the package would load a toolkit for terminals too, which takes half a second.
    """
    name = "cel.cel"
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    package = importlib.util.find_spec("cel")
    assert package is not None, "common-expression-language is not installed"
    spec = importlib.machinery.PathFinder.find_spec(name, package.submodule_search_locations)
    assert spec is not None, name
    assert spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    # It may be loaded once in a process: whoever imports the package later must find it.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
