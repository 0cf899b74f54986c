"""`domgrpc products`: what can be sold. Many at once come from a file: `domgrpc load`."""

from typing import Annotated

import typer

from domgrpc.cli.choices import Backorder, number_of
from domgrpc.cli.options import LIMIT_DEFAULT, EtagOption, LimitOption, RequestIdOption
from domgrpc.cli.session import ask

app = typer.Typer(no_args_is_help=True, help="What can be sold: SKUs and their attributes.")

SkuArgument = Annotated[str, typer.Argument(metavar="SKU", help="The product's code.")]


@app.command("list")
def list_products(
    context: typer.Context,
    *,
    category: Annotated[str, typer.Option("--category", help="Only of this category.")] = "",
    limit: LimitOption = LIMIT_DEFAULT,
) -> None:
    """List products in a stable order."""
    from domgrpc.cli.answers import show_list
    from domgrpc.cli.columns import PRODUCTS

    show_list(
        context,
        "products",
        PRODUCTS,
        lambda client, token, size: client.list_products(
            category=category, page_token=token, page_size=size
        ),
        limit=limit,
    )


@app.command("show")
def show_product(context: typer.Context, sku: SkuArgument) -> None:
    """Show one product."""
    from domgrpc.cli.answers import show_message

    show_message(context, ask(context, lambda client: client.get_product(sku)))


@app.command("set")
def set_product(
    context: typer.Context,
    sku: SkuArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", help="A name for people.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help='For example "each" or "kg".')] = None,
    categories: Annotated[
        list[str] | None, typer.Option("--category", help="A category; may be repeated.")
    ] = None,
    backorder: Annotated[
        Backorder | None, typer.Option("--backorder", help="What may be sold beyond the stock.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--backorder-limit", help="With --backorder limited: units a location."),
    ] = None,
    substitutes: Annotated[
        list[str] | None, typer.Option("--substitute", help="Offer this SKU instead; repeatable.")
    ] = None,
    etag: EtagOption = "",
    request_id: RequestIdOption = "",
) -> None:
    """Add a product, or change what is said here and leave the rest."""
    from domgrpc.cli.answers import show_message
    from domgrpc.v1.product_pb2 import BackorderPolicy, Product

    said = {
        "display_name": name,
        "unit": unit,
        "categories": categories,
        "substitute_skus": substitutes,
    }
    fields = {field: value for field, value in said.items() if value is not None}
    product = Product(sku=sku, **fields)  # type: ignore[arg-type] # by name, each of its type
    if limit is not None and backorder is not Backorder.LIMITED:
        raise typer.BadParameter("--backorder-limit goes with --backorder limited: give both")
    if backorder is not None:
        policy = BackorderPolicy(mode=number_of(backorder), limit_quantity=limit or 0)
        product.backorder_policy.CopyFrom(policy)
        fields["backorder_policy"] = backorder
    if not fields:
        raise typer.BadParameter("nothing is said about the product: give --name or another option")
    saved = ask(
        context,
        lambda client: client.update_product(
            product,
            update_mask=list(fields),
            allow_missing=True,
            etag=etag,
            request_id=request_id,
        ),
    )
    show_message(context, saved)
