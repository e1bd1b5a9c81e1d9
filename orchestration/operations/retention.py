"""Deletes what is older than the `privacy` section of its agent allows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from analysis.store.forgetting import (
    forget_conversations,
    forget_evaluations,
    orphans,
    with_evaluations,
)
from conversation.store.listing.compacting import compact
from conversation.store.listing.word_index import mend_word_index
from conversation.store.store import ConversationSummary
from kb.errors import KnowledgeBaseError
from kb.knowledge_base import KnowledgeBase
from orchestration.agents import LIBRARY
from orchestration.deployment import Deployment
from orchestration.operations.forgetting import (
    ReceiptLine,
    delete_recordings,
    forget_ids,
    recordings_of,
    refresh_reports,
    tidy_lake,
)
from orchestration.operations.masking import usable_agents

Kept = Literal["transcripts", "recordings", "evaluations"]


@dataclass(frozen=True, slots=True)
class Due:
    """What is kept longer than its agent allows."""

    agent_id: str
    kept: Kept
    days: int
    """How long the agent file keeps it."""
    conversation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """What a run deleted."""

    due: tuple[Due, ...]
    lines: tuple[ReceiptLine, ...]
    not_reached: tuple[str, ...]


def due_for_deletion(deployment: Deployment, *, now: datetime) -> list[Due]:
    """Return what is older than its agent allows, by agent; nothing is deleted.

    Conversations of agents without a usable file are kept: nobody says for how long.
    """
    found: list[Due] = []
    for agent in usable_agents(deployment):
        privacy = agent.privacy
        ended = [
            each
            for each in deployment.conversations.conversations(agent_id=agent.agent_id)
            if each.status != "in_progress"
        ]
        limits: dict[Kept, int | None] = {
            "transcripts": privacy.transcripts_days,
            "recordings": privacy.recordings_days,
            "evaluations": privacy.evaluations_days,
        }
        for kept, days in limits.items():
            ids = _older(ended, days, now) if days is not None else []
            ids = _with_something(deployment, kept, ids)
            if ids and days is not None:
                found.append(Due(agent.agent_id, kept, days, tuple(ids)))
    return found


def apply_retention(deployment: Deployment, *, now: datetime) -> RetentionRun:
    """Delete what is due, and what judges left of conversations that were deleted meanwhile.

    A function for schedules: running it twice deletes nothing more. An index of words that cannot
    be used is made too, where PostgreSQL lets us: it takes long, and nights are quiet.
    """
    due = due_for_deletion(deployment, now=now)
    ids: dict[Kept, list[str]] = defaultdict(list)
    for each in due:
        ids[each.kept] += each.conversation_ids
    gone = set(ids["transcripts"])
    recordings = [found for found in ids["recordings"] if found not in gone]
    evaluations = [found for found in ids["evaluations"] if found not in gone]
    lines = [ReceiptLine("recordings", delete_recordings(deployment, recordings), "files")]
    engine = deployment.engine
    deleted = forget_evaluations(engine, evaluations)
    lines += [ReceiptLine(f"database, {name}", count, "rows") for name, count in deleted.items()]
    left = forget_conversations(engine, orphans(engine))
    lines += [ReceiptLine(f"orphans, {name}", count, "rows") for name, count in left.items()]
    not_reached: tuple[str, ...] = ()
    if gone:
        receipt = forget_ids(deployment, ids["transcripts"], now=now)
        lines += receipt.lines
        not_reached = receipt.not_reached
    elif deleted or left:
        days, _published = refresh_reports(deployment)
        lines += tidy_lake(deployment)
        lines.append(ReceiptLine("Parquet files", days, "days written anew"))
        problem = compact(engine)
        not_reached = (problem,) if problem is not None else ()
    collected, problems = collect_snapshots(deployment)
    lines += collected
    unmade = mend_word_index(engine)
    problems += [unmade] if unmade is not None else []
    return RetentionRun(
        tuple(due), tuple(line for line in lines if line.count), (*not_reached, *problems)
    )


def collect_snapshots(deployment: Deployment) -> tuple[list[ReceiptLine], list[str]]:
    """Delete snapshots of knowledge bases that nobody needs any more, such as erased documents.

    Returns what was deleted, and which knowledge bases it could not be looked at for.
    """
    lines: list[ReceiptLine] = []
    problems: list[str] = []
    if deployment.settings.kb_url is None:
        return lines, problems

    def collect(name: str, knowledge_base: KnowledgeBase) -> None:
        snapshots, strays = knowledge_base.shared.collect()
        lines.append(ReceiptLine(f"knowledge base {name}", snapshots, "snapshots"))
        lines.append(ReceiptLine(f"knowledge base {name}", strays, "stray pieces"))

    for agent in usable_agents(deployment):
        try:
            collect(agent.agent_id, deployment.knowledge_base(agent.agent_id))
        except KnowledgeBaseError as error:
            problems.append(f"snapshots of {agent.agent_id}: {error}")
    try:
        with deployment.open_library() as library:
            collect(LIBRARY, library)
    except KnowledgeBaseError as error:
        problems.append(f"snapshots of {LIBRARY}: {error}")
    return lines, problems


def _older(ended: Iterable[ConversationSummary], days: int, now: datetime) -> list[str]:
    before = now - timedelta(days=days)
    return [
        each.conversation_id
        for each in ended
        if each.ended_at is not None and each.ended_at < before
    ]


def _with_something(deployment: Deployment, kept: Kept, ids: list[str]) -> list[str]:
    if kept == "recordings":
        return [found for found in ids if recordings_of(deployment, [found])]
    if kept == "evaluations":
        return with_evaluations(deployment.evaluations.engine, ids)
    return ids
