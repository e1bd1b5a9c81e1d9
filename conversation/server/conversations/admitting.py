"""Who may do what the user of a conversation may: with a key for talking, or as its user."""

from starlette.requests import Request

from conversation.server.access.admission import known_key, page_allowed
from conversation.server.context import ServerContext
from conversation.server.errors import ApiError, not_found
from conversation.transcript import Transcript

_USERS = ("public", "signed_url", "authorization_header")
"""How users come in who have no key."""


def admit_user(context: ServerContext, request: Request, transcript: Transcript) -> None:
    """Let in whoever knows the conversation's id, where users talk without a key.

    Raises:
        ApiError: 404 for everybody else, as for an id that is not there; 403 for other pages.
    """
    key = known_key(request, context)
    if key is not None and key.allows("converse"):
        return
    agents = {agent.agent_id: agent for agent in context.agents.agents()}
    agent = agents.get(transcript.agent_id)
    by_user = transcript.metadata.get("authorization_method") in _USERS
    if agent is None or not (agent.access.public or by_user):
        # The same answer as for an id that is not there: strangers learn nothing of it.
        raise not_found("conversation", transcript.conversation_id)
    if not page_allowed(request, agent, context):
        raise ApiError(
            403, "forbidden_origin", "This agent may not be used from pages of this origin."
        )
