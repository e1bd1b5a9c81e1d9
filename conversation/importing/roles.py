"""Who of the speakers in a foreign record is the agent and who is the user. Pure."""

import re
from collections.abc import Iterable, Sequence

from conversation.transcript import Role

_AGENT_NAMES = re.compile(
    r"\b(?:agent|assistant|bot|chatbot|ai|support|operator|representative|rep|advisor|model)\b"
)
_USER_NAMES = re.compile(
    r"\b(?:user|customer|caller|client|human|visitor|guest|me|patient|member|shopper)\b"
)
_SILENT_NAMES = frozenset({"system", "developer", "tool", "function", "note", "ivr"})


class RecordError(ValueError):
    """A record from elsewhere cannot be used; the message says why, without what was said."""


def roles_of(speakers: Sequence[str], agent_speakers: Iterable[str] = ()) -> dict[str, Role | None]:
    """The role of each speaker; None for system messages, which nobody says.

    One unknown name beside a known one is the other side.

    Args:
        speakers: Names as they stand in the record.
        agent_speakers: Names of agents that the names alone do not tell.

    Raises:
        RecordError: It cannot be told who is the agent.
    """
    given = {name.casefold() for name in agent_speakers}
    roles = {name: _role_of(name, given) for name in dict.fromkeys(speakers)}
    unknown = [name for name, role in roles.items() if role == "?"]
    known = {role for role in roles.values() if role in ("agent", "user")}
    if unknown:
        if len(known) != 1:
            raise RecordError(
                f"it cannot be told which speaker is the agent: {sorted(roles)}. Name the agent "
                "`Agent` and the user `User` in the file"
            )
        other = "user" if known == {"agent"} else "agent"
        roles = {name: other if role == "?" else role for name, role in roles.items()}
    result: dict[str, Role | None] = {}
    for name, role in roles.items():
        result[name] = "agent" if role == "agent" else "user" if role == "user" else None
    return result


def _role_of(name: str, agent_names: set[str]) -> str | None:
    plain = name.casefold().strip()
    if plain in agent_names:
        return "agent"
    if plain in _SILENT_NAMES:
        return None
    if _AGENT_NAMES.search(plain):
        return "agent"
    if _USER_NAMES.search(plain):
        return "user"
    return "?"
