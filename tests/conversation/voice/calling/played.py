"""Plays a call in virtual time: a script of the user against an agent, and what came of it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.llm.chat_model import DEFAULT_OPTIONS, ChatMessage, Completion, CompletionOptions
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from conversation.turn.events import AgentTurn
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import (
    AgentAudio,
    AgentText,
    AgentTextCorrected,
    CallEvent,
    CallOver,
    DuringTurn,
    Interrupted,
    TentativeUserText,
    UserTurn,
)
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from tests.conversation.voice.fakes import FakeModels, FakeRecorder, silence, spoken
from tests.fakes import ScriptedAnswer, ScriptedChatModel
from tests.virtual_time import run_in_virtual_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHUNK = 1_024
"""Of a microphone: 64 ms."""

Deed = tuple[float, Callable[[VoiceCall], Any]]
Step = tuple[float, Samples | Callable[[VoiceCall], Any]]
"""When, in seconds of the call, and the sound or what is done."""


def agent(**changes: Any) -> AgentConfig:
    """An agent with a voice."""
    voice = changes.pop("voice", {})
    return AgentConfig(
        agent_id="a",
        name="A",
        system_prompt="Answer.",
        voice=VoiceSection.model_validate(voice),
        **changes,
    )


class SlowChatModel(ScriptedChatModel):
    """Writes words at a pace."""

    def __init__(
        self, *answers: ScriptedAnswer, first_s: float = 0.3, word_s: float = 0.02, **more: Any
    ) -> None:
        super().__init__(*answers, **more)
        self.first_s = first_s
        self.word_s = word_s

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        await asyncio.sleep(self.first_s)
        async for piece in super().astream(messages, options):
            yield piece
            await asyncio.sleep(self.word_s)

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        await asyncio.sleep(self.first_s)
        return await super().acomplete(messages, options)


@dataclass
class Played:
    """A call that was played."""

    events: list[tuple[float, CallEvent]] = field(default_factory=list[tuple[float, CallEvent]])
    transcript: Transcript = field(default_factory=lambda: Transcript(conversation_id=""))
    """As it was stored."""
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    models: FakeModels = field(default_factory=FakeModels)
    prompts: list[str] = field(default_factory=list[str])

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def at_s(self, kind: type[Any], number: int = 0) -> float:
        return [at_s for at_s, event in self.events if isinstance(event, kind)][number]

    @property
    def kinds(self) -> list[str]:
        """Of the conversation's events."""
        events = shared_store().events(self.transcript.conversation_id)
        return [event.kind for event in events]

    @property
    def said(self) -> list[tuple[str, str]]:
        """Role and text of every turn."""
        return [(turn.role, turn.text) for turn in self.transcript.turns]

    @property
    def tentative(self) -> list[str]:
        return [event.text for event in self.of(TentativeUserText)]

    @property
    def reason(self) -> str:
        return self.events[-1][1].reason if isinstance(self.events[-1][1], CallOver) else ""

    def audio_of(self, event_id: int) -> Samples:
        parts = [each.samples for each in self.of(AgentAudio) if each.event_id == event_id]
        return np.concatenate(parts or [np.zeros(0, np.int16)])

    @property
    def agent_ids(self) -> list[int]:
        return list(dict.fromkeys(each.event_id for each in self.of(AgentAudio)))

    def first_audio_s(self, event_id: int) -> float:
        return next(
            at_s
            for at_s, event in self.events
            if isinstance(event, AgentAudio) and event.event_id == event_id
        )


_STORE: list[ConversationStore] = []


def shared_store() -> ConversationStore:
    """One store in memory for all: opening one takes longer than a call."""
    if not _STORE:
        _STORE.append(ConversationStore.open("sqlite://"))
    return _STORE[0]


def play(
    script: Sequence[Step],
    *answers: ScriptedAnswer,
    config: AgentConfig | None = None,
    models: FakeModels | None = None,
    model: ScriptedChatModel | None = None,
    lasts_s: float = 12.0,
    mutes: bool = False,
    reads_s: float = 0.0,
    **session: Any,
) -> Played:
    """The call that comes of a script.

    Args:
        script: Sound and deeds of the user; between them the microphone gives silence.
        answers: Of the language model.
        config: Of the agent.
        models: Behind the ports.
        model: In place of one that gives `answers` at once.
        lasts_s: When the user hangs up.
        mutes: Whether the microphone gives nothing where the user is silent.
        reads_s: How long whoever carries the sound takes for each event.
        session: What else `Session.start` takes.
    """
    played = Played(models=models or FakeModels())
    chat = model or SlowChatModel(*answers, always="Very well.")
    sound, deeds = laid_out(script, lasts_s)

    async def hold() -> None:
        loop = asyncio.get_running_loop()
        call = VoiceCall.start(
            config or agent(),
            models=played.models,
            recorder=played.recorder,
            chat_model=chat,
            store=shared_store(),
            clock=lambda: NOON + timedelta(seconds=loop.time()),
            new_id=lambda: f"{random.getrandbits(64):016x}",
            **session,
        )
        async with call:
            reading = asyncio.create_task(_read(call, played, reads_s))
            talking = asyncio.create_task(_talk(call, sound, deeds, mutes=mutes))
            await asyncio.wait([reading, talking], return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                talking.result()
                await call.end("user_ended")
            talking.cancel()
            await reading
            played.transcript = await call.end()

    run_in_virtual_time(hold())
    played.prompts = chat.prompt_texts
    return played


async def _read(call: VoiceCall, played: Played, takes_s: float) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    async for event in call.events():
        played.events.append((round(loop.time() - began_s, 4), event))
        if takes_s:
            await asyncio.sleep(takes_s)


async def _talk(call: VoiceCall, sound: Samples, deeds: list[Deed], *, mutes: bool) -> None:
    for start in range(0, len(sound), CHUNK):
        await asyncio.sleep(CHUNK / SAMPLE_RATE_HZ)
        chunk = sound[start : start + CHUNK]
        if not mutes or chunk.any():
            call.hear(chunk)
        while deeds and deeds[0][0] * SAMPLE_RATE_HZ <= start + CHUNK:
            done = deeds.pop(0)[1](call)
            if asyncio.iscoroutine(done):
                await done


def laid_out(script: Sequence[Step], lasts_s: float) -> tuple[Samples, list[Deed]]:
    """The microphone's sound, and what is done beside it in order of time."""
    sound = silence(lasts_s)
    deeds: list[Deed] = []
    for at_s, what in script:
        if callable(what):
            deeds.append((at_s, what))
            continue
        start = round(at_s * SAMPLE_RATE_HZ)
        sound[start : start + len(what)] = what[: len(sound) - start]
    return sound, sorted(deeds, key=lambda deed: deed[0])


def says(at_s: float, text: str) -> Step:
    """The user says something."""
    return at_s, spoken(text)


def check(played: Played) -> None:
    """What holds of every call, whatever happens in it."""
    events = [event for _, event in played.events]
    assert [isinstance(event, CallOver) for event in events].index(True) == len(events) - 1
    assert played.recorder.is_closed
    _check_ids(events)
    _check_sound(played)
    _check_texts(played, events)


def _check_ids(events: Sequence[CallEvent]) -> None:
    silenced: set[int] = set()
    newest = 0
    for event in events:
        if isinstance(event, AgentAudio | UserTurn):
            assert event.event_id not in silenced, "a turn is heard after it was interrupted"
            assert event.event_id >= newest, "ids grow"
            newest = event.event_id
        elif isinstance(event, Interrupted):
            assert event.event_id not in silenced
            silenced.add(event.event_id)


def _check_sound(played: Played) -> None:
    for audio in played.of(AgentAudio):
        assert 0 < len(audio.samples) <= 0.1 * SAMPLE_RATE_HZ
    for event_id in played.agent_ids:
        steps = np.diff(played.audio_of(event_id).astype(int))
        assert ((steps == 1) | (steps == -19_999)).all(), "every sample once and in order"


def _check_texts(played: Played, events: Sequence[CallEvent]) -> None:
    told = [event.event_id for event in events if isinstance(event, AgentText)]
    assert len(set(told)) == len(told), "a text is told once"
    corrected: dict[int, str] = {}
    for event in events:
        if isinstance(event, AgentTextCorrected):
            assert event.original.startswith(event.corrected), "what was heard is a prefix"
            corrected[event.event_id] = event.corrected
        if isinstance(event, DuringTurn) and isinstance(event.event, AgentTurn):
            heard = event.event.text
            assert corrected.get(event.event_id, heard) == heard
    for turn in played.transcript.turns:
        assert (turn.generated_text or turn.text).startswith(turn.text)
