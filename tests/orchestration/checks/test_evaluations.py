from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.labels.agreement import Label
from orchestration.checks.evaluations import flip_shares, label_drift, orphan_rows, value_counts
from orchestration.deployment import Deployment
from orchestration.operations.operations import evaluate
from orchestration.schedule.day_metrics import day_metrics, incomplete_transcripts
from tests.analysis.calls import DAY, a_verdict, hold_call, save_answers
from tests.orchestration.sample import FIRST_DAY, hold_calls, sample_deployment, write_data


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with sample_deployment(write_data(tmp_path / "data")) as opened:
        yield opened


def verdict(conversation_id: str, verdict: Any, **changes: Any) -> Any:
    return a_verdict(conversation_id, verdict, **changes)


def test_a_repeated_verdict_that_differs_is_a_flip(deployment: Deployment):
    hold_calls(deployment, 2)
    save_answers(deployment.evaluations, "c0", verdict("c0", "success"))
    save_answers(deployment.evaluations, "c0", verdict("c0", "failure", sample=1))
    save_answers(deployment.evaluations, "c1", verdict("c1", "success"))
    save_answers(deployment.evaluations, "c1", verdict("c1", "success", sample=1))
    # Another question, so that its answer may differ.
    save_answers(
        deployment.evaluations, "c1", verdict("c1", "failure", sample=1, criterion_version="v0")
    )

    assert flip_shares(deployment, None) == {"shop-desk": (1, 2)}


@pytest.mark.parametrize(("new_agreed", "drifts"), [(15, False), (3, True)])
def test_less_agreement_on_new_labels_is_a_drift(
    deployment: Deployment, new_agreed: int, drifts: bool
):
    labels: list[Label] = []
    for number in range(30):
        conversation_id = f"c{number}"
        hold_call(
            deployment.conversations, conversation_id, started_at=DAY + timedelta(hours=number)
        )
        save_answers(deployment.evaluations, conversation_id, verdict(conversation_id, "success"))
        agrees = number < 15 + new_agreed
        labels.append(
            Label(
                conversation_id=conversation_id,
                criterion_id="handled_inquiry",
                verdict="success" if agrees else "failure",
                annotator="ada",
            )
        )
    deployment.evaluations.add_labels(labels, now=DAY)

    problems = label_drift(deployment)

    assert bool(problems) is drifts
    if drifts:
        assert problems == [
            "shop-desk/handled_inquiry: judge and people agree on 3 of 15 new labels, and on 15 of "
            "15 older ones"
        ]


def test_answers_of_a_deleted_conversation_are_found(deployment: Deployment):
    hold_calls(deployment, 1)
    evaluate(deployment)
    assert orphan_rows(deployment) == []

    deployment.conversations.delete("c0")

    assert ("evaluations", 1) in orphan_rows(deployment)


def test_values_are_counted_by_field_and_status(deployment: Deployment):
    hold_calls(deployment, 1)
    evaluate(deployment)

    assert {
        name: sum(c.values()) for name, c in value_counts(deployment, FIRST_DAY.date()).items()
    } == {"shop-desk/topic": 1}


def test_a_day_is_measured_without_a_model(deployment: Deployment):
    hold_calls(deployment, 1)

    metrics = day_metrics(deployment, FIRST_DAY.date())

    assert (metrics.conversations, metrics.turns, metrics.failed_turns) == (1, 4, 0)
    assert metrics.first_token_p50_ms == 400.0
    assert metrics.cost_usd == 0.25


def test_a_conversation_that_a_crash_cut_off_is_named(deployment: Deployment):
    hold_calls(deployment, 1)
    assert incomplete_transcripts(deployment, None) == []

    deployment.conversations.begin("cut", agent_id="shop-desk", started_at=FIRST_DAY)
    deployment.conversations.end("cut", reason="interrupted_by_crash", at=FIRST_DAY)

    assert incomplete_transcripts(deployment, [FIRST_DAY.date()]) == [
        "cut: its process ended in the middle of it"
    ]


def test_verdicts_that_flip_are_counted_by_agent(deployment: Deployment):
    """A steady agent with many repetitions hides none that flips."""
    for number in range(12):
        hold_call(deployment.conversations, f"s{number}", started_at=DAY)
        for sample in (0, 1):
            save_answers(
                deployment.evaluations,
                f"s{number}",
                verdict(f"s{number}", "success", sample=sample),
            )
    hold_call(deployment.conversations, "n0", agent_id="night-desk", started_at=DAY)
    save_answers(deployment.evaluations, "n0", verdict("n0", "success"))
    save_answers(deployment.evaluations, "n0", verdict("n0", "failure", sample=1))

    shares = flip_shares(deployment, None)

    assert shares == {"night-desk": (1, 1), "shop-desk": (0, 12)}
    assert flip_shares(deployment, [DAY.date()]) == shares
    assert flip_shares(deployment, [date(2020, 1, 1)]) == {}


def test_a_judge_that_drifts_for_one_agent_is_not_hidden_by_another(deployment: Deployment):
    labels: list[Label] = []
    for agent_id, agreed in (("shop-desk", 30), ("night-desk", 16)):
        for number in range(30):
            conversation_id = f"{agent_id}{number}"
            hold_call(
                deployment.conversations,
                conversation_id,
                agent_id=agent_id,
                started_at=DAY + timedelta(hours=number),
            )
            save_answers(
                deployment.evaluations, conversation_id, verdict(conversation_id, "success")
            )
            agrees = number < agreed
            labels.append(
                Label(
                    conversation_id=conversation_id,
                    criterion_id="handled_inquiry",
                    verdict="success" if agrees else "failure",
                    annotator="ada",
                )
            )
    deployment.evaluations.add_labels(labels, now=DAY)

    assert label_drift(deployment) == [
        "night-desk/handled_inquiry: judge and people agree on 1 of 15 new labels, and on 15 of "
        "15 older ones"
    ]
