"""Writes files as text and reads them back: a name, then rows of 32 bytes in hex.

A row that repeats is written once with how many times, so that zeros and padding stay short.
"""

from itertools import groupby

ROW_BYTES = 32


def render(files: dict[str, bytes]) -> str:
    """Return the text of some files."""
    lines = []
    for name, content in sorted(files.items()):
        lines.append(f"file {name}")
        rows = [content[start : start + ROW_BYTES] for start in range(0, len(content), ROW_BYTES)]
        for row, equal in groupby(rows):
            times = len(list(equal))
            lines.append(row.hex() if times == 1 else f"{row.hex()} x {times}")
    return "\n".join(lines) + "\n"


def parse(text: str) -> dict[str, bytes]:
    """Return the files of a text."""
    files: dict[str, bytes] = {}
    name = ""
    for line in text.splitlines():
        word, *rest = line.split()
        if word == "file":
            name = rest[0]
            files[name] = b""
        else:
            files[name] += bytes.fromhex(word) * (int(rest[1]) if rest else 1)
    return files
