"""Every route of this project's own API that needs a deployment."""

from fastapi import APIRouter

from orchestration.deployment import Deployment
from orchestration.server import gaps, judged, labels, metrics, topics
from orchestration.server.published import report_page, reports


def own_routers(deployment: Deployment) -> tuple[APIRouter, ...]:
    """For `make_app(routers=...)`."""
    return (
        judged.router(deployment),
        labels.router(deployment),
        gaps.router(deployment),
        topics.router(deployment),
        reports.router(deployment),
        report_page.router(deployment),
        metrics.router,
    )
