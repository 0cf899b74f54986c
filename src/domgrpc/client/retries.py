"""When a call is tried again, and how long that waits.

Only what surely had no lasting effect, or is safe by its request_id, is repeated: UNAVAILABLE,
and RESOURCE_EXHAUSTED where the server says when to come back. Waits grow exponentially with
full jitter. A budget keeps retries below a share of the calls, so that clients do not bury a
server that is in trouble; the deadline of the call bounds everything.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from domgrpc.client.errors import DomgrpcError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon calls are repeated.

    The wait before retry n is a random part of `first_wait_seconds` * 2^n, never more than
    `wait_seconds_max`. Retries may add `budget_share` to the calls, and `budget_reserve` more
    before that share has been earned; a share of 0 with a reserve of 0 switches retries off.
    """

    first_wait_seconds: float = 0.05
    wait_seconds_max: float = 1.0
    budget_share: float = 0.1
    budget_reserve: float = 10.0


class Retries:
    """The policy with the state of its budget; one for each client."""

    __slots__ = ("_chance", "_policy", "_tokens")

    def __init__(self, policy: RetryPolicy, chance: Callable[[], float] = random.random) -> None:
        """Start with a full reserve; `chance` gives numbers from 0 to 1."""
        self._policy = policy
        self._chance = chance
        self._tokens = policy.budget_reserve

    def earn(self) -> None:
        """Count a call that is made for the first time."""
        policy = self._policy
        if self._tokens < policy.budget_reserve:
            self._tokens = min(policy.budget_reserve, self._tokens + policy.budget_share)

    def wait_seconds(
        self, error: DomgrpcError, *, retry_count: int, seconds_left: float
    ) -> float | None:
        """Return how long to wait before the next try and pay for it; None for no further try."""
        if not may_repeat(error) or self._tokens < 1:
            return None
        wait_seconds = (error.retry_delay_seconds or 0.0) + self.backoff_seconds(retry_count)
        if wait_seconds >= seconds_left:
            return None
        self._tokens -= 1
        return wait_seconds

    def backoff_seconds(self, retry_count: int) -> float:
        """Return a random wait that grows with the number of retries so far."""
        policy = self._policy
        # Beyond 2^30 the cap holds anyway, and the power must not overflow in a long outage.
        ceiling = policy.first_wait_seconds * 2.0 ** min(retry_count, 30)
        return self._chance() * min(ceiling, policy.wait_seconds_max)


def may_repeat(error: DomgrpcError) -> bool:
    """Say whether the same call may succeed a little later."""
    if error.code is grpc.StatusCode.UNAVAILABLE:
        return True
    has_advice = error.retry_delay_seconds is not None
    return error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and has_advice
