"""Each check of the evaluations fails in a real run when what it guards is broken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analysis.labels.agreement import Label
from analysis.results import AnalysisResult
from conversation.transcript import Usage
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.operations.operations import evaluate
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.analysis.calls import SHA, a_value, a_verdict, hold_call, save_answers
from tests.orchestration.sample import FIRST_DAY, hold_calls, sample_deployment, write_data

pytestmark = pytest.mark.slow

DAY = str(FIRST_DAY.date())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path / "data")


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        yield opened


def helped(conversation_id: str, verdict: Any, **changes: Any) -> Any:
    """An answer to the criterion that the sample agent asks, by another judge than its own."""
    found = a_verdict(conversation_id, verdict, **changes)
    return found.model_copy(update={"criterion_id": "helped"})


def unsupported(conversation_id: str) -> Any:
    found = a_value(conversation_id, "amount", None, status="unsupported")
    return found.model_copy(update={"field_id": "topic"})


def failed_checks(deployment: Deployment, day: str = DAY) -> dict[str, str]:
    """Names of the checks that fail in a run of a day, and what they say."""
    with opened_instance(deployment) as instance:
        outcome = run_job(
            "evaluate_days", deployment, definitions=defs, instance=instance, partition=day
        )
    return {name: told for name, _, told in (x.partition(": ") for x in outcome.failed_checks)}


def test_nothing_fails_when_all_is_well(deployment: Deployment):
    hold_calls(deployment, 1)

    assert failed_checks(deployment) == {}


def test_verdicts_that_flip(deployment: Deployment):
    hold_calls(deployment, 1)
    evaluate(deployment)
    save_answers(deployment.evaluations, "c0", helped("c0", "success"))
    for sample in (1, 2):
        save_answers(deployment.evaluations, "c0", helped("c0", "failure", sample=sample))

    assert failed_checks(deployment) == {
        "verdicts_are_steady": (
            "shop-desk on 2026-03-01: 2 of 2 repeated verdicts differ from the first"
        )
    }


def test_labels_that_drift(deployment: Deployment):
    for number in range(30):
        started_at = FIRST_DAY + timedelta(minutes=number)
        hold_call(deployment.conversations, f"c{number}", started_at=started_at)
    evaluate(deployment)
    labels = [
        Label(
            conversation_id=f"c{number}",
            criterion_id="helped",
            verdict="success" if number < 16 else "failure",
            annotator="ada",
        )
        for number in range(30)
    ]
    deployment.evaluations.add_labels(labels, now=FIRST_DAY)

    assert failed_checks(deployment) == {
        "judges_agree_with_people_as_before": (
            "shop-desk/helped: judge and people agree on 1 of 15 new labels, and on 15 of 15 older "
            "ones"
        )
    }


def test_answers_of_a_conversation_that_is_gone(deployment: Deployment):
    hold_calls(deployment, 1)
    save_answers(deployment.evaluations, "gone", a_verdict("gone", "success"))

    told = failed_checks(deployment)

    assert list(told) == ["answers_belong_to_conversations"]
    assert "1 rows of evaluations belong to no conversation" in told[next(iter(told))]


def test_quotes_that_nobody_said(deployment: Deployment):
    hold_calls(deployment, 1)
    evaluate(deployment)
    save_answers(deployment.evaluations, "c0", unsupported("c0"))

    assert failed_checks(deployment) == {
        "evidence_is_supported": (
            "shop-desk on 2026-03-01: 1 of 1 values rest on words that nobody said"
        )
    }


def test_a_judge_that_fails(deployment: Deployment):
    hold_calls(deployment, 1)
    evaluate(deployment)
    save_answers(deployment.evaluations, "c0", helped("c0", None, error="no answer"))

    assert failed_checks(deployment) == {
        "judge_answers": (
            "shop-desk on 2026-03-01: 1 of 2 questions have no answer because the judge failed"
        )
    }


def test_a_run_of_a_good_day_keeps_a_check_red_until_the_bad_day_is_mended(deployment: Deployment):
    hold_calls(deployment, 2)
    for number in range(20):
        hold_call(deployment.conversations, f"g{number}", started_at=FIRST_DAY + timedelta(days=1))
    evaluate(deployment)
    sha = "b" * 64  # it was talked on, and the judge fails
    bad = helped("c0", None, error="no answer", transcript_sha256=sha)
    save_answers(deployment.evaluations, "c0", bad)
    next_day = str((FIRST_DAY + timedelta(days=1)).date())
    told = {
        "judge_answers": (
            "shop-desk on 2026-03-01: 1 of 2 questions have no answer because the judge failed"
        )
    }

    assert failed_checks(deployment, next_day) == told

    save_answers(deployment.evaluations, "c0", helped("c0", "success", transcript_sha256=sha))

    assert failed_checks(deployment, next_day) == {}


def test_a_judge_that_fails_one_agent_is_not_hidden_by_another(
    deployment: Deployment, settings: Settings
):
    file = settings.agents_dir / "shop-desk.yaml"
    text = file.read_text().replace("agent_id: shop-desk", "agent_id: good-desk")
    (settings.agents_dir / "good-desk.yaml").write_text(text)
    hold_calls(deployment, 1)
    for number in range(30):
        started_at = FIRST_DAY + timedelta(minutes=number)
        hold_call(
            deployment.conversations, f"g{number}", started_at=started_at, agent_id="good-desk"
        )
    evaluate(deployment)
    save_answers(deployment.evaluations, "c0", helped("c0", None, error="no answer"))

    # One failure in some sixty questions would pass, were they counted together.
    assert failed_checks(deployment) == {
        "judge_answers": (
            "shop-desk on 2026-03-01: 1 of 2 questions have no answer because the judge failed"
        )
    }


def test_more_was_spent_than_a_day_may_cost_and_nothing_comes_after(settings: Settings):
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 1)
        evaluate(deployment)
        usage = Usage(model="scripted/model", input_tokens=1, output_tokens=1, cost_usd=2.5)
        deployment.evaluations.save(
            AnalysisResult(conversation_id="c0", usage=usage),
            transcript_sha256=SHA,
            judge_model="scripted/model",
            judge_prompt_version="p1",
            now=datetime.now(UTC),
        )
    limited = settings.model_copy(update={"max_judge_usd_per_day": 2.0})
    with sample_deployment(limited) as deployment, opened_instance(deployment) as instance:
        with pytest.raises(RunFailedError, match="judging_is_within_budget"):
            run_job("evaluate_days", deployment, definitions=defs, instance=instance, partition=DAY)

        assert instance.get_materialized_partitions(dg.AssetKey("evaluations")) == {DAY}
        assert instance.get_materialized_partitions(dg.AssetKey("report_tables")) == set()
