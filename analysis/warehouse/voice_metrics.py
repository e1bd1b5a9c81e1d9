"""What can be measured of a conversation that was spoken: who spoke how long, waits, cut-offs."""

import math
from collections.abc import Sequence

from conversation.transcript import Turn, TurnSound

CUT_OFF_WITHIN_S = 1.5
"""A user who speaks again so soon after the agent began had not finished."""


def agent_talk_share(turns: Sequence[Turn]) -> float | None:
    """The agent's part of all time that was spoken; None without sound."""
    spoken = {
        role: math.fsum(
            sound.end_s - sound.start_s
            for turn in turns
            if turn.role == role and (sound := turn.sound) is not None
        )
        for role in ("user", "agent")
    }
    together = spoken["user"] + spoken["agent"]
    return spoken["agent"] / together if together else None


def silence_s(turns: Sequence[Turn]) -> float | None:
    """Seconds between first and last word in which nobody spoke; None if a turn was written."""
    sounds = [turn.sound for turn in turns if turn.sound is not None]
    if not sounds or len(sounds) < len(turns):
        return None
    silence, until_s = 0.0, sounds[0].end_s
    for sound in sorted(sounds, key=lambda each: each.start_s):
        silence += max(0.0, sound.start_s - until_s)
        until_s = max(until_s, sound.end_s)
    return silence


def first_audio_ms(turns: Sequence[Turn]) -> list[float]:
    """From the end of the user's speech to the agent's first sound, where it was measured."""
    return [
        ms
        for turn in turns
        if turn.sound is not None and (ms := turn.sound.speech_end_to_first_audio_ms) is not None
    ]


def cut_off_turns(turns: Sequence[Turn]) -> list[int]:
    """Positions of user turns that the agent took for over while the user had more to say."""
    return [
        index
        for index, (said, answer, more) in enumerate(zip(turns, turns[1:], turns[2:], strict=False))
        if (said.role, answer.role, more.role) == ("user", "agent", "user")
        and answer.interrupted
        and _goes_on(said.sound, answer.sound, more.sound)
    ]


def _goes_on(said: TurnSound | None, answer: TurnSound | None, more: TurnSound | None) -> bool:
    if said is None or answer is None or more is None:
        return False
    return more.start_s - answer.start_s <= CUT_OFF_WITHIN_S
