"""What an agent is: one YAML file or one record. Unknown keys are refused.

Success criteria and data collection fields are part of it as plain records; `analysis` reads them.
"""

import hashlib
from collections import Counter
from typing import Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from conversation.privacy import PrivacySection
from kb.config import ChunkingConfig, Limits, ParsingConfig, RetrievalConfig

FieldType = Literal["string", "integer", "number", "boolean"]

DEFAULT_LLM = "embedded/qwen2.5-coder-1.5b-instruct"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Criterion(_Section):
    """One yes-or-no question about a conversation, answered by a judge after it ended."""

    criterion_id: str = Field(
        validation_alias=AliasChoices("criterion_id", "id"), pattern=r"^[a-z][a-z0-9_]{0,63}$"
    )
    prompt: str = Field(min_length=1, max_length=2_000)
    """When is the verdict success? In words, for the judge."""
    name: str | None = None
    judge: str | None = None
    """Model string of this criterion's own judge; None takes the agent's."""

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when the question changes."""
        return _version(self.criterion_id, self.prompt)


class DataCollectionField(_Section):
    """One typed fact to extract from a conversation after it ended."""

    field_id: str = Field(
        validation_alias=AliasChoices("field_id", "id"), pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,127}$"
    )
    type: FieldType = "string"
    description: str = Field(min_length=1, max_length=2_000)
    enum: tuple[str, ...] | None = None
    """Allowed values of a string; the extracted value is one of them or nothing."""

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when what is asked for changes."""
        return _version(self.field_id, self.type, self.description, *(self.enum or ()))


class LLMConfig(_Section):
    """Which model speaks, and how."""

    model: str = DEFAULT_LLM
    """litellm model string: `embedded/...`, `anthropic/...`, `openai/...`, `ollama/...`."""
    fallbacks: tuple[str, ...] = ()
    """Tried in order when the model fails."""
    temperature: NonNegativeFloat = 0.0
    max_output_tokens: PositiveInt = 220
    api_base: str | None = None
    """Endpoint of a self-hosted provider, e.g. an OpenAI-compatible server."""
    first_token_timeout_s: NonNegativeFloat = 60.0
    total_timeout_s: NonNegativeFloat = 180.0


class LinkSource(_Section):
    """A page that the knowledge base reads."""

    url: str
    name: str | None = None


class SiteSource(_Section):
    """Pages of a site that the knowledge base reads, each a document of its own."""

    url: str
    """Where to begin: only pages under its folder count."""
    max_pages: PositiveInt = 100
    include: tuple[str, ...] = ()
    """Patterns such as `/help/*`; a page must match one of them when there are any."""
    exclude: tuple[str, ...] = ()
    """Patterns of pages to leave out."""


class TextSource(_Section):
    """A text given in place."""

    name: str
    text: str


class KnowledgeBaseSection(_Section):
    """What the agent may answer from."""

    files: tuple[str, ...] = ()
    """Paths relative to the agent file. A folder stands for every file in it, and patterns such as
    `guides/**/*.md` for what they match."""
    links: tuple[LinkSource, ...] = ()
    sites: tuple[SiteSource, ...] = ()
    texts: tuple[TextSource, ...] = ()
    limits: Limits = Limits()
    chunking: ChunkingConfig = ChunkingConfig()
    parsing: ParsingConfig = ParsingConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    allowed_cidrs: tuple[str, ...] = ()
    """Private address ranges that links of this agent may point to."""
    max_passages: PositiveInt = 4
    """Passages put into the prompt of a turn."""
    min_passage_score: NonNegativeFloat = 0.05
    """Passages scored lower are kept with the turn but stay out of its prompt.

    On 115 answerable turns of MTRAG (dev) the best relevant passage never scored below .068.
    """
    retrieval_deadline_s: PositiveFloat | None = 5.0
    """After this, a turn is searched for by its words alone; None waits for the full search."""


class PromptSection(_Section):
    """How much of what goes into a prompt. A token is about four characters."""

    max_passage_tokens: PositiveInt = 600
    """Of passages in one turn. Small embedded models read about 70 tokens a second."""
    max_history_tokens: PositiveInt = 1_000
    """Of earlier turns; the oldest are left out, several at a time to keep prefixes cached."""
    whole_knowledge_base_tokens: NonNegativeInt = 0
    """A knowledge base up to this size stands in the prompt whole; 0 never does that."""


class ToolConfig(_Section):
    """Something that the agent may do beside talking."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """`end_call` ends the conversation; any other name is a function of the application."""
    description: str = Field(min_length=1, max_length=1_000)
    """When to use it, for the model."""
    parameters: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    """JSON schema of the object that the function gets."""
    timeout_s: PositiveFloat = 10.0

    @model_validator(mode="after")
    def _name_is_free(self) -> Self:
        if self.name == "none":
            raise ValueError("a tool cannot be called 'none': that stands for using no tool")
        return self


class AccessSection(_Section):
    """Who may talk to the agent over the network."""

    public: bool = False
    """Whether anybody may, without a key or a signed URL."""
    allowed_origins: tuple[str, ...] = Field(default=(), max_length=10)
    """Web pages that may: hosts such as `example.com` or `localhost:3000`; empty allows all."""


class AnalysisSection(_Section):
    """How finished conversations are judged."""

    judge: str | None = None
    """Model string of the judge; None takes the LLM of the agent."""
    summary: bool = True
    """Whether each conversation is summarised as well."""


class AgentConfig(_Section):
    """One agent, complete."""

    agent_id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    name: str
    template: str | None = None
    """Template that filled in what the file left out."""
    first_message: str = ""
    """Spoken when a conversation starts; empty waits for the user."""
    system_prompt: str = ""
    language: str = "en"
    llm: LLMConfig = LLMConfig()
    knowledge_base: KnowledgeBaseSection = KnowledgeBaseSection()
    prompt: PromptSection = PromptSection()
    dynamic_variables: dict[str, str | int | float | bool] = {}
    """Defaults for `{{name}}` in the first message and the system prompt."""
    tools: tuple[ToolConfig, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    data_collection: tuple[DataCollectionField, ...] = ()
    analysis: AnalysisSection = AnalysisSection()
    privacy: PrivacySection = PrivacySection()
    access: AccessSection = AccessSection()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for kind, ids in (
            ("tools", [tool.name for tool in self.tools]),
            ("criteria", [criterion.criterion_id for criterion in self.criteria]),
            ("data_collection", [field.field_id for field in self.data_collection]),
        ):
            repeated = sorted(id_ for id_, count in Counter(ids).items() if count > 1)
            if repeated:
                raise ValueError(f"ids in `{kind}` must be unique, but these repeat: {repeated}")
        return self

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when any part of the agent changes."""
        return _version(self.model_dump_json())

    @property
    def judge(self) -> str:
        """Model string of the judge in force."""
        return self.analysis.judge or self.llm.model


def _version(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
