"""The kinds of evaluators that decide without a judge. A new one is a file here and its line."""

from analysis.errors import EvaluatorError
from analysis.evaluators.answered import ANSWERED
from analysis.evaluators.faithfulness import FAITHFULNESS
from analysis.evaluators.kind import Evaluator
from analysis.evaluators.rule import RULE
from conversation.agent.criteria import CODE_JUDGE

EVALUATORS: dict[str, Evaluator] = {each.kind: each for each in (RULE, FAITHFULNESS, ANSWERED)}


def evaluator_of(kind: str) -> Evaluator:
    """Return the evaluator of a kind.

    Raises:
        EvaluatorError: There is none; names those that there are.
    """
    if kind not in EVALUATORS:
        raise EvaluatorError(
            f"There is no evaluator of kind {kind!r}. There are {', '.join(sorted(EVALUATORS))}; "
            "leave `kind` out for a question to a judge."
        )
    return EVALUATORS[kind]


def evaluator_version(judge_model: str) -> str:
    """Return the version of the evaluator that stands behind a judge's name such as `code/rule`."""
    evaluator = EVALUATORS.get(judge_model.removeprefix(CODE_JUDGE))
    return "unknown" if evaluator is None else evaluator.version
