"""The questions of one conversation, each beside the judge that it goes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from analysis.errors import EmptyTranscriptError
from analysis.evaluation.no_judge import NoJudge
from analysis.evaluation.outcomes import (
    QuestionOutcome,
    Subject,
    criterion_outcome,
    decided_outcome,
    fields_outcome,
    panel_outcome,
    summary_outcome,
    unreachable_fields_outcome,
    unreachable_outcome,
)
from analysis.judge.asking import Question
from analysis.judge.prompts import JudgeVariant, default_variant
from analysis.results import FieldValue
from conversation.agent.criteria import CODE_JUDGE, Criterion, DataCollectionField
from conversation.agent.models.judges import panel_members
from conversation.errors import ModelError, ModelSetupError
from conversation.llm.chat_model import ChatModel
from conversation.transcript import Retrieval, Transcript


@dataclass(frozen=True, slots=True)
class Job:
    """One question and the judge it goes to."""

    judge: ChatModel
    question: Question[QuestionOutcome]


@dataclass(frozen=True, slots=True)
class Task:
    """The jobs that end in one outcome: one, or one for each judge of a panel."""

    jobs: tuple[Job, ...]
    merge: Callable[[Sequence[QuestionOutcome]], QuestionOutcome]


class Judges:
    """Opens each model string once, and remembers what could not be reached."""

    def __init__(self, judge: str | ChatModel, open_judge: Callable[[str], ChatModel]) -> None:
        """Open the judge of all questions that name no other.

        Raises:
            ModelError: It cannot be used; of a panel, a judge is not set up.
        """
        self._open_judge = open_judge
        self._opened: dict[str, ChatModel | ModelError] = {}
        if isinstance(judge, str):
            self.name = judge
            members = panel_members(judge)
        else:
            self.name = judge.model
            members = (judge.model,)
            self._opened[judge.model] = judge
            judge.check()
        opened = [self.named(member) for member in members]
        if all(isinstance(each, ModelError) for each in opened):
            for each in opened:
                if isinstance(each, ModelError):
                    raise each
        self.first = next(each for each in opened if not isinstance(each, ModelError))

    def named(self, model: str) -> ChatModel | ModelError:
        """Return the judge with this model string, or why it cannot be reached.

        Raises:
            ModelSetupError: It is not set up: unknown, without a key, without weights.
        """
        if model.startswith(CODE_JUDGE):
            return NoJudge(model)
        if model not in self._opened:
            try:
                opened = self._open_judge(model)
                opened.check()
                self._opened[model] = opened
            except ModelSetupError:
                raise
            except ModelError as error:
                self._opened[model] = error
        return self._opened[model]


def subject_of(
    transcript: Transcript,
    digest: str,
    *,
    now: datetime | None,
    sample: int,
    known: Mapping[str, FieldValue] | None,
    timezone: str | None = None,
    retrievals: Sequence[Retrieval] = (),
) -> Subject:
    """Return what all questions about a conversation share.

    Raises:
        EmptyTranscriptError: Nobody said anything.
    """
    if not any(turn.text.strip() for turn in transcript.turns):
        raise EmptyTranscriptError(
            f"Conversation {transcript.conversation_id!r} cannot be judged: nothing was said in "
            f"its {len(transcript.turns)} turns. Leave it out, or judge it once it has turns."
        )
    at = now or datetime.now(UTC)
    return Subject(
        transcript,
        digest,
        sample,
        at,
        known or {},
        retrievals=tuple(retrievals),
        timezone=timezone,
    )


def tasks_of(
    subject: Subject,
    criteria: Sequence[Criterion],
    fields: Sequence[DataCollectionField],
    judges: Judges,
    *,
    summary: bool,
    variant: JudgeVariant | None,
) -> list[Task]:
    """Return what to ask, in the order of the results.

    Raises:
        ModelSetupError: A judge that a criterion names is not set up.
    """
    tasks = [_criterion_task(subject, each, judges, variant) for each in criteria]
    if fields:
        tasks.append(_fields_task(subject, fields, judges, variant))
    if summary:
        first = judges.first
        asked = summary_outcome(
            subject.for_judge(first), variant=variant or default_variant(first.model)
        )
        tasks.append(_single(Job(first, asked)))
    return tasks


def _criterion_task(
    subject: Subject, criterion: Criterion, judges: Judges, variant: JudgeVariant | None
) -> Task:
    if criterion.kind != "judged":
        return _single(Job(judges.first, decided_outcome(subject, criterion)))
    name = criterion.judge or judges.name
    asked = criterion.variant or variant
    jobs: list[Job] = []
    for model in panel_members(name):
        judge = judges.named(model)
        used = asked or default_variant(model)
        if isinstance(judge, ModelError):
            question = unreachable_outcome(
                subject, criterion, judge, judge_model=model, variant=used
            )
            jobs.append(Job(judges.first, question))
        else:
            question = criterion_outcome(
                subject.for_judge(judge), criterion, judge_model=model, variant=used
            )
            jobs.append(Job(judge, question))
    if len(jobs) == 1:
        return _single(jobs[0])
    merge = partial(panel_outcome, criteria=[criterion], judge_model=name, variant=asked)
    return Task(tuple(jobs), merge)


def _fields_task(
    subject: Subject,
    fields: Sequence[DataCollectionField],
    judges: Judges,
    variant: JudgeVariant | None,
) -> Task:
    jobs: list[Job] = []
    for model in panel_members(judges.name):
        judge = judges.named(model)
        used = variant or default_variant(model)
        if isinstance(judge, ModelError):
            question = unreachable_fields_outcome(
                subject, fields, judge, judge_model=model, variant=used
            )
            jobs.append(Job(judges.first, question))
        else:
            question = fields_outcome(
                subject.for_judge(judge), fields, judge_model=model, variant=used
            )
            jobs.append(Job(judge, question))
    if len(jobs) == 1:
        return _single(jobs[0])
    merge = partial(panel_outcome, criteria=(), judge_model=judges.name, variant=variant)
    return Task(tuple(jobs), merge)


def _single(job: Job) -> Task:
    return Task((job,), lambda outcomes: outcomes[0])
