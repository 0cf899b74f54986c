"""What the program is made of: its options, its words, and what it imports when it starts."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
from typer.main import get_command

from domgrpc.cli import choices
from domgrpc.cli.commands import app, global_first
from domgrpc.cli.loading.cells import NAME_BYTES_MAX, QUANTITY_MAX
from domgrpc.config import Settings
from domgrpc.v1 import (
    inventory_pb2,
    location_pb2,
    logistics_pb2,
    order_pb2,
    product_pb2,
    reservation_pb2,
    rule_set_pb2,
    types_pb2,
)
from tests.cli.running import run_process
from tests.tidy.project_files import ROOT, read_text

HEAVY = ("asyncio", "google.protobuf", "grpc", "rich", "structlog", "zipcodes")
ENUMS = (
    (choices.Method, types_pb2.DeliveryMethod),
    (choices.LocationKind, location_pb2.LocationType),
    (choices.Condition, types_pb2.StockCondition),
    (choices.Level, types_pb2.StockLevel),
    (choices.Inbound, inventory_pb2.InboundKind),
    (choices.RuleKind, inventory_pb2.SafetyStockRuleKind),
    (choices.HoldState, reservation_pb2.ReservationState),
    (choices.Outcome, reservation_pb2.SettlementOutcome),
    (choices.Backorder, product_pb2.BackorderMode),
    (choices.Strategy, rule_set_pb2.RoutingStrategy),
    (choices.RuleSetLife, rule_set_pb2.RuleSetState),
    (choices.Capacity, logistics_pb2.CapacityUnit),
    (choices.OrderState, order_pb2.OrderStatus),
    (choices.WorkState, order_pb2.FulfillmentState),
    (choices.WhyHeld, order_pb2.HoldKind),
    (choices.Shortage, order_pb2.ShortagePolicy),
)
# The command tree of typer and the enums of protobuf have no public types.
Command: TypeAlias = Any
Enumeration: TypeAlias = Any


def commands() -> Iterator[tuple[str, Command]]:
    """Iterate all commands with their full names."""
    waiting: list[tuple[str, Command]] = [("domgrpc", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        inner = getattr(command, "commands", {})
        waiting.extend((f"{name} {word}", part) for word, part in inner.items())


COMMANDS = dict(commands())
GLOBAL_OPTIONS = {option for one in COMMANDS["domgrpc"].params for option in one.opts}


@pytest.mark.slow
def test_the_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from domgrpc.cli.commands import app
from typer.main import get_command
get_command(app)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_help_names_every_command() -> None:
    ended = run_process("--help")
    assert ended.exit_code == 0
    for word in COMMANDS["domgrpc"].commands:
        assert f"\n  {word} " in ended.output


@pytest.mark.parametrize(("kind", "enum"), ENUMS, ids=lambda each: getattr(each, "__name__", ""))
def test_the_words_of_a_choice_are_those_of_the_api(kind: Enumeration, enum: Enumeration) -> None:
    numbers = {choices.number_of(choice): choice.name for choice in kind}
    names = dict(zip(enum.values(), enum.keys(), strict=True))
    assert set(numbers) == set(names) - {0}
    for number, name in numbers.items():
        assert names[number].endswith(f"_{name}")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "domgrpc"])
def test_no_command_has_an_option_of_the_name_of_a_global_one(name: str) -> None:
    own = {option for one in COMMANDS[name].params for option in one.opts if option[:1] == "-"}
    assert not own & GLOBAL_OPTIONS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        is_argument = not parameter.opts[0].startswith("-")
        assert is_argument or parameter.help, parameter.opts


def test_every_setting_of_the_server_is_a_flag() -> None:
    flags = {one.name for one in COMMANDS["domgrpc serve"].params}
    settings = {name for name in Settings.__struct_fields__ if name != "limits"}
    limits = set(type(Settings.__struct_defaults__[-1]).__struct_fields__)
    assert flags == settings | limits


@pytest.mark.parametrize("name", [name for name in COMMANDS if " " in name])
def test_every_command_is_in_the_docs(name: str) -> None:
    page = read_text(ROOT / "docs/cli.md")
    is_group = hasattr(COMMANDS[name], "commands")
    assert is_group or f"`{name.removeprefix('domgrpc ')}" in page or f"{name} " in page


def test_global_options_move_to_the_front_with_their_values() -> None:
    line = ["stock", "show", "-o", "json", "--tls", "--server=a:1", "kettle", "--limit", "5"]
    assert global_first(line, with_value={"-o", "--server"}, flags={"--tls"}) == [
        *("-o", "json", "--tls", "--server=a:1"),
        *("stock", "show", "kettle", "--limit", "5"),
    ]


def test_what_stands_behind_two_dashes_stays() -> None:
    line = ["stock", "show", "--", "-o", "json"]
    assert global_first(line, with_value={"-o"}, flags=set()) == line


def test_a_global_option_without_its_value_stays_an_error() -> None:
    assert global_first(["status", "-o"], with_value={"-o"}, flags=set()) == ["-o", "status"]


def test_the_bounds_of_cells_are_those_of_the_server() -> None:
    assert (NAME_BYTES_MAX, QUANTITY_MAX) == (128, 10**12)
