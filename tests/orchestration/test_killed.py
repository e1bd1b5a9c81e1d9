"""A real process is killed in the middle of its work; the next run repairs what it left."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from analysis.reports import open_reports
from orchestration.checks.reports import row_count_problems
from orchestration.definitions import defs
from orchestration.operations.operations import outdated_days
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.conftest import REPOSITORY
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import (
    EARLY_ENOUGH,
    answer,
    hold_calls,
    sample_deployment,
    write_data,
)

CONVERSATIONS = 12
DAYS = ("2026-03-01", "2026-03-12")

WORKER = """
import sys, time
from pathlib import Path
from orchestration.definitions import defs
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import answer, sample_deployment

answers_left = int(sys.argv[2])

def slow_answer(messages, options):
    global answers_left
    answers_left -= 1
    time.sleep(0.1 if answers_left >= 0 else 3_600)
    return answer(messages, options)

judge = ScriptedChatModel(always=slow_answer, model="scripted/model")
with sample_deployment(Settings(data_dir=Path(sys.argv[1])), judge) as deployment:
    with opened_instance(deployment) as instance:
        print("ready", flush=True)
        while True:
            run_job("evaluate_days", deployment, definitions=defs, instance=instance,
                    partition_range=("2026-03-01", "2026-03-12"))
            run_job("publish_reports", deployment, definitions=defs, instance=instance)
            print("published", flush=True)
"""


def start(data_dir: Path, *, answers: int = 1_000) -> "subprocess.Popen[str]":
    """A worker whose judge hangs after so many answers."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(data_dir), str(answers)],
        cwd=REPOSITORY,
        env={**os.environ, **EARLY_ENOUGH},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    pytest.fail(f"the worker ended with code {process.wait()} before it said {word!r}")


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = write_data(tmp_path / "data")
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, CONVERSATIONS)
    return settings


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_where_it_stopped(settings: Settings):
    # Three for each conversation: the last two never get theirs, so no kill comes too late.
    process = start(settings.data_dir, answers=30)
    wait_for(process, "ready")
    ids = [f"c{number}" for number in range(CONVERSATIONS)]
    with sample_deployment(settings) as deployment:
        deadline_s = time.monotonic() + 60
        while len(deployment.evaluations.evaluations(ids)) < 3:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        kill(process)
        before = len(deployment.evaluations.evaluations(ids))

    assert before < CONVERSATIONS, "the kill came too late to show anything"
    judge = ScriptedChatModel(always=answer, model="scripted/model")
    with sample_deployment(settings, judge) as deployment, opened_instance(deployment) as instance:
        again = run_job(
            "evaluate_days", deployment, definitions=defs, instance=instance, partition_range=DAYS
        )
        run_job("publish_reports", deployment, definitions=defs, instance=instance)
        statuses = Counter(run.status for run in instance.get_runs())
        assert statuses[dg.DagsterRunStatus.FAILURE] == 1, "the killed run is marked as failed"
        assert statuses[dg.DagsterRunStatus.STARTED] == 0
        kept = Counter(
            (found.conversation_id, found.criterion_id)
            for found in deployment.evaluations.evaluations(ids)
        )
        assert again.failed_checks == ()
        assert set(kept.values()) == {1}, "an answer was asked for twice"
        assert len(kept) == CONVERSATIONS
        assert row_count_problems(deployment) == []
        assert outdated_days(deployment) == []


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, 0.15, 0.3, 0.6, 0.9])
def test_a_killed_publish_leaves_reports_that_open(settings: Settings, after_s: float):
    process = start(settings.data_dir)
    wait_for(process, "published")
    time.sleep(after_s)
    kill(process)

    with sample_deployment(settings) as deployment, opened_instance(deployment) as instance:
        with open_reports(deployment.reports_file) as reports:
            counted = reports.sql("select count(*) from conversations").fetchone()
        assert counted == (CONVERSATIONS,)
        run_job("publish_reports", deployment, definitions=defs, instance=instance)
        assert row_count_problems(deployment) == []
