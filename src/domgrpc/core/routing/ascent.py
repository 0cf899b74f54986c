"""Dual ascent: the prices that bound a plan's cost from below (Erlenkotter 1978).

See `search.py` for why the sum of the prices is a bound as long as no slack is below 0. The ascent
goes round the lots and raises each price to the next cost at which one more candidate would be
paid by it, or until a candidate that it pays already has no slack left. Small steps in turn spread
the slack over the lots, which gives a better bound than raising each as far as it can go.
"""

from collections.abc import Sequence

Row = Sequence[int]


def raise_prices(prices: list[int], tops: list[int], rows: Sequence[Row], slacks: list[int]) -> int:
    """Raise the prices of the lots, none above its top, and return their sum.

    `rows` are the lots' costs from the candidates to which the slacks belong; prices and slacks
    change in place. A sum of a top or more that stands for the impossible says that a lot has no
    candidate left.
    """
    open_lots = [lot for lot, price in enumerate(prices) if price < tops[lot]]
    while open_lots:
        open_lots = [
            lot for lot in open_lots if _raise_one(prices, lot, (tops[lot], rows[lot]), slacks)
        ]
    return sum(prices)


def _raise_one(prices: list[int], lot: int, limits: tuple[int, Row], slacks: list[int]) -> bool:
    # One step of one price; False where it is stuck, for which it then stays: slacks only shrink.
    price = prices[lot]
    step, row = limits
    payers = []
    for place, cost in enumerate(row):
        if cost <= price:
            payers.append(place)
            step = min(step, price + slacks[place])
        elif cost < step:
            step = cost
    if step == price:
        return False
    prices[lot] = step
    for place in payers:
        slacks[place] -= step - price
    return True
