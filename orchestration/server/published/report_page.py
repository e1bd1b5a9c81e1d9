"""The stored report as a page: what a link in Dagster, in a mail or in a chat opens."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse

from conversation.server.access.admission import require_in_browser
from conversation.server.errors import ApiError
from conversation.server.keys.api_keys import ApiKey
from orchestration.deployment import Deployment
from orchestration.operations.exports import REPORT_PAGE_PATH, page_files

POLICY = "; ".join(
    (
        "default-src 'none'",
        # Its own style sheet stands in it; there is no script, and none may come in with a quote.
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
CanOpen = Annotated[ApiKey, Depends(require_in_browser("read"))]


def router(deployment: Deployment) -> APIRouter:
    """The route over `deployment`."""
    routes = APIRouter(tags=["reports"])

    @routes.get(
        REPORT_PAGE_PATH,
        operation_id="open_report_page",
        response_class=FileResponse,
        responses={404: {"description": "No page was written yet."}},
    )
    def open_report_page(_key: CanOpen) -> FileResponse:
        """The report of all agents as it was written last, for whoever may read conversations."""
        page = page_files(deployment)[0]
        if not page.is_file():
            raise ApiError(
                404,
                "report_not_found",
                "No report page was written yet. Materialize `report_page` in Dagster.",
            )
        return FileResponse(
            page,
            media_type="text/html; charset=utf-8",
            headers={"content-security-policy": POLICY, "cache-control": "no-store"},
        )

    return routes
