"""A conversation, live: the user's words in, events out, every turn durable.

`Session.reply` and its async twin `Session.areply` share every decision; they differ in how they
wait for the model.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.system_tools import ends_conversation
from conversation.agent.variables import VariableValue, split_secrets
from conversation.errors import ModelError
from conversation.grounding.passages import PassageSource
from conversation.llm.chat_model import ChatModel
from conversation.session.opening import model_opener, opening_transcript, said_for
from conversation.session.overrides import SessionOverrides, overridden
from conversation.session.written_turns import Recording
from conversation.store.store import DEFAULT_STORE_URL, ConversationStore
from conversation.tools.toolbox import ClientTool, ToolFunction
from conversation.transcript import Transcript, Turn, TurnFile, TurnSound, storable
from conversation.turn.carry_out import acarry_out, carry_out
from conversation.turn.events import AgentTurn, SessionEvent
from conversation.turn.finished_turn import (
    agent_turn_event,
    discarded_turn,
    finished_turn,
    heard_part,
)
from conversation.turn.likeness import similarity_of
from conversation.turn.plan import TurnPlan
from conversation.turn.speaker import Circumstances, ResolveAgent, ResolvedAgent, prepared_speaker
from conversation.turn.stage import Stage
from conversation.turn.turn_so_far import SpeakingTurn
from kb.errors import KnowledgeBaseError
from kb.weights.folder import Weights


class Session:
    """One conversation. Make it with `Session.start`, talk with `reply`, close it with `end`."""

    def __init__(
        self,
        stage: Stage,
        *,
        recording: Recording,
        timer_s: Callable[[], float],
        owned_store: ConversationStore | None,
    ) -> None:
        self.conversation_id = recording.conversation_id
        self.first_message = stage.speaker.agent.first_message
        """What the agent says before the user speaks; empty when it waits for the user."""
        self.ends_when_heard = False
        """Whether the agent's last words have to be heard before the conversation may end."""
        self.leaving: str | None = None
        """Why the agent wants the conversation to end, while its last words are heard."""
        self._stage = stage
        self._recording = recording
        self._timer_s = timer_s
        self._owned_store = owned_store
        self._speaking: SpeakingTurn | None = None
        self._lock = threading.RLock()

    @classmethod
    def start(
        cls,
        agent: AgentConfig | Path | str,
        *,
        knowledge_base: PassageSource | None = None,
        store: ConversationStore | None = None,
        chat_model: ChatModel | None = None,
        weights: Weights | None = None,
        variables: Mapping[str, VariableValue] | None = None,
        metadata: Mapping[str, str] | None = None,
        tools: Mapping[str, ToolFunction] | None = None,
        client_tool: ClientTool | None = None,
        secrets: Mapping[str, str] | None = None,
        overrides: SessionOverrides | None = None,
        resolve_agent: ResolveAgent | None = None,
        open_model: Callable[[LLMConfig], ChatModel] | None = None,
        simulated: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timer_s: Callable[[], float] = time.perf_counter,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> Self:
        """Start a conversation. Everything that can be wrong is checked before it is stored.

        Args:
            agent: A configuration, or the path of an agent file.
            knowledge_base: What the agent answers from; needed when it lists documents.
            store: Where turns are kept; None opens the default store under `data/store`.
            chat_model: None opens the agent's `llm.model` with its fallbacks.
            weights: Where an embedded model finds its files; None for the default places.
            variables: Values for `{{name}}`, over the agent's own defaults. Those whose name
                begins with `secret__` go to `secrets`.
            metadata: Kept with the conversation, e.g. the channel.
            tools: The function behind each client tool of the agent, by name.
            client_tool: Does every client tool that `tools` has no function for.
            secrets: By name; they go into headers of webhooks and nowhere else.
            overrides: What is different in this session, as far as the agent lets it be.
            resolve_agent: Says who the agents are that the conversation may be handed over to.
            open_model: Opens a model that an override or another agent asks for.
            simulated: Whether no real user talks; reports leave such conversations out.
            clock: The time now, UTC.
            timer_s: Seconds that only ever grow, for latencies.
            new_id: Letters and digits, different every time.

        Raises:
            AgentConfigError: The agent cannot be used, or lists documents that nobody gave.
            OverrideError: The agent does not let a session set that.
            ModelError: The model cannot be used.
            StoreError: The store cannot be used.
        """
        config = agent if isinstance(agent, AgentConfig) else load_agent(agent)
        own = overridden(config, overrides or SessionOverrides())
        conversation_id = f"conv_{new_id()}"
        started_at = clock()
        plain, given_secrets = split_secrets(variables or {})
        circumstances = Circumstances(
            conversation_id=conversation_id,
            started_at=started_at,
            open_model=open_model or model_opener(weights, secrets or {}),
            variables=plain,
            secrets={**given_secrets, **(secrets or {})},
            functions=tools or {},
            client_tool=client_tool,
            resolve_agent=resolve_agent,
            text_only=bool(overrides and overrides.text_only),
        )
        of_config = chat_model if own.llm.model == config.llm.model else None
        speaker = prepared_speaker(ResolvedAgent(own, knowledge_base, of_config), circumstances)
        kept_in = store or ConversationStore.open(DEFAULT_STORE_URL)
        if store is None:
            kept_in.close_abandoned(started_at)
        opening = opening_transcript(
            config, circumstances, metadata=metadata, overrides=overrides, simulated=simulated
        )
        recording = Recording(opening, store=kept_in, clock=clock)
        session = cls(
            Stage(speaker, circumstances),
            recording=recording,
            timer_s=timer_s,
            owned_store=kept_in if store is None else None,
        )
        kept_in.agent_versions.hold(config, at=started_at)
        recording.begin(session.first_message, spoken=session._spoken)
        session._stage.read_ahead(recording.turns_so_far)
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.end(reason="user_ended" if error is None else "failed")

    @property
    def agent(self) -> AgentConfig:
        """Who speaks, with every dynamic variable filled in; another one after a transfer."""
        return self._stage.speaker.agent

    @property
    def is_over(self) -> bool:
        """Whether the conversation ended, by `end` or by the agent."""
        return self._recording.is_over

    @property
    def transcript(self) -> Transcript:
        """The conversation up to now."""
        return self._recording.transcript

    def reply(
        self,
        text: str,
        *,
        sound: TurnSound | None = None,
        amends: bool = False,
        files: Sequence[TurnFile] = (),
    ) -> Iterator[SessionEvent]:
        """Say `text` to the agent and follow its turn.

        The user's turn is stored before this returns, and a turn that the agent is still
        speaking is interrupted. When the model or the knowledge base fails, the last event says
        so in `AgentTurn.error`, and the session goes on. Leaving the loop early is an
        interruption too.

        Args:
            text: The user's words.
            sound: Where they stand in the sound of the call, when they were spoken.
            amends: The user went on before they heard anything of the last answer: `text` takes
                the place of their last turn, and the answer is forgotten if it `may_amend`.
            files: Those whose text is in `text`; they are kept with the turn.

        Raises:
            SessionEndedError: The conversation is over.
            ValueError: There are no words in `text`.
        """
        return self._speak(self._hear(text, sound=sound, amends=amends, files=files))

    async def areply(
        self,
        text: str,
        *,
        sound: TurnSound | None = None,
        amends: bool = False,
        files: Sequence[TurnFile] = (),
        when_heard: Callable[[], object] | None = None,
    ) -> AsyncIterator[SessionEvent]:
        """Like `reply`, without blocking; `when_heard` is called once the user's turn is stored."""
        hear = partial(self._hear, sound=sound, amends=amends, files=files)
        speaking = await asyncio.to_thread(hear, text)
        if when_heard is not None:
            when_heard()
        steps = TurnPlan(speaking, self._stage, timer_s=self._timer_s).steps()
        try:
            async with aclosing(acarry_out(steps, speaking, timer_s=self._timer_s)) as events:
                async for event in events:
                    yield event
        except (ModelError, KnowledgeBaseError) as error:
            await asyncio.to_thread(self._finish, speaking, error=str(error))
        except BaseException as error:
            self._finish_broken(speaking, error)
            raise
        yield await asyncio.to_thread(self._finish, speaking)

    def interrupt(self, *, heard_chars: int | None = None) -> None:
        """Stop the agent, or say how much of its last turn was heard. From any thread, any time.

        The model stops generating. What is kept as said, and what the next prompt contains, is
        the first `heard_chars` characters of the generated text.

        Args:
            heard_chars: Counted over the joined text deltas; None for all that were delivered.

        Raises:
            ValueError: `heard_chars` is negative.
        """
        heard_part("", heard_chars)
        with self._lock:
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True, heard_chars=heard_chars)
            elif heard_chars is not None:
                self._recording.require_open()
                self._recording.revise_last_turn(heard_chars, spoken=self._spoken)

    @property
    def may_amend(self) -> bool:
        """Whether the last answer can be forgotten: nothing was done in it but speaking."""
        with self._lock:
            if self._speaking is not None:
                return not self._speaking.tool_calls
            last = self._recording.turns[-2:]
            return [turn.role for turn in last] == ["user", "agent"] and not last[-1].tool_calls

    def sounded(self, turn_id: str, sound: TurnSound) -> None:
        """Keep where a stored turn stands in the sound of the call, and how long it took."""
        with self._lock:
            self._recording.add_sound(turn_id, sound)

    def add_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Keep what is no turn but belongs to the conversation, e.g. an announcement."""
        with self._lock:
            self._recording.add_event(kind, payload)

    def leave(self, reason: str) -> None:
        """The agent has said its last words. A call ends when they were heard, by `end`."""
        self.leaving = reason
        if not self.ends_when_heard:
            self.end(reason)

    def say(self, text: str) -> AgentTurn:
        """Have the agent say `text` as it stands, e.g. to ask whether the user is still there."""
        with self._lock:
            self._recording.require_open()
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True)
            turn = self._recording.add_said_turn(storable(text), spoken=self._spoken)
            self._stage.read_ahead(self._recording.turns_so_far)
            return agent_turn_event(turn)

    def note(self, text: str, *, key: str | None = None) -> None:
        """Tell the agent something about the user, e.g. which page is open. It does not answer.

        Args:
            text: What it should know.
            key: A later note with the same key takes the place of this one.

        Raises:
            SessionEndedError: The conversation is over.
        """
        with self._lock:
            self._recording.require_open()
            self._recording.add_event("note", {"text": text} | ({"key": key} if key else {}))
            self._stage.add_note(storable(text), key=key)

    def end(self, reason: str = "user_ended") -> Transcript:
        """Close the conversation, durably. Ending it again changes nothing."""
        with self._lock:
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True)
            transcript = self._recording.end(reason)
            if self._owned_store is not None:
                self._owned_store.close()
            return transcript

    def _hear(
        self, text: str, *, sound: TurnSound | None, amends: bool, files: Sequence[TurnFile]
    ) -> SpeakingTurn:
        """Store the user's turn and open the agent's."""
        requested_s = self._timer_s()
        said = storable(text).strip()
        if not said:
            raise ValueError("the user's turn has no words")
        with self._lock:
            self._recording.require_open()
            discarded = self._taken_back() if amends else None
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True, heard_chars=0 if amends else None)
            turn = self._recording.hear(said, sound=sound, files=files, discarded=discarded)
            self._speaking = speaking = self._recording.answer_to(turn, requested_s, discarded)
        speaking.own_s += self._timer_s() - requested_s
        return speaking

    def _taken_back(self) -> Turn | None:
        """The answer that nobody heard, stopped and with what it cost; None where it must stay."""
        if not self.may_amend:
            return None
        speaking, self._speaking = self._speaking, None
        if speaking is None:
            return discarded_turn(self._recording.turns[-1])
        speaking.close()
        turn = discarded_turn(finished_turn(speaking, interrupted=True, heard_chars=0))
        speaking.outcome = agent_turn_event(turn, is_answered=False)
        return turn

    def _speak(self, speaking: SpeakingTurn) -> Generator[SessionEvent]:
        steps = TurnPlan(speaking, self._stage, timer_s=self._timer_s).steps()
        try:
            with closing(carry_out(steps, speaking, timer_s=self._timer_s)) as events:
                yield from events
        except (ModelError, KnowledgeBaseError) as error:
            self._finish(speaking, error=str(error))
        except BaseException as error:
            self._finish_broken(speaking, error)
            raise
        yield self._finish(speaking)

    def _finish_broken(self, speaking: SpeakingTurn, error: BaseException) -> None:
        """Whoever followed the turn left it, or something nobody expected went wrong."""
        if isinstance(error, Exception):
            self._finish(speaking, error=f"The turn failed with {type(error).__name__}.")
        else:
            self._finish(speaking, interrupted=not speaking.is_complete)

    def _finish(
        self,
        speaking: SpeakingTurn,
        *,
        interrupted: bool = False,
        heard_chars: int | None = None,
        error: str | None = None,
    ) -> AgentTurn:
        """Close the turn, once: whoever comes later gets the outcome of the first."""
        with self._lock:
            if speaking.outcome is not None:
                return speaking.outcome
            speaking.close()
            if self._speaking is speaking:
                self._speaking = None
            with speaking.own_time(self._timer_s):
                source = self._stage.speaker.knowledge_base
                turn = finished_turn(
                    speaking,
                    interrupted=interrupted,
                    heard_chars=heard_chars,
                    error=error,
                    spoken=self._spoken,
                    similarity=similarity_of(speaking, source, timer_s=self._timer_s),
                )
            turn = turn.model_copy(update={"latency": speaking.latency()})
            self._recording.add_agent_turn(turn, speaking)
            speaking.outcome = agent_turn_event(turn, is_answered=bool(speaking.model_text))
            if not interrupted and ends_conversation(turn.tool_calls):
                self.leave("agent_ended")
            if not self.is_over:
                speaker = self._stage.speaker
                self._stage.summary.update(speaker.agent, speaker.model, self._recording.turns)
                self._stage.read_ahead(self._recording.turns_so_far)
            return speaking.outcome

    def _spoken(self, text: str) -> str | None:
        return said_for(text, self._stage.speaker.agent)
