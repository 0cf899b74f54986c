"""What is wrong with a line as it was typed, in the form of every other error."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from domgrpc.cli.exits import INVALID_OPTION, Ended

_OUTPUT_OPTIONS: Final = ("--output", "-o")


def check_words(words: Sequence[str]) -> None:
    """Raise Ended for a word that is not UTF-8: neither a message nor a table can carry it."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise Ended(INVALID_OPTION, f"{word!a} is not UTF-8") from None


def usage_error(error: typer.TyperException) -> Ended | None:
    """Return what typer found as an error that names the option or argument.

    A command without its subcommand is answered with the help, and None is returned.
    """
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(error.format_message() + "\n")
        return None
    if not isinstance(error, typer.BadParameter) or not error.message:
        return Ended(INVALID_OPTION, error.format_message())
    if error.param is None:
        # Of our own functions, which name the option themselves.
        return Ended(INVALID_OPTION, error.message)
    message = error.message.removeprefix("Value error, ")
    return Ended(INVALID_OPTION, f"{_name_of(error.param)}: {message}")


def _name_of(parameter: Any) -> str:  # noqa: ANN401 - the parameters of typer have no public type
    """Return an option in its long form, or an argument as the help shows it."""
    if parameter.param_type_name == "option":
        return max(map(str, parameter.opts), key=len)
    return str(parameter.get_error_hint()).strip("'")


def as_json_wanted(words: Sequence[str]) -> bool:
    """Say whether the answer is to be JSON, also of a line that cannot be read as a whole."""
    form = os.environ.get("DOMGRPC_OUTPUT", "")
    following = (*words[1:], "")
    for word, next_word in zip(words, following, strict=True):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if word in _OUTPUT_OPTIONS:
            form = next_word
        elif name in _OUTPUT_OPTIONS and equals:
            form = value
        elif word.startswith("-o") and len(word) > len("-o"):
            form = word.removeprefix("-o")
    return form == "json"
