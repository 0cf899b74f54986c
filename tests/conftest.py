"""What holds for every test: hypothesis without a deadline, and a word about unmarked slow tests.

Fixtures live beside the tests that use them, not here.
"""

import pytest
from hypothesis import settings

SLOW_SECONDS = 0.25
SLOW_TESTS_NAMED_MAX = 10

# The machine is shared, so the time of a single example says nothing about the code.
settings.register_profile("domgrpc", deadline=None)
settings.load_profile("domgrpc")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that took longer than a test without the mark `slow` may take."""
    reports: list[pytest.TestReport] = terminalreporter.getreports("passed")
    late = sorted(
        (
            (report.duration, report.nodeid)
            for report in reports
            if report.when == "call"
            and report.duration > SLOW_SECONDS
            and "slow" not in report.keywords
        ),
        reverse=True,
    )
    if not late:
        return
    terminalreporter.section(f"over {SLOW_SECONDS} s and not marked slow")
    for seconds, name in late[:SLOW_TESTS_NAMED_MAX]:
        terminalreporter.line(f"{seconds:6.2f} s  {name}")
