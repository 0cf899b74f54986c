"""The state: everything the service knows, as one value that only events change."""

from domgrpc.core.answers import KeptAnswers
from domgrpc.core.delta_memory import DeltaMemory
from domgrpc.core.inventory import Feeds
from domgrpc.core.logistics import Logistics
from domgrpc.core.network import Network
from domgrpc.core.order_book import Orders
from domgrpc.core.planner import Planner
from domgrpc.core.products import KnownSkus
from domgrpc.core.reservation_book import Reservations
from domgrpc.core.rule_set_book import RuleSets
from domgrpc.core.values import Limits, LocationIndex, Retention, Revision, Sku, TimeMs


class State:
    """Everything the service knows. Only events change it; caches inside are views."""

    __slots__ = (
        "answers",
        "feeds",
        "limits",
        "logistics",
        "memory",
        "network",
        "orders",
        "planner",
        "reservations",
        "retention",
        "revision",
        "rule_sets",
        "time_ms",
    )

    def __init__(self, limits: Limits) -> None:
        """Start empty at revision 0."""
        self.limits = limits
        self.network = Network(limits)
        # Not that of the limits: what a log replays to must not depend on settings.
        self.retention = Retention()
        self.memory = DeltaMemory(self.retention)
        self.feeds = Feeds(limits.sources_max)
        self.reservations = Reservations(limits, self.retention)
        self.logistics = Logistics(limits)
        self.rule_sets = RuleSets(limits)
        self.orders = Orders(limits, self.retention, self.network.stock.waiting)
        self.planner = Planner(self.network, self.logistics, self.rule_sets, self.orders)
        self.answers = KeptAnswers(self.retention)
        self.revision = Revision(0)
        self.time_ms = TimeMs(0)

    def retain(self, retention: Retention, now_ms: TimeMs) -> None:
        """Keep so much of the past from now on; O(what is forgotten)."""
        self.retention = retention
        self.memory.retain(retention)
        self.reservations.retain(retention)
        self.orders.retain(retention)
        self.answers.retain(retention, now_ms)

    def check_invariants(self) -> None:
        """Assert that all parts agree; O(everything)."""
        self.network.check_invariants()
        self.memory.check_invariants()
        self.logistics.check_invariants(self.network.locations)
        self.rule_sets.check_invariants()
        self.reservations.check_invariants()
        self.orders.check_invariants()
        self._check_claims()
        self.answers.check_invariants()

    def _check_claims(self) -> None:
        # What positions have reserved and allocated is what reservations and orders claim.
        claims = self.reservations.claims(self.network)
        for (sku, index), units in self.orders.claims(self.network).items():
            claims.setdefault(sku, {}).setdefault(index, [0, 0])[1] += units
        for stock in self.network.stock.skus():
            claimed = claims.pop(stock.sku, None)
            if claimed is None:
                assert not any(stock.soft_reserved)
                assert not any(stock.allocated)
                continue
            for slot, number in enumerate(stock.location_indexes):
                figures = [stock.soft_reserved[slot], stock.allocated[slot]]
                assert figures == claimed.pop(LocationIndex(number), [0, 0])
            assert not claimed
        assert not claims

    def known_skus(self) -> KnownSkus:
        """Return what is known of SKUs beside their products."""
        room_count = self.limits.skus_max - self.network.stock.sku_count
        return KnownSkus(self.is_stocked, room_count)

    def is_stocked(self, sku: Sku) -> bool:
        """Whether a SKU has ever been seen."""
        return self.network.stock.find(sku) is not None
