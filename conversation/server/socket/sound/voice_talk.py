"""One voice conversation on a socket: the user's microphone in, the agent's voice out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from conversation.server.limits import ServerLimits
from conversation.server.socket.actions import Action, Hear, RoundTrip, Say, SayFiles
from conversation.server.socket.client_tools import ClientTools
from conversation.server.socket.frame_meaning import Dialogue
from conversation.server.socket.sound.call_meaning import CallFrames
from conversation.server.socket.talk import TOO_FAST, Talk, Wire
from conversation.turn.events import AgentTurn, ToolRequest
from conversation.voice.audio import AudioDecoder
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import (
    AgentAudio,
    AgentText,
    CallEvent,
    CallOver,
    DuringTurn,
    SpeechFailed,
    UserTurn,
)
from conversation.voice.ports import SAMPLE_RATE_HZ

MAX_AHEAD_S = 30.0
"""Of sound, beyond the time that has passed: what is sent faster than that is not kept."""

_log = logging.getLogger(__name__)


class VoiceTalk(Talk):
    """A conversation that is heard, from the first frame after the metadata to the end."""

    def __init__(
        self,
        wire: Wire,
        call: VoiceCall,
        *,
        frames: CallFrames,
        decoder: AudioDecoder,
        dialogue: Dialogue,
        tools: ClientTools,
        limits: ServerLimits,
        timer_s: Callable[[], float],
        keep_feedback: Callable[[Any], object],
        with_files: Callable[[SayFiles], Action],
    ) -> None:
        super().__init__(
            wire,
            call.driver,
            dialogue=dialogue,
            tools=tools,
            limits=limits,
            timer_s=timer_s,
            keep_feedback=keep_feedback,
            with_files=with_files,
        )
        self._call = call
        self._call_frames = frames
        self._decoder = decoder
        self._began_s = timer_s()
        self._heard_s = 0.0
        self._is_too_fast = False
        """Whether the client was told so: a microphone sends thirty frames a second."""
        self._may_stop = asyncio.Event()

    def stop(self) -> None:
        """Finish the turn that is under way, then close: the server stops."""
        self._stopping = True
        if not self._speaking:
            self._may_stop.set()

    async def _do(self, action: Action) -> None:
        match action:
            case Hear(data=data):
                await self._listen_to(data)
            case RoundTrip(ms=ms):
                self._call.ping(ms)
            case _:
                await super()._do(action)

    async def _listen_to(self, data: bytes) -> None:
        samples = self._decoder.decode(data)
        ahead_s = self._heard_s - (self._timer_s() - self._began_s)
        if ahead_s > MAX_AHEAD_S:
            if not self._is_too_fast:
                self._is_too_fast = True
                await self._wire.send(TOO_FAST)
            return
        self._heard_s = max(self._heard_s, self._timer_s() - self._began_s)
        self._heard_s += len(samples) / SAMPLE_RATE_HZ
        self._call.hear(samples)

    async def _hear(self, said: Say) -> None:
        if self._turns.take(self._timer_s()):
            self._call.say(said.text, files=said.files)
        else:
            await self._wire.send(TOO_FAST)

    async def _interrupt(self) -> None:
        self._call.interrupt()

    async def _speak(self) -> None:
        async for event in self._call.events():
            await self._tell(event)
            if self._stopping and not self._speaking:
                return

    async def _tell(self, event: CallEvent) -> None:
        match event:
            case DuringTurn(event=ToolRequest(kind="client") as request):
                self._tools.expect(request.tool_call_id)
            case DuringTurn(event_id=event_id, event=AgentTurn(turn=turn)):
                self._speaking = False
                self._dialogue.remember(event_id, turn.turn_id)
                self._tools.forget()
            case AgentText(event_id=event_id):
                self._speaking = True
                self._remember_spoken(event_id)
            case UserTurn() | AgentAudio():
                self._speaking = True
            case SpeechFailed(side=side, message=message):
                _log.error(
                    "conversation %s: %s failed: %s", self._session.conversation_id, side, message
                )
            case CallOver():
                self._speaking = False
            case _:
                pass
        for frame in self._call_frames.frames(event):
            await self._wire.send(frame)

    def _remember_spoken(self, event_id: int) -> None:
        """A turn is rated while it is heard, too: by then it is stored, as its text is whole."""
        turns = self._session.transcript.turns
        if turns and turns[-1].role == "agent":
            self._dialogue.remember(event_id, turns[-1].turn_id)

    async def _keep_time(self) -> None:
        """The call keeps it; here only the server can end the wait."""
        await self._may_stop.wait()

    async def _leave(self) -> None:
        await self._call.leave()

    async def _close(self, reason: str) -> None:
        await self._call.end(reason)
