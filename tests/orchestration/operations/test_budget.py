import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from conversation.errors import ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.transcript import Usage
from orchestration.defs.policy import fail_for_refused, only_transient_failures_again
from orchestration.deployment import Deployment
from orchestration.operations.budget import evaluate_within_budget, spent_today
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import (
    FIRST_DAY,
    answer,
    hold_calls,
    sample_deployment,
    write_data,
)

PRICED = "openai/gpt-4.1-mini"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = write_data(tmp_path / "data").model_copy(update={"max_judge_usd_per_day": 0.0})
    with sample_deployment(settings) as opened:
        hold_calls(opened, 2)
        yield opened


def test_nothing_was_spent_before_the_first_run(deployment: Deployment):
    assert spent_today(deployment, now=datetime.now(UTC)) == 0.0


def test_a_judge_without_a_price_cannot_be_kept_within_a_budget(deployment: Deployment):
    from analysis.errors import BudgetError

    with pytest.raises(BudgetError, match="no price is known for scripted/model"):
        evaluate_within_budget(deployment, [FIRST_DAY.date()], now=datetime.now(UTC))


def test_without_a_budget_everything_is_judged(tmp_path: Path):
    with sample_deployment(write_data(tmp_path / "data")) as deployment:
        hold_calls(deployment, 2)
        days = [(FIRST_DAY + timedelta(days=number)).date() for number in range(2)]

        run = evaluate_within_budget(deployment, days, now=datetime.now(UTC))

    assert (run.evaluated, run.stopped) == (2, None)


def test_a_failure_that_may_pass_is_raised_as_it_is():
    with pytest.raises(ModelUnavailableError), only_transient_failures_again():
        raise ModelUnavailableError("The provider is busy. Try again.")


def test_a_failure_that_will_not_pass_is_not_attempted_again():
    with pytest.raises(dg.Failure) as caught, only_transient_failures_again():
        raise ModelSetupError("The key is refused. Set OPENAI_API_KEY.")

    assert caught.value.allow_retries is False
    assert caught.value.description == "The key is refused. Set OPENAI_API_KEY."


def test_a_run_that_judged_all_but_one_agent_fails_with_its_name():
    fail_for_refused({})
    with pytest.raises(dg.Failure) as caught:
        fail_for_refused({"billing": "The key is refused."})

    assert caught.value.allow_retries is False
    assert caught.value.description == "Not judged: agent 'billing': The key is refused."


def costly(messages: Sequence[ChatMessage], options: CompletionOptions) -> Completion:
    usage = Usage(model=PRICED, input_tokens=1, output_tokens=1, cost_usd=0.5)
    return Completion(json.dumps(answer(messages, options)), usage, "stop")


def test_what_was_spent_today_is_not_spent_again(tmp_path: Path):
    settings = write_data(tmp_path / "data").model_copy(
        update={"max_judge_usd_per_day": 1.5, "judge": PRICED}
    )
    now = datetime.now(UTC)
    with sample_deployment(settings, ScriptedChatModel(always=costly, model=PRICED)) as deployment:
        hold_calls(deployment, 2)
        first = evaluate_within_budget(deployment, [FIRST_DAY.date()], now=now)
        spent = spent_today(deployment, now=now)
        days = [FIRST_DAY.date(), (FIRST_DAY + timedelta(days=1)).date()]
        second = evaluate_within_budget(deployment, days, now=now)
        tomorrow = evaluate_within_budget(deployment, days, now=now + timedelta(days=1))

    assert (first.evaluated, spent) == (1, 1.5)
    assert second.evaluated == 0
    assert second.stopped is not None
    assert tomorrow.evaluated == 1
