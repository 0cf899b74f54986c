"""Where things lie: the project, and folders on a real disk that go away whatever happens."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder in the temporary place of the machine (TMPDIR) and remove it after.

    Where that place is memory (tmpfs), syncs cost nothing and the durable figures are too good:
    name another with TMPDIR.
    """
    folder = Path(tempfile.mkdtemp(prefix="domgrpc-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
