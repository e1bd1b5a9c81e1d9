"""What an error about an agent file says of headers, addresses, constants: never their values."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from conversation.agent.agent_file import list_agents, parse_agent
from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError
from kb.errors import DocumentError
from kb.web.addresses import read_url, url_fault

pytestmark = pytest.mark.hostile

SECRET = "sk-live-r1"


def told(text: str) -> str:
    with pytest.raises(AgentConfigError) as refused:
        parse_agent(text, origin="x.yaml", default_id="x")
    return str(refused.value)


def webhook(**section: Any) -> dict[str, Any]:
    given = {"url": "https://x.org/", **section}
    return {"tools": [{"name": "t", "description": "d", "webhook": given}]}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (webhook(headers={"Authorization": f"Bearer {SECRET}", "X Y": "v"}), "'X'... is no usable"),
        (webhook(headers={"Authorization": f"{SECRET}\n"}), "'Authorization' is no usable"),
        (webhook(headers={f"Authorization: Bearer {SECRET}": "v"}), "'Authorization'..."),
        (webhook(headers={f"Bearer {SECRET}": None}), "webhook.headers.Bearer..."),
        (webhook(headers=[f"Authorization: {SECRET}"]), "webhook.headers`"),
        (webhook(headers=SECRET), "webhook.headers`"),
        (webhook(headers={"Host": "a", "X-Key": SECRET}), "'Host'"),
        (webhook(url=f"https://me:{SECRET}@x.org/"), "no braces, no password"),
        (webhook(url=f"https://x.org:{SECRET}/"), "cannot be read"),
        (webhook(url=f"https://x.org:99999/{SECRET}?t={SECRET}"), "99999"),
        (webhook(url=f"https://x.org/a b?t={SECRET}"), "has a blank"),
        (webhook(url=f"ftp://x.org/?t={SECRET}"), "http://"),
        (webhook(url=f"https://x.org/{{a/{SECRET}"), "brace"),
        (webhook(url=f"https://x.org/?a={{{{secret__A}}}}&t={SECRET}"), "secrets go into"),
        (webhook(constants={"key": [SECRET]}), "webhook.constants.key"),
        (webhook(constants=[SECRET]), "webhook.constants"),
        (webhook(method=f"Bearer {SECRET}"), "webhook.method"),
        (webhook(wrong=SECRET, headers={"X-Key": SECRET}), "unknown key 'wrong'"),
        ({"dynamic_variables": {"secret__A": SECRET}}, "secret__A"),
        ({"dynamic_variables": {"crm": [SECRET]}}, "dynamic_variables.crm"),
        ({"dynamic_variables": SECRET}, "dynamic_variables"),
        ({"llm": {"model": "openai/a", "api_base": [f"https://me:{SECRET}@x.org"]}}, "api_base"),
        ({"llm": {"model": "openai/a", "api_key": SECRET}}, "unknown key 'api_key'"),
        ({"llm": {"model": "openai/a", "temperature": f"Bearer {SECRET}"}}, "llm.temperature"),
        ({"access": {"allowed_origins": f"https://me:{SECRET}@x.org"}}, "allowed_origins"),
        ({"tools": [{"name": SECRET + " ", "description": "d"}]}, "tools[0].name"),
        ({"analysis": {"judges": f"https://me:{SECRET}@x.org"}}, "judges"),
    ],
)
def test_an_error_names_the_place_and_no_value(wrong: dict[str, Any], named: str):
    said = told(yaml.safe_dump({"name": "A", **wrong}))
    assert named in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "line",
    [
        f"password: *{SECRET}",
        f"password: !{SECRET} a",
        f"password: !!{SECRET} a",
        f"password: !{SECRET}!a b",
    ],
)
def test_an_alias_or_a_tag_may_be_a_value_that_was_not_quoted(line: str):
    said = told(f"name: A\n{line}\n")
    assert "line 2" in said
    assert SECRET not in said


def test_a_number_in_its_place_is_described_where_values_of_ones_own_stand():
    said = told(
        "name: A\nllm: {model: a/b, max_output_tokens: -90}\n"
        "dynamic_variables: {pin: 2718}\nlanguages: 3\n"
    )
    assert ("got -90." in said, "2718" in said) == (True, False)


def test_a_schema_is_refused_without_its_words():
    tool = {"name": "t", "description": "d"}
    for schema in (
        {"type": "object", "properties": {"a": {"type": SECRET, "default": SECRET}}},
        {"type": "object", "properties": {"a": {"$ref": f"https://me:{SECRET}@x.org"}}},
    ):
        said = told(yaml.safe_dump({"name": "A", "tools": [{**tool, "parameters": schema}]}))
        assert "`parameters`" in said
        assert SECRET not in said


def test_nothing_of_it_reaches_a_list_of_agents(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    wrong = webhook(headers={"Authorization": f"Bearer {SECRET}", "X Y": "v"})
    (tmp_path / "x.yaml").write_text(yaml.safe_dump({"name": "A", **wrong}), "utf-8")
    with caplog.at_level(logging.DEBUG):
        (row,) = list_agents(tmp_path)
    assert row.agent is None
    assert SECRET not in f"{row.error}{caplog.text}"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"https://me:{SECRET}@x.org/", "'https://...@x.org/'"),
        (f"https://me:{SECRET}/b@x.org/", "'https://...@x.org/'"),
        (f"https://me:{SECRET}?b@x.org/", "'https://...@x.org/'"),
        (f"https://x.org:0{SECRET}/", "'https://x.org:.../'"),
        (f"https://x.org:99999/?token={SECRET}#{SECRET}", "'https://x.org:99999/?...'"),
        (f"https://x.org/a b?{SECRET}", "'https://x.org/a b?...'"),
        (f"//me:{SECRET}@x.org", "'//...@x.org'"),
        (f"me:{SECRET}@x.org", "'...@x.org'"),
        ("https://x.org/" + "a" * 9_000 + SECRET, "more than 8,192"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_what_lets_somebody_in(
    url: str, named: str
):
    with pytest.raises(DocumentError) as refused:
        read_url(url)
    assert refused.value.reason == "bad_url"
    assert named in str(refused.value)
    fault = url_fault(url)
    assert fault
    assert fault in str(refused.value)
    assert SECRET not in fault + str(refused.value)


def test_what_is_no_secret_is_still_said():
    assert url_fault("https://x.org/a?b=c") is None
    said = told("name: A\nllm: {model: a/b, max_output_tokens: many}\n")
    assert "`llm.max_output_tokens`" in said
    assert "got 'many'." in said
    assert AgentConfig(agent_id="a", name="A").agent_id == "a"
