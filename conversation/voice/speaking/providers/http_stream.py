"""Bytes that a provider sends while it makes sound."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from conversation.errors import SpeechError
from conversation.llm.model_loop import model_loop
from conversation.voice.speaking.providers.speech_endpoint import SpeechEndpoint

CONNECT_TIMEOUT_S = 3.0
SILENCE_TIMEOUT_S = 6.0
"""Without a byte, at the beginning or later: a user on the line waits no longer."""
MAX_BYTES = 64_000_000
"""Of one clause; a provider that sends more is not reading the clause."""
_ERROR_BYTES = 20_000
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")

_clients: dict[int, httpx.AsyncClient] = {}


async def posted(
    endpoint: SpeechEndpoint,
    url: str,
    *,
    headers: Mapping[str, str],
    body: Mapping[str, Any],
    params: Mapping[str, str] | None = None,
) -> AsyncGenerator[tuple[bytes, str]]:
    """The answer to a request, as it comes in: blocks of bytes, each with the content type.

    Runs on the loop of the models, whose connections stay open between clauses.

    Raises:
        SpeechError: The provider cannot be reached, refused, was silent, or broke off. The message
            quotes nothing that was to be said.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise SpeechError(f"`api_base` of {endpoint.name} must begin with http:// or https://.")
    try:
        request = _client().stream(
            "POST", url, headers=dict(headers), json=dict(body), params=dict(params or {})
        )
        async with request as response:
            if response.status_code != 200:
                raise _refused(endpoint, response.status_code, await _beginning(response))
            kind, received = response.headers.get("content-type", ""), 0
            async for block in response.aiter_bytes():
                received += len(block)
                if received > MAX_BYTES:
                    raise SpeechError(f"{endpoint.name} sent more than {MAX_BYTES:,} bytes.")
                yield block, kind
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise _unreachable(endpoint, error) from error


def _client() -> httpx.AsyncClient:
    """The one of the loop of the models; closed when the process ends."""
    loop = model_loop()
    if id(loop) not in _clients:
        timeout = httpx.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        client = httpx.AsyncClient(timeout=timeout)
        _clients[id(loop)] = client
        loop.before_exit(client.aclose)
    return _clients[id(loop)]


async def _beginning(response: httpx.Response) -> bytes:
    """Of a refusal: enough to find its code in."""
    content = b""
    async with aclosing(cast("AsyncGenerator[bytes]", response.aiter_bytes())) as blocks:
        async for block in blocks:
            content += block
            if len(content) > _ERROR_BYTES:
                break
    return content[:_ERROR_BYTES]


def _refused(endpoint: SpeechEndpoint, status: int, content: bytes) -> SpeechError:
    what = {
        401: f"refused the key. Set {endpoint.key_name} to a valid key",
        402: "wants to be paid first. See to the account there",
        403: f"refused the key. Set {endpoint.key_name} to a key that may speak",
        404: "does not know the model or the voice. Correct `voice.tts.model` or `voice_id`",
        422: "refused the request. Check `voice.tts` and `voice_id`",
        429: "is rate limited. Wait, or name another model under `voice.tts.fallbacks`",
    }.get(status, "failed" if status >= 500 else "refused the request")
    code = _code_in(content)
    return SpeechError(f"{endpoint.name} {what} ({status}{f', {code}' if code else ''}).")


def _code_in(content: bytes) -> str:
    """The provider's own name for what is wrong; its sentences may quote what was to be said."""
    import json

    try:
        found = json.loads(content)
    except ValueError:
        return ""
    for _ in range(3):
        if not isinstance(found, dict):
            return ""
        told = cast("dict[str, Any]", found)
        for name in ("code", "status", "type"):
            value = told.get(name)
            if isinstance(value, str) and _CODE.fullmatch(value):
                return value
        found = told.get("error", told.get("detail"))
    return ""


def _unreachable(endpoint: SpeechEndpoint, error: Exception) -> SpeechError:
    where = f" at {endpoint.api_base}" if endpoint.api_base else ""
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.InvalidURL):
        what = "cannot be reached. Start its server, or correct `api_base`"
    elif isinstance(error, httpx.TimeoutException):
        what = f"sent nothing for {SILENCE_TIMEOUT_S:.0f} s"
    else:
        what = "broke off in the middle"
    return SpeechError(f"{endpoint.name}{where} {what} ({type(error).__name__}).")
