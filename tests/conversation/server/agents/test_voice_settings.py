"""How an agent sounds, in the words of the protocol, both ways."""

from typing import Any, cast

import pytest
from elevenlabs.types import ConversationalConfig

from conversation.agent.config import AgentConfig
from conversation.server.agents.changed_agent import changed_agent
from conversation.server.agents.shown_agent import conversation_config, platform_settings
from conversation.server.errors import ApiError

TEXT = AgentConfig(agent_id="desk", name="Desk")
SPEAKING = AgentConfig.model_validate(
    {
        "agent_id": "desk",
        "name": "Desk",
        "voice": {
            "voice_id": "heart",
            "tts": {"speed": 0.9},
            "stt": {"keywords": ["Quillmouth"], "tentative": False},
            "input_format": "ulaw_8000",
            "output_format": "pcm_24000",
            "turn": {
                "eagerness": "patient",
                "ignore_terms": ["aha"],
                "merge_with_default_ignore_terms": False,
                "soft_timeout_s": 2.5,
                "soft_timeout_message": "A moment.",
                "first_message_interruptible": False,
            },
            "recording": {"keep": False, "announce": "We record."},
        },
    }
)
OWN_MODEL = SPEAKING.model_copy(
    update={
        "voice": SPEAKING.voice
        and SPEAKING.voice.model_copy(
            update={
                "tts": SPEAKING.voice.tts.model_copy(
                    update={"model": "openai/tts-1", "api_base": "http://tts:9"}
                )
            }
        )
    }
)
SEVERAL = AgentConfig.model_validate(
    {
        **{"agent_id": "desk", "name": "Desk", "language": "es"},
        "voice": {"turn": {"soft_timeout_message": {"en": "A moment.", "es": "Un momento."}}},
    }
)


def shown_config(agent: AgentConfig) -> dict[str, Any]:
    return cast("dict[str, Any]", conversation_config(agent, [], {}))


def changed(agent: AgentConfig, **body: Any) -> AgentConfig:
    return changed_agent(agent, body, with_documents=lambda section, _ids: section)


def config(agent: AgentConfig, **sections: Any) -> AgentConfig:
    return changed(agent, conversation_config=sections)


@pytest.mark.parametrize(
    "agent", [TEXT, SPEAKING, OWN_MODEL, SEVERAL], ids=["text", "voice", "provider", "languages"]
)
def test_what_is_shown_and_sent_again_changes_nothing(agent: AgentConfig):
    shown = shown_config(agent)
    platform = platform_settings(agent, {})
    by_sdk = ConversationalConfig.model_validate(shown).model_dump(exclude_none=True)

    assert changed(agent, conversation_config=shown, platform_settings=platform) == agent
    assert changed(agent, conversation_config=by_sdk) == agent


def test_a_voice_is_shown_as_it_is():
    shown = shown_config(SPEAKING)

    assert shown["tts"]["voice_id"] == "heart"
    assert shown["tts"]["model_id"] == "embedded/kokoro"
    assert (shown["tts"]["agent_output_audio_format"], shown["tts"]["speed"]) == ("pcm_24000", 0.9)
    assert shown["asr"]["provider"] == "embedded/whisper-base"
    assert shown["asr"]["user_input_audio_format"] == "ulaw_8000"
    assert shown["asr"]["keywords"] == ["Quillmouth"]
    assert shown["turn"]["turn_eagerness"] == "patient"
    assert shown["turn"]["interruption_ignore_terms"] == ["aha"]
    assert shown["turn"]["soft_timeout_config"] == {
        "timeout_seconds": 2.5,
        "message": "A moment.",
    }
    assert shown["agent"]["disable_first_message_interruptions"]
    assert not shown["conversation"]["text_only"]
    assert "audio" in shown["conversation"]["client_events"]
    assert "tentative_user_transcript" not in shown["conversation"]["client_events"]
    assert not cast("dict[str, Any]", platform_settings(SPEAKING, {}))["privacy"]["record_voice"]
    assert shown_config(TEXT)["conversation"]["text_only"]
    assert shown_config(OWN_MODEL)["tts"]["model_id"] == "openai/tts-1"


def test_everything_shown_can_be_set():
    agent = changed(
        TEXT,
        conversation_config={
            "tts": {
                "voice_id": "joe",
                "speed": 1.1,
                "model_id": "openai/tts-1",
                "agent_output_audio_format": "ulaw_8000",
            },
            "asr": {
                "provider": "openai/whisper-1",
                "keywords": ["Ada"],
                "user_input_audio_format": "pcm_48000",
            },
            "turn": {
                "turn_eagerness": "eager",
                "interruption_ignore_terms": ["hm"],
                "merge_with_default_ignore_terms": False,
                "soft_timeout_config": {"timeout_seconds": 3.0, "message": "Wait."},
            },
            "agent": {"disable_first_message_interruptions": True},
        },
        platform_settings={
            "privacy": {"record_voice": False},
            "overrides": {
                "conversation_config_override": {"tts": {"voice_id": True, "speed": True}}
            },
        },
    )
    voice = agent.voice

    assert voice is not None
    assert (voice.voice_id, voice.tts.model, voice.tts.speed) == ("joe", "openai/tts-1", 1.1)
    assert (voice.stt.model, voice.stt.keywords) == ("openai/whisper-1", ("Ada",))
    assert (voice.input_format, voice.output_format) == ("pcm_48000", "ulaw_8000")
    assert (voice.turn.eagerness, voice.turn.ignore_terms) == ("eager", ("hm",))
    assert not voice.turn.merge_with_default_ignore_terms
    assert (voice.turn.soft_timeout_s, voice.turn.soft_timeout_message) == (3.0, "Wait.")
    assert not voice.turn.first_message_interruptible
    assert not voice.recording.keep
    assert agent.overrides.voice_id
    assert agent.overrides.speed


def test_one_setting_leaves_the_others():
    agent = config(
        SPEAKING, tts={"speed": 1.0}, turn={"soft_timeout_config": {"timeout_seconds": -1}}
    )

    assert agent.voice is not None
    assert SPEAKING.voice is not None
    assert agent.voice.tts.speed == 1.0
    assert agent.voice.turn.soft_timeout_s is None
    assert agent.voice.recording == SPEAKING.voice.recording
    assert agent.voice.turn.ignore_terms == ("aha",)


def test_another_model_brings_no_address_of_the_one_before():
    same = config(OWN_MODEL, tts={"model_id": "openai/tts-1"})
    other = config(OWN_MODEL, tts={"model_id": "elevenlabs/eleven_flash_v2_5"})

    assert same == OWN_MODEL
    assert other.voice is not None
    assert (other.voice.tts.model, other.voice.tts.api_base) == (
        "elevenlabs/eleven_flash_v2_5",
        None,
    )


def test_names_of_other_services_models_say_nothing():
    assert config(SPEAKING, tts={"model_id": "eleven_turbo_v2"}) == SPEAKING
    assert config(SPEAKING, asr={"provider": "elevenlabs", "quality": "high"}) == SPEAKING
    assert config(TEXT, tts={"speed": 1.1, "stability": 0.3}) == TEXT


@pytest.mark.parametrize(
    "sections", [{"tts": {"voice_id": ""}}, {"conversation": {"text_only": True}}]
)
def test_an_agent_loses_its_voice(sections: dict[str, Any]):
    assert config(SPEAKING, **sections).voice is None


def test_an_agent_gets_a_voice_by_an_id_or_by_not_being_for_text_only():
    by_id = config(TEXT, tts={"voice_id": "emma"}).voice
    by_mode = config(TEXT, conversation={"text_only": False}).voice

    assert by_id is not None
    assert by_id.voice_id == "emma"
    assert by_mode is not None


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"tts": {"voice_id": "joe", "speed": 3}}, "voice.tts.speed"),
        ({"tts": {"voice_id": "joe", "agent_output_audio_format": "mp3"}}, "voice.output_format"),
        ({"tts": {"voice_id": "joe"}, "turn": {"turn_eagerness": "wild"}}, "eagerness"),
    ],
)
def test_what_no_voice_can_be_is_named(sections: dict[str, Any], named: str):
    with pytest.raises(ApiError, match=named):
        config(TEXT, **sections)
