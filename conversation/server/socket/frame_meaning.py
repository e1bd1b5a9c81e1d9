"""What frames mean: a client's frame becomes an action, a session's event becomes frames. Pure.

No socket, no clock, no session: the time comes in as an argument, and `talking` carries out what
comes back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from conversation.errors import AudioError
from conversation.server.socket.actions import (
    Action,
    Active,
    HangUp,
    Hear,
    Ignore,
    Note,
    Rate,
    Refuse,
    RoundTrip,
    Say,
    SayFiles,
    Stop,
    ToolAnswer,
)
from conversation.server.socket.extra_frames import details_of
from conversation.server.socket.frames import (
    AUDIO_FORMAT,
    END_CALL,
    AgentChatResponsePart,
    AgentResponse,
    AgentResponseCorrection,
    AgentResponseEvent,
    AgentToolRequest,
    AgentToolResponse,
    ClientMessage,
    ClientToolCall,
    ClientToolCallEvent,
    ClientToolResult,
    ContextualUpdate,
    CorrectionEvent,
    Feedback,
    InitiationData,
    Interruption,
    InterruptionEvent,
    Metadata,
    MetadataEvent,
    MultimodalMessage,
    Ping,
    PingEvent,
    Pong,
    ResponsePart,
    ServerMessage,
    StopAgent,
    ToolRequestEvent,
    ToolResponseEvent,
    Unreadable,
    UserActivity,
    UserAudio,
    UserMessage,
    error_frame,
)
from conversation.server.socket.refusals import (
    BAD_SOUND,
    BEGUN_ALREADY,
    MAX_MESSAGE_CHARS,
    NO_FILES,
    NO_VOICE,
    TEXT_ONLY,
    TOO_LONG,
    Refusals,
)
from conversation.turn.events import (
    AgentTurn,
    RetrievalDone,
    SessionEvent,
    TextDelta,
    ToolCall,
    ToolRequest,
)
from conversation.voice.audio import from_base64


@dataclass(frozen=True, slots=True)
class Sound:
    """What becomes of the user's microphone."""

    input_format: str = AUDIO_FORMAT
    output_format: str = AUDIO_FORMAT
    """Named to every client, as some fail without."""
    is_heard: bool = False
    refusal: str | None = NO_VOICE
    """Why it is not heard; None where the client asked for text only."""


HEARS_NOTHING = Sound()


class Dialogue:
    """The wire's side of one conversation: event ids, round trips, what was refused already."""

    def __init__(self, sound: Sound = HEARS_NOTHING) -> None:
        self._sound = sound
        self._last_event_id = 0
        self._turn_ids: dict[int, str] = {}
        self._pings: dict[int, float] = {}
        self._ping_ms: int | None = None
        self._refusals = Refusals()

    def go_on(self, sound: Sound) -> None:
        """On another socket: ids go on growing, and nothing was refused there yet."""
        self._sound, self._pings, self._ping_ms = sound, {}, None
        self._refusals.clear()

    def event_ids(self) -> dict[str, int]:
        """Ids on the wire by ids of turns."""
        return {turn_id: event_id for event_id, turn_id in self._turn_ids.items()}

    def next_event_id(self) -> int:
        """Greater than every id before it."""
        self._last_event_id += 1
        return self._last_event_id

    def opening(self, conversation_id: str) -> Metadata:
        """The frame that every client waits for."""
        event = MetadataEvent(
            conversation_id=conversation_id,
            agent_output_audio_format=self._sound.output_format,
            user_input_audio_format=self._sound.input_format,
        )
        return Metadata(conversation_initiation_metadata_event=event)

    def said(self, text: str, turn_id: str | None) -> AgentResponse:
        """A turn that the agent took by itself: its first message, or a question after silence."""
        event_id = self.next_event_id()
        self.remember(event_id, turn_id)
        return AgentResponse(
            agent_response_event=AgentResponseEvent(agent_response=text, event_id=event_id)
        )

    def announced(self, text: str) -> AgentResponse:
        """What is no turn, and shown like one by every client."""
        event = AgentResponseEvent(agent_response=text, event_id=self.next_event_id())
        return AgentResponse(agent_response_event=event)

    def remember(self, event_id: int, turn_id: str | None) -> None:
        """Tie the id that a client knows to the turn in the store."""
        if turn_id is not None:
            self._turn_ids[event_id] = turn_id

    def ping(self, now_s: float) -> Ping:
        """The next ping, with the last round trip."""
        event_id = self.next_event_id()
        # A client that never answers must not fill the memory.
        self._pings = {event_id: now_s}
        return Ping(ping_event=PingEvent(event_id=event_id, ping_ms=self._ping_ms))

    def receive(self, message: ClientMessage, *, now_s: float) -> Action:
        """What the client's frame asks for."""
        match message:
            case UserMessage(text=text):
                return self._turn(text)
            case MultimodalMessage(text=text):
                return self._multimodal(message, text.text if text else None)
            case ContextualUpdate(text=text, context_id=context_id):
                return Refuse(TOO_LONG) if len(text) > MAX_MESSAGE_CHARS else Note(text, context_id)
            case ClientToolResult(tool_call_id=call_id, result=result, is_error=is_error):
                return ToolAnswer(call_id, result_text(result), is_error)
            case Feedback(event_id=event_id, score=score):
                return self._feedback(event_id, score)
            case UserActivity():
                return Active()
            case StopAgent():
                return Stop()
            case _:
                return self._other(message, now_s)

    def _other(self, message: ClientMessage, now_s: float) -> Action:
        match message:
            case Pong(event_id=event_id):
                return self._pong(event_id, now_s)
            case UserAudio(user_audio_chunk=chunk):
                return self._hear(chunk)
            case Unreadable(reason="too_long"):
                return Refuse(TOO_LONG)
            case Unreadable():
                return self._refusals.unread(message)
            case InitiationData():
                return self._refusals.once(BEGUN_ALREADY)
            case _:
                return Ignore(type(message).__name__)

    def _hear(self, chunk: str) -> Action:
        if not self._sound.is_heard:
            reason = self._sound.refusal
            return (
                self._refusals.once(TEXT_ONLY)
                if reason is None
                else HangUp(error_frame("value_error", reason))
            )
        try:
            return Hear(from_base64(chunk))
        except AudioError:
            return self._refusals.once(BAD_SOUND)

    def _turn(self, text: str | None) -> Action:
        if text is None or not text.strip():
            return Active()
        return Refuse(TOO_LONG) if len(text) > MAX_MESSAGE_CHARS else Say(text)

    def _multimodal(self, message: MultimodalMessage, text: str | None) -> Action:
        given = message.files or ([] if message.file is None else [message.file])
        if not given:
            return self._turn(text)
        ids = [each.get("file_id") for each in given]
        named = tuple(each for each in ids if isinstance(each, str))
        if len(named) < len(ids):
            return Refuse(NO_FILES)
        said = (text or "").strip()
        return Refuse(TOO_LONG) if len(said) > MAX_MESSAGE_CHARS else SayFiles(said, named)

    def _feedback(self, event_id: int, score: Literal["like", "dislike"] | None) -> Action:
        """Old clients name the last frame they got, which may be later than the turn's own id."""
        known = [each for each in self._turn_ids if each <= event_id]
        if not known or event_id > self._last_event_id:
            return Ignore("feedback on no turn")
        return Rate(self._turn_ids[max(known)], event_id, score)

    def _pong(self, event_id: int | None, now_s: float) -> Action:
        sent_s = self._pings.pop(-1 if event_id is None else event_id, None)
        if sent_s is None:
            return Ignore("pong")
        self._ping_ms = max(0, round((now_s - sent_s) * 1_000))
        return RoundTrip(self._ping_ms)


@dataclass(frozen=True, slots=True)
class Extras:
    """What this client gets beside the published protocol."""

    details: bool = False
    sources: bool = False
    """Whether details name the documents."""


NO_EXTRAS = Extras()


class TurnFrames:
    """Frames of one agent turn, in the order that every client can follow."""

    def __init__(
        self, event_id: int, extras: Extras = NO_EXTRAS, *, is_spoken: bool = False
    ) -> None:
        """Begin a turn.

        Args:
            event_id: The turn's id, which stands in each of its frames.
            extras: What this client gets beside the published protocol.
            is_spoken: Whether the words of the turn are told beside its sound, by others.
        """
        self.event_id = event_id
        self._is_spoken = is_spoken
        self._extras = extras
        self._passages: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._streaming = False
        self._ending: ToolCall | None = None

    def frames(self, event: SessionEvent) -> Iterator[ServerMessage]:
        """What the client is told of `event`."""
        match event:
            case TextDelta(text=text):
                if not self._streaming:
                    self._streaming = True
                    yield self._part("start")
                yield self._part("delta", text)
            case ToolRequest():
                yield from self._asked(event)
            case ToolCall():
                yield from self._done(event)
            case AgentTurn():
                yield from self._end(event)
                yield from self._details(event)
            case RetrievalDone(passages=passages):
                self._passages |= {each.chunk_id: each.text for each in passages}
            case _:
                return

    def _asked(self, request: ToolRequest) -> Iterator[ServerMessage]:
        self._kinds[request.tool_call_id] = request.kind
        yield AgentToolRequest(
            agent_tool_request=ToolRequestEvent(
                tool_name=request.tool_name,
                tool_call_id=request.tool_call_id,
                tool_type=request.kind,
                event_id=self.event_id,
            )
        )
        if request.kind == "client":
            yield ClientToolCall(
                client_tool_call=ClientToolCallEvent(
                    tool_name=request.tool_name,
                    tool_call_id=request.tool_call_id,
                    parameters=dict(request.parameters),
                    event_id=self.event_id,
                )
            )

    def _done(self, call: ToolCall) -> Iterator[ServerMessage]:
        if call.tool_name == END_CALL:
            self._ending = call
        else:
            yield self._response(call)

    def _response(self, call: ToolCall) -> ServerMessage:
        return AgentToolResponse(
            agent_tool_response=ToolResponseEvent(
                tool_name=call.tool_name,
                tool_call_id=call.tool_call_id,
                tool_type=self._kinds.get(call.tool_call_id, "system"),
                event_id=self.event_id,
                is_error=call.is_error,
            )
        )

    def _end(self, turn: AgentTurn) -> Iterator[ServerMessage]:
        if self._streaming:
            yield self._part("stop")
        if not self._is_spoken:
            yield from self._words(turn)
        if turn.error is not None and not (turn.text and turn.is_answered):
            # The stored error may name models and addresses, which are no business of a user.
            yield error_frame(
                "llm_error", "The agent could not answer this turn. Please ask again.", code=1011
            )
        if self._ending is not None and not turn.interrupted:
            yield self._response(self._ending)

    def _words(self, turn: AgentTurn) -> Iterator[ServerMessage]:
        heard = turn.text
        generated = turn.turn.generated_text or heard
        if generated:
            yield AgentResponse(
                agent_response_event=AgentResponseEvent(
                    agent_response=generated, event_id=self.event_id
                )
            )
        if turn.interrupted:
            yield Interruption(interruption_event=InterruptionEvent(event_id=self.event_id))
            if generated:
                yield AgentResponseCorrection(
                    agent_response_correction_event=CorrectionEvent(
                        original_agent_response=generated,
                        corrected_agent_response=heard,
                        event_id=self.event_id,
                    )
                )

    def _details(self, turn: AgentTurn) -> Iterator[ServerMessage]:
        if self._extras.details:
            yield details_of(
                turn.turn,
                self.event_id,
                passages=self._passages,
                with_sources=self._extras.sources,
            )

    def _part(self, kind: Literal["start", "delta", "stop"], text: str = "") -> ServerMessage:
        return AgentChatResponsePart(
            text_response_part=ResponsePart(text=text, type=kind, event_id=self.event_id)
        )


def result_text(result: object) -> str:
    """What a tool of the client gave, as text: published clients send text or any JSON."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
