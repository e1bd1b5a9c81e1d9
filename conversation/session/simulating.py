"""Conversations with a user that a program plays: by a persona, by a script, or by a recording.

They are conversations like any other, stored and judged, but marked as simulated, so that reports
about real users leave them out. `simulate` lets a language model (or any function) be the user;
`replay` asks another agent, or other documents, what a user asked before.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError
from conversation.grounding.passages import PassageSource
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions, JSONSchema
from conversation.llm.open_model import open_named_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript, Turn
from conversation.turn.events import SessionEvent
from kb.weights.folder import Weights

PlayedUser = Callable[[Sequence[Turn]], str | None]
"""Takes the turns so far and returns what the user says next; None when the user hangs up."""
Follow = Callable[[str, Iterable[SessionEvent]], object]
"""Takes what the user said and the events of the agent's turn, to be read to their end."""

_MAX_METADATA_CHARS = 1_000
_BEGIN = "(The call begins. You speak first.)"
_SILENCE = "(The agent says nothing.)"
_REMEMBER = "(What you still want: {goal}. Ask for it in your own words.)"
_PLAY: JSONSchema = {
    "type": "object",
    "properties": {"says": {"type": "string"}, "hangs_up": {"type": "boolean"}},
    "required": ["says", "hangs_up"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Persona:
    """Who calls, and what for."""

    persona: str
    """The person, in words: "an impatient customer who writes in short sentences"."""
    goal: str = ""
    """What the person wants: "find out how long a refund takes"."""


def simulate(
    agent: AgentConfig | Path | str,
    persona: str,
    goal: str = "",
    *,
    max_turns: int = 6,
    user: PlayedUser | None = None,
    user_model: ChatModel | None = None,
    knowledge_base: PassageSource | None = None,
    store: ConversationStore | None = None,
    chat_model: ChatModel | None = None,
    weights: Weights | None = None,
    metadata: Mapping[str, str] | None = None,
    begun: Callable[[Session], object] = lambda _session: None,
    follow: Follow = lambda _said, events: list(events),
    **start: Any,
) -> Transcript:
    """Let a played user talk to an agent, and return the stored conversation.

    It ends when the user hangs up (`user_ended`), when the agent does (`agent_ended`), or after
    `max_turns` turns of the user (`max_turns`).

    Args:
        agent: A configuration, or the path of an agent file.
        persona: Who the user is, in words; kept in the conversation's metadata.
        goal: What the user wants, likewise.
        max_turns: Of the user, at least 1.
        user: Says the user's words; None lets a language model say them.
        user_model: Plays the user when `user` is None; None takes the agent's own model.
        knowledge_base: What the agent answers from.
        store: Where the conversation is kept; None for the default store.
        chat_model: The agent's model; None opens the one of its configuration.
        weights: Where embedded models find their files.
        metadata: Kept with the conversation as well.
        begun: Told of the session before its first turn.
        follow: Told of each turn while it happens, e.g. to print it.
        **start: Passed on to `Session.start`.

    Raises:
        ValueError: `max_turns` is below 1.
        ModelError: The model that plays the user failed; the conversation is stored up to there.
        ConversationError: As for `Session.start`.
    """
    if max_turns < 1:
        raise ValueError(f"a conversation needs at least one turn, got max_turns={max_turns}")
    config = agent if isinstance(agent, AgentConfig) else load_agent(agent)
    model = chat_model or open_named_model(config.llm, weights=weights)
    player = user or ModelUser(user_model or model, Persona(persona, goal))
    session = Session.start(
        config,
        knowledge_base=knowledge_base,
        store=store,
        chat_model=model,
        simulated=True,
        metadata={**(metadata or {}), **_noted(persona=persona, goal=goal)},
        **start,
    )
    with session:
        begun(session)
        return session.end(_play(session, player, max_turns=max_turns, follow=follow))


def replay(
    conversation: Transcript,
    agent: AgentConfig | Path | str,
    *,
    knowledge_base: PassageSource | None = None,
    store: ConversationStore | None = None,
    chat_model: ChatModel | None = None,
    weights: Weights | None = None,
    metadata: Mapping[str, str] | None = None,
    follow: Follow = lambda _said, events: list(events),
    **start: Any,
) -> Transcript:
    """Ask an agent everything that the user of a recorded conversation said, in that order.

    The new conversation's metadata names the old one as `replay_of`; `paired_answers` lays the
    answers side by side. It is shorter than the old one when the agent ends it earlier.

    Args:
        conversation: The recorded one.
        agent: Who answers now: another agent, or another version of the same.
        knowledge_base: What it answers from, e.g. after documents were corrected.
        store: Where the new conversation is kept; None for the default store.
        chat_model: The agent's model; None opens the one of its configuration.
        weights: Where embedded models find their files.
        metadata: Kept with the new conversation as well.
        follow: Told of each turn while it happens, e.g. to print it.
        **start: Passed on to `Session.start`.

    Raises:
        AgentConfigError: The user said nothing in the recorded conversation.
        ConversationError: As for `Session.start`.
    """
    asked = [turn.text for turn in conversation.turns if turn.role == "user" and turn.text.strip()]
    if not asked:
        raise AgentConfigError(
            f"The conversation {conversation.conversation_id!r} has no words of a user, so there "
            "is nothing to ask again. Choose another one."
        )
    config = agent if isinstance(agent, AgentConfig) else load_agent(agent)
    session = Session.start(
        config,
        knowledge_base=knowledge_base,
        store=store,
        chat_model=chat_model or open_named_model(config.llm, weights=weights),
        simulated=True,
        metadata={
            **(metadata or {}),
            **_noted(replay_of=conversation.conversation_id),
            **_noted(replayed_agent_version=conversation.agent_version or ""),
        },
        **start,
    )
    with session:
        _play(session, scripted_user(asked), max_turns=len(asked), follow=follow)
        return session.end()


def scripted_user(lines: Iterable[str]) -> PlayedUser:
    """A user who says one line after another, and then hangs up."""
    left = iter(lines)
    return lambda _turns: next(left, None)


class ModelUser:
    """A user whom a language model plays. To say the same twice in a row is to hang up."""

    def __init__(self, model: ChatModel, persona: Persona) -> None:
        self.has_hung_up = False
        """Whether the words said last were a goodbye."""
        self._model = model
        self._persona = persona

    def __call__(self, turns: Sequence[Turn]) -> str | None:
        """What the user says next; raises `ModelError`."""
        options = CompletionOptions(max_output_tokens=160, temperature=0.0, schema=_PLAY)
        answer = self._model.complete(user_prompt(turns, self._persona), options).text
        played = cast(dict[str, Any], json.loads(answer))
        said = str(played["says"]).strip()
        self.has_hung_up = bool(played["hangs_up"])
        before = [turn.text for turn in turns if turn.role == "user"]
        return None if said in before[-1:] else said


def user_prompt(turns: Sequence[Turn], persona: Persona) -> list[ChatMessage]:
    """The prompt for the user's next words. To the model, the agent is the one who asks."""
    goal = persona.goal.strip().rstrip(".") or "have your questions answered"
    rules = (
        "You play a person who talks to an agent. You are not the agent, and you never answer for "
        f"it.\nWho you are: {persona.persona.strip()}\nWhat you want: {goal}\n"
        "Say what this person says next: one or two short sentences of plain speech. Go on from "
        "what the agent said, and never say the same again. Hang up when you have what you want, "
        "or when the agent clearly cannot help: then say a short goodbye.\n"
        'Answer as JSON: {"says": "your words", "hangs_up": false}'
    )
    messages = [ChatMessage("system", rules)]
    if not turns or turns[0].role == "user":
        messages.append(ChatMessage("user", _BEGIN))
    for turn in turns:
        if turn.role == "user":
            messages.append(ChatMessage("assistant", _as_played(turn.text)))
        else:
            messages.append(ChatMessage("user", turn.text.strip() or _SILENCE))
    if messages[-1].role == "user":
        # Small models heed what stands last; without it they talk of anything.
        heard = messages.pop().content
        messages.append(ChatMessage("user", f"{heard}\n\n{_REMEMBER.format(goal=goal)}"))
    return messages


def paired_answers(before: Transcript, after: Transcript) -> list[tuple[str, str, str]]:
    """What the user said, what the agent answered then, and what it answers now."""
    old, new = _answers(before), _answers(after)
    return [
        (said, answer, new[index][1] if index < len(new) else "")
        for index, (said, answer) in enumerate(old)
    ]


def _play(session: Session, user: PlayedUser, *, max_turns: int, follow: Follow) -> str:
    """Talk until somebody hangs up; returns why it ended."""
    for _ in range(max_turns):
        said = user(session.transcript.turns)
        if said is None or not said.strip():
            return "user_ended"
        follow(said, session.reply(said))
        if session.is_over:
            return "agent_ended"
        if isinstance(user, ModelUser) and user.has_hung_up:
            return "user_ended"
    return "max_turns"


def _answers(transcript: Transcript) -> list[tuple[str, str]]:
    """Each turn of the user with everything that the agent said until the next one."""
    pairs: list[tuple[str, list[str]]] = []
    for turn in transcript.turns:
        if turn.role == "user" and turn.text.strip():
            pairs.append((turn.text, []))
        elif turn.role == "agent" and pairs:
            pairs[-1][1].append(turn.text)
    return [(said, " ".join(answers).strip()) for said, answers in pairs]


def _as_played(said: str) -> str:
    return json.dumps({"says": said, "hangs_up": False}, ensure_ascii=False)


def _noted(**values: str) -> dict[str, str]:
    return {name: value[:_MAX_METADATA_CHARS] for name, value in values.items() if value}
