"""What clients of a small shop chain do, chosen by a seeded die: every kind of command.

Names come from short lists, so that clients get in each other's way all the time. The workload
knows nothing of the answers; that most of what it asks is refused is part of the point.
"""

from collections import deque
from collections.abc import Callable
from random import Random

from domgrpc.core.dispatch import Command
from domgrpc.core.location_groups import DeleteLocationGroup, UpdateLocationGroup
from domgrpc.core.locations import LocationFields, UpdateLocation
from domgrpc.core.products import ProductFields, UpdateProducts
from domgrpc.core.safety_stock import RuleFields, RuleKind, UpdateSafetyStockRule
from domgrpc.core.scopes import Scope
from domgrpc.core.stock_changes import StockUpdate
from domgrpc.core.values import (
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
from tests.engine.virtual_time import NOON_MS

SKUS = tuple(f"sku-{number}" for number in range(8))
PLACES = tuple(f"place-{number}" for number in range(6))
BACKORDER_PLACES = PLACES[:1]
GROUPS = ("east", "west")
RULES = ("keep", "low", "out")
SOURCES = ("till-1", "till-2")
IDS_KEPT = 40
TTL_MS_MAX = 20_000
SELLABLE, DAMAGED = StockCondition.SELLABLE, StockCondition.DAMAGED


class Workload:
    """See the module."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids: deque[str] = deque(["nobody"], maxlen=IDS_KEPT)
        self._id_count = 0
        self._sequences = dict.fromkeys(SOURCES, 0)
        # The weights make holds and stock the bulk, and the rest frequent enough to meet them.
        makers: list[tuple[int, Callable[[], Command]]] = [
            (30, self._reserve),
            (8, self._change),
            (5, self._relocate),
            (12, self._confirm),
            (8, self._release),
            (8, self._settle),
            (16, self._stock),
            (4, self._feed),
            (2, self._place),
            (2, self._update_place),
            (2, self._disable),
            (2, self._group),
            (2, self._product),
            (3, self._rule),
        ]
        self._weights = [weight for weight, _ in makers]
        self._makers = [maker for _, maker in makers]

    def opening(self) -> list[Command]:
        """Return what is asked first, so that there is something to sell."""
        kinds = LocationType.STORE, LocationType.DISTRIBUTION_CENTER
        opening: list[Command] = [
            say.place(name, kinds[number % 2], backorder=name in BACKORDER_PLACES)
            for number, name in enumerate(PLACES)
        ]
        return opening + [say.on_hand(sku, **dict.fromkeys(PLACES, 6)) for sku in SKUS]

    def command(self) -> Command:
        """Return the next command."""
        (maker,) = self._random.choices(self._makers, self._weights)
        return maker()

    # --- holds

    def _reserve(self) -> Command:
        random = self._random
        self._id_count += 1
        name = f"hold-{self._id_count}" if random.random() < 0.95 else self._id()
        self._ids.append(name)
        return say.reserve(
            *(self._line() for _ in range(random.randint(1, 3))),
            as_id=name,
            ttl_ms=random.randint(1_000, TTL_MS_MAX),
            scope=self._scope(),
            allow_partial=random.random() < 0.2,
            in_stock_only=random.random() < 0.2,
            location_count_max=random.choice((0, 0, 1, 2)),
        )

    def _change(self) -> Command:
        ttl_ms = self._random.choice((None, self._random.randint(1_000, TTL_MS_MAX)))
        lines = [self._line(smallest=0) for _ in range(self._random.randint(0, 2))]
        return say.change(self._id(), *lines, ttl_ms=ttl_ms, scope=self._scope(), etag=self._etag())

    def _relocate(self) -> Command:
        source, target = self._place_name(), self._random.choice(("", self._place_name()))
        units = self._random.randint(0, 2)
        return say.relocate(self._id(), self._sku(), source, target, units=units)

    def _confirm(self) -> Command:
        return say.confirm(self._id(), revive=self._random.random() < 0.3, etag=self._etag())

    def _release(self) -> Command:
        return say.release(self._id(), etag=self._etag())

    def _settle(self) -> Command:
        settle = self._random.choice((say.ship, say.cancel))
        if self._random.random() < 0.5:
            return settle(self._id())
        return settle(self._id(), (self._sku(), self._place_name(), self._random.randint(1, 2)))

    # --- stock

    def _stock(self) -> Command:
        return say.stock(*(self._update() for _ in range(self._random.randint(1, 3))))

    def _feed(self) -> Command:
        source = self._random.choice(SOURCES)
        self._sequences[source] += self._random.choice((0, 1, 1, 1))
        updates = [self._update() for _ in range(self._random.randint(1, 4))]
        return say.feed(max(1, self._sequences[source]), *updates, source=source)

    def _update(self) -> StockUpdate:
        random, sku, name = self._random, self._sku(), self._place_name()
        units = random.randint(0, 5)
        match random.randint(0, 7):
            case 0:
                as_of_ms = random.choice((None, NOON_MS + random.randint(0, 100_000)))
                return say.count(sku, name, units, as_of_ms=as_of_ms)
            case 1:
                return say.move(sku, name, units, to=self._place_name())
            case 2:
                conditions = random.choice(((SELLABLE, DAMAGED), (DAMAGED, SELLABLE)))
                return say.move(sku, name, units, conditions=conditions)
            case 3:
                due_ms = NOON_MS + random.randint(0, 200_000)
                return say.announce(sku, name, units, due_ms=due_ms)
            case 4:
                return say.receive(sku, name, units, close=random.random() < 0.5)
            case _:
                return say.adjust(sku, name, random.randint(-3, 9))

    # --- places, products, rules

    def _place(self) -> Command:
        return say.place(random_name(self._random, "new", 5), self._random.choice(KINDS))

    def _update_place(self) -> Command:
        name = self._place_name()
        enabled = name in BACKORDER_PLACES and self._random.random() < 0.5
        fields = LocationFields(display_name=self._word(), backorder_enabled=enabled)
        return UpdateLocation(location_id=LocationId(name), fields=fields, etag=self._etag())

    def _disable(self) -> Command:
        if self._random.random() < 0.6:
            return say.enable(self._place_name())
        start_ms = NOON_MS + self._random.randint(0, 100_000)
        end_ms = start_ms + self._random.randint(1, 5_000)
        return say.disable(self._place_name(), start_ms=start_ms, end_ms=end_ms)

    def _group(self) -> Command:
        name = self._random.choice(GROUPS)
        members = tuple(self._place_name() for _ in range(self._random.randint(1, 3)))
        match self._random.randint(0, 3):
            case 0:
                return DeleteLocationGroup(group_id=GroupId(name))
            case 1:
                ids = tuple(LocationId(member) for member in members)
                return UpdateLocationGroup(group_id=GroupId(name), location_ids=ids)
            case _:
                return say.group(name, *members)

    def _product(self) -> Command:
        sku = self._sku()
        if self._random.random() < 0.5:
            policy = self._random.choice((say.limited(2), say.unlimited(), say.from_inbound(1)))
            return say.product(sku, backorder=policy)
        fields = ProductFields(display_name=self._word())
        return UpdateProducts(
            products=((Sku(sku), fields),), field_names=("display_name",), allow_missing=True
        )

    def _rule(self) -> Command:
        name = self._random.choice(RULES)
        kind = (RuleKind.SAFETY_STOCK, RuleKind.LOW_STOCK, RuleKind.OUT_OF_STOCK)[RULES.index(name)]
        units = self._random.randint(0, 2)
        match self._random.randint(0, 4):
            case 0 | 1:
                return say.no_rule(name)
            case 2:
                fields = RuleFields(kind, fixed_quantity=Quantity(units))
                return UpdateSafetyStockRule(
                    rule_id=RuleId(name), fields=fields, field_names=("fixed_quantity",)
                )
            case _:
                start_ms = NOON_MS + self._random.randint(0, 100_000)
                return say.rule(name, units, kind=kind, window_ms=(start_ms, start_ms + 20_000))

    # --- words

    def _line(self, smallest: int = 1) -> tuple[str, str, int]:
        name = self._random.choice(("", self._place_name(), self._place_name()))
        return self._sku(), name, self._random.randint(smallest, 4)

    def _scope(self) -> Scope:
        match self._random.randint(0, 5):
            case 0:
                return scope_words.in_groups(self._random.choice(GROUPS))
            case 1:
                return scope_words.at_locations(self._place_name(), self._place_name())
            case _:
                return None

    def _etag(self) -> str:
        return self._random.choice(("", "", "", "", "7"))

    def _id(self) -> str:
        return self._random.choice(self._ids)

    def _sku(self) -> str:
        return self._random.choice(SKUS)

    def _place_name(self) -> str:
        return self._random.choice(PLACES)

    def _word(self) -> str:
        return self._random.choice(("A", "B", "C"))


KINDS = (LocationType.STORE, LocationType.HUB, LocationType.VIRTUAL)


def random_name(random: Random, stem: str, count: int) -> str:
    """Return one of a few names."""
    return f"{stem}-{random.randrange(count)}"
