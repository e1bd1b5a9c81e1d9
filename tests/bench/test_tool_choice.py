from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.store.store import ConversationStore
from conversation.tools.deciding import offered_tools
from tests.bench.tool_choice import NOTHING, SETS, Case, decide, report
from tests.fakes import ScriptedChatModel


def right_choice(case: Case, agent: AgentConfig) -> Any:
    """The decision that a perfect model takes."""
    if case.tool is None:
        return NOTHING
    (tool,) = (t for t in offered_tools(agent, agent.all_tools) if t.name == case.tool)
    given = {name: _any_value(schema) for name, schema in tool.parameters["properties"].items()}
    return {"action": {"tool": case.tool, "parameters": {**given, **case.parameters}}}


def _any_value(schema: dict[str, Any]) -> object:
    return schema["enum"][0] if "enum" in schema else "x"


@pytest.mark.parametrize("name", SETS)
def test_half_of_the_cases_need_a_tool_and_all_can_be_solved(name: str, tmp_path: Path):
    agent, cases = SETS[name]
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        solved = [
            decide(case, agent, ScriptedChatModel(right_choice(case, agent)), store)
            for case in cases
        ]

    needed, none = report(solved)
    assert "n=12  right tool 12, with right parameters 12; median 1 calls" in needed
    assert "n=12  right tool 12, with right parameters 12; median 1 calls" in none


def test_a_wrong_tool_and_a_wrong_parameter_are_seen(tmp_path: Path):
    agent, cases = SETS["shop"]
    asks, greets = cases[0], next(case for case in cases if case.tool is None)
    other = {"action": {"tool": "order_status", "parameters": {"order": 12}}}
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        found = [decide(case, agent, ScriptedChatModel(other), store) for case in (asks, greets)]

    assert [(d.chose_right, d.filled_right) for d in found] == [(True, False), (False, False)]
