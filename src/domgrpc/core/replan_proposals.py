"""Proposals: what a search for a better plan of the open orders is asked, and what it answers.

Words only. The search runs beside the server (it takes seconds); nothing of its answer is believed
when it comes back: `ApplyReplan` books what still fits.
"""

import enum

import msgspec

from domgrpc.core.order_commands import OrderMove
from domgrpc.core.scopes import Scope
from domgrpc.core.values import SECOND_MS, Micros, Revision

SEARCHED_ORDERS_DEFAULT = 10_000
SEARCHED_ORDERS_MAX = 100_000
SEARCH_MS_MIN = SECOND_MS
SEARCH_MS_DEFAULT = 60 * SECOND_MS
SEARCH_MS_MAX = 600 * SECOND_MS


class Staying(enum.Enum):
    """Why open work is left where it is."""

    COLLECTED = "collected"
    """The customer collects it where its stock is."""
    BACKORDERED = "backordered"
    """It waits for supply, or must travel with what does."""
    RIDES = "rides"
    """Some of the order travels in the parcel of other work, and would pay for one of its own."""
    HOSTS = "hosts"
    """Other work travels in a parcel of the order, and would pay for one of its own."""
    SHIPS_ALONE = "ships_alone"
    """A product came to travel alone, or fewer packages to be allowed, after it was planned."""
    UNREACHABLE = "unreachable"
    """No carrier service leads any more from where it lies to the customer."""
    OUT_OF_SCOPE = "out_of_scope"
    """Some of its leg lies outside of the scope that was asked for."""
    SCOPE_GONE = "scope_gone"
    """The order's own scope names what does not exist any more."""
    TOO_LARGE = "too_large"
    """It costs, or could cost somewhere, more than a million of the currency unit."""
    FAILED = "failed"
    """Counting what it costs failed: a mistake of ours, which is in the server's log."""


class BacklogQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which open orders to plan together, and what may become of them."""

    scope: Scope = None
    """Only orders with unreleased work in it."""
    allow_late: bool = False
    stability_price_micros: Micros | None = None
    """A move must save more than this; None for what the active rule set says."""
    saving_micros_min: Micros = Micros(0)
    """Nothing moves unless all moves save so much together."""
    order_count_max: int = SEARCHED_ORDERS_DEFAULT
    search_ms_max: int = SEARCH_MS_DEFAULT


class ProposedMove(msgspec.Struct, frozen=True):
    """A new plan of one order, and what its open work costs before and after."""

    move: OrderMove
    cost_before_micros: Micros
    cost_after_micros: Micros


class BacklogProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A better plan of the open orders.

    The largest saving first; orders that change only together stand one after the other.
    """

    moves: tuple[ProposedMove, ...]
    order_count: int
    """Orders that were looked at."""
    left_out: tuple[tuple[Staying, int], ...] = ()
    """Of how much work, in fulfilment orders, each reason kept it where it is."""
    cost_before_micros: Micros
    """Of the orders of which anything may move."""
    cost_after_micros: Micros
    lower_bound_micros: Micros
    """No plan of them costs less, whatever moving is worth."""
    search_us: int
    revision: Revision
    """Whose open work it saw."""
    package_count_max: int = 1
    """So many packages are booked in one step."""
