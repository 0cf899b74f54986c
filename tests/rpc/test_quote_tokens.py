"""Quote tokens: one comes back as it was handed out, or is refused; a forged one does no harm."""

import base64
from random import Random

import grpc.aio
import msgspec
import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.core.plans import QuotedPackage, QuotedPlan
from domgrpc.core.values import (
    QUANTITY_MAX,
    TIME_MS_MAX,
    DeliveryMethod,
    LineId,
    LocationId,
    Micros,
    ReservationId,
    TimeMs,
)
from domgrpc.rpc.quote_tokens import (
    QUOTED_PACKAGES_MAX,
    TOKEN_CHARACTERS_MAX,
    quote_token,
    quoted_plan,
)
from domgrpc.rpc.refusals import InvalidField
from domgrpc.v1 import order_pb2 as pb
from tests.rpc.ordering import line, open_chain, place, places, quote
from tests.rpc.serving import NOON_MS, Shop, refusal, refusal_of

SHIP = DeliveryMethod.SHIP_TO_HOME
FAR = TimeMs(NOON_MS + 10**9)

line_ids = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)
location_ids = st.sampled_from(["york", "\u00e9" * 64, "two words", "x" * 128])
packages = st.builds(
    QuotedPackage,
    location_ids,
    st.sampled_from(DeliveryMethod),
    st.one_of(st.just(""), location_ids),
    st.dictionaries(line_ids, st.integers(1, QUANTITY_MAX), min_size=1, max_size=4).map(
        lambda units: tuple(units.items())
    ),
)
plans = st.builds(
    QuotedPlan,
    st.integers(0, 2**32 - 1),
    st.integers(0, TIME_MS_MAX),
    st.lists(packages, min_size=1, max_size=4).map(tuple),
    st.integers(0, 2**60),
    st.one_of(st.just(""), line_ids),
)


def sealed(payload: bytes, version: bytes = b"\x01") -> str:
    """Return what a forger sends who knows the format."""
    checksum = crc32c(payload).to_bytes(4, "big")
    return base64.urlsafe_b64encode(version + checksum + payload).decode()


def plan(*packed: QuotedPackage, content: int = 0, reservation_id: str = "") -> QuotedPlan:
    return QuotedPlan(content, FAR, packed, Micros(0), ReservationId(reservation_id))


def package(
    location_id: str = "york", *lines: tuple[str, int], method: DeliveryMethod = SHIP
) -> QuotedPackage:
    units = tuple((LineId(line_id), count) for line_id, count in lines or (("1", 1),))
    return QuotedPackage(LocationId(location_id), method, LocationId(""), units)


def many(count: int) -> list[tuple[str, int]]:
    return [(str(number), 1) for number in range(count)]


def expect_refused(token: str, path: str) -> None:
    with pytest.raises(InvalidField) as caught:
        quoted_plan(token)
    assert caught.value.path == path


@given(plans)
def test_what_comes_back_is_what_was_handed_out(quoted: QuotedPlan) -> None:
    assert quoted_plan(quote_token(quoted)) == quoted


@given(plans, st.data())
def test_a_token_that_was_mangled_is_refused(quoted: QuotedPlan, data: st.DataObject) -> None:
    token = quote_token(quoted)
    place = data.draw(st.integers(0, len(token) - 1))
    mangled = data.draw(
        st.sampled_from(
            [
                token[:place],
                token[:place] + token[place + 1 :],
                token[:place] + "~" + token[place + 1 :],
                token[:place] + " " + token[place:],
                token + "AAAA",
                token * 2,
            ]
        )
    )
    expect_refused(mangled, "quote_token")


def test_single_flipped_bits_are_found() -> None:
    raw = base64.urlsafe_b64decode(quote_token(plan(package())))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        expect_refused(base64.urlsafe_b64encode(flipped).decode(), "quote_token")


@pytest.mark.parametrize(
    "token",
    ["", "A", "none", "\u00e9", "=" * 8, "AAAA", sealed(b""), sealed(b"\xc0"), sealed(b"\x95" * 9)],
    ids=range(9),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    expect_refused(token, "quote_token")


def test_a_token_of_another_version_is_refused() -> None:
    payload = msgspec.msgpack.encode(plan(package()))
    assert quoted_plan(sealed(payload)) == plan(package())
    expect_refused(sealed(payload, b"\x02"), "quote_token")


def test_a_token_has_an_end() -> None:
    expect_refused("A" * (TOKEN_CHARACTERS_MAX + 1), "quote_token")


@pytest.mark.parametrize(
    ("forged", "path"),
    [
        (plan(), "packages"),
        (plan(*(package(),) * (QUOTED_PACKAGES_MAX + 1)), "packages"),
        (plan(package("")), "packages[0].location_id"),
        (plan(package("x" * 129)), "packages[0].location_id"),
        (plan(package("york", ("1", 0))), "packages[0].lines[0].quantity"),
        (plan(package(), package("york", ("1", -5))), "packages[1].lines[0].quantity"),
        (plan(package("york", ("1", QUANTITY_MAX + 1))), "packages[0].lines[0].quantity"),
        (plan(package("york", ("a b", 1))), "packages[0].lines[0].line_id"),
        (plan(package("york", ("1", 1), ("1", 1))), "packages[0].lines[1].line_id"),
        (plan(package("york", *many(5_001))), "packages[0].lines"),
        (plan(*(package("york", *many(4_000)),) * 3), "lines"),
        (plan(package(), content=-1), "content"),
        (plan(package(), reservation_id="a b"), "reservation_id"),
        (QuotedPlan(0, TimeMs(-1), (package(),), Micros(0)), "expire_time_ms"),
        (QuotedPlan(0, TimeMs(2**63), (package(),), Micros(0)), "expire_time_ms"),
    ],
    ids=range(15),
)
def test_a_forged_plan_is_refused_by_what_no_quote_can_say(forged: QuotedPlan, path: str) -> None:
    expect_refused(sealed(msgspec.msgpack.encode(forged)), f"quote_token.{path}")


def test_a_plan_of_too_many_packages_gets_no_token() -> None:
    assert quote_token(plan(*(package(),) * QUOTED_PACKAGES_MAX))
    assert not quote_token(plan(*(package(),) * (QUOTED_PACKAGES_MAX + 1)))


# --- against a server


@pytest.fixture
async def chain(shop: Shop) -> Shop:
    """A chain of three locations with ten of everything at each."""
    await open_chain(shop)
    return shop


async def content_of(chain: Shop, *lines: pb.OrderLine) -> int:
    """Return the fingerprint that a quote for these lines has."""
    (option,) = (await quote(chain, *lines)).options
    return quoted_plan(option.quote_token).content


async def test_a_forged_token_books_no_more_than_there_is(chain: Shop) -> None:
    content = await content_of(chain, line("A", 2))
    asked = (
        plan(package("newark", ("1", 2)), content=content),
        plan(package("newark", ("1", 1)), package("york", ("1", 1)), content=content),
        # The rest is planned as things stand.
        plan(package("newark", ("1", 1)), content=content),
    )
    for quoted in asked:
        order = await place(chain, line("A", 2), quote_token=quote_token(quoted))
        assert sum(has[0][1] for _, has in places(order.fulfillment_orders)) == 2, quoted
    forged = (
        plan(package("york", ("1", 2)), package("newark", ("1", 2)), content=content),
        plan(package("york", ("2", 2)), content=content),
        plan(package("york", ("1", 2), method=DeliveryMethod.PICKUP), content=content),
    )
    for quoted in forged:
        refused = await refusal(place(chain, line("A", 2), quote_token=quote_token(quoted)))
        assert refused.reason == "QUOTE_OUTDATED", quoted
    chain.engine.writer.state.check_invariants()


async def test_a_forged_token_does_not_take_over_the_hold_of_somebody_else(chain: Shop) -> None:
    await chain.hold(("A", "york", 10), reservation_id="theirs")
    content = await content_of(chain, line("A", 2))
    quoted = plan(package("york", ("1", 2)), content=content, reservation_id="none")
    refused = await refusal(place(chain, line("A", 2), quote_token=quote_token(quoted)))
    assert refused.reason == "QUOTE_OUTDATED"
    assert (await chain.position("A", "york")).soft_reserved == 10


async def test_random_forgeries_are_refused_or_booked_whole(chain: Shop) -> None:
    random = Random(4)
    content = await content_of(chain, line("A", 2), line("B", 3))
    lines = (line("A", 2), line("B", 3))
    reasons = set()
    for _ in range(60):
        packed = [forged_package(random) for _ in range(random.randrange(1, 4))]
        token = quote_token(plan(*packed, content=content))
        try:
            order = await place(chain, *lines, quote_token=token, validate_only=True)
        except grpc.aio.AioRpcError as error:
            reasons.add(refusal_of(error).reason)
            continue
        held = [each for _, has in places(order.fulfillment_orders) for each in has]
        for asked in lines:
            assert sum(units for sku, units in held if sku == asked.sku) <= asked.quantity
    assert reasons <= {"QUOTE_OUTDATED", "LOCATION_NOT_FOUND"}
    chain.engine.writer.state.check_invariants()


def forged_package(random: Random) -> QuotedPackage:
    named = random.sample("12", random.randrange(1, 3))
    return package(
        random.choice(["york", "newark", "chicago", "nowhere"]),
        *((line_id, random.randrange(1, 4)) for line_id in named),
        method=random.choice((SHIP, SHIP, SHIP, DeliveryMethod.PICKUP)),
    )
