"""What a lane of cycles is to do, and what it came to."""

from collections.abc import Sequence

import msgspec

from tests.faults.ledger import Ledger

KILL = "kill"
"""As a ground; the other ones are kinds of file systems."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane is to do."""

    program: str
    """The module that runs it."""
    ground: str
    cycles: int
    seed: int
    lying: bool = False
    """Whether syncs do nothing, to see that the lane finds it out."""


class LaneReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane came to."""

    cycles: int = 0
    in_recovery: int = 0
    """Cycles that ended before the server was up."""
    in_snapshot: int = 0
    """Cycles that ended while a snapshot was being written."""
    answered: int = 0
    repeated: int = 0
    """Answers to requests that had been answered before."""
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    def after_cycle(self, *, was_up: bool, was_writing: bool) -> "LaneReport":
        """Return the report with one more cycle."""
        return msgspec.structs.replace(
            self,
            cycles=self.cycles + 1,
            in_recovery=self.in_recovery + (not was_up),
            in_snapshot=self.in_snapshot + was_writing,
        )

    def with_ledger(self, ledger: Ledger) -> "LaneReport":
        """Return the report with what a ledger holds."""
        return msgspec.structs.replace(
            self,
            answered=self.answered + len(ledger.answers),
            repeated=self.repeated + ledger.repeated_count,
            lost=(*self.lost, *ledger.lost),
            doubled=(*self.doubled, *ledger.doubled),
        )


def total_of(reports: Sequence[LaneReport]) -> LaneReport:
    """Add the reports of several lanes up."""
    return LaneReport(
        cycles=sum(report.cycles for report in reports),
        in_recovery=sum(report.in_recovery for report in reports),
        in_snapshot=sum(report.in_snapshot for report in reports),
        answered=sum(report.answered for report in reports),
        repeated=sum(report.repeated for report in reports),
        lost=tuple(harm for report in reports for harm in report.lost),
        doubled=tuple(harm for report in reports for harm in report.doubled),
    )
