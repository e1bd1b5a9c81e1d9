"""A turn and what was said before it -> what to search for. Pure.

One rule serves a turn that stands alone and one that leans on what was said before. Meaning: the
turn by itself, and together with the user's last turns. Words: each counts by the most recent turn
it was said in, an agent's less than a user's. Names of documents are looked up in every turn,
because the subject of "do they have parking?" was often named long before, by the agent.

A long turn, such as a pasted mail, is two: what it asks, and all of it as said before that. A model
of meaning reads the beginning of a text only, and the question often stands at the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kb.config import RetrievalConfig
from kb.words.sentences import split_sentences

_MAX_TURN_CHARS = 2_000
_MAX_CONTEXT_CHARS = 600
_LONG_CHARS = 600
"""From here on a turn has parts: nobody asks one question in so many characters."""
_END_CHARS = 300
_ASKS = ("?", "\uff1f", "\u061f", "\u037e", "\u055e", "\u1367")


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


Rewriter = Callable[[str, Sequence[SaidTurn]], str | None]
"""(turn, turns before it) -> a query that stands alone; None where the turn is best as it is."""


@dataclass(frozen=True, slots=True)
class WeightedText:
    """A text and how much its words count, the query's own being 1."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class SearchQueries:
    """What to search for, for one turn."""

    dense: dict[str, WeightedText]
    """Texts to embed by the name of the ranking each gives; the weights add up to 1."""
    words: tuple[WeightedText, ...]
    """Texts whose words are searched, the query first, then the latest turn."""
    names: tuple[WeightedText, ...]
    """Texts that may name a document, in the same order."""
    exact: str = ""
    """The text whose identifiers and names must not be missed."""


def build_queries(
    query: str, history: Sequence[SaidTurn] = (), config: RetrievalConfig | None = None
) -> SearchQueries:
    """Make the dense and the lexical queries of one turn.

    Args:
        query: The user's turn to answer.
        history: Turns before it, oldest first.
        config: None takes the defaults.
    """
    config = config or RetrievalConfig()
    asked = asked_part(query)
    words = [WeightedText(asked, 1.0)]
    names = [WeightedText(asked, 1.0)]
    if asked != query:
        words.append(WeightedText(query, config.turn_decay))
        names.append(WeightedText(query, config.name_decay))
    user_turns_since = 0
    for turn in reversed(history[-config.history_turns :]):
        text = turn.text[-_MAX_TURN_CHARS:]
        said_by_user = turn.role == "user"
        user_turns_since += said_by_user
        weight = config.turn_decay**user_turns_since
        if not said_by_user:
            weight *= config.agent_turn_weight
        words.append(WeightedText(text, weight))
        names.append(WeightedText(text, config.name_decay**user_turns_since))
    return SearchQueries(_dense(query, history, config), tuple(words), tuple(names), query)


def asked_part(query: str) -> str:
    """What a long turn asks: its last questions, else its end; a short one as it is."""
    if len(query) <= _LONG_CHARS:
        return query
    sentences = [sentence.text for sentence in split_sentences(query)]
    questions = [text for text in sentences if text.rstrip("\"'\u201d\u2019)").endswith(_ASKS)]
    most = _LONG_CHARS if questions else _END_CHARS
    part = ""
    for text in reversed(questions or sentences):
        if part and len(text) + len(part) >= most:
            break
        part = f"{text} {part}".rstrip()
    return part[-most:]


def context_text(query: str, history: Sequence[SaidTurn], config: RetrievalConfig) -> str:
    """The query with the user's last turns before it, as one text."""
    return _joined(_before(history, config), query)


def _dense(
    query: str, history: Sequence[SaidTurn], config: RetrievalConfig
) -> dict[str, WeightedText]:
    before = _before(history, config)
    asked = asked_part(query)
    if not before and asked == query:
        return {"dense_last": WeightedText(query, 1.0)}
    share = config.last_turn_share
    return {
        "dense_last": WeightedText(asked, share),
        "dense_context": WeightedText(_joined(before, query), 1.0 - share),
    }


def _before(history: Sequence[SaidTurn], config: RetrievalConfig) -> list[str]:
    said = [turn.text for turn in history if turn.role == "user" and turn.text.strip()]
    return said[-config.context_user_turns :] if config.context_user_turns > 0 else []


def _joined(before: Sequence[str], query: str) -> str:
    return "\n".join([*(text[-_MAX_CONTEXT_CHARS:] for text in before), query])
