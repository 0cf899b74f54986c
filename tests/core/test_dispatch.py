"""Dispatch: every command is decided, every event applied, answered and told."""

from typing import get_args

import msgspec
import pytest

from domgrpc.core.answers import Outcome
from domgrpc.core.dispatch import DECIDE, EVOLVE, Command
from domgrpc.core.events import Event, Record, RetentionChanged
from domgrpc.core.machine import outcome_of, replay
from domgrpc.core.reservations import ReservationExpired
from domgrpc.core.state import State
from domgrpc.core.stock_levels import StockLevelChanged
from domgrpc.core.values import (
    Limits,
    LocationId,
    ReservationId,
    Retention,
    Revision,
    Sku,
    StockLevel,
    TimeMs,
)
from tests.core.commands import on_hand, place, reserve
from tests.core.given import NOON_MS, Shop, decoded, encoded

CROSSED = StockLevelChanged(Sku("x"), LocationId("A"), StockLevel.LOW_STOCK, 1)


def tags(union: object) -> list[int]:
    """Return the tags of the structs in a union."""
    found = [msgspec.inspect.type_info(kind) for kind in get_args(union)]
    return [kind.tag for kind in found]  # type: ignore[attr-defined]


def test_every_command_is_decided() -> None:
    assert set(DECIDE) == set(get_args(Command))


def test_every_event_is_applied() -> None:
    assert set(EVOLVE) == set(get_args(Event))


def test_no_two_events_and_no_two_outcomes_share_a_tag() -> None:
    for union in (Event, Outcome):
        assert len(set(tags(union))) == len(get_args(union))


def test_the_tags_of_events_never_change() -> None:
    named = {kind.__name__: tag for kind, tag in zip(get_args(Event), tags(Event), strict=True)}
    assert named == {
        "LocationSaved": 1,
        "GroupSaved": 2,
        "GroupDeleted": 3,
        "ProductsSaved": 4,
        "RuleSaved": 5,
        "RuleDeleted": 6,
        "StockUpdated": 7,
        "StockBatchApplied": 8,
        "StockLevelChanged": 9,
        "StockReserved": 10,
        "ReservationChanged": 11,
        "ReservationConfirmed": 12,
        "ReservationReleased": 13,
        "ReservationExpired": 14,
        "ReservationSettled": 15,
        "RequestRefused": 16,
        "NothingChanged": 17,
        "RetentionChanged": 18,
        "RateCardSaved": 19,
        "LaneSaved": 20,
        "LocationCalendarSaved": 21,
        "LogisticsDeleted": 22,
        "RuleSetCreated": 23,
        "RuleSetStateChanged": 24,
        "OrderPlaced": 26,
        "OrderChanged": 27,
        "QuoteHeld": 28,
        "OrdersReplanned": 36,
    }


@pytest.mark.parametrize(
    "event",
    [CROSSED, ReservationExpired(ReservationId("r"), ()), RetentionChanged(Retention())],
)
def test_what_timers_do_answers_no_request(event: Event) -> None:
    with pytest.raises(AssertionError, match=type(event).__name__):
        outcome_of(State(Limits()), event)


def test_records_are_replayed_in_order_without_gaps(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=1))
    state = State(Limits())
    with pytest.raises(AssertionError):
        replay(state, shop.records[1])
    replay(state, shop.records[0])
    with pytest.raises(AssertionError):
        replay(state, shop.records[0])
    replay(state, shop.records[1])
    assert (state.revision, state.time_ms) == (2, NOON_MS)


def test_a_record_is_the_same_after_its_way_through_the_log(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=1), reserve(("x", "A", 1)))
    for record in shop.records:
        assert decoded(encoded(record)) == record


def test_the_records_of_timers_name_no_request(shop: Shop) -> None:
    shop.given(place("A"), on_hand("x", A=1), reserve(("x", "A", 1), ttl_ms=1000)).later(1000)
    record = shop.records[-1]
    assert (record.client_id, record.request_id, record.fingerprint) == ("", "", 0)
    assert record == Record(Revision(4), TimeMs(NOON_MS + 1000), record.events)
