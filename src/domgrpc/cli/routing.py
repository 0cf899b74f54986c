"""`domgrpc simulate`, `domgrpc order explain` and `domgrpc backlog`: plans and their reasons."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from domgrpc.cli.choices import Strategy, number_of
from domgrpc.cli.options import ChannelOption
from domgrpc.cli.order_options import (
    ITEM_HELP,
    ITEM_METAVAR,
    BusinessOption,
    CompleteOption,
    CustomerOption,
    HardOption,
    OrderIdArgument,
    OrderMethodOption,
    PackagesOption,
    PromiseOption,
    ToOption,
    ZipToOption,
    item_of,
    terms_from,
)
from domgrpc.cli.parsing import line_of
from domgrpc.cli.session import ask, session_of

if TYPE_CHECKING:
    from domgrpc.v1.plan_pb2 import Plan
    from domgrpc.v1.routing_pb2 import ExplainDecisionResponse, ReoptimizeBacklogResponse


def simulate(
    context: typer.Context,
    items: Annotated[
        list[str] | None, typer.Argument(metavar=f"[{ITEM_METAVAR}]", help=ITEM_HELP)
    ] = None,
    *,
    order_id: Annotated[
        str, typer.Option("--order", help="Plan what is open of this order again.")
    ] = "",
    to: ToOption = "",
    zip_code: ZipToOption = "",
    business: BusinessOption = False,
    method: OrderMethodOption = None,
    channel: ChannelOption = "",
    customer: CustomerOption = "",
    promise: PromiseOption = "",
    hard: HardOption = False,
    packages_max: PackagesOption = 0,
    complete: CompleteOption = False,
    rules: Annotated[
        int | None, typer.Option("--rules", help="By this version of the rule set.", min=0)
    ] = None,
    strategy: Annotated[
        Strategy | None, typer.Option("--strategy", help="By this strategy.")
    ] = None,
    stock: Annotated[
        list[str] | None,
        typer.Option(
            "--stock",
            metavar="SKU=UNITS@LOCATION",
            help="As if there were just this stock; may be repeated.",
        ),
    ] = None,
) -> None:
    """Plan an order as it would be planned now, and say why so; nothing is changed."""
    from domgrpc.client import Terms

    wanted = [item_of(item) for item in items or ()]
    if bool(wanted) == bool(order_id):
        raise typer.BadParameter("name items, or an order with --order: one of the two")
    if order_id and method:
        raise typer.BadParameter("--method is not for --order: its lines have their methods")
    terms = terms_from(
        to=to,
        zip_code=zip_code,
        business=business,
        channel=channel,
        customer=customer,
        promise=promise,
        hard=hard,
        packages_max=packages_max,
        complete=complete,
    )
    if order_id and terms != Terms():
        raise typer.BadParameter("an order has its own address and terms: give --order alone")
    figures = [line_of(text, least=0) for text in stock or ()]
    mocked = {(line.sku, line.location_id): line.quantity for line in figures}
    answer = ask(
        context,
        lambda client: client.simulate_routing(
            wanted,
            terms,
            order_id=order_id,
            delivery_method=number_of(method),
            rule_set_version=rules,
            strategy=number_of(strategy),
            stock=mocked,
            include_candidates=True,
        ),
    )
    _show_plan(context, answer.plan)


def explain_order(
    context: typer.Context,
    order_id: OrderIdArgument,
    *,
    locations: Annotated[
        list[str] | None,
        typer.Option("--location", help="Why this location is in it or not; may be repeated."),
    ] = None,
    decision: Annotated[
        int | None, typer.Option("--decision", help="Which one, from 0; default: the newest.")
    ] = None,
) -> None:
    """Say why an order was planned as it was."""
    answer = ask(
        context,
        lambda client: client.explain_decision(
            order_id,
            decision_number=decision,
            location_ids=locations or (),
            include_candidates=True,
        ),
    )
    _show_explanation(context, answer)


def backlog(
    context: typer.Context,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Book it; else only show it.")] = False,
    allow_late: Annotated[
        bool, typer.Option("--allow-late", help="Also where something arrives later.")
    ] = False,
    search_seconds: Annotated[
        float, typer.Option("--seconds", help="How long to search.", min=1, max=600)
    ] = 60.0,
) -> None:
    """Search for a better plan of all unreleased work together."""
    answer = ask(
        context,
        lambda client: client.reoptimize_backlog(
            dry_run=not apply, allow_late=allow_late, search_seconds=search_seconds
        ),
    )
    _show_backlog(context, answer, applied=apply)


def _show_plan(context: typer.Context, plan: "Plan") -> None:
    from domgrpc.cli.output import plain, print_json
    from domgrpc.cli.plan_tables import (
        SHORTAGES,
        cost_text,
        counted,
        package_columns,
        print_leg,
        print_section,
        weighed_in_plan,
    )

    if session_of(context).as_json:
        print_json(plain(plan))
        return
    sys.stdout.write(
        f"{counted(len(plan.packages), 'package')} for "
        f"{cost_text(plan.cost_micros, weighed_in_plan(plan))}, by rule set "
        f"{plan.rule_set_version}\n"
    )
    print_section("packages", package_columns(plan.packages), plan.packages)
    print_section("nobody can fill", SHORTAGES, plan.shortages)
    for leg in plan.legs:
        print_leg(leg)


def _show_explanation(context: typer.Context, answer: "ExplainDecisionResponse") -> None:
    from domgrpc.cli.output import plain, print_json, time_text, word
    from domgrpc.cli.plan_tables import (
        cost_text,
        counted,
        location_sentence,
        print_leg,
        weighed_in_plan,
    )

    if session_of(context).as_json:
        print_json(plain(answer))
        return
    decision = answer.decision
    sys.stdout.write(
        f"{word(decision, 'step')} at {time_text(decision.decision_time)}, revision "
        f"{decision.revision}, by rule set {decision.rule_set_version}: "
        f"{cost_text(decision.cost_micros, weighed_in_plan(decision))}; "
        f"{counted(answer.decision_count, 'decision')} remembered\n"
    )
    for leg in decision.legs:
        print_leg(leg)
    if answer.locations:
        sys.stdout.write("\n")
    for found in answer.locations:
        sys.stdout.write(location_sentence(found, names_leg=len(decision.legs) > 1) + "\n")


def _show_backlog(
    context: typer.Context, answer: "ReoptimizeBacklogResponse", *, applied: bool
) -> None:
    from domgrpc.cli.output import plain, print_json
    from domgrpc.cli.plan_tables import MOVES, counted, money
    from domgrpc.cli.tables import print_table

    if session_of(context).as_json:
        print_json(plain(answer))
        return
    saved = answer.cost_before_micros - answer.cost_after_micros
    sys.stdout.write(
        f"{counted(answer.order_count, 'order')}, {money(answer.cost_before_micros)} as planned; "
        f"{counted(len(answer.moves), 'move')} to save {money(saved)}; at most "
        f"{answer.gap_ppm / 10_000:.2f} % above the best there can be\n"
    )
    if answer.left_out:
        left = (f"{each.fulfillment_order_count} {each.reason}" for each in answer.left_out)
        sys.stdout.write(f"fulfillment orders that stay where they are: {', '.join(left)}\n")
    if answer.moves:
        print_table(MOVES, answer.moves)
    if applied:
        sys.stdout.write(f"new plans: {counted(len(answer.applied_order_ids), 'order')}\n")
        for each in answer.skipped:
            sys.stdout.write(f"{each.order_id} stays as it is: {each.reason}\n")
