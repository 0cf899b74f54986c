"""RoutingService: rules of routing, plans as they would be, why they were, and planning anew."""

from collections.abc import Iterable, Iterator
from secrets import token_hex
from typing import Protocol

from domgrpc.core.order_commands import MOVES_MAX, ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.order_queries import explain_decision, get_order, simulate_routing
from domgrpc.core.rejections import Reason, Rejected
from domgrpc.core.replan_proposals import BacklogProposal, BacklogQuestion
from domgrpc.core.rule_sets import RuleSet
from domgrpc.core.values import OrderId, Revision, RuleSetVersion
from domgrpc.engine.admission import Priority
from domgrpc.engine.dry_running import DryRunReport
from domgrpc.rpc import rule_set_calls
from domgrpc.rpc.calls import Call
from domgrpc.rpc.shapes import request_id
from domgrpc.rpc.translate_dry_runs import dry_run_rule_set, fill_dry_run
from domgrpc.rpc.translate_orders import PLANNED_LINES_MAX, order_id_of
from domgrpc.rpc.translate_plans import fill_plan
from domgrpc.rpc.translate_routing import (
    apply_replan,
    backlog_question,
    check_explained,
    decision_number,
    explained_locations,
    fill_explanation,
    fill_proposal,
    fill_summary,
    simulation_question,
)
from domgrpc.rpc.translate_rule_sets import fill_rule_set
from domgrpc.v1 import routing_pb2, rule_set_pb2

PASSES_MAX = 3
"""Moves that did not fit because others came before them are tried so often."""
KEPT_ANSWERS_MAX = 32
"""So many answers of ReoptimizeBacklog are kept for retries, until the server stops."""

_Kept = tuple[bytes, routing_pb2.ReoptimizeBacklogResponse]


class Reoptimizer(Protocol):
    """Whoever searches for a better plan of the open orders, beside the server."""

    async def propose(self, question: BacklogQuestion) -> BacklogProposal:
        """Return a better plan; refuses while another search is under way."""


class DryRunner(Protocol):
    """Whoever tries rule sets on the newest orders."""

    async def run(self, version: RuleSetVersion, order_count: int) -> DryRunReport:
        """Plan orders by a rule set and by the active one; refuses while another run does."""


class RoutingService:
    """Rule sets, simulations, explanations, and new plans of open orders."""

    CreateRuleSet = staticmethod(rule_set_calls.create)
    ValidateRuleSet = staticmethod(rule_set_calls.validate)
    ActivateRuleSet = staticmethod(rule_set_calls.activate)
    GetRuleSet = staticmethod(rule_set_calls.get)
    ListRuleSets = staticmethod(rule_set_calls.list_all)

    def __init__(self, reoptimizer: Reoptimizer, dry_runner: DryRunner) -> None:
        """Take over who searches for better plans, and who tries rule sets."""
        self._reoptimizer = reoptimizer
        self._dry_runner = dry_runner
        self._answers: dict[str, _Kept] = {}

    async def DryRunRuleSet(
        self, message: rule_set_pb2.DryRunRuleSetRequest, call: Call
    ) -> rule_set_pb2.DryRunRuleSetResponse:
        """Try a rule set on the newest orders, and note that it was tried."""
        command = dry_run_rule_set(message)
        request_id(message.request_id)
        report = await self._dry_runner.run(command.version, command.order_count)
        # Last: a run that was given up leaves no mark.
        rule_set, revision = await call.change(command, message.request_id, RuleSet)
        answer = rule_set_pb2.DryRunRuleSetResponse()
        fill_dry_run(answer, report)
        fill_rule_set(answer.rule_set, rule_set, revision)
        answer.revision = max(revision, report.revision)
        return answer

    async def SimulateRouting(
        self, message: routing_pb2.SimulateRoutingRequest, call: Call
    ) -> routing_pb2.SimulateRoutingResponse:
        """Plan an order as it would be planned now; changes nothing."""
        question = simulation_question(message)
        reading = await call.read(
            lambda state, now_ms: simulate_routing(state, question, now_ms),
            message.min_revision,
            Priority.LIST,
        )
        answer = routing_pb2.SimulateRoutingResponse(revision=reading.revision)
        fill_plan(answer.plan, reading.value, with_candidates=message.include_candidates)
        return answer

    async def ExplainDecision(
        self, message: routing_pb2.ExplainDecisionRequest, call: Call
    ) -> routing_pb2.ExplainDecisionResponse:
        """Say why an order was planned as it was."""
        order_id = order_id_of(message.order_id)
        number = decision_number(message)
        location_ids = explained_locations(message)
        if location_ids:
            size = await call.read(
                lambda state, _: len(get_order(state, order_id).lines), message.min_revision
            )
            check_explained(location_ids, size.value)
        reading = await call.read(
            lambda state, now_ms: explain_decision(
                state, order_id, number, location_ids=location_ids, now_ms=now_ms
            ),
            message.min_revision,
            Priority.LIST,
        )
        answer = routing_pb2.ExplainDecisionResponse(revision=reading.revision)
        fill_explanation(answer, reading.value, with_candidates=message.include_candidates)
        return answer

    async def ReoptimizeBacklog(
        self, message: routing_pb2.ReoptimizeBacklogRequest, call: Call
    ) -> routing_pb2.ReoptimizeBacklogResponse:
        """Search for a better plan of the open orders, and book it unless it is only a dry run."""
        question = backlog_question(message)
        key = f"{call.client_id} {request_id(message.request_id)}"
        content = message.SerializeToString(deterministic=True)
        kept = self._kept(key, content)
        if kept is not None:
            return kept
        proposal = await self._reoptimizer.propose(question)
        answer = routing_pb2.ReoptimizeBacklogResponse(revision=proposal.revision)
        fill_proposal(answer, proposal)
        if not message.dry_run:
            await _book(answer, proposal, call)
        if len(self._answers) == KEPT_ANSWERS_MAX:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = (content, answer)
        return answer

    async def ApplyReplan(
        self, message: routing_pb2.ApplyReplanRequest, call: Call
    ) -> routing_pb2.ApplyReplanResponse:
        """Book new plans of open orders, all in one step."""
        summary, revision = await call.change(
            apply_replan(message),
            message.request_id,
            ReplanSummary,
            validate_only=message.validate_only,
        )
        answer = routing_pb2.ApplyReplanResponse(revision=revision)
        fill_summary(answer, summary)
        return answer

    def _kept(self, key: str, content: bytes) -> routing_pb2.ReoptimizeBacklogResponse | None:
        if key not in self._answers:
            return None
        asked, answer = self._answers[key]
        if asked != content:
            raise Rejected(
                Reason.REQUEST_ID_REUSED,
                "the request_id was used for another search: choose a new one",
                request_id=key.partition(" ")[2],
            )
        return answer


async def _book(
    answer: routing_pb2.ReoptimizeBacklogResponse, proposal: BacklogProposal, call: Call
) -> None:
    # A chunk may need what a later one gives back: what did not fit is tried again.
    moves = [each.move for each in proposal.moves]
    skipped: dict[OrderId, str] = {}
    for _ in range(PASSES_MAX):
        skipped, before = {}, len(moves)
        applied: list[OrderId] = []
        for chunk in chunks(moves, proposal.package_count_max):
            summary, revision = await _book_chunk(chunk, call)
            applied.extend(summary.applied_order_ids)
            skipped.update(summary.skipped)
            answer.revision = revision
        answer.applied_order_ids.extend(applied)
        moves = [move for move in moves if move.order_id in skipped]
        if not moves or len(moves) == before:
            break
    for order_id, reason in skipped.items():
        answer.skipped.add(order_id=order_id, reason=reason)


def chunks(moves: Iterable[OrderMove], package_count_max: int) -> Iterator[list[OrderMove]]:
    """Cut moves into what one command may book: so many orders, and packages and lines of them."""
    chunk: list[OrderMove] = []
    line_count = package_count = 0
    for move in moves:
        more = sum(len(package.lines) for package in move.packages)
        is_full = (
            len(chunk) == MOVES_MAX
            or line_count + more > PLANNED_LINES_MAX
            or package_count + len(move.packages) > package_count_max
        )
        if chunk and is_full:
            yield chunk
            chunk, line_count, package_count = [], 0, 0
        chunk.append(move)
        line_count += more
        package_count += len(move.packages)
    if chunk:
        yield chunk


async def _book_chunk(moves: list[OrderMove], call: Call) -> tuple[ReplanSummary, Revision]:
    # Each under a key of its own: a retry of the call is answered before it comes here.
    return await call.change(ApplyReplan(tuple(moves)), f"replan-{token_hex(16)}", ReplanSummary)
