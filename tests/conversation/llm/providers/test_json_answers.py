"""Answers that must follow a JSON schema."""

import pytest

from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, JSONSchema
from conversation.llm.providers.json_answers import (
    checked_json,
    response_format,
    with_instruction,
)

SCHEMA = {
    "type": "object",
    "properties": {"fields": {"type": "array", "items": {"type": "integer"}}},
    "required": ["fields"],
}


PARTLY: JSONSchema = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
EITHER: JSONSchema = {
    "anyOf": [
        {**PARTLY, "properties": {"city": {"enum": ["Rome"]}}},
        {**PARTLY, "properties": {**PARTLY["properties"], "city": {"enum": ["Paris", "Oslo"]}}},
    ]
}


def checked(text: str, finish_reason: str = "stop") -> str:
    return checked_json(text, SCHEMA, model="a/model", finish_reason=finish_reason)


@pytest.mark.parametrize(
    "text",
    [
        '{"fields": [1]}',
        ' \n{"fields": [1]}\n',
        '```json\n{"fields": [1]}\n```',
        '```\n{"fields": [1]}```',
    ],
)
def test_plain_and_fenced_json_is_read(text: str):
    assert checked(text) == '{"fields": [1]}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("The answer is 1.", "is no JSON"),
        ("[1]", "rule 'type' is broken at the top level"),
        ("{}", "rule 'required' is broken at the top level"),
        ('{"fields": [1, "two"]}', "rule 'type' is broken at fields/1"),
    ],
)
def test_other_answers_are_errors_that_say_where(text: str, said: str):
    with pytest.raises(ModelOutputError, match=said):
        checked(text)


def test_errors_do_not_repeat_what_was_said():
    with pytest.raises(ModelOutputError) as raised:
        checked('{"fields": ["my code is 4711"]}')
    assert "4711" not in str(raised.value)


def test_a_cut_answer_names_the_limit():
    with pytest.raises(ModelOutputError, match="Raise `max_output_tokens`"):
        checked('{"fields": [1,', finish_reason="length")


def test_the_instruction_stands_at_the_end_so_that_the_prefix_is_cached():
    messages = [ChatMessage("system", "Judge."), ChatMessage("user", "<transcript/>")]

    asked = with_instruction(messages, SCHEMA)

    assert asked[0] == messages[0]
    assert asked[1].content.startswith("<transcript/>\n\nAnswer with one JSON value")


def test_providers_get_one_object_with_everything_required():
    optional, either = (
        response_format(schema)["json_schema"]["schema"] for schema in (PARTLY, EITHER)
    )

    assert optional == {**PARTLY, "required": ["city", "nights"]}
    cities = {"city": {"enum": ["Rome", "Paris", "Oslo"]}, "nights": {"type": "integer"}}
    assert either == {**PARTLY, "properties": cities, "required": ["city", "nights"]}


def test_an_engine_in_this_process_may_answer_in_one_form_of_several():
    asked = response_format(EITHER, takes_several=True)["json_schema"]["schema"]

    assert [sorted(form["required"]) for form in asked["anyOf"]] == [["city"], ["city", "nights"]]
