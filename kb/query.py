"""A turn and what was said before it -> the texts to search for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_CONTEXT_USER_TURNS = 3


class SaidTurn(Protocol):
    """One turn of a conversation; `conversation.transcript.Turn` is one."""

    @property
    def role(self) -> str:
        """`user` or `agent`."""
        ...

    @property
    def text(self) -> str:
        """What was said."""
        ...


@dataclass(frozen=True, slots=True)
class SearchQueries:
    """Texts to search for, by the name of the ranking each gives."""

    dense: dict[str, str]
    lexical: dict[str, str]


def build_queries(query: str, history: Sequence[SaidTurn] = ()) -> SearchQueries:
    """Make the dense and the lexical queries of one turn.

    Args:
        query: The user's turn to answer.
        history: Turns before it, oldest first.
    """
    said_before = [turn.text for turn in history if turn.role == "user" and turn.text.strip()]
    dense = {"dense_last": query}
    lexical = {"lexical_last": query}
    if said_before:
        dense["dense_context"] = "\n".join([*said_before[1 - _CONTEXT_USER_TURNS :], query])
        lexical["lexical_all"] = "\n".join([*said_before, query])
    return SearchQueries(dense=dense, lexical=lexical)
