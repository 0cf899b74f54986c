"""docs/data-values.md: every value of the log and of snapshots, field by field.

`python -m tests.engine.data_pages` writes the page anew from the code. It refuses where the code no
longer reads what the page describes: a place, a tag, a default or a number that was changed.
"""

import re
import sys

from tests.engine.data_layout import FieldLayout, Layout, ValueLayout, layout, without_types
from tests.engine.golden_records import moved
from tests.tidy.project_files import ROOT, read_text

PAGE = ROOT / "docs/data-values.md"
HEAD = """# Data values

Every value that stands in the log or in a snapshot, with its fields in order: what
[the data format](data-format.md) leaves open. The page is written from the code
(`python -m tests.engine.data_pages`) and grows only at the ends of its rows and tables.

A value is a msgpack array of its fields, in this order; where it has a tag, the tag comes first.
A field with a default may be missing at the end of the array. The default `Address()` is that
value with the defaults of its own fields. Times are milliseconds since 1970 UTC, money is in
millionths of the currency unit (micros), days are counted from 1970-01-01, places on the map are
degrees times 10^7. An enumeration is stored as its number, a reason
as its word.

## Values

| value | tag | fields |
|---|---:|---|"""
MIDDLE = """
## Enumerations

| enumeration | numbers |
|---|---|"""
_SHORTER = {"events": "list of events", "outcome": "what a request led to, by its tag"}
"""Types that are unions of many."""
_FIELD = re.compile(r"`(?P<name>\w+)`: [^`;|=]*(?:= `(?P<default>[^`]*)`)?")


def page() -> str:
    """Return the page that today's code asks for."""
    today = layout()
    rows = [
        f"| {name} | {'' if value.tag is None else value.tag} | {fields_words(value)} |"
        for name, value in today.values.items()
    ]
    numbers = [
        f"| {name} | {', '.join(f'{word} {number}' for word, number in members.items())} |"
        for name, members in sorted(today.numbers.items())
    ]
    return "\n".join([HEAD, *rows, MIDDLE, *numbers, ""])


def fields_words(value: ValueLayout) -> str:
    """Say the fields."""
    words = "; ".join(map(field_words, value.fields))
    return f"by name, as a map: {words}" if value.is_map else words


def field_words(field: FieldLayout) -> str:
    """Say a field."""
    kind = _SHORTER.get(field.name, field.type)
    return f"`{field.name}`: {kind}" + (f" = `{field.default}`" if field.default else "")


def described(text: str) -> Layout:
    """Return the layout that a page describes."""
    found = Layout({}, {})
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        if row.startswith(("| value |", "| enumeration |")):
            continue
        if row.startswith("| ") and len(cells) == 3:
            name, tag, words = cells
            fields = _FIELD.finditer(words)
            places = tuple(FieldLayout(at["name"], at["default"] or "") for at in fields)
            is_map = words.startswith("by name")
            found.values[name] = ValueLayout(places, int(tag) if tag else None, is_map)
        elif row.startswith("| ") and len(cells) == 2:
            pairs = (pair.rsplit(" ", 1) for pair in cells[1].split(", "))
            found.numbers[cells[0]] = {
                word: int(number) if number.lstrip("-").isdecimal() else number
                for word, number in pairs
            }
    return found


def main() -> int:
    """Write the page, or say what forbids it."""
    lost = list(moved(described(read_text(PAGE)), without_types(layout()))) if PAGE.exists() else []
    if lost:
        sys.stderr.write("\n".join(["old data would be read wrongly:", *lost, ""]))
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
