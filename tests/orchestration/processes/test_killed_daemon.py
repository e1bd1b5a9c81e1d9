"""Dagster's daemon and the process of a run are killed at random points; the work is finished."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.checks.reports import row_count_problems
from orchestration.deployment import Deployment
from orchestration.operations.operations import outdated_days, publish_reports
from orchestration.processes.dagster_instance import prepare_instance
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.orchestration.processes.test_workers import JudgeHandler, judge_server
from tests.orchestration.sample import FIRST_DAY, write_data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CONVERSATIONS = 16
DAYS = 2
IDS = [f"c{number}" for number in range(CONVERSATIONS)]
POOL = "llm"


class SlowJudge(JudgeHandler):
    """Takes its time, so that there is something to interrupt."""

    answers_after_s = 0.3


@contextmanager
def daemon(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """Dagster's daemon with the code server and the runs that it starts, in a group of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(settings.data_dir.parent),
        "OPENAI_API_KEY": "unused",
        "VIVAVOCE_DATA_DIR": str(settings.data_dir),
        "VIVAVOCE_JUDGE_CONCURRENCY": "1",
        "DAGSTER_HOME": str(settings.dagster_instance_dir.resolve()),
    }
    program = Path(sys.executable).with_name("dagster-daemon")
    process = subprocess.Popen(
        [program, "run", "-m", "orchestration.definitions"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < until_s, f"never: {what}"
        time.sleep(0.05)


def pid_of_the_run(instance: dg.DagsterInstance) -> int:
    """Process that executes the steps of the run that is going on."""
    (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        assert event is not None
        if "pid" in event.engine_event_data.metadata:
            return int(str(event.engine_event_data.metadata["pid"].value))
    raise AssertionError("the run has no process")


def test_killed_processes_lose_nothing_and_ask_nothing_twice(tmp_path: Path):
    seed = random.randrange(10_000)
    points = sorted(random.Random(seed).sample(range(1, CONVERSATIONS - 2), 2))
    print(f"seed {seed}: killed after {points} answers")
    settings = write_data(tmp_path / "data")
    with judge_server(SlowJudge) as api_base, Deployment(settings) as deployment:
        agent_file = settings.agents_dir / "shop-desk.yaml"
        judge = (
            f"llm: {{model: openai/judge, api_base: {api_base!r}}}\nanalysis: {{summary: false}}"
        )
        text = agent_file.read_text().replace("llm: {model: scripted/model}", judge)
        agent_file.write_text(text)
        for number, conversation_id in enumerate(IDS):
            started_at = FIRST_DAY + timedelta(days=number % DAYS, minutes=number)
            hold_call(deployment.conversations, conversation_id, started_at=started_at)

        def answers() -> int:
            return len(deployment.evaluations.evaluations(IDS))

        with dg.DagsterInstance.from_config(prepare_instance(settings)) as instance:
            with daemon(settings):
                wait_until(lambda: answers() >= points[0], "the first answers")
                os.kill(pid_of_the_run(instance), signal.SIGKILL)
                wait_until(lambda: answers() >= points[1], "answers after the run was killed")
            with daemon(settings):
                wait_until(lambda: answers() == CONVERSATIONS, "all answers")
                wait_until(lambda: not outdated_days(deployment), "all days exported")
                wait_until(
                    lambda: not any(not run.is_finished for run in instance.get_runs()),
                    "the last run to end",
                )
            states = Counter(run.status for run in instance.get_runs())
            assert states[dg.DagsterRunStatus.FAILURE] >= 1, "the killed run is marked as failed"
            slots = instance.event_log_storage.get_concurrency_info(POOL)
            assert (slots.active_slot_count, slots.pending_step_count) == (0, 0)

        kept = Counter(
            (found.conversation_id, found.criterion_id, found.verdict)
            for found in deployment.evaluations.evaluations(IDS)
        )
        assert kept == Counter((name, "helped", "success") for name in IDS)
        values = deployment.evaluations.collected_values(IDS)
        assert sorted(value.conversation_id for value in values) == sorted(IDS)
        publish_reports(deployment)
        assert row_count_problems(deployment) == []
