"""Products: what is known of a SKU, by its creator or by its first stock."""

import msgspec

from domgrpc.core.answers import ProductBatch
from domgrpc.core.listings import list_products
from domgrpc.core.products import CreateProducts, Product, ProductFields, UpdateProducts
from domgrpc.core.rejections import Reason
from domgrpc.core.values import Limits, Sku
from tests.core.commands import limited, on_hand, place, product
from tests.core.given import NOON_MS, Shop
from tests.core.pictures import every

SHIRT = ProductFields(display_name="Shirt", weight_grams=200, categories=("clothes", "men"))


def create(**fields: ProductFields) -> CreateProducts:
    """Create several products at once."""
    return CreateProducts(products=tuple((Sku(sku), each) for sku, each in fields.items()))


def update(
    *names: str, etag: str = "", allow_missing: bool = False, **fields: ProductFields
) -> UpdateProducts:
    """Change the named fields of several products."""
    return UpdateProducts(
        products=tuple((Sku(sku), each) for sku, each in fields.items()),
        field_names=names,
        etag=etag,
        allow_missing=allow_missing,
    )


def known(shop: Shop) -> dict[str, ProductFields]:
    """Return all products of a shop by SKU."""
    found = every(lambda at: list_products(shop.state, at, 10, None), (0, -1))
    return {each.sku: each.fields for each in found}


def test_a_new_product_is_as_its_creator_said(shop: Shop) -> None:
    (made,) = shop.gives(ProductBatch, create(x=SHIRT)).products
    assert made == Product(Sku("x"), SHIRT, NOON_MS, NOON_MS, made.revision)
    assert known(shop) == {"x": SHIRT}


def test_products_come_back_in_the_order_of_the_request(shop: Shop) -> None:
    batch = shop.gives(ProductBatch, create(c=SHIRT, a=ProductFields(), b=SHIRT))
    assert [each.sku for each in batch.products] == ["c", "a", "b"]


def test_a_product_without_stock_is_known_and_has_nothing(shop: Shop) -> None:
    shop.given(create(x=SHIRT))
    found = shop.available("x")
    assert found.known
    assert (found.available_to_fulfill, found.locations) == (0, ())
    assert not shop.available("y").known


def test_creating_the_same_product_again_changes_nothing(shop: Shop) -> None:
    made = shop.gives(ProductBatch, create(x=SHIRT))
    shop.later(1000)
    assert shop.gives(ProductBatch, create(x=SHIRT)) == made


def test_a_batch_creates_what_is_new_and_keeps_what_is_the_same(shop: Shop) -> None:
    (first,) = shop.gives(ProductBatch, create(x=SHIRT)).products
    shop.later(1000)
    same, new = shop.gives(ProductBatch, create(x=SHIRT, y=SHIRT)).products
    assert same == first
    assert new.create_time_ms == NOON_MS + 1000


def test_a_batch_is_created_whole_or_not_at_all(shop: Shop) -> None:
    shop.given(create(y=SHIRT))
    taken = shop.refusal(create(x=SHIRT, y=ProductFields()))
    assert (taken.reason, taken.facts["sku"]) == (Reason.SKU_TAKEN, "y")
    assert known(shop) == {"y": SHIRT}


def test_the_first_stock_creates_a_sku_with_defaults_that_may_still_be_described(
    shop: Shop,
) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    assert known(shop) == {"x": ProductFields()}
    assert ProductFields().unit == "each"
    shop.gives(ProductBatch, create(x=SHIRT))
    assert known(shop) == {"x": SHIRT}
    assert shop.atf("x") == 5


def test_a_sku_that_only_has_stock_can_be_updated(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=5))
    (changed,) = shop.gives(ProductBatch, update("display_name", x=SHIRT)).products
    assert changed.fields == ProductFields(display_name="Shirt")


def test_an_update_changes_the_named_fields_only(shop: Shop) -> None:
    (made,) = shop.gives(ProductBatch, create(x=SHIRT)).products
    shop.later(1000)
    other = ProductFields(display_name="Trousers", weight_grams=900, categories=("sale",))
    (changed,) = shop.gives(ProductBatch, update("weight_grams", "categories", x=other)).products
    assert changed.fields == msgspec.structs.replace(SHIRT, weight_grams=900, categories=("sale",))
    assert changed.create_time_ms == NOON_MS
    assert changed.update_time_ms == NOON_MS + 1000
    assert changed.revision > made.revision


def test_a_batch_is_updated_whole_or_not_at_all(shop: Shop) -> None:
    shop.given(create(x=SHIRT))
    other = ProductFields(display_name="Trousers")
    unknown = shop.refusal(update("display_name", x=other, y=other))
    assert (unknown.reason, unknown.facts["sku"]) == (Reason.SKU_NOT_FOUND, "y")
    assert known(shop) == {"x": SHIRT}


def test_in_a_batch_only_what_differs_gets_a_new_etag(shop: Shop) -> None:
    other = ProductFields(display_name="Trousers")
    first, _ = shop.gives(ProductBatch, create(x=SHIRT, y=other)).products
    same, changed = shop.gives(ProductBatch, update("display_name", x=SHIRT, y=SHIRT)).products
    assert same == first
    assert changed.revision > first.revision


def test_an_update_that_changes_nothing_keeps_the_etags(shop: Shop) -> None:
    made = shop.gives(ProductBatch, create(x=SHIRT, y=SHIRT))
    shop.later(1000)
    assert shop.gives(ProductBatch, update("unit", x=ProductFields(), y=ProductFields())) == made


def test_an_update_that_allows_it_creates_what_is_missing(shop: Shop) -> None:
    shop.given(create(x=SHIRT))
    batch = shop.gives(ProductBatch, update("unit", allow_missing=True, x=SHIRT, y=SHIRT))
    assert [each.fields for each in batch.products] == [SHIRT, SHIRT]


def test_an_etag_of_a_product_that_does_not_exist_is_refused(shop: Shop) -> None:
    unknown = update("unit", etag="7", allow_missing=True, y=SHIRT)
    assert shop.refuses(unknown) is Reason.ETAG_MISMATCH


def test_an_update_respects_the_etag(shop: Shop) -> None:
    shop.given(create(x=SHIRT), update("display_name", x=ProductFields(display_name="Top")))
    assert shop.refuses(update("unit", etag="1", x=SHIRT)) is Reason.ETAG_MISMATCH
    shop.given(update("display_name", etag="2", x=SHIRT))


def test_a_new_backorder_policy_counts_at_once(shop: Shop) -> None:
    shop.given(place("A", backorder=True), on_hand("x", A=5))
    assert shop.ats("x") == 5
    shop.given(update("backorder_policy", x=ProductFields(backorder_policy=limited(7))))
    assert (shop.atf("x"), shop.ats("x")) == (5, 12)


def test_the_number_of_products_is_bounded() -> None:
    shop = Shop(Limits(skus_max=2)).given(product("x"), product("y"))
    assert shop.refuses(product("z")) is Reason.CAPACITY_EXCEEDED
    missing = update("unit", allow_missing=True, z=SHIRT)
    assert shop.refuses(missing) is Reason.CAPACITY_EXCEEDED
    shop.given(product("x"))


def test_stock_counts_against_the_bound_on_skus() -> None:
    shop = Shop(Limits(skus_max=2)).given(place("A"), on_hand("x", A=1), product("y"))
    assert shop.refuses(on_hand("z", A=1)) is Reason.CAPACITY_EXCEEDED
    shop.given(on_hand("x", A=2), on_hand("y", A=2))
