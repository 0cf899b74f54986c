"""What a benchmark found: a figure, with what it must and what it should reach."""

import enum

import msgspec


class Better(enum.StrEnum):
    """Which way a figure gets better."""

    HIGHER = "higher"
    LOWER = "lower"


class Verdict(enum.StrEnum):
    """How a figure stands to its limits."""

    AIM_MET = "aim met"
    MUST_MET = "must met"
    MUST_MISSED = "MUST MISSED"
    SHOWN = "shown"
    SKIPPED = "skipped"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `value` None means not measured, and `note` then says why.

    `note` says how it was measured and what was lost on the way. Without `must` and `aim` the
    figure is only shown.
    """

    name: str
    value: float | None
    unit: str
    better: Better
    must: float | None = None
    aim: float | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Return how the figure stands to its limits; a limit itself is met."""
        if self.value is None:
            return Verdict.SKIPPED
        if self.must is not None and not self._reaches(self.value, self.must):
            return Verdict.MUST_MISSED
        if self.aim is not None and self._reaches(self.value, self.aim):
            return Verdict.AIM_MET
        return Verdict.SHOWN if self.must is None else Verdict.MUST_MET

    def _reaches(self, value: float, limit: float) -> bool:
        return value >= limit if self.better is Better.HIGHER else value <= limit


def skipped(like: Result, reason: str) -> Result:
    """Return the result as not measured, with the reason."""
    return msgspec.structs.replace(like, value=None, note=reason)


def figure_text(value: float | None, unit: str) -> str:
    """Write a figure with its unit as people read it: about three digits that mean something."""
    if value is None:
        return "-"
    size = abs(value)
    if size < 100:
        return f"{value:.3g} {unit}"
    return f"{value:.1f} {unit}" if size < 1_000 else f"{value:,.0f} {unit}"
