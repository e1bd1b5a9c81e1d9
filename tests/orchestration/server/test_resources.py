"""Tools, tags, users, messages and models over REST, and what has no effect being refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic import BaseModel

from conversation.agent.agent_file import load_agent
from conversation.server.app import ROUTERS
from conversation.server.incoming.body import Body
from conversation.server.overview.message_search import highlighted
from tests.analysis.calls import hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment

SHOW = {
    "type": "client",
    "name": "show_order",
    "description": "Shows an order.",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": []},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    folder: Path = tmp_path_factory.mktemp("resources")
    with served_deployment(folder) as opened:
        store = opened.deployment.conversations
        for number, said in enumerate(
            ("Where is my PARCEL?", "A refund, please.", "parcel parcel")
        ):
            hold_call(store, f"c{number}", question=said, answer="It is on its way.")
        yield opened


def agent_tools(served: ServedDeployment, agent_id: str) -> list[str]:
    agent = load_agent(served.settings.agents_dir / f"{agent_id}.yaml")
    return [tool.name for tool in agent.tools]


def naming(*ids: str) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": {"tool_ids": list(ids)}}}}


def test_a_tool_is_used_by_the_agents_that_name_it(served: ServedDeployment):
    tool = served.call("POST", "/tools", json={"tool_config": SHOW})["id"]
    other = served.call("POST", "/tools", json={"tool_config": SHOW | {"name": "hide"}})["id"]
    agent = served.agent_with()
    own = [SHOW | {"name": "own"}]
    served.call(
        "PATCH",
        f"/agents/{agent}",
        json={"conversation_config": {"agent": {"prompt": {"tools": own}}}},
    )
    served.call("PATCH", f"/agents/{agent}", json=naming(tool, other))
    assert agent_tools(served, agent) == ["own", "show_order", "hide"]
    shown = served.call("GET", f"/agents/{agent}")["conversation_config"]["agent"]["prompt"]
    assert shown["tool_ids"] == [tool, other]
    # What was read, sent back, changes nothing.
    version = served.call("GET", f"/agents/{agent}")["version_id"]
    back = {"conversation_config": {"agent": {"prompt": shown}}}
    assert served.call("PATCH", f"/agents/{agent}", json=back)["version_id"] == version
    # A change of the tool is a change of the agents.
    renamed = {"tool_config": SHOW | {"name": "open_order"}}
    served.call("PATCH", f"/tools/{tool}", json=renamed)
    assert agent_tools(served, agent) == ["own", "open_order", "hide"]
    assert [
        each["id"] for each in served.call("GET", f"/tools/{tool}/dependent-agents")["agents"]
    ] == [agent]
    used = served.call("GET", "/tools", params={"used_by_agent_id": agent, "search": "open"})
    assert [each["id"] for each in used["tools"]] == [tool]
    in_use = served.call("DELETE", f"/tools/{tool}", 400)
    assert in_use["detail"]["status"] == "tool_in_use"
    served.call("PATCH", f"/agents/{agent}", json=naming(tool))
    assert agent_tools(served, agent) == ["own", "open_order"]
    served.call("DELETE", f"/tools/{tool}", 204, params={"force": True})
    assert agent_tools(served, agent) == ["own"]
    assert served.call("GET", f"/tools/{tool}", 404)["detail"]["status"] == "tool_not_found"


@pytest.mark.hostile
def test_a_key_that_reads_is_not_shown_the_token_of_a_tool(served: ServedDeployment):
    look_up = {
        "type": "webhook",
        "name": "look_up",
        "description": "Looks up an order.",
        "api_schema": {
            "url": "https://shop.example.com/orders?key=abc123",
            "method": "GET",
            "request_headers": {"Authorization": "Bearer abc123", "Accept": "text/plain"},
        },
    }
    tool = served.call("POST", "/tools", json={"tool_config": look_up})["id"]
    agent = served.agent_with()
    served.call("PATCH", f"/agents/{agent}", json=naming(tool))
    reading = {"xi-api-key": served.key("read")}

    def read(path: str) -> Any:
        return served.call("GET", path, headers=reading)

    for path in (f"/tools/{tool}", "/tools", f"/agents/{agent}"):
        assert "abc123" not in str(read(path))
        assert "abc123" in str(served.call("GET", path)), "who may write may look"
    seen = read(f"/tools/{tool}")["tool_config"]
    assert seen["api_schema"]["request_headers"] == {
        "Authorization": "__hidden__",
        "Accept": "text/plain",
    }
    # What was read with the one key and is sent back with the other changes nothing.
    version = read(f"/agents/{agent}")["version_id"]
    shown = read(f"/agents/{agent}")["conversation_config"]
    back = served.call("PATCH", f"/agents/{agent}", json={"conversation_config": shown})
    assert back["version_id"] == version
    changed = {"tool_config": seen | {"description": "Finds an order."}}
    kept = served.call("PATCH", f"/tools/{tool}", json=changed)["tool_config"]
    assert kept["api_schema"] == look_up["api_schema"]
    webhook = load_agent(served.settings.agents_dir / f"{agent}.yaml").tools[0].webhook
    assert webhook is not None
    assert (webhook.url, webhook.headers) == (
        look_up["api_schema"]["url"],
        look_up["api_schema"]["request_headers"],
    )
    # Where nothing is kept it stands for nothing.
    other = {"tool_config": seen | {"name": "other"}}
    assert served.call("POST", "/tools", 422, json=other)["detail"]["status"] == "hidden_value"
    created = {"name": "B", "conversation_config": shown}
    refused = served.call("POST", "/agents/create", 422, json=created)
    assert refused["detail"]["status"] == "hidden_value"


@pytest.mark.parametrize(
    "config",
    [
        {"type": "mcp", "name": "x"},
        {"type": "webhook", "name": "x", "description": "d", "api_schema": {"url": "ftp://a"}},
        {"type": "client", "name": "Gr\u00f6\u00dfe", "description": "d"},
        {"type": "system", "name": "no_such"},
    ],
)
def test_a_tool_that_no_agent_can_have_is_refused(served: ServedDeployment, config: dict[str, Any]):
    assert served.call("POST", "/tools", 422, json={"tool_config": config})["detail"]


def test_an_agent_names_tools_that_are_there(served: ServedDeployment):
    refused = served.call("PATCH", "/agents/shop-desk", 422, json=naming("tool_none"))
    assert "tool_none" in refused["detail"]["message"]


def test_tags_are_put_on_conversations_and_found(served: ServedDeployment):
    tag = served.call("POST", "/tags", json={"title": "Urgent"})
    again = served.call("PATCH", f"/tags/{tag['tag_id']}", json={"description": "At once."})
    assert (again["title"], again["description"]) == ("Urgent", "At once.")
    other = served.call("POST", "/tags", json={"title": "Later"})["tag_id"]
    served.call("POST", "/conversations/c1/tags", 204, json={"tag_ids": [tag["tag_id"], other]})
    served.call("POST", "/conversations/c1/tags", 404, json={"tag_ids": ["tag_none"]})
    assert served.call("GET", "/conversations/c1")["tag_ids"] == [tag["tag_id"], other]
    found = served.call("GET", "/conversations", params={"tag_ids": tag["tag_id"]})
    assert [each["conversation_id"] for each in found["conversations"]] == ["c1"]
    assert found["conversations"][0]["tag_ids"] == [tag["tag_id"], other]
    served.call("DELETE", f"/conversations/c1/tags/{tag['tag_id']}", 204)
    served.call("DELETE", f"/conversations/c1/tags/{tag['tag_id']}", 404)
    served.call("DELETE", f"/tags/{other}", 204)
    assert served.call("GET", "/conversations/c1")["tag_ids"] == []
    assert [each["title"] for each in served.call("GET", "/tags")["conversation_tags"]] == [
        "Urgent"
    ]


def test_messages_are_found_by_their_words(served: ServedDeployment):
    found = served.call(
        "GET", "/conversations/messages/text-search", params={"text_query": "parcel"}
    )
    by_call = {each["conversation_id"]: each for each in found["results"]}
    assert set(by_call) == {"c0", "c2"}
    assert by_call["c0"]["chunk_highlights"][1] == {"value": "PARCEL", "is_hit": True}
    assert by_call["c0"]["chunk_text"] == "Where is my PARCEL?"
    turns = served.call("GET", "/conversations/c0")["transcript"]
    assert turns[by_call["c0"]["transcript_index"]]["message"] == "Where is my PARCEL?"
    smart = served.call("GET", "/conversations/messages/smart-search", 400)
    assert "text-search" in smart["detail"]["message"]


@pytest.mark.parametrize(
    "text", ["", "x", "xx", "axXa", "\u0130x\u0130", "x" * 50, "\ud83d\ude00x"]
)
def test_highlights_are_the_text(text: str):
    assert "".join(each.value for each in highlighted(text, "x")) == text


def test_users_and_live_conversations_are_counted(served: ServedDeployment):
    page = served.call("GET", "/users", params={"page_size": 1})
    assert {"users", "next_cursor", "has_more"} == set(page)
    assert served.call("GET", "/analytics/live-count") == {"count": 0}


def test_models_of_the_agents_are_listed(served: ServedDeployment):
    models = {each["llm"]: each for each in served.call("GET", "/llm/list")["llms"]}
    assert "shop-desk" in models["scripted/model"]["agent_ids"]


# What has no effect is refused by name


def test_a_parameter_without_effect_is_refused_on_every_route(served: ServedDeployment):
    paths = served.http.get("/openapi.json").json()["paths"]
    silent: list[str] = []
    for path, methods in paths.items():
        # The parameters of a report are its columns; rooms refuse all who ask for one.
        if path in ("/api/reports/{name}", "/v1/convai/conversation/token"):
            continue
        for method in methods:
            parts = ["x" if part.startswith("{") else part for part in path.split("/")]
            answer = served.http.request(
                method, "/".join(parts), params={"no_such_parameter": "1"}, json={}
            )
            if answer.status_code != 422 or "no_such_parameter" not in answer.text:
                silent.append(f"{method} {path} {answer.status_code}")
    assert silent == []


def test_a_field_of_a_form_without_effect_is_refused(served: ServedDeployment):
    answer = served.call(
        "POST",
        "/knowledge-base/file",
        422,
        files={"file": ("a.txt", b"Text.")},
        data={"folder": "x"},
    )
    assert "folder" in answer["detail"]["message"]


def api_routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every pydantic model in an annotation, and in the fields of those."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_of(field.annotation)
    for inner in getattr(annotation, "__args__", ()):
        yield from models_of(inner)


def test_every_body_refuses_or_keeps_what_it_does_not_know():
    kept = "conversation.server.agents.bodies", "conversation.server.agent_tests.tests"
    for route in api_routes():
        if route.body_field is None or isinstance(route.body_field.field_info, Form):
            continue
        for model in models_of(route.body_field.field_info.annotation):
            extra = model.model_config.get("extra")
            assert extra == "forbid" or (extra == "allow" and model.__module__ in kept), model
    assert Body.model_config.get("extra") == "forbid"
