"""Simulations, explanations and new plans of open orders between messages and the core."""

from collections.abc import Mapping, Sequence
from typing import Final

from domgrpc.core.order_commands import MOVES_MAX, ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.orders import NO_ORDER, OrderLine, OrderTerms
from domgrpc.core.plans import (
    Explanation,
    LocationExplanation,
    MockStock,
    QuotedPackage,
    SimulationQuestion,
)
from domgrpc.core.replan_proposals import (
    SEARCH_MS_DEFAULT,
    SEARCH_MS_MAX,
    SEARCH_MS_MIN,
    SEARCHED_ORDERS_DEFAULT,
    SEARCHED_ORDERS_MAX,
    BacklogProposal,
    BacklogQuestion,
    ProposedMove,
)
from domgrpc.core.rule_sets import Strategy
from domgrpc.core.values import (
    LocationId,
    Micros,
    OrderId,
    Quantity,
    Revision,
    Sku,
)
from domgrpc.rpc.quote_tokens import QUOTED_PACKAGES_MAX, check_package
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import (
    REVISION_MAX,
    chosen,
    duration_ms,
    identifier,
    item_count,
    quantity,
    set_duration,
    whole,
)
from domgrpc.rpc.translate_order_lines import CHOSEN_METHODS, line_defaults, order_lines
from domgrpc.rpc.translate_orders import (
    PLANNED_LINES_MAX,
    goes_to_address,
    line_units,
    order_id_of,
    read_terms,
)
from domgrpc.rpc.translate_plans import fill_decision
from domgrpc.rpc.translate_scope import scope_of
from domgrpc.v1 import routing_pb2

MOCKED_MAX: Final = 10_000
EXPLAINED_LOCATIONS_MAX: Final = 100
STABILITY_PRICE_MICROS_MAX: Final = 10**12
SAVING_MICROS_MAX: Final = 10**15
_VERSION_MAX: Final = 2**31 - 1
_PPM: Final = 1_000_000
_STRATEGIES: Final[Mapping[int, Strategy]] = {each.value: each for each in Strategy}


# --- messages to questions and commands


def simulation_question(message: routing_pb2.SimulateRoutingRequest) -> SimulationQuestion:
    """Read SimulateRouting: 1 to 5,000 lines, or an order."""
    strategy = message.strategy
    version = None
    if message.HasField("rule_set_version"):
        version = whole(message.rule_set_version, "rule_set_version", 0, _VERSION_MAX)
    lines: tuple[OrderLine, ...] = ()
    terms, order_id = OrderTerms(), NO_ORDER
    if message.order_id:
        order_id = order_id_of(message.order_id)
        for name in ("lines", "delivery_method", "location_id"):
            if getattr(message, name):
                raise InvalidField(name, "is given together with order_id; choose one")
        if message.HasField("terms"):
            raise InvalidField("terms", "is given together with order_id; choose one")
    else:
        defaults = line_defaults(message.delivery_method, message.location_id)
        lines = order_lines(message.lines[:], defaults)
        terms = read_terms(message.terms, needs_point=goes_to_address(lines))
    return SimulationQuestion(
        lines,
        terms,
        version,
        chosen(strategy, "strategy", _STRATEGIES).name if strategy else "",
        _mocked(message.stock[:]),
        order_id,
    )


def explained_locations(message: routing_pb2.ExplainDecisionRequest) -> tuple[LocationId, ...]:
    """Read the locations of ExplainDecision, up to 100."""
    item_count(len(message.location_ids), "location_ids", 0, EXPLAINED_LOCATIONS_MAX)
    return tuple(
        LocationId(identifier(location_id, f"location_ids[{place}]"))
        for place, location_id in enumerate(message.location_ids)
    )


def check_explained(location_ids: Sequence[LocationId], line_count: int) -> None:
    """Refuse to explain so many locations of so large an order: each may have it planned again."""
    if len(location_ids) * line_count > PLANNED_LINES_MAX:
        raise InvalidField(
            "location_ids",
            f"has {len(location_ids)} items for an order of {line_count} lines; up to "
            f"{PLANNED_LINES_MAX // line_count} are explained at once",
        )


def decision_number(message: routing_pb2.ExplainDecisionRequest) -> int | None:
    """Read which decision ExplainDecision is about; None for the newest."""
    if not message.HasField("decision_number"):
        return None
    return whole(message.decision_number, "decision_number", 0, _VERSION_MAX)


def backlog_question(message: routing_pb2.ReoptimizeBacklogRequest) -> BacklogQuestion:
    """Read ReoptimizeBacklog."""
    stability = None
    if message.HasField("stability_price_micros"):
        stability = whole(
            message.stability_price_micros,
            "stability_price_micros",
            0,
            STABILITY_PRICE_MICROS_MAX,
        )
    search_ms = SEARCH_MS_DEFAULT
    if message.HasField("search_time_max"):
        search_ms = duration_ms(message.search_time_max, "search_time_max")
        whole(search_ms, "search_time_max", SEARCH_MS_MIN, SEARCH_MS_MAX)
    count_max = whole(message.order_count_max, "order_count_max", 0, SEARCHED_ORDERS_MAX)
    saving = whole(message.saving_micros_min, "saving_micros_min", 0, SAVING_MICROS_MAX)
    try:
        scope = scope_of(message.scope)
    except InvalidField as invalid:
        raise invalid.within("scope") from None
    return BacklogQuestion(
        scope=scope,
        allow_late=message.allow_late,
        stability_price_micros=None if stability is None else Micros(stability),
        saving_micros_min=Micros(saving),
        order_count_max=count_max or SEARCHED_ORDERS_DEFAULT,
        search_ms_max=search_ms,
    )


def apply_replan(message: routing_pb2.ApplyReplanRequest) -> ApplyReplan:
    """Read ApplyReplan: 1 to 500 orders, each once, with 10,000 lines together."""
    messages = message.moves[:]
    item_count(len(messages), "moves", 1, MOVES_MAX)
    line_count = sum(len(package.lines) for move in messages for package in move.packages)
    if line_count > PLANNED_LINES_MAX:
        raise InvalidField(
            "moves", f"have {line_count} lines together; up to {PLANNED_LINES_MAX} are allowed"
        )
    moves: dict[OrderId, OrderMove] = {}
    for place, move in enumerate(messages):
        path = f"moves[{place}]"
        try:
            order_id = order_id_of(move.order_id)
            moved = _move(order_id, move)
        except InvalidField as invalid:
            raise invalid.within(path) from None
        if order_id in moves:
            raise InvalidField(f"{path}.order_id", f"is {order_id!a} again; name an order once")
        moves[order_id] = moved
    return ApplyReplan(tuple(moves.values()))


def _move(order_id: OrderId, message: routing_pb2.ReplanMove) -> OrderMove:
    etag = message.etag
    if not (etag.isascii() and etag.isdecimal()) or len(etag) > len(str(REVISION_MAX)):
        raise InvalidField("etag", "is not that of an order; a move needs it")
    packages = message.packages[:]
    item_count(len(packages), "packages", 1, QUOTED_PACKAGES_MAX)
    return OrderMove(
        order_id,
        Revision(whole(int(etag), "etag", 0, REVISION_MAX)),
        tuple(_package(package, f"packages[{place}]") for place, package in enumerate(packages)),
    )


def _package(message: routing_pb2.ReplanPackage, path: str) -> QuotedPackage:
    try:
        package = QuotedPackage(
            LocationId(message.location_id),
            chosen(message.delivery_method, "delivery_method", CHOSEN_METHODS),
            LocationId(message.destination_location_id),
            line_units(message.lines[:], "lines"),
        )
        check_package(package)
    except InvalidField as invalid:
        raise invalid.within(path) from None
    return package


def _mocked(messages: Sequence[routing_pb2.MockStock]) -> tuple[MockStock, ...]:
    item_count(len(messages), "stock", 0, MOCKED_MAX)
    found: dict[tuple[str, str], MockStock] = {}
    for place, message in enumerate(messages):
        path = f"stock[{place}]"
        sku = Sku(identifier(message.sku, f"{path}.sku"))
        location_id = LocationId(identifier(message.location_id, f"{path}.location_id"))
        units = Quantity(quantity(message.quantity, f"{path}.quantity"))
        if (sku, location_id) in found:
            raise InvalidField(path, f"is of {sku!a} at {location_id!a} again; say it once")
        found[sku, location_id] = MockStock(sku, location_id, units)
    return tuple(found.values())


# --- answers to messages


def fill_explanation(
    message: routing_pb2.ExplainDecisionResponse,
    explanation: Explanation,
    *,
    with_candidates: bool,
) -> None:
    """Write an explanation in place of an empty message."""
    message.order_id = explanation.order_id
    fill_decision(message.decision, explanation.decision, with_candidates=with_candidates)
    message.decision_count = explanation.decision_count
    for location in explanation.locations:
        _fill_location(message.locations.add(), location)


def _fill_location(message: routing_pb2.LocationExplanation, location: LocationExplanation) -> None:
    message.location_id = location.location_id
    message.is_used = location.is_used
    message.removed_by = location.removed_by
    message.delivery_method = location.delivery_method  # type: ignore[assignment]  # same numbers
    message.destination_location_id = location.destination_location_id
    for sku, units in location.missing:
        message.missing.add(sku=sku, quantity=units)
    if location.cheaper_by_micros is not None:
        message.cheaper_by_micros = location.cheaper_by_micros
    message.is_as_decided = location.is_as_decided


def fill_proposal(
    message: routing_pb2.ReoptimizeBacklogResponse, proposal: BacklogProposal
) -> None:
    """Write a proposal in place of an empty message."""
    for move in proposal.moves:
        _fill_move(message.moves.add(), move)
    message.order_count = proposal.order_count
    for reason, count in proposal.left_out:
        message.left_out.add(reason=reason.value, fulfillment_order_count=count)
    message.cost_before_micros = proposal.cost_before_micros
    message.cost_after_micros = proposal.cost_after_micros
    bound = proposal.lower_bound_micros
    message.lower_bound_micros = bound
    message.gap_ppm = (proposal.cost_after_micros - bound) * _PPM // bound if bound > 0 else 0
    set_duration(message.search_time, proposal.search_us)
    message.backlog_revision = proposal.revision


def _fill_move(message: routing_pb2.ReplanMove, proposed: ProposedMove) -> None:
    move = proposed.move
    message.order_id = move.order_id
    message.etag = str(move.order_revision)
    for package in move.packages:
        entry = message.packages.add(
            location_id=package.location_id,
            destination_location_id=package.destination_location_id,
        )
        entry.delivery_method = package.delivery_method  # type: ignore[assignment]  # same numbers
        for line_id, units in package.lines:
            entry.lines.add(line_id=line_id, quantity=units)
    message.cost_before_micros = proposed.cost_before_micros
    message.cost_after_micros = proposed.cost_after_micros


def fill_summary(message: routing_pb2.ApplyReplanResponse, summary: ReplanSummary) -> None:
    """Write how new plans were booked."""
    message.applied_order_ids.extend(summary.applied_order_ids)
    for order_id, reason in summary.skipped:
        message.skipped.add(order_id=order_id, reason=reason)
