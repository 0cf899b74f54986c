"""The twelve planted faults: what is changed in which file, and which tests must notice.

A plant replaces text that must be in its file exactly once, so that a plant which no longer fits
the code is noticed too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """One fault: its name, the file below src/domgrpc, the texts, and the tests that kill it."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


PLANTS = (
    Plant(
        name="answer before the sync",
        file="engine/writer.py",
        before="""            self.committer.commit()
        if self.failed.done():
            return 0
        for waiting, results in answered:
            if not waiting.future.done():
                waiting.future.set_result(results)
""",
        after="""            for waiting, results in answered:
                if not waiting.future.done():
                    waiting.future.set_result(results)
            self.committer.commit()
        if self.failed.done():
            return 0
""",
        tests=("tests/engine/test_disk_trouble.py",),
    ),
    Plant(
        name="no sync of the folder",
        file="storage/spare.py",
        before="""            self._disk.close(handle)
            raise
        self._disk.sync_directory()
""",
        after="""            self._disk.close(handle)
            raise
""",
        tests=("tests/storage/test_log_crash.py",),
    ),
    Plant(
        name="checksum skipped",
        file="storage/frame.py",
        before="    if crc32c(view[4:], 0, _KEEP_LOCK) != header.crc:\n        return None\n",
        after="",
        tests=("tests/storage/test_log_damage.py",),
    ),
    Plant(
        name="failed sync tried again",
        file="storage/writer.py",
        before="""        self._disk.fdatasync(self._handle)
        self.offset_bytes += len(frame)
""",
        after="""        try:
            self._disk.fdatasync(self._handle)
        except Exception:
            self._disk.fdatasync(self._handle)
        self.offset_bytes += len(frame)
""",
        tests=("tests/storage/test_log_trouble.py", "tests/engine/test_disk_trouble.py"),
    ),
    Plant(
        name="iteration over a set",
        file="core/claims.py",
        before="    for _, key in islice(due, EXPIRED_PER_RECORD_MAX):\n",
        after="    for key in {key for _, key in islice(due, EXPIRED_PER_RECORD_MAX)}:\n",
        tests=("tests/core/test_busy_day.py", "tests/core/test_hold_endings.py"),
    ),
    Plant(
        name="expiry by the wall clock",
        file="core/machine.py",
        before="    if first_ms is None or first_ms > now_ms:\n",
        after="""    now_ms = TimeMs(__import__("time").time_ns() // 1_000_000)
    if first_ms is None or first_ms > now_ms:
""",
        tests=("tests/engine/test_expiry.py",),
    ),
    Plant(
        name="request id without a fingerprint",
        file="core/answers.py",
        before="        if kept is None or kept.fingerprint == fingerprint:\n",
        after="        if kept is None or kept.fingerprint is not None:\n",
        tests=("tests/core/test_kept_answers.py",),
    ),
    Plant(
        name="live id evicted",
        file="core/reservation_book.py",
        before="            if old is not None and old.revision == revision:\n",
        after="            if old is not None:\n",
        tests=("tests/core/test_forgetting.py",),
    ),
    Plant(
        name="unchecked sum",
        file="core/holds.py",
        before="            located[key] = located.get(key, 0) + line.quantity\n",
        after="            located[key] = line.quantity\n",
        tests=("tests/core/test_holds.py",),
    ),
    Plant(
        name="expired request executed",
        file="engine/writer.py",
        before="        if left_seconds <= 0:\n            # Nobody waits",
        after="        if waiting.deadline_seconds <= 0:\n            # Nobody waits",
        tests=("tests/engine/test_admission.py",),
    ),
    Plant(
        name="swallowed OSError",
        file="storage/disk.py",
        before="""    except OSError as error:
        raise storage_error(error, doing) from error
""",
        after="""    except OSError as error:
        storage_error(error, doing)
""",
        tests=("tests/storage/test_disk.py",),
    ),
    Plant(
        name="hold counted twice",
        file="core/reservation_book.py",
        before="        stock.soft_reserved[slot] += sign * line.quantity\n",
        after="        stock.soft_reserved[slot] += 2 * sign * line.quantity\n",
        tests=("tests/core/test_holds.py",),
    ),
)
