"""Evaluate many conversations: only what is missing, made durable conversation by conversation.

A run that is killed has lost the conversations it was asking about and nothing else; the next run
goes on from there. One bad conversation is a recorded failure, never a failed run.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from pydantic import ValidationError

from analysis.errors import AnalysisError
from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluation.estimate import Budget, Price
from analysis.evaluation.opening import open_judges
from analysis.evaluation.plan import (
    WHATEVER_IS_MISSING,
    EvaluationScope,
    PlannedConversation,
    plan_evaluations,
    still_missing,
)
from analysis.evaluation.tally import Analysed, EvaluationRun, Tally
from analysis.evaluators.versions import judge_prompt_version
from analysis.results import AnalysisResult, FieldValue
from analysis.store.answer_keys import transcript_sha256
from analysis.store.kept_answers import KeepingJudge
from analysis.store.leases import give_back, given_back, new_holder, take
from analysis.store.store import AnalysisStore
from conversation.agent.config import AgentConfig
from conversation.agent.models.llm_config import LLMConfig
from conversation.errors import ConversationError, ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatModel
from conversation.llm.providers.prices import price_usd
from conversation.store.store import ConversationStore
from conversation.transcript import Retrieval

logger = logging.getLogger(__name__)

MAX_EMBEDDED_WORKERS = 3
"""A generated token costs 104 ms of CPU in company and 178 ms alone (1.5B model, two cores)."""


class EvaluationProgress(Protocol):
    """Told how far an evaluation is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """`done` of `total` in `stage`, which is `conversations`."""
        ...


def evaluate_conversations(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    agents: Sequence[AgentConfig],
    *,
    open_model: Callable[[LLMConfig], ChatModel],
    scope: EvaluationScope = WHATEVER_IS_MISSING,
    concurrency: int = 4,
    max_usd: float | None = None,
    max_tokens: int | None = None,
    price: Price = price_usd,
    progress: EvaluationProgress = lambda _stage, _done, _total: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EvaluationRun:
    """Ask the judge what was never asked of ended conversations, and keep every answer.

    Args:
        conversations: Where the transcripts are.
        analysis_store: Where answers are kept; what it holds is not asked again.
        agents: Whose criteria and fields to ask. Conversations of others are left alone.
        open_model: Opens a judge where its agent reaches it. Called only when something is missing.
        scope: What to ask, of which conversations, and how.
        concurrency: Conversations in work at the same time. Embedded judges take at most
            three: that many share a pass over the weights, and each keeps its cached prefix.
        max_usd: Start no conversation whose expected cost would pass this.
        max_tokens: Start no conversation whose expected tokens would pass this.
        price: What tokens of a model cost.
        progress: Told how far the run is.
        now: The clock.

    Raises:
        ModelError: The judge of every agent turned out to be unusable, before anything was asked
            or later (a key that is refused); what was answered until then is kept. The judge of
            one agent among others stops that agent alone: `EvaluationRun.stopped_agents`.
        BudgetError: A budget in dollars, and a judge whose price is not known.
    """
    started = time.monotonic()
    plan = plan_evaluations(conversations, analysis_store, agents, scope)
    budget = Budget(price, max_usd=max_usd, max_tokens=max_tokens)
    budget.require_prices(plan)
    opened = open_judges(plan, open_model)
    judges = opened.models
    for agent in agents:
        analysis_store.remember_questions(agent, now())
    tally = Tally(failures=dict(plan.unreadable))
    for agent_id, reason in opened.refused.items():
        tally.stop_agent(agent_id, reason)
    for conversation_id, reason in plan.unreadable.items():
        analysis_store.save(
            AnalysisResult(conversation_id=conversation_id),
            transcript_sha256="",
            judge_model="",
            judge_prompt_version="",
            now=now(),
            error=reason,
        )

    holder = new_holder(uuid.uuid4().hex[:8])

    def analyse(planned: PlannedConversation) -> Analysed:
        nothing = AnalysisResult(conversation_id=planned.conversation_id)
        if not take(analysis_store.engine, planned.conversation_id, holder=holder, now=now()):
            return Analysed(planned, "", nothing, elsewhere=True)
        planned = _as_of_now(planned, conversations, analysis_store, sample=scope.sample)
        if planned.missing.nothing:
            return Analysed(planned, "", nothing, elsewhere=True)
        known = _known_values(analysis_store, planned)

        def keeping(name: str) -> ChatModel:
            return KeepingJudge(
                judges[planned.reached(name)],
                analysis_store.engine,
                conversation_id=planned.conversation_id,
                sample=scope.sample,
                now=now,
            )

        return _analyse(
            planned, conversations, keeping, sample=scope.sample, known=known, now=now()
        )

    total = len(plan.conversations)
    progress("conversations", 0, total)
    workers = _workers(judges, concurrency)
    with (
        given_back(analysis_store.engine, holder),
        ThreadPoolExecutor(workers, "evaluate") as pool,
    ):
        waiting = _within(budget, plan.conversations, tally)
        for analysed in _as_completed(pool, analyse, waiting, workers, tally):
            budget.book(analysed.planned, analysed.result.usage)
            if analysed.setup_error is not None:
                tally.stop_agent(analysed.planned.agent_id, analysed.setup_error)
            else:
                _save(analysis_store, analysed, now())
                tally.add(analysed)
                progress("conversations", tally.done, total)
            give_back(analysis_store.engine, analysed.planned.conversation_id, holder=holder)
    tally.raise_if_no_agent_is_left(plan)
    run = tally.run(plan, time.monotonic() - started)
    logger.info(
        "evaluated %d conversations, %d cached, %d failed, in %.1f s",
        run.evaluated,
        run.cached,
        run.failed,
        run.elapsed_s,
    )
    return run


def _workers(judges: Mapping[LLMConfig, ChatModel], concurrency: int) -> int:
    embedded = any(llm.model.startswith("embedded/") for llm in judges)
    return max(1, min(concurrency, MAX_EMBEDDED_WORKERS) if embedded else concurrency)


def _within(
    budget: Budget, conversations: Iterable[PlannedConversation], tally: Tally
) -> Iterator[PlannedConversation]:
    """Yield conversations while the budget admits them; say in the tally why it does not."""
    for planned in conversations:
        if planned.agent_id in tally.stopped_agents:
            continue
        reason = budget.admits(planned)
        if reason is not None:
            tally.stopped = reason
            return
        yield planned


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
    open_judge: Callable[[str], ChatModel],
    *,
    sample: int,
    known: Mapping[str, FieldValue],
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
            _default_judge(planned),
            open_judge=open_judge,
            summary=planned.missing.summary,
            sample=sample,
            variant=planned.variant,
            known_values=known,
            timezone=planned.timezone,
            retrievals=_retrievals(conversations, planned),
            now=now,
        )
    except ModelSetupError as error:
        return Analysed(planned, digest, nothing, setup_error=error)
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


def _retrievals(
    conversations: ConversationStore, planned: PlannedConversation
) -> Sequence[Retrieval]:
    """Return what was retrieved, where an evaluator may look at it."""
    if all(criterion.kind == "judged" for criterion in planned.missing.criteria):
        return ()
    return conversations.retrievals(planned.conversation_id)


def _as_of_now(
    planned: PlannedConversation,
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    *,
    sample: int,
) -> PlannedConversation:
    """Leave out what another run has answered since the plan was made."""
    try:
        sha256 = transcript_sha256(conversations.transcript(planned.conversation_id))
    except (ConversationError, ValidationError):
        return planned  # asking will say what is wrong with it
    answered = analysis_store.answered([planned.conversation_id])
    return replace(planned, missing=still_missing(planned, answered, sha256, sample=sample))


def _default_judge(planned: PlannedConversation) -> str:
    """Return the judge of the questions that name none; any other's where every one names one."""
    if planned.missing.fields or planned.missing.summary:
        return planned.judge
    named = [criterion.judge for criterion in planned.missing.criteria]
    return planned.judge if None in named else next(name for name in named if name is not None)


def _known_values(
    analysis_store: AnalysisStore, planned: PlannedConversation
) -> Mapping[str, FieldValue]:
    """Return the values in force of fields that conditions name and that are not asked again."""
    asked = {field.field_id for field in planned.missing.fields}
    named = {each.field for field in planned.missing.fields for each in field.only_when} - asked
    if not named:
        return {}
    latest = analysis_store.latest_collected_values(planned.conversation_id)
    return {field_id: latest[field_id].value for field_id in named & latest.keys()}


def _save(analysis_store: AnalysisStore, analysed: Analysed, now: datetime) -> None:
    if analysed.elsewhere:
        return
    judge, variant = analysed.planned.judge, analysed.planned.variant
    analysis_store.save(
        analysed.result,
        transcript_sha256=analysed.transcript_sha256,
        judge_model=judge,
        judge_prompt_version=judge_prompt_version(judge, variant),
        now=now,
        error=analysed.error,
    )
