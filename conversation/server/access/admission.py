"""Who may do what: keys on HTTP routes, and everything that lets a client into a conversation.

A route says what it needs with `Annotated[ApiKey, Depends(require("read"))]`.
"""

import base64
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import NamedTuple

from starlette.requests import HTTPConnection

from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError
from conversation.server.context import Context, ServerContext
from conversation.server.errors import (
    POLICY,
    ApiError,
    BadSignatureError,
    NoSuchAgentError,
    RefusedError,
)
from conversation.server.keys.api_keys import ApiKey, Scope, key_id_of
from conversation.server.keys.signing import Grant, verify

UNREACHABLE = (
    "The AI agent you are trying to reach does not exist. Or it needs a signed URL from "
    "get-signed-url."
)
_ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://([^\s/?#@:\[\]\\]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?"
)
_WITH_PORT = re.compile(r":[0-9]+$")
_PORTS = {"http": 80, "https": 443}
KEY_HEADER = "xi-api-key"
"""The name that the published SDKs use; `Authorization: Bearer` does as well."""
BEARER_SUBPROTOCOL = "bearer."
_MAX_CREDENTIALS_CHARS = 1_024


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
        return _within_scopes(record, scopes, connection, context)

    return key_with_scope


def require_in_browser(*scopes: Scope) -> Callable[..., ApiKey]:
    """As `require`, for a page that people open by a link: their browser asks them for the key.

    A browser sends along what it was given there (HTTP Basic, the key as the password) with every
    later request, also with one that a page of others makes. So this is for pages alone that
    change nothing and that no script of others can read.
    """

    def key_with_scope(connection: HTTPConnection, context: Context) -> ApiKey:
        record = known_key(connection, context) or _key_as_password(connection, context)
        if record is None:
            raise ApiError(
                401,
                "invalid_api_key",
                "This page needs an API key: leave the user name empty, or write anything, and "
                "give the key as the password. `vivavoce keys create` makes one.",
                headers={"WWW-Authenticate": 'Basic realm="Viva Voce, API key as the password"'},
            )
        return _within_scopes(record, scopes, connection, context)

    return key_with_scope


def _within_scopes(
    record: ApiKey, scopes: Iterable[Scope], connection: HTTPConnection, context: ServerContext
) -> ApiKey:
    """The key, when it may ask now and is good for one of `scopes`."""
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


def _key_as_password(connection: HTTPConnection, context: ServerContext) -> ApiKey | None:
    """The record of the key that a person gave to the browser, as name or as password."""
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or len(credentials) > _MAX_CREDENTIALS_CHARS:
        return None
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    given = password or name
    return context.access.find_key(given, now=context.clock()) if given else None


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
    signature = _signature(connection, subprotocols)
    given = _key_among(subprotocols)
    if signature is not None and signature != given:
        in_query = "conversation_signature" in connection.query_params
        method = "signed_url" if in_query else "authorization_header"
        # Before the origin is looked at: its refusal would tell that there is such an agent.
        grant = _granted(signature, agent, context)
        _check_origin(connection, agent, context)
        _use(grant, context)
        return Admission(method, conversation_id=grant.conversation_id)
    key = _talking_key(connection, context, given)
    may_converse = key is not None and key.allows("converse")
    if not may_converse and not agent.access.public:
        raise RefusedError(POLICY, UNREACHABLE)
    _check_origin(connection, agent, context)
    if key is not None and may_converse:
        return Admission("api_key", key_id=key.key_id)
    return Admission("public")


def refuse_missing(
    connection: HTTPConnection,
    agent_id: str,
    *,
    context: ServerContext,
    subprotocols: Iterable[str] = (),
    broken: RefusedError | None = None,
) -> RefusedError:
    """What a client is told who asks for an agent that is not there: the same as of a private one.

    Strangers must not find out which agents there are. `broken` is for those who may talk to an
    agent whose file cannot be used; to others it is not there.
    """
    signature = _signature(connection, subprotocols)
    given = _key_among(subprotocols)
    if signature is None or signature == given:
        key = _talking_key(connection, context, given)
        may_converse = key is not None and key.allows("converse")
    else:
        try:
            now_s = context.clock().timestamp()
            verify(signature, secret=context.secret, agent_id=agent_id, now_s=now_s)
        except BadSignatureError as error:
            return RefusedError(POLICY, str(error))
        may_converse = True
    return broken if broken is not None and may_converse else RefusedError(POLICY, UNREACHABLE)


def may_look(
    connection: HTTPConnection, agent_id: str, *, context: ServerContext, signature: str | None
) -> AgentConfig:
    """Let a client see what an agent looks like before it talks; uses up no signature.

    Raises:
        ApiError: It may not talk to the agent, or there is none: strangers are told the same.
        NoSuchAgentError: There is none, and the client has a key.
        AgentConfigError: Its file cannot be used, and the client has a key.
    """
    key = known_key(connection, context)
    try:
        agent = context.agents.agent(agent_id)
    except (NoSuchAgentError, AgentConfigError):
        if key is not None:
            raise
        agent = None
    if signature is not None:
        now_s = context.clock().timestamp()
        try:
            verify(signature, secret=context.secret, agent_id=agent_id, now_s=now_s)
        except BadSignatureError as error:
            raise ApiError(401, "bad_signature", str(error)) from error
    if agent is None or (signature is None and key is None and not agent.access.public):
        raise ApiError(
            401,
            "agent_not_public",
            "This agent is not public: ask with the conversation_signature of a signed URL.",
        )
    try:
        _check_origin(connection, agent, context)
    except RefusedError as error:
        raise ApiError(403, "origin_not_allowed", error.reason) from error
    return agent


def _signature(connection: HTTPConnection, subprotocols: Iterable[str]) -> str | None:
    query = connection.query_params
    for name in ("conversation_signature", "token"):
        if query.get(name):
            return query[name]
    for subprotocol in subprotocols:
        if subprotocol.startswith(BEARER_SUBPROTOCOL):
            return subprotocol.removeprefix(BEARER_SUBPROTOCOL)
    return None


def _key_among(subprotocols: Iterable[str]) -> str | None:
    """An API key where the clients' option `authorization` puts it; never one of an address."""
    for subprotocol in subprotocols:
        token = subprotocol.removeprefix(BEARER_SUBPROTOCOL)
        if token != subprotocol and key_id_of(token) is not None:
            return token
    return None


def _talking_key(
    connection: HTTPConnection, context: ServerContext, given: str | None
) -> ApiKey | None:
    """The record of the key in a header, or of the one among the subprotocols."""
    key = known_key(connection, context)
    if key is None and given is not None:
        key = context.access.find_key(given, now=context.clock())
    return key


def _granted(signature: str, agent: AgentConfig, context: ServerContext) -> Grant:
    now_s = context.clock().timestamp()
    try:
        return verify(signature, secret=context.secret, agent_id=agent.agent_id, now_s=now_s)
    except BadSignatureError as error:
        raise RefusedError(POLICY, str(error)) from error


def _use(grant: Grant, context: ServerContext) -> None:
    """Use up a signature that starts one conversation."""
    if grant.conversation_id is None:
        return
    expires_at = datetime.fromtimestamp(grant.expires_at_s, UTC)
    if not context.access.use_once(grant.signature_id, expires_at=expires_at, now=context.clock()):
        raise RefusedError(POLICY, "This signed URL was for one conversation and was used.")


def _check_origin(connection: HTTPConnection, agent: AgentConfig, context: ServerContext) -> None:
    """Pages of other sites may not use the agent; programs send no origin."""
    if not page_allowed(connection, agent, context):
        raise RefusedError(POLICY, "This agent may not be used from pages of this origin.")


def page_allowed(connection: HTTPConnection, agent: AgentConfig, context: ServerContext) -> bool:
    """Whether the page that the request comes from, if it comes from one, may use the agent."""
    return all(
        origin_allowed(
            origin, agent, host=connection.headers.get("host"), public_url=context.public_url
        )
        for origin in connection.headers.getlist("origin")
    )


def origin_allowed(
    origin: str, agent: AgentConfig, *, host: str | None, public_url: str | None = None
) -> bool:
    """Whether a page of `origin` may use the agent; this server's own pages always may.

    Own pages are those of `public_url`, and those of an address or of localhost where the request
    itself went: another name in `host` may be one that its owner lets point here.
    """
    allowed = agent.allowed_origins
    if not allowed:
        return True
    page = _place(origin)
    if page is None:
        return False
    own = None if public_url is None else _place(public_url)
    if page == own:
        return True
    asked = None if host is None else _place(f"{page.scheme}://{host}")
    if page == asked and page.scheme in _PORTS and _cannot_be_rebound(page.host):
        return True
    return any(_same_host(page, each.lower()) for each in allowed)


class _Place(NamedTuple):
    scheme: str
    host: str
    port: int | None
    """None for the scheme's own."""


def _place(url: str) -> _Place | None:
    """Where a page is from; None for what is no origin, e.g. one with a user name in it."""
    match = _ORIGIN.fullmatch(url.lower())
    if match is None:
        return None
    scheme, host, port = match[1], match[2], int(match[3]) if match[3] else None
    return _Place(scheme, host, None if port == _PORTS.get(scheme) else port)


def _cannot_be_rebound(host: str) -> bool:
    """Whether the host is an address, or a name that browsers never look up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _same_host(page: _Place, allowed: str) -> bool:
    """An allowed host without a port stands for every port of it, one without a scheme for the web.

    The host of an extension's page, or of an app's, is a name that anybody may choose.
    """
    scheme, separator, host = allowed.rpartition("://")
    bare = host.rstrip("/")
    named = _place(f"{page.scheme}://{bare}")
    if page.scheme not in ((scheme,) if separator else _PORTS):
        return False
    if named is None or named.host != page.host:
        return False
    return not _WITH_PORT.search(bare) or named.port == page.port
