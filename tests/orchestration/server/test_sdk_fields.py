"""Every field of the published SDK's models of an agent: it comes back, or is refused by name."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from conversation.agent.agent_file import merge_keys
from conversation.server.context import ServerContext
from tests.orchestration.deployed import served_deployment

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

MOST_DEPTH = 6
Path_ = tuple[str, ...]
NEEDED: dict[str, Any] = {
    "data_collection": {"data_collection": {"first": {"type": "string", "description": "It."}}}
}
"""What a part of a setting cannot be without."""


def value_of(kind: Any, depth: int) -> Iterator[tuple[Path_, Any]]:
    """Places in a value of this type, each with a value that stands there alone."""
    origin = get_origin(kind)
    if origin is typing.Annotated:
        yield from value_of(get_args(kind)[0], depth)
    elif origin is typing.Union:
        plain = [each for each in get_args(kind) if each is not type(None)]
        yield from value_of(plain[0], depth)
    elif origin is typing.Literal:
        yield (), get_args(kind)[-1]
    elif origin in (dict, Mapping):
        for path, value in value_of(get_args(kind)[1], depth + 1):
            yield ("first", *path), value
    elif origin in (list, tuple) or str(origin).endswith("Sequence'>"):
        for path, value in value_of(get_args(kind)[0], depth + 1):
            yield (), [nested(path, value)]
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from fields_of(kind, depth + 1)
    elif kind in PLAIN:
        yield (), PLAIN[kind]
    else:
        yield (), {}


PLAIN: dict[Any, Any] = {str: "text", int: 3, float: 0.5, bool: True, Any: "text"}


def fields_of(model: type[BaseModel], depth: int = 0) -> Iterator[tuple[Path_, Any]]:
    if depth > MOST_DEPTH:
        return
    for name, field in model.model_fields.items():
        for path, value in value_of(field.annotation, depth):
            yield (field.alias or name, *path), value


def nested(path: Path_, value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


def at(value: Any, path: Path_) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def is_there(sent: Any, shown: Any) -> bool:
    """Whether everything that was sent is shown; more may be."""
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(is_there(sent[k], shown.get(k)) for k in sent)
    if isinstance(sent, list):
        return (
            isinstance(shown, list) and len(shown) >= len(sent) and all(map(is_there, sent, shown))
        )
    return sent == shown


def test_every_field_comes_back_or_is_refused_by_name(tmp_path: Path):
    from elevenlabs.types import AgentPlatformSettingsRequestModel, ConversationalConfig

    swallowed: list[str] = []
    kept = 0

    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    with served_deployment(tmp_path, prepare=unhurried) as served:
        for section, model in (
            ("conversation_config", ConversationalConfig),
            ("platform_settings", AgentPlatformSettingsRequestModel),
        ):
            for path, value in fields_of(model):
                agent = served.agent_with()
                sent = merge_keys(NEEDED.get(path[0], {}), nested(path, value))
                body = {section: sent}
                answer = served.http.patch(f"/v1/convai/agents/{agent}", json=body)
                place = f"{section}.{'.'.join(path)} = {value!r}"
                if answer.status_code == 200:
                    shown = served.call("GET", f"/agents/{agent}")
                    listed = answer.json()["without_effect"]
                    if is_there(sent, shown[section]):
                        kept += 1
                        assert listed == [], place
                    elif not any(f"{section}.{'.'.join(path)}".startswith(each) for each in listed):
                        swallowed.append(f"{place}: {at(shown[section], path)!r}")
                elif answer.status_code not in (400, 422):
                    swallowed.append(f"{place}: {answer.status_code}")
                elif not any(name in answer.text for name in (*path, repr(value), "'text'")):
                    swallowed.append(f"{place}: refused with {answer.text[:200]}")
                served.http.delete(f"/v1/convai/agents/{agent}")
    assert kept > 300
    assert swallowed == [], "\n".join(swallowed)
