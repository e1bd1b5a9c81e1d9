"""Plays a recording into a call, as if it were the user's microphone."""

import asyncio
from collections.abc import Callable

import numpy as np

from conversation.voice.call import VoiceCall
from conversation.voice.call_events import CallEvent
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

CHUNK_S = 0.032
_CHUNK = round(CHUNK_S * SAMPLE_RATE_HZ)
QUIET_S = 1.0
"""So long nobody may have anything to say before the user hangs up."""


async def play_recording(
    call: VoiceCall,
    sound: Samples,
    *,
    is_fast: bool = False,
    tell: Callable[[CallEvent], object] = lambda _event: None,
) -> None:
    """Play `sound` to the agent, let it answer the last of it, and hang up.

    Args:
        call: An open call, whose events are read here.
        sound: At `SAMPLE_RATE_HZ`.
        is_fast: Whether pauses in which nobody has anything to do are passed over; else the
            recording takes as long as it is, as a microphone would.
        tell: Told of every event.
    """
    playing = asyncio.create_task(_play(call, sound, is_fast=is_fast))
    try:
        async for event in call.events():
            tell(event)
        if playing.done():
            playing.result()
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def _play(call: VoiceCall, sound: Samples, *, is_fast: bool) -> None:
    loop = asyncio.get_running_loop()
    if is_fast:
        call.hear(sound)
    else:
        began_s = loop.time()
        for number, start in enumerate(range(0, len(sound), _CHUNK), 1):
            await asyncio.sleep(began_s + number * CHUNK_S - loop.time())
            call.hear(sound[start : start + _CHUNK])
    quiet_s = 0.0
    while quiet_s < QUIET_S:
        await asyncio.sleep(CHUNK_S)
        call.hear(np.zeros(_CHUNK, dtype=np.int16))
        quiet_s = quiet_s + CHUNK_S if call.is_idle else 0.0
    await call.end("user_ended")
