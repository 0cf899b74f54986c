"""The calls of ProductService, as methods of a client."""

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from domgrpc.client.calls import Caller
from domgrpc.v1.product_pb2 import (
    BatchCreateProductsRequest,
    BatchCreateProductsResponse,
    BatchGetProductsRequest,
    BatchGetProductsResponse,
    BatchUpdateProductsRequest,
    BatchUpdateProductsResponse,
    CreateProductRequest,
    GetProductRequest,
    ListProductsRequest,
    ListProductsResponse,
    Product,
    UpdateProductRequest,
)


async def create_product(
    client: Caller,
    product: Product,
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Product:
    """Add a product; raises DomgrpcError with SKU_TAKEN where the SKU has other content."""
    calls = client.calls
    request = CreateProductRequest(request_id=request_id or calls.new_request_id(), product=product)
    return await calls.write(calls.stubs.products.CreateProduct, request, timeout_seconds)


async def get_product(
    client: Caller, sku: str, *, min_revision: int = 0, timeout_seconds: float | None = None
) -> Product:
    """Return one product."""
    calls = client.calls
    request = GetProductRequest(sku=sku, min_revision=min_revision)
    return await calls.read(calls.stubs.products.GetProduct, request, timeout_seconds)


async def list_products(
    client: Caller,
    *,
    category: str = "",
    page_size: int = 0,
    page_token: str = "",
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> ListProductsResponse:
    """Return a page of products in a stable order; see `paging.pages` for all of them."""
    calls = client.calls
    request = ListProductsRequest(
        page_size=page_size, page_token=page_token, category=category, min_revision=min_revision
    )
    return await calls.read(calls.stubs.products.ListProducts, request, timeout_seconds)


async def update_product(
    client: Caller,
    product: Product,
    *,
    update_mask: Sequence[str] = (),
    etag: str = "",
    allow_missing: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> Product:
    """Change the masked fields of a product; an empty mask changes all."""
    calls = client.calls
    request = UpdateProductRequest(
        request_id=request_id or calls.new_request_id(),
        product=product,
        update_mask=FieldMask(paths=update_mask) if update_mask else None,
        etag=etag,
        allow_missing=allow_missing,
    )
    return await calls.write(calls.stubs.products.UpdateProduct, request, timeout_seconds)


async def batch_create_products(
    client: Caller,
    products: Sequence[Product],
    *,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> BatchCreateProductsResponse:
    """Add up to 1,000 products, all or none."""
    calls = client.calls
    request = BatchCreateProductsRequest(
        request_id=request_id or calls.new_request_id(), products=products
    )
    return await calls.write(calls.stubs.products.BatchCreateProducts, request, timeout_seconds)


async def batch_get_products(
    client: Caller,
    skus: Sequence[str],
    *,
    min_revision: int = 0,
    timeout_seconds: float | None = None,
) -> BatchGetProductsResponse:
    """Return up to 1,000 products in the order asked; fails on the first unknown SKU."""
    calls = client.calls
    request = BatchGetProductsRequest(skus=skus, min_revision=min_revision)
    return await calls.read(calls.stubs.products.BatchGetProducts, request, timeout_seconds)


async def batch_update_products(
    client: Caller,
    products: Sequence[Product],
    *,
    update_mask: Sequence[str] = (),
    allow_missing: bool = False,
    request_id: str = "",
    timeout_seconds: float | None = None,
) -> BatchUpdateProductsResponse:
    """Change up to 1,000 products, all or none; an empty mask changes all fields."""
    calls = client.calls
    request = BatchUpdateProductsRequest(
        request_id=request_id or calls.new_request_id(),
        products=products,
        update_mask=FieldMask(paths=update_mask) if update_mask else None,
        allow_missing=allow_missing,
    )
    return await calls.write(calls.stubs.products.BatchUpdateProducts, request, timeout_seconds)
