"""What one session sets differently from its agent, as far as the agent lets it. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    StringConstraints,
)

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import (
    EMBEDDED_VOICES,
    VOICE_FILE_SUFFIX,
    VoiceSection,
    base_language,
    language_of_voice,
    voices_speaking,
)
from conversation.agent.system_tools import in_language
from conversation.agent.variables import misnamed
from conversation.errors import OverrideError
from conversation.language.language_tags import known_language

MAX_KEYWORDS = 50
MAX_KEYWORD_CHARS = 100
_OF_A_VOICE = frozenset({"voice_id", "speed", "keywords"})
_OF_THE_USER = frozenset({"keywords"})
"""Any session may set these."""
Keyword = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_KEYWORD_CHARS)
]


class SessionOverrides(BaseModel):
    """None leaves a value as the agent has it. A value that the agent has anyway is no override."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_message: str | None = None
    """May be empty: the agent then waits for the user."""
    system_prompt: str | None = None
    language: str | None = None
    llm: str | None = None
    """Model string."""
    temperature: NonNegativeFloat | None = None
    max_output_tokens: PositiveInt | None = None
    text_only: bool | None = None
    """True for a session without a voice."""
    voice_id: str | None = None
    speed: float | None = Field(default=None, ge=0.7, le=1.2)
    """Of the voice; 1 is its own."""
    keywords: tuple[Keyword, ...] | None = Field(default=None, max_length=MAX_KEYWORDS)
    """Words that this user is likely to say, beside those of the agent. Any session may set them:
    they change how its user is understood, and nothing that the agent may do."""

    def set_values(self) -> dict[str, Any]:
        """What is set, by name."""
        return self.model_dump(exclude_none=True)


def overridden(agent: AgentConfig, overrides: SessionOverrides) -> AgentConfig:
    """The agent as this session wants it.

    A language comes with its own first message and system prompt, which further overrides replace.

    Raises:
        OverrideError: The agent does not let a session set one of these, a text has double braces
            around what is no name of a variable, or a voice cannot speak here.
    """
    wanted = _differing(agent, _in_known_language(agent, overrides))
    refused = [name for name, value in wanted.items() if not _is_allowed(agent, name, value)]
    if refused:
        raise _refusal(agent, refused, wanted)
    _require_names(wanted)
    language = wanted.get("language")
    if language is not None and language not in agent.languages:
        raise OverrideError(
            f"The agent {agent.agent_id!r} does not speak {language!r}. Its languages are "
            f"{[agent.language, *agent.languages]}; add others under `languages`."
        )
    if agent.voice is not None and "voice_id" in wanted:
        _require_usable(agent.voice, wanted["voice_id"], language or agent.language)
    changed: dict[str, Any] = {
        name: wanted[name] for name in ("first_message", "system_prompt") if name in wanted
    }
    llm = {name: wanted[name] for name in ("temperature", "max_output_tokens") if name in wanted}
    if "llm" in wanted or llm:
        # Endpoint and fallbacks belong to the replaced model.
        speaking = agent.llm.replaced_by(wanted["llm"]) if "llm" in wanted else agent.llm
        changed["llm"] = speaking.model_copy(update=llm)
    if agent.voice is not None:
        changed["voice"] = _overridden_voice(agent.voice, wanted)
    if wanted.get("text_only"):
        changed["voice"] = None
    spoken = agent if language is None else in_language(agent, language)
    return spoken.model_copy(update=changed)


def _overridden_voice(voice: VoiceSection, wanted: Mapping[str, Any]) -> VoiceSection:
    changed: dict[str, Any] = {}
    if "voice_id" in wanted:
        changed["voice_id"] = wanted["voice_id"]
    if "speed" in wanted:
        changed["tts"] = voice.tts.model_copy(update={"speed": wanted["speed"]})
    if "keywords" in wanted:
        # Where there is room for some alone, this user's go first.
        both = dict.fromkeys((*wanted["keywords"], *voice.stt.keywords))
        changed["stt"] = voice.stt.model_copy(update={"keywords": tuple(both)})
    return voice.model_copy(update=changed)


def _require_names(wanted: Mapping[str, Any]) -> None:
    for name in ("first_message", "system_prompt"):
        reason = misnamed(wanted.get(name, ""))
        if reason is not None:
            raise OverrideError(f"The override {name!r} cannot be filled in: {reason}.")


def _require_usable(voice: VoiceSection, voice_id: str, language: str) -> None:
    """Refuse a voice that cannot speak: the server would seem to have none at all."""
    if voice_id.lower().endswith(VOICE_FILE_SUFFIX):
        raise OverrideError(
            "A session cannot choose the file of a voice, only a voice by its name: files are "
            "named in the agent file."
        )
    is_embedded = voice.tts.model is None or voice.tts.model.startswith("embedded/")
    spoken = language_of_voice(voice_id)
    if is_embedded and voice_id in EMBEDDED_VOICES and spoken != base_language(language):
        raise OverrideError(
            f"The voice {voice_id!r} speaks {spoken!r}, and this session {language!r}. Voices that "
            f"do: {', '.join(voices_speaking(language)) or 'none of the embedded ones'}."
        )


def _in_known_language(agent: AgentConfig, overrides: SessionOverrides) -> SessionOverrides:
    """Browsers say `de-DE`: the language that the agent calls `de`, when there is no closer one."""
    if overrides.language is None:
        return overrides
    known = known_language(overrides.language, [agent.language, *agent.languages])
    return overrides.model_copy(update={"language": known or overrides.language})


def _differing(agent: AgentConfig, overrides: SessionOverrides) -> dict[str, Any]:
    present = {
        "first_message": agent.first_message,
        "system_prompt": agent.system_prompt,
        "language": agent.language,
        "llm": agent.llm.model,
        "temperature": agent.llm.temperature,
        "max_output_tokens": agent.llm.max_output_tokens,
        "text_only": agent.voice is None,
        "voice_id": None if agent.voice is None else agent.voice.voice_id,
        "speed": None if agent.voice is None else agent.voice.tts.speed,
        "keywords": (),
    }
    given = overrides.set_values()
    if agent.voice is None or overrides.text_only:
        # Of a voice that nobody hears: without effect, and no reason to refuse anybody.
        given = {name: value for name, value in given.items() if name not in _OF_A_VOICE}
    return {name: value for name, value in given.items() if value != present[name]}


def _is_allowed(agent: AgentConfig, name: str, value: object) -> bool:
    if name in _OF_THE_USER:
        return True
    allowed = agent.overrides
    return value in allowed.llm if name == "llm" else bool(getattr(allowed, name))


def _refusal(agent: AgentConfig, refused: list[str], wanted: dict[str, Any]) -> OverrideError:
    keys = ", ".join(
        f"llm: [{wanted['llm']}]" if name == "llm" else f"{name}: true" for name in refused
    )
    return OverrideError(
        f"The agent {agent.agent_id!r} does not let a session set {' and '.join(refused)}. Leave "
        f"that out, or allow it in the agent file: `overrides: {{{keys}}}`."
    )
