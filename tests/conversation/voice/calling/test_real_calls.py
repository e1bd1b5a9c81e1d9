"""Whole calls with real ears and real voices, on a clock that counts seconds of a core."""

import asyncio
from typing import Any

import numpy as np
import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.turn.speaker import ResolvedAgent
from conversation.voice.audio import resampled
from conversation.voice.call_events import AgentAudio, AgentText, SpeechFailed, UserTurn
from conversation.voice.open_voice import VoiceModels, open_voice
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.speaking.open_speech import open_speech
from tests.bench.voice.cpu_time import CpuTimedRunner, run_on_cpu_time
from tests.bench.voice.held_calls import Held, hold
from tests.fakes import ScriptedChatModel

pytestmark = pytest.mark.slow

IN_SPANISH = {"action": {"tool": "language_detection", "parameters": {"language": "es"}}}
TO_BILLING = {"action": {"tool": "transfer_to_agent", "parameters": {"agent_id": "billing"}}}
NOTHING = {"action": {"tool": "none"}}
ANSWER = "Puede añadir hasta quinientos documentos."


@pytest.fixture(scope="module")
def runner() -> CpuTimedRunner:
    pytest.importorskip("ctranslate2", reason="the extra `voice` is not installed")
    return CpuTimedRunner()


def said(text: str, runner: CpuTimedRunner, *, voice: str, language: str) -> Samples:
    speech = open_speech(VoiceSection(voice_id=voice), language=language, runner=runner)

    async def made() -> Samples:
        return np.concatenate(
            [chunk.samples async for chunk in speech.speak(text, language=language)]
        )

    sound = run_on_cpu_time(made())
    return resampled(sound, from_hz=speech.sample_rate_hz, to_hz=SAMPLE_RATE_HZ)


def desk(**changes: Any) -> AgentConfig:
    return AgentConfig.model_validate(
        {
            **{"agent_id": "desk", "name": "Desk", "system_prompt": "Answer.", "voice": {}},
            **changes,
        }
    )


def words(held: Held) -> list[str]:
    return ["".join(filter(str.isalpha, turn.text.lower())) for _, turn in held.of(UserTurn)]


async def test_an_agent_of_two_languages_hears_and_speaks_the_other_one(runner: CpuTimedRunner):
    def whole() -> tuple[Held, list[float]]:
        agent = desk(languages={"es": {}}, system_tools=["language_detection"])
        models = open_voice(VoiceSection(), language="en", further_languages=("es",), runner=runner)
        sounds = [
            said(text, runner, voice="alex", language="es")
            for text in ("Hola, ¿habla usted español?", "¿Cuántos documentos puedo añadir?")
        ]
        model = ScriptedChatModel(IN_SPANISH, "Claro, seguimos en español.", NOTHING, ANSWER)
        script = [(1.0, sounds[0]), (9.0, sounds[1])]
        held = run_on_cpu_time(hold(agent, models, script, lasts_s=20, chat_model=model))
        return held, spoken_s(held)

    held, lasts_s = await asyncio.to_thread(whole)
    assert words(held) == ["holahablaustedespañol", "cuántosdocumentospuedoañadir"]
    assert held.of(SpeechFailed) == []
    assert len(lasts_s) == 2
    assert all(each_s > 1.0 for each_s in lasts_s), "both answers are said to their end"
    assert held.longest_gap_s() < 0.15


async def test_an_agent_that_takes_over_has_its_own_voice(runner: CpuTimedRunner):
    billing = desk(agent_id="billing", voice={"voice_id": "emma"})
    opened: list[str] = []

    def models_of(agent: AgentConfig) -> VoiceModels:
        opened.append(agent.agent_id)
        return open_voice(agent.voice or VoiceSection(), language="en", runner=runner)

    def whole() -> Held:
        when = [{"agent_id": "billing", "when": "An invoice."}]
        agent = desk(tools=[{"name": "transfer_to_agent", "agents": when}])
        model = ScriptedChatModel(TO_BILLING, "I am the billing desk.", "Yes, it can wait.")
        question = said("What about my invoice?", runner, voice="heart", language="en")
        return run_on_cpu_time(
            hold(
                agent,
                models_of(agent),
                [(1.0, question), (8.0, question)],
                lasts_s=14,
                chat_model=model,
                open_models=models_of,
                resolve_agent=lambda _id: ResolvedAgent(billing, chat_model=model),
            )
        )

    held = await asyncio.to_thread(whole)
    assert words(held) == ["whataboutmyinvoice", "whataboutmyinvoice"]
    assert opened == ["desk", "desk", "billing"]
    told = [text.text for _, text in held.of(AgentText)]
    assert told == ["I am the billing desk.", "Yes, it can wait."]
    assert len(spoken_s(held)) == 2
    assert held.of(SpeechFailed) == []


def spoken_s(held: Held) -> list[float]:
    """How long each turn of the agent sounds."""
    lasts: dict[int, float] = {}
    for _, audio in held.of(AgentAudio):
        lasts.setdefault(audio.event_id, 0.0)
        lasts[audio.event_id] += len(audio.samples) / SAMPLE_RATE_HZ
    return list(lasts.values())
