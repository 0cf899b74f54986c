"""How refusals go out: every reason has a code and the details it needs."""

import grpc
import pytest
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from domgrpc.core.rejections import Alternative, Reason, Rejection, ShortLine
from domgrpc.core.values import LocationId, Quantity, Sku
from domgrpc.engine.beside import BesideFailed
from domgrpc.engine.calls import Busy, DiskFullRefusal, RevisionNotReached, Stopped
from domgrpc.engine.feed import RevisionTrimmed, WatcherTooSlow
from domgrpc.engine.snapshots import SnapshotRunning, VerificationRunning
from domgrpc.rpc.answering import problem_of
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.status import TREATMENTS, Problem, fill_status
from domgrpc.v1.errors_pb2 import InsufficientStock
from tests.rpc.serving import Refusal

REASONS = [*Reason, *TransportReason]
TRAILER_BYTES_MAX = 8 * 1024
"""What gRPC takes of metadata without further settings."""


def sent(problem: Problem) -> Refusal:
    status = Status()
    fill_status(status, problem)
    return Refusal(status)


def problem(reason: Reason | TransportReason, message: str = "no", **facts: str) -> Problem:
    if isinstance(reason, Reason):
        return Rejection(reason, message, facts)
    return Refused(reason, message, **facts)


def test_every_reason_is_treated_and_none_beside_them() -> None:
    assert set(TREATMENTS) == set(REASONS)
    assert len(REASONS) == len({reason.value for reason in REASONS})


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_says_its_reason_its_facts_and_what_helps(
    reason: Reason | TransportReason,
) -> None:
    refused = sent(problem(reason, location_id="a", sku="A"))
    assert refused.reason == reason.value
    assert refused.facts == {"location_id": "a", "sku": "A"}
    assert refused.code is TREATMENTS[reason].code
    kinds = {detail.type_url.rpartition(".")[2] for detail in refused.status.details}
    match refused.code:
        case grpc.StatusCode.NOT_FOUND | grpc.StatusCode.ALREADY_EXISTS:
            assert "ResourceInfo" in kinds
        case grpc.StatusCode.FAILED_PRECONDITION:
            assert "PreconditionFailure" in kinds
        case grpc.StatusCode.RESOURCE_EXHAUSTED | grpc.StatusCode.UNAVAILABLE:
            assert "RetryInfo" in kinds
            retry = refused.detail(error_details_pb2.RetryInfo)
            assert retry.retry_delay.ToMilliseconds() > 0


def test_the_bytes_of_a_status_do_not_depend_on_the_order_of_its_facts() -> None:
    names = [f"fact_{number}" for number in range(10)]
    wires = []
    for order in (names, names[::-1]):
        status = Status()
        facts = dict.fromkeys(order, "1")
        fill_status(status, Rejection(Reason.COUNT_OUTDATED, "drop it", facts))
        wires.append(status.SerializeToString())
    assert wires[0] == wires[1]
    places = [wires[0].index(name.encode() + b"\x12") for name in names]
    assert places == sorted(places)


def test_a_field_is_named_with_what_is_wrong_in_it() -> None:
    refused = sent(InvalidField("sku", "is empty").within("lines[3]"))
    assert refused.message == "lines[3].sku is empty"
    (violation,) = refused.detail(error_details_pb2.BadRequest).field_violations
    assert (violation.field, violation.description) == ("lines[3].sku", "is empty")
    assert refused.facts == {"field": "lines[3].sku"}


def test_short_lines_go_out_as_far_as_a_trailer_allows() -> None:
    wide = "\u00e9" * 64
    line = ShortLine(
        Sku(wide),
        LocationId(wide),
        Quantity(10**12),
        Quantity(0),
        tuple(Alternative(Sku(wide), LocationId(wide), Quantity(10**12)) for _ in range(5)),
    )
    rejection = Rejection(Reason.INSUFFICIENT_STOCK, "x" * 600, {"sku": wide}, (line,) * 5_000)
    refused = sent(rejection)
    short = refused.detail(InsufficientStock)
    assert short.line_count == 5_000
    assert len(short.lines) >= 1
    assert refused.status.ByteSize() < TRAILER_BYTES_MAX


@pytest.mark.parametrize(
    ("fault", "reason", "facts"),
    [
        (Busy("full"), TransportReason.SERVER_BUSY, {}),
        (Stopped("bye"), TransportReason.SERVER_DRAINING, {}),
        (BesideFailed("status 1"), TransportReason.INTERNAL, {}),
        (DiskFullRefusal("full"), TransportReason.DISK_FULL, {}),
        (
            RevisionNotReached(3, 9),
            TransportReason.REVISION_NOT_REACHED,
            {"revision": "3", "min_revision": "9"},
        ),
        (
            RevisionTrimmed(1, 5),
            TransportReason.REVISION_TRIMMED,
            {"oldest_revision": "5"},
        ),
        (WatcherTooSlow(7), TransportReason.WATCH_TOO_SLOW, {"resume_revision": "7"}),
        (SnapshotRunning("busy"), TransportReason.SNAPSHOT_RUNNING, {}),
        (VerificationRunning("busy"), TransportReason.VERIFICATION_RUNNING, {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_engine_refuses_has_a_reason(
    fault: Exception, reason: TransportReason, facts: dict[str, str]
) -> None:
    found = problem_of(fault)
    assert isinstance(found, Refused)
    assert (found.reason, found.facts) == (reason, facts)


def test_a_mistake_of_ours_goes_out_without_what_it_was() -> None:
    refused = sent(problem_of(KeyError("secret")))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in str(refused.status)
