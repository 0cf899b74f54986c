"""What is wrong with a product or a safety stock rule is named by its field."""

from collections.abc import Callable
from typing import Any

from domgrpc.rpc.translate_products import (
    batch_skus,
    create_product,
    create_products,
    update_product,
    update_products,
)
from domgrpc.rpc.translate_rules import create_rule, delete_rule, update_rule
from domgrpc.v1 import inventory_pb2 as iv
from domgrpc.v1 import product_pb2 as pr
from tests.rpc.bad_shapes import (
    LONG,
    TOO_MUCH,
    UNKNOWN,
    Case,
    Field,
    each_case,
    expect_bad,
    filled,
    masked,
)


def product(**fields: Field) -> pr.CreateProductRequest:
    return pr.CreateProductRequest(product=pr.Product(**filled(fields, sku="A")))


def rule(**fields: Field) -> iv.CreateSafetyStockRuleRequest:
    fields = filled(fields, rule_id="r")
    if not fields.keys() & {"fixed_quantity", "percent_of_on_hand", "no_value"}:
        fields["fixed_quantity"] = 1
    fields.pop("no_value", None)
    return iv.CreateSafetyStockRuleRequest(rule=iv.SafetyStockRule(**fields))


PRODUCTS: list[Case] = [
    (create_product, pr.CreateProductRequest(), "product"),
    (create_product, product(sku=""), "product.sku"),
    (create_product, product(sku=LONG), "product.sku"),
    (create_product, product(display_name="x" * 201), "product.display_name"),
    (create_product, product(unit="x" * 17), "product.unit"),
    (create_product, product(unit_decimals=7), "product.unit_decimals"),
    (create_product, product(unit_decimals=-1), "product.unit_decimals"),
    (create_product, product(weight_grams=-1), "product.weight_grams"),
    (create_product, product(weight_grams=10**9 + 1), "product.weight_grams"),
    (create_product, product(length_mm=10**6 + 1), "product.length_mm"),
    (create_product, product(width_mm=-1), "product.width_mm"),
    (create_product, product(height_mm=10**6 + 1), "product.height_mm"),
    (create_product, product(categories=["c", ""]), "product.categories[1]"),
    (create_product, product(categories=["c"] * 33), "product.categories"),
    (
        create_product,
        product(backorder_policy=pr.BackorderPolicy(mode=UNKNOWN)),
        "product.backorder_policy.mode",
    ),
    (
        create_product,
        product(backorder_policy=pr.BackorderPolicy(limit_quantity=-1)),
        "product.backorder_policy.limit_quantity",
    ),
    (
        create_product,
        product(backorder_policy=pr.BackorderPolicy(horizon_days=3_651)),
        "product.backorder_policy.horizon_days",
    ),
    (
        create_product,
        product(backorder_policy=pr.BackorderPolicy(horizon_days=-1)),
        "product.backorder_policy.horizon_days",
    ),
    (
        create_product,
        product(components=[pr.BundleComponent(sku="B")]),
        "product.components[0].quantity",
    ),
    (
        create_product,
        product(components=[pr.BundleComponent(quantity=1)]),
        "product.components[0].sku",
    ),
    (
        create_product,
        product(components=[pr.BundleComponent(sku="B", quantity=1)] * 101),
        "product.components",
    ),
    (create_product, product(substitute_skus=["B", "A"]), "product.substitute_skus[1]"),
    (create_product, product(substitute_skus=["B"] * 33), "product.substitute_skus"),
    (update_product, pr.UpdateProductRequest(), "product"),
    (
        update_product,
        pr.UpdateProductRequest(product=pr.Product(sku="A"), update_mask=masked("update_time")),
        "update_mask.paths[0]",
    ),
    (update_product, pr.UpdateProductRequest(product=pr.Product()), "product.sku"),
    (create_products, pr.BatchCreateProductsRequest(), "products"),
    (
        create_products,
        pr.BatchCreateProductsRequest(products=[pr.Product(sku="A")] * 2),
        "products[1].sku",
    ),
    (
        create_products,
        pr.BatchCreateProductsRequest(products=[pr.Product(sku=f"{n}") for n in range(1_001)]),
        "products",
    ),
    (
        update_products,
        pr.BatchUpdateProductsRequest(products=[pr.Product(sku="A"), pr.Product(unit="x" * 17)]),
        "products[1].sku",
    ),
    (batch_skus, pr.BatchGetProductsRequest(), "skus"),
    (batch_skus, pr.BatchGetProductsRequest(skus=["A", ""]), "skus[1]"),
    (batch_skus, pr.BatchGetProductsRequest(skus=["A"] * 1_001), "skus"),
]
RULES: list[Case] = [
    (create_rule, iv.CreateSafetyStockRuleRequest(), "rule"),
    (create_rule, rule(rule_id=""), "rule.rule_id"),
    (create_rule, rule(no_value=True), "rule.value"),
    (create_rule, rule(kind=UNKNOWN), "rule.kind"),
    (create_rule, rule(sku="a\tb"), "rule.sku"),
    (create_rule, rule(category=LONG), "rule.category"),
    (create_rule, rule(location_id=LONG), "rule.location_id"),
    (create_rule, rule(group_id=LONG), "rule.group_id"),
    (create_rule, rule(location_type=UNKNOWN), "rule.location_type"),
    (create_rule, rule(delivery_method=UNKNOWN), "rule.delivery_method"),
    (create_rule, rule(channel="x" * 65), "rule.channel"),
    (create_rule, rule(fixed_quantity=-1), "rule.fixed_quantity"),
    (create_rule, rule(fixed_quantity=TOO_MUCH), "rule.fixed_quantity"),
    (create_rule, rule(percent_of_on_hand=101), "rule.percent_of_on_hand"),
    (create_rule, rule(percent_of_on_hand=-1), "rule.percent_of_on_hand"),
    (
        update_rule,
        iv.UpdateSafetyStockRuleRequest(
            rule=iv.SafetyStockRule(rule_id="r"), update_mask=masked("value")
        ),
        "rule.value",
    ),
    (
        update_rule,
        iv.UpdateSafetyStockRuleRequest(
            rule=iv.SafetyStockRule(rule_id="r"), update_mask=masked("sku.x")
        ),
        "update_mask.paths[0]",
    ),
    (delete_rule, iv.DeleteSafetyStockRuleRequest(), "rule_id"),
]
CASES = [*PRODUCTS, *RULES]


@each_case(CASES)
def test_a_bad_shape_is_refused_by_the_path_of_its_field(
    read: Callable[[Any], object], message: object, path: str
) -> None:
    expect_bad(read, message, path)
