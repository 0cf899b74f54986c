"""What stands in a cell: names, numbers, words, lists. A cell that is wrong raises `BadCell`."""

import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

NAME_BYTES_MAX: Final = 128
QUANTITY_MAX: Final = 10**12
_NEVER: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TRUE: Final = frozenset({"true", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "0"})
_SEPARATORS: Final = str.maketrans({";": "|"})

_Word = TypeVar("_Word", bound=StrEnum)


class BadCell(Exception):
    """A cell cannot be understood or breaks a rule; names the column."""

    reason: Final = "INVALID_FIELD"

    def __init__(self, column: str, problem: str) -> None:
        """Say what is wrong with the cell."""
        super().__init__(f"{column} {problem}")
        self.column = column


def name(text: str, column: str) -> str:
    """Check an id: 1 to 128 bytes, NFC, no blanks around it, no control characters."""
    if text != text.strip():
        # Usually a typing error, and nobody sees it in a table.
        raise BadCell(column, f"{text!a} begins or ends with a blank")
    if text.isascii() and text.isprintable() and 0 < len(text) <= NAME_BYTES_MAX:
        return text
    if not text:
        raise BadCell(column, "is empty")
    if any(unicodedata.category(character) in _NEVER for character in text):
        raise BadCell(column, f"{text!a} has a control character or is not UTF-8")
    size_bytes = len(text.encode())
    if size_bytes > NAME_BYTES_MAX:
        raise BadCell(column, f"has {size_bytes} bytes; up to {NAME_BYTES_MAX} are allowed")
    if not unicodedata.is_normalized("NFC", text):
        raise BadCell(column, f"{text!a} is not in Unicode form NFC")
    return text


def words(text: str, column: str) -> str:
    """Check free text: what is not UTF-8 cannot be sent; the rest is the server's affair."""
    if not text.isascii() and any(unicodedata.category(part) == "Cs" for part in text):
        raise BadCell(column, f"{text!a} is not UTF-8")
    return text


def quantity(text: str, column: str) -> int:
    """Read a whole number, 0 to 10^12."""
    return number(text, column, low=0, high=QUANTITY_MAX)


def number(text: str, column: str, *, low: int, high: int) -> int:
    """Read a whole number within limits; digits only, with a sign and blanks around it."""
    digits = text.strip()
    plain = digits[1:] if digits[:1] in {"-", "+"} else digits
    # Without a bound a cell of a million digits would take minutes.
    if not (plain.isascii() and plain.isdigit() and len(plain) < 2 * len(str(high))):
        raise BadCell(column, f"is {_shown(text)}; a whole number is needed")
    value = int(digits)
    if not low <= value <= high:
        raise BadCell(column, f"is {value}; {low} to {high} is allowed")
    return value


def decimal(text: str, column: str) -> float:
    """Read degrees."""
    try:
        return float(text)
    except ValueError:
        raise BadCell(column, f"is {_shown(text)}; a number is needed") from None


def truth(text: str, column: str) -> bool:
    """Read true or false."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadCell(column, f"is {_shown(text)}; true or false is needed")


def choice(text: str, column: str, kinds: type[_Word]) -> _Word:
    """Read a word of a list; case does not matter, nor whether it has - or _."""
    try:
        return kinds(text.strip().lower().replace("_", "-"))
    except ValueError:
        known = ", ".join(kinds)
        raise BadCell(column, f"is {_shown(text)}; one of {known} is needed") from None


def several(text: str) -> list[str]:
    """Read a list: its items stand between | or ; ."""
    parts = text.translate(_SEPARATORS).split("|")
    return [part for part in map(str.strip, parts) if part]


def time(text: str, column: str) -> datetime:
    """Read a time in ISO 8601; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadCell(
            column, f"is {_shown(text)}; a time such as 2030-01-31T18:00:00Z is needed"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(text: str) -> str:
    return f"{text[:40]!a}"
