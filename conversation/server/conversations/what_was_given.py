"""What conversations were started with, as far as lists of them are narrowed by it."""

from collections.abc import Mapping, Sequence

from conversation.agent.variables import is_secret
from conversation.server.context import ServerContext
from conversation.server.conversations.known_users import masks
from conversation.server.errors import ApiError
from conversation.store.reading import variables_of
from conversation.store.store import ConversationStore, ConversationSummary
from conversation.transcript import Transcript


def refuse_secrets(names: Sequence[str]) -> None:
    """Nobody is told whether a conversation had a secret: it is kept nowhere.

    Raises:
        ApiError: 422; one of the variables is a secret.
    """
    secret = next((each for each in names if is_secret(each)), None)
    if secret is not None:
        raise ApiError(
            422,
            "invalid_filter",
            f"{secret[:100]!r} is a secret. Secrets are kept with no conversation, so that none "
            "can be found by them.",
        )


def readable_variables(
    context: ServerContext, readable: ConversationStore, rows: Sequence[ConversationSummary]
) -> dict[str, Mapping[str, object]]:
    """The dynamic variables of conversations, as each may be read.

    What is masked in one is masked here too: comparing with it tells no more than reading it.
    Its cost in statements does not follow the number of rows.
    """
    agent_ids = {row.agent_id for row in rows}
    masking = {each for each in agent_ids if masks(context, readable, each)}
    plain = [row.conversation_id for row in rows if row.agent_id not in masking]
    masked = [row.conversation_id for row in rows if row.agent_id in masking]
    found: dict[str, Mapping[str, object]] = dict(variables_of(context.store.engine, plain))
    for key, each in readable.transcripts(masked).items() if masked else ():
        found[key] = each.variables if isinstance(each, Transcript) else {}
    return found
