"""Answers that must follow a JSON schema: asking, reading, checking. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, JSONSchema
from conversation.llm.providers.lenient_json import closed, fitted, values_in


def response_format(schema: JSONSchema, *, takes_several: bool = False) -> dict[str, Any]:
    """Return the request field of providers that constrain the answer themselves.

    They want every property to be required; what an answer may leave out, they do not leave out.

    Args:
        schema: The form of the answer, or `anyOf` several objects.
        takes_several: Whether the answer may have one of several forms, as with engines in this
            process. Others get the one that holds them all.
    """
    form = schema if takes_several else _one_object(schema)
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": _all_required(form), "strict": True},
    }


def _one_object(schema: JSONSchema) -> JSONSchema:
    """The object that has all properties of several, with all values that they may have."""
    if "anyOf" not in schema:
        return schema
    properties: dict[str, JSONSchema] = {}
    for form in schema["anyOf"]:
        for name, each in form["properties"].items():
            values = [*properties.get(name, {}).get("enum", ()), *each.get("enum", ())]
            properties[name] = {**each, "enum": values} if values else each
    return {**schema["anyOf"][-1], "properties": properties}


def _all_required(schema: JSONSchema) -> JSONSchema:
    whole = dict(schema)
    if "properties" in schema:
        found: dict[str, JSONSchema] = schema["properties"]
        whole["properties"] = {name: _all_required(each) for name, each in found.items()}
        whole["required"] = [*found]
    if "items" in schema:
        whole["items"] = _all_required(schema["items"])
    if "anyOf" in schema:
        whole["anyOf"] = [_all_required(each) for each in schema["anyOf"]]
    return whole


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
    """Return the JSON text of an answer, read leniently, once it is known to follow `schema`.

    Raises:
        ModelOutputError: It is no JSON, or does not follow the schema.
    """
    return json.dumps(
        json_value(text, schema, model=model, finish_reason=finish_reason), ensure_ascii=False
    )


def json_value(text: str, schema: JSONSchema, *, model: str, finish_reason: str = "stop") -> Any:
    """Return the value of an answer, read leniently and then checked against `schema`.

    Raises:
        ModelOutputError: It is no JSON, or does not follow the schema however it is written.
    """
    import jsonschema

    broken: jsonschema.ValidationError | None = None
    cut = [closed(text)] if finish_reason == "length" else []
    for value in (*values_in(text), *cut):
        shaped = fitted(value, schema)
        try:
            jsonschema.validate(shaped, schema)
        except jsonschema.ValidationError as error:
            broken = broken or error
        else:
            return shaped
    if finish_reason == "length":
        raise ModelOutputError(
            f"The JSON answer of {model!r} was cut at its token limit after {len(text)} "
            "characters. Raise `max_output_tokens`, or ask for less."
        )
    if broken is None:
        raise ModelOutputError(
            f"The answer of {model!r} is no JSON ({len(text)} characters). Use a model that "
            "supports JSON schemas."
        )
    path = "/".join(str(step) for step in broken.absolute_path) or "the top level"
    raise ModelOutputError(
        f"The answer of {model!r} does not follow the JSON schema: rule "
        f"{broken.validator!r} is broken at {path}. Use a model that supports JSON schemas."
    ) from broken
