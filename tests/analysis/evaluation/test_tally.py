"""Counts of a run, and when it gives up."""

from analysis.evaluation.plan import PlannedConversation
from analysis.evaluation.tally import Analysed, Tally
from analysis.results import AnalysisResult
from analysis.store.answer_keys import Missing


def analysed(number: int, *, unreachable: bool) -> Analysed:
    result = AnalysisResult(conversation_id=f"c{number}", evaluations=(), collected=())
    planned = PlannedConversation(
        f"c{number}", "desk", "scripted/judge", Missing((), (), summary=True)
    )
    return Analysed(planned, "sha", result, unreachable=unreachable)


def test_only_failures_in_a_row_end_a_run():
    tally = Tally(failures={})
    for number, unreachable in enumerate([*[True] * 4, False, *[True] * 4]):
        tally.add(analysed(number, unreachable=unreachable))
        assert tally.stopped is None

    tally.add(analysed(9, unreachable=True))

    assert tally.stopped is not None
    assert "in a row" in tally.stopped
