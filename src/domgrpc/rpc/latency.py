"""Latency: refuses a call at once whose answer would probably come after its deadline.

Calls that wait inside gRPC come to their handler late, some with next to no time left. Doing the
work of those costs the calls behind them their deadline too, until a server that is busy all the
time answers nobody in time. Each method learns how long its handler takes.
"""

from collections.abc import Callable

from domgrpc.engine.calls import Busy, DeadlinePassed

_LEARNING_SHARE = 0.1
_DEADLINE_SHARE = 0.8


class Latency:
    """How long the handler of one method takes, learnt from its answers.

    What was learnt halves with every second without an answer: a slow moment in which every call
    was refused is not believed for ever.
    """

    __slots__ = ("_learnt_at_seconds", "_mean_seconds", "_note_refused", "_now")

    def __init__(self, now: Callable[[], float], note_refused: Callable[[], None]) -> None:
        """Know nothing: the first calls are let in. `now` gives seconds of a steady clock.

        `note_refused` is told of each refusal: calls that come too late were held up somewhere.
        """
        self._now = now
        self._note_refused = note_refused
        self._mean_seconds = 0.0
        self._learnt_at_seconds = now()

    def check(self, left_seconds: float) -> None:
        """Raise DeadlinePassed or Busy for a call that would not be answered in time."""
        if left_seconds <= 0:
            self._note_refused()
            raise DeadlinePassed
        if self._mean_seconds > left_seconds * _DEADLINE_SHARE:
            self._check_again(left_seconds)

    def learn(self, seconds: float) -> None:
        """Note how long a call took."""
        self._mean_seconds += (seconds - self._mean_seconds) * _LEARNING_SHARE
        self._learnt_at_seconds = self._now()

    def _check_again(self, left_seconds: float) -> None:
        now_seconds = self._now()
        expected_seconds = self._mean_seconds * 0.5 ** (now_seconds - self._learnt_at_seconds)
        if expected_seconds <= left_seconds * _DEADLINE_SHARE:
            # Kept, or its answer would make the whole slow moment new again.
            self._mean_seconds = expected_seconds
            self._learnt_at_seconds = now_seconds
            return
        self._note_refused()
        raise Busy(
            f"such calls take some {expected_seconds * 1_000:.0f} ms now, the deadline is in "
            f"{left_seconds * 1_000:.0f} ms: try again later, or with more time"
        )
