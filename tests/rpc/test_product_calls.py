"""ProductService over the wire: single products and batches."""

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.v1 import product_pb2
from tests.rpc.serving import Field, Shop, refusal

SHIRT = product_pb2.Product(
    sku="shirt",
    display_name="Shirt, blue",
    unit="each",
    weight_grams=180,
    length_mm=300,
    width_mm=200,
    height_mm=20,
    categories=["clothes", "blue"],
    keep_together=True,
    ship_alone=True,
    backorder_policy=product_pb2.BackorderPolicy(
        mode=product_pb2.BACKORDER_MODE_LIMITED, limit_quantity=5, horizon_days=30
    ),
    components=[product_pb2.BundleComponent(sku="button", quantity=7)],
    substitute_skus=["blouse"],
)


async def create(shop: Shop, product: product_pb2.Product) -> product_pb2.Product:
    return await shop.products.CreateProduct(
        product_pb2.CreateProductRequest(request_id=shop.key(), product=product)
    )


async def update(
    shop: Shop, product: product_pb2.Product, *paths: str, **fields: Field
) -> product_pb2.Product:
    return await shop.products.UpdateProduct(
        product_pb2.UpdateProductRequest(
            request_id=shop.key(), product=product, update_mask=FieldMask(paths=paths), **fields
        )
    )


async def get(shop: Shop, sku: str) -> product_pb2.Product:
    return await shop.products.GetProduct(product_pb2.GetProductRequest(sku=sku))


async def test_a_product_comes_back_as_it_was_created(shop: Shop) -> None:
    made = await create(shop, SHIRT)
    expected = product_pb2.Product()
    expected.CopyFrom(SHIRT)
    expected.categories[:] = ["blue", "clothes"]
    for field in ("create_time", "update_time"):
        getattr(expected, field).CopyFrom(getattr(made, field))
    expected.etag, expected.revision = "1", 1
    assert made == expected == await get(shop, "shirt")


async def test_a_sku_is_known_from_its_first_stock_with_defaults(shop: Shop) -> None:
    assert (await refusal(get(shop, "A"))).reason == "SKU_NOT_FOUND"
    await shop.add_location("a")
    await shop.count(("A", "a", 1))
    plain = await get(shop, "A")
    assert (plain.unit, plain.etag) == ("each", "0")
    assert plain.backorder_policy.mode == product_pb2.BACKORDER_MODE_NONE
    assert not plain.HasField("create_time")
    described = await update(shop, product_pb2.Product(sku="A", unit="kg"), "unit", etag="0")
    assert described.unit == "kg"


async def test_a_taken_sku_is_refused_and_the_same_content_is_the_same_product(
    shop: Shop,
) -> None:
    made = await create(shop, SHIRT)
    assert (await create(shop, SHIRT)).etag == made.etag
    refused = await refusal(create(shop, product_pb2.Product(sku="shirt")))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SKU_TAKEN")


async def test_an_update_changes_the_masked_fields_only(shop: Shop) -> None:
    made = await create(shop, SHIRT)
    changed = await update(
        shop, product_pb2.Product(sku="shirt", display_name="Shirt"), "display_name"
    )
    assert (changed.display_name, changed.weight_grams) == ("Shirt", 180)
    refused = await refusal(update(shop, product_pb2.Product(sku="shirt"), "unit", etag=made.etag))
    assert refused.reason == "ETAG_MISMATCH"
    bare = await update(shop, product_pb2.Product(sku="shirt"))
    assert (bare.display_name, bare.weight_grams, bare.unit) == ("", 0, "each")


async def test_an_update_creates_a_product_only_where_it_may(shop: Shop) -> None:
    hat = product_pb2.Product(sku="hat", display_name="Hat", weight_grams=90)
    assert (await refusal(update(shop, hat, "display_name"))).reason == "SKU_NOT_FOUND"
    made = await update(shop, hat, "display_name", allow_missing=True)
    assert (made.display_name, made.weight_grams) == ("Hat", 90)


async def test_a_batch_is_created_and_changed_all_or_none(shop: Shop) -> None:
    await create(shop, SHIRT)
    hat, coat = product_pb2.Product(sku="hat"), product_pb2.Product(sku="coat")
    taken = product_pb2.BatchCreateProductsRequest(
        request_id=shop.key(), products=[hat, product_pb2.Product(sku="shirt")]
    )
    assert (await refusal(shop.products.BatchCreateProducts(taken))).reason == "SKU_TAKEN"
    assert (await refusal(get(shop, "hat"))).reason == "SKU_NOT_FOUND"
    made = await shop.products.BatchCreateProducts(
        product_pb2.BatchCreateProductsRequest(request_id=shop.key(), products=[hat, coat])
    )
    assert [product.sku for product in made.products] == ["hat", "coat"]
    renamed = [
        product_pb2.Product(sku=sku, display_name=sku.upper()) for sku in ("coat", "shirt", "hat")
    ]
    changed = await shop.products.BatchUpdateProducts(
        product_pb2.BatchUpdateProductsRequest(
            request_id=shop.key(),
            products=renamed,
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    assert [product.display_name for product in changed.products] == ["COAT", "SHIRT", "HAT"]
    assert changed.products[1].weight_grams == 180
    unknown = product_pb2.BatchUpdateProductsRequest(
        request_id=shop.key(), products=[product_pb2.Product(sku="sock")]
    )
    assert (await refusal(shop.products.BatchUpdateProducts(unknown))).reason == "SKU_NOT_FOUND"


async def test_several_products_come_in_the_order_asked(shop: Shop) -> None:
    await create(shop, SHIRT)
    await create(shop, product_pb2.Product(sku="hat"))
    found = await shop.products.BatchGetProducts(
        product_pb2.BatchGetProductsRequest(skus=["hat", "shirt", "hat"])
    )
    assert [product.sku for product in found.products] == ["hat", "shirt", "hat"]
    refused = await refusal(
        shop.products.BatchGetProducts(product_pb2.BatchGetProductsRequest(skus=["hat", "sock"]))
    )
    assert (refused.reason, refused.facts["sku"]) == ("SKU_NOT_FOUND", "sock")


async def test_products_are_listed_by_category(shop: Shop) -> None:
    await create(shop, SHIRT)
    await create(shop, product_pb2.Product(sku="hat"))
    every = await shop.products.ListProducts(product_pb2.ListProductsRequest())
    assert sorted(product.sku for product in every.products) == ["hat", "shirt"]
    blue = await shop.products.ListProducts(product_pb2.ListProductsRequest(category="blue"))
    assert [product.sku for product in blue.products] == ["shirt"]
