"""How much time a call has: what a caller gets who says nothing, and the most that anybody gets.

Admission refuses what would take longer, and nothing is begun that is late. A caller that waits
for minutes would otherwise hold a place in the queue for minutes.
"""

import math
from collections.abc import Mapping

import msgspec

from domgrpc.rpc.scopes import SCOPES, Scope


class Allowance(msgspec.Struct, frozen=True):
    """The time of a call in seconds."""

    unsaid_seconds: float
    """Where the caller names no deadline."""
    seconds_max: float

    def seconds(self, said_seconds: float | None) -> float:
        """Return how long a call may take whose caller gives it so long."""
        if said_seconds is None:
            return self.unsaid_seconds
        return min(said_seconds, self.seconds_max)


READING = Allowance(unsaid_seconds=2.0, seconds_max=30.0)
WRITING = Allowance(unsaid_seconds=5.0, seconds_max=30.0)
OPEN_ENDED = Allowance(unsaid_seconds=math.inf, seconds_max=math.inf)
"""For streams, and for what one caller at a time may start and is long by nature."""

_OTHERS: Mapping[str, Allowance] = {
    "domgrpc.v1.AdminService/GetStatus": READING,
    "domgrpc.v1.AdminService/CreateSnapshot": OPEN_ENDED,
    "domgrpc.v1.AdminService/VerifyState": OPEN_ENDED,
    "domgrpc.v1.RoutingService/DryRunRuleSet": OPEN_ENDED,
    "domgrpc.v1.RoutingService/ReoptimizeBacklog": OPEN_ENDED,
}


def allowance_of(path: str) -> Allowance:
    """Return what calls of a method get; for one that gives one answer, as `service/method`."""
    other = _OTHERS.get(path)
    if other is not None:
        return other
    return READING if SCOPES[path] is Scope.READ else WRITING
