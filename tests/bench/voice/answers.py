"""Answers: from the end of a question to the first sound with a knowledge base, with a model that
is far away, and how well the record says what was heard of an answer that was interrupted.

    python -m tests.bench.voice answers
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    Completion,
    CompletionOptions,
)
from conversation.llm.providers.extractive import extractive_answer
from conversation.voice.call_events import AgentTextCorrected
from conversation.voice.open_voice import VoiceModels, open_voice
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from kb import KnowledgeBase
from tests.bench.figures import Figure, record
from tests.bench.retrieval import bench_config
from tests.bench.voice.calls import ANSWER, LONG_MESSAGE, SPEAKS_AT_S
from tests.bench.voice.cpu_time import CpuTimedRunner, run_on_cpu_time
from tests.bench.voice.held_calls import agent, hold
from tests.bench.voice.made_speech import interruptions, make_all, questions
from tests.bench.voice.speech_data import Clip, voice_ends_s
from tests.bench.voice.words import words
from tests.fakes import ScriptedChatModel

FIRST_TOKEN_S, TOKENS_PER_S = 0.3, 50
"""Of a language model of a provider."""
DOCUMENTS = {
    "limits": "You can add up to 500 documents to one agent. A file may have 10 megabytes.",
    "formats": "You can use PDF, Word, Markdown, HTML and plain text files.",
    "prices": "The free plan costs nothing. The team plan costs 49 dollars a month.",
    "privacy": "To delete your data, open the settings and choose Delete. It is gone at once.",
    "models": "You can use your own language model: name it in the agent file.",
    "storage": "Conversations are stored in a database on your own server.",
    "server": "To start the server, run the command serve. It works without the internet.",
    "recordings": "Only people with the key of an administrator can read recordings.",
}
_CASES = 10


class FarModel(ScriptedChatModel):
    """Writes as a provider's model does, in the time of the loop."""

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        await asyncio.sleep(FIRST_TOKEN_S)
        async for piece in super().astream(messages, options):
            yield piece
            await asyncio.sleep(1 / TOKENS_PER_S)


class HeardByUser:
    """Keeps what the user hears of the agent, by position."""

    def __init__(self) -> None:
        self.parts: list[tuple[float, Samples]] = []

    def heard(self, samples: Samples, at_s: float) -> None:
        """Not kept."""

    def said(self, samples: Samples, at_s: float) -> None:
        self.parts.append((at_s, samples))

    def cut(self, at_s: float) -> None:
        kept = [
            (at, each[: max(0, round((at_s - at) * SAMPLE_RATE_HZ))]) for at, each in self.parts
        ]
        self.parts = [(at, each) for at, each in kept if len(each)]

    def close(self) -> None:
        """Nothing to do."""

    def until(self, moment_s: float) -> Samples:
        """What was heard before a moment."""
        return np.concatenate([each for at, each in self.parts if at < moment_s])


def main() -> None:
    """Measure and print."""
    make_all()
    models = open_voice(VoiceSection(), language="en", runner=CpuTimedRunner())
    far = {"chat_model": FarModel(always=ANSWER)}
    run_on_cpu_time(_waited(models, questions()[0], far))  # what is made at the first run only
    _tell("remote model", [run_on_cpu_time(_waited(models, each, far)) for each in questions()])
    with (
        tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as folder,
        KnowledgeBase.open(Path(folder) / "kb", bench_config()) as base,
    ):
        base.add_texts(DOCUMENTS.items())
        base.retrieve("warm up")
        quoting = ScriptedChatModel(always=lambda messages, _options: extractive_answer(messages))
        own = {"knowledge_base": base, "chat_model": quoting}
        waits = [run_on_cpu_time(_waited(models, each, own)) for each in questions()]
    _tell("quotes of documents", waits)
    _heard_text(models)


def _tell(name: str, waits: Sequence[float | None]) -> None:
    known = [wait_s for wait_s in waits if wait_s is not None]
    p50, p95 = (float(np.percentile(known, q)) for q in (50, 95))
    print(f"{name}: first audio p50 {p50:.2f} s, p95 {p95:.2f} s (n={len(known)} of {len(waits)})")
    figures = [
        Figure(f"voice/{name}, first audio p50 s", p50, len(known)),
        Figure(f"voice/{name}, first audio p95 s", p95, len(known)),
    ]
    record("voice", figures)


async def _waited(models: VoiceModels, clip: Clip, given: dict[str, Any]) -> float | None:
    held = await hold(agent(), models, [(SPEAKS_AT_S, clip.samples)], lasts_s=12, **given)
    begins_s = held.answer_begins_s()
    return None if begins_s is None else begins_s - (SPEAKS_AT_S + voice_ends_s(clip))


def _heard_text(models: VoiceModels) -> None:
    """Words of the record against words that the ears find in what was heard."""
    differences: list[int] = []
    for number, clip in enumerate(interruptions()[:_CASES]):
        recorder = HeardByUser()
        at_s = SPEAKS_AT_S + 0.37 * number
        held = run_on_cpu_time(
            hold(
                agent(first_message=LONG_MESSAGE),
                models,
                [(at_s, clip.samples)],
                lasts_s=at_s + 4,
                chat_model=ScriptedChatModel(always=ANSWER),
                recorder=recorder,
            )
        )
        corrected = held.of(AgentTextCorrected)
        if not corrected:
            continue
        cut_s, correction = corrected[0]
        sound = recorder.until(cut_s)
        heard = run_on_cpu_time(_words_in(models, sound))
        differences.append(len(words(correction.corrected)) - heard)
    within = sum(abs(each) <= 1 for each in differences) / max(1, len(differences))
    print(f"heard text within a word: {within:.0%} of {len(differences)}; words off: {differences}")
    record("voice", [Figure("voice/heard text within a word", within, len(differences))])


async def _words_in(models: VoiceModels, sound: Samples) -> int:
    return len(words((await models.transcriber.transcribe(sound, language="en")).text))


if __name__ == "__main__":
    main()
