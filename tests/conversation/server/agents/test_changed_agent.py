"""What clients send of an agent, and the agent file that follows from it."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from conversation.agent.config import AgentConfig, KnowledgeBaseSection
from conversation.server.agents.changed_agent import changed_agent
from conversation.server.agents.model_names import (
    THIS_SERVER,
    in_closed_names,
    in_model_strings,
    model_string,
)
from conversation.server.agents.shown_agent import (
    conversation_config,
    llm_settings,
    platform_settings,
)
from conversation.server.errors import ApiError

BLANK = AgentConfig.model_validate({"agent_id": "desk", "name": "Desk"})


def no_documents(section: KnowledgeBaseSection, wanted: Sequence[str]) -> KnowledgeBaseSection:
    assert not wanted
    return section


def changed(agent: AgentConfig = BLANK, **body: Any) -> AgentConfig:
    return changed_agent(agent, body, with_documents=no_documents)


def with_prompt(agent: AgentConfig = BLANK, **prompt: Any) -> AgentConfig:
    return changed(agent, conversation_config={"agent": {"prompt": prompt}})


@pytest.mark.parametrize(
    ("sent", "model"),
    [
        ("gpt-4o-mini", "openai/gpt-4o-mini"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini-2.0-flash", "gemini/gemini-2.0-flash"),
        ("ollama/llama3.2", "ollama/llama3.2"),
    ],
)
def test_a_model_gets_its_provider(sent: str, model: str):
    assert with_prompt(llm=sent).llm.model == model


def test_an_endpoint_of_ones_own_goes_with_another_model():
    custom = {"url": "http://llm.internal/v1", "model_id": "qwen"}
    agent = with_prompt(llm="custom-llm", custom_llm=custom)
    assert (agent.llm.model, agent.llm.api_base) == ("openai/qwen", "http://llm.internal/v1")
    assert with_prompt(agent, temperature=0.3).llm.api_base == "http://llm.internal/v1"
    assert with_prompt(agent, llm="gpt-4o").llm.api_base is None
    with pytest.raises(ApiError, match=r"custom_llm\.url"):
        with_prompt(llm="custom-llm")


@pytest.mark.parametrize(
    ("llm", "shown"),
    [
        ({"model": "openai/gpt-4o-mini", "api_key_variable": "DESK_KEY"}, "gpt-4o-mini"),
        ({"model": "anthropic/claude-sonnet-4-5"}, "claude-sonnet-4-5"),
        ({"model": "openai/qwen", "api_base": "http://llm.internal/v1"}, "custom-llm"),
        (
            {"model": "openai/gpt-4o", "api_base": "http://llm.internal/v1",
             "api_key_variable": "DESK_KEY", "fallbacks": ["gemini/gemini-2.0-flash", "ollama/a"]},
            "custom-llm",
        ),
        ({"model": "ollama/qwen", "api_base": "http://llm.internal"}, "ollama/qwen"),
        ({"model": "azure/gpt-4o"}, "azure/gpt-4o"),
        ({"model": "openai/gpt-oss-20b"}, "openai/gpt-oss-20b"),
        ({"model": "openrouter/openai/gpt-4o"}, "openrouter/openai/gpt-4o"),
        ({"model": "openai/o3"}, "openai/o3"),
    ],
)  # fmt: skip
def test_a_model_is_shown_as_clients_know_it_and_taken_back_so(llm: dict[str, Any], shown: str):
    agent = AgentConfig.model_validate({"agent_id": "desk", "name": "Desk", "llm": llm})
    config = cast("dict[str, Any]", conversation_config(agent, (), {}))
    prompt = config["agent"]["prompt"]

    assert prompt.get("llm") == shown
    assert with_prompt(agent, **prompt) == agent
    assert with_prompt(agent, llm=llm["model"]) == agent
    # Clients know two models of meaning, which nobody here answers with.
    assert "embedding_model" not in prompt.get("rag", {})

    closed = in_closed_names(config)["agent"]["prompt"]
    names = [closed["llm"], *closed.get("backup_llm_config", {}).get("order", ())]
    assert with_prompt(agent, **in_model_strings(closed)) == agent
    # Node's client refuses to send a name that is not its vendor's.
    assert all("/" not in name for name in names)


def test_where_conversations_are_held_is_set_and_shown():
    agent = with_prompt(timezone="Europe/Berlin")
    shown = cast("dict[str, Any]", conversation_config(agent, (), {}))

    assert agent.timezone == shown["agent"]["prompt"]["timezone"] == "Europe/Berlin"
    assert with_prompt(agent, timezone=None) == agent
    with pytest.raises(ApiError, match="timezone"):
        with_prompt(timezone="Europe/Nowhere")


def test_a_client_without_a_name_for_a_model_sets_it_by_its_string():
    mine = {"url": THIS_SERVER, "model_id": "ollama/llama3.2"}
    agent = with_prompt(**in_model_strings({"llm": "custom-llm", "custom_llm": mine}))
    other = with_prompt(agent, **in_model_strings({"llm": "gpt-4o", "custom_llm": mine}))

    assert (agent.llm.model, agent.llm.api_base) == ("ollama/llama3.2", None)
    assert other.llm.model == "openai/gpt-4o"
    with pytest.raises(ValueError, match="model_id"):
        in_model_strings({"llm": "custom-llm", "custom_llm": {"url": THIS_SERVER}})


def test_a_vendor_s_own_model_takes_the_place_of_one_of_that_name_elsewhere():
    llm = {"model": "openai/gpt-4o", "api_base": "http://llm.internal/v1"}
    agent = AgentConfig.model_validate({"agent_id": "desk", "name": "Desk", "llm": llm})

    assert with_prompt(agent, llm="gpt-4o").llm.api_base is None


def test_models_that_stand_in_are_set_and_taken_away():
    backup = {"preference": "override", "order": ["gpt-4o"]}
    agent = with_prompt(backup_llm_config=backup)
    assert agent.llm.fallbacks == ("openai/gpt-4o",)
    assert with_prompt(agent, backup_llm_config={"preference": "disabled"}).llm.fallbacks == ()


def test_a_webhook_becomes_a_tool_with_its_parameters_constants_and_secrets():
    tool = {
        "type": "webhook",
        "name": "order",
        "description": "Reads an order.",
        "response_timeout_secs": 5,
        "api_schema": {
            "url": "https://example.com/orders/{id}",
            "method": "POST",
            "request_headers": {"Authorization": {"secret_id": "shop"}, "X-Desk": "1"},
            "path_params_schema": {"id": {"type": "string", "description": "Its number."}},
            "request_body_schema": {
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "reason": {"type": "string", "dynamic_variable": ""},
                    "shop": {"type": "string", "constant_value": "main"},
                },
            },
        },
    }
    agent = with_prompt(tools=[tool])
    (made,) = agent.tools
    assert made.webhook is not None
    assert made.webhook.headers == {"Authorization": "{{secret__shop}}", "X-Desk": "1"}
    assert made.webhook.constants == {"shop": "main"}
    assert made.parameters["required"] == ["id", "reason"]
    assert made.parameters["properties"]["reason"] == {"type": "string"}
    assert made.timeout_s == 5
    shown = cast("dict[str, Any]", conversation_config(agent, [], {}))["agent"]["prompt"]["tools"]
    assert shown[0]["api_schema"]["path_params_schema"] == {
        "id": {"type": "string", "description": "Its number."}
    }
    assert with_prompt(agent, tools=shown) == agent


_BROKEN = ("a}} {{user_name", "a b", "{{x", "", " ", "a\n", "x" * 101, 5, ["a"], {"a": 1})


@pytest.mark.hostile
@pytest.mark.parametrize("name", _BROKEN, ids=repr)
@pytest.mark.parametrize("kind", ["secret_id", "variable_name"])
def test_the_name_of_a_secret_or_variable_ends_no_placeholder(kind: str, name: Any):
    schema = {"url": "https://example.com/", "request_headers": {"X-Key": {kind: name}}}
    tool = {"type": "webhook", "name": "t", "description": "d", "api_schema": schema}
    with pytest.raises(ApiError) as refused:
        with_prompt(tools=[tool])
    assert refused.value.status_code == 422


@pytest.mark.hostile
@pytest.mark.parametrize("name", [each for each in _BROKEN if each], ids=repr)
def test_the_key_of_a_model_is_the_name_of_a_secret(name: Any):
    custom = {"url": "https://llm.example.com/v1", "api_key": {"secret_id": name}}
    with pytest.raises(ApiError) as refused:
        with_prompt(llm="custom-llm", custom_llm=custom)
    assert refused.value.status == "invalid_secret_id"


def test_system_tools_are_set_apart_from_the_others():
    client = {"type": "client", "name": "show", "description": "Shows it."}
    agent = with_prompt(tools=[client], built_in_tools={"end_call": {"name": "end_call"}})
    assert [tool.name for tool in agent.all_tools] == ["show", "end_call"]
    kept = with_prompt(agent, tools=[])
    assert [tool.name for tool in kept.all_tools] == ["end_call"]
    left = with_prompt(agent, built_in_tools={"end_call": None})
    assert [tool.name for tool in left.all_tools] == ["show"]


def test_platform_settings_are_access_questions_overrides_and_privacy():
    agent = changed(
        platform_settings={
            "auth": {"enable_auth": False, "allowlist": [{"hostname": "example.com"}]},
            "evaluation": {"criteria": [{"id": "ok", "conversation_goal_prompt": "It went well."}]},
            "data_collection": {"mood": {"type": "string", "description": "How they felt."}},
            "overrides": {
                "conversation_config_override": {
                    "agent": {"first_message": True, "prompt": {"llm": True}},
                    "conversation": {"text_only": True},
                }
            },
            "privacy": {"retention_days": 30, "conversation_history_redaction": {"enabled": True}},
        }
    )
    assert (agent.access.public, agent.access.allowed_origins) == (True, ("example.com",))
    assert [each.criterion_id for each in agent.criteria] == ["ok"]
    assert [each.field_id for each in agent.data_collection] == ["mood"]
    assert agent.overrides.first_message
    assert agent.overrides.text_only
    assert agent.overrides.llm == (agent.llm.model,)
    assert (agent.privacy.transcripts_days, agent.privacy.redact) == (30, True)
    shown = cast("dict[str, Any]", platform_settings(agent, {}))
    assert changed(agent, platform_settings=shown) == agent
    closed = {"auth": {"enable_auth": True}, "privacy": {"retention_days": -1}}
    after = changed(agent, platform_settings=closed)
    assert (after.access.public, after.privacy.transcripts_days) == (False, None)


def test_other_languages_come_as_presets():
    preset = {"overrides": {"agent": {"first_message": "Hallo!"}}}
    agent = changed(conversation_config={"language_presets": {"de": preset}})
    assert agent.languages["de"].first_message == "Hallo!"
    assert changed(agent, conversation_config={"language_presets": {}}).languages == {}


@pytest.mark.hostile
def test_an_endpoint_set_here_gets_no_key_but_the_one_that_is_named():
    custom = {"url": "http://llm.internal/v1", "model_id": "qwen"}
    bare = with_prompt(llm="custom-llm", custom_llm=custom)
    keyed = with_prompt(
        llm="custom-llm", custom_llm={**custom, "api_key": {"secret_id": "LLM_KEY"}}
    )

    assert bare.llm.api_key_secret == ""
    assert keyed.llm.api_key_secret == "LLM_KEY"
    assert with_prompt(keyed, temperature=0.3).llm.api_key_secret == "LLM_KEY"
    assert with_prompt(keyed, llm="gpt-4o").llm.api_key_secret is None
    custom = llm_settings(keyed.llm).get("custom_llm") or {}
    assert custom.get("api_key") == {"secret_id": "LLM_KEY"}


@pytest.mark.hostile
@pytest.mark.parametrize(
    "prompt",
    [
        {"llm": "huggingface/http://evil.example/x"},
        {"llm": "oobabooga/http://127.0.0.1:1/"},
        {"backup_llm_config": {"preference": "override", "order": ["ollama/http://127.0.0.1/x"]}},
        {"llm": "custom-llm", "custom_llm": {"url": "http://user:pw@llm.internal/v1"}},
        {"llm": "custom-llm", "custom_llm": {"url": "file:///etc/passwd"}},
        {"llm": "custom-llm", "custom_llm": {"url": "http://a:99999/"}},
    ],
)
def test_no_model_string_holds_an_address(prompt: dict[str, Any]):
    with pytest.raises(ApiError) as caught:
        with_prompt(**prompt)
    assert caught.value.status_code == 422


def test_double_braces_around_no_name_of_a_variable_are_refused():
    with pytest.raises(ApiError, match=r"system_prompt: .*Write `{{user_name}}`") as caught:
        with_prompt(prompt="You help {{user name}}.")
    assert caught.value.status_code == 422


@pytest.mark.parametrize("sent", ["gpt-oss-20b", "gpt-oss-120b"])
def test_open_weights_ask_for_their_provider(sent: str):
    with pytest.raises(ApiError, match="name one, as 'groq/openai/gpt-oss-20b'"):
        model_string(sent)
