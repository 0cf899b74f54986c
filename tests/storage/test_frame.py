"""Frames as bytes: what goes in comes out, and nothing that was changed does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domgrpc.storage.frame import (
    BLOCK_BYTES,
    FRAME_HEADER_BYTES,
    PAYLOAD_BYTES_MAX,
    RECORDS,
    SECTOR_BYTES,
    FrameHeader,
    decode_frame_header,
    decode_payload,
    encode_frame,
    frame_bytes,
    frame_crc,
    is_incomplete,
)
from tests.storage.damage import flip, forge_frame, zero_sector

SALT = bytes(range(16))


def encode(payload: bytes) -> bytes:
    return encode_frame(
        payload,
        kind=RECORDS,
        count=3,
        first_sequence=41,
        durable_bytes=BLOCK_BYTES,
        previous_crc=0xDEADBEEF,
        salt=SALT,
    )


def decode(frame: bytes) -> tuple[FrameHeader | None, bytes | None]:
    header = decode_frame_header(memoryview(frame))
    return header, None if header is None else decode_payload(header, memoryview(frame))


def test_a_frame_gives_back_what_was_put_in() -> None:
    frame = encode(b"payload")
    header, payload = decode(frame)
    assert payload == b"payload"
    assert header == FrameHeader(
        crc=frame_crc(frame),
        kind=RECORDS,
        masked=False,
        payload_bytes=7,
        count=3,
        first_sequence=41,
        durable_bytes=BLOCK_BYTES,
        previous_crc=0xDEADBEEF,
        salt=SALT,
    )
    assert header.size_bytes == len(frame) == BLOCK_BYTES


@given(
    st.one_of(
        st.binary(max_size=3 * BLOCK_BYTES),
        st.integers(min_value=0, max_value=3 * BLOCK_BYTES).map(bytes),
    )
)
def test_a_frame_fills_whole_blocks_and_has_no_zero_sector(payload: bytes) -> None:
    frame = encode(payload)
    assert decode(frame)[1] == payload
    assert len(frame) == frame_bytes(len(payload))
    assert len(frame) % BLOCK_BYTES == 0
    assert len(frame) - len(payload) < 2 * BLOCK_BYTES
    assert not is_incomplete(frame)


@pytest.mark.parametrize("spare_bytes", [0, 1, 7, 8, 9, BLOCK_BYTES - 1])
def test_the_payload_may_end_anywhere_in_a_block(spare_bytes: int) -> None:
    payload = b"x" * (3 * BLOCK_BYTES - FRAME_HEADER_BYTES - 8 - spare_bytes)
    frame = encode(payload)
    assert len(frame) == 3 * BLOCK_BYTES
    assert decode(frame)[1] == payload


@pytest.mark.slow
def test_every_flipped_bit_of_a_frame_is_noticed() -> None:
    frame = encode(b"some records")
    for bit in range(len(frame) * 8):
        assert decode(flip(frame, bit))[1] is None, bit


def test_a_payload_with_a_run_of_zeros_is_masked_and_comes_back() -> None:
    payload = b"a" + bytes(5000) + b"b"
    header, decoded = decode(encode(payload))
    assert header is not None
    assert header.masked
    assert decoded == payload


def test_a_payload_with_short_runs_of_zeros_is_stored_as_it_is() -> None:
    payload = (b"a" + bytes(SECTOR_BYTES - 1)) * 20
    frame = encode(payload)
    assert payload in frame


@pytest.mark.parametrize(
    ("offset_bytes", "data"),
    [
        (8, b"DGFX"),  # the magic
        (13, b"\x02"),  # a flag that nobody knows
        (16, (PAYLOAD_BYTES_MAX + 1).to_bytes(4, "little")),
    ],
)
def test_a_header_with_right_checksums_and_wrong_values_is_none(
    offset_bytes: int, data: bytes
) -> None:
    forged = forge_frame(encode(b"payload"), offset_bytes, data)
    assert decode_frame_header(memoryview(forged)) is None


def test_bytes_too_short_for_a_header_are_none() -> None:
    assert decode_frame_header(memoryview(b"x" * (FRAME_HEADER_BYTES - 1))) is None


def test_a_frame_of_which_any_part_was_not_written_is_incomplete() -> None:
    frame = encode(b"x" * 5000)
    for written_bytes in range(len(frame)):
        assert is_incomplete(frame[:written_bytes].ljust(len(frame), b"\0"))
    for offset_bytes in range(0, len(frame), SECTOR_BYTES):
        assert is_incomplete(zero_sector(frame, offset_bytes))


def test_zeros_that_fill_no_whole_sector_are_not_taken_for_unwritten_ones() -> None:
    assert not is_incomplete(b"x" + bytes(SECTOR_BYTES) + b"x" * (SECTOR_BYTES - 1))
