"""Agents over the network are the files that people write."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.agent_file import load_agent
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.server.keys.api_keys import SCOPES
from tests.fakes import ScriptedChatModel
from tests.orchestration.deployed import served_deployment, wait_for
from tests.orchestration.sample import answer

EMPTY: dict[str, Any] = {"conversation_config": {}}
RICH = """\
agent_id: rich
name: Rich
first_message: Hello {{name}}!
system_prompt: Help.
language: en
llm: {model: scripted/model, fallbacks: [openai/gpt-4o], temperature: 0.5, api_base: "http://x/v1"}
dynamic_variables: {name: you}
languages: {de: {first_message: Hallo!}}
knowledge_base:
  files: [../documents/refunds.md, ../documents/*.txt]
  links: [{url: "https://example.com/help"}]
  sites: [{url: "https://example.com/docs/", max_pages: 3, exclude: ["/docs/old/*"]}]
  texts: [{name: Hours, text: We open at nine.}]
  limits: {max_documents: 9}
turn_taking: {silence_timeout_s: 7.5, max_duration_s: 90.5, goodbye_message: Bye.}
system_tools: [end_call, language_detection]
tools:
  - name: show
    description: Shows it.
    parameters: {type: object, properties: {id: {type: string}}}
  - name: order
    description: Reads an order.
    trusted_result: true
    timeout_s: 2.5
    parameters: {type: object, properties: {id: {type: string}, v: {type: integer}}, required: [id]}
    webhook:
      url: https://example.com/orders/{id}
      method: GET
      headers: {Authorization: "Bearer {{secret__shop}}"}
      constants: {shop: 1}
  - {name: transfer_to_agent, agents: [{agent_id: shop-desk, when: It is about the shop.}]}
voice: {voice_id: anna}
overrides: {first_message: true, llm: [openai/gpt-4o]}
criteria:
  - {id: polite, prompt: "Was it polite?", scale: {min: 1, max: 5}}
  - {id: helped, prompt: It helped., name: Helped}
data_collection:
  - {id: day, type: date, description: Which day., required: true}
  - {id: tone, type: string, enum: [good, bad], description: Tone.}
privacy: {redact: true, transcripts_days: 30}
access: {public: true, allowed_origins: [example.com]}
"""


def test_an_agent_is_made_read_changed_and_deleted(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        agent_id = served.agent_with(tags=["test"])
        path = served.settings.agents_dir / f"{agent_id}.yaml"
        made = load_agent(path)
        read = served.call("GET", f"/agents/{agent_id}")
        body = {
            "name": "Help desk",
            "conversation_config": {"agent": {"prompt": {"prompt": "Be brief.", "temperature": 1}}},
        }
        changed = served.call("PATCH", f"/agents/{agent_id}", json=body)
        after = load_agent(path)
        served.call("DELETE", f"/agents/{agent_id}", 204)
        gone = served.call("GET", f"/agents/{agent_id}", 404)

    assert (made.name, made.first_message, made.access.public) == ("Desk", "Hello!", True)
    assert read["conversation_config"]["agent"]["prompt"]["llm"] == "scripted/model"
    assert read["tags"] == ["test"]
    assert (after.name, after.system_prompt, after.llm.temperature) == ("Help desk", "Be brief.", 1)
    assert after.first_message == "Hello!"
    assert changed["name"] == "Help desk"
    assert changed["version_id"] != read["version_id"]
    assert gone["detail"]["status"] == "agent_not_found"
    assert not path.exists()


def test_what_is_read_and_sent_back_changes_nothing(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        path = served.settings.agents_dir / "rich.yaml"
        path.write_text(RICH)
        before = load_agent(path)
        served.deployment.knowledge_base("rich")
        read = served.call("GET", "/agents/rich")
        sent = {name: read[name] for name in ("name", "conversation_config", "platform_settings")}
        changed = served.call("PATCH", "/agents/rich", json=sent)
        after = load_agent(path)

    assert after == before
    for name, part in sent.items():
        assert changed[name] == part


def test_settings_that_change_nothing_are_given_back(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        widget = {"variant": "compact", "bg_color": "#fff"}
        agent_id = served.agent_with(platform_settings={"widget": widget})
        body = {"conversation_config": {"turn": {"turn_eagerness": "eager"}}, "tags": ["a", "b"]}
        served.call("PATCH", f"/agents/{agent_id}", json=body)
        # What the protocol says of a tool is gone with the tool.
        for built_in in ({"end_call": {"force_pre_tool_speech": True}}, {"skip_turn": {}}):
            agent = {"prompt": {"built_in_tools": built_in}}
            served.call(
                "PATCH", f"/agents/{agent_id}", json={"conversation_config": {"agent": agent}}
            )
        read = served.call("GET", f"/agents/{agent_id}")

    assert list(read["conversation_config"]["agent"]["prompt"]["built_in_tools"]) == ["skip_turn"]
    assert read["platform_settings"]["widget"]["bg_color"] == "#fff"
    assert read["platform_settings"]["auth"]["enable_auth"] is True
    assert read["conversation_config"]["turn"]["turn_eagerness"] == "eager"
    assert read["tags"] == ["a", "b"]


def test_a_change_of_another_version_is_refused(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        agent_id = served.agent_with()
        etag = served.http.get(f"/v1/convai/agents/{agent_id}").headers["etag"]
        path = f"/agents/{agent_id}"
        served.call("PATCH", path, json={"name": "One"}, headers={"if-match": etag})
        late = served.call("PATCH", path, 412, json={"name": "Two"}, headers={"if-match": etag})
        kept = served.call("GET", path)["name"]

    assert late["detail"]["status"] == "agent_changed"
    assert kept == "One"


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({"agent": {"prompt": {"llm": "mystery"}}}, "unknown_llm"),
        ({"agent": {"prompt": {"max_tokens": 1, "temperature": 1}, "language": 7}}, None),
        ({"agent": {"prompt": {"knowledge_base": [{"id": "nope"}]}}}, "document_not_found"),
        ({"agent": {"prompt": {"tools": [{"type": "mcp", "name": "x"}]}}}, "unsupported_tool"),
        ({"agent": {"prompt": {"built_in_tools": {"dial": {"name": "dial"}}}}}, "unsupported_tool"),
        ({"turn": {"turn_timeout": "soon"}}, "invalid_field"),
        (
            {"agent": {"dynamic_variables": {"dynamic_variable_placeholders": {"system__x": 1}}}},
            "invalid_agent",
        ),
    ],
)
def test_an_agent_that_cannot_be_is_refused(tmp_path: Path, config: Any, status: str | None):
    with served_deployment(tmp_path) as served:
        answer = served.call("POST", "/agents/create", 422, json={"conversation_config": config})
        count = len(list(served.settings.agents_dir.glob("*.yaml")))

    if status is not None:
        assert answer["detail"]["status"] == status
    assert count == 1


def test_lists_are_searched_and_paged_while_agents_are_made(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        made = [served.agent_with(name=f"Desk {number}") for number in range(3)]
        first = served.call("GET", "/agents?search=desk&page_size=2")
        served.agent_with(name="Desk new")
        rest = served.call("GET", f"/agents?search=desk&cursor={first['next_cursor']}")

    ids = [each["agent_id"] for page in (first, rest) for each in page["agents"]]
    assert ids == [*reversed(made), "shop-desk"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_scopes_are_checked_on_every_route(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        keys = {scope: served.key(scope) for scope in SCOPES}
        schema = served.http.get("/openapi.json").json()
        refused: list[str] = []
        for path, methods in schema["paths"].items():
            ours = path.startswith(("/v1/convai/agent", "/v1/convai/knowledge-base"))
            # The widget is everybody's, and a link to a file is signed (`test_source_files.py`).
            without_key = path.endswith(("/widget", "/source-file"))
            for method in methods if ours and not without_key else ():
                address = path.replace("{", "").replace("}", "")
                for key in (None, "vv_000000000000_" + "0" * 48, keys["label"]):
                    headers = {"xi-api-key": key or ""}
                    answer = served.http.request(method, address, headers=headers, json={})
                    refused.append(f"{method} {path} {answer.status_code}")
                    expected = 403 if key == keys["label"] else 401
                    # What is wrong with a body is not told to strangers either.
                    assert answer.status_code == expected, (method, path, answer.text)
        reads = {"xi-api-key": keys["read"]}
        served.call("GET", "/agents", headers=reads)
        served.call("POST", "/agents/create", 403, headers=reads, json=EMPTY)
        served.call(
            "POST", "/agents/create", 403, headers={"xi-api-key": keys["ingest"]}, json=EMPTY
        )
        served.call(
            "POST", "/knowledge-base/text", 403, headers=reads, json={"text": "x", "name": "x"}
        )

    assert len(refused) > 60


def test_a_copy_answers_from_the_same_documents(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("Parcels to Norway take nine days.")
        original = served.agent_with(document_id, tags=["x"])
        copy = served.call("POST", f"/agents/{original}/duplicate", json={"name": "B"})["agent_id"]
        read = served.call("GET", f"/agents/{copy}")
        served.indexed(document_id)
        size = served.call("GET", f"/agent/{copy}/knowledge-base/size")

    (locator,) = read["conversation_config"]["agent"]["prompt"]["knowledge_base"]
    assert (read["name"], read["tags"], locator["id"]) == ("B", ["x"], document_id)
    assert size["number_of_pages"] > 0


def test_an_agent_is_deleted_while_its_documents_are_read(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("Parcels to Norway take nine days. " * 200)
        agents = [served.agent_with(document_id) for _ in range(4)]
        for agent_id in agents:
            served.call("DELETE", f"/agents/{agent_id}", 204)
        served.indexed(document_id)
        kb = served.settings.store / "kb"
        # The last of them may still be reading.
        wait_for(lambda: {path.name for path in kb.iterdir()} <= {"Library", "shop-desk"})


def test_agents_are_shared_by_link_and_widget(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        public = served.agent_with()
        private = served.agent_with(platform_settings={})
        strangers = {"xi-api-key": ""}
        shown = served.call("GET", f"/agents/{public}/widget", headers=strangers)["widget_config"]
        hidden = served.call("GET", f"/agents/{private}/widget", 401, headers=strangers)
        assert served.call("GET", f"/agents/{public}/link") == {"agent_id": public, "token": None}
        token = served.call("GET", f"/agents/{private}/link")["token"]["conversation_token"]
        signed = {"conversation_signature": token}
        for _ in range(2):
            served.call("GET", f"/agents/{private}/widget", headers=strangers, params=signed)
        other = served.call("GET", f"/agents/{public}/widget", 401, params=signed)

    assert (shown["first_message"], shown["use_rtc"], shown["language"]) == ("Hello!", False, "en")
    assert hidden["detail"]["status"] == "agent_not_public"
    assert "another agent" in other["detail"]["message"]


def test_a_conversation_is_simulated_and_judged(tmp_path: Path):
    with served_deployment(tmp_path, model=ScriptedChatModel(always=played)) as served:
        body = {
            "simulation_specification": {
                "simulated_user_config": {
                    "first_message": "Where is my money?",
                    "prompt": {"prompt": "An impatient customer.", "llm": "scripted/model"},
                }
            },
            "new_turns_limit": 3,
        }
        path = "/agents/shop-desk/simulate-conversation"
        held = served.call("POST", path, json=body)
        streamed = served.http.post(f"/v1/convai{path}/stream", json=body)
        for _ in range(served.context.limits.simulations):
            served.context.simulations.acquire()
        busy = served.call("POST", path, 429, json=body)
        extra = served.call("POST", path, 400, json=body | {"extra_evaluation_criteria": [{}]})

    said = [(turn["role"], turn["message"]) for turn in held["simulated_conversation"]]
    assert said[:2] == [("user", "Where is my money?"), ("agent", "Refunds take five days.")]
    assert held["analysis"]["evaluation_criteria_results"]["helped"]["result"] == "success"
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert '"simulated_conversation"' in streamed.text
    assert busy["detail"]["status"] == "too_many_simulations"
    assert "Criteria belong to the agent" in extra["detail"]["message"]


def played(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
    """Says goodbye as a user, and answers as an agent and a judge."""
    if options.schema is not None and "hangs_up" in options.schema["properties"]:
        return {"says": "Thanks, bye.", "hangs_up": True}
    return answer(messages, options)
