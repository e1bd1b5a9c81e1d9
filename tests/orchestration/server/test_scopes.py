"""Every route by every scope: what an answer holds is compared with what its key may see."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conversation.server.context import ServerContext
from conversation.server.keys.api_keys import Scope
from tests.analysis.calls import hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment, wait_for

pytestmark = pytest.mark.hostile

SCOPES: tuple[Scope | None, ...] = (None, "label", "converse", "read", "ingest")
"""In this order: keys that may delete something come last."""
CALL, AGENT = "c1", "shop-desk"
SEEN_BY: dict[str, tuple[str, tuple[Scope, ...]]] = {
    "user's words": ("Zanzibar parcel question", ("read",)),
    "agent's words": ("Quetzal answer given", ("read",)),
    "prompt": ("Wombat instructions of the operator", ("read",)),
    "criterion": ("Narwhal criterion of the operator", ("read",)),
    "document": ("Okapi passage of the manual", ("read", "ingest")),
    "test": ("Gnu said in a test", ("read",)),
    "secret": ("sk-lemur-lemur-lemur", ()),
    "header": ("Tapir header of a tool", ()),
    "token": ("quagga-token-of-an-address", ()),
    "comment": ("Ibex comment of a user", ("read",)),
}
"""What may be looked for in every answer, and whose keys may read it. Nobody's: never shown."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    folder: Path = tmp_path_factory.mktemp("scopes")
    with served_deployment(folder, prepare=unhurried) as opened:
        # A server that warms up says 503 of itself, rightly.
        wait_for(lambda: opened.http.get("/api/ready").status_code == 200)
        yield opened


@pytest.fixture(scope="module")
def ids(served: ServedDeployment) -> dict[str, str]:
    """One real thing for each parameter of a path."""
    said = {name: text for name, (text, _) in SEEN_BY.items()}
    hold_call(
        served.deployment.conversations,
        CALL,
        question=said["user's words"],
        answer=said["agent's words"],
    )
    look_up = {
        "type": "webhook",
        "name": "look_up",
        "description": "Looks up an order.",
        "api_schema": {
            "url": f"https://shop.example.com/orders?key={said['token']}",
            "method": "GET",
            "request_headers": {"X-Desk": said["header"]},
        },
    }
    tool_id = served.call("POST", "/tools", json={"tool_config": look_up})["id"]
    tag_id = served.call("POST", "/tags", json={"title": "Later"})["tag_id"]
    criteria = [{"id": "helped", "conversation_goal_prompt": said["criterion"]}]
    prompt = {"prompt": said["prompt"], "tool_ids": [tool_id]}
    served.call(
        "PATCH",
        f"/agents/{AGENT}",
        json={
            "conversation_config": {"agent": {"prompt": prompt}},
            "platform_settings": {"evaluation": {"criteria": criteria}},
        },
    )
    document = served.new_text(said["document"])
    served.indexed(document)
    test = {
        "name": "T",
        "type": "llm",
        "chat_history": [{"role": "user", "message": said["test"], "time_in_call_secs": 0}],
        "success_condition": "It answers.",
        "success_examples": [],
        "failure_examples": [],
    }
    test_id = served.call("POST", "/agent-testing/create", json=test)["id"]
    secret = {"type": "new", "name": "CRM", "value": said["secret"]}
    secret_id = served.call("POST", "/secrets", json=secret)["secret_id"]
    served.call("POST", f"/conversations/{CALL}/feedback", json={"rating": 4, "comment": "-"})
    served.call(
        "POST", f"/conversations/{CALL}/feedback", json={"rating": 4, "comment": said["comment"]}
    )
    chunks = served.call("GET", f"/knowledge-base/{document}/chunks")["chunks"]
    versions = served.call("GET", f"/agents/{AGENT}/versions")["versions"]
    folder = served.call("POST", "/knowledge-base/folder", json={"name": "F"})["id"]
    crawl = served.call("POST", "/knowledge-base/crawl", json={"url": "https://x.invalid/"})["id"]
    run = served.call("POST", f"/agents/{AGENT}/run-tests", json={"tests": [{"test_id": test_id}]})[
        "id"
    ]
    webhook = {"settings": {"name": "W", "webhook_url": "https://x.invalid/"}}
    webhook_id = served.http.post("/v1/workspace/webhooks", json=webhook).json()["webhook_id"]
    return {
        "version_id": versions[0]["id"],
        "branch_id": "main",
        "crawl_job_id": crawl,
        "parent_folder_id": folder,
        "invocation_id": run,
        "webhook_id": webhook_id,
        # There are none: gaps come with reports, and files go with the turn that names them.
        "gap_id": "gap_none",
        "file_id": "file_none",
        "conversation_id": CALL,
        "agent_id": AGENT,
        "document_id": document,
        "test_id": test_id,
        "secret_id": secret_id,
        "chunk_id": chunks[0]["id"],
        "name": "helped",
        "turn_index": "2",
        "index_id": f"index_{document}",
        "tool_id": tool_id,
        "tag_id": tag_id,
    }


def bodies(path: str, ids: dict[str, str]) -> list[dict[str, Any] | None]:
    """What to send beside nothing, where a route asks for a body before it does anything."""
    if "simulate-conversation" in path:
        user = {"first_message": "Hello?", "prompt": {"prompt": "A user."}}
        return [{"simulation_specification": {"simulated_user_config": user}, "new_turns_limit": 1}]
    if path.endswith("run-tests"):
        return [{"tests": [{"test_id": ids["test_id"]}]}]
    if path.endswith("agent-testing/summaries"):
        return [{"test_ids": [ids["test_id"]]}]
    if path.endswith("dependent-agents"):
        return [{"document_ids": [ids["document_id"]]}]
    if path.endswith("knowledge-base/rag-index"):
        return [{"items": [{"document_id": ids["document_id"], "model": "any"}]}]
    return [None, {}]


def operations(served: ServedDeployment) -> list[tuple[str, str]]:
    paths = served.http.get("/openapi.json").json()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    return sorted(found, key=lambda pair: (pair[0] == "DELETE", pair[1]))


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    query = {
        "/knowledge-base/search": "?query=manual",
        "/conversations": "?summary_mode=include",
        "/agents/summaries": f"?agent_ids={ids['agent_id']}",
        "/knowledge-base/summaries": f"?document_ids={ids['document_id']}",
        "/api/labels/next": "?criterion_id=helped",
        "/conversation/get-signed-url": f"?agent_id={ids['agent_id']}",
    }
    return path + next((text for end, text in query.items() if path.endswith(end)), "")


def test_every_parameter_of_a_path_is_known_to_this_table(
    served: ServedDeployment, ids: dict[str, str]
):
    """A route that walks under its placeholder would answer 404 to everybody."""
    missing = {path for _, path in operations(served) if "{" in filled(path, ids)}
    assert missing == set()


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_an_answer_holds_nothing_that_its_key_may_not_see(
    served: ServedDeployment, ids: dict[str, str], scope: Scope | None
):
    key = {} if scope is None else {"xi-api-key": served.key(scope)}
    headers = {"xi-api-key": "none"} | key
    told: list[str] = []
    seen: set[str] = set()
    for method, path in operations(served):
        for body in bodies(path, ids):
            asked = filled(path, ids)
            answer = served.http.request(method, asked, headers=headers, json=body)
            assert answer.status_code < 500 or answer.status_code == 400, (method, path)
            for name, (text, allowed) in SEEN_BY.items():
                if json.dumps(text)[1:-1] in answer.text:
                    seen.add(name)
                    if scope not in allowed:
                        told.append(f"{method} {path} shows the {name}")
    assert told == []
    # The walk does see what it looks for.
    assert seen == {name for name, (_, allowed) in SEEN_BY.items() if scope in allowed}
    # And no key but one of an administrator deletes what was said, agents, tests or secrets.
    for path in (
        f"/conversations/{CALL}",
        f"/agents/{AGENT}",
        f"/agent-testing/{ids['test_id']}",
        f"/secrets/{ids['secret_id']}",
    ):
        served.call("GET", path)
    if scope != "ingest":
        served.call("GET", f"/knowledge-base/{ids['document_id']}")


@pytest.mark.parametrize("scope", ["ingest", "label", "read", "converse", "admin"])
def test_a_socket_opens_to_a_key_for_talking_alone(
    served: ServedDeployment, ids: dict[str, str], scope: Scope
):
    address = served.url.replace("http", "ws", 1) + f"/v1/convai/conversation?agent_id={AGENT}"
    key = {"xi-api-key": served.key(scope)}
    frames: list[str] = []
    with connect(address, additional_headers=key, proxy=None) as socket:
        with suppress(ConnectionClosed):
            socket.send(json.dumps({"type": "conversation_initiation_client_data"}))
            frames.append(str(socket.recv(timeout=30)))
        opened = any("conversation_initiation_metadata" in frame for frame in frames)

    assert opened is (scope in ("converse", "admin"))
    assert not any(text in frame for frame in frames for text, _ in SEEN_BY.values())
