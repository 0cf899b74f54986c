"""The rules about imports see what is planted and nothing else."""

import pytest

from tests.tidy.arrows import (
    CORE_ORDER,
    check_arrows,
    check_core_order,
    check_cycles,
    check_libraries,
    check_package_root,
)
from tests.tidy.planted import lines, plant

KNOWN = frozenset({"domgrpc.core.values", "domgrpc.core.machine", "domgrpc.storage.log"})


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        ("core/machine.py", "import domgrpc.storage.log"),
        ("core/machine.py", "from domgrpc.engine.engine import Engine"),
        ("storage/log.py", "from domgrpc.core import values"),
        ("engine/engine.py", "from domgrpc.rpc.server import serve"),
        ("engine/engine.py", "from domgrpc.v1 import inventory_pb2"),
        ("rpc/server.py", "from domgrpc.storage.log import Log"),
        ("client/client.py", "from domgrpc.core.values import Sku"),
        ("cli/stock.py", "from domgrpc.rpc.server import serve"),
        ("cli/serve.py", "from domgrpc.engine.engine import Engine"),
        ("config.py", "from domgrpc.core.state import State"),
    ],
)
def test_an_import_against_the_arrows_is_found(path: str, statement: str) -> None:
    source = plant(statement, f"src/domgrpc/{path}")
    assert lines(check_arrows(source, KNOWN)) == [1]


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        ("core/machine.py", "from domgrpc.core.values import Sku"),
        ("engine/engine.py", "from domgrpc.core import machine"),
        ("engine/engine.py", "from domgrpc.storage.log import Log"),
        ("rpc/stock.py", "from domgrpc.v1 import inventory_pb2"),
        ("cli/stock.py", "from domgrpc.client.client import Client"),
        ("cli/serve.py", "from domgrpc.rpc.server import serve"),
    ],
)
def test_an_import_along_the_arrows_is_left_alone(path: str, statement: str) -> None:
    source = plant(statement, f"src/domgrpc/{path}")
    assert check_arrows(source, KNOWN) == []


def test_an_import_inside_a_function_counts_too() -> None:
    source = plant(
        """
        def load():
            from domgrpc.storage.log import Log
        """
    )
    assert lines(check_arrows(source, KNOWN)) == [2]


def test_a_relative_import_is_found() -> None:
    assert lines(check_arrows(plant("from .values import Sku"), KNOWN)) == [1]


def test_a_core_module_that_imports_a_later_one_is_found() -> None:
    source = plant("from domgrpc.core.machine import State", "src/domgrpc/core/values.py")
    assert lines(check_core_order(source, KNOWN)) == [1]


def test_a_core_module_may_import_every_earlier_one() -> None:
    text = "\n".join(f"import domgrpc.core.{name}" for name in CORE_ORDER[:-1])
    assert check_core_order(plant(text, "src/domgrpc/core/machine.py"), KNOWN) == []


def test_a_core_module_without_a_place_in_the_order_is_found() -> None:
    source = plant("", "src/domgrpc/core/surprise.py")
    assert "CORE_ORDER" in check_core_order(source, KNOWN)[0].message


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        ("core/machine.py", "import numpy"),
        ("core/machine.py", "import google.protobuf"),
        ("storage/log.py", "import msgspec"),
        ("engine/engine.py", "from grpc import aio"),
    ],
)
def test_a_library_in_the_wrong_part_is_found(path: str, statement: str) -> None:
    assert lines(check_libraries(plant(statement, f"src/domgrpc/{path}"))) == [1]


@pytest.mark.parametrize("statement", ["import msgspec", "import zlib", "import domgrpc.core.x"])
def test_the_libraries_of_a_part_are_left_alone(statement: str) -> None:
    assert check_libraries(plant(statement)) == []


@pytest.mark.parametrize("statement", ["import domgrpc", "from domgrpc import __doc__"])
def test_an_import_of_the_package_root_is_found(statement: str) -> None:
    assert lines(check_package_root(plant(statement), KNOWN)) == [1]


def test_a_circle_of_imports_is_found_and_spelled_out() -> None:
    first = plant("import domgrpc.storage.second", "src/domgrpc/storage/first.py")
    second = plant("import domgrpc.storage.third", "src/domgrpc/storage/second.py")
    third = plant("from domgrpc.storage import first", "src/domgrpc/storage/third.py")
    (finding,) = check_cycles([first, second, third])
    assert "domgrpc.storage.third imports domgrpc.storage.first" in finding.message
    assert check_cycles([first, second]) == []
