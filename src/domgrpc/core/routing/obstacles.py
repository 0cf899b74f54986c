"""Why an instance has no plan: looked for only once it is known that there is none."""

import numpy as np

from domgrpc.core.routing.instance import AnyInstance, Obstacle, Unservable


def obstacle_to(instance: AnyInstance) -> Unservable:
    """Return what stands in the way of any plan: stock, then groups, then the package limit."""
    terms = instance.terms
    quantities = np.array(instance.quantities, dtype=np.int64)
    units = np.array(instance.available, dtype=np.int64).reshape(len(quantities), -1)
    whole = frozenset(terms.alone).union(*terms.together)
    splits = [terms.may_split(line) and line not in whole for line in range(len(quantities))]
    most = units.max(axis=1, initial=0)
    # Clipped to what is needed, so that the sum of many cannot overflow.
    reachable = np.minimum(units, quantities[:, None]).sum(axis=1)
    enough = np.where(splits, reachable, most) >= quantities
    if not enough.all():
        return Unservable(Obstacle.STOCK, tuple(np.flatnonzero(~enough).tolist()))
    for group in terms.together:
        lines = list(group)
        if not (units[lines] >= quantities[lines, None]).all(axis=0).any():
            return Unservable(Obstacle.TOGETHER, tuple(sorted(group)))
    return Unservable(Obstacle.PACKAGES, ())
