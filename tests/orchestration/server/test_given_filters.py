"""Lists of conversations, narrowed by variables and by medium, and what each of them shows."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from analysis.store import tables
from conversation.server.conversations.routes import list_conversations
from conversation.transcript import ToolCall, Turn, TurnSound
from tests.orchestration.deployed import ServedDeployment, served_deployment
from tests.orchestration.sample import FIRST_DAY
from tests.orchestration.server.test_costs import TRIES, counted
from tests.servers import postgresql_server

MASKING, OPEN = "masks", "shop-desk"
PHONE = "+49 170 1234567"
SOCKET = {"channel": "websocket"}
HELD: dict[str, tuple[str, dict[str, Any], dict[str, str], bool]] = {
    "plain": (OPEN, {"plan": "gold", "seats": 12, "vip": True}, {}, False),
    "typed": (OPEN, {"plan": "silver", "seats": 9}, {**SOCKET, "text_only": "true"}, False),
    "heard": (OPEN, {"plan": "a:b", "phone": PHONE}, SOCKET, True),
    "none": (OPEN, {}, SOCKET, False),
    "masked": (MASKING, {"plan": "gold", "phone": PHONE, f"of {PHONE}": "x"}, SOCKET, False),
}
"""By conversation: agent, variables, metadata, whether it was spoken."""


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedDeployment]:
    with ExitStack() as stack:
        store_url = None
        if request.param == "postgresql":
            address = stack.enter_context(postgresql_server(tmp_path_factory.mktemp("pg")))
            store_url = f"postgresql+psycopg://{address}"
        folder = tmp_path_factory.mktemp("given")
        opened = stack.enter_context(served_deployment(folder, store_url=store_url))
        written = opened.settings.agents_dir / f"{OPEN}.yaml"
        masking = written.read_text().replace(f"agent_id: {OPEN}", f"agent_id: {MASKING}")
        Path(written.parent / f"{MASKING}.yaml").write_text(
            f"{masking}\nprivacy: {{redact: true}}\n"
        )
        for number, key in enumerate(HELD):
            hold(opened, key, number)
        yield opened


def hold(served: ServedDeployment, key: str, number: int, name: str | None = None) -> None:
    agent_id, variables, metadata, is_spoken = HELD[key]
    store, at = served.deployment.conversations, FIRST_DAY + timedelta(minutes=number)
    given = {"variables": variables, "overrides": {}}
    call = name or key
    store.begin(call, agent_id=agent_id, started_at=at, metadata=metadata, given=given)
    sound = TurnSound(start_s=0.0, end_s=1.0) if is_spoken else None
    store.append_turn(call, Turn(role="user", text="Hello.", sound=sound), at=at)
    store.end(call, at=at, reason="user_ended")


def found(served: ServedDeployment, **params: Any) -> set[str]:
    page = served.call("GET", "/conversations", params={"page_size": 100} | params)
    return {each["conversation_id"] for each in page["conversations"]}


def test_lists_are_narrowed_by_variables_and_by_medium(served: ServedDeployment):
    variable, text = "dynamic_variable_params", "text_only"
    wanted: list[tuple[dict[str, Any], set[str]]] = [
        ({text: True}, {"plain", "typed"}),
        ({text: False}, {"heard", "none", "masked"}),
        ({variable: "plan:eq:gold"}, {"plain", "masked"}),
        ({variable: "plan:neq:gold"}, {"typed", "heard", "none"}),
        ({variable: "plan:in:gold|silver"}, {"plain", "typed", "masked"}),
        ({variable: "plan:eq:a:b"}, {"heard"}),
        ({variable: "seats:gte:10"}, {"plain"}),
        ({variable: "seats:lt:10"}, {"typed"}),
        ({variable: "vip:eq:true"}, {"plain"}),
        ({variable: "plan:eq:"}, {"none"}),
        ({variable: "plan:neq:"}, {"plain", "typed", "heard", "masked"}),
        ({variable: ["plan:eq:gold", "seats:gt:1"]}, {"plain"}),
        ({"dynamic_variable_filter": "plan:eq:silver", text: True}, {"typed"}),
        ({"dynamic_variable_filter": "plan:eq:gold", variable: "vip:eq:true"}, {"plain"}),
        ({variable: "Plan:eq:gold"}, set()),
        ({variable: "plan:eq:gold", "agent_id": MASKING}, {"masked"}),
    ]

    for params, those in wanted:
        assert found(served, **params) == those, params


@pytest.mark.hostile
def test_what_is_masked_finds_nothing(served: ServedDeployment):
    for asked in (f"phone:eq:{PHONE}", f"phone:in:1|{PHONE}"):
        assert found(served, dynamic_variable_params=asked) == {"heard"}
    assert found(served, dynamic_variable_params="phone:gt:1", agent_id=MASKING) == set()
    # The name of a variable may say it too.
    assert found(served, dynamic_variable_params=f"of {PHONE}:neq:") == set()
    # Yes and no look the same: nothing is told by where the list goes on.
    for digits in (PHONE, "+49 170 7654321"):
        params = {"dynamic_variable_params": f"phone:eq:{digits}", "agent_id": MASKING}
        page = served.call("GET", "/conversations", params=params)
        assert (page["conversations"], page["has_more"]) == ([], False)


def test_what_is_no_filter_is_said(served: ServedDeployment):
    for name in ("dynamic_variable_params", "dynamic_variable_filter"):
        for asked in ("plan", "plan:like:x", "seats:gt:many", ":eq:x", "secret__key:eq:x"):
            refused = served.call("GET", "/conversations", status=422, params={name: asked})
            assert refused["detail"]["status"] == "invalid_filter", asked
    secret = {"dynamic_variable_params": "secret__key:neq:"}
    refused = served.call("GET", "/conversations", status=422, params=secret)
    assert "secret" in refused["detail"]["message"]


def called(served: ServedDeployment, key: str, agent: str, *calls: ToolCall) -> None:
    store = served.deployment.conversations
    store.begin(key, agent_id=agent, started_at=FIRST_DAY, metadata=SOCKET)
    turn = Turn(role="agent", text="One moment.", tool_calls=calls)
    store.append_turn(key, turn, at=FIRST_DAY)
    store.end(key, at=FIRST_DAY, reason="user_ended")


def of_tool(name: str, *, is_error: bool = False, **parameters: Any) -> ToolCall:
    return ToolCall(tool_name=name, tool_call_id="1", parameters=parameters, is_error=is_error)


def test_lists_are_narrowed_by_tools_agents_branches_and_topics(served: ServedDeployment):
    config = {"type": "client", "name": "show", "description": "It.", "expects_response": False}
    kept = served.call("POST", "/tools", json={"tool_config": config})["id"]
    prompt = {"llm": "scripted/model", "tool_ids": [kept]}
    body = {"agent": {"first_message": "Hello!", "prompt": prompt}}
    owner = served.agent_with(conversation_config=body)
    called(served, "owned", owner, of_tool("show"))
    called(served, "owned failed", owner, of_tool("show", is_error=True))
    called(served, "same name", OPEN, of_tool("show"))
    called(served, "ended", OPEN, of_tool("end_call"))
    called(served, "handed over", OPEN, of_tool("transfer_to_agent", agent_id=owner))
    called(served, "not handed", OPEN, of_tool("transfer_to_agent", is_error=True, agent_id=owner))
    topic = tables.conversation_topics
    with served.deployment.engine.begin() as connection:
        for key, about in (("ended", "t1"), ("owned", "t2"), ("same name", None)):
            row = {"conversation_id": key, "agent_id": OPEN, "topic_id": about, "vector": b""}
            words = {"text_sha256": "0", "model_id": "m", "assigned_at": FIRST_DAY}
            connection.execute(topic.insert().values(row | words))
    everything = found(served)
    wanted: list[tuple[dict[str, Any], set[str]]] = [
        ({"tool_ids": kept}, {"owned", "owned failed"}),
        ({"tool_ids_successful": [kept, "none"]}, {"owned"}),
        ({"tool_ids_errored": kept}, {"owned failed"}),
        ({"tool_ids": "none"}, set()),
        ({"tool_ids": "__system_end_call"}, {"ended"}),
        ({"tool_ids": [kept, "__system_end_call"], "agent_id": OPEN}, {"ended"}),
        ({"tool_names": "show"}, {"owned", "owned failed", "same name"}),
        ({"visited_agent_ids": owner}, {"owned", "owned failed", "handed over"}),
        ({"visited_agent_ids": [owner, MASKING], "tool_names": "show"}, {"owned", "owned failed"}),
        ({"topic_ids": ["t1", "t2"]}, {"ended", "owned"}),
        ({"topic_ids": "none"}, set()),
        ({"topic_ids": "t1", "tool_ids": kept}, set()),
        ({"branch_id": "main"}, everything),
        ({"branch_id": "other"}, set()),
        ({"visited_agent_branch_ids": ["other", "main"]}, everything),
        ({"visited_agent_branch_ids": "other"}, set()),
        ({"conversation_product_type": "agents"}, everything),
        ({"conversation_product_type": "speech_engine"}, set()),
    ]

    for params, those in wanted:
        assert found(served, **params) == those, params
    served.call("GET", "/conversations", 422, params={"conversation_product_type": "telephone"})


def test_filters_cost_no_statement_a_conversation(served: ServedDeployment):
    filters: list[dict[str, Any]] = [
        {"dynamic_variable_params": "plan:neq:"},
        {"text_only": False},
        {"topic_ids": "none", "tool_ids": "__system_end_call"},
        {"text_only": True, "dynamic_variable_filter": "plan:neq:"},
    ]
    costs: list[list[int]] = []
    for more in (0, 40):
        for number in range(more):
            hold(served, ("plain", "heard", "masked")[number % 3], number, f"more{number}")
        found(served, dynamic_variable_params="plan:neq:")  # masked ones are masked once
        costs.append([])
        for params in filters:
            tries: list[int] = []
            for _ in range(TRIES):
                with counted(served) as asked:
                    found(served, **params)
                tries.append(len(asked))
            costs[-1].append(min(tries))

    assert costs[0] == costs[1]
    assert max(costs[1]) <= 20


REFUSED = (
    *("triggered_procedure_ids", "include_invalid_tool_calls", "parent_conversation_id"),
    *("phone_number_ids", "whatsapp_phone_number_ids", "workflow_node_entered_id"),
    *("guardrail_types", "custom_guardrail_names"),
)
"""What of the SDK's filters has nothing to look at here; the README says why."""


def test_every_filter_of_the_sdk_is_known_or_refused_by_name(served: ServedDeployment):
    from elevenlabs.conversational_ai.conversations.client import ConversationsClient

    asked = set(signature(ConversationsClient.list).parameters) - {"self", "request_options"}
    known = set(signature(list_conversations).parameters) - {"context", "_key"}

    assert asked - known == set(REFUSED)
    for name in REFUSED:
        refused = served.call("GET", "/conversations", status=422, params={name: "x"})
        assert refused["detail"]["status"] == "unsupported_parameter"
        assert f"act on {name}, so" in refused["detail"]["message"]
