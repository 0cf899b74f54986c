"""Failing: an exception inside a turn ends the writer, because memory may be ahead of the disk."""

from collections.abc import Callable, Sequence

from domgrpc.engine.calls import Failed, Waiting, refuse


class Failing:
    """Turns any exception of a block into the end of the writer, but those that may pass.

    Running out of space is one too where something was decided already: memory is ahead then.
    """

    def __init__(
        self,
        fail: Callable[[BaseException], None],
        queue: Sequence[Waiting] = (),
        *,
        passing: type[Exception] | tuple[()] = (),
    ) -> None:
        """Tell `fail` of the fault, and the calls of the queue that their outcome is unknown."""
        self._fail = fail
        self._queue = queue
        self._passing = passing

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> bool:
        """End it; an exception that is no error of the program's own goes on."""
        if fault is None or isinstance(fault, self._passing):
            return False
        self._fail(fault)
        for waiting in self._queue:
            refuse(waiting, Failed("the server failed while it worked: outcome unknown, retry"))
        return isinstance(fault, Exception)
