"""Everything under `/v1/convai/` that has no route: a clear 501, which SDKs show to developers."""

from fastapi import APIRouter

from conversation.server.errors import ApiError

router = APIRouter(include_in_schema=False)


@router.api_route(
    "/v1/convai/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], status_code=501
)
async def not_served(path: str) -> None:
    """Say so. Included last, so that every other route comes first."""
    raise ApiError(501, "not_supported", f"This server does not offer {path[:200]!r}.")
