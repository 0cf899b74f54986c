"""Spreads a long run over all processors, politely and without the logs of engines."""

import logging
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import structlog

_NICENESS = 10


@contextmanager
def workers(niceness: int = _NICENESS) -> Iterator[ProcessPoolExecutor]:
    """Give a process for each processor; whatever still waits is given up where one fails."""
    # Spawned: a forked child would inherit whatever else this process has open.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        mp_context=context, initializer=_make_way, initargs=(niceness,)
    ) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def silence_engines() -> None:
    """Print no log lines of engines from here on; for programs, never for a process of tests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _make_way(niceness: int) -> None:
    # Not on top of what the whole run was given, or it would get no time beside others at all.
    here = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(here, niceness))
    silence_engines()
