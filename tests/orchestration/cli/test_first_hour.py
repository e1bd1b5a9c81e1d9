"""What somebody meets who has just installed it: any folder, no data, no model, no key."""

import ast
import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import typer
import yaml
from dagster._daemon.types import DaemonHeartbeat
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from conversation import ConversationStore, load_agent
from conversation.agent.agent_file import document_paths
from orchestration.cli import main as entry
from orchestration.cli.start.commands import COMMANDS, app_for, version
from orchestration.cli.start.new_folder import Wanted, agent_id_of, begin
from orchestration.cli.start.told_errors import told
from orchestration.demo.sample_data import copy_sample
from orchestration.errors import SettingsError
from orchestration.processes.dagster_instance import prepare_instance
from orchestration.settings import Settings
from tests.analysis.calls import hold_call

HEAVY = (
    *("dagster", "torch", "pandas", "litellm", "chromadb", "sentence_transformers", "onnxruntime"),
    *("scipy", "sklearn", "llama_index", "spacy", "duckdb", "numpy", "sqlalchemy", "fastapi"),
    *("httpx", "rich", "babel", "alembic", "text_to_num", "jsonschema"),
    "sqlalchemy.dialects.postgresql",
    *("pydantic_settings", "analysis.judge.windows", "conversation.prompt.prompt"),
    *("analysis.report.html", "kb.embedding.packed_e5"),
)


def run(
    arguments: Sequence[str], folder: Path, *, code: str = "main.main()"
) -> subprocess.CompletedProcess[str]:
    program = f"import sys; import orchestration.cli.main as main\n{code}"
    return subprocess.run(
        [sys.executable, "-P", "-c", program, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_every_command_is_listed_as_it_is():
    whole = typer.main.get_command(entry.app)
    assert isinstance(whole.commands, dict)  # type: ignore[attr-defined]
    found = {
        name: (command.help or "").strip().splitlines()[0]
        for name, command in whole.commands.items()  # type: ignore[attr-defined]
    }
    assert found == {name: command.told for name, command in COMMANDS.items()}


def test_the_list_of_commands_is_whole():
    shown = CliRunner().invoke(app_for([]), ["--help"]).stdout
    words = " ".join(shown.split())
    for name, command in COMMANDS.items():
        assert f"{name} {command.told}" in words


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["settings"], ["init", "--yes"]])
def test_what_needs_no_model_loads_none(tmp_path: Path, arguments: list[str]):
    found = f"[name for name in {HEAVY} if name in sys.modules]"
    loaded = f"import atexit; atexit.register(lambda: print({found}))"
    done = run(arguments, tmp_path, code=f"{loaded}; main.main()")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted({each.module for each in COMMANDS.values()}))
def test_help_of_a_command_loads_nothing_heavy(tmp_path: Path, command: str):
    named = next(name for name, each in COMMANDS.items() if each.module == command)
    assert heavy_of([named, "--help"], tmp_path) <= {"duckdb", "rich"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["agents"], set[str]()),
        (["conversations"], {"sqlalchemy"}),
        (["show", "c1"], {"sqlalchemy"}),
        (["keys", "list"], {"sqlalchemy"}),
        (["widget", "help-desk"], {"sqlalchemy"}),
        (["kb", "status", "help-desk"], {"sqlalchemy"}),
        (["report"], {"duckdb", "rich", "sqlalchemy"}),
        (["gaps"], {"sqlalchemy"}),
        (["topics"], {"sqlalchemy"}),
        (["evaluate", "--dry-run"], {"duckdb", "sqlalchemy", "analysis.judge.windows"}),
        (["doctor"], {"duckdb", "sqlalchemy"}),
        (["why", "c1", "polite"], {"duckdb", "rich", "sqlalchemy"}),
        (["calibration", "polite"], {"duckdb", "sqlalchemy"}),
    ],
)
def test_what_only_reads_loads_what_it_reads_with(
    tmp_path: Path, arguments: list[str], needed: set[str]
):
    assert run(["init", "--yes"], tmp_path).returncode == 0
    # The first command that needs the store makes it, which takes what knows all its versions.
    assert run(["evaluate"], tmp_path).returncode == 0
    prepare_instance(Settings(data_dir=tmp_path / "data"))
    with dg.DagsterInstance.from_config(str(tmp_path / "data" / "store" / "dagster")) as instance:
        for kind in instance.get_required_daemon_types():
            instance.add_daemon_heartbeat(DaemonHeartbeat(0.0, kind, "one"))
    assert heavy_of(arguments, tmp_path) <= needed


def heavy_of(arguments: list[str], folder: Path) -> set[str]:
    """Heavy packages that are loaded when a command ends."""
    found = f"[name for name in {HEAVY} if name in sys.modules]"
    loaded = f"import atexit; atexit.register(lambda: print({found}))"
    done = run(arguments, folder, code=f"{loaded}; main.main()")
    assert "Traceback" not in done.stderr
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_a_query_loads_what_reads_reports_alone(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store").mkdir()
    found = f"[name for name in {HEAVY} if name in sys.modules]"
    loaded = f"import atexit; atexit.register(lambda: print({found}))"
    done = run(["sql", "from success_rates"], tmp_path, code=f"{loaded}; main.main()")
    assert "No reports are published" in done.stderr
    assert done.stdout.splitlines()[-1] == "['duckdb']"


def test_the_version_is_told(tmp_path: Path):
    assert run(["--version"], tmp_path).stdout == f"vivavoce {version()}\n"


NEEDING_DATA = (
    ["agents"],
    ["ingest", "support"],
    ["chat", "support"],
    ["evaluate"],
    ["report"],
    ["sql", "from success_rates"],
    ["conversations"],
    ["show", "c1"],
    ["doctor"],
    ["serve"],
    ["ui"],
)

ONE_AFTER_ANOTHER = """
import contextlib, io, json, pathlib
done = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["vivavoce", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main()
        except SystemExit as ended:
            code = ended.code
    left = sorted(path.name for path in pathlib.Path().rglob("*"))
    done.append([code, out.getvalue(), err.getvalue(), left])
print(json.dumps(done))
"""


@pytest.mark.slow
def test_a_folder_without_data_is_left_without(tmp_path: Path):
    # In one process: each would spend a second and more on its start.
    ran = run([json.dumps(NEEDING_DATA)], tmp_path, code=ONE_AFTER_ANOTHER)
    assert ran.returncode == 0, ran.stderr
    for arguments, ended in zip(NEEDING_DATA, json.loads(ran.stdout), strict=True):
        code, stdout, stderr, left = ended
        assert (code, stdout) == (2, ""), arguments
        assert "vivavoce init" in stderr, arguments
        assert "Traceback" not in stderr, arguments
        assert [name for name in left if name != "home"] == [], arguments


@pytest.mark.slow
def test_a_question_without_words_is_told_in_a_sentence(tmp_path: Path):
    (tmp_path / "hours.txt").write_text("We open at nine.\n", "utf-8")

    ended = run(["ask", ".", " "], tmp_path)

    assert ended.returncode == 2
    assert "a question has words" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_document_that_cannot_be_read_is_no_answer(tmp_path: Path):
    (tmp_path / "scrambled.bin").write_bytes(bytes(range(256)) * 8)

    ended = run(["ask", "scrambled.bin", "When do you open?"], tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "scrambled.bin is left out: " in ended.stderr
    assert "can be answered from" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "key"), [(["settings"], "sk-own"), (["settings", "--help"], None)]
)
def test_keys_of_the_folder_are_read_wherever_the_package_lies(
    tmp_path: Path, arguments: list[str], key: str | None
):
    (tmp_path / ".env").write_text("OWN_KEY=sk-own\n")
    told = "print(os.environ.get('OWN_KEY'), os.environ['LITELLM_MODE'])"

    done = run(
        arguments, tmp_path, code=f"import atexit, os; atexit.register(lambda: {told}); main.main()"
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{key} PRODUCTION"


def test_an_unknown_command_is_named(tmp_path: Path):
    done = run(["evalate"], tmp_path)
    assert done.returncode == 2
    assert "evalate" in done.stderr


def test_init_makes_an_agent_that_loads_and_keeps_secrets_out(tmp_path: Path):
    done = run(["init", "--yes", "--name", "Zoë's Café: hours & more"], tmp_path)
    assert done.returncode == 0, done.stderr
    agent = load_agent(tmp_path / "data/agents/zoes-cafe-hours-more.yaml")
    assert (agent.agent_id, agent.name) == ("zoes-cafe-hours-more", "Zoë's Café: hours & more")
    assert (tmp_path / "data/documents/about-us.md").is_file()
    assert (tmp_path / ".gitignore").read_text().split() == [".env", "data/store/"]
    assert "vivavoce ingest zoes-cafe-hours-more" in done.stdout


def test_a_new_agent_gets_a_voice_by_one_line_of_its_file(tmp_path: Path):
    assert run(["init", "--yes"], tmp_path).returncode == 0
    (file,) = (tmp_path / "data" / "agents").iterdir()
    assert load_agent(file).voice is None

    file.write_text(file.read_text("utf-8").replace("# voice: {}", "voice: {}"), "utf-8")

    assert load_agent(file).voice is not None


def test_init_changes_nothing_that_is_there(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("*.pyc\n.env\n")
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-mine\n")
    own = tmp_path / "my documents"
    own.mkdir()
    wanted = Wanted("Desk", own, "openai/gpt-4.1-mini")
    begin(wanted, tmp_path, tmp_path / "data")
    again = begin(wanted, tmp_path, tmp_path / "data")
    assert again.made == ()
    assert (tmp_path / ".env").read_text() == "OPENAI_API_KEY=sk-mine\n"
    assert (tmp_path / ".gitignore").read_text().splitlines()[:2] == ["*.pyc", ".env"]
    written = yaml.safe_load((tmp_path / "data/agents/desk.yaml").read_text())
    assert written["knowledge_base"]["files"] == ["../../my documents"]
    assert written["llm"] == {"model": "openai/gpt-4.1-mini"}


def test_documents_beside_the_data_move_with_it_and_others_stay_where_they_are(tmp_path: Path):
    place = tmp_path / "one"
    for folder in (place / "docs", tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
        (folder / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    begin(Wanted("Near", place / "docs"), place, place / "data")
    begin(Wanted("Far", tmp_path / "elsewhere"), place, place / "data")
    moved = place.rename(tmp_path / "two")

    for name, folder in (("near", moved / "docs"), ("far", tmp_path / "elsewhere")):
        path = moved / "data" / "agents" / f"{name}.yaml"
        (found,) = document_paths(load_agent(path), path)
        assert found.resolve() == (folder / "hours.md").resolve()


def test_the_demo_takes_in_conversations_older_than_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Partitions of Dagster would begin with the first one, and older ones have none then."""
    monkeypatch.setenv("VIVAVOCE_FIRST_DAY", "")
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path / "data"))
    copy_sample(tmp_path / "data")
    with ConversationStore.open(f"sqlite:///{made(tmp_path)}/conversations.sqlite") as store:
        hold_call(store, "today", started_at=datetime.now(UTC))
    began: list[str] = []

    def run_demo(_settings: Settings, **_: bool) -> None:
        began.append(os.environ["VIVAVOCE_FIRST_DAY"])

    monkeypatch.setattr("orchestration.demo.running.run_demo", run_demo)
    done = CliRunner().invoke(app_for(["demo"]), ["demo"])

    assert done.exit_code == 0, done.output
    assert began == ["2026-01-01"]


def made(folder: Path) -> Path:
    store = folder / "data" / "store"
    store.mkdir(parents=True, exist_ok=True)
    return store


def test_init_without_a_language_model_names_a_judge(tmp_path: Path):
    begin(Wanted(model="embedded/extractive"), tmp_path, tmp_path / "data")
    agent = load_agent(tmp_path / "data/agents/help-desk.yaml")
    assert agent.judge.name == Wanted().model


@pytest.mark.parametrize(
    "wanted", [Wanted(documents=Path("/no/such/folder")), Wanted(model="gpt-4.1-mini")]
)
def test_init_with_what_cannot_be_makes_nothing(tmp_path: Path, wanted: Wanted):
    with pytest.raises(SettingsError):
        begin(wanted, tmp_path, tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "agent_id"),
    [("Help desk", "help-desk"), ("24/7", "agent-24-7"), ("図書館", "agent"), ("x" * 90, "x" * 64)],
)
def test_every_name_gives_an_id(name: str, agent_id: str):
    assert agent_id_of(name) == agent_id


def test_the_demo_brings_its_data_along(tmp_path: Path):
    copied = copy_sample(tmp_path / "data")
    assert copied > 10
    assert load_agent(tmp_path / "data/agents/support.yaml").agent_id == "support"
    assert copy_sample(tmp_path / "data") == 0


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/data/store/x"),
        PermissionError(errno.EACCES, "Permission denied", "/data/store/x"),
        OSError(errno.EROFS, "Read-only file system", "/data/store/x"),
        OSError(errno.EISDIR, "Is a directory", "/data/report"),
        OSError(errno.EEXIST, "File exists", "/data/report.html"),
        OperationalError("insert ...", {}, Exception("database or disk is full")),
        OperationalError("insert ...", {}, Exception("attempt to write a readonly database")),
    ],
)
def test_a_place_that_cannot_be_used_is_one_sentence(error: Exception):
    answer = told(error)
    assert answer is not None
    message, code = answer
    assert code == 1
    assert "VIVAVOCE_STORE_DIR" in message
    assert "insert" not in message


def test_a_store_that_cannot_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIVAVOCE_STORE_DIR", "/proc/nowhere")
    for place in ("/proc/nowhere", "/proc/nowhere/kb/support"):
        answer = told(FileNotFoundError(errno.ENOENT, "No such file or directory", place))
        assert answer is not None
        assert answer[1] == 1
    assert told(FileNotFoundError(errno.ENOENT, "No such file or directory", "/other/x")) is None


@pytest.mark.parametrize("error", [ValueError("x"), OSError(errno.EPIPE, "Broken pipe")])
def test_other_errors_are_shown_whole(error: Exception):
    assert told(error) is None


def test_kept_conversations_are_listed_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path))
    (tmp_path / "agents").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "agents" / "shop-desk.yaml").write_text("name: Shop desk\n")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store/conversations.sqlite'}") as store:
        hold_call(store, "c1")
        hold_call(store, "c2", question="Do you ship to Mars?")
    runner = CliRunner()

    listed = runner.invoke(entry.app, ["conversations", "--text", "mars"])
    assert "c2" in listed.stdout, listed
    assert "c1 " not in listed.stdout
    shown = runner.invoke(entry.app, ["show", "c2"]).stdout
    assert "user: Do you ship to Mars?" in shown
    assert "Nothing was found by judges yet" in shown
    none = runner.invoke(entry.app, ["conversations", "--user", "nobody"])
    assert "No conversation is kept that fits." in none.stdout
    unknown = runner.invoke(entry.app, ["show", "c3"])
    assert "'c3'" in str(unknown.exception)
    assert "`vivavoce conversations`" in str(unknown.exception)


def test_before_the_first_conversation_the_list_says_how_to_hold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path))
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "shop-desk.yaml").write_text("name: Shop desk\n")

    listed = CliRunner().invoke(entry.app, ["conversations"])

    assert listed.output == "No conversation is kept yet. `vivavoce chat AGENT` holds one.\n"
