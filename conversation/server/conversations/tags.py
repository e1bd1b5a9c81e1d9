"""Tags that people put on conversations. They go with the conversation when it is forgotten."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext
from conversation.server.conversations.feedback import events_of
from conversation.server.errors import not_found
from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.server.records import ApiRecord, by_creation
from conversation.store.store import ConversationEvent

router = APIRouter(prefix="/v1/convai", tags=["conversations"])

CanRead = Annotated[ApiKey, Depends(require("read"))]
CanLabel = Annotated[ApiKey, Depends(require("label"))]
Title = Annotated[ReadableName, Field(min_length=1, max_length=100)]
Description = Annotated[str | None, Field(max_length=1_000)]
TAGS = "tags"
"""Of a conversation: which tags it has from then on."""


class NewTag(Body):
    """A tag to make."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Call back"}]})

    title: Title
    description: Description = None


class TagChanges(Body):
    """What shall be otherwise."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Call back soon"}]})

    title: Title | None = None
    description: Description = None


class WantedTags(Body):
    """Tags to put on a conversation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"tag_ids": ["tag_0123456789abcdef0123456789abcdef"]}]}
    )

    tag_ids: list[str] = Field(min_length=1, max_length=50)


class Tag(BaseModel):
    """A tag."""

    tag_id: str
    workspace_id: str = ""
    owner_user_id: str = ""
    """There are no users of this server: a tag belongs to nobody."""
    title: str
    description: str | None = None
    created_at_unix_secs: int


class TagPage(BaseModel):
    """One page of tags."""

    conversation_tags: list[Tag]
    next_cursor: str | None = None
    has_more: bool


@router.get("/tags", operation_id="list_tags")
def list_tags(
    context: Context, _key: CanRead, page_size: PageSize = DEFAULT_PAGE_SIZE, cursor: Cursor = None
) -> TagPage:
    """Tags, newest first."""
    page = page_of(
        context.records.all("tag"),
        sort_key=by_creation,
        page_size=page_size,
        cursor=cursor,
        descending=True,
    )
    return TagPage(
        conversation_tags=[_tag(each) for each in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.post("/tags", operation_id="create_tag")
def create_tag(given: NewTag, context: Context, _key: CanLabel) -> Tag:
    """Make a tag."""
    return _tag(context.records.add("tag", given.model_dump(), now=context.clock()))


@router.get("/tags/{tag_id}", operation_id="get_tag")
def get_tag(tag_id: str, context: Context, _key: CanRead) -> Tag:
    """One tag."""
    return _tag(_known(context, tag_id))


@router.patch("/tags/{tag_id}", operation_id="update_tag")
def update_tag(tag_id: str, given: TagChanges, context: Context, _key: CanLabel) -> Tag:
    """Call a tag otherwise."""
    body = {**_known(context, tag_id).body, **given.model_dump(exclude_none=True)}
    context.records.put("tag", tag_id, body, now=context.clock())
    return _tag(_known(context, tag_id))


@router.delete("/tags/{tag_id}", operation_id="delete_tag", status_code=204)
def delete_tag(tag_id: str, context: Context, _key: CanLabel) -> None:
    """Delete a tag; no conversation has it any more."""
    _known(context, tag_id)
    context.records.remove("tag", tag_id)


@router.post(
    "/conversations/{conversation_id}/tags", operation_id="add_conversation_tags", status_code=204
)
def add_tags(conversation_id: str, given: WantedTags, context: Context, _key: CanLabel) -> None:
    """Put tags on a conversation."""
    for tag_id in given.tag_ids:
        _known(context, tag_id)
    _change(context, conversation_id, add=given.tag_ids)


@router.delete(
    "/conversations/{conversation_id}/tags/{tag_id}",
    operation_id="remove_conversation_tag",
    status_code=204,
)
def remove_tag(conversation_id: str, tag_id: str, context: Context, _key: CanLabel) -> None:
    """Take a tag off a conversation."""
    if tag_id not in _change(context, conversation_id, remove=tag_id):
        raise not_found("tag", tag_id)


def tags_in(
    context: ServerContext, found: Mapping[str, Sequence[ConversationEvent]]
) -> dict[str, list[str]]:
    """The ids of tags on conversations by their events; those that were deleted are left out."""
    said = {
        key: list[str](each.payload["tag_ids"])  # the last one says it
        for key, events in found.items()
        for each in events
        if each.kind == TAGS
    }
    if not any(said.values()):
        return {}
    known = {record.record_id for record in context.records.all("tag")}
    return {key: [each for each in ids if each in known] for key, ids in said.items()}


def tags_of(context: ServerContext, conversation_id: str) -> list[str]:
    """The ids of tags on one conversation."""
    found = events_of(context.store.engine, [conversation_id], (TAGS,))
    return tags_in(context, found).get(conversation_id, [])


def _change(
    context: ServerContext,
    conversation_id: str,
    *,
    add: Sequence[str] = (),
    remove: str | None = None,
) -> list[str]:
    """Change the tags of a conversation; returns those that it had."""
    context.store.transcript(conversation_id)  # there is such a conversation
    before = tags_of(context, conversation_id)
    after = [each for each in dict.fromkeys([*before, *add]) if each != remove]
    if after != before:
        context.store.add_event(
            conversation_id, TAGS, at=context.clock(), payload={"tag_ids": after}
        )
    return before


def _known(context: ServerContext, tag_id: str) -> ApiRecord:
    found = context.records.get("tag", tag_id)
    if found is None:
        raise not_found("tag", tag_id[:100])
    return found


def _tag(record: ApiRecord) -> Tag:
    return Tag(
        tag_id=record.record_id,
        title=record.body["title"],
        description=record.body.get("description"),
        created_at_unix_secs=int(record.created_at.timestamp()),
    )
