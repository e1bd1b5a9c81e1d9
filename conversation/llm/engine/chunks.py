"""What llama.cpp hands over while it answers: chunks, and errors among them."""

from collections.abc import Callable
from typing import Any, cast

from conversation.llm.engine.server import EngineRequestError, JSONObject


def guarded(
    call: Callable[[Callable[[JSONObject], bool]], None], receive: Callable[[JSONObject], bool]
) -> None:
    """Carry what `receive` raises around the caller, which is C++.

    Raises:
        EngineRequestError: llama.cpp refused the request.
    """
    failures: list[BaseException] = []

    def take(chunk: JSONObject) -> bool:
        try:
            if "error" in chunk:
                raise EngineRequestError(_refusal(chunk["error"]))
            return receive(chunk)
        except BaseException as error:
            failures.append(error)
            return True

    try:
        call(take)
    except ValueError as error:
        raise EngineRequestError(str(error)) from error
    if failures:
        raise failures[0]


def texts(chunk: JSONObject) -> list[str]:
    """What a chunk adds to the answer."""
    choices = cast("list[JSONObject]", chunk.get("choices") or [])
    return [str(choice.get("delta", {}).get("content") or "") for choice in choices]


def _refusal(error: Any) -> str:
    return str(cast(JSONObject, error).get("message")) if isinstance(error, dict) else str(error)
