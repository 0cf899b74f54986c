"""The shop that example tests of the core begin with."""

from collections.abc import Iterator

import pytest

from tests.core.given import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Open an empty shop; afterwards its log must tell the same story."""
    opened = Shop()
    yield opened
    opened.check_replay()
