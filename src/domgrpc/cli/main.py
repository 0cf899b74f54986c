"""The program `domgrpc`: begins and ends a run; the commands are in commands.py.

Imports next to nothing, so that an interruption finds it ready from the first moment.
"""

import os
import signal
import sys


def main() -> None:
    """Run the program; it ends with one of the exit codes of `ExitCode`."""
    usual = (signal.default_int_handler, signal.SIG_DFL)
    interruptible = signal.getsignal(signal.SIGINT) in usual
    if interruptible:
        # Before and behind the command an interruption ends the program without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _open_outputs()
    # What gRPC itself has to say goes to nobody: errors are told in our own words.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from domgrpc.cli.commands import app
    from domgrpc.cli.exits import ExitCode

    code: object = 0
    try:
        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        app()
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_flushed(code))  # type: ignore[arg-type]


def _open_outputs() -> None:
    """Put something in the place of outputs that were closed before the program began.

    No connection may get their numbers. What is written to the output is an error then, as on a
    full disk; what is written to the error stream is lost.
    """
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            mode = os.O_RDONLY if number == 1 else os.O_WRONLY
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    # Kept open to the end of the process, as Python's own are.
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _flushed(code: object) -> object:
    """Write out what is left; return the code, or that of an output that takes no more."""
    from domgrpc.cli.exits import ExitCode, file_error, print_ended

    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try once more when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return ExitCode.PIPE_CLOSED
        if not code:
            print_ended(file_error(error), as_json=False)
        return code or ExitCode.USAGE
    return code
