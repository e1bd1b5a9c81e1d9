"""Records of post-call analysis: evaluations, collected values, and their evidence."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from conversation.transcript import Usage

Verdict = Literal["success", "failure", "unknown"]
Contradiction = Literal["resolved", "unresolved"]
"""A judge's verdict said one thing and its reason another. Asked again it agreed with itself, or it
did not, and the verdict is unknown."""
ValueStatus = Literal[
    "supported",
    "unsupported",
    "contradicted",
    "ambiguous",
    "not_discussed",
    "invalid",
    "error",
]
Scalar = str | int | float | bool
FieldValue = Scalar | list[Scalar | dict[str, Scalar]] | dict[str, Scalar] | None
"""Days and times are strings in ISO 8601."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Evidence(_Record):
    """Words that were said. Only quotes that were found in the turn they name become evidence."""

    turn_index: int
    """From 0, into `Transcript.turns`."""
    quote: str
    """Verbatim, as it stands in the turn."""


class Vote(_Record):
    """What one judge of a panel answered, as it is kept with what the panel decided."""

    judge_model: str
    answer: FieldValue
    """Verdict, score or collected value; None when it found or gave none."""
    error: str | None = None
    """Why this judge has no vote."""


class WindowFinding(_Record):
    """What a judge found in one part of a conversation that it could not read at once.

    Kept in the store with the evaluation that was made of all parts.
    """

    first_turn: int
    last_turn: int
    """Inclusive."""
    verdict: Verdict | None
    score: float | None = None
    confidence: float | None = None
    rationale: str | None = None


WindowFindings = Annotated[tuple[WindowFinding, ...], BeforeValidator(lambda found: found or ())]
"""Answers from before these were kept have none."""

Votes = Annotated[tuple[Vote, ...], BeforeValidator(lambda votes: votes or ())]
"""Answers from before there were panels have none."""


class Evaluation(_Record):
    """The outcome of one criterion for one conversation by one judge. Never overwritten.

    What goes into the store, and to whoever calls `analyse_transcript`.
    """

    conversation_id: str
    criterion_id: str
    criterion_version: str
    judge_model: str
    judge_prompt_version: str
    sample: int = 0
    """Counts repeated evaluations with the same key."""
    transcript_sha256: str
    verdict: Verdict | None
    """None with an `error` when the judge failed: left out of every rate, and counted on its own.
    None with a `score` where the criterion has a scale."""
    score: float | None = None
    """Within the bounds of the criterion's scale; None without one, or when it cannot be told."""
    confidence: float | None = None
    """Probability of success as the judge gave it, 0 to 1; None when it gave none."""
    rationale: str | None = None
    """The judge's reason; None where it gave none, as one in this process for a clear success."""
    evidence: tuple[Evidence, ...] = ()
    unsupported_quotes: tuple[str, ...] = ()
    """What the judge quoted but nobody said in the turn it named."""
    votes: Votes = ()
    """Of a panel, each judge's; empty for a single judge."""
    agreement: float | None = None
    """Share of a panel's votes that agree with the outcome."""
    windows: WindowFindings = ()
    """What each part showed, where the judge could not read the conversation at once."""
    contradiction: Contradiction | None = None
    """Of a panel, of any of its judges; of a long conversation, in any of its parts."""
    error: str | None = None
    usage: Usage | None = None
    evaluated_at: datetime | None = None
    """UTC."""


class CollectedValue(_Record):
    """What one data collection field found in one conversation. Never overwritten."""

    conversation_id: str
    field_id: str
    field_version: str
    judge_model: str
    judge_prompt_version: str
    sample: int = 0
    transcript_sha256: str
    value: FieldValue
    """Typed as the field says; None unless `status` is `supported`."""
    status: ValueStatus
    rationale: str | None = None
    evidence: tuple[Evidence, ...] = ()
    unsupported_quotes: tuple[str, ...] = ()
    votes: Votes = ()
    """Of a panel, each judge's; empty for a single judge."""
    agreement: float | None = None
    """Share of a panel's votes that agree with the outcome."""
    error: str | None = None
    usage: Usage | None = None
    evaluated_at: datetime | None = None
    """UTC."""


class AnalysisResult(_Record):
    """Everything that analysis found in one conversation."""

    conversation_id: str
    evaluations: tuple[Evaluation, ...] = ()
    collected: tuple[CollectedValue, ...] = ()
    summary: str | None = None
    summary_error: str | None = None
    """Why there is no summary although one was asked for."""
    usage: Usage | None = None
    """Sum over every call of the judge; None when none was made."""
    unreachable: bool = False
    """Whether no question has an answer because no judge could be reached."""


class Label(_Record):
    """What one person decided about one criterion of one conversation."""

    conversation_id: str
    criterion_id: str
    verdict: Verdict
    annotator: str
    note: str | None = None
    labelled_at: datetime | None = None
    """UTC; None takes the time of saving."""
