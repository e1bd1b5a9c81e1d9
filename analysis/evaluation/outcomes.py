"""The questions of an analysis, each ending in records: an answer, or why there is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar

from analysis.errors import EvaluatorError
from analysis.evaluators.kind import Evaluated
from analysis.evaluators.known import evaluator_of, judged_kind
from analysis.evaluators.panel import panel_evaluation, panel_value
from analysis.evaluators.versions import judge_prompt_version
from analysis.fields.claims import NOT_DISCUSSED, CheckedClaim
from analysis.fields.data_collection import collect_fields
from analysis.judge.asking import Meter, Question, total_usage
from analysis.judge.judgments import Judgment
from analysis.judge.prompts import (
    JudgeVariant,
)
from analysis.judge.summary import summary_question
from analysis.judge.verdict import reason_question
from analysis.judge.windows import (
    LEAST_WINDOW_TOKENS,
    Window,
    transcript_windows,
    window_tokens,
)
from analysis.results import CollectedValue, Evaluation, FieldValue
from conversation.agent.criteria import CODE_JUDGE, Criterion, DataCollectionField
from conversation.errors import (
    ModelError,
    ModelSetupError,
    ModelUnavailableError,
    PromptTooLongError,
)
from conversation.language.local_time import TIMEZONE_KEY, local_day
from conversation.llm.chat_model import ChatModel
from conversation.llm.generator import context_tokens
from conversation.transcript import Retrieval, Transcript, Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """What all questions of one analysis share."""

    transcript: Transcript
    transcript_sha256: str
    sample: int
    evaluated_at: datetime
    known: Mapping[str, FieldValue]
    """Values of fields that are answered already, for conditions of others."""
    retrievals: Sequence[Retrieval] = ()
    """What was retrieved in it; nothing where that is not at hand."""
    window_tokens: int | None = None
    """What the judge can read of the transcript at once, in tokens; None where it does not say."""
    timezone: str | None = None
    """Of the agent, for conversations that tell none of their own."""
    cut: dict[int | None, tuple[Window, ...]] = field(
        default_factory=dict[int | None, tuple[Window, ...]], repr=False, compare=False
    )
    """Windows by their size, shared by all questions."""

    @property
    def day(self) -> date | None:
        """Day of the conversation where it was held: the zone of the conversation, or of the agent.

        None where nobody knows when it was.
        """
        started_at = self.transcript.started_at
        if started_at is None:
            return None
        return local_day(started_at, self.transcript.metadata.get(TIMEZONE_KEY), self.timezone)

    def for_judge(self, judge: ChatModel) -> "Subject":
        """Return the conversation as this judge can read it."""
        return replace(self, window_tokens=window_tokens(context_tokens(judge)))

    @property
    def windows(self) -> tuple[Window, ...]:
        """The transcript, cut to what the judge can read at once."""
        size = self.window_tokens
        if size not in self.cut:
            windows = transcript_windows(self.transcript.turns, max_tokens=size)
            self.cut[size] = tuple(windows)
        return self.cut[size]

    def narrowed(self) -> "Subject | None":
        """Return the conversation cut to half the size; None where that is too small to judge."""
        half = (self.window_tokens or window_tokens(None)) // 2
        return None if half < LEAST_WINDOW_TOKENS else replace(self, window_tokens=half)


@dataclass(frozen=True, slots=True)
class QuestionOutcome:
    """What came of one question."""

    evaluations: tuple[Evaluation, ...] = ()
    collected: tuple[CollectedValue, ...] = ()
    summary: str | None = None
    summary_error: str | None = None
    usage: Usage | None = None
    unreachable: bool = False
    """Whether nothing was answered because the judge could not be reached."""


def criterion_outcome(
    subject: Subject, criterion: Criterion, *, judge_model: str, variant: JudgeVariant
) -> Question[QuestionOutcome]:
    """Judge one criterion."""
    meter = Meter()
    try:
        judgment = yield from _in_windows_that_fit(
            subject,
            lambda windows: judged_kind(criterion).ask(
                criterion, subject.transcript.turns, windows, variant=variant, meter=meter
            ),
        )
    except ModelSetupError:
        raise
    except ModelError as error:
        return _evaluated(subject, criterion, judge_model, variant, meter=meter, error=error)
    return _evaluated(subject, criterion, judge_model, variant, meter=meter, judgment=judgment)


def reason_of_verdict(
    subject: Subject, criterion: Criterion, *, meter: Meter
) -> Question[Judgment]:
    """Ask for the reason of a verdict that was given without one."""
    return (
        yield from _in_windows_that_fit(
            subject,
            lambda windows: reason_question(
                criterion, subject.transcript.turns, windows, meter=meter
            ),
        )
    )


def decided_outcome(subject: Subject, criterion: Criterion) -> Question[QuestionOutcome]:
    """Return a question that asks nothing: code decides the criterion."""
    yield from ()
    name = criterion.judge or CODE_JUDGE
    evaluated = Evaluated(subject.transcript, subject.retrievals)
    try:
        judgment = evaluator_of(criterion.kind).decide(criterion, evaluated)
    except EvaluatorError as error:
        return _evaluated(subject, criterion, name, None, meter=Meter(), error=error)
    return _evaluated(subject, criterion, name, None, meter=Meter(), judgment=judgment)


def unreachable_outcome(
    subject: Subject,
    criterion: Criterion,
    error: ModelError,
    *,
    judge_model: str,
    variant: JudgeVariant,
) -> Question[QuestionOutcome]:
    """Return a question that asks nothing: the criterion's own judge cannot be reached."""
    yield from ()
    return _evaluated(subject, criterion, judge_model, variant, meter=Meter(), error=error)


def fields_outcome(
    subject: Subject,
    fields: Sequence[DataCollectionField],
    *,
    judge_model: str,
    variant: JudgeVariant,
) -> Question[QuestionOutcome]:
    """Collect all fields. What their shared calls cost is the outcome's, not a single value's."""
    meter = Meter()
    try:
        findings = yield from _in_windows_that_fit(
            subject,
            lambda windows: collect_fields(
                fields,
                subject.transcript.turns,
                windows,
                variant=variant,
                meter=meter,
                today=subject.day,
                known=subject.known,
            ),
        )
    except ModelSetupError:
        raise
    except ModelError as error:
        return _without_fields(
            subject, fields, error, judge_model=judge_model, variant=variant, usage=meter.total()
        )
    collected = tuple(
        _collected(
            subject,
            field,
            findings.get(field.field_id, NOT_DISCUSSED),
            judge_model=judge_model,
            variant=variant,
        )
        for field in fields
    )
    return QuestionOutcome(collected=collected, usage=meter.total())


def summary_outcome(subject: Subject, *, variant: JudgeVariant) -> Question[QuestionOutcome]:
    """Summarise the conversation."""
    meter = Meter()
    try:
        summary = yield from _in_windows_that_fit(
            subject, lambda windows: summary_question(windows, variant=variant, meter=meter)
        )
    except ModelSetupError:
        raise
    except ModelError as error:
        return QuestionOutcome(summary_error=error_text(error), usage=meter.total())
    return QuestionOutcome(summary=summary, usage=meter.total())


def unreachable_fields_outcome(
    subject: Subject,
    fields: Sequence[DataCollectionField],
    error: ModelError,
    *,
    judge_model: str,
    variant: JudgeVariant,
) -> Question[QuestionOutcome]:
    """Return a question that asks nothing: a judge of the panel cannot be reached."""
    yield from ()
    return _without_fields(
        subject, fields, error, judge_model=judge_model, variant=variant, usage=None
    )


def panel_outcome(
    members: Sequence[QuestionOutcome],
    criteria: Sequence[Criterion],
    *,
    judge_model: str,
    variant: JudgeVariant | None,
) -> QuestionOutcome:
    """Return what a panel decided from the outcome of each of its judges.

    All members were asked the same: the one criterion of `criteria`, or the same fields.
    """
    version = judge_prompt_version(judge_model, variant)
    evaluations = tuple(
        panel_evaluation(
            criterion,
            [member.evaluations[position] for member in members],
            judge_model=judge_model,
            prompt_version=version,
        )
        for position, criterion in enumerate(criteria)
    )
    collected = tuple(
        panel_value(answers, judge_model=judge_model, prompt_version=version)
        for answers in zip(*(member.collected for member in members), strict=True)
    )
    usages = [member.usage for member in members if member.usage]
    has_failed = all(answer.error is not None for answer in (*evaluations, *collected))
    return QuestionOutcome(
        evaluations,
        collected,
        usage=total_usage(usages),
        unreachable=has_failed and any(member.unreachable for member in members),
    )


def error_text(error: ModelError | EvaluatorError) -> str:
    """Return what is recorded of a failure."""
    return f"{type(error).__name__}: {error}"


def _in_windows_that_fit(
    subject: Subject, ask: Callable[[Sequence[Window]], Question[T]]
) -> Question[T]:
    """Ask, in smaller windows where the judge turns out to read less at once than was thought."""
    while True:
        try:
            return (yield from ask(subject.windows))
        except PromptTooLongError:
            smaller = subject.narrowed()
            if smaller is None:
                raise
            subject = smaller


def _without_fields(
    subject: Subject,
    fields: Sequence[DataCollectionField],
    error: ModelError,
    *,
    judge_model: str,
    variant: JudgeVariant,
    usage: Usage | None,
) -> QuestionOutcome:
    failed = CheckedClaim("error", rationale=error_text(error))
    collected = tuple(
        _collected(subject, field, failed, judge_model=judge_model, variant=variant)
        for field in fields
    )
    return QuestionOutcome(collected=collected, usage=usage, unreachable=_is_unreachable(error))


def _is_unreachable(error: Exception | None) -> bool:
    return isinstance(error, ModelUnavailableError)


def _collected(
    subject: Subject,
    field: DataCollectionField,
    finding: CheckedClaim,
    *,
    judge_model: str,
    variant: JudgeVariant,
) -> CollectedValue:
    is_error = finding.status == "error"
    return CollectedValue(
        conversation_id=subject.transcript.conversation_id,
        field_id=field.field_id,
        field_version=field.version,
        judge_model=judge_model,
        judge_prompt_version=judge_prompt_version(judge_model, variant),
        sample=subject.sample,
        transcript_sha256=subject.transcript_sha256,
        value=finding.value,
        status=finding.status,
        rationale=None if is_error else finding.rationale,
        evidence=finding.evidence,
        unsupported_quotes=finding.unsupported_quotes,
        error=finding.rationale if is_error else None,
        evaluated_at=subject.evaluated_at,
    )


def _evaluated(
    subject: Subject,
    criterion: Criterion,
    judge_model: str,
    variant: JudgeVariant | None,
    *,
    meter: Meter,
    judgment: Judgment | None = None,
    error: ModelError | EvaluatorError | None = None,
) -> QuestionOutcome:
    evaluation = Evaluation(
        conversation_id=subject.transcript.conversation_id,
        criterion_id=criterion.criterion_id,
        criterion_version=criterion.version,
        judge_model=judge_model,
        judge_prompt_version=judge_prompt_version(judge_model, variant),
        sample=subject.sample,
        transcript_sha256=subject.transcript_sha256,
        verdict=judgment.verdict if judgment else None,
        score=judgment.score if judgment else None,
        confidence=judgment.confidence if judgment else None,
        rationale=judgment.rationale if judgment else None,
        evidence=judgment.evidence if judgment else (),
        unsupported_quotes=judgment.unsupported_quotes if judgment else (),
        windows=judgment.windows if judgment else (),
        contradiction=judgment.contradiction if judgment else None,
        error=error_text(error) if error else None,
        usage=meter.total(),
        evaluated_at=subject.evaluated_at,
    )
    return QuestionOutcome(
        evaluations=(evaluation,), usage=meter.total(), unreachable=_is_unreachable(error)
    )
