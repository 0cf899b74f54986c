"""What changes of orders do to positions: what their work claims, and what left."""

from domgrpc.core.order_commands import ClaimChange
from domgrpc.core.orders import FulfillmentOrder, FulfillmentState, is_claiming
from domgrpc.core.values import LocationId, Quantity, Sku


def claim_changes(
    before: tuple[FulfillmentOrder, ...], after: tuple[FulfillmentOrder, ...]
) -> tuple[ClaimChange, ...]:
    """Return what it does to positions that the work before becomes the work after.

    Units of work that leaves fall from on_hand too. By SKU and location; O(both).
    """
    allocated: dict[tuple[Sku, LocationId], int] = {}
    on_hand: dict[tuple[Sku, LocationId], int] = {}
    for work, sign in (*((work, -1) for work in before), *((work, 1) for work in after)):
        if work.state is FulfillmentState.CANCELLED:
            continue
        claiming = is_claiming(work)
        figures = allocated if claiming else on_hand
        for line in work.lines:
            key = (line.sku, work.location_id)
            units = line.quantity if claiming else -line.quantity
            figures[key] = figures.get(key, 0) + sign * units
    changes = (
        ClaimChange(*key, allocated.get(key, 0), on_hand.get(key, 0))
        for key in sorted({**allocated, **on_hand})
    )
    return tuple(each for each in changes if each.allocated_delta or each.on_hand_delta)


def planned_claims(works: tuple[FulfillmentOrder, ...]) -> tuple[ClaimChange, ...]:
    """Return what new work claims: `claim_changes` from nothing, without its bookkeeping."""
    claims = [
        ClaimChange(line.sku, work.location_id, Quantity(line.quantity))
        for work in works
        for line in work.lines
    ]
    if len(claims) > 1:
        keys = {(claim.sku, claim.location_id) for claim in claims}
        if len(keys) < len(claims):
            return claim_changes((), works)
    return tuple(claims)
