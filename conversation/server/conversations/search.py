"""Lists of conversations, narrowed by what their rows, their analysis and their feedback say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import get_args

from conversation.agent.config import AgentConfig
from conversation.errors import StoreError
from conversation.server.context import ServerContext
from conversation.server.conversations.comparisons import Comparison
from conversation.server.conversations.feedback import events_of
from conversation.server.conversations.known_users import (
    WantedUser,
    of_user,
    shown_summaries,
    user_filter,
    wanted_user,
)
from conversation.server.conversations.sound import NOBODY, sides_of
from conversation.server.conversations.tags import TAGS, tags_in
from conversation.server.conversations.wanted_tools import WantedTool, visited_agents
from conversation.server.conversations.what_was_given import readable_variables
from conversation.server.ended.bodies import (
    CallAnalysis,
    CallFeedback,
    CallOutcome,
    CallStatus,
    ConversationList,
    ConversationSummaryItem,
)
from conversation.server.ended.shown_conversation import (
    WITHOUT_SUMMARY,
    ShownFindings,
    call_feedback,
    call_status,
    duration_s,
    is_text_only,
    list_item,
    outcome_of,
)
from conversation.server.errors import ApiError
from conversation.store.listing.pages import ConversationPage, cursor_after
from conversation.store.reading import spoken_among, tool_calls_of
from conversation.store.store import ConversationStore, ConversationSummary
from conversation.transcript import ToolCall

LOOKED_AT_ONCE = 100
MOST_LOOKED_AT = 2_000
"""Then the page is given as it is, with a cursor: a rare outcome must not read the whole store."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a conversation beside its row."""

    analysis: CallAnalysis | None
    feedback: CallFeedback
    language: str | None
    calls: Sequence[ToolCall] = ()
    tag_ids: frozenset[str] = frozenset()
    variables: Mapping[str, object] = field(default_factory=dict[str, object])
    """As they may be read; empty where nobody asks for them."""
    is_spoken: bool = False
    has_topic: bool = True
    """Whether it is about one of the topics that are asked for, if any are."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What is asked for; None asks for nothing."""

    agent_id: str | None = None
    started_from_s: int | None = None
    started_to_s: int | None = None
    search: str | None = None
    user_id: str | None = None
    call_successful: CallOutcome | None = None
    duration_min_s: int | None = None
    duration_max_s: int | None = None
    rating_min: int | None = None
    rating_max: int | None = None
    has_feedback_comment: bool | None = None
    source: str | None = None
    criteria: Sequence[tuple[str, str]] = ()
    """Criteria, each with the result that it must have."""
    values: Sequence[Comparison] = ()
    """Of data collection fields."""
    variables: Sequence[Comparison] = ()
    """Of dynamic variables."""
    text_only: bool | None = None
    tool_names: Sequence[str] = ()
    """Any of these was called."""
    tool_names_successful: Sequence[str] = ()
    tool_names_errored: Sequence[str] = ()
    tools: Sequence[WantedTool] | None = None
    """Any of these was called, which are told from others of their names."""
    tools_successful: Sequence[WantedTool] | None = None
    tools_errored: Sequence[WantedTool] | None = None
    visited_agent_ids: Sequence[str] = ()
    """Any of these took part."""
    finds_none: bool = False
    """What is asked for is no conversation of this server, e.g. one of another branch."""
    topic_ids: Sequence[str] = ()
    languages: Sequence[str] = ()
    end_reasons: Sequence[str] = ()
    excluded_statuses: Sequence[CallStatus] = ()
    version_id: str | None = None
    tag_ids: Sequence[str] = ()
    """It has any of these."""
    oldest_first: bool = False

    @property
    def by_tools(self) -> bool:
        """Whether tool calls have to be read."""
        names = (self.tool_names, self.tool_names_successful, self.tool_names_errored)
        ids = (self.tools, self.tools_successful, self.tools_errored)
        return bool(any(names) or any(each is not None for each in ids) or self.visited_agent_ids)

    @property
    def by_what_was_said(self) -> bool:
        """Whether the store may find conversations that show what is asked for only unmasked."""
        return bool(self.search) or self.user_id is not None

    @property
    def decided_by_rows(self) -> bool:
        """Whether the store alone finds those asked for, so that none is looked at in vain."""
        elsewhere = (
            *(self.criteria, self.values, self.variables),
            *(self.languages, self.end_reasons, self.tag_ids, self.topic_ids),
        )
        bounds = (
            *(self.duration_min_s, self.duration_max_s),
            *(self.source, self.version_id, self.text_only),
        )
        return not (
            self.by_tools
            or self.search
            or self.call_successful
            or self.excluded_statuses
            or any(elsewhere)
            or any(each is not None for each in bounds)
        )

    def takes(self, row: ConversationSummary, known: Known) -> bool:
        """Whether a conversation is one of those asked for."""
        return (
            self._takes_row(row, known.language)
            and self._takes_findings(known.analysis)
            and self._takes_feedback(known.feedback)
            and self._takes_tools(visited_agents(row.agent_id, known.calls), known.calls)
            and known.has_topic
            and all(comparison.holds(known.variables) for comparison in self.variables)
            and self.text_only in (None, is_text_only(row.metadata, is_spoken=known.is_spoken))
            and (not self.tag_ids or not known.tag_ids.isdisjoint(self.tag_ids))
        )

    def _takes_row(self, row: ConversationSummary, language: str | None) -> bool:
        seconds = duration_s(row.started_at, row.ended_at)
        metadata = row.metadata
        return (
            self.source in (None, metadata.get("client"))
            and self.version_id in (None, row.agent_version)
            and _within(seconds, self.duration_min_s, self.duration_max_s)
            and (not self.languages or language in self.languages)
            and (not self.end_reasons or row.end_reason in self.end_reasons)
            and call_status(row.status) not in self.excluded_statuses
        )

    def _takes_findings(self, analysis: CallAnalysis | None) -> bool:
        results = analysis.evaluation_criteria_results if analysis else {}
        collected = analysis.data_collection_results if analysis else {}
        values = {name: each.value for name, each in collected.items()}
        return (
            self.call_successful in (None, outcome_of(analysis))
            and all(
                name in results and results[name].result == wanted for name, wanted in self.criteria
            )
            and all(comparison.holds(values) for comparison in self.values)
        )

    def _takes_feedback(self, feedback: CallFeedback) -> bool:
        return _within(
            feedback.rating, self.rating_min, self.rating_max
        ) and self.has_feedback_comment in (None, feedback.comment is not None)

    def _takes_tools(self, agent_ids: frozenset[str], calls: Sequence[ToolCall]) -> bool:
        every = {call.tool_name for call in calls}
        done = {call.tool_name for call in calls if not call.is_error}
        failed = {call.tool_name for call in calls if call.is_error}
        names = (
            (self.tool_names, every),
            (self.tool_names_successful, done),
            (self.tool_names_errored, failed),
        )
        tools = (
            (self.tools, every),
            (self.tools_successful, done),
            (self.tools_errored, failed),
        )
        return (
            all(not wanted or not used.isdisjoint(wanted) for wanted, used in names)
            and all(
                wanted is None or any(each.is_among(used, agent_ids) for each in wanted)
                for wanted, used in tools
            )
            and (not self.visited_agent_ids or not agent_ids.isdisjoint(self.visited_agent_ids))
        )


def criterion_params(given: Sequence[str]) -> list[tuple[str, str]]:
    """What `evaluation_params=ID:RESULT` asks for."""
    pairs = [each.rpartition(":") for each in given]
    for name, _, result in pairs:
        if not name or result not in get_args(CallOutcome):
            raise ApiError(
                422,
                "invalid_filter",
                "evaluation_params is written CRITERION:RESULT, e.g. `resolved:success`.",
            )
    return [(name, result) for name, _, result in pairs]


def list_page(
    context: ServerContext,
    wanted: CallFilter,
    *,
    page_size: int,
    cursor: str | None,
    shown: ShownFindings = WITHOUT_SUMMARY,
) -> ConversationList:
    """One page of the conversations that `wanted` describes, newest first unless it says else."""
    if wanted.finds_none:
        return _page([], None)
    agents = {agent.agent_id: agent for agent in context.agents.agents()}
    readable = context.calls.readable()
    user = None if wanted.user_id is None else wanted_user(context, readable, wanted.user_id)
    items: list[ConversationSummaryItem] = []
    last: ConversationSummary | None = None
    looked_at = 0
    while True:
        at_once = page_size if wanted.decided_by_rows else LOOKED_AT_ONCE
        found = _found(context, wanted, user, cursor, limit=at_once)
        rows, following = found.conversations, found.next_cursor
        visible = _visible(context, readable, rows, user, wanted.search)
        for row, item in _taken(context, wanted, visible, agents, shown):
            if last is not None and len(items) == page_size:
                return _page(items, cursor_after(last))
            items.append(item)
            last = row
            if len(items) == page_size and not wanted.by_what_was_said:
                is_last = row.conversation_id == rows[-1].conversation_id and following is None
                return _page(items, None if is_last else cursor_after(row))
        looked_at += len(rows)
        # Conversations that say it where it is masked are not told of, by a cursor neither.
        if following is None or found.is_cut or looked_at >= MOST_LOOKED_AT:
            return _page(items, following)
        cursor = following


def _visible(
    context: ServerContext,
    readable: ConversationStore,
    rows: Sequence[ConversationSummary],
    user: WantedUser | None,
    words: str | None,
) -> list[ConversationSummary]:
    """Rows as they may be read, without those found only by what is masked in them."""
    shown = shown_summaries(context, readable, rows)
    ids = [row.conversation_id for row in rows]
    saying = readable.that_say(words, ids) if words else set[str]()
    return [
        masked
        for said, masked in zip(rows, shown, strict=True)
        if (user is None or of_user(user, said, masked))
        and (not words or said.conversation_id in saying)
    ]


def _taken(
    context: ServerContext,
    wanted: CallFilter,
    rows: Sequence[ConversationSummary],
    agents: Mapping[str, AgentConfig],
    shown: ShownFindings,
) -> Iterator[tuple[ConversationSummary, ConversationSummaryItem]]:
    ids = [row.conversation_id for row in rows]
    analyses = context.calls.analyses(
        ids, agent_ids={row.conversation_id: row.agent_id for row in rows}
    )
    events = events_of(context.store.engine, ids, ("feedback", TAGS))
    tags = tags_in(context, events)
    calls = tool_calls_of(context.store.engine, ids) if wanted.by_tools else {}
    given = readable_variables(context, context.calls.readable(), rows) if wanted.variables else {}
    about = context.calls.about(wanted.topic_ids, ids) if wanted.topic_ids else {*ids}
    spoken = spoken_among(context.store.engine, ids) if wanted.text_only is not None else set[str]()
    for row in rows:
        key = row.conversation_id
        feedback = call_feedback([each for each in events.get(key, []) if each.kind == "feedback"])
        tag_ids = tags.get(key, [])
        agent = agents.get(row.agent_id)
        language = row.metadata.get("language") or (agent.language if agent else None)
        analysis = analyses.get(key)
        known = Known(
            analysis,
            feedback,
            language,
            calls.get(key, ()),
            frozenset(tag_ids),
            variables=given.get(key, {}),
            is_spoken=key in spoken,
            has_topic=key in about,
        )
        if wanted.takes(row, known):
            yield (
                row,
                list_item(
                    row,
                    agent_name=agent.name if agent else None,
                    language=language,
                    analysis=analysis,
                    feedback=feedback,
                    tag_ids=tag_ids,
                    shown=shown,
                    has_audio=sides_of(context, key, row.status) != NOBODY,
                ),
            )


def _found(
    context: ServerContext,
    wanted: CallFilter,
    user: WantedUser | None,
    cursor: str | None,
    *,
    limit: int,
) -> ConversationPage:
    before = _moment(wanted.started_to_s)
    try:
        return context.store.page(
            agent_id=wanted.agent_id,
            since=_moment(wanted.started_from_s),
            # Before and after are both meant to include their second.
            until=None if before is None else before + timedelta(seconds=1),
            text=wanted.search,
            **user_filter(user),
            rating_min=wanted.rating_min,
            rating_max=wanted.rating_max,
            has_comment=wanted.has_feedback_comment,
            limit=limit,
            cursor=cursor,
            oldest_first=wanted.oldest_first,
        )
    except StoreError as error:
        if cursor is None:
            raise
        raise ApiError(
            400, "invalid_cursor", "The cursor is not one that this server gave."
        ) from error


def _page(items: list[ConversationSummaryItem], cursor: str | None) -> ConversationList:
    return ConversationList(conversations=items, next_cursor=cursor, has_more=cursor is not None)


def _moment(unix_s: int | None) -> datetime | None:
    return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)


def _within(value: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    if value is None:
        return False
    return (least is None or value >= least) and (most is None or value <= most)
