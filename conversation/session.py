"""A conversation, live: the user's words in, events out, every turn durable.

`Session.reply` and its async twin `Session.areply` share every decision; they differ in how they
wait for the model.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from conversation.agent_file import load_agent
from conversation.config import AgentConfig
from conversation.errors import ModelError
from conversation.events import AgentTurn, RetrievalDone, SessionEvent, TextDelta
from conversation.llm.chat_model import ChatMessage, ChatModel, Completion, CompletionOptions
from conversation.llm.models import open_chat_model
from conversation.prompting import build_prompt
from conversation.recording import Recording
from conversation.retrieving import Found, PassageSource, find_passages, whole_documents
from conversation.speaking import (
    SpeakingTurn,
    agent_turn_event,
    finished_turn,
    heard_part,
    storable,
)
from conversation.starting import require_knowledge_base, with_variables
from conversation.store import DEFAULT_STORE_URL, ConversationStore
from conversation.streaming import adeltas, deltas
from conversation.tool_running import Toolbox, ToolFunction
from conversation.tools import ends_conversation, tool_note
from conversation.transcript import Transcript
from conversation.variables import VariableValue
from kb.document import RetrievedPassage
from kb.errors import KnowledgeBaseError
from kb.weights import Weights

ABANDONED_AFTER = timedelta(hours=24)
"""A conversation of an unreachable process that was quiet for so long is taken for crashed."""


class Session:
    """One conversation. Make it with `Session.start`, talk with `reply`, close it with `end`."""

    def __init__(
        self,
        agent: AgentConfig,
        *,
        model: ChatModel,
        knowledge_base: PassageSource | None,
        tools: Toolbox,
        recording: Recording,
        timer_s: Callable[[], float],
        owned_store: ConversationStore | None,
    ) -> None:
        self.agent = agent
        """With every dynamic variable filled in."""
        self.conversation_id = recording.conversation_id
        self.first_message = agent.first_message
        """What the agent says before the user speaks; empty when it waits for the user."""
        self._model = model
        self._knowledge_base = knowledge_base
        self._tools = tools
        self._recording = recording
        self._timer_s = timer_s
        self._owned_store = owned_store
        self._whole = whole_documents(agent, knowledge_base)
        self._notes: list[str] = []
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
            variables: Values for `{{name}}`, over the agent's own defaults.
            metadata: Kept with the conversation, e.g. the channel.
            tools: The function behind each client tool of the agent, by name.
            simulated: Whether no real user talks; reports leave such conversations out.
            clock: The time now, UTC.
            timer_s: Seconds that only ever grow, for latencies.
            new_id: Letters and digits, different every time.

        Raises:
            AgentConfigError: The agent cannot be used, or lists documents that nobody gave.
            ModelError: The model cannot be used.
            StoreError: The store cannot be used.
        """
        config = agent if isinstance(agent, AgentConfig) else load_agent(agent)
        require_knowledge_base(config, given=knowledge_base is not None)
        conversation_id = f"conv_{new_id()}"
        started_at = clock()
        filled = with_variables(
            config, variables or {}, conversation_id=conversation_id, started_at=started_at
        )
        model = chat_model or open_chat_model(
            config.llm.model,
            api_base=config.llm.api_base,
            fallbacks=config.llm.fallbacks,
            weights=weights,
        )
        toolbox = Toolbox(filled, functions=tools or {}, model=model)
        model.check()
        kept_in = store or ConversationStore.open(DEFAULT_STORE_URL)
        if store is None:
            kept_in.close_abandoned(started_at, ABANDONED_AFTER)
        opening = Transcript(
            conversation_id=conversation_id,
            agent_id=config.agent_id,
            status="in_progress",
            started_at=started_at,
            agent_version=config.version,
            simulated=simulated,
            metadata=dict(metadata or {}),
        )
        recording = Recording(opening, store=kept_in, clock=clock)
        session = cls(
            filled,
            model=model,
            knowledge_base=knowledge_base,
            tools=toolbox,
            recording=recording,
            timer_s=timer_s,
            owned_store=kept_in if store is None else None,
        )
        recording.begin(filled.first_message)
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(reason="user_ended" if error is None else "failed")

    @property
    def is_over(self) -> bool:
        """Whether the conversation ended, by `end` or because the agent ended it."""
        return self._recording.is_over

    @property
    def transcript(self) -> Transcript:
        """The conversation up to now."""
        return self._recording.transcript

    def reply(self, text: str) -> Iterator[SessionEvent]:
        """Say `text` to the agent and follow its turn.

        The user's turn is stored before this returns, and a turn that the agent is still
        speaking is interrupted. When the model or the knowledge base fails, the last event says
        so in `AgentTurn.error`, and the session goes on. Leaving the loop early is an
        interruption too.

        Raises:
            SessionEndedError: The conversation is over.
            ValueError: There are no words in `text`.
        """
        return self._speak(self._hear(text))

    async def areply(self, text: str) -> AsyncIterator[SessionEvent]:
        """Like `reply`, without blocking the event loop."""
        speaking = await asyncio.to_thread(self._hear, text)
        try:
            used = await self._tools.ause(speaking.turns, call_id=speaking.turn_id)
            if (call := speaking.take_tool(used.call, used.usage)) is not None:
                yield call
            if self._knowledge_base is not None:
                yield await asyncio.to_thread(self._retrieve, speaking, self._knowledge_base)
            if not speaking.is_over:
                stream = self._model.astream(*self._request(speaking))
                async with aclosing(adeltas(stream, speaking, take=self._take)) as delivered:
                    async for text_delta in delivered:
                        yield TextDelta(text_delta)
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
                self._recording.revise_last_turn(heard_chars)

    def say(self, text: str) -> AgentTurn:
        """Have the agent say `text` as it stands, e.g. to ask whether the user is still there."""
        with self._lock:
            self._recording.require_open()
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True)
            return agent_turn_event(self._recording.add_said_turn(storable(text)))

    def note(self, text: str) -> None:
        """Tell the agent something about the user, e.g. which page is open. It does not answer.

        Raises:
            SessionEndedError: The conversation is over.
        """
        with self._lock:
            self._recording.require_open()
            self._recording.add_event("note", {"text": text})
            self._notes.append(storable(text))

    def end(self, reason: str = "user_ended") -> Transcript:
        """Close the conversation, durably. Ending it again changes nothing."""
        with self._lock:
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True)
            transcript = self._recording.end(reason)
            if self._owned_store is not None:
                self._owned_store.close()
            return transcript

    def _hear(self, text: str) -> SpeakingTurn:
        """Store the user's turn and open the agent's."""
        requested_s = self._timer_s()
        said = storable(text).strip()
        if not said:
            raise ValueError("the user's turn has no words")
        with self._lock:
            self._recording.require_open()
            if self._speaking is not None:
                self._finish(self._speaking, interrupted=True)
            turn = self._recording.add_user_turn(said)
            speaking = SpeakingTurn(
                turn_id=self._recording.next_turn_id,
                turns=self._recording.turns,
                offset_s=turn.offset_s or 0.0,
                requested_s=requested_s,
            )
            self._speaking = speaking
        speaking.own_s += self._timer_s() - requested_s
        return speaking

    def _speak(self, speaking: SpeakingTurn) -> Generator[SessionEvent]:
        try:
            used = self._tools.use(speaking.turns, call_id=speaking.turn_id)
            if (call := speaking.take_tool(used.call, used.usage)) is not None:
                yield call
            if self._knowledge_base is not None:
                yield self._retrieve(speaking, self._knowledge_base)
            if not speaking.is_over:
                stream = self._model.stream(*self._request(speaking))
                with closing(deltas(stream, speaking, take=self._take)) as delivered:
                    for text_delta in delivered:
                        yield TextDelta(text_delta)
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
            self._finish(speaking, interrupted=speaking.completion is None)

    def _retrieve(self, speaking: SpeakingTurn, knowledge_base: PassageSource) -> RetrievalDone:
        started_s = self._timer_s()
        section = self.agent.knowledge_base
        if self._whole:
            found = Found(tuple(self._whole), "whole")
        else:
            found = find_passages(
                knowledge_base,
                speaking.turns,
                limit=section.max_passages,
                deadline_s=section.retrieval_deadline_s,
            )
        speaking.retrieved_s = self._timer_s()
        speaking.retrieval = RetrievalDone(
            passages=found.passages,
            query=speaking.turns[-1].text,
            mode=found.mode,
            latency_ms=(speaking.retrieved_s - started_s) * 1_000,
        )
        return speaking.retrieval

    def _request(self, speaking: SpeakingTurn) -> tuple[Sequence[ChatMessage], CompletionOptions]:
        with self._own_time(speaking):
            retrieval = speaking.retrieval
            speaking.prompt = build_prompt(
                self.agent,
                speaking.turns,
                passages=self._fitting(retrieval),
                whole=self._whole,
                asks=retrieval is None or retrieval.mode != "none",
                notes=[*self._notes, *map(tool_note, speaking.tool_calls)],
            )
            llm = self.agent.llm
            return speaking.prompt.messages, CompletionOptions(
                max_output_tokens=llm.max_output_tokens,
                temperature=llm.temperature,
                first_token_timeout_s=llm.first_token_timeout_s,
                total_timeout_s=llm.total_timeout_s,
            )

    def _fitting(self, retrieval: RetrievalDone | None) -> list[RetrievedPassage] | None:
        """What was found and is good enough to be read; None when nothing is searched for."""
        if retrieval is None or self._whole:
            return None
        least = self.agent.knowledge_base.min_passage_score
        return [passage for passage in retrieval.passages if passage.score >= least]

    def _take(self, speaking: SpeakingTurn, part: str | Completion) -> str:
        with self._own_time(speaking):
            return speaking.take(part, now_s=self._timer_s())

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
            with self._own_time(speaking):
                turn = finished_turn(
                    speaking,
                    model=self._model.model,
                    interrupted=interrupted,
                    heard_chars=heard_chars,
                    error=error,
                )
            turn = turn.model_copy(update={"latency": speaking.latency()})
            self._recording.add_agent_turn(turn, speaking)
            speaking.outcome = agent_turn_event(turn)
            if not interrupted and ends_conversation(turn.tool_calls):
                self.end("agent_ended")
            return speaking.outcome

    @contextmanager
    def _own_time(self, speaking: SpeakingTurn) -> Generator[None]:
        started_s = self._timer_s()
        yield
        speaking.own_s += self._timer_s() - started_s
