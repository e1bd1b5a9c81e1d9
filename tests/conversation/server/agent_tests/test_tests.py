"""Tests of agents: kept over HTTP, and run against a scripted agent."""

from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.server.agent_tests import running
from conversation.server.agent_tests.running import (
    STAND_IN,
    check_calls,
    conditions_of,
    read_invocation,
)
from conversation.server.agent_tests.tests import AgentTest
from conversation.server.ended.after_conversations import StoreOnly
from conversation.server.ended.bodies import CriterionResult
from conversation.server.records import ApiRecord
from conversation.transcript import ToolCall, Transcript
from tests.conversation.server.conversations.test_routes import MORNING
from tests.conversation.server.served import SUPPORT, Served, serving, wait_until
from tests.fakes import ScriptedChatModel

TESTING = "/v1/convai/agent-testing"
ASKS = [{"role": "user", "message": "How long do refunds take?", "time_in_call_secs": 0}]


class Judge(StoreOnly):
    """Takes a condition for met when the agent's last words are in it."""

    def judge(self, agent: AgentConfig, transcript: Transcript, condition: str) -> CriterionResult:
        met = transcript.turns[-1].text in condition
        return CriterionResult(
            criteria_id="condition", result="success" if met else "failure", rationale="So it is."
        )


def made(served: Served, **test: Any) -> str:
    answer = served.http.post(
        f"{TESTING}/create", json=test, headers={"xi-api-key": served.key("admin")}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def run(served: Served, *test_ids: str, **given: Any) -> dict[str, Any]:
    """The invocation, once nothing of it is pending."""
    headers = {"xi-api-key": served.key("converse", "read")}
    asked = {"tests": [{"test_id": each} for each in test_ids], **given}
    answer = served.http.post("/v1/convai/agents/support/run-tests", json=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    path = f"/v1/convai/test-invocations/{answer.json()['id']}"
    found: dict[str, Any] = {}

    def is_done() -> bool:
        found.update(served.http.get(path, headers=headers).json())
        return all(each["status"] != "pending" for each in found["test_runs"])

    wait_until(is_done)
    return found


def test_the_agents_answer_is_judged_by_the_condition(tmp_path: Path):
    model = ScriptedChatModel(always="Five days.")
    with serving(tmp_path, model=model) as served:
        served.context.after_calls = Judge(served.store)
        good = made(
            served, type="llm", name="A", chat_history=ASKS, success_condition="Says: Five days."
        )
        bad = made(served, type="llm", name="B", chat_history=ASKS, success_condition="Sings.")
        silent = made(served, type="llm", name="C", success_condition="Says: Five days.")
        found = run(served, good, bad, silent, repeat_count=2)
        listed = served.http.get(
            "/v1/convai/test-invocations", headers={"xi-api-key": served.key("read")}
        ).json()
        first = found["test_runs"][0]
        kept = served.store.transcript(first["conversation_id"])

    statuses = [each["status"] for each in found["test_runs"]]
    assert statuses == ["passed", "passed", "failed", "failed", "failed", "failed"]
    assert first["agent_responses"][-1]["message"] == "Five days."
    assert first["condition_result"]["rationale"]["summary"] == "So it is."
    assert "could not be run" in found["test_runs"][4]["condition_result"]["rationale"]["summary"]
    assert kept.simulated
    (summary,) = listed["results"]
    assert (summary["passed_count"], summary["failed_count"]) == (2, 4)
    assert summary["title"] == "A, B, C"


def test_tools_are_noted_and_not_used(tmp_path: Path):
    webhook = {"url": "http://127.0.0.1:9/orders", "headers": {}}
    tool = {
        "name": "orders",
        "description": "Finds an order.",
        "webhook": webhook,
        "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
    }
    agent = AgentConfig.model_validate(
        {**SUPPORT.model_dump(exclude_defaults=True), "tools": [tool]}
    )
    asks = {"action": {"tool": "orders", "parameters": {"number": 7}}}
    model = ScriptedChatModel(asks, "It is on its way.", asks, "It is on its way.")
    right = {"path": "number", "eval": {"type": "exact", "expected_value": "7"}}
    wrong = {"path": "number", "eval": {"type": "exact", "expected_value": "8"}}
    with serving(tmp_path, agent, model=model) as served:
        ids = [
            made(
                served,
                type="tool",
                name="Looks it up",
                chat_history=[{"role": "user", "message": "Where is order 7?"}],
                tool_call_parameters={
                    "referenced_tool": {"id": "orders", "type": "webhook"},
                    "parameters": [parameter],
                },
            )
            for parameter in (right, wrong)
        ]
        found = run(served, *ids)

    assert [each["status"] for each in found["test_runs"]] == ["passed", "failed"]
    results = [
        result["result_value"]
        for item in found["test_runs"][0]["agent_responses"]
        for result in item["tool_results"]
    ]
    assert results == [STAND_IN]
    reason = found["test_runs"][1]["condition_result"]["rationale"]["summary"]
    assert reason == "orders was called with another value of number."


CALL = ToolCall(tool_name="orders", tool_call_id="1", parameters={"order": {"number": "A7"}})


@pytest.mark.parametrize(
    ("expected", "calls", "result"),
    [
        ({"referenced_tool": {"id": "orders"}}, [CALL], "success"),
        ({"referenced_tool": {"id": "orders"}}, [], "failure"),
        ({"referenced_tool": {"id": "orders"}, "verify_absence": True}, [], "success"),
        ({"referenced_tool": {"id": "orders"}, "verify_absence": True}, [CALL], "failure"),
        (None, [CALL], "unknown"),
        (
            {
                "referenced_tool": {"id": "orders"},
                "parameters": [
                    {"path": "order.number", "eval": {"type": "regex", "pattern": "A[0-9]"}}
                ],
            },
            [CALL],
            "success",
        ),
        (
            {"referenced_tool": {"id": "orders"}, "parameters": [{"path": "order.date"}]},
            [CALL],
            "failure",
        ),
    ],
)
def test_a_tool_call_is_checked(expected: Any, calls: list[ToolCall], result: str):
    test = AgentTest.model_validate({"type": "tool", "name": "A", "tool_call_parameters": expected})

    assert check_calls(test, calls).result == result


@pytest.mark.hostile
def test_a_pattern_without_end_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "_MATCH_S", 0.01)
    rule = {"type": "regex", "pattern": "(a|aa)+"}
    test = AgentTest.model_validate(
        {
            "name": "T",
            "tool_call_parameters": {
                "referenced_tool": {"id": "t"},
                "parameters": [{"path": "order", "eval": rule}],
            },
        }
    )
    call = ToolCall(tool_call_id="c", tool_name="t", parameters={"order": "a" * 60 + "!"})
    with pytest.raises(TimeoutError):
        check_calls(test, [call])


@pytest.mark.hostile
def test_secrets_of_a_test_are_for_keys_that_may_change_it(tmp_path: Path):
    with serving(tmp_path) as served:
        secret = {"secret__crm": "sk-lemur", "name": "Ada"}
        test_id = made(served, name="T", dynamic_variables=secret)
        reading, changing = ({"xi-api-key": served.key(each)} for each in ("read", "admin"))
        seen = served.http.get(f"{TESTING}/{test_id}", headers=reading).json()
        back = {name: value for name, value in seen.items() if name != "id"}
        served.http.put(f"{TESTING}/{test_id}", json=back, headers=changing)
        kept = served.http.get(f"{TESTING}/{test_id}", headers=changing).json()
        refused = served.http.post(f"{TESTING}/create", json=back, headers=changing)

    assert seen["dynamic_variables"] == {"secret__crm": "__hidden__", "name": "Ada"}
    assert kept["dynamic_variables"] == secret
    assert refused.json()["detail"]["status"] == "hidden_value"


def test_examples_stand_beside_each_condition():
    test = AgentTest.model_validate(
        {
            "name": "A",
            "success_condition": "It is polite.",
            "success_examples": [{"response": "Gladly."}],
            "failure_examples": [{"response": "No."}],
        }
    )

    assert conditions_of(test) == [
        "It is polite.\nExamples of the agent's last answer:\n- right: Gladly.\n- wrong: No."
    ]


def test_what_a_dead_server_left_undone_is_cancelled():
    pending = {
        "test_run_id": "r",
        "test_invocation_id": "s",
        "agent_id": "support",
        "test_id": "t",
    }
    body = {
        "id": "s",
        "agent_id": "support",
        "created_at": 0,
        "owner": "elsewhere/1/a",
        "test_runs": [pending],
    }
    running = read_invocation(ApiRecord("s", body, MORNING, MORNING))
    stopped = read_invocation(ApiRecord("s", {**body, "cancelled": True}, MORNING, MORNING))

    assert running.test_runs[0].status == "pending"
    assert stopped.test_runs[0].status == "cancelled"


def test_what_cannot_be_run_is_said(tmp_path: Path):
    with serving(tmp_path) as served:
        headers = {"xi-api-key": served.key("converse")}
        path = "/v1/convai/agents/{}/run-tests"
        test_id = made(served, name="A", success_condition="It is polite.")
        wanted = {"tests": [{"test_id": test_id}]}

        def asked(agent_id: str, **given: Any) -> int:
            body = {**wanted, **given}
            answer = served.http.post(path.format(agent_id), json=body, headers=headers)
            return answer.status_code

        assert asked("nobody") == 404
        assert asked("support", tests=[{"test_id": "test_nope"}]) == 404
        assert asked("support", tests=[]) == 422
        assert asked("support", agent_config_override={"name": "x"}) == 422
        assert asked("support", tests=wanted["tests"] * 60, repeat_count=2) == 422


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", f"{TESTING}/create", "read"),
        ("GET", TESTING, "converse"),
        ("POST", f"{TESTING}/summaries", "converse"),
        ("GET", f"{TESTING}/x", "converse"),
        ("PUT", f"{TESTING}/x", "read"),
        ("DELETE", f"{TESTING}/x", "read"),
        ("POST", "/v1/convai/agents/support/run-tests", "read"),
        ("GET", "/v1/convai/test-invocations", "converse"),
        ("GET", "/v1/convai/test-invocations/x", "converse"),
        ("POST", "/v1/convai/test-invocations/x/cancel", "read"),
    ],
)
def test_each_route_needs_its_scope(tmp_path: Path, method: str, path: str, scope: Any):
    with serving(tmp_path) as served:
        without = served.http.request(method, path).status_code
        key = {"xi-api-key": served.key(scope)}
        with_other = served.http.request(method, path, headers=key).status_code

    assert (without, with_other) == (401, 403)


@pytest.mark.hostile
@pytest.mark.parametrize("stream", ["", "/stream"])
@pytest.mark.parametrize(
    ("llm", "allowed"),
    [
        ("oobabooga/http://127.0.0.1:9/x", False),
        ("embedded/../../etc/passwd", False),
        ("embedded//etc/passwd", False),
        ("openai/gpt-4o", False),
        ("gpt-4o", False),
        ("claude-sonnet-4-5", True),
        ("anthropic/claude-sonnet-4-5", True),
        (SUPPORT.llm.model, True),
        (None, True),
    ],
)
def test_a_request_names_only_models_that_the_agent_lists(
    tmp_path: Path, llm: str | None, allowed: bool, stream: str, monkeypatch: pytest.MonkeyPatch
):
    overrides = {"llm": ["anthropic/claude-sonnet-4-5"]}
    agent = AgentConfig.model_validate(SUPPORT.model_dump() | {"overrides": overrides})
    played = {"prompt": {"prompt": "Somebody.", "llm": llm}, "first_message": "Hi"}
    body = {
        "simulation_specification": {"simulated_user_config": played},
        "new_turns_limit": 1,
    }
    opened: list[str] = []
    with serving(tmp_path, agent, model=ScriptedChatModel(always="Hello.")) as served:
        model = ScriptedChatModel(always="Hello.")
        monkeypatch.setattr(
            served.context.agents, "chat_model", lambda llm: opened.append(llm.model) or model
        )
        answer = served.http.post(
            f"/v1/convai/agents/support/simulate-conversation{stream}",
            json=body,
            headers={"xi-api-key": served.key("converse")},
        )

    refused = [code for code in ("llm_not_allowed", "unknown_llm") if code in answer.text]
    assert bool(refused) != allowed
    if not stream:
        assert answer.status_code == (200 if allowed else 422)
    assert set(opened) <= {agent.llm.model, *agent.overrides.llm}
