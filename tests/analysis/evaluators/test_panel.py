"""What several judges decide together."""

from datetime import UTC, datetime

import pytest

from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluators.panel import panel_evaluation, panel_value
from analysis.evaluators.versions import judge_prompt_version
from analysis.results import CollectedValue, Evaluation, Evidence, FieldValue, Verdict
from conversation.agent.config import Criterion, DataCollectionField
from conversation.agent.criteria import Scale
from conversation.agent.models.judges import panel_members, panel_of
from conversation.errors import ModelUnavailableError
from conversation.transcript import Transcript, Turn
from tests.fakes import ScriptedChatModel

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CRITERION = Criterion(criterion_id="helped", prompt="The user was helped.")
KEY = {
    "conversation_id": "c1",
    "judge_prompt_version": "p1",
    "transcript_sha256": "s",
    "evaluated_at": NOW,
}


def verdict(judge: str, said: Verdict | None, **changes: object) -> Evaluation:
    return Evaluation.model_validate(
        {
            **KEY,
            "criterion_id": "helped",
            "criterion_version": "v1",
            "judge_model": judge,
            "verdict": said,
            "rationale": f"{judge} says so.",
            "evidence": (Evidence(turn_index=0, quote=judge),),
            "error": None if said else "ModelUnavailableError: away",
            **changes,
        }
    )


def value(judge: str, found: FieldValue, **changes: object) -> CollectedValue:
    return CollectedValue.model_validate(
        {
            **KEY,
            "field_id": "city",
            "field_version": "v1",
            "judge_model": judge,
            "value": found,
            "status": "not_discussed" if found is None else "supported",
            **changes,
        }
    )


def decide(*said: Verdict | None) -> Evaluation:
    members = [verdict(f"x/{position}", each) for position, each in enumerate(said)]
    return panel_evaluation(CRITERION, members, judge_model="majority(...)", prompt_version="p")


@pytest.mark.parametrize(
    ("said", "outcome", "agreement"),
    [
        (("success", "success", "failure"), "success", 2 / 3),
        (("failure", "failure", "failure"), "failure", 1.0),
        (("unknown", "unknown", "success"), "unknown", 2 / 3),
        (("success", "failure"), "unknown", 0.0),
        (("success", "failure", "unknown"), "unknown", 0.0),
        (("success", None, "success"), "success", 1.0),
        ((None, "failure", None), "failure", 1.0),
    ],
)
def test_more_than_half_of_the_votes_decide(
    said: tuple[Verdict | None, ...], outcome: Verdict, agreement: float
):
    decided = decide(*said)

    assert (decided.verdict, decided.error) == (outcome, None)
    assert decided.agreement == pytest.approx(agreement)
    assert [vote.answer for vote in decided.votes] == list(said)


def test_reason_and_quotes_are_those_of_the_majority():
    decided = decide("failure", "success", "success")

    assert decided.rationale == "x/1 says so."
    assert [evidence.quote for evidence in decided.evidence] == ["x/1", "x/2"]
    assert decide("failure", "success").rationale == "The judges disagree: 1 failure, 1 success."


def test_a_panel_of_which_nobody_answers_has_an_error():
    decided = decide(None, None)

    assert decided.verdict is None
    assert "x/0: ModelUnavailableError" in (decided.error or "")


def test_of_scores_the_median_counts():
    members = [
        verdict(f"x/{number}", None, score=float(number), error=None) for number in (1, 4, 5)
    ]
    scaled = CRITERION.model_copy(update={"scale": Scale(min=1, max=5)})

    decided = panel_evaluation(scaled, members, judge_model="m", prompt_version="p")

    assert (decided.verdict, decided.score, decided.agreement) == (None, 4.0, 0.0)
    assert decided.rationale == "x/4 says so."


def test_values_need_a_majority_and_differ_by_more_than_case():
    agreed = panel_value(
        [value("x/a", "Rome"), value("x/b", "rome"), value("x/c", None)],
        judge_model="m",
        prompt_version="p",
    )
    torn = panel_value(
        [value("x/a", "Rome"), value("x/b", "Milan")], judge_model="m", prompt_version="p"
    )

    assert (agreed.value, agreed.status) == ("Rome", "supported")
    assert agreed.agreement == pytest.approx(2 / 3)
    assert (torn.value, torn.status) == (None, "unsupported")
    assert "disagree" in (torn.rationale or "")
    assert [vote.answer for vote in torn.votes] == ["Rome", "Milan"]


def test_each_judge_of_a_panel_is_asked_in_its_own_way():
    transcript = Transcript(
        conversation_id="c1", turns=(Turn(role="user", text="I live in Rome, thank you!"),)
    )
    embedded = ScriptedChatModel(
        "yes", {"verdict": "success", "turn": 0, "reason": "Thanks."}, "yes", {"city": "Rome"},
        model="embedded/a",
    )  # fmt: skip
    remote = ScriptedChatModel(
        {"verdict": "success", "turn": 0, "quote": "thank you", "rationale": "Thanks."},
        {"fields": [{"field": "city", "turn": 0, "value": "Rome"}]},
        model="x/b",
    )
    away = ScriptedChatModel(always=ModelUnavailableError("no answer"), model="x/c")
    opened = {"embedded/a": embedded, "x/b": remote, "x/c": away}

    result = analyse_transcript(
        transcript,
        [CRITERION],
        [DataCollectionField(field_id="city", description="The city.")],
        panel_of(["embedded/a", "x/b", "x/c"]),
        open_judge=opened.__getitem__,
        summary=False,
    )

    (helped,) = result.evaluations
    (city,) = result.collected
    assert (helped.verdict, helped.agreement) == ("success", 1.0)
    assert [vote.error is None for vote in helped.votes] == [True, True, False]
    assert helped.judge_model == "majority(embedded/a, x/b, x/c)"
    assert helped.judge_prompt_version == judge_prompt_version(helped.judge_model)
    assert (city.value, city.agreement) == ("Rome", 1.0)
    assert result.usage is not None
    assert result.usage.calls == 6


def test_a_panel_is_written_as_one_judge():
    assert panel_members(panel_of(["a/x", "b/y"])) == ("a/x", "b/y")
    assert panel_members("a/x") == ("a/x",)
    assert judge_prompt_version("majority(a/x, embedded/y)") != judge_prompt_version("a/x")
