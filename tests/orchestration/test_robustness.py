"""Runs that overlap, days that cannot be read, failures that pass: through real Dagster runs."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from analysis.reports import open_reports
from conversation.errors import ModelSetupError, ModelUnavailableError
from kb.knowledge_base import KnowledgeBase
from orchestration.checks.reports import row_count_problems
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.operations.operations import outdated_days, publish_reports
from orchestration.processes.dagster_instance import prepare_instance
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.fakes import ScriptedChatModel
from tests.kb.conftest import WordEmbedder
from tests.orchestration.sample import (
    EARLY_ENOUGH,
    FIRST_DAY,
    answer,
    hold_calls,
    sample_deployment,
    write_data,
)

DAY = str(FIRST_DAY.date())
DAYS = ("2026-03-01", "2026-03-03")
CONVERSATIONS = 16
QUESTIONS_OF_EACH = 3
"""A criterion, a field and the summary."""

OVERLAPPING = """
import sys, time
from pathlib import Path
from orchestration.definitions import defs
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import answer, sample_deployment

def slow_answer(messages, options):
    with open(sys.argv[2], "a") as asked:
        asked.write("x")
    time.sleep(0.05)
    return answer(messages, options)

judge = ScriptedChatModel(always=slow_answer, model="scripted/model")
with sample_deployment(Settings(data_dir=Path(sys.argv[1])), judge) as deployment:
    with opened_instance(deployment) as instance:
        print("ready", flush=True)
        sys.stdin.readline()
        run_job("evaluate_days", deployment, definitions=defs, instance=instance,
                partition="2026-03-01")
"""

OPENING = """
import sys
from pathlib import Path
from orchestration.processes.dagster_opening import open_instance
from orchestration.settings import Settings

print("ready", flush=True)
sys.stdin.readline()
with open_instance(Settings(data_dir=Path(sys.argv[1]))) as instance:
    print(instance.get_runs_count())
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path / "data")


def judged(deployment: Deployment, ids: Sequence[str]) -> list[str]:
    return [found.conversation_id for found in deployment.evaluations.evaluations(ids)]


def started(code: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **EARLY_ENOUGH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def let_go(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Wait until all are ready, let them go at once, and return what each says at its end."""
    for process in processes:
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.readline()
        assert said == "ready\n", process.stderr.read()[-3_000:]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends: list[str] = []
    for process in processes:
        said, told = process.communicate(timeout=600)
        assert process.returncode == 0, told[-3_000:]
        ends.append(said)
    return ends


@pytest.mark.slow
def test_processes_can_open_a_new_instance_together(tmp_path: Path):
    processes = [started(OPENING, tmp_path / "data") for _ in range(4)]

    assert let_go(processes) == ["0\n"] * 4


@pytest.mark.slow
def test_two_runs_of_one_day_ask_every_question_once(settings: Settings, tmp_path: Path):
    configuration = Path(prepare_instance(settings)) / "dagster.yaml"
    text = configuration.read_text()
    # Else the second run waits for its place in the pool, and nothing overlaps.
    assert text.count("default_limit: 1") == 1
    configuration.write_text(text.replace("default_limit: 1", "default_limit: 2"))
    ids = [f"c{number}" for number in range(CONVERSATIONS)]
    with sample_deployment(settings) as deployment:
        for conversation_id in ids:
            hold_call(deployment.conversations, conversation_id, started_at=FIRST_DAY)
    asked = [tmp_path / "one", tmp_path / "two"]
    runs = [started(OVERLAPPING, settings.data_dir, path) for path in asked]
    let_go(runs)

    questions = [len(path.read_text()) for path in asked]
    assert min(questions) > 0, "one run did everything, so that nothing overlapped"
    assert sum(questions) == CONVERSATIONS * QUESTIONS_OF_EACH
    with sample_deployment(settings) as deployment:
        assert Counter(judged(deployment, ids)) == Counter(ids)
        publish_reports(deployment)
        assert row_count_problems(deployment) == []
        assert outdated_days(deployment) == []


@pytest.mark.slow
def test_a_day_with_a_conversation_that_cannot_be_read_stops_no_other(settings: Settings):
    with sample_deployment(settings) as deployment, opened_instance(deployment) as instance:
        hold_calls(deployment, 3)
        with deployment.conversations.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE turns SET role = 'nobody' WHERE conversation_id = 'c1'")
            )

        outcome = run_job(
            "evaluate_days", deployment, definitions=defs, instance=instance, partition_range=DAYS
        )

        assert sorted(judged(deployment, ["c0", "c1", "c2"])) == ["c0", "c2"]
        assert len(outcome.failed_checks) == 1
        assert outcome.failed_checks[0].startswith("transcripts_are_complete: c1")
        publish_reports(deployment)
        with open_reports(deployment.reports_file) as reports:
            found = reports.sql("select conversation_id from evaluations order by all").fetchall()
        assert found == [("c0",), ("c2",)]


def attempts(instance: dg.DagsterInstance, step: str) -> int:
    """How often a step of the newest run was attempted again."""
    (run,) = instance.get_runs(limit=1)
    events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    return sum(event.step_key == step for event in events)


class Provider(ScriptedChatModel):
    """Refuses the first connections."""

    def __init__(self, *refusals: Exception) -> None:
        super().__init__(always=answer, model="scripted/model")
        self._refusals = list(refusals)

    def check(self) -> None:
        super().check()
        if self._refusals:
            raise self._refusals.pop(0)


@pytest.mark.slow
def test_a_judge_that_is_back_in_a_moment_is_asked_again(settings: Settings):
    busy = Provider(ModelUnavailableError("The provider is busy. Try again."))
    with sample_deployment(settings, busy) as deployment, opened_instance(deployment) as instance:
        hold_calls(deployment, 1)

        run_job("evaluate_days", deployment, definitions=defs, instance=instance, partition=DAY)

        assert attempts(instance, "evaluate") == 1
        assert judged(deployment, ["c0"]) == ["c0"]


@pytest.mark.slow
def test_a_key_that_is_refused_fails_at_once_and_frees_its_place(settings: Settings):
    refused = Provider(ModelSetupError("The key is refused. Set OPENAI_API_KEY."))
    with (
        sample_deployment(settings, refused) as deployment,
        opened_instance(deployment) as instance,
    ):
        hold_calls(deployment, 1)

        with pytest.raises(RunFailedError, match="The key is refused"):
            run_job("evaluate_days", deployment, definitions=defs, instance=instance, partition=DAY)

        assert attempts(instance, "evaluate") == 0
        pool = instance.event_log_storage.get_concurrency_info("llm")
        assert (pool.slot_count, pool.active_slot_count, pool.pending_step_count) == (1, 0, 0)


@pytest.mark.slow
def test_models_and_knowledge_bases_are_opened_once_in_a_run(settings: Settings):
    opened: Counter[str] = Counter()
    judge = ScriptedChatModel(always=answer, model="scripted/model")

    def open_model(name: str, **_: Any) -> ScriptedChatModel:
        opened[name] += 1
        return judge

    def open_knowledge_base(folder: Path, config: Any, *, weights: object) -> KnowledgeBase:
        opened["knowledge base"] += 1
        return KnowledgeBase(folder, config, embedder=WordEmbedder, read_only=False)

    settings.store.mkdir(parents=True)
    with Deployment(
        settings, open_model=open_model, open_knowledge_base=open_knowledge_base
    ) as deployment:
        hold_calls(deployment, 3)
        with opened_instance(deployment) as instance:
            instance.add_dynamic_partitions("agents", ["shop-desk"])
            run_job(
                "evaluate_days",
                deployment,
                definitions=defs,
                instance=instance,
                partition_range=DAYS,
            )
            run_job(
                "ingest_agent",
                deployment,
                definitions=defs,
                instance=instance,
                partition="shop-desk",
            )

    assert opened == {"scripted/model": 1, "knowledge base": 1}


@pytest.mark.slow
def test_a_place_in_the_pool_that_an_ended_run_holds_is_freed(settings: Settings):
    """As the process of a run leaves it that was killed, and whose end Dagster noticed first."""
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 1)
        with opened_instance(deployment) as instance:
            ended = run_job(
                "evaluate_days", deployment, definitions=defs, instance=instance, partition=DAY
            )
            instance.event_log_storage.claim_concurrency_slot("llm", ended.run_id, "evaluate")
            held = instance.event_log_storage.get_concurrency_info("llm").active_slot_count
            assert held == 1

        with opened_instance(deployment) as instance:
            held = instance.event_log_storage.get_concurrency_info("llm").active_slot_count
            assert held == 0
