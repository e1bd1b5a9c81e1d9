"""Webhook tools: parameters to one HTTP request, its response to text for the agent.

The host stands in the agent file and is resolved once; every address is judged before anything is
sent, as for links. Redirects are not followed. Secrets are put into headers at the last moment, and
wherever a response repeats one it is blotted out, so that none reaches a prompt or the store. So is
what stands literally where a secret should be named.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from unicodedata import normalize
from urllib.parse import quote, quote_plus, unquote, urlencode

from pydantic import Field

from conversation.agent.tool_config import ToolConfig, ToolWebhook
from conversation.agent.variable_values import SECRET_PREFIX, VariableValue
from conversation.agent.variables import fill_in, is_secret, variable_names
from conversation.errors import ToolError, VariableValueError
from conversation.tools.written_secrets import written_secrets
from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.media_types import split_media_type, text_encoding
from kb.web.exchange import Reply, resolve_host
from kb.web.guarded import Resolve, send_guarded

USER_AGENT = "vivavoce-webhook/1.0"
MAX_URL_CHARS = 8_000
MIN_SECRET_CHARS = 4
"""Shorter ones are not looked for in responses: they would blot out ordinary text."""
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_SURE_CHARS = 8
_ERROR_CHARS = 500
_REASONS = {
    "blocked_address": "its address is not public; add its range to the tool's `allowed_cidrs`",
    "dns": "its host cannot be found",
    "timeout": "it did not answer in time",
    "tls": "the connection to it is not trusted; name its certificate authority in `ca_file`",
    "too_large": "its answer is larger than the tool's `max_response_bytes`",
    "unreachable": "it cannot be reached",
    "bad_url": "its address cannot be used",
    "unsupported_content_type": "it answered with something that is not text",
}


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One request, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    """With secrets in: never shown."""
    content: bytes | None = field(repr=False)


class FilledWebhook(ToolWebhook):
    """A webhook in one session."""

    header_values: dict[str, VariableValue] = Field(default_factory=dict[str, VariableValue])
    """The dynamic variables that its headers name."""
    written: frozenset[str] = Field(default=frozenset(), repr=False)
    """What may be secrets in its template, where nothing of a user is filled in yet."""


def filled_webhook(tool: ToolConfig, variables: Mapping[str, VariableValue]) -> ToolConfig:
    """The tool with the dynamic variables in its URL and constants filled in.

    Headers stay templates, with their values beside them, until the request is made: a header that
    was filled in twice would take what a user wrote for the name of a secret.

    Raises:
        MissingVariableError: One of them has no value.
        VariableValueError: One of them would lead to another path, or is missing in it.
    """
    webhook = tool.webhook
    if webhook is None:
        return tool
    where = f"webhook of the tool {tool.name!r}"

    constants = {
        name: fill_in(value, variables, where=where) if isinstance(value, str) else value
        for name, value in webhook.constants.items()
    }
    for value in webhook.headers.values():
        fill_in(value, variables, where=where, keep_secrets=True)
    url = fill_in(webhook.url, variables, where=where, encode=lambda value: quote(value, safe=""))
    _require_path_values(webhook.url, variables, where=where)
    if _dot_segments(url) != _dot_segments(webhook.url):
        raise VariableValueError(
            f"The {where} has {variable_names(webhook.url)} in the path of its URL, where `.` and "
            "`..` would lead elsewhere. Give a value that is a name or a number."
        )
    named = {name for value in webhook.headers.values() for name in variable_names(value)}
    own = {name: getattr(webhook, name) for name in ToolWebhook.model_fields}
    changed: dict[str, Any] = {
        "url": url,
        "constants": constants,
        "header_values": {name: variables[name] for name in named if not is_secret(name)},
        "written": written_secrets(webhook),
    }
    filled = FilledWebhook.model_construct(None, **{**own, **changed})
    return tool.model_copy(update={"webhook": filled})


def webhook_request(
    webhook: ToolWebhook,
    parameters: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    call_id: str,
) -> WebhookRequest:
    """The request for one call. `parameters` follow the tool's schema already.

    Raises:
        ToolError: A parameter cannot stand in a URL.
        MissingVariableError: A secret is not there.
    """
    in_url = set(webhook.url_parameters)
    url = webhook.url.format(
        **{name: _path_part(name, parameters[name]) for name in webhook.url_parameters}
    )
    sent = {key: value for key, value in parameters.items() if key not in in_url}
    sent |= webhook.constants
    headers = {
        "Accept": "application/json, text/*;q=0.8",
        "User-Agent": USER_AGENT,
        # The same call is never done twice by a server that knows the header.
        "Idempotency-Key": call_id,
    }
    content = None
    if webhook.method in _BODY_METHODS:
        content = json.dumps(sent, ensure_ascii=False).encode()
        headers["Content-Type"] = "application/json"
    elif sent:
        query = urlencode([(key, _plain(value)) for key, value in sent.items()])
        url += ("&" if "?" in url else "?") + query
    if len(url) > MAX_URL_CHARS:
        raise ToolError("the parameters make its URL too long")
    values: dict[str, VariableValue] = {
        **(webhook.header_values if isinstance(webhook, FilledWebhook) else {}),
        **{f"{SECRET_PREFIX}{name}": value for name, value in secrets.items()},
    }
    own = {name: _filled_header(value, values) for name, value in webhook.headers.items()}
    replaced = {name.lower() for name in own}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return WebhookRequest(webhook.method, url, {**kept, **own}, content)


def call_webhook(
    tool: ToolConfig,
    parameters: Mapping[str, Any],
    *,
    secrets: Mapping[str, str],
    call_id: str,
    resolve: Resolve = resolve_host,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Send the request of one call and return what came back.

    Raises:
        ToolError: Nothing usable came back. Its message holds no secret.
    """
    webhook = tool.webhook
    if webhook is None:
        raise ValueError(f"the tool {tool.name!r} is no webhook")
    request = webhook_request(webhook, parameters, secrets=secrets, call_id=call_id)
    config = LinkConfig(
        allowed_cidrs=webhook.allowed_cidrs,
        max_bytes=webhook.max_response_bytes,
        total_timeout_s=tool.timeout_s,
        connect_timeout_s=tool.timeout_s,
        ca_file=webhook.ca_file,
        user_agent=USER_AGENT,
    )
    try:
        reply = send_guarded(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            config=config,
            wants=_is_text,
            reads=lambda status: status // 100 in (2, 4, 5),
            resolve=resolve,
            clock=clock,
        )
    except DocumentError as error:
        raise ToolError(_REASONS.get(error.reason, f"it failed ({error.reason})")) from None
    is_filled = isinstance(webhook, FilledWebhook)
    written = webhook.written if is_filled else written_secrets(webhook)
    return _text_of(reply, secrets, written)


def _filled_header(text: str, values: Mapping[str, VariableValue]) -> str:
    filled = fill_in(text, values, where="header of a webhook")
    if not filled.isascii() or not filled.isprintable():
        raise ToolError("a header of it holds characters that no header may")
    return filled


def without_secrets(
    text: str, secrets: Mapping[str, str], written: Collection[str] = frozenset()
) -> str:
    """`text` in which every secret is blotted out, also those of `written_secrets`.

    Short ones that are written out are looked for as words: nothing says that they are secrets.
    """
    named = {form: False for value in secrets.values() for form in _forms(value)}
    guessed = {form: True for value in written for form in _forms(value)}
    for form, is_guess in sorted((guessed | named).items(), key=lambda it: -len(it[0])):
        if len(form) < MIN_SECRET_CHARS:
            continue
        if is_guess and (len(form) < _SURE_CHARS or form.isdigit()):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "[secret]", text)
        else:
            text = text.replace(form, "[secret]")
    return text


def _forms(value: str) -> set[str]:
    """How a server may write it: as it is, in JSON, in an address, in a page."""
    in_json = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {value, quote(value, safe=""), quote_plus(value), escape(value)} | in_json


def _text_of(reply: Reply, secrets: Mapping[str, str], written: Collection[str]) -> str:
    _, charset = split_media_type(reply.headers.get("content-type", ""))
    text = reply.body.decode(text_encoding(charset) or "utf-8", "replace").strip()
    # Before anything is cut: half a secret would not be found any more.
    text = without_secrets(text, secrets, written)
    if reply.status // 100 == 2:
        return text
    if reply.status // 100 == 3:
        raise ToolError(f"it answered with a redirect ({reply.status}), which is not followed")
    said = f": {text[:_ERROR_CHARS]}" if text else ""
    raise ToolError(f"it answered with status {reply.status}{said}", from_outside=True)


def _is_text(media_type: str | None) -> bool:
    return (
        media_type is None
        or media_type.startswith("text/")
        or media_type in ("application/json", "application/xml", "application/problem+json")
        or media_type.endswith(("+json", "+xml"))
    )


def _dot_segments(url: str) -> int:
    """How many parts of the path stand for another path: `.` and `..`, however written."""
    parts = url.partition("#")[0].partition("?")[0].split("/")
    return sum(unquote(part) in (".", "..") for part in parts)


def _require_path_values(url: str, variables: Mapping[str, VariableValue], *, where: str) -> None:
    """Without its value `/users/{{id}}/delete` is another address, which may do something else."""
    given = {normalize("NFC", name): value for name, value in variables.items()}
    path = url.partition("#")[0].partition("?")[0]
    empty = [name for name in variable_names(path) if not str(given[name]).strip()]
    if empty:
        raise VariableValueError(
            f"The {where} has {empty} in the path of its URL, and its value is empty. Give one, "
            "or take it out of the path."
        )


def _path_part(name: str, value: object) -> str:
    text = _plain(value)
    if text.strip() in ("", ".", ".."):
        raise ToolError(f"its parameter {name!r} cannot stand in a URL")
    return quote(text, safe="")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
