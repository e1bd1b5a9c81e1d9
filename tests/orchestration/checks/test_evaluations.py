from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.labels.agreement import Label
from orchestration.checks.evaluations import (
    Share,
    bad_days,
    label_drift,
    orphan_rows,
    shares_by_day,
    value_counts,
)
from orchestration.deployment import Deployment
from orchestration.operations.operations import evaluate
from orchestration.schedule.day_metrics import day_metrics, incomplete_transcripts
from tests.analysis.calls import DAY, a_value, a_verdict, hold_call, save_answers
from tests.orchestration.sample import FIRST_DAY, hold_calls, sample_deployment, write_data


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with sample_deployment(write_data(tmp_path / "data")) as opened:
        yield opened


def verdict(conversation_id: str, verdict: Any, **changes: Any) -> Any:
    return a_verdict(conversation_id, verdict, **changes)


def helped(conversation_id: str, verdict: Any, **changes: Any) -> Any:
    """An answer to the one criterion that the sample agent asks."""
    return a_verdict(conversation_id, verdict, **changes).model_copy(
        update={"criterion_id": "helped"}
    )


def test_a_repeated_verdict_that_differs_is_a_flip(deployment: Deployment):
    hold_calls(deployment, 2)
    save_answers(deployment.evaluations, "c0", helped("c0", "success"))
    save_answers(deployment.evaluations, "c0", helped("c0", "failure", sample=1))
    save_answers(deployment.evaluations, "c1", helped("c1", "success"))
    save_answers(deployment.evaluations, "c1", helped("c1", "success", sample=1))
    # Another question, so that its answer may differ.
    save_answers(
        deployment.evaluations, "c1", helped("c1", "failure", sample=1, criterion_version="v0")
    )

    assert shares_by_day(deployment, "flips") == {
        "shop-desk": {FIRST_DAY.date(): (1, 1), (FIRST_DAY + timedelta(days=1)).date(): (0, 1)}
    }


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
    assert incomplete_transcripts(deployment) == []

    deployment.conversations.begin("cut", agent_id="shop-desk", started_at=FIRST_DAY)
    deployment.conversations.end("cut", reason="interrupted_by_crash", at=FIRST_DAY)

    assert incomplete_transcripts(deployment) == ["cut: its process ended in the middle of it"]


def second_agent(deployment: Deployment, agent_id: str) -> None:
    folder = deployment.settings.agents_dir
    text = (folder / "shop-desk.yaml").read_text().replace("shop-desk", agent_id)
    (folder / f"{agent_id}.yaml").write_text(text)


def test_verdicts_that_flip_are_counted_by_agent(deployment: Deployment):
    """A steady agent with many repetitions hides none that flips."""
    second_agent(deployment, "night-desk")
    for number in range(12):
        hold_call(deployment.conversations, f"s{number}", started_at=DAY)
        for sample in (0, 1):
            save_answers(
                deployment.evaluations, f"s{number}", helped(f"s{number}", "success", sample=sample)
            )
    hold_call(deployment.conversations, "n0", agent_id="night-desk", started_at=DAY)
    save_answers(deployment.evaluations, "n0", helped("n0", "success"))
    save_answers(deployment.evaluations, "n0", helped("n0", "failure", sample=1))

    assert shares_by_day(deployment, "flips") == {
        "night-desk": {DAY.date(): (1, 1)},
        "shop-desk": {DAY.date(): (0, 12)},
    }


def unanswered(conversation_id: str, **changes: Any) -> Any:
    return helped(conversation_id, None, error="no answer", **changes)


def unsupported(conversation_id: str, status: Any = "unsupported", **changes: Any) -> Any:
    value = a_value(conversation_id, "amount", None, status=status, **changes)
    return value.model_copy(update={"field_id": "topic"})


@pytest.mark.parametrize(
    ("fault", "bad", "mended"),
    [
        ("failures", lambda: [unanswered("c0")], lambda: [helped("c0", "success")]),
        (
            "unsupported",
            lambda: [unsupported("c0")],
            lambda: [unsupported("c0", "supported", transcript_sha256="b" * 64)],
        ),
        (
            "flips",
            lambda: [helped("c0", "success"), helped("c0", "failure", sample=1)],
            lambda: [],
        ),
    ],
)
def test_a_day_with_a_fault_stays_bad_beside_good_days_until_it_is_mended(
    deployment: Deployment,
    fault: Any,
    bad: Callable[[], list[Any]],
    mended: Callable[[], list[Any]],
):
    def found() -> list[str]:
        return bad_days(shares_by_day(deployment, fault), "are bad", most=0.05)

    hold_calls(deployment, 1)
    save_answers(deployment.evaluations, "c0", *bad())
    assert found() == ["shop-desk on 2026-03-01: 1 of 1 are bad"]

    for number in range(1, 40):
        hold_call(deployment.conversations, f"d{number}", started_at=DAY + timedelta(days=1))
        answers = [helped(f"d{number}", "success", sample=sample) for sample in (0, 1)]
        good = unsupported(f"d{number}", "supported")
        save_answers(deployment.evaluations, f"d{number}", *answers, good)
    assert found() == ["shop-desk on 2026-03-01: 1 of 1 are bad"]

    if mended():
        save_answers(deployment.evaluations, "c0", *mended())
    else:
        deployment.conversations.delete("c0")
    assert found() == []


def test_the_worst_days_are_named_and_the_others_counted():
    shares = {
        "shop-desk": {
            date(2026, 3, day): Share(part, 4) for day, part in enumerate([1, 0, 3, 1, 4, 2], 1)
        },
        "night-desk": {date(2026, 3, 1): Share(0, 4)},
    }

    assert bad_days(shares, "are bad", most=0.05) == [
        "shop-desk on 2026-03-05: 4 of 4 are bad",
        "shop-desk on 2026-03-03: 3 of 4 are bad",
        "shop-desk on 2026-03-06: 2 of 4 are bad",
        "shop-desk: 2 more days between 2026-03-01 and 2026-03-04",
    ]


def test_what_no_agent_asks_any_more_is_no_fault_that_somebody_could_mend(deployment: Deployment):
    hold_calls(deployment, 1)
    save_answers(deployment.evaluations, "c0", verdict("c0", None, error="no answer"))
    file = deployment.settings.agents_dir / "shop-desk.yaml"

    assert shares_by_day(deployment, "failures") == {}  # it asks `helped`, not `handled_inquiry`

    file.write_text("agent_id: [shop-desk\n")
    assert shares_by_day(deployment, "failures") == {"shop-desk": {DAY.date(): (1, 1)}}

    file.unlink()
    assert shares_by_day(deployment, "failures") == {}


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
