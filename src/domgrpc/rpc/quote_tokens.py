"""Quote tokens: the plan of a quote, so that its caller can bring it back to have it booked.

A token is base64url of a version, a checksum (CRC-32C) and the plan in MessagePack. It is no
secret and proves nothing: whoever makes one up gets what any caller could ask for, because the
core holds every assignment in it against the stock, the rules and the order. The checksum finds
what was cut or mangled on the way.
"""

import binascii
from base64 import urlsafe_b64encode
from typing import Final

import msgspec
from crc32c import crc32c

from domgrpc.core.order_commands import ORDER_LINES_MAX
from domgrpc.core.plans import QuotedPackage, QuotedPlan
from domgrpc.core.values import TIME_MS_MAX
from domgrpc.rpc.refusals import InvalidField
from domgrpc.rpc.shapes import identifier, identifier_or_empty, item_count, key, quantity, whole

TOKEN_CHARACTERS_MAX: Final = 2 * 1024 * 1024
QUOTED_PACKAGES_MAX: Final = 500
"""Packages of a quoted plan: each is planned again when it is booked."""
QUOTED_LINES_MAX: Final = 2 * ORDER_LINES_MAX
"""Lines of all packages of a quoted plan: a line may be in several."""
_FIELD: Final = "quote_token"
_VERSION: Final = b"\x01"
_CHECKSUM_BYTES: Final = 4
_PAYLOAD_START: Final = len(_VERSION) + _CHECKSUM_BYTES
_MANGLED: Final = "is no token of a quote, or was changed on the way; quote again"
_FINGERPRINT_MAX: Final = 2**64 - 1
_STANDARD_LETTERS: Final = str.maketrans("-_", "+/", "+/")

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(QuotedPlan)


def quote_token(quoted: QuotedPlan) -> str:
    """Return the token of a quoted plan; empty for one that is too large to be booked by it."""
    line_count = sum(len(package.lines) for package in quoted.packages)
    if len(quoted.packages) > QUOTED_PACKAGES_MAX or line_count > QUOTED_LINES_MAX:
        return ""
    payload = _ENCODER.encode(quoted)
    checksum = crc32c(payload).to_bytes(_CHECKSUM_BYTES, "big")
    return urlsafe_b64encode(_VERSION + checksum + payload).decode("ascii")


def quoted_plan(token: str) -> QuotedPlan:
    """Return the plan that a token stands for; refuses what no quote can have handed out."""
    quoted = _decoded(token)
    try:
        _check(quoted)
    except InvalidField as invalid:
        raise invalid.within(_FIELD) from None
    return quoted


def _decoded(token: str) -> QuotedPlan:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise InvalidField(
            _FIELD,
            f"has {len(token)} characters; up to {TOKEN_CHARACTERS_MAX} are allowed",
        )
    try:
        raw = binascii.a2b_base64(token.translate(_STANDARD_LETTERS), strict_mode=True)
        payload = raw[_PAYLOAD_START:]
        checksum = int.from_bytes(raw[len(_VERSION) : _PAYLOAD_START], "big")
        if raw.startswith(_VERSION) and crc32c(payload) == checksum:
            return _DECODER.decode(payload)
    except (ValueError, msgspec.MsgspecError):
        # Told below, like a wrong checksum.
        raw = b""
    raise InvalidField(_FIELD, _MANGLED)


def _check(quoted: QuotedPlan) -> None:
    whole(quoted.content, "content", 0, _FINGERPRINT_MAX)
    whole(quoted.expire_time_ms, "expire_time_ms", 0, TIME_MS_MAX)
    if quoted.reservation_id:
        key(quoted.reservation_id, "reservation_id")
    item_count(len(quoted.packages), "packages", 1, QUOTED_PACKAGES_MAX)
    line_count = sum(len(package.lines) for package in quoted.packages)
    item_count(line_count, "lines", 0, QUOTED_LINES_MAX)
    for place, package in enumerate(quoted.packages):
        try:
            check_package(package)
        except InvalidField as invalid:
            raise invalid.within(f"packages[{place}]") from None


def check_package(package: QuotedPackage) -> None:
    """Check the shape of a package that somebody outside has put together."""
    identifier(package.location_id, "location_id")
    identifier_or_empty(package.destination_location_id, "destination_location_id")
    item_count(len(package.lines), "lines", 1, ORDER_LINES_MAX)
    named: set[str] = set()
    for place, (line_id, units) in enumerate(package.lines):
        key(line_id, f"lines[{place}].line_id")
        quantity(units, f"lines[{place}].quantity", 1)
        if line_id in named:
            raise InvalidField(f"lines[{place}].line_id", f"is {line_id!a} again; name it once")
        named.add(line_id)
