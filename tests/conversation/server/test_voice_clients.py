"""The published clients, unchanged, by voice: a browser with a microphone, and a Python program.

Real ears and a real voice; only the language model is scripted.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import SpeechError
from conversation.transcript import Transcript
from conversation.voice.ports import SAMPLE_RATE_HZ, CallModels, Samples
from conversation.voice.recording.call_file import AGENT, USER, Stereo
from conversation.voice.recording.kept_calls import KeptCalls
from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.served import SUPPORT, Served, serving, wait_until
from tests.conversation.voice.test_playing import write
from tests.fakes import ScriptedChatModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    # The Python client's own: it names what websockets and pydantic would like renamed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

CURRENT = "@elevenlabs/client@1.25.0"
LEGACY = "@11labs/client@0.2.0"
QUESTION = "When do I get my money back?"
OBJECTION = "Please stop, I want to know where my order is."
LONG = (
    "Refunds take five days from the day on which the parcel reaches our warehouse. The money goes "
    "back to the card that was used for the order. We write to you as soon as it is on its way, "
    "and the bank may need two more days until you see it in your account."
)
SHORT = "Your order has shipped."
PATIENCE_S = 120
START = """
(async (options) => {
  globalThis.log = [];
  const note = (name) => (value) => { globalThis.log.push([name, value ?? null]); };
  const names = ["onConnect", "onDisconnect", "onMessage", "onError", "onStatusChange",
    "onModeChange", "onInterruption", "onAgentResponseCorrection", "onVadScore", "onPing"];
  const callbacks = Object.fromEntries(names.map((name) => [name, note(name)]));
  callbacks.onAudio = (data) => note("onAudio")(data.length);
  globalThis.talk = await globalThis.SDK.Conversation.startSession(
    { ...callbacks, connectionType: "websocket", ...options });
  globalThis.volumes = [];
  globalThis.sampling = setInterval(() => globalThis.volumes.push(
    [talk.getInputVolume(), talk.getOutputVolume()]), 100);
  return globalThis.talk.getId();
})(%s)
"""


class OneVoice:
    """The same models for every agent."""

    def __init__(self, models: CallModels) -> None:
        self._models = models

    def can_speak_for(self, agent: AgentConfig) -> bool:
        return agent.voice is not None

    def models(self, agent: AgentConfig) -> CallModels:
        return self._models


@pytest.fixture(scope="module")
def models() -> CallModels:
    from conversation.voice.open_voice import open_voice

    try:
        return open_voice(VoiceSection(), language="en")
    except SpeechError as error:
        pytest.skip(f"the extra `voice` or its weights are missing: {error}")


@pytest.fixture(scope="module")
def speech(models: CallModels) -> Callable[[str], Samples]:
    """What a user says, at 16 kHz."""
    from conversation.voice.audio import resampled

    async def said(text: str) -> Samples:
        voice = models.synthesizer
        parts = [chunk.samples async for chunk in voice.speak(text, language="en")]
        whole = np.concatenate(parts)
        return resampled(whole, from_hz=voice.sample_rate_hz, to_hz=SAMPLE_RATE_HZ)

    return lambda text: asyncio.run(said(text))


@pytest.fixture(scope="module")
def user(speech: Callable[[str], Samples]) -> Samples:
    """Asks after the first message, and interrupts the long answer."""

    def silence(seconds: float) -> Samples:
        return np.zeros(round(seconds * SAMPLE_RATE_HZ), dtype=np.int16)

    parts = [silence(6), speech(QUESTION), silence(9), speech(OBJECTION), silence(60)]
    return np.concatenate(parts)


@pytest.fixture
def served(tmp_path: Path, models: CallModels) -> Iterator[Served]:
    agent = AgentConfig.model_validate(
        {**SUPPORT.model_dump(exclude_defaults=True), "voice": {"voice_id": "joe"}}
    )
    with serving(tmp_path, agent, model=ScriptedChatModel(LONG, always=SHORT)) as found:
        found.context.voices = OneVoice(models)
        found.context.recordings = KeptCalls(tmp_path / "recordings")
        yield found


def kept(served: Served, conversation_id: str) -> tuple[Transcript, Stereo]:
    """The conversation and its recording, once both are whole."""
    recordings = served.context.recordings
    assert recordings is not None
    wait_until(lambda: served.store.transcript(conversation_id).status == "done")
    wait_until(lambda: not recordings.unfinished())
    return served.store.transcript(conversation_id), recordings.sound(conversation_id)


def require_the_call(transcript: Transcript, sound: Stereo) -> None:
    """A question, a long answer that was cut, and what the user wanted instead."""
    roles = [turn.role for turn in transcript.turns]
    assert roles == ["agent", "user", "agent", "user", "agent"]
    hello, asked, cut, objected, answer = transcript.turns
    assert hello.text == "Hello!"
    assert "money" in asked.text.casefold()
    assert cut.interrupted
    assert LONG.startswith(cut.text)
    assert 20 < len(cut.text) < len(LONG)
    assert "order" in objected.text.casefold()
    assert answer.text == SHORT
    for turn in transcript.turns:
        assert turn.sound is not None
        start, end = (round(s * SAMPLE_RATE_HZ) for s in (turn.sound.start_s, turn.sound.end_s))
        channel = sound[start:end, USER if turn.role == "user" else AGENT]
        assert np.abs(channel).mean() > 30, turn.role


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, user: Samples) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    heard = write(folder / "user.wav", user)
    with opened_browser(folder, microphone=Path(f"{heard}%noloop")) as opened:
        # Scripts are put into a page that has none, and may not connect, by its own policy.
        opened.call("Page.setBypassCSP", enabled=True)
        yield opened


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("npm")
    livekit = npm_script("livekit-client@2", "dist/livekit-client.umd.js", folder)
    legacy = npm_script(LEGACY, "dist/lib.umd.js", folder)
    current = npm_script(CURRENT, "dist/lib.iife.js", folder)
    return {
        LEGACY: f"{livekit}\nglobalThis.livekitClient = globalThis.LivekitClient;\n{legacy}\n"
        "globalThis.SDK = globalThis.client;",
        CURRENT: f"{current}\nglobalThis.SDK = ElevenLabsClient;",
    }


@pytest.mark.parametrize("package", [CURRENT, LEGACY])
def test_a_browser_with_a_microphone(
    served: Served, page: Page, scripts: dict[str, str], package: str
):
    origin = served.url.replace("http", "ws")
    page.open(f"{served.url}/api/health")
    page.run(f"{scripts[package]};null")
    conversation_id = page.run(START % f'{{"agentId": "support", "origin": "{origin}"}}')
    page.wait(
        "globalThis.log.some(([n, v]) => n === 'onMessage' && /shipped/.test(v.message))",
        timeout_s=PATIENCE_S,
    )
    volumes = page.run("globalThis.volumes")
    bins = page.run("talk.getOutputByteFrequencyData().length")
    page.run("clearInterval(globalThis.sampling); talk.setVolume({volume: 0.5}); null")
    page.wait("globalThis.log.filter(([n]) => n === 'onModeChange').length > 3", PATIENCE_S)
    time.sleep(3)  # the last words are heard
    page.run("talk.endSession()")
    page.wait("globalThis.log.some(([n]) => n === 'onDisconnect')")
    log: list[Any] = page.run("globalThis.log")
    transcript, sound = kept(served, conversation_id)

    require_the_call(transcript, sound)

    def calls(name: str) -> list[Any]:
        return [value for called, value in log if called == name]

    assert calls("onError") == []
    said = [(each["source"], each["message"]) for each in calls("onMessage")]
    assert [source for source, _ in said] == ["ai", "user", "ai", "user", "ai"]
    assert [text for source, text in said if source == "ai"] == ["Hello!", LONG, SHORT]
    modes = [each["mode"] for each in calls("onModeChange")]
    assert {"speaking", "listening"} <= set(modes)
    assert calls("onAudio")
    assert max(volume for volume, _ in volumes) > 0.01, "the microphone"
    assert max(volume for _, volume in volumes) > 0.01, "the agent's voice"
    assert bins >= 512
    assert calls("onDisconnect")[0]["reason"] == "user"
    if package == CURRENT:
        assert calls("onInterruption")
        corrected = calls("onAgentResponseCorrection")[0]
        assert corrected["corrected_agent_response"] == transcript.turns[2].text
        assert all(0 <= each["vadScore"] <= 1 for each in calls("onVadScore"))
        assert max(each["vadScore"] for each in calls("onVadScore")) > 0.5


def test_the_python_client_with_a_file_as_its_microphone(served: Served, user: Samples):
    from elevenlabs.client import ElevenLabs
    from elevenlabs.conversational_ai.conversation import AudioInterface, Conversation

    class File(AudioInterface):
        """Plays `user` as a microphone, in real time, and keeps what it is given."""

        def __init__(self) -> None:
            self.played: list[bytes] = []
            self.interruptions = 0
            self._stopping = threading.Event()

        def start(self, input_callback: Callable[[bytes], None]) -> None:
            self._thread = threading.Thread(target=self._play, args=[input_callback])
            self._thread.start()

        def _play(self, give: Callable[[bytes], None]) -> None:
            data, began_s = user.tobytes(), time.monotonic()
            for number, start in enumerate(range(0, len(data), 8_000), 1):
                if self._stopping.wait(max(0.0, began_s + number / 4 - time.monotonic())):
                    return
                give(data[start : start + 8_000])

        def stop(self) -> None:
            self._stopping.set()
            self._thread.join()

        def output(self, audio: bytes) -> None:
            self.played.append(audio)

        def interrupt(self) -> None:
            self.interruptions += 1

    interface = File()
    answers: queue.Queue[str] = queue.Queue()
    transcripts: queue.Queue[str] = queue.Queue()
    corrections: list[tuple[str, str]] = []
    talk = Conversation(
        ElevenLabs(base_url=served.url, api_key=served.key("converse")),
        "support",
        requires_auth=False,
        audio_interface=interface,
        callback_agent_response=answers.put,
        callback_agent_response_correction=lambda *both: corrections.append(both),
        callback_user_transcript=transcripts.put,
    )
    talk.start_session()
    try:
        said = [answers.get(timeout=PATIENCE_S) for _ in range(3)]
        time.sleep(3)  # the last words are heard
    finally:
        talk.end_session()
    conversation_id = talk.wait_for_session_end()
    assert conversation_id is not None
    transcript, sound = kept(served, conversation_id)

    require_the_call(transcript, sound)
    assert said == ["Hello!", LONG, SHORT]
    assert [transcripts.get_nowait(), transcripts.get_nowait()] == [
        turn.text for turn in transcript.turns if turn.role == "user"
    ]
    assert corrections == [(LONG, transcript.turns[2].text)]
    assert interface.interruptions >= 1
    assert all(len(piece) % 2 == 0 for piece in interface.played)
