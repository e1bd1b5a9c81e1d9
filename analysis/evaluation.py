"""One finished conversation in, evaluations, collected values and a summary out.

Needs a judge and nothing else: no store, no Dagster. One question that fails costs only itself.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from analysis.asking import Question, aanswer_question, answer_question, total_usage
from analysis.errors import EmptyTranscriptError
from analysis.prompts import JudgeVariant, default_variant
from analysis.questions import (
    Outcome,
    Subject,
    criterion_outcome,
    fields_outcome,
    summary_outcome,
    unopened_outcome,
)
from analysis.results import AnalysisResult
from analysis.windows import transcript_windows
from conversation.config import Criterion, DataCollectionField
from conversation.errors import ModelError
from conversation.llm.chat_model import ChatModel
from conversation.llm.models import open_chat_model
from conversation.transcript import Transcript
from kb.weights import Weights

REMOTE_CONCURRENCY = 4


@dataclass(frozen=True, slots=True)
class _Job:
    """One question and the judge it goes to."""

    judge: ChatModel
    question: Question[Outcome]


def analyse_transcript(
    transcript: Transcript,
    criteria: Sequence[Criterion],
    data_collection: Sequence[DataCollectionField],
    judge: str | ChatModel,
    *,
    now: datetime | None = None,
    concurrency: int | None = None,
    summary: bool = True,
    sample: int = 0,
    variant: JudgeVariant | None = None,
    weights: Weights | None = None,
    open_judge: Callable[[str], ChatModel] | None = None,
) -> AnalysisResult:
    """Judge a conversation by `criteria`, collect `data_collection` from it, and summarise it.

    Every quote in the result stands verbatim in the turn it names, and every collected value was
    said. What fails is recorded where it failed: an evaluation without a verdict, a value with
    status `error`, a `summary_error`.

    Args:
        transcript: The conversation, with at least one turn that says something.
        criteria: Each becomes one evaluation, in this order. One with its own `judge` goes there.
        data_collection: Each becomes one collected value, in this order.
        judge: Model string such as `anthropic/...` or `embedded/...`, or an open model.
        now: Written to the records; None takes the clock.
        concurrency: Questions asked at the same time, after a first one has filled the provider's
            prefix cache. None asks embedded models one at a time and others four.
        summary: Whether to ask for a summary.
        sample: Number of a repeated analysis with the same key.
        variant: How the judge is asked; None takes what suits it best.
        weights: Where embedded models find their files; None for the default place.
        open_judge: Opens model strings; None opens them with `weights`.

    Raises:
        EmptyTranscriptError: Nobody said anything.
        ModelError: The judge cannot be used at all: unknown, no key, no weights, unreachable.
    """
    subject, jobs = _prepare(
        transcript,
        criteria,
        data_collection,
        _Judges(judge, open_judge or _opener(weights)),
        now=now,
        summary=summary,
        sample=sample,
        variant=variant,
    )
    first = [_answer(job) for job in jobs[:1]]
    with ThreadPoolExecutor(_workers(jobs, concurrency), "judge") as pool:
        return _result(subject, [*first, *pool.map(_answer, jobs[1:])])


async def aanalyse_transcript(
    transcript: Transcript,
    criteria: Sequence[Criterion],
    data_collection: Sequence[DataCollectionField],
    judge: str | ChatModel,
    *,
    now: datetime | None = None,
    concurrency: int | None = None,
    summary: bool = True,
    sample: int = 0,
    variant: JudgeVariant | None = None,
    weights: Weights | None = None,
    open_judge: Callable[[str], ChatModel] | None = None,
) -> AnalysisResult:
    """Do what `analyse_transcript` does without blocking the event loop."""
    judges = _Judges(judge, open_judge or _opener(weights))
    subject, jobs = await asyncio.to_thread(
        _prepare,
        transcript,
        criteria,
        data_collection,
        judges,
        now=now,
        summary=summary,
        sample=sample,
        variant=variant,
    )
    slots = asyncio.Semaphore(_workers(jobs, concurrency))

    async def answer(job: _Job) -> Outcome:
        async with slots:
            return await aanswer_question(job.question, job.judge)

    first = [await answer(job) for job in jobs[:1]]
    return _result(subject, [*first, *await asyncio.gather(*map(answer, jobs[1:]))])


def transcript_sha256(transcript: Transcript) -> str:
    """Return the digest of who said what, in order: times and costs do not change a verdict."""
    said = [[turn.role, turn.text] for turn in transcript.turns]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


class _Judges:
    """Opens each model string once, and remembers what could not be opened."""

    def __init__(self, judge: str | ChatModel, open_judge: Callable[[str], ChatModel]) -> None:
        self._open_judge = open_judge
        self._opened: dict[str, ChatModel | ModelError] = {}
        self.default = open_judge(judge) if isinstance(judge, str) else judge
        self.default.check()
        self._opened[self.default.model] = self.default

    def named(self, model: str | None) -> ChatModel | ModelError:
        """Return the judge with this model string, the default for None, or why there is none."""
        if model is None:
            return self.default
        if model not in self._opened:
            try:
                opened = self._open_judge(model)
                opened.check()
                self._opened[model] = opened
            except ModelError as error:
                self._opened[model] = error
        return self._opened[model]


def _prepare(
    transcript: Transcript,
    criteria: Sequence[Criterion],
    fields: Sequence[DataCollectionField],
    judges: _Judges,
    *,
    now: datetime | None,
    summary: bool,
    sample: int,
    variant: JudgeVariant | None,
) -> tuple[Subject, list[_Job]]:
    if not any(turn.text.strip() for turn in transcript.turns):
        raise EmptyTranscriptError(
            f"Conversation {transcript.conversation_id!r} cannot be judged: nothing was said in "
            f"its {len(transcript.turns)} turns. Leave it out, or judge it once it has turns."
        )
    subject = Subject(
        transcript,
        transcript_sha256(transcript),
        tuple(transcript_windows(transcript.turns)),
        sample,
        now or datetime.now(UTC),
    )
    jobs = [_criterion_job(subject, criterion, judges, variant) for criterion in criteria]
    if fields:
        model = judges.default.model
        used = variant or default_variant(model)
        jobs.append(
            _Job(
                judges.default,
                fields_outcome(subject, fields, judge_model=model, variant=used),
            )
        )
    if summary:
        jobs.append(_Job(judges.default, summary_outcome(subject)))
    return subject, jobs


def _criterion_job(
    subject: Subject, criterion: Criterion, judges: _Judges, variant: JudgeVariant | None
) -> _Job:
    judge = judges.named(criterion.judge)
    model = criterion.judge or judges.default.model
    used = variant or default_variant(model)
    if isinstance(judge, ModelError):
        failed = unopened_outcome(subject, criterion, judge, judge_model=model, variant=used)
        return _Job(judges.default, failed)
    return _Job(judge, criterion_outcome(subject, criterion, judge_model=model, variant=used))


def _answer(job: _Job) -> Outcome:
    return answer_question(job.question, job.judge)


def _result(subject: Subject, outcomes: Sequence[Outcome]) -> AnalysisResult:
    return AnalysisResult(
        conversation_id=subject.transcript.conversation_id,
        evaluations=tuple(each for outcome in outcomes for each in outcome.evaluations),
        collected=tuple(each for outcome in outcomes for each in outcome.collected),
        summary=next((outcome.summary for outcome in outcomes if outcome.summary), None),
        summary_error=next((o.summary_error for o in outcomes if o.summary_error), None),
        usage=total_usage([outcome.usage for outcome in outcomes if outcome.usage]),
    )


def _workers(jobs: Sequence[_Job], concurrency: int | None) -> int:
    if concurrency is not None:
        return max(1, concurrency)
    in_process = any(job.judge.model.startswith("embedded/") for job in jobs)
    return 1 if in_process else REMOTE_CONCURRENCY


def _opener(weights: Weights | None) -> Callable[[str], ChatModel]:
    return lambda model: open_chat_model(model, weights=weights)
