"""What an agent is: one YAML file or one record. Unknown keys are refused.

Success criteria and data collection fields are part of it as plain records; `analysis` reads them.
"""

from collections.abc import Iterator, Sequence
from typing import Self
from unicodedata import normalize

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from conversation.agent.criteria import (
    Criterion,
    DataCollectionField,
    JudgeVariant,
    check_conditions,
    version_of,
)
from conversation.agent.language_config import OWN_SENTENCES, LanguageSection, OverridesSection
from conversation.agent.models.judges import AgentJudge, judge_from_judges, require_one_place
from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig, reached
from conversation.agent.models.reached_model import ReachedModel
from conversation.agent.models.voice_config import VoiceSection
from conversation.agent.privacy_config import AccessSection, PrivacySection
from conversation.agent.tool_config import SystemToolName, ToolConfig, ToolUseSection
from conversation.agent.variable_values import RESERVED_PREFIXES, VariableValue
from conversation.agent.variables import misnamed, variable_names
from conversation.language.local_time import TimeZoneName
from conversation.turn_taking.silence import TurnTakingConfig
from conversation.widget.widget_config import WidgetSection
from kb.config import ChunkingConfig, EmbeddingConfig, Limits, ParsingConfig, RetrievalConfig


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class LinkEntry(_Section):
    """A page that the knowledge base reads."""

    url: str
    name: str | None = None


class SiteEntry(_Section):
    """Pages of a site that the knowledge base reads, each a document of its own."""

    url: str
    """Where to begin: only pages under its folder count."""
    max_pages: PositiveInt = 100
    include: tuple[str, ...] = ()
    """Patterns such as `/help/*`; a page must match one of them when there are any."""
    exclude: tuple[str, ...] = ()
    """Patterns of pages to leave out."""


class TextEntry(_Section):
    """A text given in place."""

    name: str
    text: str


class QueryRewritingConfig(_Section):
    """Whether a model makes a query of a turn that leans on what was said before."""

    enabled: bool = False
    """Costs a request to the model on every turn but the first, before anything is searched."""
    model: str | ReachedModel | None = None
    """Model string of the one that rewrites, or `{model, api_base, api_key_env}`; None takes the
    agent's."""
    deadline_s: PositiveFloat = 2.0
    """After this, the turn is searched as it was said. Has to fit into `retrieval_deadline_s`."""
    history_turns: PositiveInt = 6
    """Turns that the model reads."""


class KnowledgeBaseSection(_Section):
    """What the agent may answer from."""

    files: tuple[str, ...] = ()
    """Paths relative to the agent file. A folder stands for every file in it, and patterns such as
    `guides/**/*.md` for what they match."""
    links: tuple[LinkEntry, ...] = ()
    sites: tuple[SiteEntry, ...] = ()
    texts: tuple[TextEntry, ...] = ()
    limits: Limits = Limits()
    chunking: ChunkingConfig = ChunkingConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    parsing: ParsingConfig = ParsingConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    query_rewriting: QueryRewritingConfig = QueryRewritingConfig()
    allowed_cidrs: tuple[str, ...] = ()
    """Private address ranges that links of this agent may point to."""
    max_passages: PositiveInt = 4
    """Passages put into the prompt of a turn."""
    min_passage_score: NonNegativeFloat = 0.05
    """Passages scored lower are kept with the turn but stay out of its prompt.

    On 127 turns of MTRAG (dev) the best relevant passage never scored below .089.
    """
    min_passage_share: float | None = Field(default=None, ge=0, le=1)
    """Passages scored lower than this share of the best one's score stay out of the prompt too.

    None takes 0.7 for embedded models, whose users wait for every word that is read, else 0. With
    0.7 a quarter to a half less is read, and 114 of 116 answerable turns of MTRAG (dev) still have
    a relevant passage in their prompt, as with all.
    """
    retrieval_deadline_s: PositiveFloat | None = 5.0
    """After this, a turn is searched for by its words alone; None waits for the full search."""


class PromptSection(_Section):
    """How much of what goes into a prompt.

    Tokens are estimated: four letters of English, or one Chinese character, are about one.
    """

    max_passage_tokens: PositiveInt = 600
    """Of passages in one turn. Small embedded models read about 70 tokens a second."""
    max_history_tokens: PositiveInt = 1_000
    """Of earlier turns; the oldest are left out, several at a time to keep prefixes cached."""
    max_note_tokens: PositiveInt = 400
    """Of contextual updates; the oldest are left out."""
    max_tool_result_tokens: PositiveInt = 500
    """Of one tool's result; what is longer is cut."""
    summarise_history: bool | None = None
    """Whether turns that fell to the budget live on as a summary, which the model writes between
    two turns. None does so for every model but embedded ones, whose time users would wait for."""
    whole_knowledge_base_tokens: NonNegativeInt | None = None
    """A knowledge base up to this size stands in the prompt whole; 0 never does that.

    None does it for embedded models, up to 6,400 tokens, where an ingest has read it ahead: it is
    then quicker than reading passages in every turn. Other models search, unless a size is set."""
    check_numbers: bool | None = None
    """Whether each number, price, time, date and name of an answer has to stand in the passages, in
    a table in the row that is named, before it is said; else the agent quotes them. None checks
    what embedded models say."""


class AnalysisSection(_Section):
    """How finished conversations are judged."""

    judge: str | None = None
    """Model string of the judge; None takes the LLM of the agent."""
    judges: tuple[str, ...] = ()
    """Two or more judges in place of one; the majority decides."""
    judge_endpoints: tuple[ReachedModel, ...] = ()
    """Where judges are reached that are not where their provider is. What `judge` and `judges` say
    as `{model, api_base, api_key_env}` is kept here."""
    variant: JudgeVariant | None = None
    """How the judge is asked; None takes what suits it best."""
    summary: bool = True
    """Whether each conversation is summarised as well."""

    _judge = model_validator(mode="before")(judge_from_judges)


def _require_unique(kind: str, ids: Sequence[str]) -> None:
    """Name each entry of a list whose id stands before it already, where it stands.

    Raises:
        ValidationError: One problem for each, at the entry and not at the whole agent.
    """
    first: dict[str, int] = {}
    repeated = [
        InitErrorDetails(
            type=PydanticCustomError(
                "repeated_id",
                "ids in `{kind}` must be unique, and number {first} of them has this one",
                {"kind": kind, "first": first[id_] + 1},
            ),
            loc=(kind, number),
            input=id_,
        )
        for number, id_ in enumerate(ids)
        if first.setdefault(id_, number) != number
    ]
    if repeated:
        raise ValidationError.from_exception_data("AgentConfig", repeated)


def _require_names(texts: Iterator[tuple[tuple[str | int, ...], object]]) -> None:
    """Name each text with double braces around something that is no name, where it stands.

    Raises:
        ValidationError: One problem for each; it would be said with its braces.
    """
    wrong = [
        InitErrorDetails(
            type=PydanticCustomError("misnamed_variable", "{reason}", {"reason": reason}),
            loc=path,
            input=text,
        )
        for path, text in texts
        if isinstance(text, str) and (reason := misnamed(text))
    ]
    if wrong:
        raise ValidationError.from_exception_data("AgentConfig", wrong)


class AgentConfig(_Section):
    """One agent, complete."""

    agent_id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    name: str
    template: str | None = None
    """Template that filled in what the file left out."""
    first_message: str = ""
    """Spoken when a conversation starts; empty waits for the user."""
    system_prompt: str = ""
    failure_message: str | None = None
    """Said when a turn fails; None says so in a sentence of the language that is spoken."""
    not_known_message: str | None = None
    """Said after "I don't know"; `{topic}` stands for what the documents hold that comes nearest.
    None names that topic and offers that somebody gets back; empty says nothing."""
    language: str = "en"
    timezone: TimeZoneName = "UTC"
    """Where its conversations are held, unless a session says otherwise: it decides what "today"
    and "tomorrow" mean, in prompts and for judges. What is stored stays UTC."""
    llm: LLMConfig = LLMConfig()
    knowledge_base: KnowledgeBaseSection = KnowledgeBaseSection()
    prompt: PromptSection = PromptSection()
    turn_taking: TurnTakingConfig = TurnTakingConfig()
    dynamic_variables: dict[str, VariableValue] = {}
    """Defaults for `{{name}}` in messages, prompts and webhooks; they fix the type, too."""
    languages: dict[str, LanguageSection] = {}
    """Further languages, by code such as `de`."""
    tools: tuple[ToolConfig, ...] = ()
    system_tools: tuple[SystemToolName, ...] = ()
    """Names of system tools as they are; one that needs settings stands under `tools`."""
    tool_use: ToolUseSection = ToolUseSection()
    voice: VoiceSection | None = None
    overrides: OverridesSection = OverridesSection()
    criteria: tuple[Criterion, ...] = ()
    data_collection: tuple[DataCollectionField, ...] = ()
    analysis: AnalysisSection = AnalysisSection()
    privacy: PrivacySection = PrivacySection()
    access: AccessSection = AccessSection()
    widget: WidgetSection = WidgetSection()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for kind, ids in (
            ("tools", [tool.name for tool in self.all_tools]),
            ("criteria", [criterion.criterion_id for criterion in self.criteria]),
            ("data_collection", [field.field_id for field in self.data_collection]),
        ):
            _require_unique(kind, ids)
        check_conditions(self.data_collection)
        require_one_place(self._judge_endpoints)
        return self

    @model_validator(mode="after")
    def _has_a_judge(self) -> Self:
        asked = [c.criterion_id for c in self.criteria if c.judge is None]
        asked += [field.field_id for field in self.data_collection]
        if asked and self.analysis.judge is None and self.llm.model == EXTRACTIVE:
            reason = (
                f"{EXTRACTIVE!r} quotes documents and can judge nothing, but "
                f"{', '.join(map(repr, asked[:3]))} need a judge; name a language model under "
                "`analysis.judge`, e.g. 'embedded/qwen2.5-coder-1.5b-instruct'"
            )
            problem = PydanticCustomError("no_judge", "{reason}", {"reason": reason})
            place = InitErrorDetails(type=problem, loc=("llm", "model"), input=self.llm.model)
            raise ValidationError.from_exception_data("AgentConfig", [place])
        return self

    @model_validator(mode="after")
    def _variables_have_names(self) -> Self:
        _require_names(self._texts_with_variables())
        return self

    def _texts_with_variables(self) -> Iterator[tuple[tuple[str | int, ...], object]]:
        """Where each text stands that a session fills in, and what it is."""
        said = ("first_message", "system_prompt", *OWN_SENTENCES)
        for name in said:
            yield (name,), getattr(self, name)
        for code, section in self.languages.items():
            for name in said:
                yield ("languages", code, name), getattr(section, name)
        for name in ("reengagement_message", "goodbye_message", "soft_timeout_message"):
            yield ("turn_taking", name), getattr(self.turn_taking, name)
        if self.voice is not None:
            yield from ((("voice", *path), text) for path, text in self.voice.own_texts())
        for number, tool in enumerate(self.tools):
            if tool.webhook is not None:
                path = ("tools", number, "webhook")
                yield (*path, "url"), tool.webhook.url
                for kind in ("headers", "constants"):
                    for name, text in getattr(tool.webhook, kind).items():
                        yield (*path, kind, name), text

    @field_validator("system_tools")
    @classmethod
    def _need_no_settings(cls, names: tuple[SystemToolName, ...]) -> tuple[SystemToolName, ...]:
        for name in names:
            ToolConfig(name=name)
        return names

    @field_validator("dynamic_variables")
    @classmethod
    def _are_no_secrets(cls, variables: dict[str, VariableValue]) -> dict[str, VariableValue]:
        reserved = [name for name in variables if name.startswith(RESERVED_PREFIXES)]
        if reserved:
            raise ValueError(
                f"{reserved} cannot have defaults: `system__` is filled in by the session, and a "
                "`secret__` comes from the settings, never from an agent file"
            )
        return variables

    @model_validator(mode="after")
    def _has_the_languages_it_switches_to(self) -> Self:
        if "language_detection" in {tool.name for tool in self.all_tools} and not self.languages:
            raise ValueError(
                "`language_detection` needs another language to switch to: "
                "languages: {de: {first_message: ...}}"
            )
        if self.language in self.languages:
            raise ValueError(
                f"`languages` lists further languages, but {self.language!r} is the agent's own"
            )
        return self

    @model_validator(mode="after")
    def _says_its_origins_once(self) -> Self:
        in_access, in_widget = self.access.allowed_origins, self.widget.allowed_origins
        if in_access and in_widget and set(in_access) != set(in_widget):
            raise ValueError(
                "`access.allowed_origins` and `widget.allowed_origins` name different pages: "
                "give them in one of the two places"
            )
        return self

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Web pages that may use the agent, by host; empty allows all."""
        return self.access.allowed_origins or self.widget.allowed_origins

    @property
    def required_variables(self) -> tuple[str, ...]:
        """Dynamic variables that whoever starts a conversation has to give: none has a default."""
        texts = [text for _, text in self._texts_with_variables() if isinstance(text, str)]
        named = dict.fromkeys(name for text in texts for name in variable_names(text))
        given = {normalize("NFC", name) for name in self.dynamic_variables}
        return tuple(
            each for each in named if not each.startswith(RESERVED_PREFIXES) and each not in given
        )

    @property
    def all_tools(self) -> tuple[ToolConfig, ...]:
        """Those under `tools`, then those that `system_tools` names."""
        return (*self.tools, *(ToolConfig(name=name) for name in self.system_tools))

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change when any part of the agent changes."""
        return version_of(self.model_dump_json())

    @property
    def judge(self) -> AgentJudge:
        """The judge in force, with the endpoints of all judges of the agent."""
        name = self.analysis.judge or self.llm.model
        return AgentJudge(name, self.llm, self._judge_endpoints)

    @property
    def rewriter(self) -> LLMConfig:
        """The model that rewrites queries; equal to `llm` where the agent's own does."""
        section = self.knowledge_base.query_rewriting
        if isinstance(section.model, ReachedModel):
            return reached(section.model)
        if section.model in (None, self.llm.model):
            return self.llm
        return self.llm.named(section.model)

    @property
    def _judge_endpoints(self) -> tuple[ReachedModel, ...]:
        own = (each for criterion in self.criteria for each in criterion.judge_endpoints)
        return tuple(dict.fromkeys((*self.analysis.judge_endpoints, *own)))
