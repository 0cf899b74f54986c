"""The figures that are made of many timings."""

import os

from benchmarks.load_figures import median, percentile, processor_seconds, resident_bytes


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 3, 2]) == 2.5


def test_a_percentile_is_a_value_that_occurred() -> None:
    values = list(range(1, 101))
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7], 50) == percentile([7], 99) == 7


def test_a_process_uses_processor_time_and_memory() -> None:
    assert processor_seconds(os.getpid()) > 0
    assert resident_bytes(os.getpid()) > 1_000_000
