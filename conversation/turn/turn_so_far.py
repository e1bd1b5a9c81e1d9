"""The agent's turn while it is being spoken: what came so far."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from conversation.errors import ModelError
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.held_back import HeldBack
from conversation.language.tokens import estimated_tokens
from conversation.llm.calls import calls_of, failed_calls
from conversation.llm.chat_model import ChatMessage, ChatModel, Completion
from conversation.llm.generator import price_usd
from conversation.llm.visible_text import VisibleText, apart
from conversation.prompt.prompt import Prompt
from conversation.transcript import LLMCall, ToolCall, Turn, TurnLatency, Usage, storable
from conversation.turn.events import AgentTurn, RetrievalDone
from kb.document import RetrievedPassage

THINKING = "model_thinking"
"""Kind of the event that holds what a model wrote for itself, without its tags."""
REFUTED = "answer_not_in_documents"
"""Kind of the event that holds what a model wrote and nobody heard: no document carries it."""
CUT_OFF = "the user interrupted before it answered."
"""Result of a tool that was still running when its turn ended."""


class TurnEvent(NamedTuple):
    """Something to be kept in the store with a turn."""

    kind: str
    payload: Mapping[str, Any]


class _Asked(NamedTuple):
    """A call of a model that has not ended."""

    model: ChatModel
    messages: Sequence[ChatMessage]
    purpose: str
    said_before: int
    """Length of the turn's text when it began."""

    def estimate(self, text: str) -> Usage:
        """What it took, had it ended after writing `text`."""
        read = sum(estimated_tokens(message.content) for message in self.messages)
        written = estimated_tokens(text)
        return Usage(
            model=self.model.model,
            input_tokens=read,
            output_tokens=written,
            cost_usd=price_usd(self.model, read=read, written=written),
            source="estimated",
        )


@dataclass(slots=True)
class SpeakingTurn:
    """One agent turn, from the user's words to its end; `conversation.turn` says who changes it."""

    turn_id: str
    turns: tuple[Turn, ...]
    """The conversation up to the user's turn, which is the last."""
    offset_s: float
    """Seconds from the conversation's start."""
    requested_s: float
    """When the user's turn arrived, on the session's timer; every latency counts from here."""
    own_s: float = 0.0
    """Spent in this project's own code so far."""
    retrieval: RetrievalDone | None = None
    """Everything that was found for the turn, by whichever query."""
    searches: list[RetrievalDone] = field(default_factory=list[RetrievalDone])
    """Each search that was made, oldest first."""
    retrieved_s: float | None = None
    prompt: Prompt | None = None
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    events: list[TurnEvent] = field(default_factory=list[TurnEvent])
    """What happened beside the turn itself, e.g. that another agent took over."""
    calls: list[LLMCall] = field(default_factory=list[LLMCall])
    """Every call of a model that has ended, also those that failed."""
    completion: Completion | None = None
    """Of the last call whose text is said."""
    last_completion: Completion | None = None
    """Of the last call of any kind; None while one is under way."""
    first_token_s: float | None = None
    last_token_s: float | None = None
    outcome: AgentTurn | None = None
    """Set once, when the turn is over: nothing is taken after that."""
    is_complete: bool = False
    """Whether the agent did all that it had planned."""
    is_over: bool = False
    error: str | None = None
    """Why the answer is not what it should be, for whoever runs the agent."""
    has_failed: bool = False
    """Whether something was raised; an answer can fall short without that."""
    text: str = ""
    """Everything delivered so far, never ending in white space."""
    own_words_chars: int = 0
    """How much of the end of `text` the agent said by itself, without a model."""
    _asked: "_Asked | None" = None
    """The call under way."""
    _visible: VisibleText = field(default_factory=VisibleText)
    """Of the call under way."""
    _held: HeldBack = field(default_factory=lambda: HeldBack(None))
    """Of the call under way: what is not checked yet."""
    _running: str | None = None
    """Id of the tool call under way."""
    _held_back: str = ""
    """White space that is delivered only when more text follows."""
    _when_over: Callable[[], object] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, part: str | Completion, *, now_s: float, is_heard: bool = True) -> str:
        """Take in a part of the model's stream; returns the text to deliver, perhaps none."""
        if isinstance(part, Completion):
            rest = self._held.take(self._visible.end()) + self._held.end() if is_heard else ""
            part = apart(part, self._visible, part.text) if is_heard else part
            if part.thinking:
                self.events.append(TurnEvent(THINKING, {"text": storable(part.thinking)}))
            self.last_completion = part
            self.completion = part if is_heard else self.completion
            self.calls += calls_of(part, purpose="answer" if is_heard else "tools")
            self._asked = None
            return self._deliver(rest, now_s=now_s)
        if not is_heard:
            return ""
        return self._deliver(self._held.take(self._visible.take(part)), now_s=now_s)

    def _deliver(self, part: str, *, now_s: float) -> str:
        if not part:
            return ""
        if self.first_token_s is None:
            self.first_token_s = now_s
        self.last_token_s = now_s
        fresh = self._held_back + storable(part)
        if not self.text:
            fresh = fresh.lstrip()
        delivered = fresh.rstrip()
        self._held_back = fresh[len(delivered) :]
        self.text += delivered
        return delivered

    @property
    def asks(self) -> bool:
        """Whether the user wants to know something, as far as a search tells."""
        return self.retrieval is None or self.retrieval.mode != "none"

    @property
    def is_refuted(self) -> bool:
        """Whether the answer states what does not stand in the documents: no more of it is said."""
        return self._held.is_refuted

    def quote(self, words: str, *, now_s: float) -> str:
        """Documents are quoted in place of a refuted answer; returns the text to deliver."""
        self.events.append(TurnEvent(REFUTED, {"text": storable(self._held.text)}))
        if self.text:
            ends = self.text.endswith((".", "!", "?", "\u2026", "\u3002"))
            self._held_back = " " if ends else " \u2026 "
        return self._deliver(words, now_s=now_s)

    def say(self, words: str) -> str:
        """The agent says something by itself; returns the text to deliver."""
        fresh = f" {words}" if self.text else words
        self.text += fresh
        self.own_words_chars += len(fresh)
        self._held_back = ""
        return fresh

    @property
    def model_text(self) -> str:
        """The part of the text that a model wrote."""
        return self.text[: len(self.text) - self.own_words_chars]

    def ask(
        self,
        model: ChatModel,
        messages: Sequence[ChatMessage],
        *,
        is_heard: bool,
        check: AnswerCheck | None = None,
    ) -> None:
        """A call of a model begins. Text that follows earlier text is set apart from it."""
        purpose = "answer" if is_heard else "tools"
        self._asked = _Asked(model, messages, purpose, said_before=len(self.text))
        self.last_completion = None
        self._visible = VisibleText()
        self._held = HeldBack(check)
        if self.text:
            self._held_back = " "

    def begin_tool(self, call: ToolCall) -> None:
        """A tool starts to run."""
        self.tool_calls.append(call)
        self._running = call.tool_call_id

    def end_tool(self, call: ToolCall) -> None:
        """The tool that was running has a result. One that comes too late is forgotten."""
        if not self.is_over:
            self.tool_calls[-1] = call
            self._running = None

    def used_tools(self) -> tuple[ToolCall, ...]:
        """All calls; one that was cut off says so."""
        return tuple(
            call.model_copy(update={"result": CUT_OFF, "is_error": True})
            if call.tool_call_id == self._running
            else call
            for call in self.tool_calls
        )

    def found(self, done: RetrievalDone, *, now_s: float) -> RetrievalDone:
        """Take in the passages of a search; returns all of the turn, each once."""
        self.searches.append(done)
        self.retrieved_s = now_s
        self.retrieval = joined_searches(self.searches, asked=self.turns[-1].text)
        return self.retrieval

    def forget_searches(self) -> None:
        """Another agent took over, whose documents are others."""
        self.searches.clear()
        self.retrieval = None

    def take_failure(self, error: Exception) -> None:
        """Take in the calls that an error of a model stands for, where it lists them."""
        if isinstance(error, ModelError) and error.failed_attempts and self._asked is not None:
            self.calls += failed_calls(error.failed_attempts, purpose=self._asked.purpose)
            self._asked = None

    def all_calls(self) -> tuple[LLMCall, ...]:
        """Every call of a model; one that was cut off is estimated."""
        if self._asked is None:
            return tuple(self.calls)
        written = self._held.text or self.text[self._asked.said_before :]
        usage = self._asked.estimate(written)
        return (*self.calls, LLMCall(usage=usage, purpose=self._asked.purpose))

    def close(self) -> bool:
        """Mark the turn as over and wake whoever waits for the model; False when it was over."""
        with self._lock:
            if self.is_over:
                return False
            self.is_over = True
            waiting = self._when_over
        if waiting is not None:
            waiting()
        return True

    def when_over(self, callback: Callable[[], object] | None) -> None:
        """Have `callback` called when the turn is closed; at once when it is already."""
        with self._lock:
            self._when_over = callback
            is_over = self.is_over
        if is_over and callback is not None:
            callback()

    @contextmanager
    def own_time(self, timer_s: Callable[[], float]) -> Generator[None]:
        """Count the time until this is left as spent in this project's own code."""
        started_s = timer_s()
        yield
        self.own_s += timer_s() - started_s

    def latency(self) -> TurnLatency:
        """Milliseconds from the user's turn to each step that happened."""
        return TurnLatency(
            request_to_retrieval_ms=self._since_request_ms(self.retrieved_s),
            request_to_first_token_ms=self._since_request_ms(self.first_token_s),
            request_to_last_token_ms=self._since_request_ms(self.last_token_s),
            own_overhead_ms=self.own_s * 1_000,
        )

    def _since_request_ms(self, moment_s: float | None) -> float | None:
        return None if moment_s is None else (moment_s - self.requested_s) * 1_000


def joined_searches(searches: Sequence[RetrievalDone], *, asked: str) -> RetrievalDone:
    """All that was found, each passage once: what the model searched for itself comes first.

    Args:
        searches: At least one.
        asked: The user's words, which are the query of every search but the model's own.
    """
    ordered = sorted(searches, key=lambda search: search.query == asked)
    passages: dict[str, RetrievedPassage] = {}
    for search in ordered:
        for passage in search.passages:
            passages.setdefault(passage.chunk_id, passage)
    return replace(ordered[-1], passages=tuple(passages.values()))
