"""What an outage or a budget left unjudged is asked for again; changed questions are not."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from conversation.errors import ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from orchestration.definitions import defs
from orchestration.defs.automation import hourly_left_overs
from orchestration.deployment import Deployment
from orchestration.operations.operations import evaluate
from orchestration.schedule.left_over import days_left_over
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import answer, sample_deployment, write_data

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(hours=25)


class Judge:
    """Reachable or not."""

    def __init__(self, *, down: bool) -> None:
        self.down = down
        self.model = ScriptedChatModel(always=self._answer, model="scripted/model")

    def _answer(self, messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
        if self.down:
            raise ModelUnavailableError("The provider is busy. Try again.")
        return answer(messages, options)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path / "data")


def left_over(deployment: Deployment) -> list[date]:
    return days_left_over(deployment, now=NOW)


def test_what_an_outage_left_is_asked_for_until_it_is_judged(settings: Settings):
    judge = Judge(down=True)
    with sample_deployment(settings, judge.model) as deployment:
        hold_call(deployment.conversations, "c0", started_at=YESTERDAY)
        evaluate(deployment)
        assert left_over(deployment) == [YESTERDAY.date()]

        judge.down = False
        evaluate(deployment)

        assert left_over(deployment) == []


def test_what_just_ended_is_left_to_the_sensor_and_what_is_old_to_people(settings: Settings):
    with sample_deployment(settings) as deployment:
        hold_call(deployment.conversations, "now", started_at=NOW - timedelta(minutes=1))
        hold_call(deployment.conversations, "old", started_at=NOW - timedelta(days=9))

        assert left_over(deployment) == []


def test_a_changed_criterion_is_not_judged_again_by_itself(settings: Settings):
    with sample_deployment(settings) as deployment:
        hold_call(deployment.conversations, "c0", started_at=YESTERDAY)
        evaluate(deployment)
        agent_file = settings.agents_dir / "shop-desk.yaml"
        agent_file.write_text(agent_file.read_text().replace("got an answer", "was helped"))

        assert left_over(deployment) == []


def test_the_schedule_asks_for_a_run_of_each_such_day_every_hour(settings: Settings):
    schedule = defs.resolve_schedule_def("hourly_left_overs")
    assert schedule.job_name == "evaluate_days"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    with sample_deployment(settings) as deployment, dg.DagsterInstance.ephemeral() as instance:
        hold_call(deployment.conversations, "c0", started_at=YESTERDAY)

        def asked_at(hour: datetime) -> list[tuple[str | None, str | None]]:
            context = dg.build_schedule_context(instance, scheduled_execution_time=hour)
            requests: Any = hourly_left_overs(context, deployment=deployment)
            return [(request.partition_key, request.run_key) for request in requests]

        (first,), (second,) = asked_at(NOW), asked_at(NOW + timedelta(hours=1))

    assert first[0] == second[0] == str(YESTERDAY.date())
    assert first[1] != second[1], "each hour is a new attempt"
