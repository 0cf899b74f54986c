"""What the methods answer to the entrance: the candidates of the best plan, and the proof."""

import msgspec


class Found(msgspec.Struct, frozen=True, array_like=True):
    """The best plan found; each lot comes from the cheapest of the candidates chosen."""

    chosen: tuple[int, ...]
    """Lowest first."""
    cost: int
    lower_bound: int
    node_count: int
    next_one: tuple[int, int] | None = None
    """Where one candidate sends all: (cost, candidate) of the next best that could."""
