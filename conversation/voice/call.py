"""One voice call: sound in, events out. The agent listens, answers, and yields when it must.

    async with VoiceCall.start(agent, knowledge_base=kb) as call:
        call.hear(pcm)                       # from a microphone, as it comes
        async for event in call.events():    # `AgentAudio` is to be played at once
            ...

The call keeps the time of the running event loop. Sound is given out when it is to be sent, at
most a quarter of a second before it plays; whoever carries it must not stop reading events.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import said_in
from conversation.errors import SessionEndedError, SpeechError
from conversation.grounding.passages import PassageSource
from conversation.language.set_sentences import NOT_HEARD, in_words_of
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.transcript import Transcript, TurnFile
from conversation.voice.call_events import CallEvent, CallOver, SpeechFailed
from conversation.voice.calling.answering import Answering
from conversation.voice.calling.call_time import CallTime
from conversation.voice.calling.ears import GAP_S, Ears, Frame
from conversation.voice.calling.listening import Listening
from conversation.voice.calling.mouth import LEAD_S, Mouth
from conversation.voice.calling.outbox import Outbox
from conversation.voice.calling.round_trips import RoundTrips
from conversation.voice.pcm_bytes import PcmBytes
from conversation.voice.ports import CallModels, CallRecorder, Samples, SpeechSynthesizer
from conversation.voice.turns.endpointing import FRAME_S

_log = logging.getLogger(__name__)

OpenModels = Callable[[AgentConfig], CallModels]


class VoiceCall:
    """A conversation that is heard. Make it with `VoiceCall.start`, and enter it with `async with`.

    Every method is for the thread of the event loop, and none but `end` waits for anything.
    """

    def __init__(
        self,
        open_driver: Callable[[], SessionDriver],
        open_models: OpenModels,
        *,
        recorder: CallRecorder | None = None,
        new_event_id: Callable[[], int] | None = None,
        goes_on_after_s: float | None = None,
    ) -> None:
        """A call that is not open yet; servers that have a session already make it like this.

        Args:
            open_driver: Starts or hands over the session; called in a thread.
            open_models: The models of an agent; called in a thread, and again after a transfer.
            recorder: Keeps the sound.
            new_event_id: Greater than every id before; None counts from 1.
            goes_on_after_s: Of a session that was held before, without this sound: how old it is.
                The time of the call begins there, and nothing is said until the user speaks.
        """
        self._goes_on_after_s = goes_on_after_s
        self._open_driver = open_driver
        self._open_models = open_models
        self._recorder = recorder
        self._new_event_id = new_event_id or itertools.count(1).__next__
        self._heard: asyncio.Queue[Samples] = asyncio.Queue()
        self._pcm = PcmBytes()
        self._trips = RoundTrips()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stays = asyncio.Event()
        self._taking_over: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[Transcript] | None = None

    @classmethod
    def start(
        cls,
        agent: AgentConfig | Path | str,
        *,
        knowledge_base: PassageSource | None = None,
        models: CallModels | None = None,
        recorder: CallRecorder | None = None,
        open_models: OpenModels | None = None,
        new_event_id: Callable[[], int] | None = None,
        **session: Any,
    ) -> Self:
        """A call of its own with the agent.

        Args:
            agent: A configuration, or the path of an agent file.
            knowledge_base: What it answers from; needed when it lists documents.
            models: What hears and speaks; None opens those that the agent's `voice` names.
            recorder: Keeps the sound.
            open_models: The models of an agent that takes over; None keeps those of the first.
            new_event_id: Greater than every id before; None counts from 1.
            **session: What else `Session.start` takes.

        Raises:
            SpeechError: On entering: a model of the voice cannot be used.
            ConversationError: On entering: as of `Session.start`.
        """
        loop_time = asyncio.get_running_loop().time
        folder = Path() if isinstance(agent, AgentConfig) else Path(agent).parent

        def open_driver() -> SessionDriver:
            opened = Session.start(
                agent, knowledge_base=knowledge_base, timer_s=loop_time, **session
            )
            return SessionDriver(opened, clock=loop_time)

        def models_of(config: AgentConfig) -> CallModels:
            if models is not None:
                return models
            from conversation.voice.open_voice import open_voice_of

            return open_voice_of(config, folder=folder, weights=session.get("weights"))

        return cls(
            open_driver, open_models or models_of, recorder=recorder, new_event_id=new_event_id
        )

    async def __aenter__(self) -> Self:
        self.driver = await asyncio.to_thread(self._open_driver)
        self.session = self.driver.session
        self.session.ends_when_heard = True
        try:
            self._models = await asyncio.to_thread(self._open_models, self.session.agent)
            self._begin()
        except BaseException:
            await asyncio.to_thread(self.driver.end, "failed")
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end("user_ended" if error is None else "failed")

    def hear(self, sound: bytes | Samples) -> None:
        """Sound of the user's microphone: 16-bit little-endian mono at 16 kHz, of any length."""
        if isinstance(sound, bytes):
            sound = self._pcm.samples(sound)
        if len(sound):
            self._heard.put_nowait(sound)

    def say(self, text: str, *, files: Sequence[TurnFile] = ()) -> None:
        """The user writes instead of speaking; what the agent says is interrupted."""
        if text.strip() and self._ending is None:
            self._answering.answer(text, files=files)

    def note(self, text: str, *, key: str | None = None) -> None:
        """Tell the agent something about the user, as `Session.note` does."""
        self.driver.user_active()
        self._spawn(self._note(text, key))

    def interrupt(self) -> None:
        """The user stops the agent without saying anything, e.g. with a key."""
        self._answering.interrupt()

    def ping(self, round_trip_ms: float) -> None:
        """How long the client's answer to a ping took: sound is sent earlier when that varies."""
        self._trips.took(round_trip_ms)

    @property
    def is_idle(self) -> bool:
        """Whether nobody speaks or has anything to say, and all that came in was heard."""
        is_waiting = self._heard.qsize() > 1
        return not (is_waiting or self._listening.is_open or self._answering.current is not None)

    async def events(self) -> AsyncIterator[CallEvent]:
        """Everything that happens, until `CallOver`. For one reader, which must keep up."""
        async for event in self._outbox.events():
            yield event

    async def end(self, reason: str = "user_ended") -> Transcript:
        """End the call; ending it again changes nothing. What was not heard counts as not said."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(reason))
        return await asyncio.shield(self._ending)

    async def leave(self) -> None:
        """End the call, but not the conversation, which goes on without it."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(None))
        await asyncio.shield(self._ending)

    def _begin(self) -> None:
        self._time = CallTime(self._goes_on_after_s or 0.0)
        self._outbox = Outbox()
        self._ears = Ears(self._models.new_detector(), time=self._time, recorder=self._recorder)
        self._answering = Answering(
            self.driver,
            new_mouth=self._new_mouth,
            new_event_id=self._new_event_id,
            outbox=self._outbox,
            time=self._time,
            handed_over=self._hand_over,
            left=self._leave,
            stays=self._stays.set,
        )
        self._listening = Listening(
            self._ears,
            self._answering,
            models=lambda: self._models,
            language=self._language,
            outbox=self._outbox,
            time=self._time,
            user_active=self.driver.user_active,
            not_heard=lambda: self._spawn(self._ask_back()),
        )
        self._spawn(self._listen())
        self._spawn(self._open())

    def _language(self) -> str:
        return self.session.agent.language

    def _new_mouth(self, event_id: int) -> Mouth:
        return Mouth(
            event_id,
            language=self._language,
            voice=self._voice,
            outbox=self._outbox,
            time=self._time,
            recorder=self._recorder,
            lead_s=lambda: LEAD_S + self._trips.jitter_s,
        )

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # its message may quote what was said
            _log.error(
                "call %s: %s", self.session.conversation_id, type(error).__name__, exc_info=None
            )
            self._leave("failed")

    async def _open(self) -> None:
        recording = self._answering.voice.recording
        # Nothing is announced that does not happen.
        is_kept = self._recorder is not None
        announcement = said_in(recording.announce, self._language()) if is_kept else ""
        if announcement:
            payload = {"text": announcement}
            await asyncio.to_thread(self.session.add_event, "recording_announced", payload)
        self._answering.open(announcement, is_new=self._goes_on_after_s is None)
        while not self.session.is_over:
            async for said in self.driver.arun(self._before_acting):
                lasts = self.session.leaving != "max_duration"
                self._answering.say(said, is_interruptible=lasts)
            if self.session.leaving is not None and self._answering.current is None:
                self._leave(self.session.leaving)
            self._stays.clear()
            await self._stays.wait()

    async def _before_acting(self) -> None:
        """The agent acts of its own accord: what it still says is over."""
        self._answering.interrupt()
        await self._answering.settled()

    async def _listen(self) -> None:
        while True:
            samples = await self._next_sound()
            frames = self._ears.silence() if samples is None else self._ears.hear(samples)
            for frame in frames:
                await self._keep_pace(frame)
                self._listening.hear(frame)

    async def _next_sound(self) -> Samples | None:
        """What the microphone gives next; None when it should have given something."""
        while self._listening.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(GAP_S):
                    return await self._heard.get()
            if self._time.now_s - self._ears.position_s > GAP_S:
                return None
        return await self._heard.get()

    async def _keep_pace(self, frame: Frame) -> None:
        """Sound that is ahead, e.g. of a file, is heard as it would be from a microphone."""
        ahead_s = frame.at_s + FRAME_S - self._time.now_s
        if ahead_s <= GAP_S:
            return
        if self._listening.is_open or self._answering.current is not None:
            await asyncio.sleep(ahead_s)
        else:
            self._time.is_at(frame.at_s + FRAME_S)
            await asyncio.sleep(0)

    def _hand_over(self) -> None:
        self._taking_over = asyncio.create_task(self._take_over())
        self._tasks.add(self._taking_over)
        self._taking_over.add_done_callback(self._done)

    async def _take_over(self) -> None:
        """Give the agent that has taken over the models of its own; those of the first will do."""
        try:
            self._models = await asyncio.to_thread(self._open_models, self.session.agent)
        except SpeechError as error:
            self._outbox.tell(SpeechFailed("speaking", str(error)))

    async def _voice(self) -> SpeechSynthesizer:
        """What speaks now; another agent is waited for, so that it speaks with its own voice."""
        if self._taking_over is not None:
            await asyncio.wait([self._taking_over])
        return self._models.synthesizer

    async def _ask_back(self) -> None:
        words = in_words_of(self._language(), NOT_HEARD)
        with suppress(SessionEndedError):
            self._answering.say(await asyncio.to_thread(self.session.say, words))

    async def _note(self, text: str, key: str | None) -> None:
        with suppress(SessionEndedError):
            await asyncio.to_thread(self.session.note, text, key=key)

    def _leave(self, reason: str) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(reason))

    async def _end(self, reason: str | None) -> Transcript:
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._answering.close()
            if reason is None:
                self.session.ends_when_heard = False
                return self.session.transcript
            transcript = await asyncio.to_thread(self.driver.end, reason)
            reason = transcript.end_reason or reason
            return transcript
        finally:
            if self._recorder is not None:
                self._recorder.close()
            self._outbox.tell(CallOver(reason or "left"))
