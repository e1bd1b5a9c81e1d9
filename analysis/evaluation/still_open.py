"""Conversations that may have something left to ask: those that are not settled."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pydantic import ValidationError

from analysis.evaluators.versions import judge_prompt_version
from analysis.store.answer_keys import AnalysisKey, Missing, missing_from, transcript_sha256
from analysis.store.settled import ended_by_agent, is_beside, open_ids, settled_of
from analysis.store.store import AnalysisStore
from analysis.store.touched import last_mark, take_touched
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import JudgeVariant
from conversation.errors import ConversationError
from conversation.store.store import ConversationStore, ConversationSummary
from conversation.transcript import ToolCall, Transcript, Turn

_CALL = ToolCall(tool_name="done", tool_call_id="1", parameters={"with": 1}, result="so")
_KNOWN = Transcript(
    conversation_id="known", turns=(Turn(role="agent", text="Said.", tool_calls=(_CALL,)),)
)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of the conversations of one agent, and by whom."""

    agent: AgentConfig
    """With the criteria and fields that are asked."""
    judge: str
    way: JudgeVariant | None
    summary: bool
    sample: int

    def missing(
        self, answered: frozenset[AnalysisKey], conversation_id: str, sha256: str
    ) -> Missing:
        """What of it has no answer for this transcript."""
        missing = missing_from(
            answered,
            conversation_id,
            sha256,
            criteria=self.agent.criteria,
            fields=self.agent.data_collection,
            judge=self.judge,
            prompt_version=partial(prompt_version, self.way),
            sample=self.sample,
        )
        return replace(missing, summary=missing.summary and self.summary)

    def digest(self, *, seen_as: str) -> str:
        """A hash of everything that decides whether something is missing."""
        criteria = [
            [c.criterion_id, c.version, model, prompt_version(self.way, model, c.variant)]
            for c in self.agent.criteria
            for model in (c.judge or self.judge,)
        ]
        parts = (
            # The hash of a known transcript moves when hashes of transcripts are made otherwise.
            [self.agent.agent_id, seen_as, transcript_sha256(_KNOWN), self.sample, self.summary],
            criteria,
            [[field.field_id, field.version] for field in self.agent.data_collection],
            [self.judge, prompt_version(self.way, self.judge, None)],
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Conversations that may have something left to ask, and how many were looked for."""

    ids: Sequence[str]
    """In the order of their start."""
    known: int
    """Ended conversations of the agents."""
    skipped: int
    """Ended conversations of others."""
    mark: int | None
    """Of before they were found; None where settled ones cannot be noted."""


def prompt_version(way: JudgeVariant | None, model: str, own: JudgeVariant | None) -> str:
    """Version of the instructions that a judge gets for a question that is asked its `own` way."""
    return judge_prompt_version(model, own or way)


def still_open(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    asked: Mapping[str, str],
    conversation_ids: Collection[str] | None,
) -> StillOpen:
    """Find them, of all ended conversations or of these.

    Args:
        conversations: Where they are.
        analysis_store: Beside them; in a database of its own, nothing counts as settled.
        asked: By agent, `Asking.digest`.
        conversation_ids: These only; None means all.
    """
    engine = analysis_store.engine
    beside = is_beside(conversations.engine, engine)
    if beside:
        take_touched(engine)
    mark = last_mark(engine) if beside else None
    if beside and conversation_ids is None:
        counts = ended_by_agent(engine)
        known_count = sum(counts.get(name, 0) for name in asked)
        ids = open_ids(engine, asked, counts)
        return StillOpen(ids, known_count, sum(counts.values()) - known_count, mark)
    ended = _ended(conversations, conversation_ids)
    known = [found.conversation_id for found in ended if found.agent_id in asked]
    settled = settled_of(engine, known, asked.values()) if beside else set[str]()
    ids = [found for found in known if found not in settled]
    return StillOpen(ids, len(known), len(ended) - len(known), mark)


def read_in_order(
    conversations: ConversationStore, ids: Sequence[str]
) -> Iterator[tuple[str, Transcript | Exception]]:
    """Each conversation as it is read, or why it cannot be; those deleted meanwhile are left out.

    Where one of many stops the reading of all, they are read one by one.
    """
    try:
        found: Mapping[str, Transcript | Exception] = conversations.transcripts(ids)
    except (ConversationError, ValidationError):
        found = {each: _alone(conversations, each) for each in ids}
    yield from ((each, found[each]) for each in ids if each in found)


def _alone(conversations: ConversationStore, conversation_id: str) -> Transcript | Exception:
    try:
        return conversations.transcript(conversation_id)
    except (ConversationError, ValidationError) as error:
        return error


def _ended(
    conversations: ConversationStore, conversation_ids: Collection[str] | None
) -> list[ConversationSummary]:
    if conversation_ids is None:
        chosen = conversations.conversations()
    else:
        chosen = conversations.summaries(sorted(set(conversation_ids)))
    return [found for found in chosen if found.status != "in_progress"]
