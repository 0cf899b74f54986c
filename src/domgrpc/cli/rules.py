"""`domgrpc rules`: rule sets, by which orders are routed.

The name was once that of safety stock rules. Their lines still work where they cannot be meant
for rule sets.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from domgrpc.cli import safety_stock
from domgrpc.cli.choices import RuleSetLife, Strategy, number_of
from domgrpc.cli.options import LIMIT_DEFAULT, LimitOption, RequestIdOption
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.v1.rule_set_pb2 import DryRunRuleSetResponse, RuleSet

_SAFETY_STOCK_OPTIONS = ("--quantity", "--percent")


class RulesGroup(TyperGroup):
    """Finds the command of a line, also of one about safety stock rules as it once was."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer's own
        """Return the name, the command and the rest of the line."""
        if is_about_safety_stock(args):
            from typer.main import get_group

            return get_group(safety_stock.app).resolve_command(ctx, args)
        return super().resolve_command(ctx, args)


def is_about_safety_stock(args: Sequence[str]) -> bool:
    """Whether a line behind `rules` can only be about a safety stock rule."""
    name, *rest = args
    words = [word for word in rest if not word.startswith("-")]
    match name:
        case "delete" | "explain":
            return True
        case "create":
            return any(word.partition("=")[0] in _SAFETY_STOCK_OPTIONS for word in rest)
        case _:
            return name == "show" and bool(words) and not words[0].isdecimal()


app = typer.Typer(
    cls=RulesGroup, no_args_is_help=True, help="Rule sets: by which rules orders are routed."
)

VersionArgument = Annotated[int, typer.Argument(metavar="VERSION", help="Which rule set.", min=0)]


@app.command("list")
def list_rule_sets(
    context: typer.Context,
    *,
    state: Annotated[
        RuleSetLife | None, typer.Option("--state", help="Only those in this state.")
    ] = None,
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """List rule sets, the newest first."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import RULE_SETS

    show_list(
        context,
        "rule_sets",
        RULE_SETS,
        lambda client, token, size: client.list_rule_sets(
            state=number_of(state), page_token=token, page_size=size
        ),
        limit=limit,
    )


@app.command("show")
def show_rule_set(
    context: typer.Context,
    version: Annotated[
        int | None,
        typer.Argument(metavar="[VERSION]", help="Which one; the active one if not said.", min=0),
    ] = None,
) -> None:
    """Show a rule set with its rules."""
    _show(context, ask(context, lambda client: client.get_rule_set(version)))


@app.command("create")
def create_rule_set(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="What it says, as .toml or .json.")
    ] = None,
    *,
    preset: Annotated[
        Strategy | None, typer.Option("--preset", help="The rule set of a strategy, instead.")
    ] = None,
    request_id: RequestIdOption = "",
) -> None:
    """Add a rule set as a draft."""
    if (file is None) == (preset is None):
        raise typer.BadParameter("give a FILE or --preset, one of them")
    from domgrpc.cli.rule_set_files import read_rule_set
    from domgrpc.v1.rule_set_pb2 import RuleSet

    rule_set = RuleSet(strategy=number_of(preset)) if file is None else read_rule_set(file)
    made = ask(context, lambda client: client.create_rule_set(rule_set, request_id=request_id))
    _show(context, made)


@app.command("validate")
def validate_rule_set(
    context: typer.Context, version: VersionArgument, *, request_id: RequestIdOption = ""
) -> None:
    """Check the rules of a draft."""
    _show(
        context,
        ask(context, lambda client: client.validate_rule_set(version, request_id=request_id)),
    )


@app.command("activate")
def activate_rule_set(
    context: typer.Context, version: VersionArgument, *, request_id: RequestIdOption = ""
) -> None:
    """Route by a validated rule set from now on, or by an older one again."""
    _show(
        context,
        ask(context, lambda client: client.activate_rule_set(version, request_id=request_id)),
    )


@app.command("dry-run")
def dry_run_rule_set(
    context: typer.Context,
    version: VersionArgument,
    *,
    orders: Annotated[
        int, typer.Option("--orders", help="How many, those placed last.", min=1, max=1_000)
    ] = 100,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show also orders that would be planned the same.")
    ] = False,
    request_id: RequestIdOption = "",
) -> None:
    """Say what a validated rule set would make of the newest orders; none of them changes."""
    answer = ask(
        context,
        lambda client: client.dry_run_rule_set(version, order_count=orders, request_id=request_id),
    )
    _show_dry_run(context, answer, show_all=show_all)


def _show_dry_run(
    context: typer.Context, answer: "DryRunRuleSetResponse", *, show_all: bool
) -> None:
    from domgrpc.cli.output import plain, print_json
    from domgrpc.cli.plan_tables import TRIED_ORDERS, counted, money
    from domgrpc.cli.tables import print_table

    if session_of(context).as_json:
        print_json(plain(answer))
        return
    sys.stdout.write(
        f"{counted(len(answer.orders), 'order')}: {answer.differing_count} would be planned "
        "otherwise\n"
    )
    sides = (
        (answer.active_version, answer.active_total, answer.active_unfilled_count),
        (answer.rule_set.version, answer.tried_total, answer.tried_unfilled_count),
    )
    for version, total, unfilled_count in sides:
        sys.stdout.write(
            f"rule set {version}: {counted(total.package_count, 'package')}, paid "
            f"{money(total.paid_micros)}, cost {money(total.cost_micros)}; nobody can fill "
            f"{counted(total.unfilled_quantity, 'unit')} of {counted(unfilled_count, 'order')}\n"
        )
    rows = [order for order in answer.orders if order.differs or show_all]
    if rows:
        print_table(TRIED_ORDERS, rows)
    for each in answer.untried:
        sys.stdout.write(f"{each.order_id} was not tried: {each.reason}\n")


def _show(context: typer.Context, rule_set: "RuleSet") -> None:
    from domgrpc.cli.columns import ROUTING_RULES
    from domgrpc.cli.output import flat, plain, print_facts, print_json
    from domgrpc.cli.tables import print_table

    if session_of(context).as_json:
        print_json(plain(rule_set))
        return
    facts = dict(flat(rule_set))
    del facts["rules"]
    # 0 is a version too, and would be left out as nothing.
    print_facts({**facts, "version": str(rule_set.version)})
    if rule_set.rules:
        print_table(ROUTING_RULES, rule_set.rules)
