"""The words of the domain as types: ids, quantities, enums and the bounds of each.

Nothing here decides anything. Quantities are integers in the SKU's smallest unit, times are
integer milliseconds since 1970 UTC, places are integer degrees times 10^7, so that no float
can reach an event.
"""

import enum
from typing import NewType

import msgspec

LocationId = NewType("LocationId", str)
GroupId = NewType("GroupId", str)
Sku = NewType("Sku", str)
RuleId = NewType("RuleId", str)
ReservationId = NewType("ReservationId", str)
ClientId = NewType("ClientId", str)
RequestId = NewType("RequestId", str)
SupplyId = NewType("SupplyId", str)
SourceId = NewType("SourceId", str)
ServiceId = NewType("ServiceId", str)
"""A carrier's service: what a rate card prices and a lane times."""
Channel = NewType("Channel", str)
OrderId = NewType("OrderId", str)
LineId = NewType("LineId", str)
FulfillmentOrderId = NewType("FulfillmentOrderId", str)
CustomerId = NewType("CustomerId", str)
RuleSetVersion = NewType("RuleSetVersion", int)
Quantity = NewType("Quantity", int)
TimeMs = NewType("TimeMs", int)
Revision = NewType("Revision", int)
Micros = NewType("Micros", int)
"""Money in millionths of the deployment's currency unit."""
Day = NewType("Day", int)
"""A calendar day as days since 1970-01-01, in the zone of whatever it is a day of."""
LocationIndex = NewType("LocationIndex", int)
"""A location's place in the order of creation; small, dense and never reused."""

QUANTITY_MAX = 10**12
TIME_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999, the end of protobuf's Timestamp."""
FOREVER_MS = TimeMs(TIME_MS_MAX)

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

DAY_MINUTES = 24 * 60

MICROS_MAX = 10**12
"""The largest price: a million of the currency unit."""
GRAMS_MAX = 10**9

TTL_MS_MIN = SECOND_MS
TTL_MS_MAX = 30 * DAY_MS
TTL_MS_DEFAULT = 15 * MINUTE_MS

NO_LOCATION = LocationId("")
"""In a line: let the service pick."""


class AddressType(enum.IntEnum):
    """What kind of place an address is."""

    RESIDENTIAL = 1
    COMMERCIAL = 2


class DeliveryMethod(enum.IntEnum):
    """How goods reach the customer; UNSPECIFIED in a demand means any."""

    UNSPECIFIED = 0
    SHIP_TO_HOME = 1
    PICKUP = 2
    CURBSIDE = 3
    SHIP_TO_STORE = 4
    LOCAL_DELIVERY = 5
    DROP_SHIP = 6


class LocationType(enum.IntEnum):
    """What a location is."""

    UNSPECIFIED = 0
    DISTRIBUTION_CENTER = 1
    STORE = 2
    SUPPLIER = 3
    HUB = 4
    RETURN_CENTER = 5
    VIRTUAL = 6


class StockCondition(enum.IntEnum):
    """The condition of stock that is present; only SELLABLE is on_hand."""

    SELLABLE = 1
    DAMAGED = 2
    QUALITY_HOLD = 3
    IN_TRANSIT = 4


class StockLevel(enum.IntEnum):
    """How well stocked a position is."""

    IN_STOCK = 1
    LOW_STOCK = 2
    OUT_OF_STOCK = 3


class BackorderMode(enum.IntEnum):
    """What may be sold beyond the stock of a location that allows it."""

    NONE = 1
    LIMITED = 2
    INBOUND = 3
    UNLIMITED = 4


class Demand(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who wants goods and how: what safety stock rules and capabilities look at."""

    channel: Channel = Channel("")
    delivery_method: DeliveryMethod = DeliveryMethod.UNSPECIFIED


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When something is decided: the time of the batch and the revision it will have."""

    time_ms: TimeMs
    revision: Revision


class Retention(msgspec.Struct, frozen=True, array_like=True):
    """How much of the past the state keeps.

    Part of the state, and changed by an event: what was forgotten when the log was written is
    forgotten when it is replayed, whatever the settings say by then. The defaults are what an
    empty log begins with, and part of the data format.
    """

    finished_reservations_max: int = 1_000_000
    kept_answers_max: int = 1_000_000
    kept_answer_age_ms: int = DAY_MS
    remembered_deltas_max: int = 200_000
    finished_orders_max: int = 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the state's collections; docs/operating.md names the setting of each."""

    locations_max: int = 100_000
    groups_max: int = 10_000
    rules_max: int = 100_000
    rule_sets_max: int = 1_000
    skus_max: int = 10_000_000
    sources_max: int = 10_000
    rate_cards_max: int = 1_000
    lanes_max: int = 1_000
    calendars_max: int = 100_000
    held_per_client_max: int = 1_000_000
    reservations_max: int = 20_000_000
    finished_reservations_max: int = 1_000_000
    kept_answers_max: int = 1_000_000
    kept_answer_age_ms: int = DAY_MS
    remembered_deltas_max: int = 200_000
    orders_max: int = 20_000_000
    finished_orders_max: int = 1_000_000

    @property
    def retention(self) -> Retention:
        """Return those of the bounds that are part of the state."""
        return Retention(
            self.finished_reservations_max,
            self.kept_answers_max,
            self.kept_answer_age_ms,
            self.remembered_deltas_max,
            self.finished_orders_max,
        )
