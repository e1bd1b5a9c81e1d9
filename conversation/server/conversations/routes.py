"""Conversations that were held: lists, transcripts with what was found in them, feedback."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse

from conversation.errors import UnknownConversationError
from conversation.server.access.admission import require
from conversation.server.agents.bodies import MAIN_BRANCH
from conversation.server.context import Context, ServerContext
from conversation.server.conversations.admitting import admit_user
from conversation.server.conversations.analysis_routes import require_ended
from conversation.server.conversations.comparisons import comparisons
from conversation.server.conversations.detail import conversation_detail
from conversation.server.conversations.feedback import keep_feedback
from conversation.server.conversations.search import CallFilter, criterion_params, list_page
from conversation.server.conversations.sound import recording_answer
from conversation.server.conversations.wanted_tools import WantedTool, wanted_tools
from conversation.server.conversations.what_was_given import refuse_secrets
from conversation.server.ended.bodies import (
    CallOutcome,
    CallStatus,
    ConversationDetail,
    ConversationList,
)
from conversation.server.ended.shown_conversation import ShownFindings, call_status
from conversation.server.errors import ApiError, not_found
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize

router = APIRouter(prefix="/v1/convai/conversations", tags=["conversations"])

CanRead = Annotated[ApiKey, Depends(require("read"))]
CanAdminister = Annotated[ApiKey, Depends(require("admin"))]
UnixSeconds = Annotated[int | None, Query(ge=0, le=253_402_300_798, description="Unix time, s.")]
Names = Annotated[list[str] | None, Query(max_length=50, description="Any of these.")]
Shown = Annotated[
    list[str] | None,
    Query(max_length=50, description="Show these alone in each conversation; else all."),
]
MAX_MESSAGES = 200


class FeedbackBody(Body):
    """What a user thought: thumbs, or stars with a comment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rating": 5, "comment": "Quick."}]})

    feedback: Literal["like", "dislike"] | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    comment: str | None = Field(default=None, max_length=2_000)


class SummaryMessage(BaseModel):
    """A turn of a short view."""

    role: Literal["user", "agent"]
    message: str


class ConversationShort(BaseModel):
    """A conversation in short."""

    conversation_id: str
    agent_id: str
    status: CallStatus
    call_summary_title: str | None = None
    transcript_summary: str | None = None
    call_successful: CallOutcome | None = None
    message_count: int
    messages: list[SummaryMessage]
    messages_omitted: bool
    note: str


@router.get("", operation_id="list_conversations")
def list_conversations(
    context: Context,
    _key: CanRead,
    agent_id: Annotated[str | None, Query(max_length=128)] = None,
    call_successful: CallOutcome | None = None,
    call_start_after_unix: UnixSeconds = None,
    call_start_before_unix: UnixSeconds = None,
    call_duration_min_secs: Annotated[int | None, Query(ge=0)] = None,
    call_duration_max_secs: Annotated[int | None, Query(ge=0)] = None,
    rating_min: Annotated[int | None, Query(ge=1, le=5)] = None,
    rating_max: Annotated[int | None, Query(ge=1, le=5)] = None,
    has_feedback_comment: bool | None = None,
    user_id: Annotated[str | None, Query(max_length=200)] = None,
    search: Annotated[str | None, Query(max_length=200, description="Words of a turn.")] = None,
    conversation_initiation_source: Annotated[str | None, Query(max_length=64)] = None,
    evaluation_params: Annotated[
        list[str] | None, Query(max_length=20, description="`CRITERION:RESULT`, repeatable.")
    ] = None,
    data_collection_params: Annotated[
        list[str] | None, Query(max_length=20, description="`FIELD:OP:VALUE`, repeatable.")
    ] = None,
    data_collection_filter: Annotated[str | None, Query(max_length=500)] = None,
    data_collection_ids: Shown = None,
    evaluation_criteria_ids: Shown = None,
    dynamic_variable_params: Annotated[
        list[str] | None, Query(max_length=20, description="`NAME:OP:VALUE`, repeatable.")
    ] = None,
    dynamic_variable_filter: Annotated[str | None, Query(max_length=500)] = None,
    text_only: bool | None = None,
    tool_names: Names = None,
    tool_names_successful: Names = None,
    tool_names_errored: Names = None,
    tool_ids: Names = None,
    tool_ids_successful: Names = None,
    tool_ids_errored: Names = None,
    visited_agent_ids: Names = None,
    visited_agent_branch_ids: Names = None,
    branch_id: Annotated[str | None, Query(max_length=128)] = None,
    topic_ids: Names = None,
    conversation_product_type: Literal["agents", "speech_engine"] = "agents",
    main_languages: Names = None,
    termination_reasons: Names = None,
    exclude_statuses: Annotated[list[CallStatus] | None, Query(max_length=5)] = None,
    version_id: Annotated[str | None, Query(max_length=128)] = None,
    tag_ids: Names = None,
    sort_direction: Literal["asc", "desc"] = "desc",
    summary_mode: Literal["exclude", "include"] = "exclude",
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> ConversationList:
    """Conversations, newest first; those that begin meanwhile neither repeat nor hide any.

    A page may be short, or empty, and still have a next one: filters by outcome and feedback look
    at so many conversations and no more.
    """
    variables = (
        *comparisons(dynamic_variable_params or (), "dynamic_variable_params"),
        *comparisons([*filter(None, [dynamic_variable_filter])], "dynamic_variable_filter"),
    )
    refuse_secrets([each.name for each in variables])
    wanted = CallFilter(
        agent_id=agent_id,
        started_from_s=call_start_after_unix,
        started_to_s=call_start_before_unix,
        search=search,
        user_id=user_id,
        call_successful=call_successful,
        duration_min_s=call_duration_min_secs,
        duration_max_s=call_duration_max_secs,
        rating_min=rating_min,
        rating_max=rating_max,
        has_feedback_comment=has_feedback_comment,
        source=conversation_initiation_source,
        criteria=criterion_params(evaluation_params or []),
        values=(
            *comparisons(data_collection_params or (), "data_collection_params"),
            *comparisons([*filter(None, [data_collection_filter])], "data_collection_filter"),
        ),
        variables=variables,
        text_only=text_only,
        tool_names=tool_names or (),
        tool_names_successful=tool_names_successful or (),
        tool_names_errored=tool_names_errored or (),
        tools=_tools(context, tool_ids),
        tools_successful=_tools(context, tool_ids_successful),
        tools_errored=_tools(context, tool_ids_errored),
        visited_agent_ids=visited_agent_ids or (),
        finds_none=(
            MAIN_BRANCH not in (visited_agent_branch_ids or [MAIN_BRANCH])
            or branch_id not in (None, MAIN_BRANCH)
            or conversation_product_type == "speech_engine"
        ),
        topic_ids=topic_ids or (),
        languages=main_languages or (),
        end_reasons=termination_reasons or (),
        excluded_statuses=exclude_statuses or (),
        version_id=version_id,
        tag_ids=tag_ids or (),
        oldest_first=sort_direction == "asc",
    )
    return list_page(
        context,
        wanted,
        page_size=page_size,
        cursor=cursor,
        shown=ShownFindings(
            summary=summary_mode == "include",
            criteria_ids=evaluation_criteria_ids,
            field_ids=data_collection_ids,
        ),
    )


def _tools(context: ServerContext, tool_ids: list[str] | None) -> list[WantedTool] | None:
    return None if tool_ids is None else wanted_tools(context, tool_ids)


@router.get("/{conversation_id}", operation_id="get_conversation")
def get_conversation(conversation_id: str, context: Context, _key: CanRead) -> ConversationDetail:
    """One conversation: turns with what they rest on, metadata, and what was found in it."""
    return conversation_detail(context, conversation_id)


@router.get("/{conversation_id}/summary", operation_id="get_conversation_summary")
def get_conversation_summary(
    conversation_id: str,
    context: Context,
    _key: CanRead,
    max_messages: Annotated[int, Query(ge=0, le=MAX_MESSAGES)] = 20,
) -> ConversationShort:
    """One conversation in short: its summary, and its last messages."""
    transcript = context.calls.readable().transcript(conversation_id)
    analysis = context.calls.analyses(
        [conversation_id], agent_ids={conversation_id: transcript.agent_id}
    ).get(conversation_id)
    shown = transcript.turns[-max_messages:] if max_messages else ()
    omitted = len(transcript.turns) - len(shown)
    return ConversationShort(
        conversation_id=conversation_id,
        agent_id=transcript.agent_id,
        status=call_status(transcript.status),
        transcript_summary=analysis.transcript_summary if analysis else None,
        call_successful=analysis.call_successful if analysis else None,
        message_count=len(transcript.turns),
        messages=[SummaryMessage(role=turn.role, message=turn.text) for turn in shown],
        messages_omitted=omitted > 0,
        note=f"{omitted} earlier messages are left out." if omitted else "All messages are shown.",
    )


@router.delete("/{conversation_id}", operation_id="delete_conversation")
def delete_conversation(
    conversation_id: str, context: Context, _key: CanAdminister
) -> dict[str, Any]:
    """Delete a conversation and everything made from it, in every derived store, for ever."""
    require_ended(context.store.transcript(conversation_id), "deleted")
    context.calls.forget(conversation_id)
    return {}


@router.post("/{conversation_id}/feedback", operation_id="give_feedback")
def give_feedback(
    conversation_id: str, given: FeedbackBody, request: Request, context: Context
) -> dict[str, Any]:
    """Keep what a user thought of the conversation.

    No key is needed where users talk without one: who knows the conversation's id was part of it.
    """
    try:
        transcript = context.store.transcript(conversation_id)
    except UnknownConversationError as error:
        raise not_found("conversation", conversation_id) from error
    admit_user(context, request, transcript)
    payload = {
        name: value
        for name, value in (
            ("score", given.feedback),
            ("rating", given.rating),
            ("comment", given.comment),
        )
        if value is not None
    }
    if not payload:
        raise ApiError(
            422, "invalid_feedback", "Give `feedback` (like or dislike) or `rating` (1 to 5)."
        )
    keep_feedback(context.store, conversation_id, payload, at=context.clock())
    return {}


@router.get(
    "/{conversation_id}/audio",
    operation_id="get_conversation_audio",
    response_class=FileResponse,
    responses={
        200: {"content": {"audio/mpeg": {}, "audio/wav": {}}},
        206: {"description": "The part that the header `Range` asks for."},
        404: {"description": "There is no recording."},
    },
)
def get_audio(conversation_id: str, context: Context, _key: CanRead) -> FileResponse:
    """The recording, the user left and the agent right; text conversations have none."""
    return recording_answer(context, conversation_id)
