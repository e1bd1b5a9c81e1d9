"""Entry point of the command `vivavoce`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration.cli.start.commands import app_for, whole_app
from orchestration.processes.private_files import make_private


def main() -> None:
    """Run one command; an error that can be expected is one message and an exit code."""
    make_private()
    # Else litellm takes a `.env` from any folder above the one that it is installed in.
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    try:
        _take_keys(sys.argv[1:])
        app_for(sys.argv[1:])()
    except Exception as error:
        from analysis.printable import printable_lines
        from orchestration.cli.start.told_errors import told

        expected = told(error)
        if expected is None:
            raise
        message, code = expected
        # What was said may stand in it, and a terminal would obey control sequences.
        print(f"vivavoce: {printable_lines(message)}", file=sys.stderr)
        sys.exit(code)


def _take_keys(arguments: Sequence[str]) -> None:
    """Read `.env` of this folder, for whatever is more than a word about the program."""
    if arguments and not {"--help", "--version"} & {*arguments} and Path(".env").exists():
        from orchestration.settings import take_keys

        take_keys()


def __getattr__(name: str) -> Any:
    """`app`: every command, loaded when somebody asks for all of them."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    whole = globals()["app"] = whole_app()
    return whole
