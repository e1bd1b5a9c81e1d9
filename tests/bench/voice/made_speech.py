"""What users say to a bench: made by Kokoro's four further voices, the same every time."""

import asyncio
import subprocess
import sys
from functools import cache

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.audio import resampled
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.speaking.open_speech import open_speech
from tests.bench.places import store
from tests.bench.voice.speech_data import Clip

USERS = ("heart", "michael", "emma", "george")
"""None of them is the agent, who speaks as `joe`."""
BACKCHANNELS = (
    "Okay.",
    "Yeah.",
    "Mhm.",
    "Uh-huh.",
    "Right.",
    "I see.",
    "Sure.",
    "Yes.",
    "Got it.",
    "All right.",
)
INTERRUPTIONS = (
    "Wait, what about the price?",
    "No, that is not what I asked.",
    "Stop.",
    "Hold on a second.",
    "Sorry, can I ask something else?",
    "How much does it cost?",
    "I already tried that.",
    "Can you say that again?",
    "No, I mean the other one.",
    "What about my invoice?",
)
QUESTIONS = (
    "How many documents can I add to one agent?",
    "Which file formats can I use?",
    "What does it cost?",
    "How do I delete my data?",
    "Can I use my own language model?",
    "Is there a limit on the size of a file?",
    "Where are my conversations stored?",
    "How do I start the server?",
    "Does it work without the internet?",
    "Who can read my recordings?",
)
UNFINISHED = (
    "I would like to know whether...",
    "Can you tell me if the...",
    "My problem is that I...",
    "So what I want to do is...",
    "When I open the settings and...",
    "The thing that I need from you is...",
    "Is there any way to get my...",
    "I think that my last invoice was...",
    "Could you look up the...",
    "We have about twenty people and...",
)
"""Said by themselves, with the melody of somebody who will go on."""


def unfinished() -> list[Clip]:
    """Twenty: ten beginnings, by two voices each."""
    pairs = zip(UNFINISHED * 2, USERS * (2 * len(UNFINISHED) // len(USERS)), strict=True)
    return [said(text, user) for text, user in pairs]


def backchannels() -> list[Clip]:
    """Forty: ten ways to say go on, by four voices."""
    return [said(text, user) for text in BACKCHANNELS for user in USERS]


def interruptions() -> list[Clip]:
    """Forty: ten ways to take the turn, by four voices."""
    return [said(text, user) for text in INTERRUPTIONS for user in USERS]


def questions() -> list[Clip]:
    """Ten, by four voices in turn."""
    return [said(text, USERS[n % len(USERS)]) for n, text in enumerate(QUESTIONS)]


def said(text: str, user: str) -> Clip:
    """The sound of `text` at the rate of ears; made once and kept."""
    kept = store() / "speech" / f"{user}-{''.join(c if c.isalnum() else '-' for c in text)}.npy"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, asyncio.run(_made(text, user)))
    return Clip(f"{user}: {text}", np.load(kept), text)


async def _made(text: str, user: str) -> Samples:
    voice = _voice(user)
    chunks = [chunk.samples async for chunk in voice.speak(text, language="en")]
    return resampled(np.concatenate(chunks), from_hz=voice.sample_rate_hz, to_hz=SAMPLE_RATE_HZ)


@cache
def _voice(user: str):
    return open_speech(VoiceSection(voice_id=user), language="en", runner=ModelRunner(1))


def make_all() -> None:
    """Make what is missing in a process of its own: its voices take memory that is no caller's."""
    subprocess.run([sys.executable, "-m", "tests.bench.voice.made_speech"], check=True)


if __name__ == "__main__":
    for _make in (backchannels, interruptions, questions, unfinished):
        _make()
