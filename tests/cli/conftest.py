"""One server for the tests of the commands; each test uses ids of its own."""

from collections.abc import Iterator
from itertools import count

import pytest
import structlog

from tests.cli.running import Program, serving_process

_numbers = count(1)


@pytest.fixture(scope="session")
def server_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run the server that all share."""
    with serving_process(tmp_path_factory.mktemp("shared") / "data") as program:
        yield program


@pytest.fixture(autouse=True)
def journal() -> Iterator[None]:
    """Forget how `serve` has set up the journal of this process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def program(server_program: Program) -> Program:
    """Run commands against the shared server."""
    return server_program


@pytest.fixture
def place(program: Program) -> str:
    """Create a store with an id that no other test has."""
    location_id = f"store-{next(_numbers)}"
    program.done("locations", "create", location_id, "--type", "store", "--at", "36.36,-94.22")
    return location_id


@pytest.fixture
def sku() -> str:
    """Name a SKU that no other test has."""
    return f"kettle-{next(_numbers)}"
