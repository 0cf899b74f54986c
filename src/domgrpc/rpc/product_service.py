"""ProductService: check the shape, make the command, hand it on, shape the answer."""

from domgrpc.core.answers import ProductBatch
from domgrpc.core.listings import Page, list_products
from domgrpc.core.products import Product, get_products
from domgrpc.core.state import State
from domgrpc.core.values import Revision, Sku, TimeMs
from domgrpc.engine.admission import Priority
from domgrpc.rpc.calls import Call
from domgrpc.rpc.pages import Listing, SkuPlace, bounded_page, page_size
from domgrpc.rpc.shapes import identifier, identifier_or_empty
from domgrpc.rpc.sizes import product_bytes
from domgrpc.rpc.translate_products import (
    batch_skus,
    create_product,
    create_products,
    fill_product,
    update_product,
    update_products,
)
from domgrpc.v1 import product_pb2

_PRODUCTS: Listing[SkuPlace] = Listing("ListProducts", SkuPlace, (0, -1))


class ProductService:
    """What can be sold."""

    async def CreateProduct(
        self, message: product_pb2.CreateProductRequest, call: Call
    ) -> product_pb2.Product:
        """Add a product."""
        command = create_product(message)
        return _single(*await call.change(command, message.request_id, ProductBatch))

    async def GetProduct(
        self, message: product_pb2.GetProductRequest, call: Call
    ) -> product_pb2.Product:
        """Return one product."""
        skus = (Sku(identifier(message.sku, "sku")),)
        reading = await call.read(
            lambda state, _: get_products(state.network.products, skus, state.is_stocked),
            message.min_revision,
        )
        return _single(ProductBatch(reading.value), reading.revision)

    async def ListProducts(
        self, message: product_pb2.ListProductsRequest, call: Call
    ) -> product_pb2.ListProductsResponse:
        """List products in an order that is stable while data changes."""
        category = identifier_or_empty(message.category, "category")
        filters = (category,)
        after = _PRODUCTS.place(message.page_token, filters)
        size = page_size(message.page_size)

        def page(state: State, _now_ms: TimeMs) -> Page[Product]:
            return bounded_page(
                lambda most: list_products(state, after, most, category or None),
                size,
                product_bytes,
            )

        reading = await call.read(page, message.min_revision, Priority.LIST)
        answer = product_pb2.ListProductsResponse(
            next_page_token=_PRODUCTS.token(reading.value, filters), revision=reading.revision
        )
        for product in reading.value.entries:
            fill_product(answer.products.add(), product, reading.revision)
        return answer

    async def UpdateProduct(
        self, message: product_pb2.UpdateProductRequest, call: Call
    ) -> product_pb2.Product:
        """Change fields of a product."""
        command = update_product(message)
        return _single(*await call.change(command, message.request_id, ProductBatch))

    async def BatchCreateProducts(
        self, message: product_pb2.BatchCreateProductsRequest, call: Call
    ) -> product_pb2.BatchCreateProductsResponse:
        """Add several products, all or none."""
        command = create_products(message)
        batch, revision = await call.change(command, message.request_id, ProductBatch)
        answer = product_pb2.BatchCreateProductsResponse(revision=revision)
        for product in batch.products:
            fill_product(answer.products.add(), product, revision)
        return answer

    async def BatchGetProducts(
        self, message: product_pb2.BatchGetProductsRequest, call: Call
    ) -> product_pb2.BatchGetProductsResponse:
        """Return several products in the order asked."""
        skus = batch_skus(message)
        reading = await call.read(
            lambda state, _: get_products(state.network.products, skus, state.is_stocked),
            message.min_revision,
        )
        answer = product_pb2.BatchGetProductsResponse(revision=reading.revision)
        for product in reading.value:
            fill_product(answer.products.add(), product, reading.revision)
        return answer

    async def BatchUpdateProducts(
        self, message: product_pb2.BatchUpdateProductsRequest, call: Call
    ) -> product_pb2.BatchUpdateProductsResponse:
        """Change several products, all or none."""
        command = update_products(message)
        batch, revision = await call.change(command, message.request_id, ProductBatch)
        answer = product_pb2.BatchUpdateProductsResponse(revision=revision)
        for product in batch.products:
            fill_product(answer.products.add(), product, revision)
        return answer


def _single(batch: ProductBatch, revision: Revision) -> product_pb2.Product:
    answer = product_pb2.Product()
    fill_product(answer, batch.products[0], revision)
    return answer
