"""What clients of a small shop chain do, chosen by a seeded die: every kind of command.

Names come from short lists, so that clients get in each other's way all the time. Of the answers
the workload knows only which holds exist, so that a good part of what it asks can be done; that
the rest is refused is part of the point. The auditor's verdicts rest on two habits of it: of each
kind of rule it keeps at most one, and it updates display names and fixed quantities only.
"""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import DeleteLocationGroup, UpdateLocationGroup
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.safety_stock import RuleFields, RuleKind, UpdateSafetyStockRule
from domgrpc.core.scopes import Scope
from domgrpc.core.stock_changes import StockUpdate
from domgrpc.core.values import (
    DeliveryMethod,
    Demand,
    GroupId,
    LocationId,
    LocationType,
    Quantity,
    RuleId,
    Sku,
    StockCondition,
)
from tests.core import commands as say
from tests.core import scope_words
from tests.simulation.order_workload import POINTS, Names, OrderWorkload
from tests.simulation.routing_workload import RoutingWorkload

T = TypeVar("T")

SKUS = tuple(f"sku-{number}" for number in range(8))
PLACES = tuple(f"place-{number}" for number in range(6))
NEW_PLACES = tuple(f"new-{number}" for number in range(5))
BACKORDER_PLACES = PLACES[:1]
GROUPS = ("east", "west")
RULES: dict[str, RuleKind] = {
    "keep": RuleKind.SAFETY_STOCK,
    "least": RuleKind.FULFILLMENT_MINIMUM,
    "low": RuleKind.LOW_STOCK,
    "out": RuleKind.OUT_OF_STOCK,
}
SOURCES = ("till-1", "till-2")
KINDS = (LocationType.STORE, LocationType.HUB, LocationType.VIRTUAL)
METHODS = (DeliveryMethod.SHIP_TO_HOME, DeliveryMethod.PICKUP)
ETAGS = ("", "", "", "", "7")
IDS_KEPT = 40
SELLABLE, DAMAGED = StockCondition.SELLABLE, StockCondition.DAMAGED


class Workload:
    """See the module. `now_ms` says roughly what time the service has."""

    def __init__(
        self,
        random: Random,
        now_ms: Callable[[], int],
        *,
        ttl_ms_max: int,
        is_plain: bool = False,
        order_weight: int = 1,
    ) -> None:
        self._random = random
        self._draw = random.random
        self._now_ms = now_ms
        self._ttl_ms_max = ttl_ms_max
        self._ids: deque[str] = deque(["nobody"], maxlen=IDS_KEPT)
        self._id_count = 0
        self._sequences = dict.fromkeys(SOURCES, 0)
        names = Names(SKUS, PLACES, self._scope, lambda: self._pick(self._ids), self._etag)
        self.orders = OrderWorkload(random, now_ms, names, is_plain=is_plain)
        self.routing = RoutingWorkload(random, PLACES, self._etag, is_plain=is_plain)
        # The weights make holds and stock the bulk, and the rest frequent enough to meet them.
        makers: list[tuple[int, Callable[[], Command]]] = [
            (180, self._reserve),
            (30, self._change),
            (18, self._relocate),
            (72, self._confirm),
            (48, self._release),
            (48, self._settle),
            (96, self._stock),
            (18, self._feed),
            (3, self._place),
            (6, self._update_place),
            (6, self._set_state),
            (6 * min(4, order_weight), self._group),
            (6, self._product),
            (6, self._rule),
            *((weight * order_weight, maker) for weight, maker in self.orders.makers),
            *self.routing.makers,
        ]
        self._makers = [maker for weight, maker in makers for _ in range(weight)]

    def opening(self) -> list[Command]:
        """Return what is asked first, so that there is something to sell."""
        kinds = LocationType.STORE, LocationType.DISTRIBUTION_CENTER
        opening: list[Command] = [
            say.place(
                name,
                kinds[number % 2],
                at=POINTS[number % len(POINTS)],
                backorder=name in BACKORDER_PLACES,
            )
            for number, name in enumerate(PLACES)
        ]
        return opening + [say.on_hand(sku, **dict.fromkeys(PLACES, 20)) for sku in SKUS]

    def command(self) -> Command:
        """Return the next command."""
        return self._pick(self._makers)()

    def held(self, reservation_id: str) -> None:
        """Note a hold that exists, for commands to come."""
        self._ids.append(reservation_id)

    # --- holds

    def _reserve(self) -> Command:
        self._id_count += 1
        name = f"hold-{self._id_count}" if self._draw() < 0.95 else self._pick(self._ids)
        lines = [self._line() for _ in range(1 if self._draw() < 0.6 else 1 + self._below(3))]
        if self._draw() < 0.5:
            return say.reserve(*lines, as_id=name, ttl_ms=self._ttl_ms())
        return say.reserve(
            *lines,
            as_id=name,
            ttl_ms=self._ttl_ms(),
            demand=self._demand(),
            scope=self._scope(),
            allow_partial=self._draw() < 0.2,
            in_stock_only=self._draw() < 0.2,
            location_count_max=self._pick((0, 0, 1, 2)),
        )

    def _change(self) -> Command:
        ttl_ms = self._ttl_ms() if self._draw() < 0.5 else None
        lines = [self._line(smallest=0) for _ in range(self._below(3))]
        return say.change(
            self._pick(self._ids), *lines, ttl_ms=ttl_ms, scope=self._scope(), etag=self._etag()
        )

    def _relocate(self) -> Command:
        source, target = self._pick(PLACES), self._pick(("", self._pick(PLACES)))
        sku, units = self._pick(SKUS), self._below(3)
        return say.relocate(self._pick(self._ids), sku, source, target, units=units)

    def _confirm(self) -> Command:
        revive = self._draw() < 0.3
        return say.confirm(self._pick(self._ids), revive=revive, etag=self._etag())

    def _release(self) -> Command:
        return say.release(self._pick(self._ids), etag=self._etag())

    def _settle(self) -> Command:
        settle = say.ship if self._draw() < 0.5 else say.cancel
        name = self._pick(self._ids)
        if self._draw() < 0.7:
            return settle(name)
        return settle(name, (self._pick(SKUS), self._pick(PLACES), 1 + self._below(2)))

    # --- stock

    def _stock(self) -> Command:
        return say.stock(*(self._update() for _ in range(1 + self._below(3))))

    def _feed(self) -> Command:
        source = self._pick(SOURCES)
        self._sequences[source] += self._below(4) > 0
        updates = [self._update() for _ in range(1 + self._below(4))]
        return say.feed(max(1, self._sequences[source]), *updates, source=source)

    def _update(self) -> StockUpdate:  # noqa: PLR0911 - one case for each kind
        sku, name, units = self._pick(SKUS), self._pick(PLACES), self._below(6)
        match self._below(12):
            case 0:
                as_of_ms = self._soon_ms(-60_000, 5_000) if self._draw() < 0.5 else None
                return say.count(sku, name, units + 5, as_of_ms=as_of_ms)
            case 1:
                return say.move(sku, name, units, to=self._pick(PLACES))
            case 2:
                conditions = self._pick(((SELLABLE, DAMAGED), (DAMAGED, SELLABLE)))
                return say.move(sku, name, units, conditions=conditions)
            case 3:
                return say.announce(sku, name, units, due_ms=self._soon_ms(-5_000, 90_000))
            case 4:
                return say.receive(sku, name, units, close=self._draw() < 0.5)
            case 5:
                return say.count(sku, name, units + 5, expected=self._below(20))
            case 6:
                as_of_ms = self._soon_ms(-60_000, 5_000)
                return say.adjust(sku, name, self._below(9) - 3, as_of_ms=as_of_ms)
            case _:
                return say.adjust(sku, name, self._below(13) - 3)

    # --- places, products, rules

    def _place(self) -> Command:
        name = self._pick(NEW_PLACES)
        at = POINTS[0] if name == NEW_PLACES[0] else None
        return say.place(name, self._pick(KINDS), at=at)

    def _update_place(self) -> Command:
        name = self._pick(PLACES)
        enabled = name in BACKORDER_PLACES and self._draw() < 0.5
        fields = LocationFields(display_name=self._word(), backorder_enabled=enabled)
        return UpdateLocation(location_id=LocationId(name), fields=fields, etag=self._etag())

    def _set_state(self) -> Command:
        if self._draw() < 0.6:
            return say.enable(self._pick(PLACES))
        start_ms = self._soon_ms(-2_000, 20_000)
        end_ms = start_ms + 1 + self._below(5_000)
        return say.disable(self._pick(PLACES), start_ms=start_ms, end_ms=end_ms)

    def _group(self) -> Command:
        name = self._pick(GROUPS)
        members = tuple(self._pick(PLACES) for _ in range(1 + self._below(3)))
        match self._below(4):
            case 0:
                return DeleteLocationGroup(group_id=GroupId(name), etag=self._etag())
            case 1:
                ids = tuple(LocationId(member) for member in members)
                return UpdateLocationGroup(group_id=GroupId(name), location_ids=ids)
            case _:
                return say.group(name, *members)

    def _product(self) -> Command:
        sku = self._pick(SKUS)
        if self._draw() < 0.5:
            policy = self._pick((say.limited(2), say.unlimited(), say.from_inbound(1)))
            return say.product(sku, backorder=policy)
        fields = ProductFields(display_name=self._word())
        return UpdateProducts(
            products=((Sku(sku), fields),), field_names=("display_name",), allow_missing=True
        )

    def _rule(self) -> Command:
        name = self._pick(tuple(RULES))
        kind, units = RULES[name], self._below(3)
        match self._below(5):
            case 0 | 1:
                return say.no_rule(name)
            case 2:
                fields = RuleFields(kind, fixed_quantity=Quantity(units))
                return UpdateSafetyStockRule(
                    rule_id=RuleId(name), fields=fields, field_names=("fixed_quantity",)
                )
            case _:
                start_ms = self._soon_ms(-5_000, 20_000)
                window_ms = (start_ms, start_ms + 20_000)
                return say.rule(name, units, kind=kind, window_ms=window_ms)

    # --- words

    def _line(self, smallest: int = 1) -> tuple[str, str, int]:
        name = "" if self._draw() < 0.3 else self._pick(PLACES)
        return self._pick(SKUS), name, smallest + self._below(3)

    def _scope(self) -> Scope:
        match self._below(8):
            case 0:
                return scope_words.in_groups(self._pick(GROUPS))
            case 1:
                other = self._pick((self._pick(PLACES), self._pick(NEW_PLACES)))
                return scope_words.at_locations(self._pick(PLACES), other)
            case _:
                return None

    def _demand(self) -> Demand:
        return say.demand(method=self._pick(METHODS)) if self._draw() < 0.2 else Demand()

    def _ttl_ms(self) -> int:
        # Hardly ever too short to be allowed.
        return 990 + int(self._draw() * self._ttl_ms_max)

    def _soon_ms(self, earliest_ms: int, latest_ms: int) -> int:
        return max(1, self._now_ms() + earliest_ms + self._below(latest_ms - earliest_ms))

    def _etag(self) -> str:
        return self._pick(ETAGS)

    def _word(self) -> str:
        return self._pick(("A", "B", "C"))

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._draw() * len(choices))]

    def _below(self, end: int) -> int:
        return int(self._draw() * end)
