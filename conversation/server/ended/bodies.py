"""Conversations as the published SDKs read them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

CallStatus = Literal["initiated", "in-progress", "processing", "done", "failed"]
CallOutcome = Literal["success", "failure", "unknown"]


class CriterionResult(BaseModel):
    """What the judge in force says about one criterion."""

    criteria_id: str
    result: CallOutcome
    rationale: str
    score: int | None = None
    max_score: int | None = None


class FieldResult(BaseModel):
    """What was collected for one field."""

    data_collection_id: str
    value: Any = None
    """None when it was not said, or when what was found had no evidence."""
    json_schema: dict[str, Any] | None = None
    rationale: str


class CallAnalysis(BaseModel):
    """What was found in a conversation after its end."""

    call_successful: CallOutcome
    """`failure` when a criterion failed, `success` when one succeeded and none failed."""
    transcript_summary: str = ""
    call_summary_title: str | None = None
    evaluation_criteria_results: dict[str, CriterionResult] = {}
    data_collection_results: dict[str, FieldResult] = {}
    evaluation_criteria_results_list: list[CriterionResult] = []
    data_collection_results_list: list[FieldResult] = []


class ConversationSummaryItem(BaseModel):
    """A conversation in a list."""

    agent_id: str
    agent_name: str | None = None
    conversation_id: str
    start_time_unix_secs: int
    call_duration_secs: int
    message_count: int
    status: CallStatus
    call_successful: CallOutcome
    termination_reason: str | None = None
    transcript_summary: str | None = None
    """With `summary_mode=include`."""
    call_summary_title: str | None = None
    main_language: str | None = None
    conversation_initiation_source: str | None = None
    user_id: str | None = None
    has_audio: bool = False
    tool_names: list[str] = []
    tag_ids: list[str] = []
    rating: float | None = None
    evaluation_criteria_results: dict[str, dict[str, Any]] | None = None
    data_collection_results: dict[str, Any] | None = None


_ITEM: dict[str, JsonValue] = {
    "agent_id": "support",
    "agent_name": "Support",
    "conversation_id": "conv_0123456789abcdef0123456789abcdef",
    "start_time_unix_secs": 1_795_000_000,
    "call_duration_secs": 34,
    "message_count": 4,
    "status": "done",
    "call_successful": "success",
}


class ConversationList(BaseModel):
    """One page of conversations, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"conversations": [_ITEM], "next_cursor": None, "has_more": False}]
        }
    )

    conversations: list[ConversationSummaryItem]
    next_cursor: str | None = None
    has_more: bool


class ToolCallItem(BaseModel):
    """A tool that the agent called."""

    type: str | None = None
    request_id: str
    tool_name: str
    params_as_json: str
    tool_has_been_called: bool


class ToolResultItem(BaseModel):
    """What the tool said."""

    type: str | None = None
    request_id: str
    tool_name: str
    result_value: str
    is_error: bool
    tool_has_been_called: bool
    tool_latency_secs: float = 0.0


class RetrievedChunk(BaseModel):
    """A passage that was found for a turn, on the wire."""

    document_id: str
    chunk_id: str
    vector_distance: float
    """One minus the score of the fused rankings: of use within one turn only."""


class RetrievalInfo(BaseModel):
    """What was looked up for a turn."""

    chunks: list[RetrievedChunk]
    embedding_model: str
    retrieval_query: str
    rag_latency_secs: float
    used_chunk_ids: list[str] = []
    """Those that the turn cites."""


class TurnFeedback(BaseModel):
    """What the user thought of a turn."""

    score: Literal["like", "dislike"]
    time_in_call_secs: int


class TranscriptFile(BaseModel):
    """A file that came with a turn. It is not kept itself, so its `file_url` is empty."""

    file_id: str
    original_filename: str
    mime_type: str
    file_url: str = ""


class TranscriptItem(BaseModel):
    """One turn."""

    role: Literal["user", "agent"]
    message: str | None
    time_in_call_secs: int
    tool_calls: list[ToolCallItem] = []
    tool_results: list[ToolResultItem] = []
    feedback: TurnFeedback | None = None
    producing_llm: str | None = None
    interrupted: bool = False
    original_message: str | None = None
    """What was generated, when less was heard."""
    source_medium: Literal["audio", "text"] = "text"
    conversation_turn_metrics: dict[str, Any] | None = None
    rag_retrieval_info: RetrievalInfo | None = None
    llm_usage: dict[str, Any] | None = None
    file_input: TranscriptFile | None = None
    """The first of `file_inputs`, for older clients."""
    file_inputs: list[TranscriptFile] = []
    id: str | None = None


class CallFeedback(BaseModel):
    """What the user thought of the whole conversation."""

    type: Literal["thumbs", "rating"] | None = None
    overall_score: Literal["like", "dislike"] | None = None
    likes: int = 0
    dislikes: int = 0
    rating: int | None = None
    comment: str | None = None


class CallMetadata(BaseModel):
    """When it was, and how it came about."""

    start_time_unix_secs: int
    accepted_time_unix_secs: int | None = None
    call_duration_secs: int
    cost: int | None = 0
    deletion_settings: dict[str, Any] = {}
    feedback: CallFeedback = CallFeedback()
    authorization_method: str | None = None
    charging: dict[str, Any] = {}
    termination_reason: str = ""
    error: dict[str, Any] | None = None
    warnings: list[str] = []
    main_language: str | None = None
    rag_usage: dict[str, Any] | None = None
    text_only: bool = True
    conversation_initiation_source: str | None = None
    conversation_initiation_source_version: str | None = None
    terms_accepted_at: str | None = None
    """When the user accepted the agent's terms, where its page asked for that."""
    terms_sha256: str | None = None
    """Of the text that was accepted; the text itself is an event of the conversation."""


class ConversationDetail(BaseModel):
    """A conversation with everything that was said and found. Also what webhooks are sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agent_id": "support",
                    "agent_name": "Support",
                    "conversation_id": _ITEM["conversation_id"],
                    "status": "done",
                    "has_audio": False,
                    "has_user_audio": False,
                    "has_response_audio": False,
                    "has_auxiliary_audio": False,
                    "transcript": [
                        {"role": "agent", "message": "Hello!", "time_in_call_secs": 0},
                        {"role": "user", "message": "Are you open?", "time_in_call_secs": 4},
                    ],
                    "metadata": {
                        "start_time_unix_secs": 1_795_000_000,
                        "call_duration_secs": 34,
                        "termination_reason": "user_ended",
                    },
                    "analysis": {"call_successful": "unknown", "transcript_summary": ""},
                }
            ]
        }
    )

    agent_id: str
    agent_name: str | None = None
    status: CallStatus
    user_id: str | None = None
    version_id: str | None = None
    """Of the agent as it was then."""
    conversation_id: str
    has_audio: bool = False
    has_user_audio: bool = False
    has_response_audio: bool = False
    has_auxiliary_audio: bool = False
    transcript: list[TranscriptItem]
    metadata: CallMetadata
    analysis: CallAnalysis | None = None
    tag_ids: list[str] = []
    conversation_initiation_client_data: dict[str, Any] = Field(
        default={
            "conversation_config_override": {},
            "custom_llm_extra_body": {},
            "dynamic_variables": {},
        }
    )
    tag_ids: list[str] = []
