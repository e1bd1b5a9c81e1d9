"""What was said steers no terminal: every command that shows it, on a pseudo-terminal."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.orchestration.sample import sample_deployment, write_data

pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of POSIX")
pytestmark = pytest.mark.hostile

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31mred\x08\x0c\x9d0;t\x9c\u202e\x7f"
"""Clears the screen, names the window, colours, moves back, turns writing round."""
SHOWN = "harmless"
RUN = """
import sys
from orchestration.cli.main import app
for arguments in eval(sys.argv[1]):
    app(arguments, standalone_mode=False)
"""


def on_a_terminal(commands: list[list[str]], data: Path) -> str:
    ours, theirs = pty.openpty()
    environment = os.environ | {"VIVAVOCE_DATA_DIR": str(data), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, repr(commands)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=REPOSITORY,
        env=environment,
    ) as process:
        os.close(theirs)
        told = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            told += piece
        os.close(ours)
        process.wait(timeout=60)
    return told.decode("utf-8", "replace")


@pytest.mark.slow
def test_nothing_that_was_said_steers_a_terminal(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    said = f"{SHOWN} {EVIL} {SHOWN}"
    with sample_deployment(settings) as deployment:
        hold_call(deployment.conversations, "c1", question=said, answer=said)
    settings.reports_file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.reports_file)) as reports:
        reports.execute("create table calls (said varchar, n integer)")
        reports.execute("insert into calls values (?, 1)", [said])
    query = "select said, n from calls"
    forms = [[], ["--csv"], ["--json"], ["--all"], ["--chart"]]
    commands = [["sql", *form, query] for form in forms]
    told = on_a_terminal([*commands, ["conversations"], ["show", "c1"]], tmp_path / "data")

    # The colours of our own tables are what a terminal may be told.
    assert told.count(SHOWN) >= 2 * 6, told
    for steering in ("\x1b[2J", "\x1b]", "\x9b", "\x9d", "\x9c", "\x07", "\x08", "\x0c", "\u202e"):
        assert steering not in told, (steering, told)
