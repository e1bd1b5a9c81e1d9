"""Voice calls over a real socket, with models that hear and say exactly what the test wants."""

import base64
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import AudioFormat
from conversation.errors import SpeechError
from conversation.server.limits import ServerLimits
from conversation.voice.audio import AudioDecoder, AudioEncoder, from_base64
from conversation.voice.ports import SAMPLE_RATE_HZ, CallModels, Samples, Transcription
from conversation.voice.recording.call_file import AGENT, USER
from conversation.voice.recording.kept_calls import KeptCalls
from tests.conversation.server.served import INIT, SUPPORT, Client, Served, serving, wait_until
from tests.conversation.voice.fakes import FakeModels, FakeTranscriber, silence, spoken
from tests.fakes import ScriptedChatModel

CHUNK_S = 0.032
ANSWER = "We are open from nine to five."
BRIEF = "From nine."


def speaking(**voice: Any) -> AgentConfig:
    return AgentConfig.model_validate({**SUPPORT.model_dump(exclude_defaults=True), "voice": voice})


@dataclass
class FakeVoices:
    """Fake models for every agent."""

    found: FakeModels = field(default_factory=FakeModels)
    fails: bool = False

    def can_speak_for(self, agent: AgentConfig) -> bool:
        return agent.voice is not None

    def models(self, agent: AgentConfig) -> CallModels:
        if self.fails:
            raise SpeechError("weights are missing")
        return self.found


class OneWord(FakeTranscriber):
    """Understands the same word whatever it hears, and keeps the sound."""

    def __init__(self) -> None:
        super().__init__()
        self.sounds: list[Samples] = []

    async def transcribe(self, samples: Samples, **_: Any) -> Transcription:
        self.sounds.append(samples)
        return Transcription("thanks", "en")


@contextmanager
def calling(
    tmp_path: Path,
    *,
    voice: dict[str, Any] | None = None,
    answers: Sequence[str] = (ANSWER,),
    voices: FakeVoices | None = None,
    init: dict[str, Any] = INIT,
    **changes: Any,
) -> Generator[tuple[Served, Client, str]]:
    """A voice call that has begun."""
    agent = speaking(**(voice or {})).model_copy(update=changes)
    model = ScriptedChatModel(*answers, always="Very well.")
    with serving(tmp_path, agent, model=model) as served:
        served.context.voices = voices or FakeVoices()
        served.context.recordings = KeptCalls(tmp_path / "recordings")
        with served.dial(init=init) as client:
            event = client.until("conversation_initiation_metadata")
            metadata = event["conversation_initiation_metadata_event"]
            yield served, client, metadata["conversation_id"]


def talk(client: Client, sound: Samples, output: AudioFormat = "pcm_16000") -> None:
    """Send sound as a microphone does, in real time."""
    encoder = AudioEncoder(output)
    size = round(CHUNK_S * SAMPLE_RATE_HZ)
    for start in range(0, len(sound), size):
        data = encoder.encode(sound[start : start + size])
        client.send({"user_audio_chunk": base64.b64encode(data).decode()})
        time.sleep(CHUNK_S)


def heard(
    client: Client, output: AudioFormat = "pcm_16000", event_id: int | None = None
) -> Samples:
    """Everything that the agent's voice said so far."""
    decoder = AudioDecoder(output)
    events = [frame["audio_event"] for frame in client.frames if frame["type"] == "audio"]
    parts = [
        decoder.decode(from_base64(event["audio_base_64"]))
        for event in events
        if event_id in (None, event["event_id"])
    ]
    return np.concatenate([*parts, np.zeros(0, np.int16)])


def settle(client: Client, seconds: float) -> None:
    """Take what comes for so long."""
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            client.next(left_s)
        except TimeoutError:
            return


def ended(served: Served, conversation_id: str) -> Any:
    wait_until(lambda: served.store.transcript(conversation_id).status != "in_progress")
    return served.store.transcript(conversation_id)


def test_row_07_a_question_by_voice_is_answered_by_voice(tmp_path: Path):
    with calling(tmp_path, answers=[BRIEF]) as (served, client, conversation_id):
        assert client.answer() == "Hello!"
        settle(client, 0.6)
        talk(client, np.concatenate([spoken("when are you open"), silence(0.6)]))
        told = client.until("user_transcript")["user_transcription_event"]
        answered = client.until("agent_response")["agent_response_event"]
        settle(client, 1.2)
        client.socket.close()
        kept = ended(served, conversation_id)
        assert served.context.recordings is not None
        wait_until(lambda: served.context.recordings.sides(conversation_id) is not None)  # type: ignore[union-attr]
        sound = served.context.recordings.sound(conversation_id)

    assert told["user_transcript"] == "when are you open"
    assert answered["agent_response"] == BRIEF
    assert told["event_id"] < answered["event_id"]
    kinds = client.kinds()
    assert kinds[0] == "conversation_initiation_metadata"
    assert kinds.index("user_transcript") < len(kinds) - kinds[::-1].index("audio")
    assert "vad_score" in kinds
    assert [(turn.role, turn.text) for turn in kept.turns] == [
        ("agent", "Hello!"),
        ("user", "when are you open"),
        ("agent", BRIEF),
    ]
    first, asked, answer = (turn.sound for turn in kept.turns)
    assert first is not None
    assert asked is not None
    assert answer is not None
    assert first.start_s < first.end_s <= asked.start_s < asked.end_s < answer.start_s
    assert answer.speech_end_to_first_audio_ms is not None
    assert 0 < answer.speech_end_to_first_audio_ms < 5_000
    # The positions of turns are positions in the file.
    loud = np.flatnonzero(sound[:, USER])
    assert abs(loud[0] / SAMPLE_RATE_HZ - asked.start_s) < 0.15
    said = sound[round(answer.start_s * SAMPLE_RATE_HZ) :, AGENT]
    assert np.array_equal(said[said != 0], heard(client, event_id=answered["event_id"]))


@pytest.mark.slow
def test_row_07_a_telephone_is_heard_and_typed_words_are_not_repeated(tmp_path: Path):
    voice = {"input_format": "ulaw_8000", "output_format": "pcm_24000"}
    ear = OneWord()
    voices = FakeVoices(FakeModels(transcriber=ear))
    with calling(tmp_path, voice=voice, voices=voices, answers=[BRIEF], first_message="") as (
        _,
        client,
        _id,
    ):
        metadata = client.frames[0]["conversation_initiation_metadata_event"]
        client.say("When?")
        assert client.answer() == BRIEF
        settle(client, 1.2)
        talk(client, np.concatenate([spoken("thanks"), silence(0.6)]), "ulaw_8000")
        told = client.until("user_transcript")["user_transcription_event"]

    assert metadata["user_input_audio_format"] == "ulaw_8000"
    assert metadata["agent_output_audio_format"] == "pcm_24000"
    assert told["user_transcript"] == "thanks"
    assert client.kinds().count("user_transcript") == 1
    loud = ear.sounds[-1][np.abs(ear.sounds[-1]) > 500]
    assert len(loud) == pytest.approx(0.32 * SAMPLE_RATE_HZ, rel=0.05)
    events = [frame["audio_event"] for frame in client.frames if frame["type"] == "audio"]
    chars = [char for event in events for char in event.get("alignment", {}).get("chars", ())]
    assert "".join(chars).startswith(BRIEF)
    seconds = len(heard(client, "pcm_24000", events[0]["event_id"])) / SAMPLE_RATE_HZ
    assert seconds == pytest.approx(len(BRIEF) / 20, abs=0.01)


def test_row_11_an_interruption_stops_the_sound_and_corrects_the_text(tmp_path: Path):
    long = "We are open from nine to five on every day of the week but for Sunday and Monday."
    answers = [long, "Yes."]
    with calling(tmp_path, answers=answers, first_message="") as (served, client, call_id):
        client.say("When?")
        cut = client.until("audio")["audio_event"]["event_id"]
        settle(client, 1.0)
        talk(client, np.concatenate([spoken("no wait tell me about saturday"), silence(0.6)]))
        interruption = client.until("interruption")
        correction = client.until("agent_response_correction")
        answered = client.answer()
        settle(client, 0.6)
        client.socket.close()
        kept = ended(served, call_id)
        wait_until(lambda: not served.context.recordings.unfinished())  # type: ignore[union-attr]
        sound = served.context.recordings.sound(call_id)  # type: ignore[union-attr]

    assert interruption["interruption_event"]["event_id"] == cut
    event = correction["agent_response_correction_event"]
    assert event["original_agent_response"] == long
    assert event["event_id"] == cut
    said = event["corrected_agent_response"]
    assert long.startswith(said)
    assert 5 < len(said) < len(long) - 10
    at = client.frames.index(interruption)
    after = [f["audio_event"]["event_id"] for f in client.frames[at:] if f["type"] == "audio"]
    assert all(each > cut for each in after)
    assert answered == "Yes."
    assert (kept.turns[1].text, kept.turns[1].interrupted) == (said, True)
    # In the recording there is what was heard, and not what was flushed.
    turn = kept.turns[1].sound
    assert turn is not None
    end = round(turn.end_s * SAMPLE_RATE_HZ)
    assert sound[end - 800 : end, AGENT].all()
    assert not sound[end + 800 : end + 4_000, AGENT].any()


def test_row_16_the_call_ends_after_the_goodbye_was_heard(tmp_path: Path):
    config = {"system_tools": ["end_call"], "first_message": ""}
    agent = AgentConfig.model_validate(
        {**SUPPORT.model_dump(exclude_defaults=True), **config, "voice": {}}
    )
    model = ScriptedChatModel(
        {"action": {"tool": "end_call", "parameters": {}}}, "Goodbye, and thank you."
    )
    with serving(tmp_path, agent, model=model) as served:
        served.context.voices = FakeVoices()
        with served.dial() as client:
            client.say("Bye.")
            assert client.closed()[0] == 1000

    kinds = [kind for kind in client.kinds() if kind != "vad_score"]
    assert kinds[-1] == "agent_tool_response"
    last_audio = len(kinds) - 1 - kinds[::-1].index("audio")
    assert last_audio < len(kinds) - 1
    assert len(heard(client)) > SAMPLE_RATE_HZ


def test_row_14_a_turn_is_rated_while_it_is_heard(tmp_path: Path):
    with calling(tmp_path) as (served, client, call_id):
        for text in ("Hello!", ANSWER):
            event = client.until("agent_response")["agent_response_event"]
            assert event["agent_response"] == text
            client.send({"type": "feedback", "score": "like", "event_id": event["event_id"]})
            if text == "Hello!":
                settle(client, 0.8)
                client.say("When?")
        wait_until(lambda: len(served.store.events(call_id, kind="feedback")) == 2)
        rated = [event.turn_id for event in served.store.events(call_id, kind="feedback")]
        turns = served.store.transcript(call_id).turns

    assert rated == [turn.turn_id for turn in turns if turn.role == "agent"]


def test_row_13_a_tool_of_the_client_works_in_a_call(tmp_path: Path):
    tools = [{"name": "show_order", "description": "Shows an order."}]
    config = {"tools": tools, "first_message": "", "voice": {}}
    agent = AgentConfig.model_validate({**SUPPORT.model_dump(exclude_defaults=True), **config})
    model = ScriptedChatModel({"action": {"tool": "show_order", "parameters": {}}}, "It has left.")
    with serving(tmp_path, agent, model=model) as served:
        served.context.voices = FakeVoices()
        with served.dial() as client:
            client.say("Where is it?")
            asked = client.until("client_tool_call")["client_tool_call"]
            result = {"tool_call_id": asked["tool_call_id"], "result": "left", "is_error": False}
            client.send({"type": "client_tool_result", **result})
            answered = client.until("agent_response")["agent_response_event"]

    assert answered["agent_response"] == "It has left."
    assert answered["event_id"] == asked["event_id"]
    assert "agent_tool_response" in client.kinds()


@pytest.mark.parametrize("fails", [True, False])
def test_without_models_or_with_text_only_the_words_are_typed(tmp_path: Path, fails: bool):
    init = INIT if fails else {**INIT, "conversation_config_override": {"text_only": True}}
    with calling(tmp_path, voices=FakeVoices(fails=fails), init=init) as (_, client, _id):
        assert client.answer() == "Hello!"
        client.say("When?")
        assert client.answer() == ANSWER
        with suppress(ConnectionClosed):
            talk(client, silence(0.1))
        if fails:
            code, reason = client.closed()
            assert (code, "cannot hear" in reason) == (1008, True)

    assert "audio" not in client.kinds()
    assert "agent_chat_response_part" in client.kinds()


def test_a_server_that_stops_lets_the_agent_finish(tmp_path: Path):
    with calling(tmp_path, first_message="") as (served, client, call_id):
        client.say("When?")
        client.until("audio")
        served.stop()
        code, _ = client.closed()
        kept = served.store.transcript(call_id)

    assert code == 1001
    assert [turn.text for turn in kept.turns] == ["When?", ANSWER]
    assert not kept.turns[1].interrupted


def test_sound_that_comes_faster_than_time_is_not_kept_for_ever(tmp_path: Path):
    minute = base64.b64encode(np.zeros(16_000 * 2, np.int16).tobytes()).decode()
    with calling(tmp_path, first_message="") as (_, client, _id):
        for _ in range(20):
            client.send({"user_audio_chunk": minute})
        error = client.until("error")

    assert "Too many" in error["error_event"]["message"]


class Listening(FakeTranscriber):
    """Keeps the keywords that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.keywords: set[str] = set()

    async def transcribe(
        self, samples: Samples, *, keywords: Sequence[str] = (), **given: Any
    ) -> Transcription:
        self.keywords |= set(keywords)
        return await super().transcribe(samples, keywords=keywords, **given)


@pytest.mark.slow
def test_a_session_brings_its_keywords_and_chooses_its_events(tmp_path: Path):
    ears = Listening()
    asked = {
        "asr": {"keywords": ["Quillmouth"]},
        "conversation": {"client_events": ["agent_response", "user_transcript"]},
    }
    with calling(
        tmp_path,
        voice={"stt": {"keywords": ["Northwind"]}},
        answers=[BRIEF],
        voices=FakeVoices(FakeModels(transcriber=ears)),
        init={**INIT, "conversation_config_override": asked},
    ) as (_served, client, _id):
        assert client.answer() == "Hello!"
        settle(client, 0.6)
        talk(client, np.concatenate([spoken("when are you open"), silence(0.6)]))
        client.until("user_transcript")
        client.until("agent_response")
        settle(client, 1.0)
        kinds = {frame["type"] for frame in client.frames}

    assert {"Quillmouth", "Northwind"} <= ears.keywords
    assert kinds - {"ping"} == {
        "conversation_initiation_metadata",
        "user_transcript",
        "agent_response",
    }


@pytest.mark.parametrize(
    ("init", "waits"),
    [
        (INIT, True),
        ({**INIT, "source_info": {"source": "js_sdk", "version": "0.4.0"}}, False),
        ({**INIT, "user_id": "u"}, True),
    ],
    ids=["without a name", "with a name", "with a user"],
)
def test_a_client_without_a_name_is_greeted_when_its_microphone_is_heard(
    tmp_path: Path, init: dict[str, Any], waits: bool
):
    limits = ServerLimits(init_timeout_s=60, first_sound_timeout_s=60)
    with serving(
        tmp_path, speaking(), model=ScriptedChatModel(always=BRIEF), limits=limits
    ) as served:
        served.context.voices = FakeVoices()
        with served.dial(init=init) as client:
            client.until("conversation_initiation_metadata")
            settle(client, 0.8)
            early = {frame["type"] for frame in client.frames} & {"agent_response", "audio"}
            talk(client, silence(0.1))
            if waits:
                assert client.answer() == "Hello!"

    assert bool(early) is not waits
