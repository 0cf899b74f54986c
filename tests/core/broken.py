"""What a bug of ours would do to planning, for tests of what becomes of the others."""

from domgrpc.core.reservations import Caller
from domgrpc.core.values import ClientId, RequestId, Revision, Stamp
from tests.core.given import Shop


class Breaking:
    """An address that breaks whoever looks at it, as a bug of ours would."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> object:
        raise self._fault


def timer(shop: Shop) -> Caller:
    """Return the timer as a caller."""
    at = Stamp(shop.now_ms, Revision(shop.state.revision + 1))
    return Caller(ClientId(""), RequestId(""), at)
