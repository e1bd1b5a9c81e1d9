"""What a run cost, where not every price is known."""

import pytest

from analysis.evaluation.plan import EvaluationPlan, PlannedConversation
from analysis.evaluation.tally import Analysed, EvaluationRun, Tally
from analysis.results import AnalysisResult, Evaluation
from analysis.store.answer_keys import Missing
from conversation.transcript import Usage
from orchestration.terminal.rows import evaluation_summary


def a_run(*costs: tuple[str, float | None]) -> EvaluationRun:
    tally = Tally(failures={})
    for number, (model, cost) in enumerate(costs):
        planned = PlannedConversation(f"c{number}", "shop", model, Missing((), (), True))
        usage = Usage(model=model, input_tokens=10, cost_usd=cost)
        result = AnalysisResult(conversation_id=f"c{number}", usage=usage)
        tally.add(Analysed(planned, "", result))
    return tally.run(EvaluationPlan((), 0, 0, {}), 1.0)


@pytest.mark.parametrize(
    ("costs", "total", "at_least"),
    [
        ([], None, 0.0),
        ([("a/x", 0.5), ("b/y", 0.25)], 0.75, 0.75),
        ([("a/x", 0.5), ("b/y", None)], None, 0.5),
        ([("a/x", 0.5), ("a/x", None)], None, 0.5),
        ([("a/x", None)], None, 0.0),
        ([("embedded/x", 0.0)], 0.0, 0.0),
    ],
)
def test_a_cost_is_told_when_every_price_is_known_and_else_at_least(
    costs: list[tuple[str, float | None]], total: float | None, at_least: float
):
    run = a_run(*costs)

    assert (run.cost_usd, run.cost_at_least_usd) == (total, at_least)
    told = "at least 0.5000 USD" in evaluation_summary(run)
    assert told == (total is None and at_least > 0)


@pytest.mark.parametrize("unreachable", [True, False])
def test_a_judge_counts_as_away_by_what_it_raised_not_by_the_words_of_its_error(unreachable: bool):
    tally = Tally(failures={})
    for number in range(9):
        planned = PlannedConversation(f"c{number}", "shop", "a/x", Missing((), (), True))
        evaluation = Evaluation(
            conversation_id=f"c{number}",
            criterion_id="polite",
            criterion_version="1",
            judge_model="a/x",
            judge_prompt_version="1",
            transcript_sha256="",
            verdict=None,
            error="ModelOutputError: the user asked what ModelUnavailableError means",
        )
        result = AnalysisResult(
            conversation_id=f"c{number}", evaluations=(evaluation,), unreachable=unreachable
        )
        tally.add(Analysed(planned, "", result))

    assert ("shop" in tally.stopped_agents) == unreachable


def test_verdicts_that_contradicted_their_reason_are_counted_and_shown():
    tally = Tally(failures={})
    for number, contradiction in enumerate((None, "resolved", "resolved", "unresolved")):
        planned = PlannedConversation(f"c{number}", "shop", "a/x", Missing((), (), True))
        evaluation = Evaluation(
            conversation_id=f"c{number}",
            criterion_id="polite",
            criterion_version="1",
            judge_model="a/x",
            judge_prompt_version="1",
            transcript_sha256="",
            verdict="unknown",
            contradiction=contradiction,
        )
        result = AnalysisResult(conversation_id=f"c{number}", evaluations=(evaluation,))
        tally.add(Analysed(planned, "", result))
    run = tally.run(EvaluationPlan((), 0, 0, {}), 1.0)

    assert (run.contradictions, run.undecided) == (3, 1)
    told = "3 verdicts asked again for contradicting the reason (1 did so twice"
    assert told in evaluation_summary(run)
    assert "contradicted" not in evaluation_summary(a_run())
