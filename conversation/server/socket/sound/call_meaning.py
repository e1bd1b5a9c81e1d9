"""What the events of a voice call mean on the wire. Pure: events come in, frames come out."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from conversation.agent.models.voice_config import AudioFormat
from conversation.server.socket.frame_meaning import NO_EXTRAS, Extras, TurnFrames
from conversation.server.socket.frames import (
    AgentResponse,
    AgentResponseCorrection,
    AgentResponseEvent,
    CorrectionEvent,
    Interruption,
    InterruptionEvent,
    ServerMessage,
    error_frame,
)
from conversation.server.socket.sound_frames import (
    Alignment,
    Audio,
    AudioEvent,
    TentativeUserTranscript,
    TranscriptionEvent,
    UserTranscript,
    VadScore,
    VadScoreEvent,
)
from conversation.turn.events import AgentTurn, RetrievalDone
from conversation.voice.audio import AudioEncoder, to_base64
from conversation.voice.call_events import (
    AgentAudio,
    AgentText,
    AgentTextCorrected,
    CallEvent,
    DuringTurn,
    Interrupted,
    SpeechFailed,
    TentativeUserText,
    UserTurn,
    VoiceScore,
)
from conversation.voice.ports import TimedChars

FRAMES_PER_SCORE = 4
"""Of the detector, 32 ms each: the highest of them is told, about eight times a second."""
_FAILED = {
    "hearing": error_frame(
        "asr_transcription_error", "What you said could not be understood. Please say it again."
    ),
    "speaking": error_frame("tts_cascade_error", "The agent could not say this turn."),
}
"""Without the reason, which may name models and addresses: those stand in the server's log."""


class CallFrames:
    """Frames of one voice call, in the order that every client can follow."""

    def __init__(self, output: AudioFormat, extras: Extras = NO_EXTRAS) -> None:
        self._output: AudioFormat = output
        self._extras = extras
        self._encoder: tuple[int, AudioEncoder] | None = None
        """Of the turn that is being said."""
        self._waiting: UserTurn | None = None
        """The user may still go on with it, and it is told once."""
        self._turn: TurnFrames | None = None
        self._last_event_id = 0
        self._scores: list[float] = []

    def frames(self, event: CallEvent) -> Iterator[ServerMessage]:
        """What the client is told of `event`."""
        match event:
            case VoiceScore(probability=probability):
                yield from self._score(probability)
            case TentativeUserText(text=text):
                told = TranscriptionEvent(user_transcript=text, event_id=self._last_event_id)
                yield TentativeUserTranscript(tentative_user_transcription_event=told)
            case UserTurn():
                if not event.amends:
                    yield from self._user_turn()
                self._last_event_id = event.event_id
                self._waiting = event
            case DuringTurn(event=RetrievalDone()):
                yield from self._during(event)
            case _:
                yield from self._user_turn()
                yield from self._of_agent(event)

    def _of_agent(self, event: CallEvent) -> Iterator[ServerMessage]:
        match event:
            case AgentText(event_id=event_id, text=text):
                self._last_event_id = event_id
                said = AgentResponseEvent(agent_response=text, event_id=event_id)
                yield AgentResponse(agent_response_event=said)
            case AgentAudio():
                yield from self._audio(event)
            case Interrupted(event_id=event_id):
                self._encoder = None
                yield Interruption(interruption_event=InterruptionEvent(event_id=event_id))
            case AgentTextCorrected(event_id=event_id, original=original, corrected=corrected):
                yield AgentResponseCorrection(
                    agent_response_correction_event=CorrectionEvent(
                        original_agent_response=original,
                        corrected_agent_response=corrected,
                        event_id=event_id,
                    )
                )
            case DuringTurn():
                yield from self._during(event)
            case SpeechFailed(side=side):
                yield _FAILED[side]
            case _:
                return

    def _score(self, probability: float) -> Iterator[ServerMessage]:
        self._scores.append(probability)
        if len(self._scores) >= FRAMES_PER_SCORE:
            highest = round(max(self._scores), 3)
            self._scores.clear()
            yield VadScore(vad_score_event=VadScoreEvent(vad_score=highest))

    def _user_turn(self) -> Iterator[ServerMessage]:
        turn, self._waiting = self._waiting, None
        if turn is not None:
            told = TranscriptionEvent(user_transcript=turn.text, event_id=turn.event_id)
            yield UserTranscript(user_transcription_event=told)

    def _audio(self, event: AgentAudio) -> Iterator[ServerMessage]:
        if self._encoder is None or self._encoder[0] != event.event_id:
            yield from self._end_of_sound()
            self._encoder = (event.event_id, AudioEncoder(self._output))
        self._last_event_id = event.event_id
        data = self._encoder[1].encode(event.samples)
        if data:
            yield _audio_frame(event.event_id, data, alignment_of(event.alignment))

    def _end_of_sound(self) -> Iterator[ServerMessage]:
        """The last millisecond, which the filter of another rate held back."""
        if self._encoder is not None:
            event_id, encoder = self._encoder
            self._encoder = None
            if rest := encoder.finish():
                yield _audio_frame(event_id, rest, None)

    def _during(self, event: DuringTurn) -> Iterator[ServerMessage]:
        if self._turn is None or self._turn.event_id != event.event_id:
            self._turn = TurnFrames(event.event_id, self._extras, is_spoken=True)
        if isinstance(event.event, AgentTurn):
            yield from self._end_of_sound()
        yield from self._turn.frames(event.event)


def alignment_of(timed: Sequence[TimedChars]) -> Alignment | None:
    """Times of single characters, in whole milliseconds; None where none are known.

    Characters that are timed together share their time equally, and what is rounded never adds up
    to more than it was.
    """
    chars: list[str] = []
    starts: list[int] = []
    durations: list[int] = []
    for group in timed:
        count = len(group.chars)
        edges = [
            round((group.start_s + group.duration_s * at / count) * 1_000)
            for at in range(count + 1)
            if count
        ]
        chars += group.chars
        starts += edges[:-1]
        durations += [end - start for start, end in pairwise(edges)]
    if not chars:
        return None
    return Alignment(
        chars=tuple(chars), char_start_times_ms=tuple(starts), char_durations_ms=tuple(durations)
    )


def _audio_frame(event_id: int, data: bytes, alignment: Alignment | None) -> Audio:
    return Audio(
        audio_event=AudioEvent(
            audio_base_64=to_base64(data), event_id=event_id, alignment=alignment
        )
    )
