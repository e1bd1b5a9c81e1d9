"""One conversation, read with everything that is known of it."""

from conversation.agent.config import AgentConfig
from conversation.grounding.passages import EmbeddedSource
from conversation.server.context import ServerContext
from conversation.server.conversations.sound import sides_of
from conversation.server.conversations.tags import tags_of
from conversation.server.ended.bodies import ConversationDetail
from conversation.server.ended.shown_conversation import UNKNOWN_MODEL, detail
from conversation.transcript import Transcript


def conversation_detail(context: ServerContext, conversation_id: str) -> ConversationDetail:
    """A conversation as it may be read.

    Raises:
        UnknownConversationError: There is none.
    """
    readable = context.calls.readable()
    whole = readable.whole(conversation_id, kind="feedback")
    transcript = whole.transcript
    agents = {agent.agent_id: agent for agent in context.agents.agents()}
    agent = agents.get(transcript.agent_id)
    shown = detail(
        transcript,
        agent_name=agent.name if agent else None,
        language=agent.language if agent else None,
        retrievals=whole.retrievals,
        events=whole.events,
        analysis=context.calls.analyses(
            [conversation_id], agent_ids={conversation_id: transcript.agent_id}
        ).get(conversation_id),
        embedding_model=_embedding_model(context, transcript, agent) if whole.retrievals else "",
        sides=sides_of(context, conversation_id, transcript.status),
    )
    return shown.model_copy(update={"tag_ids": tags_of(context, conversation_id)})


def _embedding_model(
    context: ServerContext, transcript: Transcript, agent: AgentConfig | None
) -> str:
    """What compared meanings in the conversation, where its agent is still what it was then."""
    if agent is None or transcript.agent_version != agent.version:
        return UNKNOWN_MODEL
    source = context.agents.knowledge_base(agent)
    own = source.embedding if isinstance(source, EmbeddedSource) else agent.knowledge_base.embedding
    return own.model
