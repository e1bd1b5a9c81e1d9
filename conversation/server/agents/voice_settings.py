"""How an agent sounds and takes turns, in the words of the network protocol, both ways. Pure.

What is shown here, handed in again, changes nothing. Names of other services' models say nothing
here: a model is set by a model string, `provider/model`.
"""

from collections.abc import Mapping
from typing import Any, cast

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import EMBEDDED_VOICES, VoiceSection, said_in
from conversation.server.agents.agent_wire import (
    ConversationConfig,
    Course,
    SentAgent,
    SoftTimeout,
    SpeechSection,
    TurnsSection,
    part,
)

Json = dict[str, Any]

AUDIO_FORMAT = "pcm_16000"
NEVER_S = -1
_TEXT_EVENTS = (
    "conversation_initiation_metadata",
    "ping",
    "agent_response",
    "agent_response_correction",
    "agent_chat_response_part",
    "agent_tool_request",
    "agent_tool_response",
    "client_tool_call",
    "interruption",
)
_VOICE_EVENTS = (*_TEXT_EVENTS, "audio", "user_transcript", "vad_score")


def shown_voice(agent: AgentConfig) -> ConversationConfig:
    """The sections `tts`, `asr`, `turn` and `conversation`, as far as they are about sound."""
    voice = agent.voice
    if voice is None:
        return {
            "tts": {"voice_id": ""},
            "conversation": {"text_only": True, "client_events": list(_TEXT_EVENTS)},
        }
    turn = voice.turn
    tentative = ["tentative_user_transcript"] if voice.stt.tentative else []
    return {
        "tts": {
            "voice_id": voice.voice_id,
            "model_id": _speaks_with(voice),
            "agent_output_audio_format": voice.output_format,
            "speed": voice.tts.speed,
        },
        "asr": {
            "provider": voice.stt.model,
            "user_input_audio_format": voice.input_format,
            "keywords": list(voice.stt.keywords),
        },
        "turn": {
            "turn_eagerness": turn.eagerness,
            "interruption_ignore_terms": list(turn.ignore_terms),
            "merge_with_default_ignore_terms": turn.merge_with_default_ignore_terms,
            "soft_timeout_config": {
                "timeout_seconds": turn.soft_timeout_s or NEVER_S,
                "message": said_in(turn.soft_timeout_message, agent.language),
            },
        },
        "agent": {"disable_first_message_interruptions": not turn.first_message_interruptible},
        "conversation": {"text_only": False, "client_events": [*_VOICE_EVENTS, *tentative]},
    }


def keeps_recordings(agent: AgentConfig) -> bool:
    """Whether calls of the agent are recorded."""
    return agent.voice is not None and agent.voice.recording.keep


def changed_voice(agent: AgentConfig, sent: SentAgent) -> Json | None:
    """The `voice` section after a request that sent these parts; None for an agent without."""
    tts, asr = sent.tts, sent.asr
    voice = _voice_or_none(agent, tts, sent.course)
    if voice is None:
        return None
    section = voice.model_dump()
    _take(section, tts, voice_id="voice_id", agent_output_audio_format="output_format")
    _take(section, asr, user_input_audio_format="input_format")
    _take(section["tts"], tts, speed="speed")
    _take(section["stt"], asr, keywords="keywords")
    if (model := _other_model(tts.get("model_id"), _speaks_with(voice))) is not None:
        section["tts"] |= {"model": model, "api_base": None, "api_key_variable": None}
    if (model := _other_model(asr.get("provider"), voice.stt.model)) is not None:
        section["stt"] |= {"model": model, "api_base": None, "api_key_variable": None}
    _take_turn(section["turn"], sent.turn, agent.language)
    uninterrupted = sent.spoken.get("disable_first_message_interruptions")
    if uninterrupted is not None:
        section["turn"]["first_message_interruptible"] = not uninterrupted
    _take(section["recording"], sent.privacy, record_voice="keep")
    return section


def _voice_or_none(agent: AgentConfig, tts: SpeechSection, course: Course) -> VoiceSection | None:
    """By an id a text agent gets a voice, and by an empty one, or `text_only`, it loses it."""
    if tts.get("voice_id") == "" or course.get("text_only") is True:
        return None
    if agent.voice is not None:
        return agent.voice
    wants_one = tts.get("voice_id") is not None or course.get("text_only") is False
    return VoiceSection() if wants_one else None


def _speaks_with(voice: VoiceSection) -> str:
    return voice.tts.model or EMBEDDED_VOICES[voice.embedded_voice]


def _other_model(sent: object, shown: str) -> str | None:
    """A model string that differs from the one in force."""
    return sent if isinstance(sent, str) and "/" in sent and sent != shown else None


def _take_turn(section: Json, turn: TurnsSection, language: str) -> None:
    _take(
        section,
        turn,
        turn_eagerness="eagerness",
        interruption_ignore_terms="ignore_terms",
        merge_with_default_ignore_terms="merge_with_default_ignore_terms",
    )
    waiting = cast(SoftTimeout, part(turn, "soft_timeout_config"))
    # One text is shown of several; what is handed in again must not take the place of all.
    if waiting.get("message") != said_in(section["soft_timeout_message"], language):
        _take(section, waiting, message="soft_timeout_message")
    if (seconds := waiting.get("timeout_seconds")) is not None:
        section["soft_timeout_s"] = seconds if seconds > 0 else None


def _take(section: Json, sent: Mapping[str, object], **names: str) -> None:
    """Put what was sent, and is not null, under our names."""
    section |= {ours: sent[name] for name, ours in names.items() if sent.get(name) is not None}
