"""Arguments as models write them, and whatever tools return."""

import asyncio
import dataclasses
import datetime
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from conversation.agent.config import AgentConfig
from conversation.agent.tool_config import ToolConfig
from conversation.tools.arguments import ArgumentsError, fitted, read_object
from conversation.tools.results import MAX_RESULT_CHARS, result_text
from conversation.tools.toolbox import Toolbox
from conversation.transcript import ToolCall
from tests.fakes import ScriptedChatModel

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "price": {"type": "number"},
        "order": {"type": "string"},
        "gift": {"type": "boolean"},
        "size": {"enum": ["S", "M", 44]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "address": {"$ref": "#/$defs/line"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "speed": {"type": "string", "enum": ["by_air", "bySea", "größe", "a-b", "a_b"]},
        "when": {"type": "string", "format": "date", "nullable": True},
        "where": {"anyOf": [{"$ref": "#/$defs/home"}, {"$ref": "#/$defs/shop"}]},
    },
    "$defs": {
        "line": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "home": {"properties": {"flat": {"type": "integer"}}, "required": ["flat"]},
        "shop": {"properties": {"shop": {"type": "integer"}}, "required": ["shop"]},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"count": "2"}', {"count": 2}),
        ('{"count": " -2.0 "}', {"count": -2}),
        ('{"price": "2.50"}', {"price": 2.5}),
        ('{"order": 512}', {"order": "512"}),
        ('{"order": 1.5}', {"order": "1.5"}),
        ('{"gift": "True"}', {"gift": True}),
        ('{"size": "m"}', {"size": "M"}),
        ('{"size": "44"}', {"size": 44}),
        ('{"either": "7"}', {"either": 7}),
        ('{"lines": "[{\\"n\\": \\"1\\"}]"}', {"lines": [{"n": 1}]}),
        ('{"address": "{\\"n\\": 3}"}', {"address": {"n": 3}}),
        ('{"lines": [{"n": "1"}, {"n": "2"}]}', {"lines": [{"n": 1}, {"n": 2}]}),
        (json.dumps('{"order": "5"}'), {"order": "5"}),
        (json.dumps(json.dumps({"order": 5})), {"order": "5"}),
        ("", {}),
        ("null", {}),
        ('""', {}),
        ('{"order": "a\\u0000\\ud800b"}', {"order": "a?b"}),
        ('{"count": "1e3"}', {"count": 1000}),
        ('{"count": "12345678901234567890123"}', {"count": 12345678901234567890123}),
        ('{"order": 1.10}', {"order": "1.10"}),
        ('{"order": 1e3}', {"order": "1e3"}),
        ('{"gift": "no"}', {"gift": False}),
        ('{"size": "\\"m\\""}', {"size": "M"}),
        ('{"either": "null"}', {"either": None}),
        ('{"count": 1, "order": null, "lines": [{"n": null}]}', {"count": 1, "lines": [{}]}),
        ('{"tags": "a"}', {"tags": ["a"]}),
        ('{"tags": 5}', {"tags": ["5"]}),
        ('{"where": {"flat": "1"}}', {"where": {"flat": 1}}),
        ('{"where": {"shop": "1"}}', {"where": {"shop": 1}}),
        ('```json\n{"count": 1}\n```', {"count": 1}),
        ('\ufeff{"count": 1}\x00', {"count": 1}),
        ('[{"count": 1}]', {"count": 1}),
        ('{"arguments": {"count": "1"}}', {"count": 1}),
        ('{"count": 1, "count": 1}', {"count": 1}),
        ('{"speed": "By Air"}', {"speed": "by_air"}),
        ('{"speed": "by-sea"}', {"speed": "bySea"}),
        ('{"speed": "GRO\\u0308SSE"}', {"speed": "größe"}),
        ('{"speed": "A-B"}', {"speed": "a-b"}),
        ('{"when": null}', {"when": None}),
        ('{"count": "", "tags": " ", "gift": "", "order": ""}', {"order": ""}),
    ],
)
def test_what_keeps_its_meaning_is_taken(written: str, read: dict[str, Any]):
    assert fitted(read_object(written), SCHEMA) == read


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('{"count": "two"}', "'type' of its schema at count, which is \"integer\""),
        ('{"count": "2.5"}', "'type' of its schema at count"),
        ('{"count": true}', "'type' of its schema at count"),
        ('{"order": true}', "'type' of its schema at order"),
        ('{"gift": 1}', "'type' of its schema at gift"),
        ('{"size": "XL"}', "'enum' of its schema at size"),
        ('{"colour": "red"}', "'additionalProperties' of its schema at the top level"),
        ('{"lines": [{"n": "x"}]}', "'type' of its schema at lines/0/n"),
        ('{"price": NaN}', "not JSON"),
        ('{"price": 1e999}', "not JSON"),
        ('{"tags": "a, b"}', "'type' of its schema at tags"),
        ('{"speed": "a b"}', "'enum' of its schema at speed"),
        ('{"tags": [null]}', "'type' of its schema at tags/0"),
        ('{"where": {"flat": null}}', "'anyOf' of its schema at where"),
        ('{"count": 1, "count": 2}', "two values for 'count'"),
        ('{"count": 1}{"count": 2}', "not JSON"),
        ('{"count": ', "not JSON"),
        ("[1]", "no JSON object"),
        ("[" * 5_000, "not JSON"),
    ],
)
def test_what_would_be_guessed_is_told(written: str, why: str):
    with pytest.raises(ArgumentsError, match="parameters") as raised:
        fitted(read_object(written), SCHEMA)

    assert why in str(raised.value)


@pytest.mark.parametrize("written", ['{"count": 2.0}', '{"count": 2e0}'])
def test_a_whole_number_is_an_integer(written: str):
    assert isinstance(fitted(read_object(written), SCHEMA)["count"], int)


@pytest.mark.parametrize("inner", [{"type": "array", "items": {"$ref": "#"}}, {"anyOf": [{}]}])
def test_a_schema_of_itself_ends(inner: dict[str, Any]):
    loop = {"properties": {"a": inner, "b": {"anyOf": [{"$ref": "#"}, {"type": "integer"}]}}}
    with pytest.raises(ArgumentsError, match="type"):
        fitted({"a": "x", "b": "y"}, {"type": "object", **loop})


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    try:
        read = fitted(read_object(text), SCHEMA)
    except ArgumentsError as error:
        read = error.parameters
    json.dumps(read, allow_nan=False).encode()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.dates() | st.decimals() | st.builds(object),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.integers() | st.dates() | st.text() | st.none(), inner, max_size=3)
    | st.tuples(inner),
    max_leaves=8,
)  # fmt: skip


@given(values)
def test_any_value_is_a_result(value: object):
    text = result_text(value)

    text.encode()
    assert len(text) <= MAX_RESULT_CHARS


class Status(BaseModel):
    arrives: datetime.date


@dataclasses.dataclass
class Order:
    number: int
    parts: set[str]


class Unshowable:
    def __str__(self) -> str:
        raise ZeroDivisionError


def circle() -> list[object]:
    ring: list[object] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, ""),
        (True, "true"),
        (5, "5"),
        (Decimal("2.50"), "2.50"),
        (datetime.date(2026, 1, 1), "2026-01-01"),
        ({datetime.date(2026, 1, 1): 5}, '{"2026-01-01": 5}'),
        ({None: {1}}, '{"None": [1]}'),
        ((1, "é"), '[1, "é"]'),
        (b"Fri\xffday", "Fri\ufffdday"),
        (Status(arrives=datetime.date(2026, 1, 2)), '{"arrives": "2026-01-02"}'),
        (Order(5, {"a"}), '{"number": 5, "parts": ["a"]}'),
        (Unshowable(), "a value of type Unshowable, which has no text"),
        ({"a": Unshowable()}, "a value of type dict, which has no text"),
        (circle(), "a value of type list, which has no text"),
        ("x" * 9_000, "x" * MAX_RESULT_CHARS),
        ("a\x00\ud800", "a?"),
    ],
)
def test_what_tools_return_is_text(returned: object, text: str):
    assert result_text(returned) == text


def raising(error: BaseException):
    def tool(given: Mapping[str, Any]) -> object:
        raise error

    async def atool(given: Mapping[str, Any]) -> object:
        raise error

    return [tool, atool]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), asyncio.CancelledError()])
@pytest.mark.parametrize("number", [0, 1])
async def test_whatever_a_tool_raises_is_a_result(error: BaseException, number: int):
    agent = AgentConfig.model_validate(
        {"agent_id": "a", "name": "A", "tools": [{"name": "look", "description": "Look."}]}
    )
    tools = Toolbox(agent, model=ScriptedChatModel(), functions={"look": raising(error)[number]})
    call = ToolCall(tool_name="look", tool_call_id="1")

    done = await tools.arun(call)
    in_thread = await asyncio.to_thread(tools.run, call)

    assert (done.is_error, in_thread.is_error) == (True, True)
    assert done.result


@pytest.mark.parametrize(
    "name", ["displayMessage", "get-order", "_x", "5", "A" * 64, "order_status"]
)
def test_tools_are_called_as_providers_and_sdks_allow(name: str):
    assert ToolConfig(name=name, description="Do.").name == name


@pytest.mark.parametrize("name", ["", "A" * 65, "get order", "größe", "a.b", "a/b", "a\n"])
def test_names_that_providers_refuse_are_refused(name: str):
    with pytest.raises(ValidationError, match="name"):
        ToolConfig(name=name, description="Do.")


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"a": {"$ref": "http://127.0.0.1:9/x.json"}}, "nothing is fetched"),
        ({"a": {"$ref": "other.json"}}, "nothing is fetched"),
        ({"a": {"type": "array", "items": {"$ref": "https://x/y"}}}, "nothing is fetched"),
        ({"a": {"$ref": "#/$defs/none"}}, "which is not there"),
        ({"a": {"pattern": "("}}, "is not a .regex"),
    ],
)
def test_a_schema_that_cannot_be_checked_by_is_refused(properties: dict[str, Any], why: str):
    with pytest.raises(ValidationError, match=why):
        ToolConfig(
            name="x", description="X.", parameters={"type": "object", "properties": properties}
        )


def test_what_only_looks_like_a_reference_is_fine():
    parameters = {
        "type": "object",
        "properties": {"$ref": {"enum": [{"$ref": "http://x"}]}, "b": {"$ref": "#/$defs/c"}},
        "$defs": {"c": {"type": "string"}},
    }

    assert ToolConfig(name="x", description="X.", parameters=parameters).parameters == parameters


@pytest.mark.hostile
@pytest.mark.parametrize("depth", [101, 300, 900, 100_000])
@pytest.mark.parametrize("piece", ['{"a":', '{"a":['])
def test_an_abyss_is_refused(piece: str, depth: int):
    with pytest.raises(ArgumentsError):
        read_object(piece * depth + "1" + ("}" if piece == '{"a":' else "]}") * depth)
