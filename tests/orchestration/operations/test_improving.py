from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.reports import open_reports
from orchestration.cli.main import app
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.exports import write_report_page
from orchestration.operations.impact import ProposedChange, change_impact, replay_both, tried
from orchestration.operations.improving import (
    default_embedder,
    regressed_gaps,
    update_gaps,
    update_topics,
)
from orchestration.operations.operations import publish_reports, reports_outdated
from orchestration.settings import Settings
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import DAY, hold_call
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

AGENT_ID = "shop-desk"
VOUCHER = "Can I pay with a gift voucher?"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = write_data(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def deployment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        monkeypatch.setattr(
            "orchestration.operations.improving.open_embedder", lambda *_: WordsEmbedder()
        )
        yield opened


def ask_in_vain(deployment: Deployment, count: int) -> None:
    for number in range(count):
        hold_call(
            deployment.conversations,
            f"vain{number}",
            started_at=DAY,
            question=VOUCHER,
            answer="I don't know.",
        )


def test_gaps_and_topics_reach_the_published_reports(deployment: Deployment):
    ask_in_vain(deployment, 3)
    embedder = default_embedder(deployment)
    publish_reports(deployment)
    update_gaps(deployment, AGENT_ID, embedder=embedder)
    update_topics(deployment, AGENT_ID, embedder=embedder)
    assert reports_outdated(deployment)

    publish_reports(deployment)

    assert not reports_outdated(deployment)
    with open_reports(deployment.reports_file) as reports:
        gaps = reports.sql(
            "select title, state, questions, conversations, examples from knowledge_gaps"
        ).fetchall()
        topics = reports.sql("select source, conversations, share from topics").fetchall()
        days = reports.sql("select questions from gap_trends").fetchall()
    assert gaps == [(VOUCHER, "open", 3, 3, [VOUCHER])]
    assert topics == [("clusters", 3, 1.0)]
    assert days == [(3,)]


def test_the_page_of_the_report_follows_what_is_published(deployment: Deployment):
    ask_in_vain(deployment, 1)
    update_gaps(deployment, AGENT_ID, embedder=default_embedder(deployment))
    publish_reports(deployment)
    html, markdown = write_report_page(deployment, DAY)
    assert VOUCHER in html.read_text("utf-8")

    deployment.conversations.delete("vain0")
    deployment.evaluations.forget("vain0")
    publish_reports(deployment)

    assert "voucher" not in html.read_text("utf-8") + markdown.read_text("utf-8")


def test_nothing_is_embedded_where_nothing_was_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise AssertionError("no model is needed")

    monkeypatch.setattr("orchestration.operations.improving.open_embedder", refuse)
    with sample_deployment(settings) as deployment:
        embedder = default_embedder(deployment)
        assert update_gaps(deployment, AGENT_ID, embedder=embedder).gaps == ()
        assert update_topics(deployment, AGENT_ID, embedder=embedder).topics == ()
        assert regressed_gaps(deployment, AGENT_ID) == 0


@pytest.mark.slow
def test_a_change_is_tried_on_a_copy(deployment: Deployment, tmp_path: Path):
    ingest(deployment, AGENT_ID)
    hold_calls(deployment, 2)
    ask_in_vain(deployment, 1)
    added = tmp_path / "vouchers.md"
    added.write_text("# Vouchers\n\nYes, you can pay with a gift voucher.\n")
    names = [document.name for document in deployment.knowledge_base(AGENT_ID).documents()]

    with tried(deployment, AGENT_ID, ProposedChange(add=(str(added),))) as trial:
        assert trial.documents_after == trial.documents_before + 1
        impact = change_impact(deployment, AGENT_ID, trial)
        replayed = replay_both(deployment, AGENT_ID, trial, ["vain0"])

    assert impact.turns == 3
    assert "vain0" in {turn.question.conversation_id for turn in impact.changed}
    assert replayed.conversations == 1
    assert [difference.n for difference in replayed.differences.values()] == [1]
    held = [found.conversation_id for found in deployment.conversations.conversations()]
    assert sorted(held) == ["c0", "c1", "vain0"]
    documents = deployment.knowledge_base(AGENT_ID).documents()
    assert [document.name for document in documents] == names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_the_commands_say_what_there_is(deployment: Deployment, settings: Settings):
    ask_in_vain(deployment, 3)
    shown = run("gaps").output
    assert "1 gap (1 open) in 3 questions" in shown
    assert VOUCHER in shown
    assert "3 conversations, 0 without a topic" in run("topics", "--agent", AGENT_ID).output
    assert "No question of a user was left" in run("gaps", "--since", "2027-01-01").output


def test_the_report_is_written_as_a_page_and_as_markdown(deployment: Deployment, tmp_path: Path):
    ask_in_vain(deployment, 1)
    html, markdown = tmp_path / "out" / "report.html", tmp_path / "report.md"
    shown = run("report", "--html", str(html), "--markdown", str(markdown)).output
    assert f"Wrote {html}." in shown
    assert "Success rates" not in shown
    assert html.read_text("utf-8").startswith("<!doctype html>")
    assert "## Conversations" in markdown.read_text("utf-8")


def test_the_dictionary_describes_the_views_of_agents(deployment: Deployment):
    shown = run("dictionary").output
    assert "### knowledge_gaps" in shown
    assert "### agent_shop_desk" in shown
