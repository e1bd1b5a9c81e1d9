"""One finished conversation in, evaluations, collected values and a summary out.

Needs a judge and nothing else: no store, no Dagster. One question that fails costs only itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice

from analysis.evaluation.outcomes import QuestionOutcome, Subject
from analysis.evaluation.tasks import Job, Judges, Task, subject_of, tasks_of
from analysis.judge.asking import answer_question, total_usage
from analysis.judge.prompts import JudgeVariant
from analysis.results import AnalysisResult, FieldValue
from analysis.store.answer_keys import transcript_sha256
from conversation.agent.criteria import CODE_JUDGE, Criterion, DataCollectionField
from conversation.agent.models.judges import AgentJudge
from conversation.agent.models.llm_config import LLMConfig
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_named_model
from conversation.transcript import Retrieval, Transcript
from kb.weights.folder import Weights

REMOTE_CONCURRENCY = 4
NOBODY = f"{CODE_JUDGE}nobody"
"""Stands for the judge where there is none."""


def analyse_transcript(
    transcript: Transcript,
    criteria: Sequence[Criterion],
    data_collection: Sequence[DataCollectionField],
    judge: str | AgentJudge | ChatModel | None,
    *,
    now: datetime | None = None,
    concurrency: int | None = None,
    summary: bool = True,
    sample: int = 0,
    variant: JudgeVariant | None = None,
    known_values: Mapping[str, FieldValue] | None = None,
    timezone: str | None = None,
    retrievals: Sequence[Retrieval] = (),
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
        judge: `agent.judge`, which knows the endpoints of the agent file; a model string such as
            `anthropic/...` or `embedded/...`, or a panel written as `majority(a/x, b/y)`, each
            reached where its provider is; or an open model. None where code decides every
            criterion and nothing else is asked for.
        now: Written to the records; None takes the clock.
        concurrency: Questions asked at the same time, after a first one has filled the provider's
            prefix cache. None asks embedded models one at a time and others four.
        summary: Whether to ask for a summary.
        sample: Number of a repeated analysis with the same key.
        variant: How judges are asked where a criterion does not say; None takes what suits best.
        known_values: Values of further fields, which conditions of `data_collection` may name.
        timezone: Name of the agent's time zone, which decides what "tomorrow" means where the
            conversation's own metadata (`timezone`) does not; None leaves `started_at` as it is.
        retrievals: What was retrieved in the conversation, for evaluators that look at it.
        weights: Where embedded models find their files; None for the default place.
        open_judge: Opens model strings; None opens them where `judge` says, with `weights`.

    Raises:
        EmptyTranscriptError: Nobody said anything.
        ModelSetupError: A judge is not set up: unknown, no key, no weights. Also while it judges,
            when a key turns out to be refused: that is recorded of no conversation.
        ModelUnavailableError: The judge cannot be reached.
    """
    judges = Judges(_named(judge), open_judge or _opener(judge, criteria, weights))
    digest = transcript_sha256(transcript)
    subject = subject_of(
        transcript,
        digest,
        now=now,
        sample=sample,
        known=known_values,
        timezone=timezone,
        retrievals=retrievals,
    )
    tasks = tasks_of(subject, criteria, data_collection, judges, summary=summary, variant=variant)
    jobs = _jobs(tasks)
    first = [_answer(job) for job in jobs[:1]]
    with ThreadPoolExecutor(_workers(jobs, concurrency), "judge") as pool:
        return _result(subject, tasks, [*first, *pool.map(_answer, jobs[1:])])


def _jobs(tasks: Sequence[Task]) -> list[Job]:
    return [job for task in tasks for job in task.jobs]


def _answer(job: Job) -> QuestionOutcome:
    return answer_question(job.question, job.judge)


def _result(
    subject: Subject, tasks: Sequence[Task], answered: Iterable[QuestionOutcome]
) -> AnalysisResult:
    waiting = iter(answered)
    outcomes = [task.merge(list(islice(waiting, len(task.jobs)))) for task in tasks]
    judged = [each for each in outcomes if each.evaluations or each.collected]
    return AnalysisResult(
        conversation_id=subject.transcript.conversation_id,
        evaluations=tuple(each for outcome in outcomes for each in outcome.evaluations),
        collected=tuple(each for outcome in outcomes for each in outcome.collected),
        summary=next((outcome.summary for outcome in outcomes if outcome.summary), None),
        summary_error=next((o.summary_error for o in outcomes if o.summary_error), None),
        usage=total_usage([outcome.usage for outcome in outcomes if outcome.usage]),
        unreachable=bool(judged) and all(each.unreachable for each in judged),
    )


def _workers(jobs: Sequence[Job], concurrency: int | None) -> int:
    if concurrency is not None:
        return max(1, concurrency)
    in_process = any(job.judge.model.startswith("embedded/") for job in jobs)
    return 1 if in_process else REMOTE_CONCURRENCY


def _named(judge: str | AgentJudge | ChatModel | None) -> str | ChatModel:
    return judge.name if isinstance(judge, AgentJudge) else judge or NOBODY


def _opener(
    judge: str | AgentJudge | ChatModel | None,
    criteria: Sequence[Criterion],
    weights: Weights | None,
) -> Callable[[str], ChatModel]:
    """Open judges where the agent reaches them, or at least where their criteria say."""
    own = tuple(each for criterion in criteria for each in criterion.judge_endpoints)
    known = judge if isinstance(judge, AgentJudge) else AgentJudge("", LLMConfig(), own)
    return lambda model: open_named_model(known.reached(model), weights=weights)
