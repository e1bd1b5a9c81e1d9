"""What a kind of evaluator is: one that code decides, or one that a judge is asked about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from analysis.errors import EvaluatorError
from analysis.judge.asking import Meter, Question
from analysis.judge.judgments import Judgment
from analysis.judge.prompts import JudgeVariant
from analysis.judge.windows import Window
from analysis.results import Evaluation
from conversation.agent.criteria import Criterion
from conversation.transcript import Retrieval, Transcript, Turn

S = TypeVar("S", bound="EvaluatorSettings")


class EvaluatorSettings(BaseModel):
    """What a criterion says under `settings`; a kind adds its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A finished conversation, with all that is known of it."""

    transcript: Transcript
    retrievals: Sequence[Retrieval] = ()
    """What was retrieved in it; nothing where that is not at hand."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A kind of criterion that code decides."""

    kind: str
    """As `kind` in an agent file."""
    version: str
    """Change it when the same conversation may be decided otherwise: verdicts are kept by it."""
    decide: Callable[[Criterion, Evaluated], Judgment]
    """Raises `EvaluatorError` when the settings cannot be used."""


class AskJudge(Protocol):
    """Puts a criterion to a judge."""

    def __call__(
        self,
        criterion: Criterion,
        turns: Sequence[Turn],
        windows: Sequence[Window],
        /,
        *,
        variant: JudgeVariant,
        meter: Meter,
    ) -> Question[Judgment]:
        """Ask about a conversation, part by part where the judge cannot read it at once.

        Raises:
            ModelError: The judge failed, or answered twice in a form that cannot be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class JudgedKind:
    """A kind of criterion that a judge is asked about. What it asks is versioned by its prompts."""

    takes: Callable[[Criterion], bool]
    """Whether a criterion is of this kind, by what its section says."""
    ask: AskJudge
    merge: Callable[[Criterion, Evaluation, Sequence[Evaluation]], Evaluation]
    """What a panel decides: the evaluation so far, and those of its judges that answered."""
    is_scored: bool
    """Whether the answer is a number in place of a verdict."""


def settings_of(criterion: Criterion, shape: type[S]) -> S:
    """Return the settings of a criterion.

    Raises:
        EvaluatorError: Names the criterion, the setting and what is wrong with it.
    """
    given: dict[str, Any] = dict(criterion.settings)
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'settings'}: "
            f"{each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise EvaluatorError(
            f"The settings of criterion {criterion.criterion_id!r}, kind {criterion.kind!r}, cannot"
            f" be used. {told}. It takes: {', '.join(shape.model_fields) or 'none'}."
        ) from error
