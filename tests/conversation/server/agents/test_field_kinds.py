"""What is of another kind than the protocol says is refused by its name, wherever it stands."""

import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from conversation.server.agents.field_kinds.agents import (
    require_kinds_of_agent,
    require_kinds_of_tool,
)
from conversation.server.errors import ApiError

SECRET = "sk-that-nobody-repeats"
WRONG: list[tuple[str, Any, str]] = [
    ("conversation_config.asr.quality", "high-ish", "must be `high`"),
    ("conversation_config.asr.keywords", [SECRET, 1], "keywords.1` must be text"),
    ("conversation_config.turn.turn_timeout", "soon", "must be a number"),
    ("conversation_config.turn.turn_timeout", True, "must be a number"),
    ("conversation_config.conversation.file_input", "yes", "must be an object"),
    ("conversation_config.conversation.max_duration_seconds", 1.5, "must be a whole number"),
    ("conversation_config.conversation.max_duration_seconds", 600.0, "without a point"),
    ("conversation_config.agent.prompt.tool_ids", "zz", "must be a list"),
    ("conversation_config.agent.prompt.rag.max_retrieved_rag_chunks_count", 0, "above zero"),
    ("conversation_config.agent.prompt.built_in_tools.end_call.params", 5, "must be an object"),
    ("conversation_config.agent.prompt.tools", [{"type": "client"}], "tools.0` needs `name`"),
    ("conversation_config.tts.supported_voices", [{"label": 1}], "voices.0` needs `voice_id`"),
    ("conversation_config.language_presets.de.overrides.agent.first_message", [], "must be text"),
    ("platform_settings.widget.terms_text", {"a": SECRET}, "must be text"),
    ("platform_settings.widget.avatar", {"type": SECRET}, "must be `orb` or `url` or `image`"),
    ("platform_settings.data_collection.order.enum", "a", "must be a list"),
    ("platform_settings.auth.allowlist", [{}], "allowlist.0` needs `hostname`"),
    ("platform_settings.privacy.retention_days", "3", "must be a whole number"),
]
RIGHT: list[tuple[str, Any]] = [
    ("conversation_config", {}),
    ("conversation_config.asr.quality", None),
    ("conversation_config.turn.turn_timeout", 7),
    ("conversation_config.agent.prompt.built_in_tools.end_call", None),
    ("conversation_config.of_a_newer_client", {"any": ["thing", 1]}),
    ("conversation_config.agent.dynamic_variables.dynamic_variable_placeholders", {"n": 1}),
    ("platform_settings.guardrails.content.config.sexual.threshold", 0.5),
    ("platform_settings.guardrails.content.config.sexual.threshold", "high"),
]

TELLING = ("type", "source", "preference", "system_tool_type")
"""Fields by which the client tells one model from another."""


def nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_a_wrong_kind_is_refused_by_the_name_of_its_field(path: str, value: Any, said: str):
    with pytest.raises(ApiError) as refused:
        require_kinds_of_agent(nested(path, value))

    message = refused.value.message
    assert message.startswith(f"`{path}")
    assert said in message
    assert refused.value.status_code == 422
    assert SECRET not in message


@pytest.mark.parametrize(("path", "value"), RIGHT)
def test_what_is_right_or_newer_is_taken(path: str, value: Any):
    require_kinds_of_agent(nested(path, value))


def test_parameters_of_tools_are_read_to_their_depth():
    def tool(schema: Any) -> dict[str, Any]:
        return {"type": "client", "name": "a", "parameters": schema}

    deep: dict[str, Any] = {"type": "string", "description": "It."}
    wrong: dict[str, Any] = {"type": "string", "description": 5}
    for _ in range(40):
        deep, wrong = ({"type": "object", "properties": {"in": each}} for each in (deep, wrong))
    require_kinds_of_tool(tool(deep))
    require_kinds_of_tool(tool({"type": "array", "items": {"type": "string", "enum": ["a", 1]}}))
    for schema, said in ((wrong, ".description` must be text"), ({"properties": {"a": 5}}, "`a`")):
        with pytest.raises(ApiError) as refused:
            require_kinds_of_tool(tool(schema))
        assert said.strip("`") in refused.value.message


# Of the published client: every field of its own models of an agent.

Wrap = Callable[[Any], Any]
VALUES: tuple[Any, ...] = (5, -1, 1.5, True, "zz", "", [], {}, [1], [None], {"a": 1}, {"a": None})
ELSEWHERE = ("custom_sip_headers", "transfer_destination", "uui", "post_dial_digits", "value",
             "api_schema_overrides", "api_integration_id", "api_integration_connection_id",
             )  # fmt: skip
"""Parts of tools that no agent here can have, which are refused whole."""
FILLED_IN = ("params", "backup_llm_config", "knowledge_base", "constant_value", "api_schema",
             "system_tool_type", "custom_llm")  # fmt: skip
"""Parts of which answers hold what is needed, whatever was left out."""
LOOSER = ("type", "enum", "auth_connection", "api_key", "analysis_item_id")
"""Kinds of tools and parameters are read with the tool, which says more; numbers to choose from
stand in files that people wrote, and come back."""


def bare(kind: Any) -> list[Any]:
    """The kinds that a union has, without null."""
    if typing.get_origin(kind) is typing.Annotated:
        return bare(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [
            each
            for one in typing.get_args(kind)
            if one is not type(None) and one is not Any
            for each in bare(one)
        ]
    return [kind]


def is_model(kind: Any) -> typing.TypeGuard[type[BaseModel]]:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def sample(kind: Any) -> Any:
    """The least value that the client's models take."""
    first = next(iter(bare(kind)), None)
    origin = typing.get_origin(first)
    if origin is typing.Literal:
        return typing.get_args(first)[0]
    if is_model(first):
        return {
            each.alias or name: sample(each.annotation)
            for name, each in first.model_fields.items()
            if each.is_required() or name in TELLING
        }
    known: dict[Any, Any] = {str: "a", int: 1, float: 1.5, bool: True, list: [], dict: {}}
    return known.get(origin or first, {})


def places(kind: Any, wrap: Wrap, path: tuple[str, ...]) -> Iterator[tuple[Any, Wrap, Any]]:
    """Every field below a kind: its path, what puts a value there, and its own kind."""
    if len(path) > 9 or not path:
        return
    for each in bare(kind):
        if is_model(each) and path.count(path[-1]) < 3:
            base = sample(each)
            for name, field in each.model_fields.items():
                name = field.alias or name
                put = _into(wrap, base, name)
                yield (*path, name), put, field.annotation
                yield from places(field.annotation, put, (*path, name))
        elif typing.get_origin(each) is list:
            inner = typing.get_args(each)[0]
            yield from places(inner, lambda value: wrap([value]), path)
        elif typing.get_origin(each) is dict:
            inner = typing.get_args(each)[1]
            yield from places(inner, lambda value: wrap({"x": value}), path)


def _into(wrap: Wrap, base: dict[str, Any], name: str) -> Wrap:
    return lambda value: wrap({**base, name: value})


@pytest.mark.slow
def test_what_the_published_client_could_not_read_is_refused():
    from elevenlabs.types import AgentPlatformSettingsRequestModel, ConversationalConfig

    roots = (
        ("conversation_config", ConversationalConfig),
        ("platform_settings", AgentPlatformSettingsRequestModel),
    )
    wrong: list[str] = []
    refused, taken = 0, 0
    for root, model in roots:
        seen: set[Any] = set()
        for path, put, kind in places(model, lambda value: value, (root,)):
            if path in seen or any(name in ELSEWHERE for name in path):
                continue
            seen.add(path)
            reader = TypeAdapter(kind)
            for value in VALUES:
                is_read = _is_read(reader, value)
                said = _said({root: put(value)})
                refused += said is not None
                is_filled = path[-1] in (*FILLED_IN, *LOOSER) or "built_in_tools" in path[-2:-1]
                if said is None and not is_read and not is_filled:
                    wrong.append(f"{'.'.join(path)} takes {value!r}")
                elif said is not None and path[-1] not in said:
                    wrong.append(f"{'.'.join(path)} {value!r}: {said}")
            least = sample(kind)
            if _is_read(reader, least):
                taken += 1
                if (said := _said({root: put(least)})) is not None:
                    wrong.append(f"{'.'.join(path)} refuses {least!r}: {said}")

    assert wrong == [], "\n".join(wrong)
    assert refused > 3_000
    assert taken > 500


def _is_read(reader: TypeAdapter[Any], value: Any) -> bool:
    try:
        reader.validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


def _said(body: dict[str, Any]) -> str | None:
    try:
        require_kinds_of_agent(body)
    except ApiError as error:
        return error.message
    return None
