"""The character of a seed: how many clients, how hasty, how often what breaks.

Every seed draws its own, so that some worlds are calm and busy and others hardly come to answer
a call; a fault that needs an odd mixture of circumstances meets it in some of them.
"""

from pathlib import Path
from random import Random

import msgspec

from domgrpc.config import Settings
from domgrpc.core.values import DAY_MS, Limits
from tests.engine.rooms import SEGMENT_BYTES

_ORDERS_SEGMENT_BYTES = 8 * SEGMENT_BYTES
"""Where orders are what it is about: a new plan of a hundred of them is one record."""


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """See the module. Shares are of 1; callbacks are those of the event loop."""

    settings: Settings
    client_count: int
    message_share: float
    pause_share: float
    pause_seconds: float
    life_callbacks: int
    disconnect_share: float
    cut_share: float
    """How many lives end by a power cut in the middle of a disk operation."""
    cut_operations: int
    fault_share: float
    clock_share: float
    watch_share: float
    ttl_ms_max: int
    is_plain: bool
    """Whether nothing but stock, places and rules limits what can be planned."""
    order_weight: int
    """How many times as often as in the usual world orders are what it is about."""


def draw_character(random: Random) -> Character:
    """Draw a character."""
    settings = Settings(
        data_dir=Path("nowhere"),
        segment_size_bytes=SEGMENT_BYTES,
        snapshot_log_bytes=random.choice((12, 24, 48)) * SEGMENT_BYTES,
        commit_wait_ms_max=random.choice((0.0, 5.0)),
        feed_records_max=random.choice((20, 1_000)),
        queue_max=random.choice((10, 20_000)),
        limits=draw_limits(random),
    )
    character = Character(
        settings=settings,
        client_count=random.choice((2, 4, 8, 16)),
        message_share=random.choice((0.1, 0.4)),
        pause_share=random.choice((0.02, 0.1, 0.3)),
        pause_seconds=random.choice((0.5, 2.0)),
        life_callbacks=random.choice((3_000, 10_000, 30_000)),
        cut_operations=random.choice((300, 1_000, 4_000)),
        disconnect_share=random.choice((0.0, 0.01, 0.05)),
        cut_share=random.choice((0.2, 0.5)),
        fault_share=random.choice((0.0, 0.2)),
        watch_share=random.choice((0.1, 0.5)),
        clock_share=random.choice((0.0, 0.2, 0.8)),
        ttl_ms_max=random.choice((3_000, 20_000, 600_000)),
        is_plain=random.choice((False, True)),
        order_weight=random.choice((1, 12)),
    )
    if character.order_weight == 1:
        return character
    # No draw: what a seed does otherwise stays the same.
    settings = msgspec.structs.replace(settings, segment_size_bytes=_ORDERS_SEGMENT_BYTES)
    return msgspec.structs.replace(character, settings=settings)


def draw_limits(random: Random) -> Limits:
    """Draw bounds that are met all the time, and how much of the past is kept."""
    return Limits(
        held_per_client_max=random.choice((20, 100, 1_000)),
        reservations_max=random.choice((120, 1_000, 10_000)),
        finished_reservations_max=random.choice((20, 60, 200)),
        orders_max=random.choice((60, 1_000)),
        finished_orders_max=random.choice((5, 20, 60)),
        rule_sets_max=random.choice((8, 20)),
        kept_answers_max=random.choice((50, 150, 400)),
        kept_answer_age_ms=random.choice((60_000, DAY_MS)),
    )
