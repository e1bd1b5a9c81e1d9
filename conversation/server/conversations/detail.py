"""One conversation, read with everything that is known of it."""

from conversation.server.context import ServerContext
from conversation.server.conversations.sound import sides_of
from conversation.server.conversations.tags import tags_of
from conversation.server.ended.bodies import ConversationDetail
from conversation.server.ended.shown_conversation import detail


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
        sides=sides_of(context, conversation_id, transcript.status),
    )
    return shown.model_copy(update={"tag_ids": tags_of(context, conversation_id)})
