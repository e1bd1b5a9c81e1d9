"""What every HTTP request passes: an id, rate and size limits, CORS, security headers, a log line.

The log line says what was asked of which route, never with which query or body: those hold
signatures, keys and words.
"""

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversation.server.access.admission import too_many_requests
from conversation.server.context import ServerContext, address_of
from conversation.server.errors import ApiError, answer
from conversation.server.incoming.plain_json import holds_nul, with_plain_json

_log = logging.getLogger(__name__)

_UPLOADS = re.compile(
    r"/v1/convai/(knowledge-base(/file|/text|/[^/]+/update-file)?|conversations/[^/]+/files)$"
)
_OPEN_TO_PAGES = re.compile(
    r"/v1/convai/(agents/[^/]+/widget|conversations/[^/]+/(feedback|files)|conversation/token)$"
    r"|/widget\.js$|/widget/[^/]+$|/page/capture\.js$"
)
"""What widgets on other sites ask without a key; nothing else may be read from there."""
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "600",
}
_OF_OTHERS = re.compile(r"/widget\.js$|/page/capture\.js$")
"""Scripts that pages of others load, also those that keep apart from other origins."""
_FRAMED = re.compile(r"/embed/[^/]+$")
"""Says itself which pages may frame it; `x-frame-options` has no word for that."""
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
_API_ONLY = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Edge:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, context: ServerContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = uuid.uuid4().hex[:16]
        began_s = time.perf_counter()
        status: list[int] = []

        async def marked_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
                _add_headers(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._pass_on(scope, receive, marked_send)
        finally:
            took_ms = (time.perf_counter() - began_s) * 1_000
            _log.info("%s", _log_line(scope, status[0] if status else 500, took_ms))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await answer(refusal)(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _OPEN_TO_PAGES.match(scope["path"]):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._with_limited_body(scope, receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        address = ("address", address_of(HTTPConnection(scope)))
        wait_s = self._context.requests.wait_s(address, now_s=self._context.timer_s())
        if wait_s is not None:
            return too_many_requests(wait_s)
        if holds_nul(scope):
            return ApiError(422, "unusable_address", "The address holds the character NUL.")
        length = Headers(scope=scope).get("content-length", "0")
        most = self._most_bytes(scope)
        return _too_large(most) if not length.isdigit() or int(length) > most else None

    async def _with_limited_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stop reading a body that says no length, or a wrong one, when it grows too large."""
        most, so_far, answered = self._most_bytes(scope), 0, False
        is_whole = False

        async def limited_receive() -> Message:
            nonlocal so_far, is_whole
            # After its end only the client's going away is waited for, however long that takes.
            patience_s = None if is_whole else self._context.limits.body_timeout_s
            try:
                message = await asyncio.wait_for(receive(), patience_s)
            except TimeoutError:
                raise _too_slow() from None
            is_whole = not message.get("more_body", False)
            so_far += len(message.get("body", b""))
            if so_far > most:
                raise _too_large(most)
            return message

        async def limited_send(message: Message) -> None:
            """Whatever a parser makes of a body that was cut, the client is told the reason."""
            nonlocal answered
            if so_far <= most:
                await send(message)
            elif not answered:
                answered = True
                await answer(_too_large(most))(scope, receive, send)

        try:
            checked_receive = await with_plain_json(scope, limited_receive)
        except ApiError as error:
            await answer(error)(scope, receive, send)
            return
        await self._app(scope, checked_receive, limited_send)

    def _most_bytes(self, scope: Scope) -> int:
        limits = self._context.limits
        return limits.upload_bytes if _UPLOADS.match(scope["path"]) else limits.body_bytes


def _too_slow() -> ApiError:
    return ApiError(408, "request_timeout", "The rest of the request did not come.")


def _too_large(most: int) -> ApiError:
    return ApiError(413, "request_too_large", f"A request may have {most:,} bytes here at most.")


def _add_headers(headers: MutableHeaders, scope: Scope) -> None:
    headers["x-request-id"] = scope["request_id"]
    for name, value in _SECURITY.items():
        headers[name] = value
    for name, value in _API_ONLY.items():
        headers.setdefault(name, value)
    if _OPEN_TO_PAGES.match(scope["path"]):
        for name, value in _CORS.items():
            headers[name] = value
    if _OF_OTHERS.match(scope["path"]):
        headers["cross-origin-resource-policy"] = "cross-origin"
    if "location" in headers:
        headers["location"] = _on_this_server(headers["location"])
    if _FRAMED.match(scope["path"]):
        del headers["x-frame-options"]


def _on_this_server(location: str) -> str:
    """A redirect leads to another path here, whatever host the request named."""
    place = urlsplit(location)
    return urlunsplit(("", "", "/" + place.path.lstrip("/\\"), place.query, ""))


def _log_line(scope: MutableMapping[str, Any], status: int, took_ms: float) -> str:
    route = getattr(scope.get("route"), "path", None)
    return json.dumps(
        {
            "request": scope["request_id"],
            "method": scope["method"],
            "route": route or "(none)",
            "status": status,
            "ms": round(took_ms, 1),
            "address": address_of(HTTPConnection(scope)),
            "key": scope.get("key_id"),
        }
    )
