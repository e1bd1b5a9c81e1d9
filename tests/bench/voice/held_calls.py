"""Whole calls with real models and a scripted user, on the clock of `cpu_time`."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import AgentAudio, CallEvent, Interrupted, UserTurn
from conversation.voice.open_voice import VoiceModels
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

CHUNK = 1_024
"""Of a microphone: 64 ms."""
ROOM = 6
"""Loudness of a quiet room, as a microphone gives it."""


@dataclass
class Held:
    """What happened, and when, in seconds of the call."""

    events: list[tuple[float, CallEvent]] = field(default_factory=list[tuple[float, CallEvent]])

    def of(self, kind: type[Any]) -> list[tuple[float, Any]]:
        """The events of a kind, with their times."""
        return [(at_s, event) for at_s, event in self.events if isinstance(event, kind)]

    def audio_after(self, moment_s: float) -> list[float]:
        """When sound was sent, from a moment on."""
        return [at_s for at_s, _ in self.of(AgentAudio) if at_s >= moment_s]

    def interrupted_after_s(self, moment_s: float, *, within_s: float) -> float | None:
        """How long after a moment the agent's turn was ended; None when it was not.

        The end of the call, when the user hangs up, is no interruption.
        """
        waits = (at_s - moment_s for at_s, _ in self.of(Interrupted) if at_s > moment_s)
        return next((wait_s for wait_s in waits if wait_s <= within_s), None)

    def answer_begins_s(self) -> float | None:
        """When the first sound of the answer to the first turn of the user was sent."""
        turns = self.of(UserTurn)
        if not turns:
            return None
        audio = self.audio_after(turns[0][0])
        return audio[0] if audio else None

    def longest_gap_s(self) -> float:
        """The longest silence inside an answer because its sound was late."""
        longest = 0.0
        plays_until: dict[int, float] = {}
        for at_s, audio in self.of(AgentAudio):
            until_s = plays_until.get(audio.event_id)
            if until_s is not None:
                longest = max(longest, at_s - until_s)
            begins_s = at_s if until_s is None else max(at_s, until_s)
            plays_until[audio.event_id] = begins_s + len(audio.samples) / SAMPLE_RATE_HZ
        return longest


def agent(**changes: Any) -> AgentConfig:
    """An agent with a voice."""
    return AgentConfig(
        agent_id="bench",
        name="Bench",
        system_prompt="Answer.",
        voice=VoiceSection(),
        **changes,
    )


async def hold(
    config: AgentConfig,
    models: VoiceModels,
    script: Sequence[tuple[float, Samples]],
    *,
    lasts_s: float,
    **session: Any,
) -> Held:
    """The call in which the user says each sound of `script` at its second."""
    held = Held()
    loop = asyncio.get_running_loop()
    async with VoiceCall.start(
        config, models=models, new_id=lambda: f"{random.getrandbits(64):016x}", **session
    ) as call:
        began_s = loop.time()

        async def read() -> None:
            async for event in call.events():
                held.events.append((loop.time() - began_s, event))

        reading = asyncio.create_task(read())
        sound = laid_out(script, lasts_s)
        for start in range(0, len(sound), CHUNK):
            await asyncio.sleep(CHUNK / SAMPLE_RATE_HZ)
            call.hear(sound[start : start + CHUNK])
        await call.end("user_ended")
        await reading
    return held


def laid_out(script: Sequence[tuple[float, Samples]], lasts_s: float) -> Samples:
    """What the microphone gives: a quiet room, and the sounds of the user."""
    noise = np.random.default_rng(5).normal(0, ROOM, int(lasts_s * SAMPLE_RATE_HZ))
    for at_s, samples in script:
        start = int(at_s * SAMPLE_RATE_HZ)
        noise[start : start + len(samples)] += samples[: len(noise) - start]
    return np.clip(noise, -32_768, 32_767).astype(np.int16)
