"""What goes wrong on the network side, and how clients are told.

* ConversationError
  x ApiError                 an HTTP answer with a `detail` that SDKs understand
  x RefusedError             a conversation that does not start: close code and reason
  x NoSuchAgentError         nothing is served under this agent id
  x BadSignatureError        a signed URL that lets nobody in
  x PortTakenError           something else listens where the server should
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket

from conversation.errors import (
    AgentConfigError,
    ConversationError,
    StoreUnavailableError,
    UnknownConversationError,
)

_log = logging.getLogger(__name__)

MAX_MESSAGE_CHARS = 2_000
MAX_REASON_BYTES = 123
"""A close frame holds no more."""
_ELLIPSIS = "\u2026"
UNAVAILABLE = "The server cannot keep what is said just now."
POLICY, MISCONFIGURED, INTERNAL, GOING_AWAY, NORMAL = 1008, 1002, 1011, 1001, 1000


class ApiError(ConversationError):
    """An HTTP answer of the form `{"detail": {"status": ..., "message": ...}}`."""

    def __init__(
        self,
        status_code: int,
        status: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = status_code
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        super().__init__(message)


NOT_SUPPORTED = 400
"""The answer to what is not offered. Published clients repeat 408, 409, 429 and all from 500, in
vain here: nothing changes by asking again."""
IN_THE_WAY = 400
"""Likewise where what is there stands against it, which would be 409 for other clients."""


class RefusedError(ConversationError):
    """A conversation that does not start; the client gets the code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class NoSuchAgentError(ConversationError):
    """Nothing is served under this agent id."""


class BadSignatureError(ConversationError):
    """A signed URL that lets nobody in; the message says why, and never repeats it."""


class PortTakenError(ConversationError):
    """Something else listens where the server should."""


def not_supported(message: str) -> ApiError:
    """The answer to what this server does not offer; `message` says what to do instead."""
    return ApiError(NOT_SUPPORTED, "not_supported", message)


def not_found(kind: str, identifier: str) -> ApiError:
    """The answer for an id that is not there; `kind` is e.g. `document`."""
    return ApiError(404, f"{kind}_not_found", f"There is no {kind} {identifier!r}.")


def close_reason(text: str) -> str:
    """`text`, cut behind a word to what a close frame can hold."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= MAX_REASON_BYTES:
        return encoded.decode()
    cut = encoded[: MAX_REASON_BYTES - len(_ELLIPSIS.encode())].decode("utf-8", "ignore")
    whole = len(cut) if text[len(cut)].isspace() else max(cut.rfind(" "), cut.rfind("\n"))
    # A language without blanks, or one endless word, is cut where it has to be.
    kept = cut[:whole] if whole > len(cut) // 2 else cut
    return kept.rstrip(" \n,;:") + _ELLIPSIS


def add_error_answers(app: FastAPI) -> None:
    """Give every error the `detail` shape that the published SDKs read."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(NoSuchAgentError, _no_such_agent)
    app.add_exception_handler(UnknownConversationError, _no_such_conversation)
    app.add_exception_handler(AgentConfigError, _unusable_agent)
    app.add_exception_handler(StoreUnavailableError, _unavailable)
    app.add_exception_handler(OperationalError, _unavailable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)


def answer(error: ApiError) -> JSONResponse:
    """The HTTP answer of an error."""
    detail = {"status": error.status, "message": _shown(error.message)}
    return JSONResponse({"detail": detail}, error.status_code, headers=error.headers)


def _shown(text: str) -> str:
    """`text` as it can be sent, whatever it quotes."""
    return text.encode("utf-8", "replace").decode()[:MAX_MESSAGE_CHARS]


async def _invalid_request(_request: Request, error: Exception) -> JSONResponse:
    """What is wrong and where, as the SDKs read it; never what was sent, which may be a secret."""
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [
        {
            "type": problem["type"],
            "loc": [
                part if isinstance(part, int) else _shown(str(part)) for part in problem["loc"]
            ],
            "msg": _shown(problem["msg"]),
        }
        for problem in error.errors()
    ]
    return JSONResponse({"detail": problems}, 422)


async def _api_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise error
    return answer(error)


async def _no_such_agent(_request: Request, error: Exception) -> JSONResponse:
    return answer(ApiError(404, "agent_not_found", str(error)))


async def _no_such_conversation(_request: Request, error: Exception) -> JSONResponse:
    return answer(ApiError(404, "conversation_not_found", str(error)))


async def _unusable_agent(_request: Request, _error: Exception) -> JSONResponse:
    message = "The agent is misconfigured; `vivavoce agents` on the server says how."
    return answer(ApiError(422, "agent_misconfigured", message))


async def _unavailable(request: Any, error: Exception) -> Any:
    """What is kept cannot be reached: said by the kind of error alone, which may quote rows."""
    if isinstance(request, WebSocket):
        # While it began or ended: in between, the talk closes it itself.
        _log.error("a socket: the store does not answer: %s", type(error).__name__)
        with suppress(RuntimeError):
            await request.close(INTERNAL, UNAVAILABLE)
        return None
    request_id = str(request.scope.get("request_id", ""))
    _log.error("request %s: the store does not answer: %s", request_id, type(error).__name__)
    message = (
        "The store of this server does not answer just now. What was answered before is kept; "
        "repeat this request in a moment."
    )
    return answer(ApiError(503, "store_unavailable", message, headers={"Retry-After": "5"}))


async def _http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "error")
    headers = dict(error.headers or {})
    return answer(ApiError(error.status_code, status, str(error.detail), headers=headers))


async def _internal_error(request: Request, error: Exception) -> JSONResponse:
    request_id = str(request.scope.get("request_id", ""))
    # The message of an unforeseen error may quote what was said.
    _log.error("request %s failed with %s", request_id, type(error).__name__)
    message = f"The server failed. Its log has more under the request id {request_id}."
    return answer(ApiError(500, "internal_error", message))
