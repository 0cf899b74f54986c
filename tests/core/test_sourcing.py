"""Sourcing: fewest locations first, then the highest available; against brute force."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.rejections import Reason, Rejection
from domgrpc.core.reservations import Reservation
from tests.core.commands import (
    demand,
    disable,
    group,
    limited,
    on_hand,
    place,
    product,
    reserve,
    rule,
)
from tests.core.given import Shop, quantities, sources
from tests.core.scope_words import at_locations, in_groups

NAMES = "ABCDE"
Stocked = dict[str, dict[str, int]]
"""Units by SKU and location."""


def stocked(shop: Shop, units: Stocked) -> Shop:
    """Create the locations and count the stock."""
    shop.given(*(place(name) for name in NAMES))
    return shop.given(*(on_hand(sku, **by_location) for sku, by_location in units.items()))


def used(shop: Shop, *needs: tuple[str, int], count_max: int = 0) -> str:
    """Return the locations that a preview of a hold uses, in order of their name."""
    lines = tuple((sku, "", units) for sku, units in needs)
    asked = reserve(*lines, location_count_max=count_max)
    outcome = shop.send(asked, validate_only=True).outcome
    return "".join(sorted(set(sources(outcome)))) if isinstance(outcome, Reservation) else "none"


# --- one SKU


def test_one_location_is_better_than_two(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 4, "C": 9}})
    assert used(shop, ("x", 9)) == "C"


def test_of_locations_that_have_enough_the_fullest_is_used(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 8, "C": 6}})
    assert used(shop, ("x", 5)) == "B"
    shop.given(reserve(("x", "B", 3)))
    assert used(shop, ("x", 5)) == "C"


def test_of_locations_as_full_the_one_created_first_is_used(shop: Shop) -> None:
    stocked(shop, {"x": {"B": 5, "A": 5}})
    assert used(shop, ("x", 5)) == "A"


def test_where_none_has_enough_the_fullest_are_emptied_first(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 2, "B": 8, "C": 6, "D": 7}})
    held = shop.holds(reserve(("x", "", 16)))
    assert quantities(held) == {("x", "B"): 8, ("x", "C"): 1, ("x", "D"): 7}


def test_so_many_locations_at_most_are_used(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 4, "C": 3}})
    assert used(shop, ("x", 9), count_max=1) == "none"
    assert used(shop, ("x", 9), count_max=2) == "AB"
    assert used(shop, ("x", 10), count_max=2) == "none"
    assert used(shop, ("x", 10), count_max=3) == "ABC"


def test_a_partial_hold_uses_so_many_locations_at_most(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 4, "C": 3}})
    held = shop.holds(reserve(("x", "", 12), location_count_max=2, allow_partial=True))
    assert quantities(held) == {("x", "A"): 5, ("x", "B"): 4}


def test_the_limit_counts_the_locations_of_lines_without_a_location(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 4}, "y": {"C": 3}})
    held = shop.holds(reserve(("x", "", 5), ("y", "C", 1), location_count_max=1))
    assert quantities(held) == {("x", "A"): 5, ("y", "C"): 1}


def test_backorders_may_keep_a_hold_within_its_number_of_locations(shop: Shop) -> None:
    shop.given(place("A", backorder=True), place("B"), product("x", backorder=limited(9)))
    shop.given(on_hand("x", A=5, B=6))
    assert used(shop, ("x", 11)) == "AB"
    assert used(shop, ("x", 11), count_max=1) == "A"
    assert used(shop, ("x", 6), count_max=1) == "B"


# --- where it may pick


def test_a_hold_is_picked_within_its_scope(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 8, "C": 6, "D": 7}})
    shop.given(group("ac", "A", "C"), group("d", "D"))
    assert sources(shop.holds(reserve(("x", "", 1), scope=at_locations("A", "D")))) == ["D"]
    assert sources(shop.holds(reserve(("x", "", 1), scope=in_groups("ac")))) == ["C"]
    assert sources(shop.holds(reserve(("x", "", 11), scope=in_groups("ac", "d")))) == ["A", "D"]
    shop.refusal(reserve(("x", "", 99), scope=in_groups("ac", "d")))


def test_closed_locations_and_withheld_units_are_left_alone(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 8, "C": 6}})
    shop.given(disable("B"), rule("keep", 4, location="C", channel="web"))
    assert used(shop, ("x", 5)) == "C"
    web = reserve(("x", "", 7), demand=demand("web"))
    assert quantities(shop.holds(web)) == {("x", "A"): 5, ("x", "C"): 2}


# --- several SKUs


def test_one_location_for_everything_is_better_than_the_fullest_for_each(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 9, "C": 2}, "y": {"B": 9, "C": 2}})
    assert used(shop, ("x", 2), ("y", 2)) == "C"
    assert used(shop, ("x", 2), ("y", 3)) == "AB"


def test_of_locations_that_have_everything_the_one_with_most_of_it_is_used(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 9, "B": 3}, "y": {"A": 2, "B": 9}, "z": {"A": 99}})
    assert used(shop, ("x", 2), ("y", 2)) == "B"


def test_two_locations_are_better_than_three(shop: Shop) -> None:
    stocked(
        shop,
        {"w": {"A": 9, "B": 1}, "x": {"B": 1, "C": 9}, "y": {"D": 9, "E": 1}, "z": {"E": 1}},
    )
    assert used(shop, ("w", 1), ("x", 1), ("y", 1), ("z", 1)) == "BE"


def test_three_locations_are_better_than_four(shop: Shop) -> None:
    stocked(
        shop,
        {
            "v": {"A": 9, "E": 1},
            "w": {"B": 9, "E": 1},
            "x": {"C": 2},
            "y": {"D": 2},
            "z": {"A": 3, "B": 3},
        },
    )
    needs = tuple((sku, 1) for sku in "vwxy")
    assert used(shop, *needs) == "CDE"
    assert used(shop, *needs, count_max=2) == "none"
    assert used(shop, *needs, ("z", 1)) == "ABCD"


def test_of_two_locations_that_have_everything_together_the_fullest_are_used(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 2, "B": 2, "C": 4, "D": 3}, "y": {"A": 2, "B": 2, "C": 3, "D": 4}})
    assert used(shop, ("x", 6), ("y", 6)) == "CD"


def test_a_sku_that_no_location_has_enough_of_is_taken_where_others_are(shop: Shop) -> None:
    stocked(shop, {"x": {"A": 5, "B": 5, "C": 6}, "y": {"A": 1}})
    assert used(shop, ("x", 10), ("y", 1)) in ("AB", "AC")


def test_many_skus_are_covered_by_one_location_where_there_is_one(shop: Shop) -> None:
    skus = [f"sku-{number}" for number in range(12)]
    stocked(shop, {sku: {"A": 9, "B": 1, "C": 9} for sku in skus})
    shop.given(on_hand(skus[0], A=0), on_hand(skus[1], C=0))
    assert used(shop, *((sku, 1) for sku in skus)) == "B"
    assert used(shop, *((sku, 2) for sku in skus)) == "AC"


def test_many_skus_that_need_several_locations_find_them(shop: Shop) -> None:
    skus = [f"sku-{number:02}" for number in range(12)]
    homes = "AAAAABBBBCCC"
    stocked(shop, {sku: {home: 3} for sku, home in zip(skus, homes, strict=True)})
    shop.given(*(on_hand(sku, D=2) for sku in skus[::2]))
    assert used(shop, *((sku, 3) for sku in skus)) == "ABC"


# --- brute force

UNITS = st.integers(0, 4)
STOCK = st.lists(
    st.tuples(*(UNITS for _ in NAMES)).map(lambda row: dict(zip(NAMES, row, strict=True))),
    min_size=1,
    max_size=4,
)


def smallest(units: Stocked, needs: dict[str, int], *, whole: bool) -> int | None:
    """Return the least number of locations that serve all needs, None where all do not."""
    for size in range(len(NAMES) + 1):
        for names in combinations(NAMES, size):
            enough = max if whole else sum
            if all(
                need <= (enough(units[sku][name] for name in names) if names else 0)
                for sku, need in needs.items()
            ):
                return size
    return None


@pytest.mark.slow
@given(rows=STOCK, asked=st.tuples(*(st.integers(1, 7) for _ in range(4))))
def test_no_hold_uses_more_locations_than_it_must(
    rows: list[dict[str, int]], asked: tuple[int, ...]
) -> None:
    units = {f"sku-{number}": row for number, row in enumerate(rows)}
    needs = dict(zip(units, asked, strict=False))
    shop = stocked(Shop(), units)
    outcome = shop.send(reserve(*((sku, "", need) for sku, need in needs.items()))).outcome
    fewest = smallest(units, needs, whole=False)
    if fewest is None:
        assert isinstance(outcome, Rejection)
        short = {line.sku: line.available_quantity for line in outcome.short_lines}
        there = {sku: sum(row.values()) for sku, row in units.items()}
        assert short == {sku: there[sku] for sku in units if there[sku] < needs[sku]}
        return
    assert isinstance(outcome, Reservation)
    taken = quantities(outcome)
    for sku, need in needs.items():
        assert sum(got for (name, _), got in taken.items() if name == sku) == need
    assert all(got <= units[sku][name] for (sku, name), got in taken.items())
    count = len(set(sources(outcome)))
    as_wholes = smallest(units, needs, whole=True)
    assert fewest <= count
    assert count == fewest or (len(needs) > 1 and fewest > 2)
    assert as_wholes is None or count <= as_wholes


@pytest.mark.slow
@given(row=STOCK.map(lambda rows: rows[0]), asked=st.integers(1, 14), count_max=st.integers(1, 5))
def test_one_sku_within_so_many_locations_is_the_sum_of_the_fullest(
    row: dict[str, int], asked: int, count_max: int
) -> None:
    shop = stocked(Shop(), {"x": row})
    possible = sum(sorted(row.values(), reverse=True)[:count_max])
    line = ("x", "", asked)
    partial = reserve(line, location_count_max=count_max, allow_partial=True)
    some = shop.send(partial, validate_only=True).outcome
    assert isinstance(some, Reservation) == (possible > 0)
    if isinstance(some, Reservation):
        assert sum(quantities(some).values()) == min(asked, possible)
        assert len(some.lines) <= count_max
    outcome = shop.send(reserve(line, location_count_max=count_max)).outcome
    assert isinstance(outcome, Reservation) == (asked <= possible)
    if isinstance(outcome, Reservation):
        assert len(outcome.lines) == smallest({"x": row}, {"x": asked}, whole=False)
        assert sum(quantities(outcome).values()) == asked
    else:
        assert isinstance(outcome, Rejection)
        assert [each.available_quantity for each in outcome.short_lines] == [possible]


@pytest.mark.slow
@given(
    rows=STOCK,
    asked=st.tuples(*(st.integers(1, 7) for _ in range(4))),
    count_max=st.integers(1, 4),
    allow_partial=st.booleans(),
)
def test_several_skus_keep_within_so_many_locations(
    rows: list[dict[str, int]], asked: tuple[int, ...], count_max: int, *, allow_partial: bool
) -> None:
    units = {f"sku-{number}": row for number, row in enumerate(rows)}
    needs = dict(zip(units, asked, strict=False))
    command = reserve(
        *((sku, "", need) for sku, need in needs.items()),
        location_count_max=count_max,
        allow_partial=allow_partial,
    )
    outcome = stocked(Shop(), units).send(command).outcome
    fewest = smallest(units, needs, whole=False)
    if fewest is not None and fewest <= min(count_max, 2):
        assert isinstance(outcome, Reservation)
        assert outcome.short_lines == ()
    if isinstance(outcome, Reservation):
        assert len(set(sources(outcome))) <= count_max
        taken = quantities(outcome)
        assert all(0 < got <= units[sku][name] for (sku, name), got in taken.items())
        for sku, need in needs.items():
            got = sum(each for (name, _), each in taken.items() if name == sku)
            missing = [line for line in outcome.short_lines if line.sku == sku]
            assert got == need or (
                allow_partial and [line.available_quantity for line in missing] == [got]
            )


# --- many SKUs


def covered_greedily(offered: Stocked, wanted: int) -> dict[str, str]:
    """Return where each SKU is taken from: again and again from where most of the rest lie."""
    left = [sku for sku in offered if max(offered[sku].values()) >= wanted]
    chosen: dict[str, str] = {}
    while left:
        gains = []
        for name in NAMES:
            served = [offered[sku].get(name, 0) for sku in left]
            whole = [units for units in served if units >= wanted]
            gains.append((-len(whole), -sum(whole), name))
        best = min(gains)[2]
        chosen |= {sku: best for sku in left if offered[sku].get(best, 0) >= wanted}
        left = [sku for sku in left if sku not in chosen]
    return chosen


@pytest.mark.parametrize("seed", range(20))
def test_many_skus_are_covered_by_taking_again_and_again_from_where_most_lie(seed: int) -> None:
    random = Random(seed)
    offered = {
        f"x{number}": {name: random.randint(1, 4) for name in random.sample(NAMES, 2)}
        for number in range(24)
    }
    shop = stocked(Shop(steps_per_check=100), offered)
    whole = [sku for sku in offered if max(offered[sku].values()) >= 3]
    assert len(whole) > 8
    held = shop.holds(reserve(*((sku, "", 3) for sku in whole)))
    assert {line.sku: line.location_id for line in held.lines} == covered_greedily(
        {sku: offered[sku] for sku in whole}, 3
    )


@pytest.mark.slow
def test_a_hold_that_would_be_spread_too_far_is_refused_before_it_is_drafted() -> None:
    shop = Shop(steps_per_check=1_000)
    names = [f"s{number}" for number in range(101)]
    shop.given(*(place(name) for name in names))
    shop.given(*(on_hand(f"x{at}", **dict.fromkeys(names, 1)) for at in range(100)))
    wide = reserve(*((f"x{number}", "", 101) for number in range(100)))
    assert shop.refuses(wide) is Reason.TOO_MANY_LINES
    few = reserve(
        *((f"x{number}", "", 101) for number in range(100)),
        location_count_max=2,
        allow_partial=True,
    )
    assert len(shop.holds(few).lines) == 200
