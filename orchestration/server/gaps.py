"""What users asked and the documents do not answer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from analysis.gaps.records import GapState
from analysis.gaps.store import KeptGap, KeptQuestion, gap_history, read_gaps, read_questions
from analysis.privacy.masked_stores import RedactedConversations
from conversation.server.access.admission import require
from conversation.server.context import Context
from conversation.server.errors import not_found
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations

CanRead = Annotated[ApiKey, Depends(require("read"))]


class AskedQuestion(BaseModel):
    """One question of a gap, and where it was asked."""

    conversation_id: str
    turn_index: int
    question: str
    asked_at: datetime


class GapChangeItem(BaseModel):
    """A state that a gap came to."""

    state: str
    noted_at: datetime
    questions: int
    answered: int


class GapItem(BaseModel):
    """Questions that mean the same and that the documents do not answer."""

    gap_id: str
    agent_id: str
    title: str
    state: str
    state_since: datetime
    opened_at: datetime
    checked_at: datetime | None
    """When the questions were last asked of the documents."""
    question_count: int
    missing_words: list[str]
    """Words of the questions that the nearest passages never say."""
    nearest_documents: list[str]


class GapDetail(GapItem):
    """A gap with its questions and its history."""

    questions: list[AskedQuestion]
    history: list[GapChangeItem]


class GapList(BaseModel):
    """One page of gaps, those with most questions first."""

    gaps: list[GapItem]
    next_cursor: str | None = None
    has_more: bool


def router(deployment: Deployment) -> APIRouter:
    """The routes over `deployment`."""
    routes = APIRouter(prefix="/api/gaps", tags=["gaps"])

    @routes.get("", operation_id="list_gaps")
    def list_gaps(
        context: Context,
        _key: CanRead,
        agent_id: Annotated[str | None, Query(max_length=128)] = None,
        state: GapState | None = None,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
        cursor: Cursor = None,
    ) -> GapList:
        """Gaps as `vivavoce gaps` found them last."""
        page = page_of(
            [each for each in _gaps(deployment, context, agent_id) if state in (None, each.state)],
            sort_key=lambda each: (-each.question_count, each.gap_id),
            page_size=page_size,
            cursor=cursor,
        )
        return GapList(
            gaps=[GapItem.model_validate(each.model_dump()) for each in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    @routes.get("/{gap_id}", operation_id="get_gap")
    def get_gap(gap_id: str, context: Context, _key: CanRead) -> GapDetail:
        """One gap with its questions, and the states that it came to."""
        for found in _gaps(deployment, context, None):
            if found.gap_id == gap_id:
                history = gap_history(deployment.evaluations.engine, gap_id)
                fields = GapChangeItem.model_fields
                found.history = [
                    GapChangeItem.model_validate({name: row[name] for name in fields})
                    for row in history
                ]
                return found
        raise not_found("gap", gap_id)

    return routes


def _gaps(deployment: Deployment, context: Context, agent_id: str | None) -> list[GapDetail]:
    engine = deployment.evaluations.engine
    conversations = redacted_conversations(deployment)
    ids = [agent_id] if agent_id else [agent.agent_id for agent in context.agents.agents()]
    found: list[GapDetail] = []
    for each in ids:
        questions: dict[str | None, list[KeptQuestion]] = {}
        for question in read_questions(engine, each):
            questions.setdefault(question.gap_id, []).append(question)
        for gap in read_gaps(engine, each):
            detail = _gap(gap, each, questions.get(gap.gap_id, []))
            found.append(_masked(detail, conversations))
    return found


def _masked(gap: GapDetail, conversations: RedactedConversations) -> GapDetail:
    """A gap that was found before its agent masked holds words as they were said."""
    said = [each.question for each in gap.questions]
    title, *words = conversations.masked_together(
        gap.agent_id, [gap.title, *gap.missing_words, *said]
    )
    missing = len(gap.missing_words)
    gap.title, gap.missing_words = title, words[:missing]
    for question, text in zip(gap.questions, words[missing:], strict=True):
        question.question = text
    return gap


def _gap(gap: KeptGap, agent_id: str, questions: list[KeptQuestion]) -> GapDetail:
    return GapDetail(
        gap_id=gap.gap_id,
        agent_id=agent_id,
        title=gap.title,
        state=gap.state,
        state_since=gap.state_since,
        opened_at=gap.opened_at,
        checked_at=gap.checked_at,
        question_count=len(questions),
        missing_words=list(gap.missing_words),
        nearest_documents=[passage.document_name for passage in gap.nearest],
        questions=[
            AskedQuestion(
                conversation_id=each.conversation_id,
                turn_index=each.turn_index,
                question=each.question,
                asked_at=each.asked_at,
            )
            for each in questions
        ],
        history=[],
    )
