from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.main import app
from orchestration.deployment import Deployment
from orchestration.settings import Settings, load_settings
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import AGENT_FILE, answer, hold_calls, sample_deployment, write_data


@pytest.fixture
def model() -> ScriptedChatModel:
    return ScriptedChatModel(always=answer, model="scripted/model")


@pytest.fixture
def settings(tmp_path: Path, model: ScriptedChatModel, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    settings = write_data(tmp_path / "data")

    def opened(progress: object = None) -> Deployment:
        return Deployment(load_settings(), open_model=lambda *_, **__: model)

    for module in ("judging", "querying", "analysing"):
        monkeypatch.setattr(f"orchestration.cli.{module}.opened_deployment", opened)
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 3)
    return settings


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=said, catch_exceptions=False)


def test_a_dry_run_tells_the_cost_and_asks_nothing(settings: Settings, model: ScriptedChatModel):
    shown = run("evaluate", "--dry-run").output
    assert "9 questions about 3 conversations would be asked" in shown
    assert "scripted/model" in shown
    assert "Nothing was asked." in shown
    assert model.prompts == []
    run("evaluate")
    assert (
        "Nothing is left to ask. 3 conversations have every answer already."
        in run("evaluate", "--dry-run").output
    )


def test_a_dry_run_says_what_a_run_would_refuse(
    settings: Settings, model: ScriptedChatModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIVAVOCE_JUDGE", "embedded/extractive")
    shown = run("evaluate", "--dry-run").output
    assert "questions about" not in shown
    assert "Nothing is left" not in shown
    assert "shop-desk would not be judged: 'embedded/extractive' quotes documents" in shown
    assert "VIVAVOCE_JUDGE" in shown
    assert model.prompts == []


@pytest.mark.slow
def test_an_evaluation_is_narrowed_by_day_and_question(
    settings: Settings, model: ScriptedChatModel
):
    first = run("evaluate", "--since", "2026-03-02", "--until", "2026-03-02").output
    assert first.startswith("1 conversation judged")
    asked = len(model.prompts)
    second = run("evaluate", "--criterion", "helped", "--agent", "shop-desk").output
    assert second.startswith("2 conversations judged, 1 were judged before")
    assert len(model.prompts) == asked + 2
    assert run("sql", "--csv", "select count(*) as n from evaluations").output.split() == ["n", "3"]


def test_a_budget_stops_the_run_before_it_is_passed(settings: Settings, model: ScriptedChatModel):
    stopped = run("evaluate", "--max-tokens", "1")
    assert stopped.exit_code == 1
    assert model.prompts == []


@pytest.mark.slow
def test_samples_tell_how_steady_the_judge_is(settings: Settings, model: ScriptedChatModel):
    run("evaluate")
    asked = len(model.prompts)
    shown = run("evaluate", "--criterion", "helped", "--sample", "2").output
    assert "Sample 2: 3 conversations judged" in shown
    assert len(model.prompts) == asked + 6
    assert "0 of 3 conversations (0.0 %)" in run("compare", "helped", "v1", "v1").output


@pytest.mark.slow
def test_versions_are_compared_with_both_rationales(settings: Settings, model: ScriptedChatModel):
    run("evaluate")
    changed = AGENT_FILE.replace("The user got an answer.", "The user got a refund.")
    (settings.agents_dir / "shop-desk.yaml").write_text(changed)
    failed = {"verdict": "failure", "turn": 2, "quote": "five days", "rationale": "No refund."}
    model._always = failed
    run("evaluate", "--criterion", "helped", "--since", "2026-03-03")
    shown = run("compare", "helped", "v1", "v2").output
    assert "v1 -> v2: 1 of 1 conversations flip." in shown
    assert "c2: success -> failure" in shown
    assert "v1: Answered." in shown
    assert "v2: No refund." in shown


@pytest.mark.slow
def test_judges_are_compared_on_one_version(settings: Settings, model: ScriptedChatModel):
    run("evaluate")
    run("evaluate", "--criterion", "helped", "--judge", "other/judge")
    shown = run(
        *("compare", "helped", "v1", "v1"),
        *("--judge-a", "scripted/model", "--judge-b", "other/judge"),
    ).output
    assert "v1 by scripted/model -> v1 by other/judge: 0 of 3 conversations flip." in shown


def test_the_shell_answers_query_after_query(settings: Settings):
    run("evaluate")
    shown = run(
        "shell",
        said="select criterion_id\nfrom success_rates;\n.tables\n.schema topics\n.what\n"
        "from nowhere;\n.quit\n",
    ).output
    assert "helped" in shown
    assert "judge_agreement" in shown
    assert ".schema NAME columns of one" in shown
    assert "nowhere does not exist" in shown
    assert "cannot be run" in run("shell", said="copy turns to 'x.csv';\n").output


def test_exports_say_how_many_rows_they_hold(settings: Settings, tmp_path: Path):
    run("evaluate")
    assert run("export", "turns", "--to", "turns.xlsx").output == "12 rows written to turns.xlsx.\n"
    shown = run("export", "select 1 as one", "--to", "sub/one.csv").output
    assert shown == "1 rows written to sub/one.csv.\n"
    assert (tmp_path / "sub" / "one.csv").read_text() == "one\n1\n"
    assert run("report", "--html", "report.html").output == "Wrote report.html.\n"
    register = (settings.store / "exports.jsonl").read_text()
    assert register.count("\n") == 3


def test_a_broken_agent_file_is_named_and_keeps_its_last_view(settings: Settings):
    run("evaluate")
    file = settings.agents_dir / "shop-desk.yaml"
    other = AGENT_FILE.replace("shop-desk", "help-desk").replace("topic", "matter")
    (settings.agents_dir / "other.yaml").write_text(other)
    run("evaluate")
    views = ("agent_shop_desk", "agent_help_desk")
    before = [run("sql", "--csv", f"from {view}").output for view in views]

    file.write_text(AGENT_FILE + "  - {id: 'x y', description: No.}\n")
    (settings.agents_dir / "other.yaml").write_text(f"{other}criteria: [\n")
    told = run("evaluate")

    assert told.exit_code == 1
    for name in ("shop-desk.yaml", "other.yaml"):
        assert name in told.output
    assert "x y" in told.output
    assert [run("sql", "--csv", f"from {view}").output for view in views] == before
    assert "shop-desk.yaml" in run("evaluate", "--dry-run").output

    file.unlink()
    (settings.agents_dir / "other.yaml").write_text(other)
    assert run("evaluate").exit_code == 0
    assert "agent_shop_desk" not in run("sql", "--csv", "show tables").output


def test_criteria_that_code_decides_are_judged_and_published_without_asking(
    settings: Settings, model: ScriptedChatModel
):
    file = settings.agents_dir / "shop-desk.yaml"
    rule = (
        "  - {id: days, prompt: It names the days., kind: rule, settings: {pattern: five days}}\n"
    )
    head, fields = AGENT_FILE.split("data_collection:")
    file.write_text(f"{head}{rule}  - answered\ndata_collection:{fields}")

    told = run("evaluate", "--criterion", "days", "--criterion", "answered")

    assert told.exit_code == 0
    assert model.prompts == []
    shown = run(
        "sql",
        "--csv",
        "select distinct criterion_id, verdict, judge_model from evaluations order by 1",
    ).output
    assert "answered,success,code/answered" in shown
    assert "days,success,code/rule" in shown
