"""Small damage functions, each from whole bytes to damaged ones, and a forger of checksums."""

from crc32c import crc32c

from domgrpc.storage.frame import BLOCK_BYTES, FRAME_HEADER_BYTES, SECTOR_BYTES


def flip(content: bytes, bit: int) -> bytes:
    """Turn one bit over."""
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def zero_sector(content: bytes, offset_bytes: int) -> bytes:
    """Lose one sector."""
    return patch(content, offset_bytes, bytes(SECTOR_BYTES))


def patch(content: bytes, offset_bytes: int, data: bytes) -> bytes:
    """Put other bytes at an offset."""
    return content[:offset_bytes] + data + content[offset_bytes + len(data) :]


def forge_checksum(content: bytes, checked: slice, offset_bytes: int) -> bytes:
    """Put the checksum of some of the bytes at an offset."""
    checksum = crc32c(content[checked]).to_bytes(4, "little")
    return patch(content, offset_bytes, checksum)


def forge_frame(frame: bytes, offset_bytes: int, data: bytes) -> bytes:
    """Change the header of a frame and make both checksums right again."""
    forged = patch(frame, offset_bytes, data)
    forged = forge_checksum(forged, slice(8, FRAME_HEADER_BYTES), 4)
    return forge_checksum(forged, slice(4, None), 0)


def forge_first_block(segment: bytes, offset_bytes: int, data: bytes) -> bytes:
    """Change the first block of a segment and make its checksum right again."""
    forged = patch(segment, offset_bytes, data)
    return forge_checksum(forged, slice(0, BLOCK_BYTES - 4), BLOCK_BYTES - 4)
