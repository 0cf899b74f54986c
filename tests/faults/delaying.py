"""The real program on a disk whose syncs take time: `python -m tests.faults.delaying CONTROL ...`.

What follows the control file are the arguments of `domgrpc`. Before each sync the file is read:
a number is how many seconds the sync takes longer, `hang` that it does not return until the file
says otherwise. Like a real sync the wait lets other threads run.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from domgrpc.cli.main import main as run_program

HANG = "hang"
_LOOK_SECONDS = 0.02


def set_delay(control: Path, what: str) -> None:
    """Say what syncs do from now on."""
    new = control.with_suffix(".new")
    new.write_text(what, encoding="ascii")
    # By name, so that nobody reads half of a word.
    new.replace(control)


def _delayed(control: Path, sync: Callable[[int], None]) -> Callable[[int], None]:
    def delayed_sync(handle: int) -> None:
        while (what := control.read_text(encoding="ascii")) == HANG:
            time.sleep(_LOOK_SECONDS)
        time.sleep(float(what))
        sync(handle)

    return delayed_sync


def main() -> None:
    """Run the program with delayed syncs."""
    control = Path(sys.argv.pop(1))
    os.fdatasync = _delayed(control, os.fdatasync)  # type: ignore[assignment] # ours have a number
    os.fsync = _delayed(control, os.fsync)  # type: ignore[assignment] # the same
    run_program()


if __name__ == "__main__":
    main()
