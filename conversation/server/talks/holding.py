"""Holds a conversation that was let in: by text or by voice, from the metadata to the end."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.errors import ConversationError, SpeechError
from conversation.server.context import ServerContext
from conversation.server.library.held_files import MAX_SAID_CHARS
from conversation.server.socket.actions import Action, Rate, Refuse, Say, SayFiles
from conversation.server.socket.extra_frames import resumed
from conversation.server.socket.frame_meaning import (
    Extras,
    Sound,
)
from conversation.server.socket.frames import UserAudio, read_frame
from conversation.server.socket.initiation import Wishes
from conversation.server.socket.refusals import (
    FILES_TOO_LONG,
    NO_FILES,
    NO_VOICE,
    VOICE_DOWN,
    nothing_follows,
)
from conversation.server.socket.resuming import OpenTalk
from conversation.server.socket.sound.call_meaning import CallFrames
from conversation.server.socket.sound.voice_talk import VoiceTalk
from conversation.server.socket.talk import Ending, Talk, Wire
from conversation.session.session import Session
from conversation.voice.audio import AudioDecoder, audio_format
from conversation.voice.call import VoiceCall
from conversation.voice.recording.call_file import CallFile

MAX_EARLY_FRAMES = 256
"""Kept from before the conversation begins: some clients send audio at once."""

_SETTLES = "js_sdk"
"""As `@elevenlabs/client` names itself."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A conversation that may begin or go on, and its client."""

    wire: Wire
    opened: OpenTalk
    asked: Wishes
    extras: Extras
    early: Sequence[str | bytes | None]
    """Frames that came before the conversation began."""

    @property
    def is_resumed(self) -> bool:
        """Whether it was held before, over another socket."""
        return self.asked.resume_id is not None

    @property
    def may_come_back(self) -> bool:
        """Whether a client that lost its network may go on."""
        return self.opened.key is not None


async def hold(admitted: Admitted, context: ServerContext, afterwards: AsyncExitStack) -> Ending:
    """Hold the conversation; the session has ended when this returns, or waits for its client.

    Args:
        admitted: The conversation.
        context: Of the server.
        afterwards: Takes what is to be done when the socket is closed.
    """
    opened, session = admitted.opened, admitted.opened.driver.session
    ending, keeps = Ending("connection_lost", None), False
    began_s = context.timer_s()
    afterwards.push_async_callback(asyncio.to_thread, _make_recording_smaller, session, context)
    try:
        sound = await asyncio.to_thread(_sound_of, context, session.agent, admitted.asked)
        opened.dialogue.go_on(sound)
        held = _by_voice if sound.is_heard else _by_text
        ending, is_kept = await held(admitted, sound, context, afterwards)
        keeps = is_kept and not context.stopping
        return ending
    finally:
        if not keeps:
            # Ends it also when the client went away before the first frame.
            await asyncio.to_thread(session.end, ending.reason)
        context.resumptions.release(opened, keeps=keeps)
        _log.info(
            "conversation %s of agent %s ended: %s, %d turns, %.1f s",
            session.conversation_id,
            session.agent.agent_id,
            ending.reason,
            len(session.transcript.turns),
            context.timer_s() - began_s,
        )


def _sound_of(context: ServerContext, agent: AgentConfig, asked: Wishes) -> Sound:
    """What becomes of the client's microphone, and which formats it is told.

    Loads the models of the agent's voice, so call it from a thread.
    """
    if asked.text_only:
        return Sound(refusal=None)
    if agent.voice is None:
        return Sound(refusal=NO_VOICE)
    return Sound(
        input_format=agent.voice.input_format,
        output_format=agent.voice.output_format,
        is_heard=_can_be_heard(context, agent),
        refusal=VOICE_DOWN,
    )


async def _by_text(
    admitted: Admitted, _sound: Sound, context: ServerContext, afterwards: AsyncExitStack
) -> tuple[Ending, bool]:
    wire, opened = admitted.wire, admitted.opened
    talk = Talk(wire, opened.driver, extras=admitted.extras, **_shared(admitted, context))
    _note_talk(talk, admitted, context, afterwards)
    await _open(admitted, context.limits.settle_s)
    session = opened.driver.session
    if session.first_message and not admitted.is_resumed:
        first = session.transcript.turns[0].turn_id
        await wire.send(opened.dialogue.said(session.first_message, first))
    ending = await talk.hold(admitted.early, may_come_back=admitted.may_come_back)
    return ending, talk.is_kept


async def _by_voice(
    admitted: Admitted, sound: Sound, context: ServerContext, afterwards: AsyncExitStack
) -> tuple[Ending, bool]:
    wire, opened, voices = admitted.wire, admitted.opened, context.voices
    if voices is None:
        raise SpeechError("the server has no voices")
    session = opened.driver.session
    recording = await asyncio.to_thread(_begin_recording, session, context)
    if recording is not None:
        afterwards.push_async_callback(
            asyncio.to_thread, _close_recording, session, context, recording
        )
    await _open(admitted, context.limits.settle_s)
    early = await _until_heard(admitted, context.limits.first_sound_timeout_s)
    call = VoiceCall(
        lambda: opened.driver,
        voices.models,
        recorder=recording,
        new_event_id=opened.dialogue.next_event_id,
        goes_on_after_s=_age_s(session, context) if admitted.is_resumed else None,
    )
    async with call:
        talk = VoiceTalk(
            wire,
            call,
            frames=CallFrames(audio_format(sound.output_format), admitted.extras),
            decoder=AudioDecoder(audio_format(sound.input_format)),
            **_shared(admitted, context),
        )
        _note_talk(talk, admitted, context, afterwards)
        ending = await talk.hold(early, may_come_back=admitted.may_come_back)
    return ending, talk.is_kept


async def _open(admitted: Admitted, settle_s: float) -> None:
    """Say what the conversation is called, what of the client's wishes has no effect, and so on.

    `@elevenlabs/client` listens anew once it knows the name; in Node it loses the frames that came
    in one piece with it, and with them what the agent says first.
    """
    wire, opened = admitted.wire, admitted.opened
    await wire.send(opened.dialogue.opening(opened.conversation_id))
    if admitted.asked.metadata.get("client") == _SETTLES:
        await asyncio.sleep(settle_s)
    if admitted.asked.without_effect and not admitted.is_resumed:
        await wire.send(nothing_follows(admitted.asked.without_effect))
    await _tell_what_was_said(admitted)


async def _until_heard(admitted: Admitted, timeout_s: float) -> list[str | bytes | None]:
    """Frames that came before the agent may speak, of clients that lose what comes too early.

    `@11labs/client` before 0.0.5 drops everything between the metadata and the moment when its
    sound is set up, which is when the microphone begins. It tells no name, as later ones do.
    """
    early = list(admitted.early)
    if admitted.is_resumed or "client" in admitted.asked.metadata:
        return early
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            is_heard = any(map(_is_sound, early))
            while not is_heard and len(early) < MAX_EARLY_FRAMES:
                early.append(await admitted.wire.receive())
                is_heard = _is_sound(early[-1])
    return early


def _is_sound(frame: str | bytes | None) -> bool:
    return isinstance(read_frame(frame), UserAudio)


def _age_s(session: Session, context: ServerContext) -> float:
    started_at = session.transcript.started_at
    return 0.0 if started_at is None else (context.clock() - started_at).total_seconds()


async def _tell_what_was_said(admitted: Admitted) -> None:
    """All that was said before the client left, for its display."""
    if admitted.is_resumed:
        opened = admitted.opened
        turns = opened.driver.session.transcript.turns
        await admitted.wire.send(resumed(turns, opened.dialogue.event_ids()))


def _shared(admitted: Admitted, context: ServerContext) -> dict[str, Any]:
    opened = admitted.opened
    return {
        "dialogue": opened.dialogue,
        "tools": opened.tools,
        "limits": context.limits,
        "timer_s": context.timer_s,
        "keep_feedback": partial(_keep_feedback, context, opened.conversation_id),
        "with_files": partial(_with_files, context, opened.conversation_id),
    }


def _with_files(context: ServerContext, conversation_id: str, said: SayFiles) -> Action:
    """The turn of a message that names files: its text, then theirs."""
    files = context.files.take(conversation_id, said.file_ids)
    if not files:
        return Refuse(NO_FILES)
    if sum(len(each.text) for each in files) > MAX_SAID_CHARS:
        return Refuse(FILES_TOO_LONG)
    text = "\n\n".join(filter(None, (said.text, *(each.said for each in files))))
    return Say(text, tuple(each.of_turn for each in files))


def _note_talk(
    talk: Talk, admitted: Admitted, context: ServerContext, afterwards: AsyncExitStack
) -> None:
    """A server that stops waits for the talk, and for its socket to be closed."""
    context.talks.add(talk)
    afterwards.callback(context.talks.discard, talk)
    context.resumptions.hold(admitted.opened, talk.let_go)


def _can_be_heard(context: ServerContext, agent: AgentConfig) -> bool:
    if context.voices is None or not context.has_voice_for(agent):
        return False
    try:
        context.voices.models(agent)
    except SpeechError as error:
        _log.error("agent %s cannot be heard: %s", agent.agent_id, error)
        return False
    return True


def _begin_recording(session: Session, context: ServerContext) -> CallFile | None:
    voice = session.agent.voice
    if voice is None or not voice.recording.keep or context.recordings is None:
        return None
    try:
        return context.recordings.begin(session.conversation_id)
    except (OSError, ConversationError) as error:
        # A full disk is no reason to hang up.
        _log.error("conversation %s is not recorded: %s", session.conversation_id, error)
        return None


def _close_recording(session: Session, context: ServerContext, recording: CallFile) -> None:
    recording.close()
    if recording.failure is not None:
        payload = {"error": recording.failure, "after_s": round(recording.length_s, 1)}
        context.store.add_event(
            session.conversation_id, "recording_failed", at=context.clock(), payload=payload
        )


def _make_recording_smaller(session: Session, context: ServerContext) -> None:
    """Once the conversation is over: one that waits for its client may be recorded on."""
    if context.recordings is not None and session.is_over:
        try:
            context.recordings.finish(session.conversation_id)
        except (OSError, ConversationError) as error:
            _log.error("recording of %s is not finished: %s", session.conversation_id, error)


def _keep_feedback(context: ServerContext, conversation_id: str, rate: Rate) -> None:
    context.store.add_event(
        conversation_id,
        "feedback",
        at=context.clock(),
        payload={"score": rate.score, "event_id": rate.event_id},
        turn_id=rate.turn_id,
    )
