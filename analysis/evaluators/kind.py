"""What a kind of evaluator is: a name, the settings it takes, and how it decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from analysis.errors import EvaluatorError
from analysis.judge.judgments import Judgment
from conversation.agent.criteria import Criterion
from conversation.transcript import Retrieval, Transcript

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
