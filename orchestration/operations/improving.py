"""What to improve: topics of the conversations, and gaps of the documents. Also without Dagster."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial

from analysis.gaps.gaps import find_gaps
from analysis.gaps.records import GapRun, stored_gaps
from analysis.topics.topics import TopicRun, find_topics
from conversation.agent.config import AgentConfig
from kb.config import EmbeddingConfig
from kb.embedding.embedder import Embedder, Tokenizer, Vectors
from kb.embedding.open_embedder import open_embedder
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations

Namer = Callable[[Sequence[str]], str | None]


class LazyEmbedder:
    """An embedder that is opened when something is to be embedded: often nothing is."""

    def __init__(self, open_it: Callable[[], Embedder]) -> None:
        self._open = open_it

    @cached_property
    def _opened(self) -> Embedder:
        return self._open()

    @property
    def model_id(self) -> str:
        """As `Embedder`."""
        return self._opened.model_id

    @property
    def tokenizer(self) -> Tokenizer:
        """As `Embedder`."""
        return self._opened.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder`."""
        return self._opened.embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder`."""
        return self._opened.embed_queries(texts)


def default_embedder(deployment: Deployment) -> Embedder:
    """The embedding model of the knowledge bases, for what users said."""
    return LazyEmbedder(lambda: open_embedder(EmbeddingConfig(), deployment.weights))


def update_topics(
    deployment: Deployment,
    agent_id: str,
    *,
    embedder: Embedder,
    model: str | None = None,
    now: datetime | None = None,
) -> TopicRun:
    """Find the topics of an agent's conversations and keep them.

    Args:
        deployment: Where to look.
        agent_id: Whose conversations.
        embedder: From `default_embedder`.
        model: Names the topics; None takes their typical words.
        now: The time that is noted.
    """
    agent = deployment.agent(agent_id).agent
    return find_topics(
        agent.agent_id,
        conversations=redacted_conversations(deployment),
        store=deployment.evaluations,
        embedder=embedder,
        now=now or datetime.now(UTC),
        name_topic=_namer(deployment, agent, model, "what these conversations are about"),
        named_by=model or "words",
    )


def update_gaps(
    deployment: Deployment,
    agent_id: str,
    *,
    embedder: Embedder,
    recheck: bool = False,
    model: str | None = None,
    now: datetime | None = None,
) -> GapRun:
    """Collect an agent's unanswered questions, and ask its documents again where they changed.

    Args:
        deployment: Where to look.
        agent_id: Whose conversations.
        embedder: From `default_embedder`.
        recheck: Ask every question again, whether the documents changed or not.
        model: Writes the titles; None takes the most typical question.
        now: The time that is noted.
    """
    agent = deployment.agent(agent_id).agent
    knowledge_base = deployment.knowledge_base(agent_id)
    what = "what the documents lack to answer these questions"
    return find_gaps(
        agent.agent_id,
        conversations=redacted_conversations(deployment),
        store=deployment.evaluations,
        embedder=embedder,
        now=now or datetime.now(UTC),
        criteria=[each.criterion_id for each in agent.criteria if each.reveals_gap],
        source=knowledge_base if knowledge_base.index_version else None,
        recheck=recheck,
        name_gap=_namer(deployment, agent, model, what),
        named_by=model or "question",
    )


def regressed_gaps(deployment: Deployment, agent_id: str) -> int:
    """How many gaps of an agent were fixed once and are not any more."""
    return sum(gap.state == "regressed" for gap in stored_gaps(agent_id, deployment.evaluations))


def _namer(
    deployment: Deployment, agent: AgentConfig, model: str | None, what: str
) -> Namer | None:
    if model is None:
        return None
    from analysis.topics.titling import name_by_model

    chat_model = deployment.chat_model(agent.judge.reached(model))
    chat_model.check()
    return partial(name_by_model, chat_model, what=what)
