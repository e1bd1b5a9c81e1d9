"""Every command, in places that cannot be written or have no room, ends with a sentence."""

import json
import os
import shlex
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestration.cli import main as entry
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, publish_reports
from tests.orchestration.cli import places
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

REPOSITORY = Path(__file__).parents[3]
CALLS = """
init --yes --name Another
ask data/documents "How long do refunds take?"
ingest shop-desk
kb status shop-desk
kb show shop-desk refunds.md
kb search shop-desk refunds
kb rebuild shop-desk
kb snapshots shop-desk --collect
kb rollback shop-desk 1
agents
agents versions shop-desk
chat shop-desk
simulate shop-desk --script lines.txt
replay c1
import calls.csv --agent shop-desk
evaluate
compare helped v1 v2
report --html page.html
dictionary
why c1 helped
sql "from success_rates"
shell
export turns --to turns.csv
label helped
calibration helped
labels import labels.csv
labels export out.csv
gaps
topics
impact shop-desk --add more.md
forget --conversation c1 --yes
retention
settings
demo
ui --port 0 --api-port 0
worker
dagster daemon
doctor
serve --port 0
widget shop-desk
keys create --name Clerk --scope converse
keys list
keys revoke k1
call shop-desk said.wav --out called.wav
voice check shop-desk --output checked.wav
conversations
show c1
"""
COMMANDS = [shlex.split(line) for line in CALLS.strip().splitlines()]
READ = {
    "kb status shop-desk",
    "kb show shop-desk refunds.md",
    "kb search shop-desk refunds",
    "why c1 helped",
    "sql 'from success_rates'",
    "shell",
}
WRITES_NOTHING = {"agents", "dictionary", "settings", "widget shop-desk"}
BESIDE_THE_STORE = {
    "init --yes --name Another",
    "ask data/documents 'How long do refunds take?'",
}
WRONG = {
    "read-only": READ | WRITES_NOTHING,
    "no store, read-only": WRITES_NOTHING,
    "a file for a store": WRITES_NOTHING | BESIDE_THE_STORE,
    "no room": WRITES_NOTHING | (READ - {name for name in READ if name.startswith("kb ")}),
    "no room for what is printed": set[str](),
}
"""What is wrong with a place -> the commands that do their work there all the same."""
OWN_LOG = ("dagster daemon", "serve --port 0")
"""Go on without a place for what they print: their log is no answer to anybody."""


def _named(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    found = getattr(command, "commands", None)
    if found is None or getattr(command, "invoke_without_command", False):
        yield path
    for name, each in (found or {}).items():
        yield from _named(each, (*path, name))


def test_the_sweep_holds_every_command():
    whole = set(_named(typer.main.get_command(entry.app)))
    called = {next(tuple(c[:n]) for n in (2, 1, 0) if tuple(c[:n]) in whole) for c in COMMANDS}
    assert called - {()} == whole - {()}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places") / "prepared"
    settings = write_data(folder / "data")
    with sample_deployment(settings) as deployment:
        ingest(deployment, "shop-desk")
        hold_calls(deployment, 3)
        evaluate(deployment)
        publish_reports(deployment)
    (folder / "home").mkdir()
    (folder / "lines.txt").write_text("How long do refunds take?\n")
    (folder / "more.md").write_text("# More\n\nMore of it.\n")
    (folder / "calls.csv").write_text(
        "conversation_id,speaker,text\nx1,user,How long do refunds take?\nx1,agent,Five days.\n"
    )
    (folder / "labels.csv").write_text(
        "conversation_id,criterion_id,verdict,annotator\nc1,helped,success,Ann\n"
    )
    with wave.open(str(folder / "said.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", "not compressed"))
        sound.writeframes(bytes(32_000))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="it has no such bounds")
@pytest.mark.parametrize("wrong", WRONG)
def test_no_command_shows_more_than_a_sentence(prepared: Path, wrong: str):
    commands = [each for each in COMMANDS if "printed" not in wrong or named(each) not in OWN_LOG]
    unlike: dict[str, str] = {}
    worked: set[str] = set()
    for command, (code, said) in zip(commands, swept(prepared, commands, wrong), strict=True):
        if code == 0:
            worked.add(named(command))
        elif code is None or "Traceback" in said or not is_told(said):
            unlike[named(command)] = f"{code}: {said[-3_000:]}"
    assert not unlike, "\n\n".join(f"{name}\n{said}" for name, said in unlike.items())
    assert worked == WRONG[wrong]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it has no such bounds")
@pytest.mark.parametrize("wrong", ["read-only", "no store, read-only", "no room"])
def test_what_cannot_be_opened_is_not_said_to_hold_nothing(prepared: Path, wrong: str):
    command = ["forget", "--conversation", "c1", "--yes"]
    ((code, said),) = swept(prepared, [command], wrong)
    assert code == 1
    assert "nothing to forget" not in said
    assert "conversations.sqlite" in said


OUTPUTS = (
    *("export turns --to OUT.csv", "export turns --to OUT.parquet", "export turns --to OUT.json"),
    *("report --html OUT.html", "labels export OUT.csv", "call shop-desk said.wav --out OUT.wav"),
    "voice check shop-desk --output OUT.wav",
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="it has no such bounds")
@pytest.mark.parametrize("place", ["locked/out", "missing/out", "lines.txt/out", "taken"])
def test_an_output_that_cannot_be_written_is_named(prepared: Path, place: str):
    """In a folder that is closed, or is not there, below a file, and where a folder stands."""
    commands = [shlex.split(each.replace("OUT", place)) for each in OUTPUTS]
    unlike: dict[str, str] = {}
    for command, (code, said) in zip(commands, swept(prepared, commands, "outputs"), strict=True):
        # Some make a folder that is missing, which is an answer as well.
        if "Traceback" in said or (code != 0 and not is_told(said)) or code is None:
            unlike[named(command)] = f"{code}: {said[-3_000:]}"
        elif code == 0 and place != "missing/out":
            unlike[named(command)] = "says that it was done"
    assert not unlike, "\n\n".join(f"{name}\n{said}" for name, said in unlike.items())


def named(command: list[str]) -> str:
    return shlex.join(command)


def is_told(said: str) -> bool:
    """Whether the last words are ours: an error, a usage error, or what `doctor` found."""
    return any(sign in said for sign in ("vivavoce: ", "Error: ", "cannot be used as they are"))


def swept(prepared: Path, commands: list[list[str]], wrong: str) -> list[places.Ended]:
    wanted = prepared.with_name("sweep.json")
    wanted.write_text(
        json.dumps(places.Sweep(folder=str(prepared), commands=commands, wrong=wrong))
    )
    done = subprocess.run(
        [sys.executable, "-P", places.__file__, str(wanted)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "COLUMNS": "100",
            "VIVAVOCE_WEIGHTS_SOURCES": "folder",
        },
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=places.modes_hold,
    )
    assert done.returncode == 0, done.stderr
    return [(code, said) for code, said in json.loads(done.stdout.splitlines()[-1])]
