from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analysis.results import AnalysisResult, CollectedValue, Evaluation, Evidence
from analysis.store import tables
from analysis.store.store import AnalysisStore
from conversation.agent.config import AgentConfig, Criterion, DataCollectionField
from conversation.errors import StoreError
from conversation.store.database import open_database
from conversation.transcript import Usage

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHA = "a" * 64
JUDGE = "scripted/judge"
HELPED = Criterion(criterion_id="helped", prompt="The agent helped.")
TOPIC = DataCollectionField(field_id="topic", description="What it is about.")
USAGE = Usage(model=JUDGE, input_tokens=10, output_tokens=2, cost_usd=0.01)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


def an_evaluation(**changes: Any) -> Evaluation:
    return Evaluation(
        **{
            "conversation_id": "c1",
            "criterion_id": "helped",
            "criterion_version": HELPED.version,
            "judge_model": JUDGE,
            "judge_prompt_version": "p1",
            "transcript_sha256": SHA,
            "verdict": "success",
            "rationale": "It did.",
            "evidence": (Evidence(turn_index=1, quote="Two days."),),
            "usage": USAGE,
            **changes,
        }
    )


def a_value(**changes: Any) -> CollectedValue:
    return CollectedValue(
        **{
            "conversation_id": "c1",
            "field_id": "topic",
            "field_version": TOPIC.version,
            "judge_model": JUDGE,
            "judge_prompt_version": "p1",
            "transcript_sha256": SHA,
            "value": "refund",
            "status": "supported",
            **changes,
        }
    )


def save(store: AnalysisStore, *answers: Evaluation | CollectedValue, **changes: Any) -> None:
    result = AnalysisResult(
        conversation_id="c1",
        evaluations=tuple(a for a in answers if isinstance(a, Evaluation)),
        collected=tuple(a for a in answers if isinstance(a, CollectedValue)),
        summary=changes.pop("summary", None),
        usage=USAGE,
    )
    store.save(
        result,
        **{
            "transcript_sha256": SHA,
            "judge_model": JUDGE,
            "judge_prompt_version": "p1",
            "now": NOW,
            **changes,
        },
    )


def missing(store: AnalysisStore, **changes: Any) -> tuple[int, int, bool]:
    found = store.missing(
        "c1",
        changes.pop("transcript_sha256", SHA),
        **{
            "criteria": [HELPED],
            "fields": [TOPIC],
            "judge": JUDGE,
            "prompt_version": lambda _model, _variant: "p1",
            **changes,
        },
    )
    return len(found.criteria), len(found.fields), found.summary


def test_what_was_saved_is_read_back_unchanged_by_another_process(url: str):
    evaluation = an_evaluation(confidence=0.75, evaluated_at=NOW)
    value = a_value(value=3, evaluated_at=NOW)
    with AnalysisStore.open(url) as store:
        save(store, evaluation, value, summary="A refund.")

    with AnalysisStore.open(url) as store:
        read = store.latest_evaluations("c1")["helped"]
        assert Evaluation.model_validate(read.model_dump(exclude={"evaluation_id"})) == evaluation
        read_value = store.latest_collected_values("c1")["topic"]
        assert read_value.value == 3
        assert store.latest_summary("c1") == "A refund."
        assert store.latest_summary("other") is None


@pytest.mark.parametrize("value", ["a word", 3, 2.5, True, False, None])
def test_values_keep_their_type(url: str, value: Any):
    with AnalysisStore.open(url) as store:
        save(store, a_value(value=value, status="supported"))
        read = store.latest_collected_values("c1")["topic"].value
        assert (read, type(read)) == (value, type(value))


def test_only_what_has_no_answer_is_missing(url: str):
    with AnalysisStore.open(url) as store:
        assert missing(store) == (1, 1, True)
        save(store, an_evaluation())
        assert missing(store) == (0, 1, True)
        save(store, a_value(), summary="A refund.")
        assert missing(store) == (0, 0, False)


@pytest.mark.parametrize(
    "change",
    [
        {"transcript_sha256": "b" * 64},
        {"judge": "other/judge"},
        {"prompt_version": lambda _model, _variant: "p2"},
        {"criteria": [Criterion(criterion_id="helped", prompt="The agent really helped.")]},
        {"criteria": [Criterion(criterion_id="helped", prompt=HELPED.prompt, judge="other/judge")]},
        {"sample": 1},
    ],
)
def test_a_change_of_any_part_of_the_key_asks_again(url: str, change: dict[str, Any]):
    with AnalysisStore.open(url) as store:
        save(store, an_evaluation(), a_value(), summary="A refund.")
        assert missing(store, **change)[0] == 1


def test_a_verdict_that_stands_is_never_replaced(url: str):
    with AnalysisStore.open(url) as store:
        save(store, an_evaluation(verdict="success"))
        save(store, an_evaluation(verdict="failure"))
        save(store, an_evaluation(verdict=None, error="The judge timed out."))
        assert [e.verdict for e in store.evaluations(["c1"])] == ["success"]


def test_an_error_is_recorded_and_asked_again(url: str):
    with AnalysisStore.open(url) as store:
        save(store, an_evaluation(verdict=None, error="No JSON."))
        assert missing(store)[0] == 1
        assert store.latest_evaluations("c1")["helped"].error == "No JSON."

        save(store, an_evaluation(verdict="failure"))
        assert missing(store)[0] == 0
        assert store.latest_evaluations("c1")["helped"].verdict == "failure"
        assert [e.error for e in store.evaluations(["c1"])] == ["No JSON.", None]


def test_the_same_error_again_adds_no_row(url: str):
    with AnalysisStore.open(url) as store:
        for error in ("No JSON.", "No JSON.", "Timeout.", "No JSON."):
            save(store, an_evaluation(verdict=None, error=error))
            save(store, error="no turns")
        assert [e.error for e in store.evaluations(["c1"])] == ["No JSON.", "Timeout.", "No JSON."]
        assert sum(run.error == "no turns" for run in store.runs(["c1"])) == 4
        save(store, error="no turns")
        assert sum(run.error == "no turns" for run in store.runs(["c1"])) == 4


def test_the_latest_version_is_in_force_and_samples_do_not_replace_it(url: str):
    with AnalysisStore.open(url) as store:
        save(store, an_evaluation(criterion_version="v1", verdict="success"))
        save(store, an_evaluation(criterion_version="v2", verdict="failure"))
        save(store, an_evaluation(criterion_version="v2", verdict="success", sample=1))
        assert store.latest_evaluations("c1")["helped"].verdict == "failure"


def test_ids_of_deleted_rows_are_not_used_again(url: str):
    greatest = sa.select(sa.func.max(tables.evaluations.c.evaluation_id))
    with AnalysisStore.open(url) as store, store.engine.connect() as connection:
        save(store, an_evaluation())
        before = connection.execute(greatest).scalar_one()
        connection.rollback()

        deleted = store.forget("c1")
        assert deleted["evaluations"] == 1
        assert connection.execute(greatest).scalar_one() is None
        connection.rollback()
        save(store, an_evaluation())
        assert connection.execute(greatest).scalar_one() > before


def test_versions_of_questions_are_kept_once(url: str):
    agent = AgentConfig(agent_id="a", name="A", criteria=(HELPED,), data_collection=(TOPIC,))
    with AnalysisStore.open(url) as store:
        store.remember_questions(agent, NOW)
        store.remember_questions(agent, NOW + timedelta(days=1))
        versions = store.question_versions()
    assert [(v["kind"], v["question_id"]) for v in versions] == [
        ("criterion", "helped"),
        ("field", "topic"),
    ]
    assert versions[0]["definition"]["prompt"] == HELPED.prompt
    assert versions[0]["first_used_at"] == NOW


def test_many_conversations_are_asked_for_at_once(url: str):
    ids = [f"c{i}" for i in range(1_203)]
    with AnalysisStore.open(url) as store:
        for conversation_id in ids[::400]:
            evaluation = an_evaluation(conversation_id=conversation_id)
            result = AnalysisResult(conversation_id=conversation_id, evaluations=(evaluation,))
            store.save(
                result,
                transcript_sha256=SHA,
                judge_model=JUDGE,
                judge_prompt_version="p1",
                now=NOW,
            )
        assert len(store.answered(ids)) == len(ids[::400])
        assert len(store.evaluations(ids)) == len(ids[::400])


def test_the_migrations_make_the_tables_of_the_code(url: str):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with AnalysisStore.open(url) as store, store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": tables.SCHEMA.version_table, "compare_type": True},
        )
        differences = compare_metadata(context, tables.metadata)
        assert differences == []
        assert context.get_current_revision() == tables.SCHEMA.head


def test_a_database_that_cannot_be_opened_is_one_clear_error(tmp_path: Path):
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(StoreError, match="VIVAVOCE_STORE_URL"):
        AnalysisStore.open(f"sqlite:///{tmp_path / 'folder.sqlite'}")


def test_migrations_can_be_undone(url: str):
    from conversation.store.database import migrate

    engine = open_database(url, tables.SCHEMA)
    migrate(engine, tables.SCHEMA, revision="base")
    assert "evaluations" not in sa.inspect(engine).get_table_names()
    migrate(engine, tables.SCHEMA)
    assert "evaluations" in sa.inspect(engine).get_table_names()
    engine.dispose()
