"""The program `domgrpc`: begins and ends a run; the commands are in commands.py.

Imports next to nothing, so that an interruption finds it ready from the first moment.
"""

import os
import signal
import sys


def main() -> None:
    """Run the program; it ends with one of the exit codes of `ExitCode`."""
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        # Before and behind the command an interruption ends the program without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
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
