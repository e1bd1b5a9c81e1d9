from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from analysis.reports import open_reports
from analysis.store import tables
from orchestration.deployment import Deployment
from orchestration.operations.exports import ReportForm, export, export_report
from orchestration.operations.operations import evaluate, outdated_days, publish_reports
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import AGENT_FILE, FIRST_DAY, answer, sample_deployment, write_data
from tests.orchestration.searching import files_with

MASKED = AGENT_FILE + "privacy: {redact: true}\n"
STORE = {"conversations.sqlite", "conversations.sqlite-wal"}
SAID = "I am ann@example.org. How long do refunds take?"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path / "data")


@pytest.fixture
def model() -> ScriptedChatModel:
    return ScriptedChatModel(always=answer, model="scripted/model")


@pytest.fixture
def deployment(settings: Settings, model: ScriptedChatModel) -> Iterator[Deployment]:
    with sample_deployment(settings, model) as opened:
        hold_call(opened.conversations, "c0", question=SAID)
        yield opened


def mask(settings: Settings) -> None:
    (settings.agents_dir / "shop-desk.yaml").write_text(MASKED)


def test_neither_the_judge_nor_the_reports_see_what_is_masked(
    settings: Settings, deployment: Deployment, model: ScriptedChatModel
):
    mask(settings)
    evaluate(deployment)
    publish_reports(deployment)

    assert not any("ann@example.org" in prompt for prompt in model.prompt_texts)
    assert any("I am [EMAIL_1]." in prompt for prompt in model.prompt_texts)
    assert set(files_with(settings.store, "ann@example")) <= STORE
    with open_reports(deployment.reports_file) as connection:
        [said] = connection.execute("select text from turns where turn_index = 1").fetchall()
    assert said == ("I am [EMAIL_1]. How long do refunds take?",)


def test_what_users_wrote_about_a_conversation_stays_in_the_store(
    settings: Settings, deployment: Deployment, model: ScriptedChatModel
):
    comment = {"rating": 1, "comment": "Nobody called me back at +1 415 555 0132."}
    deployment.conversations.add_event("c0", "feedback", at=FIRST_DAY, payload=comment)
    assert files_with(settings.store, "415 555 0132")
    mask(settings)
    evaluate(deployment)
    publish_reports(deployment)
    export_report(deployment, settings.store / "report.html", ReportForm("html"), now=FIRST_DAY)
    export(deployment, settings.store / "conversations.csv", "conversations", now=FIRST_DAY)

    assert not any("415 555 0132" in prompt for prompt in model.prompt_texts)
    # The search looks into every table of the published file too.
    assert deployment.reports_file.exists()
    assert set(files_with(settings.store, "415 555 0132")) <= STORE


def test_switching_masking_on_writes_old_days_anew_and_judges_the_masked_words(
    settings: Settings, deployment: Deployment, model: ScriptedChatModel
):
    evaluate(deployment)
    publish_reports(deployment)
    assert "reports.duckdb" in files_with(settings.store, "ann@example")

    mask(settings)
    assert len(outdated_days(deployment)) == 1
    publish_reports(deployment)

    assert outdated_days(deployment) == []
    assert set(files_with(settings.store, "ann@example")) <= STORE
    asked = len(model.prompts)
    assert evaluate(deployment).evaluated == 1
    assert len(model.prompts) > asked


def test_gaps_that_were_found_in_the_said_words_are_found_again(
    settings: Settings, deployment: Deployment
):
    row = {
        **{"conversation_id": "c0", "turn_index": 1, "agent_id": "shop-desk", "gap_id": "g1"},
        **{"question": SAID, "asked_at": FIRST_DAY, "reasons": [], "seen_chunk_ids": []},
        **{"model_id": "m", "vector": b""},
    }
    with deployment.evaluations.engine.begin() as connection:
        connection.execute(sa.insert(tables.gap_questions), row)
    publish_reports(deployment)
    assert "reports.duckdb" in files_with(settings.store, "ann@example")

    mask(settings)
    publish_reports(deployment)

    assert set(files_with(settings.store, "ann@example")) <= STORE


def test_words_without_personal_data_are_not_judged_again(
    settings: Settings, deployment: Deployment
):
    hold_call(deployment.conversations, "c1")
    evaluate(deployment)
    mask(settings)
    assert evaluate(deployment, None).evaluated == 1


def test_an_agent_whose_file_is_gone_is_masked(settings: Settings, deployment: Deployment):
    evaluate(deployment)
    publish_reports(deployment)
    (settings.agents_dir / "shop-desk.yaml").unlink()

    assert len(outdated_days(deployment)) == 1
    publish_reports(deployment)

    assert set(files_with(settings.store, "ann@example")) <= STORE
    assert outdated_days(deployment) == []
