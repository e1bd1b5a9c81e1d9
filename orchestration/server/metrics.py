"""Metrics of this process in Prometheus' format."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from conversation.server.access.admission import require
from conversation.server.keys.api_keys import ApiKey
from orchestration.processes.telemetry import metrics_text

router = APIRouter(tags=["operation"])


@router.get("/metrics", operation_id="get_metrics", response_class=Response)
def get_metrics(_key: Annotated[ApiKey, Depends(require("admin"))]) -> Response:
    """Counts and durations; Prometheus sends the key as `Authorization: Bearer`."""
    text, media_type = metrics_text()
    return Response(text, media_type=media_type)
