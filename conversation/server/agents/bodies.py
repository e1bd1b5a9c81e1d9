"""Bodies of requests and answers about agents. What is not named here is kept and given back."""

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conversation.server.agents.agent_wire import part
from conversation.server.agents.model_names import in_model_strings
from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName

MAX_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 2_000
_HAS_ITS_PLACE = {"name", "tags", "version_description"}
MAIN_BRANCH = "main"
"""There is one branch of each agent."""


class _Sent(BaseModel):
    model_config = ConfigDict(extra="allow")


class DocumentLocator(_Sent):
    """A document that the agent answers from."""

    id: str
    name: str = ""
    type: str = "file"
    usage_mode: str = "auto"


class SentTool(_Sent):
    """A tool: `client`, `webhook` or `system`."""

    name: str
    type: str
    api_schema: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    params: dict[str, Any] | None = None


class SentPrompt(_Sent):
    """What the agent is told, and which model it is."""

    prompt: str | None = None
    llm: str | None = Field(default=None, examples=["anthropic/claude-sonnet-4-5"])
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = None
    knowledge_base: list[DocumentLocator] | None = None
    tools: list[SentTool] | None = None
    built_in_tools: dict[str, dict[str, Any] | None] | None = None
    rag: dict[str, Any] | None = None
    custom_llm: dict[str, Any] | None = None
    backup_llm_config: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _model_by_its_string(cls, sent: Any) -> Any:
        return in_model_strings(cast("dict[str, Any]", sent)) if isinstance(sent, dict) else sent


class SentSpeaker(_Sent):
    """What the agent says, and in which language."""

    first_message: str | None = None
    language: str | None = None
    dynamic_variables: dict[str, Any] | None = None
    prompt: SentPrompt | None = None


class SentConversationConfig(_Sent):
    """How the agent talks."""

    agent: SentSpeaker | None = None
    turn: dict[str, Any] | None = None
    tts: dict[str, Any] | None = None
    asr: dict[str, Any] | None = None
    conversation: dict[str, Any] | None = None
    language_presets: dict[str, dict[str, Any]] | None = None


class SentCriterion(_Sent):
    """A success criterion."""

    id: str
    name: str | None = None
    conversation_goal_prompt: str


class SentEvaluation(_Sent):
    """What is asked of finished conversations."""

    criteria: list[SentCriterion] | None = None


class SentHost(_Sent):
    """A web page that may use the agent."""

    hostname: str


class SentAuth(_Sent):
    """Who may talk to the agent. Nobody without a key or a signed URL, unless this says so."""

    enable_auth: bool | None = None
    allowlist: list[SentHost] | None = None


class SentPlatformSettings(_Sent):
    """What surrounds the conversations."""

    auth: SentAuth | None = None
    evaluation: SentEvaluation | None = None
    data_collection: dict[str, dict[str, Any]] | None = None
    overrides: dict[str, Any] | None = None
    privacy: dict[str, Any] | None = None
    widget: dict[str, Any] | None = None


_EXAMPLE: dict[str, Any] = {
    "name": "Support",
    "conversation_config": {
        "agent": {
            "first_message": "Hello! How can I help?",
            "language": "en",
            "prompt": {"prompt": "You answer questions about orders."},
        }
    },
    "tags": ["production"],
}


_COMPLETE: dict[str, Any] = _EXAMPLE | {
    "agent_id": "agent_4f1c0a9b2e7d83650c1a",
    "platform_settings": {"auth": {"enable_auth": True, "allowlist": []}},
    "metadata": {"created_at_unix_secs": 1795417864, "updated_at_unix_secs": 1795417864},
    "version_id": "c07b6c2099dc",
    "knowledge_base_state": {"status": "succeeded", "message": None},
}


class _AgentParts(_Sent):
    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_EXAMPLE]})

    name: ReadableName | None = Field(default=None, min_length=1, max_length=MAX_NAME_CHARS)
    platform_settings: SentPlatformSettings | None = None
    tags: list[ReadableName] | None = Field(default=None, max_length=50)
    workflow: dict[str, Any] | None = None
    """Kept and given back; conversations follow none, so that one with nodes has no effect."""
    version_description: str | None = Field(default=None, max_length=MAX_DESCRIPTION_CHARS)
    """Of the version that this makes; without a change, of the one that is live."""

    def plain(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_unset=True)

    def kept(self) -> dict[str, Any]:
        """What is given back; name, tags and the address of a model have places of their own."""
        kept = self.model_dump(exclude_unset=True, exclude_none=True, exclude=_HAS_ITS_PLACE)
        prompt = part(part(part(kept, "conversation_config"), "agent"), "prompt")
        part(prompt, "custom_llm").pop("url", None)
        return kept

    def passed_over(self) -> list[str]:
        """Whole parts that change nothing here; what answers show of an agent may come back."""
        workflow = self.workflow or {}
        found = ["workflow"] if workflow.get("nodes") or workflow.get("edges") else []
        extra = self.model_extra or {}
        return found + [
            name
            for name, value in extra.items()
            if name not in AgentAnswer.model_fields and value not in (None, [], {})
        ]


class AgentChanges(_AgentParts):
    """What shall be otherwise; what is left out stays."""

    conversation_config: SentConversationConfig | None = None


class NewAgent(_AgentParts):
    """An agent to make."""

    conversation_config: SentConversationConfig


class CopyOfAgent(Body):
    """How the copy is called."""

    name: ReadableName | None = Field(default=None, min_length=1, max_length=MAX_NAME_CHARS)


class AgentId(BaseModel):
    """The agent that was made."""

    agent_id: str = Field(examples=["agent_4f1c0a9b2e7d83650c1a"])
    without_effect: list[str] = []
    """What was sent and is not so, by its path: this server has another word for it, or none."""


class AccessInfo(BaseModel):
    """Every key of this server sees the same; there are no users."""

    is_creator: bool = True
    creator_name: str = ""
    creator_email: str = ""
    role: str = "admin"


class AgentTimes(BaseModel):
    """When it was made, and when its file changed."""

    created_at_unix_secs: int
    updated_at_unix_secs: int


class KnowledgeBaseState(BaseModel):
    """Whether the agent answers from what its file names."""

    status: Literal["created", "processing", "succeeded", "failed"]
    """`created` waits. Of an agent whose documents were never changed here: `succeeded`."""
    message: str | None = None
    """For a person: what failed, or which documents did."""


class AgentAnswer(BaseModel):
    """An agent, complete."""

    model_config = ConfigDict(json_schema_extra={"examples": [_COMPLETE]})

    agent_id: str
    name: str
    conversation_config: dict[str, Any]
    platform_settings: dict[str, Any]
    metadata: AgentTimes
    phone_numbers: list[Any] = []
    whatsapp_accounts: list[Any] = []
    workflow: dict[str, Any] = {}
    access_info: AccessInfo = AccessInfo()
    tags: list[str] = []
    version_id: str
    """What conversations are held with from now on; as `If-Match` it lets no other be changed.
    `ETag` changes with tags and with what has no effect as well."""
    knowledge_base_state: KnowledgeBaseState
    without_effect: list[str] = []
    """Of the answer to a change: what was sent and is not so, by its path."""
    branch_id: str = MAIN_BRANCH
    main_branch_id: str = MAIN_BRANCH


class AgentSummary(BaseModel):
    """An agent in a list."""

    agent_id: str
    name: str
    voice_id: str = ""
    tags: list[str]
    created_at_unix_secs: int
    updated_at_unix_secs: int
    access_info: AccessInfo = AccessInfo()
    last_call_time_unix_secs: int | None = None
    archived: bool = False


class AgentPage(BaseModel):
    """One page of agents."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agents": [
                        {
                            "agent_id": "agent_4f1c0a9b2e7d83650c1a",
                            "name": "Support",
                            "voice_id": "",
                            "tags": ["production"],
                            "created_at_unix_secs": 1795417864,
                            "updated_at_unix_secs": 1795417864,
                            "access_info": {"is_creator": True, "role": "admin"},
                        }
                    ],
                    "next_cursor": None,
                    "has_more": False,
                }
            ]
        }
    )

    agents: list[AgentSummary]
    next_cursor: str | None = None
    has_more: bool


class ShareToken(BaseModel):
    """A signature that starts conversations for a while."""

    agent_id: str
    conversation_token: str
    expiration_time_unix_secs: int | None = None
    conversation_id: str | None = None
    purpose: str = "shareable_link"
    token_requester_user_id: str | None = None


class AgentLink(BaseModel):
    """How to share an agent. One that is public needs no token."""

    agent_id: str
    token: ShareToken | None = None


class AgentWidget(BaseModel):
    """What the embeddable widget asks for before it shows anything."""

    agent_id: str
    widget_config: dict[str, Any]


class KnowledgeBaseSize(BaseModel):
    """How long the agent's documents are, in pages of 2,000 characters."""

    number_of_pages: float
