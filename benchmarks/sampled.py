"""Runs a Python program and says where its processor time goes, by sampling.

    python -m benchmarks.sampled REPORT PROGRAM [ARGUMENT ...]

Every millisecond of processor time, of all threads together, the stack of the main thread is
noted; unlike cProfile this does not make calls of Python dearer than they are. What C code does
on behalf of a line counts for that line. The report lists functions by the time in themselves
and by the time in what they call too, and the lines that take most.
"""

import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

_INTERVAL_SECONDS = 0.001
_SHOWN = 60


class Samples:
    """Stacks of the main thread, counted."""

    def __init__(self) -> None:
        """Start without any; `start` begins to take them."""
        self.count = 0
        self._own: Counter[str] = Counter()
        self._with_callees: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()
        self._names: dict[CodeType, str] = {}

    def start(self) -> None:
        """Take a sample at every tick of the processor clock; call it in the main thread."""
        signal.signal(signal.SIGPROF, self._take)
        # System calls go on as if nothing had happened.
        signal.siginterrupt(signal.SIGPROF, False)  # noqa: FBT003 - positional only
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)

    def stop(self) -> None:
        """Take no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def report(self) -> str:
        """Write what was found, in per cent of all samples."""
        parts = (
            ("in the function itself", self._own),
            ("with what it calls", self._with_callees),
            ("lines", self._lines),
        )
        written = [f"{self.count} samples"]
        for title, counter in parts:
            written.append(f"\n{title}")
            written.extend(
                f"{100 * count / max(1, self.count):6.2f} %  {name}"
                for name, count in counter.most_common(_SHOWN)
            )
        return "\n".join(written) + "\n"

    def _take(self, _number: int, frame: FrameType | None) -> None:
        self.count += 1
        if frame is None:
            return
        name = self._name(frame.f_code)
        self._own[name] += 1
        self._lines[f"{name}:{frame.f_lineno}"] += 1
        # A function that calls itself counts once.
        names = set()
        while frame is not None:
            names.add(self._name(frame.f_code))
            frame = frame.f_back
        self._with_callees.update(names)

    def _name(self, code: CodeType) -> str:
        name = self._names.get(code)
        if name is None:
            place = "/".join(Path(code.co_filename).parts[-2:])
            name = self._names[code] = f"{place} {code.co_qualname}"
        return name


def main() -> None:
    """Run the program that the arguments name and write the report when it ends."""
    report, program = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    samples = Samples()
    samples.start()
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        samples.stop()
        report.write_text(samples.report(), encoding="utf-8")


if __name__ == "__main__":
    main()
