"""The rules about the purity of the core see what is planted and nothing else."""

import pytest

from tests.tidy.planted import lines, plant
from tests.tidy.purity import check_floats, check_impurity, check_set_order


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "import os.path",
        "from random import random",
        "from pathlib import Path",
        "import socket",
        "import asyncio",
        "from threading import Lock",
        "from uuid import uuid4",
        "import secrets",
        "async def f(): ...",
        "x = open('file')",
        "x = hash('sku')",
        "x = datetime.now()",
        "x = datetime.datetime.utcnow()",
        "x = date.today()",
    ],
)
def test_clock_chance_file_socket_and_task_are_found(text: str) -> None:
    assert lines(check_impurity(plant(text))) == [1]


@pytest.mark.parametrize(
    "text", ["import zlib", "def f(now): return now", "x = stamp.now", "x = opened()"]
)
def test_a_time_that_is_handed_in_is_left_alone(text: str) -> None:
    assert check_impurity(plant(text)) == []


def test_a_float_in_a_field_is_found() -> None:
    source = plant(
        """
        class StockCounted(Struct):
            quantity: int
            weight: float
            parts: "tuple[float, ...] | None"

            def share(self) -> float: ...
        """
    )
    assert lines(check_floats(source)) == [3, 4]


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: ...",
        "for x in set(y): ...",
        "x = [a for a in frozenset(y)]",
        "x = {a: 1 for a in {b for b in y}}",
        "x = tuple({1, 2})",
        "x = ','.join(set(y))",
        "x = sorted({1, 2}, key=first)",
        "x = [*{1, 2}]",
        "x = dict.fromkeys(set(y))",
        "for x in a.keys() - b: ...",
        "for x in set(a).union(b): ...",
        "def f(skus: set[str]):\n    return list(skus)",
        "def f(skus: 'frozenset[str]'):\n    return [x for x in skus]",
        "def f():\n    skus = set(y)\n    return skus.pop()",
        "SKUS = {1, 2}\ndef f():\n    return list(SKUS)",
        "class A:\n    skus: set[str]\n    def f(self):\n        return list(self.skus)",
        "class A:\n    def f(self):\n        self.a = set()\n        yield from self.a",
    ],
)
def test_the_order_of_a_set_that_can_be_seen_is_found(text: str) -> None:
    assert len(check_set_order(plant(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "for x in sorted({1, 2}): ...",
        "x = sum(a for a in {1, 2})",
        "x = len({1, 2})",
        "x = {a for a in {1, 2}}",
        "x = 1 in {1, 2}",
        "for x in [1, 2]: ...",
        "for x in a.keys(): ...",
        "def f():\n    skus = set(y)\n    return sorted(skus)",
        "def f():\n    skus = set(y)\ndef g(skus: list[str]):\n    return list(skus)",
        "x = SortedList({1, 2})",
        "def f(stock: dict[str, int]):\n    return stock.pop()",
    ],
)
def test_a_set_whose_order_nobody_sees_is_left_alone(text: str) -> None:
    assert check_set_order(plant(text)) == []
