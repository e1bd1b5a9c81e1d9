from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from analysis.reports import open_reports
from analysis.results import Label
from analysis.store.forgetting import orphans
from conversation.transcript import Turn
from orchestration.cli.main import app
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.errors import ForgettingError
from orchestration.operations.exports import (
    ReportForm,
    export,
    export_report,
    known_exports,
    remember_export,
)
from orchestration.operations.forgetting import forget
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.operations.retention import apply_retention, due_for_deletion
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.analysis.calls import a_value, a_verdict, hold_call, save_answers
from tests.orchestration.sample import AGENT_FILE, FIRST_DAY, sample_deployment, write_data
from tests.orchestration.searching import files_with

NOW = datetime(2026, 3, 20, tzinfo=UTC)
SAID = "My zanzibar parcel never reached Quillmouth harbour."
WORDS = ("zanzibar", "quillmouth")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return write_data(tmp_path / "data")


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        hold_call(opened.conversations, "kept")
        hold_call(opened.conversations, "told", question=SAID, answer=f"Sorry about {SAID}")
        yield opened


def talk_about_it(deployment: Deployment) -> None:
    """Everything that may come of a conversation: verdicts, labels, reports, exports, sound."""
    quote = {"rationale": SAID, "unsupported_quotes": (SAID,)}
    save_answers(
        deployment.evaluations,
        "told",
        a_verdict("told", **quote),
        a_value("told", "status", SAID),
        summary=SAID,
    )
    comment = {"rating": 1, "comment": "What became of my zanzibar parcel?"}
    deployment.conversations.add_event("told", "feedback", at=NOW, payload=comment)
    label = Label(
        conversation_id="told", criterion_id="helped", verdict="failure", annotator="bo", note=SAID
    )
    deployment.evaluations.add_labels([label], now=NOW)
    evaluate(deployment)
    publish_reports(deployment)
    for suffix in (".csv", ".parquet", ".xlsx", ".jsonl"):
        export(deployment, deployment.settings.store / f"turns{suffix}", "turns", now=NOW)
    export(
        deployment,
        deployment.settings.store / "q.csv",
        "select * from turns where text like '%e%'",
        now=NOW,
    )
    export_report(
        deployment, deployment.settings.store / "report.html", ReportForm("html"), now=NOW
    )
    form = ReportForm("markdown", agent_id="shop-desk")
    export_report(deployment, deployment.settings.store / "report.md", form, now=NOW)
    recordings = deployment.settings.store / "recordings"
    (recordings / "told").mkdir(parents=True)
    (recordings / "told" / "user.wav").write_bytes(b"zanzibar")
    (recordings / "told.wav").write_bytes(b"zanzibar")
    (recordings / "toldyou.wav").write_bytes(b"other")


def test_what_is_forgotten_is_in_no_file_any_more(settings: Settings, deployment: Deployment):
    talk_about_it(deployment)
    before = files_with(settings.store, *WORDS)
    assert {"reports.duckdb", "turns.csv", "turns.xlsx", "q.csv"} <= set(before)
    assert any("turns/day=" in name for name in before)

    receipt = forget(deployment, now=NOW, conversation_id="told")

    assert files_with(settings.data_dir, *WORDS) == []
    assert (settings.store / "recordings" / "toldyou.wav").exists()
    counts = {line.place: line.count for line in receipt.lines}
    assert counts["database, conversations"] == 1
    assert counts["database, turns"] == 4
    assert counts["database, labels"] == 1
    assert counts["database, conversation_events"] >= 6
    assert counts["database, evaluations"] >= 2
    assert counts["recordings"] == 2
    assert counts["Parquet files"] == 1
    assert counts["published file"] == 1
    assert counts["exports"] == 7
    assert receipt.files_searched > 10
    assert not any("by hand" in place for place in receipt.not_reached)
    with open_reports(deployment.reports_file) as connection:
        left = connection.execute("select conversation_id from conversations").fetchall()
    assert left == [("kept",)]
    assert len(deployment.conversations.transcript("kept").turns) == 4


def test_a_copy_of_a_comment_is_told(settings: Settings, deployment: Deployment):
    comment = {"comment": "My zanzibar parcel is lost, and nobody cares."}
    deployment.conversations.add_event("told", "feedback", at=NOW, payload=comment)
    copy = settings.store / "comments.txt"
    copy.write_text(f"told: {comment['comment']}")

    receipt = forget(deployment, now=NOW, conversation_id="told")

    assert f"{copy} still holds words of it: delete it by hand" in receipt.not_reached
    assert files_with(settings.store, "nobody cares") == ["comments.txt"]


def test_a_user_is_forgotten_with_every_conversation(settings: Settings, deployment: Deployment):
    store = deployment.conversations
    for number in range(2):
        conversation_id = f"of_ann_{number}"
        store.begin(
            conversation_id,
            agent_id="shop-desk",
            started_at=FIRST_DAY,
            metadata={"user_id": "ann"},
            turn=Turn(role="user", text=SAID),
        )
        store.end(conversation_id, reason="user_ended", at=FIRST_DAY)

    receipt = forget(deployment, now=NOW, user_id="ann")

    assert receipt.conversation_ids == ("of_ann_0", "of_ann_1")
    assert {row.conversation_id for row in store.conversations()} == {"kept", "told"}
    with pytest.raises(ForgettingError, match="No conversation names the user 'ann'"):
        forget(deployment, now=NOW, user_id="ann")


def test_what_cannot_be_forgotten_says_why(deployment: Deployment):
    with pytest.raises(ForgettingError, match="holds no conversation 'nobody'"):
        forget(deployment, now=NOW, conversation_id="nobody")
    with pytest.raises(ForgettingError, match="either a conversation or a user"):
        forget(deployment, now=NOW)
    deployment.conversations.begin("live", agent_id="shop-desk", started_at=NOW)
    with pytest.raises(ForgettingError, match="'live' is still being held"):
        forget(deployment, now=NOW, conversation_id="live")


@pytest.mark.slow
def test_what_was_not_reached_is_on_the_receipt(settings: Settings, deployment: Deployment):
    talk_about_it(deployment)
    copy = settings.store / "copy.txt"
    copy.write_text(SAID)
    export(deployment, settings.store / "gone.csv", "turns", now=NOW)
    remember_export(deployment, settings.store / "gone.csv", "no_such_table", now=NOW)

    receipt = forget(deployment, now=NOW, conversation_id="told")

    assert any(f"{copy} still holds words" in place for place in receipt.not_reached)
    assert any("gone.csv (ExportError): delete it by hand" in p for p in receipt.not_reached)
    assert any("backups" in place for place in receipt.not_reached)


def test_replays_of_a_conversation_go_with_it(settings: Settings, deployment: Deployment):
    store = deployment.conversations
    for conversation_id, of in (("again", "told"), ("once_more", "again"), ("other", "kept")):
        store.begin(
            conversation_id,
            agent_id="shop-desk",
            started_at=FIRST_DAY,
            metadata={"replay_of": of},
            simulated=True,
            turn=Turn(role="user", text=SAID if of != "kept" else "Hello"),
        )
        store.end(conversation_id, reason="user_ended", at=FIRST_DAY)

    receipt = forget(deployment, now=NOW, conversation_id="told")

    assert receipt.conversation_ids == ("told", "again", "once_more")
    assert files_with(settings.data_dir, *WORDS) == []


def test_what_others_say_too_is_not_taken_for_a_trace(deployment: Deployment):
    hold_call(deployment.conversations, "same", question="How long do refunds take, roughly?")
    hold_call(deployment.conversations, "also", question="How long do refunds take, roughly?")
    publish_reports(deployment)
    receipt = forget(deployment, now=NOW, conversation_id="same")
    assert not any("still holds words" in place for place in receipt.not_reached)


@pytest.mark.slow
def test_exports_that_were_deleted_by_hand_are_no_longer_known(
    settings: Settings, deployment: Deployment
):
    talk_about_it(deployment)
    (settings.store / "q.csv").unlink()
    forget(deployment, now=NOW, conversation_id="told")
    assert {Path(known.path).name for known in known_exports(deployment)} == {
        "turns.csv",
        "turns.parquet",
        "turns.xlsx",
        "turns.jsonl",
        "report.html",
        "report.md",
    }


def keep_for(settings: Settings, text: str) -> None:
    (settings.agents_dir / "shop-desk.yaml").write_text(f"{AGENT_FILE}privacy: {{{text}}}\n")


def test_old_conversations_go_and_young_ones_stay(settings: Settings, deployment: Deployment):
    talk_about_it(deployment)
    hold_call(deployment.conversations, "young", started_at=NOW - timedelta(days=2))
    assert due_for_deletion(deployment, now=NOW) == []

    keep_for(settings, "transcripts_days: 7")
    [due] = due_for_deletion(deployment, now=NOW)
    assert (due.kept, due.days, set(due.conversation_ids)) == ("transcripts", 7, {"kept", "told"})
    run = apply_retention(deployment, now=NOW)

    assert [row.conversation_id for row in deployment.conversations.conversations()] == ["young"]
    assert files_with(settings.data_dir, *WORDS) == []
    assert any(line.place == "published file" for line in run.lines)
    assert apply_retention(deployment, now=NOW).lines == ()


def test_verdicts_can_go_before_the_words_and_are_not_asked_again(
    settings: Settings, deployment: Deployment
):
    talk_about_it(deployment)
    (settings.store / "recordings" / "kept.wav").write_bytes(b"sound")
    keep_for(settings, "evaluations_days: 7, recordings_days: 3")

    run = apply_retention(deployment, now=NOW)

    assert {due.kept for due in run.due} == {"evaluations", "recordings"}
    assert deployment.evaluations.evaluations(["kept", "told"]) == []
    assert list((settings.store / "recordings").rglob("told*")) == [
        settings.store / "recordings" / "toldyou.wav"
    ]
    assert len(deployment.conversations.conversations()) == 2
    assert evaluate(deployment, now=lambda: NOW).evaluated == 0
    with open_reports(deployment.reports_file) as connection:
        assert connection.execute("select count(*) from evaluations").fetchone() == (0,)
        assert connection.execute("select count(*) from conversations").fetchone() == (2,)


def test_answers_about_a_conversation_that_is_gone_are_swept(deployment: Deployment):
    forget(deployment, now=NOW, conversation_id="told")
    save_answers(deployment.evaluations, "told", a_verdict("told", rationale=SAID))
    engine = deployment.evaluations.engine
    assert orphans(engine) == ["told"]

    run = apply_retention(deployment, now=NOW)

    assert orphans(engine) == []
    assert {line.place for line in run.lines} >= {"orphans, evaluations"}
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from evaluations")).scalar() == 0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_the_commands_print_what_they_did(settings: Settings, deployment: Deployment):
    deployment.close()
    keep_for(settings, "transcripts_days: 7")
    shown = run("retention", "--dry-run").output
    assert "shop-desk  transcripts" in shown
    receipt = run("forget", "--conversation", "told").output
    assert "1 conversation (told)" in receipt
    assert "database, conversation_events" in receipt
    assert "Not reached:" in receipt
    assert SAID not in receipt
    assert "recordings" not in run("retention").output
    assert run("retention").output == "Nothing is kept longer than its agent allows.\n"


@pytest.mark.slow
def test_the_log_of_dagster_runs_holds_no_words(settings: Settings, deployment: Deployment):
    deployment.evaluations.remember_questions(deployment.agent("shop-desk").agent, NOW)
    talk_about_it(deployment)
    with opened_instance(deployment) as instance:
        for job, day in (("evaluate_days", "2026-03-01"), ("publish_reports", None)):
            run_job(job, deployment, definitions=defs, instance=instance, partition=day)

    assert settings.dagster_instance_dir.exists()
    forget(deployment, now=NOW, conversation_id="told")

    assert files_with(settings.data_dir, *WORDS) == []
