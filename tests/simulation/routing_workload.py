"""What clients do with rate cards, lanes, calendars and rule sets, by the same seeded die."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from domgrpc.core.calendars import CapacityUnit, DeleteLocationCalendar
from domgrpc.core.carriers import LaneFields, Surcharge
from domgrpc.core.dispatch import Command
from domgrpc.core.orders import (
    FulfillmentState,
)
from domgrpc.core.rule_sets import (
    CreateRuleSet,
    RoutingLimits,
    RoutingPrices,
    RoutingRule,
    RuleEffect,
    RuleSetContent,
    Strategy,
    Unfilled,
)
from domgrpc.core.values import (
    DeliveryMethod,
    LocationType,
    Micros,
    RuleId,
)
from tests.core import logistics_words as logistics
from tests.core import routing_rules as rules

T = TypeVar("T")
HOME, PICKUP, CURBSIDE, TO_STORE = (
    DeliveryMethod.SHIP_TO_HOME,
    DeliveryMethod.PICKUP,
    DeliveryMethod.CURBSIDE,
    DeliveryMethod.SHIP_TO_STORE,
)
METHODS = (HOME, HOME, HOME, HOME, HOME, PICKUP, PICKUP, CURBSIDE, TO_STORE)
POINTS = ((40.71, -74.01), (41.88, -87.63), (34.05, -118.24), (29.76, -95.37), (47.61, -122.33))
ALL_ZONES = (2, 2, 2, 2, 5, 5, 5, 5)
SERVICES = ("ground", "air", "bike")
CONDITIONS = (
    "location.type == 'STORE'",
    "location.type != 'STORE'",
    "location.id == 'place-1'",
    "order.channel == 'web' && location.type == 'STORE'",
    "line.sku == 'sku-3' && location.id == 'place-2'",
)
TYPO = "location.typ == 'STORE'"
RULE_SETS_KNOWN = 12
ORDERS_KEPT = 30
QUOTES_KEPT = 8
TARGETS = {
    FulfillmentState.SCHEDULED: (FulfillmentState.OPEN, FulfillmentState.RELEASED),
    FulfillmentState.OPEN: (FulfillmentState.RELEASED,),
    FulfillmentState.RELEASED: (
        FulfillmentState.SHIPPED,
        FulfillmentState.SHIPPED,
        FulfillmentState.READY,
        FulfillmentState.CANCELLED,
    ),
    FulfillmentState.SHIPPED: (FulfillmentState.DELIVERED, FulfillmentState.READY),
    FulfillmentState.READY: (FulfillmentState.COLLECTED,),
}


class RoutingWorkload:
    """See the module. Plain worlds have nothing that limits plans but rules."""

    def __init__(
        self,
        random: Random,
        places: tuple[str, ...],
        etag: Callable[[], str],
        *,
        is_plain: bool,
    ) -> None:
        self._draw = random.random
        self._places = places
        self._etag = etag
        self._is_plain = is_plain
        self.newest_rule_set = 0
        # What was saved: most that is deleted is there.
        self._services: list[str] = []
        self._owners: list[str | LocationType] = []
        self.makers: list[tuple[int, Callable[[], Command]]] = [
            (1, self._card),
            (1, self._lane),
            (1, self._calendar),
            (3, self._rule_set),
        ]

    def _card(self) -> Command:
        service = self._pick(SERVICES)
        if self._draw() < 0.4:
            return logistics.no_card(self._mostly(self._services, service), etag=self._etag())
        self._services.append(service)
        zone_count = 8 if self._is_plain else self._pick((0, 2, 8, 8))
        prices = (int(self._draw() * 9_000_000) for _ in range(zone_count))
        methods = self._pick(((HOME,), (HOME, TO_STORE), (TO_STORE,)))
        # By air it goes by weight, in parcels of 5 kg, and homes pay more.
        by_weight = service == "air"
        steps = ((1_000, 500_000), (20_000, 9_000_000)) if by_weight else ()
        rates = tuple(
            logistics.rate(zone, price, steps=steps) for zone, price in enumerate(prices, 1)
        )
        homes = Surcharge("homes", package_micros=Micros(2_000_000), residential_only=True)
        return logistics.card(
            service,
            rates,
            methods=methods,
            surcharges=(homes,) if by_weight else (),
            grams_max=5_000 if by_weight else 0,
            etag=self._etag(),
        )

    def _mostly(self, saved: list[T], other: T) -> T:
        return self._pick(saved[-8:]) if saved and self._draw() < 0.8 else other

    def _lane(self) -> Command:
        service = self._pick(SERVICES)
        if self._draw() < 0.4:
            return logistics.no_lane(self._mostly(self._services, service), etag=self._etag())
        self._services.append(service)
        days = self._pick(((1, 2, 3), (), ALL_ZONES, tuple(range(1, 9)))[2 * self._is_plain :])
        fields = LaneFields(days, business_days=self._draw() < 0.5)
        return logistics.lane(service, fields, etag=self._etag())

    def _calendar(self) -> Command:
        owner: str | LocationType = LocationType.STORE
        if self._draw() < 0.7:
            owner = self._pick((*self._places, "new-3"))
        if self._draw() < 0.4:
            known = logistics.owner_of(self._mostly(self._owners, owner))
            return DeleteLocationCalendar(owner=known, etag=self._etag())
        self._owners.append(owner)
        days = self._pick(((1, 2, 3, 4, 5), (6,), (1, 2, 3, 4, 5, 6, 7)))
        schedule = logistics.schedule(weekdays=days, lead_days=int(self._draw() * 2))
        command = logistics.calendar(owner, schedule, etag=self._etag())
        return logistics.changed(
            command,
            package_micros=int(self._draw() * 3) * 1_000_000,
            priority=int(self._draw() * 3),
            pickup_window_hours=days[-1] * 10,
            daily_capacity=0 if self._is_plain else self._pick((0, 1, 4, 10)),
            capacity_unit=self._pick(tuple(CapacityUnit)),
        )

    def _rule_set(self) -> Command:
        version = int(self._draw() * RULE_SETS_KNOWN)
        if self._draw() < 0.7:
            version = self.newest_rule_set
        match int(self._draw() * 7):
            case 0 | 1:
                return CreateRuleSet(content=self._content())
            case 2 | 3:
                return rules.validate(version)
            case 4:
                return rules.tried(version)
            case _:
                # Not all the time another one, and often the one without rules.
                return rules.activate(self._pick((0, version)))

    def _content(self) -> RuleSetContent:
        if self._draw() < 0.2:
            nowhere = (rules.exclude("a", CONDITIONS[0]), rules.exclude("b", CONDITIONS[1]))
            return RuleSetContent(rules=nowhere)
        if self._draw() < 0.2:
            return RuleSetContent(rules=(rules.exclude("typo", TYPO),))
        effects = (RuleEffect.EXCLUDE, RuleEffect.REQUIRE, RuleEffect.PREFER, RuleEffect.LIMIT)
        return RuleSetContent(
            display_name=self._pick(("A", "B")),
            strategy=self._pick(tuple(Strategy)),
            prices=RoutingPrices(split_penalty_micros=self._pick((0, 2_000_000))),
            limits=RoutingLimits(
                package_count_max=0 if self._is_plain else self._pick((0, 0, 1)),
                unit_split_allowed=self._is_plain or self._draw() < 0.8,
            ),
            unfilled=self._pick(tuple(Unfilled)),
            rules=tuple(
                self._rule(f"rule-{number}", self._pick(effects[: 3 + (not self._is_plain)]))
                for number in range(int(self._draw() * 3))
            ),
        )

    def _rule(self, name: str, effect: RuleEffect) -> RoutingRule:
        condition = self._pick(CONDITIONS)
        if effect is RuleEffect.LIMIT:
            condition = ""
        return RoutingRule(
            rule_id=RuleId(name),
            effect=effect,
            condition=condition,
            price_micros=-1_500_000 if effect is RuleEffect.PREFER else 0,
            package_count_max=2 if effect is RuleEffect.LIMIT else 0,
        )

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._draw() * len(choices))]
