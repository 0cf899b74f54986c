"""Products: what can be sold, and what may be sold beyond the stock.

A SKU is known from the first stock written for it; until somebody describes it, it has the
default product. Only described products are stored, so that millions of plain SKUs cost nothing.
"""

from collections.abc import Callable, Iterable

import msgspec

from domgrpc.core.rejections import Reason, Rejected, check_etag, check_no_etag
from domgrpc.core.values import BackorderMode, Limits, Quantity, Revision, Sku, Stamp, TimeMs

BACKORDER_HORIZON_DAYS_DEFAULT = 90
PARTS_PER_CALL_MAX = 50_000
"""Categories, components and substitutes of the products that one call saves, together."""


# --- state


class BackorderPolicy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far claims may exceed the stock of a location that allows it."""

    mode: BackorderMode = BackorderMode.NONE
    limit_quantity: Quantity = Quantity(0)
    horizon_days: int = BACKORDER_HORIZON_DAYS_DEFAULT


class BundleComponent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a bundle."""

    sku: Sku
    quantity: Quantity


class ProductFields(msgspec.Struct, frozen=True, array_like=True):
    """What a caller may say of a product; docs/api.md gives units and limits."""

    display_name: str = ""
    unit: str = "each"
    unit_decimals: int = 0
    weight_grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    categories: tuple[str, ...] = ()
    keep_together: bool = False
    ship_alone: bool = False
    backorder_policy: BackorderPolicy = BackorderPolicy()
    components: tuple[BundleComponent, ...] = ()
    substitute_skus: tuple[Sku, ...] = ()


class Product(msgspec.Struct, frozen=True, array_like=True):
    """A sellable item and its attributes."""

    sku: Sku
    fields: ProductFields
    create_time_ms: TimeMs
    update_time_ms: TimeMs
    revision: Revision


# --- commands


class CreateProducts(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Add products, all or none; each SKU once."""

    products: tuple[tuple[Sku, ProductFields], ...]


class UpdateProducts(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=True):
    """Change the named fields of products, all or none."""

    products: tuple[tuple[Sku, ProductFields], ...]
    field_names: tuple[str, ...]
    etag: str = ""
    allow_missing: bool = False


# --- events


class ProductsSaved(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Products were created or changed; the whole new contents, with those that stay as asked."""

    products: tuple[Product, ...]


class KnownSkus(msgspec.Struct, frozen=True):
    """What is known of SKUs beside their products: which have been seen, how many may come."""

    is_stocked: Callable[[Sku], bool]
    room_count: int


class Products:
    """The described products by SKU.

    `version` rises with what figures depend on, `rule_version` with what rules look at.
    """

    __slots__ = ("by_sku", "limits", "rule_version", "version")

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        self.limits = limits
        self.by_sku: dict[Sku, Product] = {}
        self.version = 0
        self.rule_version = 0

    def fields(self, sku: Sku) -> ProductFields:
        """Return what is known of a SKU, the defaults where nothing is."""
        product = self.by_sku.get(sku)
        return _DEFAULT_FIELDS if product is None else product.fields


_DEFAULT_FIELDS = ProductFields()


# --- decide


def decide_create_products(
    state: Products, command: CreateProducts, at: Stamp, known: KnownSkus
) -> ProductsSaved | None:
    """Create all; None where each exists with the same content; else SKU_TAKEN."""
    saved = []
    new_count = 0
    created_count = 0
    for sku, fields in command.products:
        existing = state.by_sku.get(sku)
        if existing is None:
            saved.append(_new_product(sku, fields, at))
            new_count += not known.is_stocked(sku)
            created_count += 1
        elif existing.fields == fields:
            saved.append(existing)
        else:
            raise Rejected(
                Reason.SKU_TAKEN,
                f"product {sku!r} exists with other content: update it instead",
                sku=sku,
            )
    _check_room(state, new_count, known)
    _check_parts(saved)
    return ProductsSaved(tuple(saved)) if created_count else None


def decide_update_products(
    state: Products, command: UpdateProducts, at: Stamp, known: KnownSkus
) -> ProductsSaved | None:
    """Change the named fields of all; None where nothing differs."""
    saved = []
    new_count = 0
    changed_count = 0
    for sku, fields in command.products:
        old = find_product(state, sku, known.is_stocked)
        if old is None and command.allow_missing:
            check_no_etag(command.etag, f"product {sku!r}")
            saved.append(_new_product(sku, fields, at))
            new_count += 1
            changed_count += 1
            continue
        if old is None:
            raise Rejected(
                Reason.SKU_NOT_FOUND,
                f"product {sku!r} does not exist: create it or set allow_missing",
                sku=sku,
            )
        check_etag(command.etag, old.revision, f"product {sku!r}")
        given = {name: getattr(fields, name) for name in command.field_names}
        fields_now = msgspec.structs.replace(old.fields, **given)
        if fields_now == old.fields:
            saved.append(old)
        else:
            saved.append(Product(sku, fields_now, old.create_time_ms, at.time_ms, at.revision))
            changed_count += 1
    _check_room(state, new_count, known)
    _check_parts(saved)
    return ProductsSaved(tuple(saved)) if changed_count else None


def _new_product(sku: Sku, fields: ProductFields, at: Stamp) -> Product:
    return Product(sku, fields, at.time_ms, at.time_ms, at.revision)


def _check_room(state: Products, new_count: int, known: KnownSkus) -> None:
    if new_count > known.room_count:
        raise Rejected(
            Reason.CAPACITY_EXCEEDED,
            f"{new_count} more SKUs would be more than are allowed, {state.limits.skus_max}",
            limit=state.limits.skus_max,
        )


def _check_parts(saved: list[Product]) -> None:
    # An update of one field saves the whole products: together they must fit into a record.
    part_count = 0
    for product in saved:
        fields = product.fields
        part_count += len(fields.categories) + len(fields.components) + len(fields.substitute_skus)
    if part_count > PARTS_PER_CALL_MAX:
        raise Rejected(
            Reason.TOO_MANY_PARTS,
            f"{len(saved)} products have {part_count} categories, components and substitutes "
            f"together, {PARTS_PER_CALL_MAX} can be saved in a call: split it",
            part_count=part_count,
            limit=PARTS_PER_CALL_MAX,
        )


# --- evolve


def evolve_products_saved(state: Products, event: ProductsSaved) -> None:
    """Store the new contents; names and sizes change no figure."""
    for product in event.products:
        old = state.fields(product.sku)
        new = product.fields
        state.by_sku[product.sku] = product
        if new.categories != old.categories:
            state.rule_version += 1
            state.version += 1
        elif new.backorder_policy != old.backorder_policy:
            state.version += 1


# --- views


def find_product(state: Products, sku: Sku, is_stocked: Callable[[Sku], bool]) -> Product | None:
    """Return a product, the default one for a SKU that only has stock, None for neither."""
    product = state.by_sku.get(sku)
    if product is None and is_stocked(sku):
        return Product(sku, _DEFAULT_FIELDS, TimeMs(0), TimeMs(0), Revision(0))
    return product


def get_products(
    state: Products, skus: Iterable[Sku], is_stocked: Callable[[Sku], bool]
) -> tuple[Product, ...]:
    """Return the products in the order asked or refuse with SKU_NOT_FOUND."""
    found = []
    for sku in skus:
        product = find_product(state, sku, is_stocked)
        if product is None:
            raise Rejected(
                Reason.SKU_NOT_FOUND,
                f"product {sku!r} does not exist: create it or write stock for it first",
                sku=sku,
            )
        found.append(product)
    return tuple(found)
