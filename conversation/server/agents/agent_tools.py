"""Tools as the network protocol describes them -> the `tools` of an agent file. Pure."""

import re
from collections.abc import Mapping
from typing import Any, cast

from conversation.agent.config import AgentConfig
from conversation.agent.tool_config import SYSTEM_TOOLS, ToolConfig
from conversation.agent.variable_values import SECRET_PREFIX
from conversation.server.agents.agent_wire import PromptSettings
from conversation.server.agents.shown_agent import tool_item
from conversation.server.agents.tool_wire import (
    HeaderValue,
    ParameterSchema,
    RequestSchema,
    SystemParams,
    ToolItem,
)
from conversation.server.errors import ApiError

Json = dict[str, Any]
_SECRET_NAME = re.compile(r"[\w.-]{1,100}")
_VARIABLE_NAME = re.compile(r"[^\W\d][\w.-]{0,99}")
_SCHEMA_KEYS = ("type", "description", "enum", "items", "properties", "required")
"""What our schemas take over; the rest of a property is the protocol's own."""


def changed_tools(agent: AgentConfig, prompt: PromptSettings) -> Json:
    """`tools` and `system_tools` of the agent file, when any were sent.

    `built_in_tools` stands for all system tools and `tools` for all others; what was not sent
    stays. A system tool may be listed under `tools` as well.

    Raises:
        ApiError: No agent of this server can do that.
    """
    listed, built_in = prompt.get("tools"), prompt.get("built_in_tools")
    if listed is None and built_in is None:
        return {}
    items: dict[str, ToolItem] = {
        tool.name: tool_item(tool)
        for tool in agent.all_tools
        if (built_in if tool.kind == "system" else listed) is None
    }
    items |= {str(item.get("name", "")): item for item in listed or ()}
    for name, item in (built_in or {}).items():
        if item is None:
            items.pop(name, None)
        else:
            items[name] = {**item, "type": "system", "name": name}
    before = {tool.name: tool for tool in agent.all_tools}
    bare, tools = list[str](), list[Any]()
    for name, item in items.items():
        known = before.get(name)
        if known is None or not _says(item, tool_item(known)):
            tools.append(tool_section(item, known))
        elif name in agent.system_tools:
            bare.append(name)
        else:
            tools.append(known.model_dump())
    return {"tools": tools, "system_tools": bare}


def tool_section(item: ToolItem, known: ToolConfig | None) -> Json:
    """The section that does what `item` says, over what the agent's own section says.

    Raises:
        ApiError: No agent of this server can do that.
    """
    name, kind = str(item.get("name", "")), item.get("type")
    base: Json = {} if known is None else known.model_dump()
    base["name"] = name
    if description := item.get("description"):
        base["description"] = description
    if timeout_s := item.get("response_timeout_secs"):
        base["timeout_s"] = timeout_s
    if kind == "system":
        return _system(base, item)
    if kind == "client":
        parameters = item.get("parameters")
        return base | ({"parameters": _object(parameters)} if parameters else {})
    if kind == "webhook":
        return _webhook(base, item)
    raise ApiError(
        422, "unsupported_tool", f"The tool {name[:64]!r} is of type {kind!r}, which is not served."
    )


def _system(base: Json, item: ToolItem) -> Json:
    if base["name"] not in SYSTEM_TOOLS:
        raise ApiError(
            422,
            "unsupported_tool",
            f"There is no system tool {base['name'][:64]!r} here; there are "
            f"{', '.join(SYSTEM_TOOLS)}.",
        )
    params = item.get("params") or SystemParams()
    if "transfers" in params:
        base["agents"] = [
            {"agent_id": target["agent_id"], "when": target["condition"]}
            for target in params["transfers"]
        ]
    return base


def _webhook(base: Json, item: ToolItem) -> Json:
    schema = item.get("api_schema") or RequestSchema()
    sent_headers = schema.get("request_headers") or {}
    headers = {name: _header(name, value) for name, value in sent_headers.items()}
    path = schema.get("path_params_schema") or {}
    properties = dict(path)
    required = list(path)
    for part in (schema.get("query_params_schema"), schema.get("request_body_schema")):
        if not part:
            continue
        properties |= part.get("properties") or {}
        required += part.get("required") or []
    constants = {
        name: constant
        for name, value in properties.items()
        if (constant := value.get("constant_value")) not in (None, "")
    }
    asked = {name: value for name, value in properties.items() if name not in constants}
    webhook = cast(Json, base.get("webhook") or {})
    return base | {
        "webhook": webhook
        | {
            "url": schema.get("url", ""),
            "method": schema.get("method") or "GET",
            "headers": headers,
            "constants": {**webhook.get("constants", {}), **constants},
        },
        "parameters": _object(
            {"properties": asked, "required": [name for name in required if name in asked]}
        ),
    }


def _header(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        found = cast(HeaderValue, value)
        if secret_id := found.get("secret_id"):
            return f"{{{{{SECRET_PREFIX}{secret_name(secret_id)}}}}}"
        if variable := found.get("variable_name"):
            return f"{{{{{_variable_name(variable)}}}}}"
    raise ApiError(422, "unsupported_header", f"The header {name[:64]!r} has no usable value.")


def secret_name(given: object) -> str:
    """A `secret_id` that names one secret, and nothing beside it.

    Raises:
        ApiError: 422; what was given could end the placeholder that it goes into.
    """
    if isinstance(given, str) and _SECRET_NAME.fullmatch(given):
        return given
    raise ApiError(
        422,
        "invalid_secret_id",
        "A `secret_id` is the name of a secret: at most 100 letters, digits, `_`, `-` and `.`.",
    )


def _variable_name(given: object) -> str:
    if isinstance(given, str) and _VARIABLE_NAME.fullmatch(given):
        return given
    raise ApiError(
        422,
        "invalid_variable_name",
        "A `variable_name` begins with a letter or `_`, and holds letters, digits, `_`, `-`, `.`.",
    )


def _object(schema: ParameterSchema) -> Json:
    """A JSON schema of an object, without the protocol's own keys."""
    properties = schema.get("properties") or {}
    return {
        "type": "object",
        "properties": {name: _property(each) for name, each in properties.items()},
        "required": list(schema.get("required") or []),
        "additionalProperties": False,
    }


def _property(schema: ParameterSchema) -> Json:
    kept = _taken_over(schema)
    if kept.get("type") == "object":
        return kept | _object(schema)
    if isinstance(kept.get("items"), Mapping):
        kept["items"] = _property(kept["items"])
    return kept


def _taken_over(schema: Mapping[str, object]) -> Json:
    return {key: schema[key] for key in _SCHEMA_KEYS if schema.get(key) is not None}


def _says(item: Mapping[str, object], known: Mapping[str, object]) -> bool:
    """Whether an item says what is known, in every key that both have."""
    return all(item[key] == value for key, value in known.items() if key in item)
