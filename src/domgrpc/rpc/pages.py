"""Pages of lists: how many entries, and the token that says where the next page begins.

A token is opaque: the place behind the last entry, bound by a checksum to the list and its
filters, so that a token of another query is refused instead of skipping entries. It holds no
secret and no snapshot; it stays valid over restarts, and a list stays stable while data changes
because places do not move.
"""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar, cast

import msgspec

from domgrpc.core.listings import Page
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason
from domgrpc.rpc.sizes import MESSAGE_BYTES_MAX

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
_TOKEN_CHARACTERS_MAX = 1_024
_CHECKSUM_BYTES = 8

# Tuples of the kinds of place that core/listings.py hands out; a place is never negative.
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
NamePlace = tuple[str]
NumberPlace = tuple[_Number]
SkuPlace = tuple[_Number, _Number]
PositionPlace = tuple[_Number, _Number, _Number]
LowPositionPlace = tuple[str, _Number]
OwnerPlace = tuple[_Number, str]
ReservationPlace = tuple[_Number, str]
OrderPlace = tuple[_Number, str]

Place = TypeVar("Place", bound=tuple[str | int, ...])
Entry = TypeVar("Entry")

_ENCODER = msgspec.msgpack.Encoder()


class Listing(Generic[Place]):
    """One list of the API: its name, the kind of its places and where its first page begins."""

    def __init__(
        self,
        name: str,
        place_type: Any,  # noqa: ANN401 - the form of a type, which has no type itself
        first: Place,
    ) -> None:
        """Prepare to read tokens of this list."""
        self._name = name
        self._decoder = msgspec.msgpack.Decoder(place_type)
        self.first = first

    def place(self, token: str, filters: tuple[object, ...]) -> Place:
        """Return where a page begins; an empty token is the first page.

        Refuses with PAGE_TOKEN_INVALID what was not handed out for this list and these filters.
        """
        if not token:
            return self.first
        try:
            raw = urlsafe_b64decode(token) if len(token) <= _TOKEN_CHARACTERS_MAX else b""
            checksum, payload = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
            if checksum == self._checksum(payload, filters):
                return cast("Place", self._decoder.decode(payload))
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            # Told below, like a token of another query: both were never handed out for this one.
            checksum = b""
        raise Refused(
            TransportReason.PAGE_TOKEN_INVALID,
            f"page_token was not made for this {self._name} with these filters: repeat the "
            "request of the page before, or begin again without a token",
        )

    def token(self, page: Page[Any], filters: tuple[object, ...]) -> str:
        """Return the token of the page behind this one; empty at the end."""
        if page.next_place is None:
            return ""
        payload = _ENCODER.encode(page.next_place)
        return urlsafe_b64encode(self._checksum(payload, filters) + payload).decode("ascii")

    def _checksum(self, payload: bytes, filters: tuple[object, ...]) -> bytes:
        bound = _ENCODER.encode((self._name, filters, payload))
        return hashlib.blake2b(bound, digest_size=_CHECKSUM_BYTES).digest()


def page_size(value: int) -> int:
    """Return how many entries a page may have: 0 for the default, more than 1,000 is 1,000."""
    if value < 0:
        raise InvalidField("page_size", f"is {value}; 0 for {PAGE_SIZE_DEFAULT}, or above 0")
    return min(value or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def bounded_page(
    listed: Callable[[int], Page[Entry]], size: int, bytes_of: Callable[[Entry], int]
) -> Page[Entry]:
    """Return a page of up to `size` entries that is not too large to send.

    Entries differ widely in size; where they exceed 2 MiB together, the page is made
    again with as many as fit, at least one.
    """
    page = listed(size)
    total_bytes = 0
    for count, entry in enumerate(page.entries):
        total_bytes += bytes_of(entry)
        if total_bytes > MESSAGE_BYTES_MAX and count:
            return listed(count)
    return page
