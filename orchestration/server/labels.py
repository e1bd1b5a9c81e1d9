"""People's own verdicts: given, read, taken back; and how far the judges can be believed."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from analysis.labels.agreement import conversations_to_label
from analysis.labels.calibration import calibrations
from analysis.labels.labelling import all_labels, remove_label
from analysis.privacy.masked_stores import RedactedConversations
from analysis.reports import open_reports
from analysis.results import Label, Verdict
from conversation.server.access.admission import require
from conversation.server.context import Context
from conversation.server.errors import ApiError, not_found
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations
from orchestration.server.errors import told
from orchestration.server.lookup import owners

CanRead = Annotated[ApiKey, Depends(require("read"))]
CanLabel = Annotated[ApiKey, Depends(require("label"))]
Id = Annotated[str, Field(min_length=1, max_length=255)]
EXAMPLE: dict[str, JsonValue] = {
    "conversation_id": "conv_0123456789abcdef0123456789abcdef",
    "criterion_id": "resolved",
    "verdict": "success",
    "annotator": "ada",
}
OptionalId = Annotated[str | None, Query(max_length=255)]


class GivenLabel(BaseModel):
    """What one person decided about one criterion of one conversation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [EXAMPLE]},
    )

    conversation_id: Id
    criterion_id: Id
    verdict: Verdict
    annotator: Id
    note: str | None = Field(default=None, max_length=2_000)


class GivenLabels(Body):
    """Labels to keep; a newer one of the same person replaces the older."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"labels": [EXAMPLE]}]})

    labels: list[GivenLabel] = Field(min_length=1, max_length=1_000)


class LabelItem(GivenLabel):
    """A label as it is kept."""

    labelled_at: datetime


class LabelList(BaseModel):
    """One page of labels, in the order that they were given."""

    labels: list[LabelItem]
    next_cursor: str | None = None
    has_more: bool


class Kept(BaseModel):
    """How many labels were kept."""

    kept: int


class ToLabel(BaseModel):
    """Conversations whose label tells most about the judge, the most telling first."""

    criterion_id: str
    conversation_ids: list[str]


class Calibrations(BaseModel):
    """How far each version of a criterion and judge agrees with people."""

    calibrations: list[dict[str, Any]]


def router(deployment: Deployment) -> APIRouter:
    """The routes over `deployment`."""
    routes = APIRouter(prefix="/api", tags=["labels"])

    @routes.get("/labels", operation_id="list_labels")
    def list_labels(
        _key: CanRead,
        criterion_id: OptionalId = None,
        annotator: OptionalId = None,
        conversation_id: OptionalId = None,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
        cursor: Cursor = None,
    ) -> LabelList:
        """What people decided."""
        found = all_labels(deployment.evaluations, criterion_id=criterion_id, annotator=annotator)
        page = page_of(
            [row for row in found if conversation_id in (None, row["conversation_id"])],
            sort_key=lambda row: (row["label_id"],),
            page_size=page_size,
            cursor=cursor,
        )
        conversations = redacted_conversations(deployment)
        return LabelList(
            labels=[_shown(row, conversations) for row in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    @routes.post("/labels", operation_id="give_labels")
    def give_labels(given: GivenLabels, context: Context, _key: CanLabel) -> Kept:
        """Keep labels, all or none of them. Reports count them when they are published next."""
        _require_known(deployment, given.labels)
        labels = [Label.model_validate(each.model_dump()) for each in given.labels]
        deployment.evaluations.add_labels(labels, now=context.clock())
        return Kept(kept=len(labels))

    @routes.delete("/labels", operation_id="take_label_back", status_code=204)
    def take_back(
        conversation_id: Annotated[str, Query(max_length=255)],
        criterion_id: Annotated[str, Query(max_length=255)],
        annotator: Annotated[str, Query(max_length=255)],
        _key: CanLabel,
    ) -> None:
        """Delete what one person said of one criterion of one conversation."""
        store = deployment.evaluations
        if not remove_label(store, conversation_id, criterion_id, annotator):
            raise not_found("label", f"{conversation_id}/{criterion_id}/{annotator}")

    @routes.get("/labels/next", operation_id="next_to_label")
    def next_to_label(
        criterion_id: Annotated[str, Query(max_length=255)],
        _key: CanLabel,
        agent_id: OptionalId = None,
        second_opinion_of: OptionalId = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> ToLabel:
        """What to label next, so that the judge's rate can be corrected with the fewest labels."""
        with told(), open_reports(deployment.reports_file) as connection:
            ids = conversations_to_label(
                connection,
                criterion_id,
                agent_id=agent_id,
                limit=limit,
                second_opinion_of=second_opinion_of,
            )
        return ToLabel(criterion_id=criterion_id, conversation_ids=ids)

    @routes.get("/calibration", operation_id="get_calibration")
    def get_calibration(
        _key: CanRead, criterion_id: OptionalId = None, agent_id: OptionalId = None
    ) -> Calibrations:
        """Agreement of judges with people, and the success rate that people would give."""
        with told(), open_reports(deployment.reports_file) as connection:
            found = calibrations(connection, criterion_id=criterion_id, agent_id=agent_id)
        return Calibrations(calibrations=[{"name": each.name, **asdict(each)} for each in found])

    return routes


def _shown(row: Mapping[str, Any], conversations: RedactedConversations) -> LabelItem:
    """A label, whose note may repeat what was said, masked as its conversation is."""
    label = LabelItem.model_validate({name: row[name] for name in LabelItem.model_fields})
    redactor = conversations.redactor(label.conversation_id) if label.note else None
    if redactor is not None and label.note:
        label.note = redactor.text(label.note)
    return label


def _require_known(deployment: Deployment, labels: list[GivenLabel]) -> None:
    wanted = {label.conversation_id for label in labels}
    unknown = sorted(wanted - owners(deployment.conversations.engine, wanted).keys())
    if unknown:
        shown = ", ".join(repr(each) for each in unknown[:5])
        raise ApiError(
            404,
            "conversation_not_found",
            f"{len(unknown)} of these conversations are not here: {shown}. No label was kept.",
        )
