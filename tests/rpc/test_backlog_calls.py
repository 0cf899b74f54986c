"""ReoptimizeBacklog: a search beside the server, its proposal, and booking it."""

from collections.abc import Sequence
from typing import cast

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from domgrpc.core.order_commands import MOVES_MAX, ApplyReplan, OrderMove, ReplanSummary
from domgrpc.core.plans import QuotedPackage
from domgrpc.core.rejections import Rejected
from domgrpc.core.replan_proposals import (
    BacklogProposal,
    BacklogQuestion,
    ProposedMove,
    Staying,
)
from domgrpc.core.scopes import LocationList
from domgrpc.core.values import (
    DeliveryMethod,
    LineId,
    LocationId,
    Micros,
    OrderId,
    Quantity,
    Revision,
    RuleSetVersion,
)
from domgrpc.engine.dry_running import DryRunReport
from domgrpc.rpc.calls import Call
from domgrpc.rpc.routing_service import KEPT_ANSWERS_MAX, RoutingService, chunks
from domgrpc.rpc.translate_routing import (
    apply_replan,
)
from domgrpc.v1 import order_pb2 as pb_order
from domgrpc.v1 import routing_pb2 as pb
from domgrpc.v1 import types_pb2 as ty
from domgrpc.v1.logistics_pb2 import RateCard, SaveRateCardRequest, ZoneRate
from tests.rpc.bad_shapes import Field
from tests.rpc.ordering import CHICAGO, line, open_chain, place, places
from tests.rpc.serving import Shop

Code = grpc.StatusCode


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


class Searcher:
    """Answers every search with a proposal that it was given."""

    def __init__(self, proposal: BacklogProposal) -> None:
        self.questions: list[BacklogQuestion] = []
        self._proposal = proposal

    async def propose(self, question: BacklogQuestion) -> BacklogProposal:
        """Take the question down."""
        self.questions.append(question)
        return self._proposal


class Booking:
    """What booking needs of a call: it fits `fitting` orders more at each command."""

    client_id = "planner"

    def __init__(self, fitting: Sequence[int]) -> None:
        self.sizes: list[int] = []
        self._fitting = list(fitting)

    async def change(
        self, command: ApplyReplan, _key: str, _kind: type
    ) -> tuple[ReplanSummary, Revision]:
        """Book the first ones."""
        count = self._fitting.pop(0)
        self.sizes.append(len(command.moves))
        names = [each.order_id for each in command.moves]
        return (
            ReplanSummary(
                tuple(names[:count]), tuple((name, "no stock") for name in names[count:])
            ),
            Revision(50 + len(self.sizes)),
        )


def proposed(count: int) -> BacklogProposal:
    packages = (
        QuotedPackage(
            LocationId("york"),
            DeliveryMethod.SHIP_TO_HOME,
            LocationId(""),
            ((LineId("1"), Quantity(2)),),
        ),
    )
    moves = tuple(
        ProposedMove(
            OrderMove(OrderId(f"o{number}"), Revision(7), packages), Micros(900), Micros(600)
        )
        for number in range(count)
    )
    return BacklogProposal(
        moves=moves,
        order_count=1_000,
        left_out=((Staying.COLLECTED, 3), (Staying.UNREACHABLE, 1)),
        cost_before_micros=Micros(2_000_000),
        cost_after_micros=Micros(1_030_000),
        lower_bound_micros=Micros(1_000_000),
        search_us=1_500_000,
        revision=Revision(40),
        package_count_max=10_000,
    )


class NoDryRunner:
    """Tries no rule set."""

    async def run(self, version: RuleSetVersion, order_count: int) -> DryRunReport:
        raise AssertionError(f"rule set {version} was tried on {order_count} orders")


def service_of(searcher: Searcher) -> RoutingService:
    """Return the service over a search that is not a real one."""
    return RoutingService(searcher, NoDryRunner())


async def reoptimize(
    service: RoutingService, booking: Booking | None = None, **fields: Field
) -> pb.ReoptimizeBacklogResponse:
    fields.setdefault("request_id", "r")
    call = cast("Call", booking or Booking([]))
    return await service.ReoptimizeBacklog(pb.ReoptimizeBacklogRequest(**fields), call)


async def test_a_dry_run_proposes_and_books_nothing() -> None:
    searcher = Searcher(proposed(2))
    answer = await reoptimize(
        service_of(searcher),
        dry_run=True,
        allow_late=True,
        stability_price_micros=0,
        scope=ty.Scope(locations=ty.LocationList(location_ids=["york"])),
        search_time_max=Duration(seconds=5),
    )
    (question,) = searcher.questions
    assert question == BacklogQuestion(
        scope=LocationList((LocationId("york"),)),
        allow_late=True,
        stability_price_micros=Micros(0),
        search_ms_max=5_000,
    )
    assert [(each.order_id, each.etag) for each in answer.moves] == [("o0", "7"), ("o1", "7")]
    assert answer.moves[0].cost_before_micros - answer.moves[0].cost_after_micros == 300
    assert (answer.order_count, answer.gap_ppm) == (1_000, 30_000)
    assert [(each.reason, each.fulfillment_order_count) for each in answer.left_out] == [
        ("collected", 3),
        ("unreachable", 1),
    ]
    assert answer.search_time.ToMilliseconds() == 1_500
    assert (answer.backlog_revision, answer.revision) == (40, 40)
    assert not answer.applied_order_ids
    # What was proposed can be handed to ApplyReplan as it is.
    command = apply_replan(pb.ApplyReplanRequest(moves=answer.moves))
    assert command.moves == tuple(each.move for each in proposed(2).moves)


async def test_a_proposal_is_booked_in_chunks_and_what_did_not_fit_once_more() -> None:
    booking = Booking([MOVES_MAX - 2, 0, 3])
    answer = await reoptimize(service_of(Searcher(proposed(MOVES_MAX + 1))), booking)
    assert booking.sizes == [MOVES_MAX, 1, 3]
    assert len(answer.applied_order_ids) == MOVES_MAX + 1
    assert not answer.skipped
    assert answer.revision == 53


async def test_what_never_fits_is_told_and_not_tried_for_ever() -> None:
    booking = Booking([1, 0])
    answer = await reoptimize(service_of(Searcher(proposed(3))), booking)
    assert booking.sizes == [3, 2]
    assert answer.applied_order_ids == ["o0"]
    assert [(each.order_id, each.reason) for each in answer.skipped] == [
        ("o1", "no stock"),
        ("o2", "no stock"),
    ]


def test_a_command_books_so_many_orders_and_so_many_lines() -> None:
    def sized(line_count: int) -> OrderMove:
        lines = ((LineId("1"), Quantity(1)),) * line_count
        package = QuotedPackage(
            LocationId("york"), DeliveryMethod.SHIP_TO_HOME, LocationId(""), lines
        )
        return OrderMove(OrderId("o"), Revision(1), (package,))

    assert [len(each) for each in chunks([sized(1)] * (MOVES_MAX + 1), 10**6)] == [MOVES_MAX, 1]
    assert [len(each) for each in chunks([sized(5_000)] * 5, 10**6)] == [2, 2, 1]
    assert [len(each) for each in chunks([sized(20_000), sized(1)], 10**6)] == [1, 1]
    assert [len(each) for each in chunks([sized(1)] * 5, 2)] == [2, 2, 1]
    assert list(chunks([], 1)) == []


async def test_a_repeated_search_is_answered_from_memory() -> None:
    searcher = Searcher(proposed(1))
    service = service_of(searcher)
    first = await reoptimize(service, dry_run=True)
    assert await reoptimize(service, dry_run=True) is first
    assert len(searcher.questions) == 1
    with pytest.raises(Rejected, match="another search"):
        await reoptimize(service, dry_run=True, allow_late=True)
    for number in range(KEPT_ANSWERS_MAX):
        await reoptimize(service, dry_run=True, request_id=f"other-{number}")
    await reoptimize(service, dry_run=True)
    assert len(searcher.questions) == KEPT_ANSWERS_MAX + 2


async def test_a_real_search_finds_what_is_better_and_books_it(chain: Shop) -> None:
    await chain.count(("A", "york", 0))
    far = await place(chain, line("A"), order_id="far")
    assert places(far.fulfillment_orders) == [("newark", [("A", 1)])]
    await chain.count(("A", "york", 10))
    request = pb.ReoptimizeBacklogRequest(
        request_id="r1", dry_run=True, stability_price_micros=0, search_time_max=Duration(seconds=2)
    )
    shown = await chain.routing.ReoptimizeBacklog(request)
    assert shown.order_count == 1
    assert shown.cost_after_micros <= shown.cost_before_micros
    request.request_id, request.dry_run = "r2", False
    done = await chain.routing.ReoptimizeBacklog(request)
    assert done.applied_order_ids == [each.order_id for each in shown.moves]
    again = await chain.routing.ReoptimizeBacklog(request)
    assert again.SerializeToString() == done.SerializeToString()
    chain.engine.writer.state.check_invariants()


@pytest.mark.slow
async def test_an_order_beyond_the_reach_of_its_place_stops_no_search(chain: Shop) -> None:
    far = pb_order.OrderTerms(address=pb_order.Address(point=CHICAGO))
    await chain.count(("A", "chicago", 0))
    await place(chain, line("A"), order_id="far", terms=far)
    await place(chain, line("B"), order_id="near")
    zones = [ZoneRate(zone=zone, package_micros=5_000_000) for zone in (1, 2)]
    card = RateCard(
        service_id="ground", delivery_methods=[ty.DELIVERY_METHOD_SHIP_TO_HOME], zone_rates=zones
    )
    await chain.logistics.SaveRateCard(SaveRateCardRequest(request_id="c", rate_card=card))
    request = pb.ReoptimizeBacklogRequest(
        request_id="r1", dry_run=True, search_time_max=Duration(seconds=2)
    )
    answer = await chain.routing.ReoptimizeBacklog(request)
    assert answer.order_count == 2
    assert [(each.reason, each.fulfillment_order_count) for each in answer.left_out] == [
        ("unreachable", 1)
    ]
    assert 0 < answer.lower_bound_micros <= answer.cost_after_micros
    assert answer.cost_after_micros <= answer.cost_before_micros
