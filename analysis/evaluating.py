"""Evaluate many conversations: only what is missing, made durable conversation by conversation.

A run that is killed has lost the conversations it was asking about and nothing else; the next run
goes on from there. One bad conversation is a recorded failure, never a failed run.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from analysis.errors import AnalysisError
from analysis.evaluation import analyse_transcript, transcript_sha256
from analysis.evaluation_run import Analysed, EvaluationRun, Tally
from analysis.planning import EvaluationPlan, PlannedConversation, plan_evaluations
from analysis.prompts import JudgeVariant, judge_prompt_version
from analysis.results import AnalysisResult
from analysis.store import AnalysisStore
from conversation.config import AgentConfig
from conversation.errors import ConversationError, ModelUnavailableError
from conversation.llm.chat_model import ChatModel
from conversation.store import ConversationStore

logger = logging.getLogger(__name__)

MAX_EMBEDDED_WORKERS = 3
"""A generated token costs 104 ms of CPU in company and 178 ms alone (1.5B model, two cores)."""


class Progress(Protocol):
    """Told how far an evaluation is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """`done` of `total` in `stage`, which is `conversations`."""
        ...


def evaluate_conversations(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    agents: Sequence[AgentConfig],
    *,
    open_model: Callable[[str], ChatModel],
    judge: str | None = None,
    conversation_ids: Collection[str] | None = None,
    only: Collection[str] | None = None,
    sample: int = 0,
    summary: bool = True,
    variant: JudgeVariant | None = None,
    concurrency: int = 4,
    max_usd: float | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EvaluationRun:
    """Ask the judge what was never asked of ended conversations, and keep every answer.

    Args:
        conversations: Where the transcripts are.
        analysis_store: Where answers are kept; what it holds is not asked again.
        agents: Whose criteria and fields to ask. Conversations of others are left alone.
        open_model: Opens a judge by its model string. Called only when something is missing.
        judge: Model string in place of every agent's own judge.
        conversation_ids: These only; None means every ended conversation.
        only: Ids of criteria and fields; None means all of them, and the summary.
        sample: 1 and up ask everything once more, to see how steady the judge is.
        summary: Whether to ask for summaries.
        variant: How the judge is asked; None takes what suits it best.
        concurrency: Conversations in work at the same time. Embedded judges take at most
            three: that many share a pass over the weights, and each keeps its cached prefix.
        max_usd: Start no further conversation once the known cost has reached this.
        progress: Told how far the run is.
        now: The clock.

    Raises:
        ModelError: A judge cannot be used at all: raised before anything is asked.
    """
    started = time.monotonic()
    plan = plan_evaluations(
        conversations,
        analysis_store,
        agents,
        judge=judge,
        conversation_ids=conversation_ids,
        only=only,
        sample=sample,
        summary=summary,
        variant=variant,
    )
    judges = _open_judges(plan, open_model)
    for agent in agents:
        analysis_store.remember_questions(agent, now())
    tally = Tally(failures=dict(plan.unreadable))
    for conversation_id, reason in plan.unreadable.items():
        analysis_store.save(
            AnalysisResult(conversation_id=conversation_id),
            transcript_sha256="",
            judge_model="",
            judge_prompt_version="",
            now=now(),
            error=reason,
        )

    def analyse(planned: PlannedConversation) -> Analysed:
        return _analyse(planned, conversations, judges, sample=sample, variant=variant, now=now())

    total = len(plan.conversations)
    progress("conversations", 0, total)
    workers = _workers(judges, concurrency)
    with ThreadPoolExecutor(workers, "evaluate") as pool:
        waiting = iter(plan.conversations)
        for analysed in _as_completed(pool, analyse, waiting, workers, tally):
            _save(analysis_store, analysed, variant, now())
            tally.add(analysed, max_usd)
            progress("conversations", tally.done, total)
    run = tally.run(plan, time.monotonic() - started)
    logger.info(
        "evaluated %d conversations, %d cached, %d failed, in %.1f s",
        run.evaluated,
        run.cached,
        run.failed,
        run.elapsed_s,
    )
    return run


def _open_judges(
    plan: EvaluationPlan, open_model: Callable[[str], ChatModel]
) -> dict[str, ChatModel]:
    names = sorted({name for planned in plan.conversations for name in planned.judges})
    judges = {name: open_model(name) for name in names}
    for opened in judges.values():
        opened.check()
    return judges


def _workers(judges: Mapping[str, ChatModel], concurrency: int) -> int:
    embedded = any(name.startswith("embedded/") for name in judges)
    return max(1, min(concurrency, MAX_EMBEDDED_WORKERS) if embedded else concurrency)


def _as_completed(
    pool: ThreadPoolExecutor,
    analyse: Callable[[PlannedConversation], Analysed],
    waiting: Iterator[PlannedConversation],
    workers: int,
    tally: Tally,
) -> Iterator[Analysed]:
    """Keep `workers` conversations in work until none waits or the tally says stop."""
    running: set[Future[Analysed]] = set()
    while True:
        free = 0 if tally.stopped else workers - len(running)
        running |= {pool.submit(analyse, planned) for planned in islice(waiting, free)}
        if not running:
            return
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield future.result()


def _analyse(
    planned: PlannedConversation,
    conversations: ConversationStore,
    judges: Mapping[str, ChatModel],
    *,
    sample: int,
    variant: JudgeVariant | None,
    now: datetime,
) -> Analysed:
    nothing = AnalysisResult(conversation_id=planned.conversation_id)
    digest = ""
    try:
        transcript = conversations.transcript(planned.conversation_id)
        digest = transcript_sha256(transcript)
        result = analyse_transcript(
            transcript,
            planned.missing.criteria,
            planned.missing.fields,
            judges.get(planned.judge) or next(iter(judges.values())),
            open_judge=judges.__getitem__,
            summary=planned.missing.summary,
            sample=sample,
            variant=variant,
            now=now,
        )
    except Exception as error:
        # The boundary between one conversation and the run: whatever is wrong with this one is
        # recorded for it, and the others go on.
        logger.warning("%s failed: %s", planned.conversation_id, type(error).__name__)
        # Messages of others may repeat what was said.
        ours = isinstance(error, (AnalysisError, ConversationError))
        text = f"{type(error).__name__}: {error}" if ours else type(error).__name__
        unreachable = isinstance(error, ModelUnavailableError)
        return Analysed(planned, digest, nothing, error=text, unreachable=unreachable)
    return Analysed(planned, digest, result)


def _save(
    analysis_store: AnalysisStore,
    analysed: Analysed,
    variant: JudgeVariant | None,
    now: datetime,
) -> None:
    judge = analysed.planned.judge
    analysis_store.save(
        analysed.result,
        transcript_sha256=analysed.transcript_sha256,
        judge_model=judge,
        judge_prompt_version=judge_prompt_version(judge, variant),
        now=now,
        error=analysed.error,
    )
