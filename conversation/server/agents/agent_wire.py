"""What the network protocol says of an agent, section by section, as it comes and as it goes.

Everything may be left out of what a client sends, and is kept and given back when it is not named
here; `SentAgent` is what was sent with each section where one is looked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Required, Self, TypedDict, cast

from conversation.server.agents.tool_wire import ToolItem


class SecretName(TypedDict, total=False):
    """A stored secret."""

    secret_id: str


class CustomModel(TypedDict, total=False):
    """An endpoint of somebody's own."""

    url: str
    model_id: str
    api_key: SecretName


class BackupModels(TypedDict, total=False):
    """Which models answer when the first does not: `override`, `disabled`."""

    preference: str
    order: list[str]


class Locator(TypedDict, total=False):
    """A document that the agent answers from."""

    type: str
    id: Required[str]
    name: str
    usage_mode: str


class LookUpSection(TypedDict, total=False):
    """How much is looked up."""

    enabled: bool
    embedding_model: str
    max_retrieved_rag_chunks_count: int


class PromptSettings(TypedDict, total=False):
    """What the agent is told, which model it is and what it may use."""

    prompt: str | None
    timezone: str | None
    llm: str | None
    temperature: float | None
    max_tokens: int | None
    backup_llm_config: BackupModels
    custom_llm: CustomModel | None
    knowledge_base: list[Locator] | None
    rag: LookUpSection
    tools: list[ToolItem] | None
    tool_ids: list[str] | None
    built_in_tools: dict[str, ToolItem | None] | None


class Variables(TypedDict, total=False):
    """Values of dynamic variables where a conversation brings none."""

    dynamic_variable_placeholders: dict[str, Any]


class SpeakerSection(TypedDict, total=False):
    """What the agent says, and in which language."""

    first_message: str | None
    language: str | None
    max_conversation_duration_message: str | None
    disable_first_message_interruptions: bool | None
    dynamic_variables: Variables
    prompt: PromptSettings


class SoftTimeout(TypedDict, total=False):
    """What is said when an answer takes long; seconds below zero: nothing."""

    timeout_seconds: float | None
    message: str | None


class TurnsSection(TypedDict, total=False):
    """Who speaks when; a timeout below zero never ends."""

    turn_timeout: float | None
    turn_eagerness: str | None
    interruption_ignore_terms: list[str] | None
    merge_with_default_ignore_terms: bool | None
    soft_timeout_config: SoftTimeout


class SpeechSection(TypedDict, total=False):
    """How the agent sounds."""

    voice_id: str | None
    model_id: str | None
    agent_output_audio_format: str | None
    speed: float | None


class HearingSection(TypedDict, total=False):
    """How the agent hears."""

    provider: str | None
    user_input_audio_format: str | None
    keywords: list[str] | None


class FileInput(TypedDict, total=False):
    """Whether users hand in files, and how many in one conversation."""

    enabled: bool | None
    max_files_per_conversation: int | None


class Course(TypedDict, total=False):
    """What holds for a conversation as a whole."""

    max_duration_seconds: int | None
    text_only: bool | None
    client_events: list[str]
    file_input: FileInput


class PresetPrompt(TypedDict, total=False):
    """What the agent is told in another language."""

    prompt: str | None


class PresetSpeaker(TypedDict, total=False):
    """What the agent says in another language."""

    first_message: str | None
    prompt: PresetPrompt


class PresetOverrides(TypedDict, total=False):
    """What is otherwise in another language."""

    agent: PresetSpeaker


class LanguagePreset(TypedDict, total=False):
    """Another language that the agent speaks."""

    overrides: PresetOverrides


class ConversationConfig(TypedDict, total=False):
    """How the agent talks."""

    agent: SpeakerSection
    turn: TurnsSection
    tts: SpeechSection
    asr: HearingSection
    conversation: Course
    language_presets: dict[str, LanguagePreset] | None


class Host(TypedDict):
    """A web page that may use the agent."""

    hostname: str


class Auth(TypedDict, total=False):
    """Who may talk to the agent."""

    enable_auth: bool | None
    allowlist: list[Host] | None


class CriterionItem(TypedDict, total=False):
    """A success criterion."""

    id: str
    name: str | None
    type: str
    conversation_goal_prompt: str
    use_knowledge_base: bool


class FieldItem(TypedDict, total=False):
    """A data collection field."""

    type: str
    description: str
    enum: list[Any] | None


class Criteria(TypedDict, total=False):
    """What is asked of finished conversations."""

    criteria: list[CriterionItem] | None


class AllowedPrompt(TypedDict, total=False):
    """Which parts of the prompt a conversation may bring."""

    prompt: bool
    llm: bool


class AllowedSpeaker(TypedDict, total=False):
    """Which words of the agent a conversation may bring."""

    first_message: bool
    language: bool
    prompt: AllowedPrompt


class AllowedSpeech(TypedDict, total=False):
    """Which sound a conversation may choose."""

    voice_id: bool
    speed: bool


class AllowedCourse(TypedDict, total=False):
    """Whether a conversation may be in text alone."""

    text_only: bool


class AllowedConfig(TypedDict, total=False):
    """What a conversation may bring of its own."""

    agent: AllowedSpeaker
    tts: AllowedSpeech
    conversation: AllowedCourse


class Overrides(TypedDict, total=False):
    """What a conversation may bring, by section."""

    conversation_config_override: AllowedConfig


class Redaction(TypedDict, total=False):
    """Whether what is kept is masked."""

    enabled: bool | None


class Privacy(TypedDict, total=False):
    """What is kept, and for how many days; below zero: for good."""

    record_voice: bool | None
    retention_days: int | None
    conversation_history_redaction: Redaction


class PlatformSettings(TypedDict, total=False):
    """What surrounds the conversations: who may talk, what is asked afterwards, what is kept."""

    auth: Auth
    evaluation: Criteria
    data_collection: dict[str, FieldItem] | None
    overrides: Overrides
    privacy: Privacy


@dataclass(frozen=True, slots=True)
class SentAgent:
    """What a client sends of an agent; a section that it leaves out is empty."""

    name: str | None
    config: ConversationConfig
    spoken: SpeakerSection
    prompt: PromptSettings
    turn: TurnsSection
    tts: SpeechSection
    asr: HearingSection
    course: Course
    platform: PlatformSettings
    auth: Auth
    allowed: AllowedConfig
    privacy: Privacy

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Find the sections of a body; what is no section where one stands counts as left out."""
        config, platform = part(body, "conversation_config"), part(body, "platform_settings")
        spoken = part(config, "agent")
        allowed = part(part(platform, "overrides"), "conversation_config_override")
        return cls(
            name=body.get("name"),
            config=cast(ConversationConfig, config),
            spoken=cast(SpeakerSection, spoken),
            prompt=cast(PromptSettings, part(spoken, "prompt")),
            turn=cast(TurnsSection, part(config, "turn")),
            tts=cast(SpeechSection, part(config, "tts")),
            asr=cast(HearingSection, part(config, "asr")),
            course=cast(Course, part(config, "conversation")),
            platform=cast(PlatformSettings, platform),
            auth=cast(Auth, part(platform, "auth")),
            allowed=cast(AllowedConfig, allowed),
            privacy=cast(Privacy, part(platform, "privacy")),
        )


def part(section: Mapping[str, object], name: str) -> dict[str, Any]:
    """The mapping under this name; an empty one where there is none."""
    found = section.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, Mapping) else {}
