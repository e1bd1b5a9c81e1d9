"""The kinds of evaluators, with and without a judge. A new one is a file here and its line."""

from analysis.errors import EvaluatorError
from analysis.evaluators.answered import ANSWERED
from analysis.evaluators.faithfulness import FAITHFULNESS
from analysis.evaluators.kind import Evaluator, JudgedKind
from analysis.evaluators.rule import RULE
from analysis.evaluators.scale import SCALE
from analysis.evaluators.yes_no import YES_NO
from conversation.agent.criteria import CODE_JUDGE, Criterion

EVALUATORS: dict[str, Evaluator] = {each.kind: each for each in (RULE, FAITHFULNESS, ANSWERED)}

JUDGED: tuple[JudgedKind, ...] = (SCALE, YES_NO)
"""The first that takes a criterion asks about it."""


def judged_kind(criterion: Criterion) -> JudgedKind:
    """Return how a judge is asked about a criterion, and what a panel makes of the answers."""
    return next(kind for kind in JUDGED if kind.takes(criterion))


def is_scored(criterion: Criterion) -> bool:
    """Whether the answer to a criterion is a number in place of a verdict."""
    return criterion.kind == "judged" and judged_kind(criterion).is_scored


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
