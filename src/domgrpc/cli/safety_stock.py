"""`domgrpc safety-stock`: safety stock rules, which withhold stock or set thresholds."""

from typing import Annotated

import typer

from domgrpc.cli.choices import LocationKind, RuleKind, number_of
from domgrpc.cli.options import (
    LIMIT_DEFAULT,
    ChannelOption,
    EtagOption,
    LimitOption,
    MethodOption,
    RequestIdOption,
)
from domgrpc.cli.parsing import moment
from domgrpc.cli.session import ask, session_of

app = typer.Typer(no_args_is_help=True, help="Safety stock rules: what is withheld, and why.")

RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")]


@app.command("list")
def list_rules(context: typer.Context, *, limit: LimitOption = LIMIT_DEFAULT) -> None:
    """List rules in order of their id."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import RULES

    show_list(
        context,
        "rules",
        RULES,
        lambda client, token, size: client.list_safety_stock_rules(
            page_token=token, page_size=size
        ),
        limit=limit,
    )


@app.command("show")
def show_rule(context: typer.Context, rule_id: RuleArgument) -> None:
    """Show one rule."""
    from domgrpc.cli.answers import show_message

    show_message(context, ask(context, lambda client: client.get_safety_stock_rule(rule_id)))


@app.command("create")
def create_rule(
    context: typer.Context,
    rule_id: RuleArgument,
    *,
    kind: Annotated[
        RuleKind, typer.Option("--kind", help="What the value means.")
    ] = RuleKind.SAFETY_STOCK,
    quantity: Annotated[int | None, typer.Option("--quantity", help="So many units.")] = None,
    percent: Annotated[
        int | None, typer.Option("--percent", help="So many per cent of what is on hand.")
    ] = None,
    sku: Annotated[str, typer.Option("--sku", help="Only for this SKU.")] = "",
    category: Annotated[str, typer.Option("--category", help="Only for this category.")] = "",
    location: Annotated[str, typer.Option("--location", help="Only at this location.")] = "",
    group: Annotated[str, typer.Option("--group", help="Only at members of this group.")] = "",
    location_type: Annotated[
        LocationKind | None, typer.Option("--location-type", help="Only at this type.")
    ] = None,
    method: MethodOption = None,
    channel: ChannelOption = "",
    start: Annotated[
        str, typer.Option("--from", help="In force from then on.", metavar="TIME")
    ] = "",
    end: Annotated[str, typer.Option("--until", help="In force until then.", metavar="TIME")] = "",
    request_id: RequestIdOption = "",
) -> None:
    """Add a rule: a value, and the conditions under which it holds."""
    from domgrpc.cli.answers import show_message
    from domgrpc.v1.inventory_pb2 import SafetyStockRule

    if (quantity is None) == (percent is None):
        raise typer.BadParameter("give the value as one of --quantity and --percent")
    rule = SafetyStockRule(
        rule_id=rule_id,
        kind=number_of(kind),
        sku=sku,
        category=category,
        location_id=location,
        group_id=group,
        location_type=number_of(location_type),
        delivery_method=number_of(method),
        channel=channel,
        fixed_quantity=quantity,
        percent_of_on_hand=percent,
        start_time=moment(start, "--from") if start else None,
        end_time=moment(end, "--until") if end else None,
    )
    made = ask(context, lambda client: client.create_safety_stock_rule(rule, request_id=request_id))
    show_message(context, made)


@app.command("delete")
def delete_rule(
    context: typer.Context,
    rule_id: RuleArgument,
    *,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Remove a rule."""
    from domgrpc.cli.answers import show_message

    gone = ask(
        context,
        lambda client: client.delete_safety_stock_rule(rule_id, etag=etag, request_id=request_id),
    )
    show_message(context, gone)


@app.command("explain")
def explain(
    context: typer.Context,
    sku: Annotated[str, typer.Argument(metavar="SKU")],
    location: Annotated[str, typer.Argument(metavar="LOCATION")],
    *,
    channel: ChannelOption = "",
    method: MethodOption = None,
) -> None:
    """Say which rule of each kind wins for one position, and which others matched."""
    from domgrpc.cli.columns import DECISIONS
    from domgrpc.cli.output import plain, print_json
    from domgrpc.cli.tables import print_table

    answer = ask(
        context,
        lambda client: client.explain_safety_stock(
            sku, location, channel=channel, delivery_method=number_of(method)
        ),
    )
    if session_of(context).as_json:
        print_json(plain(answer))
    else:
        print_table(DECISIONS, answer.decisions)
