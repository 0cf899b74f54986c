"""Small file systems of their own for faults: on a loop device, or in memory with a bound.

All need root and are taken down whatever happens. A loop file system can lose its power: the
shutdown ioctl of ext4 and xfs drops what was not written to the device, journal included, and
refuses everything after it, as a cut does.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

_SHUTDOWN_IOCTL = 0x8004587D
"""EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same number."""
_WITHOUT_LOG_FLUSH = 2
_IMAGE_BYTES = {"ext4": 128 * 1024 * 1024, "xfs": 320 * 1024 * 1024}
_MAKE = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-m", "0"),
    # Everything within one bounded image: smaller ones are refused.
    "xfs": ("mkfs.xfs", "-q", "-f"),
}
_COMMAND_SECONDS_MAX = 60
_UNMOUNT_SECONDS_MAX = 20.0
_UNMOUNT_PAUSE_SECONDS = 0.01


class LoopFileSystem(msgspec.Struct, frozen=True):
    """A mounted file system on a loop device."""

    kind: str
    device: str
    place: Path

    def cut_power(self) -> None:
        """Drop what was not written to the device; nobody may be writing meanwhile."""
        handle = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN_IOCTL, struct.pack("I", _WITHOUT_LOG_FLUSH))
        finally:
            os.close(handle)

    def mount_again(self) -> None:
        """Take the file system off and on again, so that its journal is replayed."""
        _unmount(self.place)
        _run("mount", "-t", self.kind, self.device, str(self.place))


def missing_for_loop(kind: str) -> str:
    """Return why a loop file system cannot be had here; empty where it can."""
    if os.geteuid():
        return "needs root"
    if not Path("/dev/loop-control").exists():
        return "needs loop devices"
    for program in (_MAKE[kind][0], "losetup", "mount", "umount"):
        if shutil.which(program) is None:
            return f"needs {program}"
    try:
        with loop_file_system(kind):
            return ""
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]} failed: {error.stderr.decode(errors='replace').strip()[-80:]}"


def missing_for_memory() -> str:
    """Return why a bounded file system in memory cannot be had here; empty where it can."""
    if os.geteuid():
        return "needs root"
    try:
        with memory_file_system(1024 * 1024):
            return ""
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]} failed: {error.stderr.decode(errors='replace').strip()[-80:]}"


@contextmanager
def loop_file_system(kind: str) -> Iterator[LoopFileSystem]:
    """Make and mount a file system of a kind on a loop device over a file in the temporary place.

    Raises CalledProcessError where the machine does not let it.
    """
    folder = Path(tempfile.mkdtemp(prefix="domgrpc-faults-"))
    image, place = folder / "image", folder / "place"
    place.mkdir()
    device = ""
    try:
        with image.open("wb") as file:
            file.truncate(_IMAGE_BYTES[kind])
        _run(*_MAKE[kind], str(image))
        device = _run("losetup", "--find", "--show", str(image)).strip()
        _run("mount", "-t", kind, device, str(place))
        yield LoopFileSystem(kind, device, place)
    finally:
        _unmount(place)
        if device:
            _run("losetup", "--detach", device)
        shutil.rmtree(folder)


@contextmanager
def memory_file_system(size_bytes: int) -> Iterator[Path]:
    """Mount a file system in memory that holds so many bytes.

    Raises CalledProcessError where the machine does not let it.
    """
    place = Path(tempfile.mkdtemp(prefix="domgrpc-faults-"))
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(place))
        yield place
    finally:
        _unmount(place)
        place.rmdir()


def _unmount(place: Path) -> None:
    # Whoever was killed lets go of its files a moment later.
    deadline = time.monotonic() + _UNMOUNT_SECONDS_MAX
    while _is_mounted(place):
        try:
            _run("umount", str(place))
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_UNMOUNT_PAUSE_SECONDS)


def _is_mounted(place: Path) -> bool:
    # Not by asking the place itself: after a cut it fails every question.
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return any(line.split()[1] == str(place) for line in lines)


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, timeout=_COMMAND_SECONDS_MAX)
    return done.stdout.decode()
