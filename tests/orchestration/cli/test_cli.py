import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from conversation.agent.agent_file import load_agent, save_agent
from orchestration.cli.main import app, main
from orchestration.errors import UnknownAgentError, UnknownVersionError
from orchestration.operations.narrowing import Narrowing
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.settings import Settings
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import hold_calls, sample_deployment, write_data


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = write_data(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def published(settings: Settings) -> Settings:
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 2)
        evaluate(deployment)
        publish_reports(deployment)
    return settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_versions_of_an_agent_are_listed_compared_and_restored(settings: Settings):
    path = settings.agents_dir / "shop-desk.yaml"
    first = load_agent(path)
    assert f"{first.version} (live)" in run("agents", "versions", "shop-desk").output
    save_agent(first.model_copy(update={"system_prompt": "Be brief."}), path)
    second = load_agent(path).version

    listed = run("agents", "versions", "shop-desk").output
    assert [line.split()[1] for line in listed.splitlines()[-2:]] == [second, first.version]
    differs = run("agents", "versions", "shop-desk", "--diff", "1", "live").output
    assert differs.splitlines()[0] == "system_prompt"
    assert "  +Be brief." in differs
    same = run("agents", "versions", "shop-desk", "--diff", second[:6], "2").output
    assert same == "Nothing differs.\n"
    back = run("agents", "versions", "shop-desk", "--restore", first.version).output
    assert back == f"shop-desk is at version {first.version} (was {second}).\n"
    assert load_agent(path) == first
    with pytest.raises(UnknownVersionError, match="'zzz'"):
        run("agents", "versions", "shop-desk", "--restore", "zzz")


def test_agents_are_listed_with_those_that_cannot_be_used(settings: Settings):
    (settings.agents_dir / "broken.yaml").write_text("agent_id: broken\nnmae: Broken\n")

    shown = run("agents").output

    assert "shop-desk  Shop desk  scripted/model" in shown
    assert "broken.yaml cannot be used." in shown
    assert "'nmae'" in shown


def test_settings_are_shown_with_passwords_masked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIVAVOCE_STORE_URL", "postgresql+psycopg://app:hunter2@db/vivavoce")

    shown = run("settings").output

    assert "postgresql+psycopg://app:****@db/vivavoce" in shown
    assert "hunter2" not in shown


@pytest.mark.usefixtures("published")
def test_the_report_names_its_queries_and_they_run():
    shown = run("report").output

    assert "Success rates" in shown
    assert "100.0 %" in shown
    assert "FROM success_rates" in shown
    assert "FROM success_rates" not in run("report", "--no-with-sql").output


@pytest.mark.usefixtures("published")
def test_queries_run_on_the_published_file():
    assert "helped" in run("sql", "select criterion_id from success_rates").output
    assert run("sql", "--csv", "select 1 as one").output.splitlines() == ["one", "1"]


@pytest.mark.usefixtures("published")
def test_a_verdict_is_traced_to_the_words_behind_it():
    shown = run("why", "c0", "helped").output

    assert "success" in shown
    assert "five days" in shown


def test_a_reason_that_was_not_written_is_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    silent = {"verdict": "success", "turn": 2, "quote": "five days", "rationale": ""}
    judge = ScriptedChatModel(always=silent)
    with sample_deployment(settings, judge) as deployment:
        hold_calls(deployment, 1)
        evaluate(deployment, narrowing=Narrowing(only=["helped"]))
        publish_reports(deployment)
    reason = {"verdict": "success", "turn": 2, "reason": "Five days were named."}
    asked = ScriptedChatModel(reason, "yes")
    monkeypatch.setattr("orchestration.deployment._open_model", lambda *_, **__: asked)

    shown = run("show", "c0").output
    without = run("why", "c0", "helped").output
    told = run("why", "c0", "helped", "--ask").output
    again = run("why", "c0", "helped", "--ask").output

    assert "no reason was written; `vivavoce why --ask` asks the judge for one" in shown
    assert "the judge wrote no reason" in without
    assert "because: Five days were named." in told
    assert again == told
    assert len(asked.prompts) == 2
    assert "Five days were named." in run("show", "c0").output
    assert "Five days were named." in run("sql", "select rationale from evaluations").output


def test_evaluating_without_conversations_publishes_an_empty_report(settings: Settings):
    shown = run("evaluate")

    assert shown.exit_code == 0
    assert "0 conversations judged" in shown.output
    assert (settings.store / "reports.duckdb").exists()


def test_importing_tells_what_went_in(settings: Settings, tmp_path: Path):
    transcript = tmp_path / "call.yaml"
    transcript.write_text(
        "conversation_id: conv_one\nturns:\n  - {role: user, text: Hello}\n"
        "started_at: 2026-03-01T10:00:00Z\n"
    )

    first = run("import", str(transcript), "--agent", "shop-desk")
    again = run("import", str(transcript), "--agent", "shop-desk")

    assert first.output == "1 conversation imported, 0 known already.\n"
    assert again.output == "0 conversations imported, 1 known already.\n"
    beside = run("import", "nowhere", str(transcript), "--agent", "shop-desk")
    assert beside.exit_code == 1
    assert beside.output.startswith(
        "0 conversations imported, 1 known already.\nRejected nowhere: "
    )


def test_a_rejected_transcript_is_named_and_fails_the_command(settings: Settings, tmp_path: Path):
    (tmp_path / "bad.yaml").write_text("conversation_id: conv_two\nturns: []\n")

    done = run("import", str(tmp_path / "bad.yaml"), "--agent", "shop-desk")

    assert done.exit_code == 1
    assert "Rejected" in done.output
    assert "bad.yaml" in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ingest", "shop-dekk"], "There is no agent 'shop-dekk'"),
        (["sql", "from success_rates"], "No reports are published"),
        (["why", "c0", "helped"], "No reports are published"),
        (["import", "nowhere", "--agent", "shop-desk"], "There is nothing to import at 'nowhere'"),
    ],
)
def test_an_error_is_one_message_without_a_traceback(
    arguments: list[str],
    told: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(sys, "argv", ["vivavoce", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("vivavoce: ")
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize("command", ["ingest", "chat", "evaluate", "report", "why", "demo", "ui"])
def test_every_command_explains_itself(command: str):
    shown = run(command, "--help")

    assert shown.exit_code == 0
    assert "Usage: vivavoce" in shown.output


@pytest.mark.usefixtures("settings")
def test_the_code_of_the_widget_names_server_and_agent():
    shown = run("widget", "shop-desk", "--url", "https://agents.example.com/").output

    assert '<script src="https://agents.example.com/widget.js" async></script>' in shown
    assert '<vivavoce-widget agent-id="shop-desk"' in shown
    assert 'src="https://agents.example.com/embed/shop-desk"' in shown
    assert "connect-src https://agents.example.com wss://agents.example.com" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["conversations", "--since", "10.11.2026"],
        ["conversations", "--until", "2026-02-30"],
        ["evaluate", "--since", "yesterday"],
        ["gaps", "--since", ""],
        ["impact", "support", "--since", "2026"],
    ],
)
def test_what_is_no_day_is_told_how_to_write_one(arguments: list[str]):
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    assert f"{arguments[-1]!r} is no day: write it as 2026-11-30" in " ".join(done.output.split())


def test_a_damaged_report_is_published_anew(published: Settings):
    published.reports_file.write_bytes(b"no reports")

    shown = run("report", "--no-with-sql")

    assert shown.exit_code == 0
    assert "shop-desk" in shown.output


@pytest.mark.parametrize("command", ["report", "conversations"])
def test_a_misspelt_agent_is_not_one_without_conversations(published: Settings, command: str):
    with pytest.raises(UnknownAgentError, match="Did you mean 'shop-desk'"):
        run(command, "--agent", "shop-dsk")

    (published.agents_dir / "new.yaml").write_text("agent_id: new\nname: New\n")
    assert run(command, "--agent", "new").exit_code == 0


@pytest.mark.parametrize("query", ["", " ; "])
def test_a_query_without_words_is_none(published: Settings, query: str):
    refused = run("sql", query)
    assert refused.exit_code == 2
    assert "There is no query" in refused.output
