"""What the published SDKs know and this server does not offer: a clear refusal, not a bare 404."""

from fastapi import APIRouter

from conversation.server.errors import NOT_SUPPORTED, ApiError, not_supported

router = APIRouter(include_in_schema=False)
"""Included last, so that every other route comes first."""
shadowed = APIRouter(include_in_schema=False)
"""Included first: a route with an id in its path would take these for ids."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SHADOWED = (("GET", "/v1/convai/conversations/resolve"),)
_TELEPHONE = "Telephone and messenger channels are not offered: clients connect by WebSocket."
REASONS = {
    "analysis-items": "Criteria and fields are part of each agent: change the agent instead.",
    "batch-calling": _TELEPHONE,
    "environment-variables": "There is one environment: use secrets, or the agent's variables.",
    "exotel": _TELEPHONE,
    "llm-usage": "Costs are measured, not foretold: see `GET /api/reports/costs`.",
    "mcp-servers": "Tools are webhooks and client tools of each agent; MCP is not offered.",
    "outbound-campaigns": _TELEPHONE,
    "phone-numbers": _TELEPHONE,
    "realtime": "Sessions are opened at `/v1/convai/conversation`, as WebSockets.",
    "sip-trunk": _TELEPHONE,
    "test-invocations": "Run the tests again: `POST /v1/convai/agents/ID/run-tests`.",
    "triage-tickets": "There are no tickets; `GET /api/gaps` tells what to improve.",
    "twilio": _TELEPHONE,
    "whatsapp": _TELEPHONE,
    "whatsapp-accounts": _TELEPHONE,
}
"""By the first part of the path, what to do instead."""
_ONE_BRANCH = "An agent has one branch, `main`; its versions are listed, compared and restored."
PARTS = {
    "agent-testing/bulk-move": "Tests lie in no folders: give them names that sort.",
    "agent-testing/folders": "Tests lie in no folders: give them names that sort.",
    "agents/avatar": "An avatar is an address in the agent file: `widget: {avatar: https://...}`.",
    "agents/branches": _ONE_BRANCH,
    "agents/deployments": f"A change is live at once. {_ONE_BRANCH}",
    "agents/drafts": f"A change is live at once. {_ONE_BRANCH}",
    "agents/hold-audio": _TELEPHONE,
    "agents/merge-proposals": _ONE_BRANCH,
    "agents/procedures": "Procedures are no part of agents here: write them into its prompt.",
    "agents/triage-tickets": REASONS["triage-tickets"],
    "agent/llm-usage": REASONS["llm-usage"],
    "conversations/resolve": "It belongs to triage tickets. " + REASONS["triage-tickets"],
    "conversations/sip-messages": _TELEPHONE,
    "secrets/dependencies": "A secret tells what uses it: `GET /v1/convai/secrets/ID`.",
    "settings/dashboard": "There is no dashboard to set; `GET /api/reports` gives the figures.",
}
"""By the first part of the path and a later one, of which the last that is known counts."""


@router.api_route("/v1/convai/{path:path}", methods=METHODS, status_code=NOT_SUPPORTED)
async def not_served(path: str) -> None:
    """Say so."""
    raise refusal(path)


@router.api_route("/v1/{path:path}", methods=METHODS, status_code=NOT_SUPPORTED)
@router.api_route("/v2/{path:path}", methods=METHODS, status_code=NOT_SUPPORTED)
async def not_offered(path: str) -> None:
    """Say so of everything that is no conversation."""
    raise not_supported(
        f"This server holds conversations; it does not offer {path[:200]!r}.",
    )


def refusal(path: str) -> ApiError:
    """The answer to a request for something below `/v1/convai/`."""
    first, *rest = path.removeprefix("v2/").split("/")
    message = f"This server does not offer {path[:200]!r}."
    parts = [PARTS.get(f"{first}/{each}") for each in reversed(rest[:6])]
    reason = next(filter(None, parts), REASONS.get(first))
    return not_supported(f"{message} {reason}" if reason else message)


def _shadow(method: str, path: str) -> None:
    async def refuse() -> None:
        raise refusal(path.removeprefix("/v1/convai/"))

    shadowed.add_api_route(path, refuse, methods=[method], status_code=NOT_SUPPORTED)


for _method, _path in SHADOWED:
    _shadow(_method, _path)
