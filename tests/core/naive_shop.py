"""A naive shop: what the specification says, in plain dicts and loops, to compare the core with.

Nothing of the core is used here. Every figure is computed anew from the books each time it is
asked. Where the core may choose (which locations a hold is picked from), the naive shop says
what every right choice has in common and then writes the core's choice into its books.
"""

from dataclasses import dataclass, field

FOREVER_MS = 10**15

Place = tuple[str, str]
"""SKU and location."""
Demand = tuple[str, str]
"""Channel and delivery method, each empty for any."""
Lines = dict[Place, int]


class Refused(Exception):
    """The naive shop says no."""


@dataclass
class Site:
    """A location."""

    methods: tuple[str, ...]
    backorder: bool
    closed_from_ms: int = 0
    closed_until_ms: int = 0


@dataclass
class Hold:
    """A reservation."""

    lines: Lines
    demand: Demand
    expire_ms: int
    state: str = "HELD"
    settled: Lines = field(default_factory=dict)


@dataclass
class Rule:
    """A safety stock rule; empty conditions match everything."""

    units: int
    sku: str = ""
    location: str = ""
    channel: str = ""


class NaiveShop:
    """The books: on_hand, holds, rules, locations, and the time."""

    def __init__(self, now_ms: int) -> None:
        """Open with nothing."""
        self.now_ms = now_ms
        self.sites: dict[str, Site] = {}
        self.on_hand: Lines = {}
        self.limits: dict[str, int] = {}
        self.rules: dict[str, Rule] = {}
        self.holds: dict[str, Hold] = {}

    # --- figures

    def claimed(self, place: Place, state: str) -> int:
        """Add up the units of holds in a state that are not settled."""
        return sum(
            hold.lines.get(place, 0) - hold.settled.get(place, 0)
            for hold in self.holds.values()
            if hold.state == state
        )

    def figures(self, place: Place) -> tuple[int, int, int]:
        """Return on_hand, soft_reserved and allocated."""
        return (
            self.on_hand.get(place, 0),
            self.claimed(place, "HELD"),
            self.claimed(place, "CONFIRMED"),
        )

    def withheld(self, place: Place, demand: Demand) -> int:
        """Return what the winning rule withholds."""
        sku, location = place
        ranked = []
        for rule_id, rule in self.rules.items():
            if (
                rule.sku in ("", sku)
                and rule.location in ("", location)
                and rule.channel in ("", demand[0])
            ):
                named = (rule.location != "", rule.sku != "", rule.channel != "")
                rank = (-sum(named), *(not each for each in named), rule_id)
                ranked.append((rank, rule.units))
        return min(ranked)[1] if ranked else 0

    def available(self, place: Place, demand: Demand, own: int = 0) -> tuple[int, int]:
        """Return ATF and ATS; `own` units of the claims are the asker's.

        Where the SKU was never stocked nothing is sold, not even beyond the stock.
        """
        sku, location = place
        site = self.sites[location]
        if place not in self.on_hand:
            return 0, 0
        closed = site.closed_from_ms <= self.now_ms < site.closed_until_ms
        if closed or (demand[1] not in site.methods and demand[1] != "") or not site.methods:
            return 0, 0
        on_hand, soft_reserved, allocated = self.figures(place)
        sellable = max(0, on_hand - self.withheld(place, demand))
        free = sellable - soft_reserved - allocated + own
        beyond = self.limits.get(sku, 0) if site.backorder else 0
        return max(0, free), max(0, free + beyond)

    def offers(self, place: Place, demand: Demand, *, own: int = 0, in_stock: bool = False) -> int:
        """Return what a hold may take."""
        return self.available(place, demand, own)[0 if in_stock else 1]

    # --- time

    def pass_ms(self, duration_ms: int) -> None:
        """Move on; holds end at their deadline exactly."""
        self.now_ms += duration_ms
        for hold in self.holds.values():
            if hold.state == "HELD" and hold.expire_ms <= self.now_ms:
                hold.state = "EXPIRED"

    # --- holds

    def reserve_here(
        self, hold: Hold, *, in_stock: bool = False, partial: bool = False
    ) -> dict[Place, int]:
        """Return the lines that a hold bound to locations gets."""
        got = {
            place: min(units, self.offers(place, hold.demand, in_stock=in_stock))
            for place, units in hold.lines.items()
        }
        if got != hold.lines and not partial:
            raise Refused
        got = {place: units for place, units in got.items() if units}
        if not got:
            raise Refused
        return got

    def check_picked(
        self, wanted: dict[str, int], picked: Lines, demand: Demand, scope: tuple[str, ...]
    ) -> None:
        """Check that units picked anywhere in a scope are what was wanted and were free."""
        for sku, units in wanted.items():
            assert sum(got for place, got in picked.items() if place[0] == sku) == units
        for (sku, location), units in picked.items():
            assert location in scope
            assert 0 < units <= self.offers((sku, location), demand)

    def can_pick(
        self, wanted: dict[str, int], demand: Demand, scope: tuple[str, ...], *, in_stock: bool
    ) -> bool:
        """Say whether a scope has all that is wanted."""
        return all(
            units <= sum(self.offers((sku, name), demand, in_stock=in_stock) for name in scope)
            for sku, units in wanted.items()
        )

    def change(self, name: str, wanted: Lines, expire_ms: int | None) -> None:
        """Set lines of a hold and its deadline."""
        hold = self.open_hold(name)
        lines = hold.lines | wanted
        for place, units in wanted.items():
            own = hold.lines.get(place, 0)
            if units > max(own, self.offers(place, hold.demand, own=own)):
                raise Refused
        lines = {place: units for place, units in lines.items() if units}
        if not lines:
            raise Refused
        hold.lines = lines
        if expire_ms is not None:
            hold.expire_ms = expire_ms

    def open_hold(self, name: str) -> Hold:
        """Return a hold that may still change."""
        hold = self.holds.get(name)
        if hold is None or hold.state != "HELD":
            raise Refused
        return hold

    def move(self, name: str, place: Place, target: str, units: int) -> None:
        """Move units of a line to another location."""
        hold = self.open_hold(name)
        moved = units or hold.lines.get(place, 0)
        if not moved or moved > hold.lines.get(place, 0):
            raise Refused
        if target == place[1]:
            return
        there = (place[0], target)
        own = hold.lines.get(there, 0)
        if own + moved > self.offers(there, hold.demand, own=own):
            raise Refused
        left = hold.lines | {place: hold.lines[place] - moved, there: own + moved}
        hold.lines = {key: each for key, each in left.items() if each}

    def confirm(self, name: str, backordered: Lines, *, revive: bool) -> None:
        """Confirm a hold, or revive an expired one while all of it is free.

        Only as many units as were backordered may come from beyond the stock.
        """
        hold = self.holds.get(name)
        if hold is None or hold.state == "RELEASED":
            raise Refused
        if hold.state == "EXPIRED":
            free = True
            for place, units in hold.lines.items():
                in_stock, in_all = self.available(place, hold.demand)
                free = free and units <= min(in_all, in_stock + backordered.get(place, 0))
            if not (revive and free):
                raise Refused
        hold.state = "CONFIRMED"

    def release(self, name: str) -> None:
        """Give a hold back."""
        hold = self.holds.get(name)
        if hold is None or hold.state == "CONFIRMED":
            raise Refused
        if hold.state == "HELD":
            hold.state = "RELEASED"

    def settle(self, name: str, wanted: Lines, *, shipped: bool) -> None:
        """Settle units of a claim, all that is left where none are named."""
        hold = self.holds.get(name)
        if hold is None or hold.state != "CONFIRMED":
            raise Refused
        left = {place: units - hold.settled.get(place, 0) for place, units in hold.lines.items()}
        settled = wanted or left
        for place, units in settled.items():
            if units > left.get(place, 0) or (shipped and units > self.on_hand.get(place, 0)):
                raise Refused
        for place, units in settled.items():
            hold.settled[place] = hold.settled.get(place, 0) + units
            if shipped:
                self.on_hand[place] -= units
