"""What the reader sees: numbered scenes, plain sentences, small tables, and promises kept.

Colors and the sign of waiting appear on a terminal only; piped, it is plain text of 80 columns.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.text import Text

INDENT: Final = 4
WIDTH_MAX: Final = 92
WIDTH_MIN: Final = 40
_GAP: Final = "  "


class Narration:
    """Prints the story; on a quiet console it prints nothing."""

    def __init__(self, console: Console) -> None:
        """Take the console; lines longer than `WIDTH_MAX` are hard to read."""
        self._console = console
        self._width = max(WIDTH_MIN, min(console.width, WIDTH_MAX))
        self._scene_count = 0

    def title(self, text: str, detail: str) -> None:
        """Open the story."""
        self._wrapped(text, style="bold")
        self._wrapped(detail, style="dim")

    def scene(self, title: str) -> None:
        """Begin the next scene."""
        self._scene_count += 1
        self._line("")
        self._line(f"{self._scene_count:>2}  {title}", style="bold cyan")

    def say(self, text: str) -> None:
        """Tell a sentence."""
        self._wrapped(text, first=" " * INDENT)

    def quote(self, text: str) -> None:
        """Show words of the server as they came."""
        self._wrapped(text, first=" " * INDENT + "| ", style="italic")

    def kept(self, claim: str) -> None:
        """Show a promise that was checked and holds."""
        self._marked("ok", claim, style="bold green")

    def broken(self, claim: str, *, expected: str, came: str) -> None:
        """Show a promise that was checked and does not hold."""
        self._marked("NO", claim, style="bold red")
        self._wrapped(f"expected: {expected}", first=" " * (INDENT + 4))
        self._wrapped(f"came:     {came}", first=" " * (INDENT + 4))

    def failed(self, message: str) -> None:
        """Say that the story cannot go on."""
        self._marked("NO", message, style="bold red")

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: frozenset[str]
    ) -> None:
        """Show figures in columns; those named in `left` hold words, the others numbers."""
        widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
        for number, cells in enumerate((columns, *rows)):
            aligned = (
                cell.ljust(width) if column in left else cell.rjust(width)
                for column, cell, width in zip(columns, cells, widths, strict=True)
            )
            line = " " * INDENT + _GAP.join(aligned)
            self._line(line.rstrip(), style="" if number else "dim")

    def close(self, text: str, *, hint: str) -> None:
        """End the story."""
        self._line("")
        self._wrapped(text, style="bold green")
        self._wrapped(hint)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show on a terminal that something takes a moment."""
        with self._console.status(Text(f"{what} ...", style="dim")):
            yield

    def _marked(self, mark: str, text: str, *, style: str) -> None:
        first = f"{' ' * INDENT}{mark}  "
        lines = self._wrap(text, first)
        self._line_of(Text(first, style=style), Text(lines[0].removeprefix(first)))
        for line in lines[1:]:
            self._line(line)

    def _wrapped(self, text: str, *, first: str = "", style: str = "") -> None:
        for line in self._wrap(text, first):
            self._line(line, style=style)

    def _wrap(self, text: str, first: str) -> list[str]:
        rest = " " * len(first)
        return textwrap.wrap(
            text, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        ) or [first]

    def _line(self, line: str, *, style: str = "") -> None:
        self._line_of(Text(line, style=style))

    def _line_of(self, *parts: Text) -> None:
        # Lines are wrapped here already; a terminal that is narrower still wraps them itself.
        self._console.print(Text.assemble(*parts), soft_wrap=True)
