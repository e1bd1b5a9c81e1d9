"""litellm's exceptions -> this package's errors, with what to do about each. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from conversation.errors import (
    ModelError,
    ModelSetupError,
    ModelUnavailableError,
    PromptTooLongError,
)

_DETAIL_CHARS = 300
_OVERLOADED = re.compile(r"overloaded|over(?:\s|_)?capacity|server[_\s]is[_\s]busy", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context[\s_-]?(?:length|window|size)|prompt is too long|too many (?:input )?tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content[_\s](?:filter|policy|management)", re.IGNORECASE)


def as_model_error(
    error: Exception, model: str, *, api_base: str | None, key_names: tuple[str, ...]
) -> ModelError:
    """Return what `error` means for the caller.

    Args:
        error: Raised by litellm or by a client below it.
        model: Model string of the call.
        api_base: Endpoint it went to, when it was configured.
        key_names: Environment variables that hold the provider's key.
    """
    if isinstance(error, ModelError):
        return error
    # litellm wraps what happens once a stream has begun.
    original = getattr(error, "original_exception", None)
    error = original if isinstance(original, Exception) else error
    status = _status_of(error)
    kind = type(error).__name__
    said = f" It said: {_detail(error)}"
    where = f" at {api_base}" if api_base else ""
    if status in (401, 403):
        names = " or ".join(key_names) or "the provider's key variable"
        return ModelSetupError(
            f"Model {model!r}{where} refused the key ({status}). Set {names} to a valid key.{said}"
        )
    if status == 404 or kind == "NotFoundError":
        return ModelSetupError(
            f"Model {model!r}{where} does not exist there (404). Correct the model string of the "
            f"agent, or its `api_base`.{said}"
        )
    if kind == "ContextWindowExceededError" or (
        _TOO_LONG.search(str(error)) and (status == 400 or _was_told(error))
    ):
        return PromptTooLongError(
            f"The prompt is longer than {model!r} can read. Give it fewer passages or turns, or "
            f"choose a model with a larger context.{said}"
        )
    if status == 429:
        limited = ModelUnavailableError(
            f"Model {model!r}{where} is rate limited (429). Wait, or name another model under "
            f"`llm.fallbacks`.{said}"
        )
        limited.retry_after_s = _retry_after_s(error)
        return limited
    if (told := _as_it_says(error, f"{model!r}{where}", said)) is not None:
        return told
    if kind == "Timeout" or status == 408:
        return ModelUnavailableError(f"Model {model!r}{where} did not answer in time.{said}")
    if "connection" in kind.lower() or _is_connection_failure(error):
        return ModelUnavailableError(
            f"Model {model!r}{where} cannot be reached. {_way_there(api_base, key_names)}{said}"
        )
    if status is not None and 400 <= status < 500:
        return ModelError(f"Model {model!r}{where} refused the request ({status}).{said}")
    failed = ModelUnavailableError(f"Model {model!r}{where} failed ({status or kind}).{said}")
    failed.retry_after_s = _retry_after_s(error)
    return failed


def _way_there(api_base: str | None, key_names: Sequence[str]) -> str:
    # Who needs no key, such as Ollama, is a server of one's own.
    if api_base or not key_names:
        return "Start its server, or correct `api_base`."
    return (
        "Look whether this machine reaches the network, with its proxy where it has one; a server "
        "of your own is named as `api_base`."
    )


def _as_it_says(error: Exception, model: str, said: str) -> ModelError | None:
    """What the provider's own words mean, e.g. in the middle of a stream, which has no status."""
    if _status_of(error) == 529 or _OVERLOADED.search(str(error)):
        busy = ModelUnavailableError(
            f"Model {model} is overloaded. Try again later, or name another model under "
            f"`llm.fallbacks`.{said}"
        )
        busy.retry_after_s = _retry_after_s(error)
        return busy
    if _FILTERED.search(str(error)):
        return ModelError(
            f"The content filter of {model} stopped the answer. Ask in other words, or choose "
            f"another model in `llm.model`.{said}"
        )
    if _was_told(error):
        return ModelUnavailableError(
            f"Model {model} broke off its answer. Try again, or name another model under "
            f"`llm.fallbacks`.{said}"
        )
    return None


def _was_told(error: BaseException | None) -> bool:
    """Whether a server said what is wrong in the middle of its stream: it was reached."""
    for _ in range(8):
        if error is None:
            return False
        if type(error).__name__ == "APIError" and getattr(error, "body", None) is not None:
            return True
        error = error.__cause__ or error.__context__
    return False


def _status_of(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _is_connection_failure(error: BaseException | None) -> bool:
    """Whether the request never reached a server: litellm reports that as an internal error."""
    depth = 0
    while error is not None and depth < 8:
        if isinstance(error, OSError) or type(error).__name__ in (
            "APIConnectionError",
            "ConnectError",
            "ConnectTimeout",
        ):
            return True
        if "Connection error" in str(error) or "Cannot connect" in str(error):
            return True
        error = error.__cause__ or error.__context__
        depth += 1
    return False


def _retry_after_s(error: Exception) -> float | None:
    """Return the pause that the provider asks for: milliseconds, seconds, or until a date."""
    response: Any = getattr(error, "response", None)
    headers: Any = getattr(error, "litellm_response_headers", None) or getattr(
        response, "headers", None
    )
    if headers is None:
        return None
    exact_ms = _number(headers.get("retry-after-ms"))
    if exact_ms is not None:
        return exact_ms / 1_000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    until, now = _moment(value), _moment(headers.get("date"))
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _number(value: object) -> float | None:
    try:
        return None if value is None else max(0.0, float(str(value)))
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    """Return a date of HTTP; the provider's own clock says what time it is now."""
    try:
        return None if value is None else parsedate_to_datetime(str(value)).astimezone(UTC)
    except ValueError:
        return None


def _detail(error: Exception) -> str:
    """Return the first line of the provider's message, without litellm's prefixes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    while text.startswith("litellm.") and ": " in text:
        text = text.split(": ", 1)[1]
    return text[:_DETAIL_CHARS]
