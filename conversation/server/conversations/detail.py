"""One conversation, read with everything that is known of it."""

from conversation.server.context import ServerContext
from conversation.server.conversations.bodies import ConversationDetail
from conversation.server.conversations.shown_conversation import detail
from conversation.server.conversations.sound import sides_of
from conversation.server.overview.tags import tags_of


def conversation_detail(context: ServerContext, conversation_id: str) -> ConversationDetail:
    """A conversation as it may be read.

    Raises:
        UnknownConversationError: There is none.
    """
    readable = context.calls.readable()
    transcript = readable.transcript(conversation_id)
    agents = {agent.agent_id: agent for agent in context.agents.agents()}
    agent = agents.get(transcript.agent_id)
    shown = detail(
        transcript,
        agent_name=agent.name if agent else None,
        language=agent.language if agent else None,
        retrievals=readable.retrievals(conversation_id),
        events=readable.events(conversation_id, kind="feedback"),
        analysis=context.calls.analyses([conversation_id]).get(conversation_id),
        sides=sides_of(context, conversation_id, transcript.status),
    )
    return shown.model_copy(update={"tag_ids": tags_of(context, conversation_id)})
