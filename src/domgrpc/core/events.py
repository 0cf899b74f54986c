"""The closed list of events and the record that puts them into the log.

Tags are part of the data format (docs/data-format.md): a new event takes the next number, new
fields come last with a default, and nothing is renumbered or reused.
"""

import enum

import msgspec

from domgrpc.core.calendars import LocationCalendarSaved
from domgrpc.core.carriers import LaneSaved, RateCardSaved
from domgrpc.core.location_groups import GroupDeleted, GroupSaved
from domgrpc.core.locations import LocationSaved
from domgrpc.core.logistics import LogisticsDeleted
from domgrpc.core.order_commands import OrderChanged, OrderPlaced, OrdersReplanned, QuoteHeld
from domgrpc.core.products import ProductsSaved
from domgrpc.core.rejections import Rejection
from domgrpc.core.reservations import (
    ReservationChanged,
    ReservationConfirmed,
    ReservationExpired,
    ReservationReleased,
    ReservationSettled,
    StockReserved,
)
from domgrpc.core.rule_sets import RuleSetCreated, RuleSetStateChanged
from domgrpc.core.safety_stock import RuleDeleted, RuleSaved
from domgrpc.core.stock_changes import StockBatchApplied, StockUpdated
from domgrpc.core.stock_levels import StockLevelChanged
from domgrpc.core.values import ClientId, RequestId, Retention, Revision, TimeMs


class Resource(enum.IntEnum):
    """What a request asked to change that was as asked already."""

    LOCATION = 1
    GROUP = 2
    PRODUCTS = 3
    RULE = 4
    RESERVATION = 5
    FEED = 6
    ORDER = 10
    RATE_CARD = 7
    LANE = 8
    CALENDAR = 9
    RULE_SET = 12


class RequestRefused(msgspec.Struct, frozen=True, array_like=True, tag=16):
    """The business said no; logged so that a retry gets the same answer after a restart."""

    rejection: Rejection


class NothingChanged(msgspec.Struct, frozen=True, array_like=True, tag=17):
    """All was as asked already; the answer is the named resources as they stand."""

    resource: Resource
    keys: tuple[str, ...]


class RetentionChanged(msgspec.Struct, frozen=True, array_like=True, tag=18):
    """The state keeps so much of the past from now on; what is beyond it is forgotten."""

    retention: Retention


Event = (
    LocationSaved
    | GroupSaved
    | GroupDeleted
    | ProductsSaved
    | RuleSaved
    | RuleDeleted
    | StockUpdated
    | StockBatchApplied
    | StockLevelChanged
    | StockReserved
    | ReservationChanged
    | ReservationConfirmed
    | ReservationReleased
    | ReservationExpired
    | ReservationSettled
    | RequestRefused
    | NothingChanged
    | RetentionChanged
    | OrderPlaced
    | OrderChanged
    | QuoteHeld
    | OrdersReplanned
    | RateCardSaved
    | LaneSaved
    | LocationCalendarSaved
    | LogisticsDeleted
    | RuleSetCreated
    | RuleSetStateChanged
)

NO_REQUEST = RequestId("")


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one request, or one timer, did: one entry of the log, one revision."""

    revision: Revision
    time_ms: TimeMs
    events: tuple[Event, ...]
    client_id: ClientId = ClientId("")
    request_id: RequestId = NO_REQUEST
    fingerprint: int = 0
