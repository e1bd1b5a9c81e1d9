"""Who may do what: keys on HTTP routes, and everything that lets a client into a conversation.

A route says what it needs with `Annotated[ApiKey, Depends(require("read"))]`.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from conversation.agent.config import AgentConfig
from conversation.server.access.api_keys import ApiKey, Scope
from conversation.server.access.signing import Grant, verify
from conversation.server.context import Context, ServerContext
from conversation.server.errors import POLICY, ApiError, BadSignatureError, RefusedError

KEY_HEADER = "xi-api-key"
"""The name that the published SDKs use; `Authorization: Bearer` does as well."""
BEARER_SUBPROTOCOL = "bearer."


@dataclass(frozen=True, slots=True)
class Admission:
    """Why a client may talk to an agent."""

    method: str
    """`public`, `signed_url`, `authorization_header` or `api_key`."""
    key_id: str | None = None
    conversation_id: str | None = None
    """The one that a single-use signature starts."""


def require(*scopes: Scope) -> Callable[..., ApiKey]:
    """A dependency that gives the caller's key when it is good for one of `scopes`."""

    def key_with_scope(connection: HTTPConnection, context: Context) -> ApiKey:
        record = known_key(connection, context)
        if record is None:
            raise ApiError(
                401,
                "invalid_api_key",
                f"This needs an API key in the header {KEY_HEADER!r}; the one given is missing, "
                "unknown, expired or revoked. `vivavoce keys create` makes one.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        wait_s = context.requests.wait_s(("key", record.key_id), now_s=context.timer_s())
        if wait_s is not None:
            raise too_many_requests(wait_s)
        if not any(record.allows(scope) for scope in scopes):
            raise ApiError(
                403,
                "missing_permissions",
                f"The API key {record.name!r} has the scopes {', '.join(record.scopes)}; this "
                f"needs {' or '.join(repr(scope) for scope in scopes)}.",
            )
        connection.scope["key_id"] = record.key_id
        return record

    return key_with_scope


def too_many_requests(wait_s: float) -> ApiError:
    """The answer to a client that asks too often."""
    seconds = math.ceil(wait_s)
    return ApiError(
        429,
        "too_many_requests",
        f"Too many requests; try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def known_key(connection: HTTPConnection, context: ServerContext) -> ApiKey | None:
    """The record of the key that the request carries, when it opens something now."""
    given = connection.headers.get(KEY_HEADER)
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if given is None and scheme.lower() == "bearer":
        given = token.strip()
    return context.access.find_key(given, now=context.clock()) if given else None


def admit(
    connection: HTTPConnection,
    agent: AgentConfig,
    *,
    context: ServerContext,
    subprotocols: Iterable[str] = (),
) -> Admission:
    """Let a client into a conversation with `agent`. Blocks on the store.

    Raises:
        RefusedError: It may not; the reason is for the client.
    """
    _check_origin(connection, agent)
    signature = _signature(connection, subprotocols)
    if signature is not None:
        in_query = "conversation_signature" in connection.query_params
        method = "signed_url" if in_query else "authorization_header"
        grant = _use(signature, agent, context)
        return Admission(method, conversation_id=grant.conversation_id)
    key = known_key(connection, context)
    if key is not None and key.allows("converse"):
        return Admission("api_key", key_id=key.key_id)
    if agent.access.public:
        return Admission("public")
    raise RefusedError(
        POLICY,
        "This agent is not public: start the conversation with a signed URL from get-signed-url.",
    )


def may_look(
    connection: HTTPConnection, agent: AgentConfig, *, context: ServerContext, signature: str | None
) -> None:
    """Let a client see what an agent looks like before it talks; uses up no signature.

    Raises:
        ApiError: It may not talk to the agent.
    """
    try:
        _check_origin(connection, agent)
    except RefusedError as error:
        raise ApiError(403, "origin_not_allowed", error.reason) from error
    if signature is not None:
        now_s = context.clock().timestamp()
        try:
            verify(signature, secret=context.secret, agent_id=agent.agent_id, now_s=now_s)
        except BadSignatureError as error:
            raise ApiError(401, "bad_signature", str(error)) from error
        return
    if agent.access.public or known_key(connection, context) is not None:
        return
    raise ApiError(
        401,
        "agent_not_public",
        "This agent is not public: ask with the conversation_signature of a signed URL.",
    )


def _signature(connection: HTTPConnection, subprotocols: Iterable[str]) -> str | None:
    query = connection.query_params
    for name in ("conversation_signature", "token"):
        if query.get(name):
            return query[name]
    for subprotocol in subprotocols:
        if subprotocol.startswith(BEARER_SUBPROTOCOL):
            return subprotocol.removeprefix(BEARER_SUBPROTOCOL)
    return None


def _use(signature: str, agent: AgentConfig, context: ServerContext) -> Grant:
    now = context.clock()
    try:
        grant = verify(
            signature, secret=context.secret, agent_id=agent.agent_id, now_s=now.timestamp()
        )
    except BadSignatureError as error:
        raise RefusedError(POLICY, str(error)) from error
    if grant.conversation_id is not None:
        expires_at = datetime.fromtimestamp(grant.expires_at_s, UTC)
        if not context.access.use_once(grant.signature_id, expires_at=expires_at, now=now):
            raise RefusedError(POLICY, "This signed URL was for one conversation and was used.")
    return grant


def _check_origin(connection: HTTPConnection, agent: AgentConfig) -> None:
    """Pages of other sites may not use the agent; programs send no origin."""
    origin = connection.headers.get("origin")
    if origin is not None and not origin_allowed(
        origin, agent, host=connection.headers.get("host")
    ):
        raise RefusedError(POLICY, "This agent may not be used from pages of this origin.")


def origin_allowed(origin: str, agent: AgentConfig, *, host: str | None) -> bool:
    """Whether a page of `origin` may use the agent; this server's own pages always may."""
    allowed = agent.access.allowed_origins
    netloc = urlsplit(origin).netloc.lower()
    if not allowed or (host is not None and netloc == host.lower()):
        return True
    return any(_same_host(netloc, each.lower()) for each in allowed)


def _same_host(netloc: str, allowed: str) -> bool:
    """An allowed host without a port stands for every port of it."""
    bare = allowed.rpartition("://")[2].rstrip("/")
    return netloc == bare or netloc.partition(":")[0] == bare
