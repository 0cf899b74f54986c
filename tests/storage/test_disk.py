"""The real disk, on a temporary folder."""

import errno
import fcntl
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domgrpc.storage.disk import LOCK_NAME, Disk, Handle, LocalDisk
from domgrpc.storage.errors import DiskFull, FolderInUse, FolderUnusable, StorageFault
from domgrpc.storage.frame import BLOCK_BYTES
from domgrpc.storage.log import Log
from domgrpc.storage.reading import read_frames
from tests.storage.logs import SEGMENT_BYTES, append, groups, groups_of

UNSHARE = "/usr/bin/unshare"
HOLD_THE_LOCK = """
import sys
from pathlib import Path
from domgrpc.storage.disk import LocalDisk
LocalDisk(Path(sys.argv[1])).lock()
print("locked", flush=True)
sys.stdin.read()
"""
FILL_UP = """
import sys
from pathlib import Path
from domgrpc.storage.disk import LocalDisk
from domgrpc.storage.errors import DiskFull
from domgrpc.storage.log import Log
disk = LocalDisk(Path(sys.argv[1]))
log = Log.open(disk, random_bytes=bytes, clock=float, segment_bytes=1 << 20)
try:
    while True:
        log.append(log.last_sequence + 1, b"x" * 100_000, 1)
except DiskFull:
    before = log.last_sequence
Path(sys.argv[1], "ballast").unlink()
log.append(before + 1, b"more", 1)
log.close()
disk.release()
log = Log.open(LocalDisk(Path(sys.argv[1])), random_bytes=bytes, clock=float)
print(before, log.recovery_report.last_sequence)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LocalDisk]:
    made = LocalDisk(tmp_path / "data")
    yield made
    made.release()


def open_local_log(disk: Disk) -> Log:
    return Log.open(disk, random_bytes=os.urandom, clock=lambda: 0.0, segment_bytes=SEGMENT_BYTES)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def bad_handle(disk: LocalDisk) -> Iterator[Handle]:
    """Give a handle that the system refuses everything on: a folder, opened for its path only."""
    handle = Handle(os.open(disk.root, os.O_PATH | os.O_CLOEXEC))
    try:
        yield handle
    finally:
        os.close(handle)


def test_a_log_on_a_real_disk_comes_back_after_it_was_left(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path)
    log = open_local_log(disk)
    for payload in (b"a" * 20_000, b"b" * 20_000, b"c"):
        append(log, payload)
    log.rotate()
    log.trim(2)
    while not log.prepare_spare():
        assert not log.spare_ready
    expected = groups_of(log)
    log.close()
    disk.release()
    again = LocalDisk(tmp_path)
    assert groups_of(open_local_log(again)) == expected
    assert groups(read_frames(again)) == expected
    again.release()


def test_the_folder_and_its_files_are_for_their_owner_only(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path / "deep" / "data")
    open_local_log(disk)
    assert mode_of(disk.root) == 0o700
    assert {mode_of(path) for path in disk.root.iterdir()} == {0o600}
    disk.release()


def test_a_folder_that_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match="No such file or directory"):
        LocalDisk(tmp_path / "nowhere", make=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_place_of_the_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()
    with pytest.raises(FolderUnusable, match=f"{path} cannot be used: File exists"):
        LocalDisk(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FolderUnusable, match="Permission denied"):
        LocalDisk(tmp_path).lock()


@pytest.mark.parametrize("name", ["LOCK", "log-0000000000000001.seg"])
def test_a_link_planted_in_the_folder_is_not_followed(disk: LocalDisk, name: str) -> None:
    target = disk.root.parent / "target"
    target.write_bytes(b"untouched")
    (disk.root / name).symlink_to(target)
    with pytest.raises((FolderUnusable, StorageFault), match="symbolic links"):
        open_local_log(disk)
    assert target.read_bytes() == b"untouched"


@pytest.mark.slow
def test_a_folder_in_use_is_refused_with_the_pid_of_its_holder(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(FolderInUse, match=f"in use by process {holder.pid}") as refused:
            open_local_log(disk)
        assert refused.value.holder_pid == holder.pid
        holder.send_signal(signal.SIGKILL)
    # The lock went with its holder, whatever the lock file still says.
    disk.lock()
    disk.release()


def test_a_holder_that_left_no_pid_is_called_another_process(disk: LocalDisk) -> None:
    disk.lock()
    (disk.root / "LOCK").write_bytes(b"")
    other = LocalDisk(disk.root)
    with pytest.raises(FolderInUse, match="in use by another process"):
        other.lock()
    other.release()


def test_a_holder_whose_lock_cannot_be_read_is_called_another_process(disk: LocalDisk) -> None:
    # A pipe has no places to read from; the lock on it is as good as one on a file.
    os.mkfifo(disk.root / LOCK_NAME)
    holder = os.open(disk.root / LOCK_NAME, os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(FolderInUse, match="in use by another process"):
        disk.lock()
    os.close(holder)


def test_the_lock_may_be_taken_twice_by_one_and_again_after_it_was_let_go(
    disk: LocalDisk,
) -> None:
    disk.lock()
    disk.lock()
    assert (disk.root / "LOCK").read_text() == f"{os.getpid()}\n"
    disk.unlock()
    disk.unlock()
    other = LocalDisk(disk.root)
    other.lock()
    other.release()


def test_a_write_goes_on_after_a_short_one_and_fails_where_nothing_more_fits(
    disk: LocalDisk,
) -> None:
    handle = disk.create("file")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel writes up to the limit, says how much, and refuses the rest with EFBIG.
    resource.setrlimit(resource.RLIMIT_FSIZE, (BLOCK_BYTES, limits[1]))
    try:
        with pytest.raises(StorageFault, match="writing 5000 bytes at byte 0: File too large"):
            disk.pwrite(handle, b"x" * 5000, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert disk.size_bytes(handle) == BLOCK_BYTES
    disk.close(handle)


def test_a_read_gives_fewer_bytes_only_where_the_file_ends(disk: LocalDisk) -> None:
    handle = disk.create("file")
    disk.pwrite(handle, b"abcdef", 0)
    disk.settle(handle)
    assert disk.read(handle, 4, 1) == b"bcde"
    assert disk.read(handle, 10, 4) == b"ef"
    assert disk.read(handle, 10, 6) == b""
    disk.truncate(handle, 2)
    assert disk.size_bytes(handle) == 2
    disk.close(handle)


def test_a_file_is_made_once_and_opened_only_when_it_is_there(disk: LocalDisk) -> None:
    disk.close(disk.create("file"))
    with pytest.raises(StorageFault, match="creating file: File exists"):
        disk.create("file")
    with pytest.raises(StorageFault, match="opening other: No such file"):
        disk.open("other")
    with pytest.raises(StorageFault, match="removing other: No such file"):
        disk.unlink("other")
    disk.rename("file", "other")
    disk.unlink("other")
    disk.sync_directory()
    assert disk.list_names() == []
    assert disk.free_bytes() > 0


def test_a_sync_that_fails_is_a_fault(disk: LocalDisk) -> None:
    with bad_handle(disk) as handle:
        with pytest.raises(StorageFault, match="syncing a file: Bad file descriptor"):
            disk.fdatasync(handle)
        with pytest.raises(StorageFault, match="syncing a file: Bad file descriptor"):
            disk.settle(handle)


def is_able_to_mount() -> bool:
    if not shutil.which(UNSHARE):
        return False
    command = [UNSHARE, "--mount", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not is_able_to_mount(), reason="needs the right to mount a small tmpfs")
def test_a_real_file_system_that_fills_up_refuses_and_goes_on_when_there_is_space(
    tmp_path: Path,
) -> None:
    # The mount is private to the child and goes with it.
    script = (
        'mount -t tmpfs -o size=4m none "$1" && head -c 1500000 /dev/zero > "$1/ballast"'
        ' && exec "$2" -c "$3" "$1"'
    )
    done = subprocess.run(
        [UNSHARE, "--mount", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILL_UP],
        check=True,
        capture_output=True,
        text=True,
    )
    before, after = map(int, done.stdout.split())
    assert before > 0
    assert after == before + 1
    assert DiskFull.exit_code == 70


def test_letting_the_lock_go_on_a_broken_disk_is_a_fault(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path)
    disk.lock()
    assert disk._lock is not None  # noqa: SLF001 - nothing else breaks an open file
    os.dup2(os.open(tmp_path / LOCK_NAME, os.O_RDONLY), disk._lock)  # noqa: SLF001
    with pytest.raises(StorageFault):
        disk.unlock()


def test_a_file_system_without_locks_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(FolderUnusable):
        LocalDisk(tmp_path).lock()
