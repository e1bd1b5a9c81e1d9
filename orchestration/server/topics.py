"""What conversations of an agent are about, as the published SDKs ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from analysis.topics.topic_store import TopicTimes, conversations_by_topic, read_topic_times
from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext
from conversation.server.errors import ApiError
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, SortKey, page_of
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations

CanRead = Annotated[ApiKey, Depends(require("read"))]
UnixSeconds = Annotated[int | None, Query(ge=0, le=253_402_300_799)]
MAX_JUDGED = 5_000
"""Conversations whose verdicts are summed up for one answer; beyond it, the reports do that."""
_UNMEASURED = frozenset({"sentiment", "frustration"})
_EXAMPLE: dict[str, Any] = {
    "topics": [
        {
            "topic_id": "5d1c8e0b7a94",
            "label": "refund, broken lamp",
            "description": "refund, broken lamp, money back",
            "conversation_count": 12,
            "metrics": {"conversation_count": 12, "evaluation_criteria": []},
            "success_rate": 0.75,
        }
    ],
    "window_start_unix_secs": 1795000000,
    "window_end_unix_secs": 1795417864,
    "aggregated_run_count": 1,
    "has_more": False,
    "next_cursor": None,
}


class CriterionCounts(BaseModel):
    """The verdicts on one criterion."""

    criteria_id: str
    success_count: int = 0
    failure_count: int = 0
    unknown_count: int = 0


class TopicMetrics(BaseModel):
    """What is known of a topic's conversations. Moods are not measured."""

    conversation_count: int
    evaluation_criteria: list[CriterionCounts] | None = None


class TopicItem(BaseModel):
    """Conversations about the same thing."""

    topic_id: str
    label: str
    description: str
    """The words that are typical of it."""
    conversation_count: int
    metrics: TopicMetrics
    success_rate: float | None = None
    """Of all verdicts on its conversations that say success or failure; null without any."""


class TopicPage(BaseModel):
    """One page of topics, as the last run found them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    topics: list[TopicItem]
    window_start_unix_secs: int
    window_end_unix_secs: int
    aggregated_run_count: int
    has_more: bool
    next_cursor: str | None = None


def router(deployment: Deployment) -> APIRouter:
    """The routes over `deployment`."""
    routes = APIRouter(prefix="/v1/convai/agents", tags=["analytics"])

    @routes.get("/{agent_id}/topics", operation_id="get_agent_topics")
    def get_topics(
        agent_id: str,
        context: Context,
        _key: CanRead,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
        cursor: Cursor = None,
        sort_by: Literal[
            "conversations", "success_rate", "sentiment", "frustration"
        ] = "conversations",
        sort_direction: Literal["asc", "desc"] = "desc",
        from_unix_secs: UnixSeconds = None,
        to_unix_secs: UnixSeconds = None,
        include_evaluation_criteria: bool = True,
    ) -> TopicPage:
        """Topics as `vivavoce topics` found them last, of conversations begun in a window.

        A window begins with its UTC day. Topics without conversations in it are left out.
        """
        context.agents.agent(agent_id)
        window = _window(from_unix_secs, to_unix_secs)
        engine = deployment.engine
        members = conversations_by_topic(engine, agent_id, since=window.since, until=window.until)
        known = read_topic_times(engine, agent_id)
        counts = _counts(context, agent_id, members)
        if sort_by in _UNMEASURED or (sort_by == "success_rate" and counts is None):
            raise _unsortable(sort_by)
        items = [
            _item(topic, members[topic.topic_id], counts)
            for topic in known
            if topic.topic_id in members
        ]
        page = page_of(
            items,
            sort_key=lambda each: _sort_key(each, sort_by, falling=sort_direction == "desc"),
            page_size=page_size,
            cursor=cursor,
            descending=sort_direction == "desc",
        )
        _mask(page.items, agent_id, deployment)
        if not include_evaluation_criteria:
            for each in page.items:
                each.metrics.evaluation_criteria = None
        begin, end = window.shown(known, now=context.clock())
        return TopicPage(
            topics=page.items,
            window_start_unix_secs=begin,
            window_end_unix_secs=end,
            aggregated_run_count=1 if known else 0,
            has_more=page.has_more,
            next_cursor=page.next_cursor,
        )

    return routes


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime | None
    until: datetime | None

    def shown(self, known: Sequence[TopicTimes], *, now: datetime) -> tuple[int, int]:
        """Its bounds; without any, from when the topics were found first to when last."""
        since = self.since or min((each.found_at for each in known), default=now)
        until = self.until or max((each.updated_at for each in known), default=now)
        return int(since.timestamp()), int(until.timestamp())


def _window(since: int | None, until: int | None) -> _Window:
    if since is not None and until is not None and since > until:
        raise ApiError(422, "invalid_window", "`from_unix_secs` lies behind `to_unix_secs`.")
    begin = None
    if since is not None:
        begin = datetime.fromtimestamp(since, UTC)
        begin -= timedelta(hours=begin.hour, minutes=begin.minute, seconds=begin.second)
    return _Window(begin, None if until is None else datetime.fromtimestamp(until, UTC))


def _counts(
    context: ServerContext, agent_id: str, members: Mapping[str, Sequence[str]]
) -> dict[str, list[CriterionCounts]] | None:
    """The verdicts on the conversations of each topic; None where they are too many."""
    ids = [each for conversations in members.values() for each in conversations]
    if len(ids) > MAX_JUDGED:
        return None
    analyses = context.calls.analyses(ids, agent_ids=dict.fromkeys(ids, agent_id))
    found: dict[str, list[CriterionCounts]] = {}
    for topic_id, conversations in members.items():
        of_topic: dict[str, CriterionCounts] = {}
        for each in conversations:
            if each not in analyses:
                continue
            for result in analyses[each].evaluation_criteria_results_list:
                counted = of_topic.setdefault(
                    result.criteria_id, CriterionCounts(criteria_id=result.criteria_id)
                )
                name = f"{result.result}_count"
                setattr(counted, name, getattr(counted, name) + 1)
        found[topic_id] = [of_topic[name] for name in sorted(of_topic)]
    return found


def _item(
    topic: TopicTimes,
    conversations: Sequence[str],
    counts: Mapping[str, list[CriterionCounts]] | None,
) -> TopicItem:
    counted = None if counts is None else counts[topic.topic_id]
    successes = sum(each.success_count for each in counted or ())
    decided = successes + sum(each.failure_count for each in counted or ())
    return TopicItem(
        topic_id=topic.topic_id,
        label=topic.name,
        description=", ".join(topic.terms),
        conversation_count=len(conversations),
        metrics=TopicMetrics(conversation_count=len(conversations), evaluation_criteria=counted),
        success_rate=successes / decided if decided else None,
    )


def _mask(items: Sequence[TopicItem], agent_id: str, deployment: Deployment) -> None:
    """Topics that were found before their agent masked hold words as they were said."""
    texts = [text for each in items for text in (each.label, each.description)]
    masked = redacted_conversations(deployment).masked_together(agent_id, texts)
    for each, label, description in zip(items, masked[::2], masked[1::2], strict=True):
        each.label, each.description = label, description


def _sort_key(item: TopicItem, sort_by: str, *, falling: bool) -> SortKey:
    """What has no rate comes last, in either direction."""
    if sort_by == "conversations":
        return (item.conversation_count, item.topic_id)
    last = -1.0 if falling else 2.0
    return (last if item.success_rate is None else item.success_rate, item.topic_id)


def _unsortable(sort_by: str) -> ApiError:
    reason = (
        "moods are not measured"
        if sort_by in _UNMEASURED
        else f"these are more than {MAX_JUDGED:,} conversations: narrow them by `from_unix_secs`"
    )
    return ApiError(
        422, "unsupported_parameter", f"Topics cannot be sorted by `sort_by={sort_by}`: {reason}."
    )
