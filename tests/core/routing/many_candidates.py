"""Seeded instances that are too large to look at every plan, for comparing methods."""

import numpy as np

from domgrpc.core.routing.instance import NEVER, Numbers


def draw_costs(seed: int, lot_count: int, candidate_count: int) -> tuple[Numbers, Numbers]:
    """Draw (costs, package costs): much stock or little, packages cheap or dear, some free."""
    chance = np.random.default_rng(seed)
    micros_max = int(chance.choice([1_000, 10**6]))
    costs = chance.integers(0, micros_max + 1, size=(lot_count, candidate_count))
    costs[chance.random(costs.shape) < chance.choice([0.1, 0.4, 0.7])] = NEVER
    costs[np.arange(lot_count), chance.integers(candidate_count, size=lot_count)] = 1
    dear = micros_max * int(chance.choice([1, 3, 20]))
    package_costs = chance.integers(dear // 2, dear + 1, candidate_count)
    package_costs[chance.random(candidate_count) < 0.1] = 0
    return costs, package_costs
