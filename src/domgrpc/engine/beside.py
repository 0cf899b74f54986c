"""Work beside the server: a module of its own process takes bytes and answers with bytes."""

import asyncio
import sys

import structlog

_log = structlog.get_logger()


class BesideFailed(Exception):
    """What was to be done beside the server failed; the server itself goes on."""


async def run_module(module: str, task: bytes) -> bytes:
    """Run a module in a process that reads `task`; return what it wrote.

    The process is ended where the caller is cancelled. Raises BesideFailed where it cannot be
    started or fails; what it said is in the log then.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise BesideFailed(f"no process could be started beside the server: {error}") from error
    try:
        output, errors = await process.communicate(task)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        _log.error(
            "process_beside_failed",
            module=module,
            status=process.returncode,
            errors=errors.decode(errors="replace"),
        )
        raise BesideFailed(
            f"the process beside the server that ran {module} failed with status "
            f"{process.returncode}: nothing was changed; the server's log says why, report it"
        )
    return output
