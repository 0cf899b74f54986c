"""Where there is no plan the answer says what stands in the way."""

import msgspec
import pytest

from domgrpc.core.routing.instance import (
    Instance,
    Obstacle,
    RateCard,
    Solution,
    Terms,
    Unservable,
    WeightRates,
)
from domgrpc.core.routing.solver import solve
from domgrpc.core.routing.well_formed import check_instance
from tests.core.routing.instances import as_arrays, under

ORDER = Instance(
    quantities=[2, 1, 1],
    package_costs=[5, 6],
    unit_costs=[[1, 1], [1, 1], [1, 1]],
    available=[[2, 1], [0, 1], [1, 1]],
)
RATES = WeightRates((1, 1, 1), (RateCard((5,), (1,)),), [0, 0])


def refusal(instance: Instance) -> Unservable:
    """The refusal, which lists and arrays share."""
    answer = solve(instance)
    assert isinstance(answer, Unservable)
    assert solve(as_arrays(instance)) == answer
    return answer


@pytest.mark.parametrize("rates", [None, RATES])
@pytest.mark.parametrize("alone", [(), (0,)])
def test_lines_that_nobody_has_enough_of_are_named(
    alone: tuple[int, ...], rates: WeightRates | None
) -> None:
    terms = Terms(alone=alone, weight_rates=rates)
    scarce = under(msgspec.structs.replace(ORDER, quantities=[3, 1, 2]), terms)
    assert refusal(scarce) == Unservable(Obstacle.STOCK, (0, 2))


@pytest.mark.parametrize("rates", [None, RATES])
def test_split_lines_are_named_where_all_together_have_too_few(rates: WeightRates | None) -> None:
    terms = Terms(unit_split=(True, True, False), weight_rates=rates)
    assert isinstance(
        solve(under(msgspec.structs.replace(ORDER, quantities=[3, 1, 1]), terms)), Solution
    )
    short = under(msgspec.structs.replace(ORDER, quantities=[4, 1, 2]), terms)
    assert refusal(short) == Unservable(Obstacle.STOCK, (0, 2))


@pytest.mark.parametrize("rates", [None, RATES])
def test_lines_that_nobody_has_together_are_named(rates: WeightRates | None) -> None:
    terms = Terms(together=((0, 1),), weight_rates=rates)
    assert refusal(under(ORDER, terms)) == Unservable(Obstacle.TOGETHER, (0, 1))


@pytest.mark.parametrize(
    "terms",
    [
        Terms(package_count_max=1),
        Terms(package_count_max=1, unit_split=True),
        Terms(package_count_max=1, weight_rates=RATES),
        Terms(package_count_max=1, weight_rates=RATES, unit_split=True),
        Terms(package_count_max=1, alone=(1,)),
        Terms(package_count_max=1, alone=(1, 2), together=()),
    ],
)
def test_too_few_packages_are_told(terms: Terms) -> None:
    assert refusal(under(ORDER, terms)) == Unservable(Obstacle.PACKAGES, ())


def test_without_candidates_all_lines_are_named() -> None:
    empty = Instance(quantities=[1, 1], package_costs=[], unit_costs=[[], []], available=[[], []])
    assert refusal(empty) == Unservable(Obstacle.STOCK, (0, 1))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"quantities": [1, 1]}, "rows of"),
        ({"quantities": [0, 1, 1]}, "units"),
        ({"quantities": []}, "0 lines"),
        ({"package_costs": [-1, 0]}, "package cost"),
        ({"unit_costs": [[1, 1], [1, -1], [1, 1]]}, "unit cost"),
        ({"unit_costs": [[1, 1], [1, 1], [1, 1 << 50]]}, "could cost"),
        ({"terms": Terms(alone=(3,))}, "unknown"),
        ({"terms": Terms(alone=(0,), together=((0, 1),))}, "two terms"),
        ({"terms": Terms(together=((0,),))}, "one line"),
        ({"terms": Terms(package_count_max=-1)}, "limit"),
        ({"terms": Terms(unit_split=(True,))}, "by line"),
        ({"terms": Terms(weight_rates=WeightRates((1, 1), RATES.cards, [0, 0]))}, "by line"),
        ({"terms": Terms(weight_rates=WeightRates((1, 1, -1), RATES.cards, [0, 0]))}, "weight"),
        ({"terms": Terms(weight_rates=WeightRates((1, 1, 1), RATES.cards, [0]))}, "by candidate"),
        ({"terms": Terms(weight_rates=WeightRates((1, 1, 1), RATES.cards, [0, 1]))}, "card"),
        (
            {
                "terms": Terms(
                    weight_rates=WeightRates((1, 1, 1), (RateCard((2, 1), (1, 1)),), [0, 0])
                )
            },
            "order",
        ),
        (
            {
                "terms": Terms(
                    weight_rates=WeightRates((1, 1, 1), (RateCard((1, 2), (2, 1)),), [0, 0])
                )
            },
            "falling",
        ),
    ],
)
def test_what_is_no_instance_is_found(change: dict[str, object], what: str) -> None:
    check_instance(ORDER)
    check_instance(under(ORDER, Terms(weight_rates=RATES, unit_split=True)))
    with pytest.raises(AssertionError, match=what):
        check_instance(msgspec.structs.replace(ORDER, **change))
