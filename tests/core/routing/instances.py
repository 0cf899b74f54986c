"""Small random instances: few numbers, so that ties, gaps in the stock and free packages abound."""

import msgspec
import numpy as np
from hypothesis import strategies as st

from domgrpc.core.routing.instance import (
    ArrayInstance,
    Instance,
    RateCard,
    Terms,
    WeightRates,
)

LINES_MAX = 4
CANDIDATES_MAX = 5


@st.composite
def instances(draw: st.DrawFn, *, weights: bool = False, splits: bool = False) -> Instance:
    """Draw an instance under any terms; with weights or splits only where asked for."""
    line_count = draw(st.integers(1, LINES_MAX))
    candidate_count = draw(st.integers(0, CANDIDATES_MAX))
    micros = st.integers(0, draw(st.sampled_from((2, 10, 1_000))))
    units = st.sampled_from((0, 1, 2, 3, 3, 3))

    def rows(cell: st.SearchStrategy[int]) -> list[list[int]]:
        row = st.lists(cell, min_size=candidate_count, max_size=candidate_count)
        return draw(st.lists(row, min_size=line_count, max_size=line_count))

    lines = draw(st.permutations(range(line_count)))
    together = draw(st.sampled_from((0, 0, 2, 3)))
    alone = draw(st.integers(0, 1))
    each_line = st.lists(st.booleans(), min_size=line_count, max_size=line_count).map(tuple)
    return Instance(
        quantities=draw(st.lists(st.integers(1, 3), min_size=line_count, max_size=line_count)),
        package_costs=draw(
            st.lists(st.just(0) | micros, min_size=candidate_count, max_size=candidate_count)
        ),
        unit_costs=rows(micros),
        available=rows(units),
        terms=Terms(
            unit_split=draw(st.booleans() | each_line) if splits else False,
            package_count_max=draw(st.integers(0, 3)),
            together=(tuple(sorted(lines[:together])),) if 1 < together <= line_count else (),
            alone=tuple(lines[together : together + alone]),
            weight_rates=draw(weight_rates(line_count, candidate_count)) if weights else None,
        ),
    )


@st.composite
def weight_rates(draw: st.DrawFn, line_count: int, candidate_count: int) -> WeightRates:
    """Draw rate cards, among them some by which two parcels are cheaper than a heavy one."""
    cards = draw(st.lists(rate_cards(), min_size=1, max_size=2))
    return WeightRates(
        tuple(draw(st.lists(st.integers(0, 6), min_size=line_count, max_size=line_count))),
        tuple(cards),
        draw(
            st.lists(
                st.integers(0, len(cards) - 1), min_size=candidate_count, max_size=candidate_count
            )
        ),
    )


@st.composite
def rate_cards(draw: st.DrawFn) -> RateCard:
    """Draw a rate card of one to three steps; the first may be that of what weighs nothing."""
    grams = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=3).filter(any)))
    prices = draw(st.lists(st.integers(0, 20), min_size=len(grams), max_size=len(grams)))
    return RateCard(tuple(grams), tuple(sorted(prices)), draw(st.sampled_from((0, 0, 3, 30))))


def as_arrays(instance: Instance) -> ArrayInstance:
    """Return the same instance as arrays."""
    shape = (len(instance.quantities), len(instance.package_costs))
    return ArrayInstance(
        quantities=instance.quantities,
        package_costs=np.array(instance.package_costs, dtype=np.int64),
        unit_costs=np.array(instance.unit_costs, dtype=np.int64).reshape(shape),
        available=np.array(instance.available, dtype=np.int64).reshape(shape),
        terms=instance.terms,
    )


def under(instance: Instance, terms: Terms) -> Instance:
    """Return the instance under other terms."""
    return msgspec.structs.replace(instance, terms=terms)
