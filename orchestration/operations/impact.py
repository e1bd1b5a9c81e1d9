"""Try a change of an agent's documents on its past conversations, before it is switched on."""

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluators.known import is_scored
from analysis.gaps.impact import Impact, impact_of, past_questions
from analysis.labels.paired import PairedDifference, paired_difference, paired_score_difference
from analysis.results import Evaluation
from conversation.agent.config import AgentConfig
from conversation.session.simulating import replay
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from kb.document import Document
from kb.knowledge_base import KnowledgeBase
from kb.trial import trial_copy
from orchestration.deployment import Deployment
from orchestration.errors import OrchestrationError
from orchestration.knowledge.sources import sources
from orchestration.operations.masking import redacted_conversations


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """What is tried. With nothing given: what `vivavoce ingest` would do now."""

    add: tuple[str, ...] = ()
    """Files, and links that begin with `http`."""
    remove: tuple[str, ...] = ()
    """Names or ids of documents."""
    from_version: int | None = None
    """Index version that is compared with; None is the present one."""
    to_version: int | None = None
    """Go to this index version in place of adding and removing."""
    from_snapshot: str | None = None
    """Snapshot that is compared with; None is the live one."""
    to_snapshot: str | None = None
    """Go to this snapshot in place of adding and removing."""

    @property
    def is_of_documents(self) -> bool:
        """Whether documents are added and removed, and not two states compared."""
        return (
            self.from_version is None
            and self.to_version is None
            and self.from_snapshot is None
            and self.to_snapshot is None
        )

    @property
    def text(self) -> str:
        """The change in words."""
        if self.from_snapshot is not None or self.to_snapshot is not None:
            return f"snapshot {self.from_snapshot or 'live'} -> {self.to_snapshot or 'live'}"
        if not self.is_of_documents:
            old = "present" if self.from_version is None else self.from_version
            new = "present" if self.to_version is None else self.to_version
            return f"index version {old} -> {new}"
        parts = [f"+ {name}" for name in self.add] + [f"- {name}" for name in self.remove]
        return ", ".join(parts) or "what `vivavoce ingest` would do now"


@dataclass(frozen=True, slots=True)
class Trial:
    """The documents before and after a change; both can be searched."""

    before: KnowledgeBase
    after: KnowledgeBase
    documents_before: int
    documents_after: int


@contextmanager
def tried(deployment: Deployment, agent_id: str, change: ProposedChange) -> Generator[Trial]:
    """Make a change on a copy of the agent's knowledge base; the copy is deleted at the end.

    Raises:
        DocumentError: A document cannot be taken in.
        LimitError: The documents would not fit.
        OrchestrationError: There is no document of the name that is to be removed.
    """
    live = deployment.knowledge_base(agent_id)
    weights = deployment.weights
    new, old = (change.to_version, change.to_snapshot), (change.from_version, change.from_snapshot)
    with trial_copy(live, index_version=new[0], snapshot=new[1], weights=weights) as after:
        if change.is_of_documents:
            _apply(deployment, agent_id, change, after)
        if old == (None, None):
            yield Trial(live, after, _ready(live), _ready(after))
            return
        with trial_copy(live, index_version=old[0], snapshot=old[1], weights=weights) as before:
            yield Trial(before, after, _ready(before), _ready(after))


def _apply(
    deployment: Deployment, agent_id: str, change: ProposedChange, trial: KnowledgeBase
) -> None:
    if not change.add and not change.remove:
        wanted = sources(deployment, agent_id)
        trial.sync(wanted, progress=deployment.progress)
        return
    for name in change.remove:
        trial.remove(_named(trial.documents(), name, agent_id).document_id)
    for name in change.add:
        if name.startswith(("http://", "https://")):
            trial.add_link(name)
        else:
            trial.add_file(name)


def _named(documents: Sequence[Document], name: str, agent_id: str) -> Document:
    for document in documents:
        if name in (document.name, document.document_id, document.source):
            return document
    known = ", ".join(repr(document.name) for document in documents) or "none"
    raise OrchestrationError(
        f"The agent {agent_id!r} has no document {name!r} to remove. Its documents: {known}."
    )


def _ready(knowledge_base: KnowledgeBase) -> int:
    return sum(document.status == "ready" for document in knowledge_base.documents())


def change_impact(
    deployment: Deployment,
    agent_id: str,
    trial: Trial,
    *,
    since: datetime | None = None,
    max_turns: int | None = None,
) -> Impact:
    """Search for the agent's past turns in both, newest first."""
    agent = deployment.agent(agent_id).agent
    section = agent.knowledge_base
    asked = past_questions(redacted_conversations(deployment), agent.agent_id, since=since)
    questions = list(islice(asked, max_turns))
    return impact_of(
        questions,
        trial.before,
        trial.after,
        limit=section.max_passages,
        min_score=section.min_passage_score,
        on_asked=lambda done: deployment.progress("turns", done, len(questions)),
    )


@dataclass(frozen=True, slots=True)
class Replayed:
    """Conversations that were held and judged twice."""

    conversations: int
    differences: dict[str, PairedDifference]
    """By criterion."""
    scored: frozenset[str]
    """Criteria whose differences are of scores, not of rates."""


def replay_both(
    deployment: Deployment,
    agent_id: str,
    trial: Trial,
    conversation_ids: Sequence[str],
    *,
    new_agent: AgentConfig | None = None,
) -> Replayed:
    """Hold conversations again with the old and the new documents, judge both, and compare.

    Both times the user says what was said then, so that the change is all that differs. Nothing
    of it reaches the stores.

    Args:
        deployment: Where the conversations and models are.
        agent_id: The agent.
        trial: From `tried`.
        conversation_ids: Which conversations.
        new_agent: Answers from the new documents; None takes the same agent.
    """
    old = deployment.agent(agent_id).agent
    pairs: list[tuple[dict[str, Evaluation], dict[str, Evaluation]]] = []
    with (
        tempfile.TemporaryDirectory(prefix="vivavoce-replay-") as folder,
        ConversationStore.open(f"sqlite:///{Path(folder) / 'replayed.sqlite'}") as store,
    ):
        for done, conversation_id in enumerate(conversation_ids):
            deployment.progress("conversations", done, len(conversation_ids))
            said = deployment.conversations.transcript(conversation_id)
            answers = [
                _judged(deployment, old, _replayed(deployment, said, agent, documents, store))
                for agent, documents in ((old, trial.before), (new_agent or old, trial.after))
            ]
            pairs.append((answers[0], answers[1]))
    scored = frozenset(criterion.criterion_id for criterion in old.criteria if is_scored(criterion))
    return Replayed(
        len(pairs),
        {
            criterion.criterion_id: _difference(
                [
                    (old.get(criterion.criterion_id), new.get(criterion.criterion_id))
                    for old, new in pairs
                ],
                scored=criterion.criterion_id in scored,
            )
            for criterion in old.criteria
        },
        scored,
    )


def _replayed(
    deployment: Deployment,
    said: Transcript,
    agent: AgentConfig,
    documents: KnowledgeBase,
    store: ConversationStore,
) -> Transcript:
    model = deployment.chat_model(agent.llm)
    return replay(said, agent, knowledge_base=documents, store=store, chat_model=model)


def _judged(
    deployment: Deployment, agent: AgentConfig, transcript: Transcript
) -> dict[str, Evaluation]:
    result = analyse_transcript(
        transcript,
        agent.criteria,
        (),
        agent.judge,
        summary=False,
        open_judge=lambda model: deployment.chat_model(agent.judge.reached(model)),
    )
    return {evaluation.criterion_id: evaluation for evaluation in result.evaluations}


def _difference(
    pairs: Sequence[tuple[Evaluation | None, Evaluation | None]], *, scored: bool
) -> PairedDifference:
    if scored:
        return paired_score_difference([(a and a.score, b and b.score) for a, b in pairs])
    return paired_difference((a and a.verdict, b and b.verdict) for a, b in pairs)
