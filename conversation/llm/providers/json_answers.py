"""Answers that must follow a JSON schema: asking, reading, checking. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, JSONSchema

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


def response_format(schema: JSONSchema) -> dict[str, Any]:
    """Return the request field of providers that constrain the answer themselves."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }


def with_instruction(messages: Sequence[ChatMessage], schema: JSONSchema) -> list[ChatMessage]:
    """Ask for the schema in words, for providers that cannot be constrained.

    It stands at the very end: what comes before is the prefix that providers cache.
    """
    instruction = (
        "Answer with one JSON value that follows this JSON schema, and with nothing else:\n"
        + json.dumps(schema, ensure_ascii=False)
    )
    *before, last = messages
    return [*before, ChatMessage(last.role, f"{last.content}\n\n{instruction}")]


def checked_json(text: str, schema: JSONSchema, *, model: str, finish_reason: str) -> str:
    """Return the JSON text of an answer once it is known to follow `schema`.

    Raises:
        ModelOutputError: It is no JSON, or does not follow the schema.
    """
    import jsonschema

    fenced = _FENCE.match(text)
    plain = fenced.group(1) if fenced else text.strip()
    try:
        value: Any = json.loads(plain)
    except json.JSONDecodeError as error:
        if finish_reason == "length":
            raise ModelOutputError(
                f"The JSON answer of {model!r} was cut at its token limit after {len(text)} "
                "characters. Raise `max_output_tokens`, or ask for less."
            ) from error
        raise ModelOutputError(
            f"The answer of {model!r} is no JSON (character {error.pos} of {len(plain)}: "
            f"{error.msg}). Use a model that supports JSON schemas."
        ) from error
    try:
        jsonschema.validate(value, schema)
    except jsonschema.ValidationError as error:
        path = "/".join(str(step) for step in error.absolute_path) or "the top level"
        raise ModelOutputError(
            f"The answer of {model!r} does not follow the JSON schema: rule "
            f"{error.validator!r} is broken at {path}. Use a model that supports JSON schemas."
        ) from error
    return plain
