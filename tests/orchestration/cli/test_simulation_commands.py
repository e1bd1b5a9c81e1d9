"""`vivavoce simulate` and `vivavoce replay` on real stores, without weights."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from conversation.store.store import ConversationStore
from orchestration.cli.main import app

AGENT = """\
agent_id: desk
name: Desk
first_message: Hello {{who}}.
llm: {model: embedded/extractive}
dynamic_variables: {who: there}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "agents").mkdir(parents=True)
    (tmp_path / "data" / "agents" / "desk.yaml").write_text(AGENT)
    (tmp_path / "script.txt").write_text("Hello\n\nThanks a lot\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_a_scripted_user_talks_to_the_agent(folder: Path):
    done = run("simulate", "desk", "--script", "script.txt", "--variable", "who=Ada")

    assert done.exit_code == 0, done.output
    assert "Desk: Hello Ada." in done.output
    assert "user: Thanks a lot\nDesk: You're welcome." in done.output
    assert "simulated, user_ended" in done.output
    with ConversationStore.open(f"sqlite:///{folder}/data/store/conversations.sqlite") as store:
        (summary,) = store.page(simulated=True).conversations
    assert (summary.turn_count, summary.metadata) == (5, {"persona": "a customer"})


def test_a_recorded_user_asks_again_and_the_answers_stand_side_by_side(folder: Path):
    recorded = re.search(r"conv_\w+", run("simulate", "desk", "--script", "script.txt").output)
    assert recorded is not None

    same = run("replay", recorded.group()).output
    assert "user: Thanks a lot\n  then and now: You're welcome." in same
    (folder / "data" / "agents" / "other.yaml").write_text(AGENT.replace("desk", "other"))
    assert "simulated, user_ended" in run("replay", recorded.group(), "--agent", "other").output
    with ConversationStore.open(f"sqlite:///{folder}/data/store/conversations.sqlite") as store:
        newest = store.page().conversations[0]
    assert newest.agent_id == "other"
    assert newest.metadata["replay_of"] == recorded.group()


def test_a_conversation_that_a_crash_cut_off_is_closed_at_the_next_start(folder: Path):
    url = f"sqlite:///{folder}/data/store/conversations.sqlite"
    began = datetime.now(UTC) - timedelta(days=3)
    with ConversationStore.open(url) as store:
        store.begin("conv_cut", agent_id="desk", started_at=began)

    run("simulate", "desk", "--script", "script.txt")

    with ConversationStore.open(url) as store:
        assert store.transcript("conv_cut").end_reason == "interrupted_by_crash"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--variable", "who"], "'who' is not NAME=VALUE"),
        (["--script", "nowhere.txt"], "cannot be read"),
        (["--persona", "anyone"], "it cannot play a user; name a language model"),
    ],
)
def test_a_wrong_option_says_why(arguments: list[str], told: str):
    done = run("simulate", "desk", *arguments)

    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())
