"""Products between messages and the core."""

from collections.abc import Mapping, Sequence

import msgspec

from domgrpc.core.products import (
    BACKORDER_HORIZON_DAYS_DEFAULT,
    BackorderPolicy,
    BundleComponent,
    CreateProducts,
    Product,
    ProductFields,
    UpdateProducts,
)
from domgrpc.core.values import BackorderMode, Quantity, Revision, Sku
from domgrpc.rpc.field_masks import masked_names
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    ETAG_BYTES_MAX,
    chosen,
    identifier,
    item_count,
    quantity,
    set_timestamp,
    text,
    whole,
)
from domgrpc.v1 import product_pb2

PRODUCTS_MAX = 1_000
NAME_BYTES_MAX = 200
UNIT_BYTES_MAX = 16
UNIT_DECIMALS_MAX = 6
WEIGHT_GRAMS_MAX = 10**9
LENGTH_MM_MAX = 10**6
CATEGORIES_MAX = 32
COMPONENTS_MAX = 100
COMPONENT_QUANTITY_MAX = 1_000_000
SUBSTITUTES_MAX = 32
HORIZON_DAYS_MAX = 3_650

_UNIT_DEFAULT = "each"
_MODES: Mapping[int, BackorderMode] = {0: BackorderMode.NONE} | {
    mode.value: mode for mode in BackorderMode
}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    name: (name,) for name in msgspec.structs.asdict(ProductFields())
}


# --- messages to commands


def create_product(message: product_pb2.CreateProductRequest) -> CreateProducts:
    """Read CreateProduct."""
    if not message.HasField("product"):
        raise InvalidField("product", "is missing")
    try:
        return CreateProducts(products=(_product(message.product),))
    except InvalidField as invalid:
        raise invalid.within("product") from None


def update_product(message: product_pb2.UpdateProductRequest) -> UpdateProducts:
    """Read UpdateProduct."""
    if not message.HasField("product"):
        raise InvalidField("product", "is missing")
    names = masked_names(message.update_mask, _FIELDS)
    etag = text(message.etag, "etag", ETAG_BYTES_MAX)
    try:
        products = (_product(message.product),)
    except InvalidField as invalid:
        raise invalid.within("product") from None
    return UpdateProducts(
        products=products,
        field_names=names,
        etag=etag,
        allow_missing=message.allow_missing,
    )


def create_products(message: product_pb2.BatchCreateProductsRequest) -> CreateProducts:
    """Read BatchCreateProducts."""
    return CreateProducts(products=_products(message.products))


def update_products(message: product_pb2.BatchUpdateProductsRequest) -> UpdateProducts:
    """Read BatchUpdateProducts."""
    return UpdateProducts(
        products=_products(message.products),
        field_names=masked_names(message.update_mask, _FIELDS),
        allow_missing=message.allow_missing,
    )


def batch_skus(message: product_pb2.BatchGetProductsRequest) -> tuple[Sku, ...]:
    """Read the SKUs of BatchGetProducts; repeats are answered again."""
    skus = message.skus
    item_count(len(skus), "skus", 1, PRODUCTS_MAX)
    return tuple(Sku(identifier(sku, f"skus[{place}]")) for place, sku in enumerate(skus))


def _products(
    messages: Sequence[product_pb2.Product],
) -> tuple[tuple[Sku, ProductFields], ...]:
    item_count(len(messages), "products", 1, PRODUCTS_MAX)
    found: dict[Sku, ProductFields] = {}
    for place, message in enumerate(messages):
        try:
            sku, fields = _product(message)
        except InvalidField as invalid:
            raise invalid.within(f"products[{place}]") from None
        if sku in found:
            raise InvalidField(f"products[{place}].sku", f"{sku!a} is given twice; once is allowed")
        found[sku] = fields
    return tuple(found.items())


def _product(message: product_pb2.Product) -> tuple[Sku, ProductFields]:
    sku = Sku(identifier(message.sku, "sku"))
    fields = ProductFields(
        display_name=text(message.display_name, "display_name", NAME_BYTES_MAX),
        unit=text(message.unit, "unit", UNIT_BYTES_MAX) or _UNIT_DEFAULT,
        unit_decimals=whole(message.unit_decimals, "unit_decimals", 0, UNIT_DECIMALS_MAX),
        weight_grams=whole(message.weight_grams, "weight_grams", 0, WEIGHT_GRAMS_MAX),
        length_mm=whole(message.length_mm, "length_mm", 0, LENGTH_MM_MAX),
        width_mm=whole(message.width_mm, "width_mm", 0, LENGTH_MM_MAX),
        height_mm=whole(message.height_mm, "height_mm", 0, LENGTH_MM_MAX),
        categories=_categories(message),
        keep_together=message.keep_together,
        ship_alone=message.ship_alone,
        backorder_policy=_policy(message.backorder_policy),
        components=_components(message),
        substitute_skus=_substitutes(message, sku),
    )
    return sku, fields


def _categories(message: product_pb2.Product) -> tuple[str, ...]:
    item_count(len(message.categories), "categories", 0, CATEGORIES_MAX)
    found = [
        identifier(category, f"categories[{place}]")
        for place, category in enumerate(message.categories)
    ]
    return tuple(sorted(dict.fromkeys(found)))


def _policy(message: product_pb2.BackorderPolicy) -> BackorderPolicy:
    path = "backorder_policy"
    horizon_days = message.horizon_days or BACKORDER_HORIZON_DAYS_DEFAULT
    return BackorderPolicy(
        chosen(message.mode, f"{path}.mode", _MODES),
        Quantity(quantity(message.limit_quantity, f"{path}.limit_quantity")),
        whole(horizon_days, f"{path}.horizon_days", 1, HORIZON_DAYS_MAX),
    )


def _components(message: product_pb2.Product) -> tuple[BundleComponent, ...]:
    item_count(len(message.components), "components", 0, COMPONENTS_MAX)
    found = []
    for place, component in enumerate(message.components):
        path = f"components[{place}]"
        units = whole(component.quantity, f"{path}.quantity", 1, COMPONENT_QUANTITY_MAX)
        sku = Sku(identifier(component.sku, f"{path}.sku"))
        found.append(BundleComponent(sku, Quantity(units)))
    return tuple(found)


def _substitutes(message: product_pb2.Product, own: Sku) -> tuple[Sku, ...]:
    item_count(len(message.substitute_skus), "substitute_skus", 0, SUBSTITUTES_MAX)
    found: dict[Sku, None] = {}
    for place, value in enumerate(message.substitute_skus):
        sku = Sku(identifier(value, f"substitute_skus[{place}]"))
        if sku == own:
            raise InvalidField(f"substitute_skus[{place}]", "is the product itself")
        found[sku] = None
    return tuple(found)


# --- products to messages


def fill_product(message: product_pb2.Product, product: Product, revision: Revision) -> None:
    """Write a product in place; a SKU that nobody described has no times."""
    fields = product.fields
    message.sku = product.sku
    message.display_name = fields.display_name
    message.unit = fields.unit
    message.unit_decimals = fields.unit_decimals
    message.weight_grams = fields.weight_grams
    message.length_mm = fields.length_mm
    message.width_mm = fields.width_mm
    message.height_mm = fields.height_mm
    message.categories.extend(fields.categories)
    message.keep_together = fields.keep_together
    message.ship_alone = fields.ship_alone
    policy = fields.backorder_policy
    message.backorder_policy.mode = policy.mode  # type: ignore[assignment]  # the same numbers
    message.backorder_policy.limit_quantity = policy.limit_quantity
    message.backorder_policy.horizon_days = policy.horizon_days
    for component in fields.components:
        message.components.add(sku=component.sku, quantity=component.quantity)
    message.substitute_skus.extend(fields.substitute_skus)
    if product.create_time_ms:
        set_timestamp(message.create_time, product.create_time_ms)
        set_timestamp(message.update_time, product.update_time_ms)
    message.etag = str(product.revision)
    message.revision = revision
