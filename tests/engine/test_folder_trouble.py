"""A folder that cannot be used is refused with a reason, and a disk that fills up is lived with."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domgrpc.config import InvalidSetting, Settings
from domgrpc.core.answers import Answer
from domgrpc.engine.calls import DiskFullRefusal
from domgrpc.engine.engine import Engine, open_engine
from domgrpc.storage.errors import Corruption, FolderInUse, FolderUnusable, FormatTooNew
from tests.core.commands import on_hand, place, reserve
from tests.engine.rooms import Folder, ask, given, send, state_digest, turn_a_bit
from tests.storage.damage import forge_first_block

TMPFS_BYTES = 4 << 20
HOLD = reserve(("tea", "north", 1))


async def open_shop(engine: Engine) -> str:
    await given(engine, place("north"), on_hand("tea", north=1_000))
    return state_digest(engine)


async def look(engine: Engine) -> str:
    return state_digest(engine)


def test_a_folder_in_use_is_refused_with_the_id_of_its_process(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def second_one(engine: Engine) -> str:
        with pytest.raises(FolderInUse, match=str(os.getpid())) as caught:
            await open_engine(Settings(data_dir=tmp_path))
        assert caught.value.holder_pid == os.getpid()
        return await open_shop(engine)

    assert folder.live(second_one) == folder.live(look)


def test_a_folder_is_free_again_after_a_close_and_after_a_failed_start(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    async def close_and_open(engine: Engine) -> str:
        await open_shop(engine)
        await engine.close()
        turn_a_bit(tmp_path, at_byte=0)
        with pytest.raises(Corruption):
            folder.start()
        turn_a_bit(tmp_path, at_byte=0)
        again = folder.start()
        digest = state_digest(again)
        await again.close()
        return digest

    assert folder.live(close_and_open) == folder.live(look)


def test_a_folder_of_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.live(open_shop)
    name = min(tmp_path.glob("log-*.seg"))
    newer = forge_first_block(name.read_bytes(), 8, b"\x02\x00")
    name.write_bytes(newer)
    with pytest.raises(FormatTooNew, match=r"format version 2.*reads format version 1"):
        folder.live(look)
    assert name.read_bytes() == newer


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_path_that_is_no_folder_is_refused(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(FolderUnusable, match="file"):
        Folder(file / below).live(look)


@pytest.mark.skipif(os.geteuid() == 0, reason="to root every folder is writable")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FolderUnusable):
            Folder(tmp_path).live(look)
    finally:
        tmp_path.chmod(0o700)


async def test_settings_outside_their_limits_are_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidSetting, match="segment_size_bytes is 4096"):
        await open_engine(Settings(data_dir=tmp_path / "new", segment_size_bytes=4_096))
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
async def test_an_engine_of_the_usual_size_opens_writes_and_opens_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    engine = await open_engine(settings)
    digest = await open_shop(engine)
    await engine.close()
    again = await open_engine(settings)
    assert state_digest(again) == digest
    await again.close()


# --- a real file system that is full


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system in memory with room for a few segments."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system mounts nothing for us")
    yield folder
    # Lazily: a test that failed may have left files open.
    subprocess.run([umount, "--lazy", str(folder)], check=True)


async def hold_until_refused(engine: Engine) -> int:
    """Hold until the disk is full; return how many calls were answered."""
    for count in range(1_000):
        try:
            await engine.submit(ask(HOLD, f"hold-{count}"))
        except DiskFullRefusal:
            return count
    pytest.fail("the disk never became full")


@pytest.mark.slow
def test_a_full_file_system_refuses_writes_and_goes_on_when_space_returns(tiny_disk: Path) -> None:
    folder = Folder(tiny_disk / "data", segment_size_bytes=256 * 1024)
    ballast = tiny_disk / "ballast"

    async def through_it(engine: Engine) -> tuple[int, list[Answer]]:
        await open_shop(engine)
        ballast.write_bytes(bytes(TMPFS_BYTES - 1_500_000))
        count = await hold_until_refused(engine)
        assert count > 0
        revision = engine.revision
        reading = await engine.read(lambda state, _: state.revision)
        assert (reading.value, engine.failed.done()) == (revision, False)
        ballast.unlink()
        await asyncio.sleep(0.6)
        return count, await send(engine, HOLD, HOLD)

    count, later = folder.live(through_it)

    async def retry(engine: Engine) -> list[Answer]:
        answers = await send(engine, HOLD, HOLD)
        for number in range(count):
            answer = await engine.submit(ask(HOLD, f"hold-{number}"))
            assert answer.replayed
        return answers

    assert [answer.outcome for answer in folder.live(retry)] == [a.outcome for a in later]
