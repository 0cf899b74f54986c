"""What was meant by a misspelt word, where one of the known words is near."""

from collections.abc import Iterable


def meant(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the nearest of the known words, empty where none is near."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower(), list(known), 1)
    return f", did you mean {found[0]!r}?" if found else ""
