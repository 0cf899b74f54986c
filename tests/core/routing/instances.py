"""Small random instances: few numbers, so that ties, gaps in the stock and free packages abound."""

from hypothesis import strategies as st

from domgrpc.core.routing.instance import Instance, Terms


@st.composite
def whole_instances(draw: st.DrawFn) -> Instance:
    """Draw an instance whose lines are sent whole, under any terms but weights."""
    line_count = draw(st.integers(1, 4))
    candidate_count = draw(st.integers(0, 6))
    micros = st.integers(0, draw(st.sampled_from((2, 10, 1_000))))
    units = st.sampled_from((0, 1, 2, 3, 3, 3))

    def rows(cell: st.SearchStrategy[int]) -> list[list[int]]:
        row = st.lists(cell, min_size=candidate_count, max_size=candidate_count)
        return draw(st.lists(row, min_size=line_count, max_size=line_count))

    lines = draw(st.permutations(range(line_count)))
    together = draw(st.sampled_from((0, 0, 2, 3)))
    alone = draw(st.integers(0, 1))
    return Instance(
        quantities=draw(st.lists(st.integers(1, 3), min_size=line_count, max_size=line_count)),
        package_costs=draw(
            st.lists(st.just(0) | micros, min_size=candidate_count, max_size=candidate_count)
        ),
        unit_costs=rows(micros),
        available=rows(units),
        terms=Terms(
            package_count_max=draw(st.integers(0, 3)),
            together=(tuple(sorted(lines[:together])),) if 1 < together <= line_count else (),
            alone=tuple(lines[together : together + alone]),
        ),
    )
