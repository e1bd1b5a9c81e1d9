"""Who of the speakers in a foreign record is the agent and who is the user. Pure."""

import re
from collections.abc import Iterable, Sequence

from conversation.importing.usual_words import (
    AGENT_SIGNS,
    AGENT_WORDS,
    USER_SIGNS,
    USER_WORDS,
)
from conversation.transcript import Role

_AGENT_NAMES = re.compile(rf"\b(?:{'|'.join(AGENT_WORDS)})\b")
_USER_NAMES = re.compile(rf"\b(?:{'|'.join(USER_WORDS)})\b")
_SILENT_NAMES = frozenset({"system", "developer", "tool", "function", "note", "ivr"})


class RecordError(ValueError):
    """A record from elsewhere cannot be used; the message says why, without what was said."""


def roles_of(
    speakers: Sequence[str],
    agent_speakers: Iterable[str] = (),
    user_speakers: Iterable[str] = (),
) -> dict[str, Role | None]:
    """The role of each speaker; None for system messages, which nobody says.

    One unknown name beside a known one is the other side.

    Args:
        speakers: Names as they stand in the record.
        agent_speakers: Names of agents that the names alone do not tell.
        user_speakers: The same of users.

    Raises:
        RecordError: It cannot be told who is the agent.
    """
    agents = {name.casefold() for name in agent_speakers}
    users = {name.casefold() for name in user_speakers}
    roles = {name: side_of(name, agents, users) for name in dict.fromkeys(speakers)}
    unknown = [name for name, role in roles.items() if role == "?"]
    known = {role for role in roles.values() if role in ("agent", "user")}
    if unknown:
        # Two unknown names beside one known side: either may be a third person or no person.
        if len(known) != 1 or len(unknown) > 1:
            raise RecordError(
                f"it cannot be told which speaker is the agent: {sorted(roles)}. Name them with "
                "`--agent-speaker` and `--user-speaker`"
            )
        other = "user" if known == {"agent"} else "agent"
        roles = {name: other if role == "?" else role for name, role in roles.items()}
    result: dict[str, Role | None] = {}
    for name, role in roles.items():
        result[name] = "agent" if role == "agent" else "user" if role == "user" else None
    return result


def is_role_word(name: str) -> bool:
    """Whether a name is nothing but a word for one of the sides, such as `Customer`."""
    plain = name.casefold().strip()
    return bool(_AGENT_NAMES.fullmatch(plain) or _USER_NAMES.fullmatch(plain))


def side_of(name: str, agents: set[str], users: set[str]) -> str | None:
    """`agent`, `user`, None for what nobody says, or `?`; names given are in lower case."""
    plain = name.casefold().strip()
    if plain in agents:
        return "agent"
    if plain in users:
        return "user"
    if plain in _SILENT_NAMES:
        return None
    if plain in AGENT_SIGNS or _AGENT_NAMES.search(plain):
        return "agent"
    if plain in USER_SIGNS or _USER_NAMES.search(plain):
        return "user"
    return "?"
