"""Runs tests of agents: the history is said again, and what the agent answers is judged.

Tools are not used: each call is noted and answered with a stand-in, so that a test changes nothing
outside. The conversations are kept and marked as simulated, so that no report counts them.
"""

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import BaseModel

from conversation.agent.config import AgentConfig
from conversation.server.agent_tests.tests import AgentTest, ExpectedParameter
from conversation.server.context import ServerContext
from conversation.server.conversations.detail import conversation_detail
from conversation.server.ended.bodies import CallOutcome, TranscriptItem
from conversation.server.ended.shown_conversation import overall
from conversation.server.records import ApiRecord
from conversation.session.simulating import ModelUser, Persona, scripted_user, simulate
from conversation.store.ownership import is_gone, this_process
from conversation.transcript import ToolCall, Transcript

_log = logging.getLogger(__name__)

RunStatus = Literal["pending", "passed", "failed", "cancelled"]
STAND_IN = '{"result": "ok"}'
DEFAULT_TURNS = 6
_MATCH_S = 1.0


class ConditionResult(BaseModel):
    """Whether a test was met, and why."""

    result: CallOutcome
    rationale: dict[str, Any]


class TestRun(BaseModel):
    """One test that was run once."""

    test_run_id: str
    test_invocation_id: str
    agent_id: str
    status: RunStatus = "pending"
    test_id: str
    test_name: str | None = None
    agent_responses: list[TranscriptItem] | None = None
    """The whole conversation."""
    condition_result: ConditionResult | None = None
    last_updated_at_unix: int | None = None
    conversation_id: str | None = None


class Invocation(BaseModel):
    """Tests that were asked for together."""

    id: str
    name: str | None = None
    agent_id: str
    created_at: int
    repeat_count: int = 1
    cancelled: bool = False
    owner: str
    """The process that runs them."""
    test_runs: list[TestRun]


@dataclass(frozen=True, slots=True)
class JudgedTest:
    """What came of one test; its run keeps both in the store."""

    result: CallOutcome
    rationale: str


def new_invocation(
    agent_id: str,
    tests: Sequence[ApiRecord],
    *,
    name: str | None,
    repeat_count: int,
    now_s: int,
) -> Invocation:
    """Runs that wait."""
    invocation_id = f"suite_{uuid.uuid4().hex}"
    return Invocation(
        id=invocation_id,
        name=name,
        agent_id=agent_id,
        created_at=now_s,
        repeat_count=repeat_count,
        owner=this_process(),
        test_runs=[
            TestRun(
                test_run_id=f"run_{uuid.uuid4().hex}",
                test_invocation_id=invocation_id,
                agent_id=agent_id,
                test_id=test.record_id,
                test_name=test.body["name"],
            )
            for test in tests
            for _ in range(repeat_count)
        ],
    )


def read_invocation(record: ApiRecord) -> Invocation:
    """An invocation as it stands; what a server that is gone left undone is cancelled."""
    found = Invocation.model_validate(record.body)
    if found.cancelled or is_gone(found.owner, asked_by=this_process()):
        for run in found.test_runs:
            if run.status == "pending":
                run.status = "cancelled"
    return found


def run_invocation(
    context: ServerContext, invocation: Invocation, tests: Mapping[str, AgentTest]
) -> None:
    """Run what waits, one after the other, and keep each result. Meant for a thread."""
    with context.test_runs:
        for run in invocation.test_runs:
            record = context.records.get("test_invocation", invocation.id)
            if context.stopping or record is None or record.body.get("cancelled"):
                return
            done = _run(context, run, tests[run.test_id])
            _keep(context, invocation.id, done)


def _keep(context: ServerContext, invocation_id: str, done: TestRun) -> None:
    def made(body: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if body is None:
            return None
        found = Invocation.model_validate(body)
        found.test_runs = [
            done if each.test_run_id == done.test_run_id else each for each in found.test_runs
        ]
        return found.model_dump(mode="json")

    context.records.change("test_invocation", invocation_id, made, now=context.clock())


def _run(context: ServerContext, run: TestRun, test: AgentTest) -> TestRun:
    changes: dict[str, Any] = {}
    try:
        agent = without_webhooks(context.agents.agent(run.agent_id))
        transcript = _held(context, agent, test)
        judgment = _judged(context, agent, test, transcript)
        detail = conversation_detail(context, transcript.conversation_id)
        changes["agent_responses"] = detail.transcript
        changes["conversation_id"] = transcript.conversation_id
    except Exception as error:
        # A test that cannot be run has failed; the others go on. The message may quote words.
        _log.error("test %s: %s", run.test_id, type(error).__name__)
        judgment = JudgedTest("unknown", f"The test could not be run: {type(error).__name__}.")
    return run.model_copy(
        update={
            **changes,
            "status": "passed" if judgment.result == "success" else "failed",
            "condition_result": ConditionResult(
                result=judgment.result,
                rationale={"messages": [judgment.rationale], "summary": judgment.rationale},
            ),
            "last_updated_at_unix": int(context.clock().timestamp()),
        }
    )


def _held(context: ServerContext, agent: AgentConfig, test: AgentTest) -> Transcript:
    model = context.agents.chat_model(agent.llm)
    lines = [each.message for each in test.chat_history if each.role == "user" and each.message]
    if test.type == "simulation":
        user = ModelUser(model, Persona(test.simulation_scenario or "A person who asks for help."))
        turns = test.simulation_max_turns or DEFAULT_TURNS
    elif lines:
        user, turns = scripted_user(lines), len(lines)
    else:
        raise ValueError("a test without anything that a user says")
    return simulate(
        agent,
        f"test: {test.name}",
        max_turns=turns,
        user=user,
        knowledge_base=context.agents.knowledge_base(agent),
        store=context.store,
        chat_model=model,
        variables=test.dynamic_variables or {},
        metadata={"channel": "test"},
        client_tool=_stand_in,
        clock=context.clock,
    )


def _stand_in(call: ToolCall) -> str:
    return STAND_IN


def _judged(
    context: ServerContext, agent: AgentConfig, test: AgentTest, transcript: Transcript
) -> JudgedTest:
    if test.type == "tool":
        return check_calls(test, last_calls(transcript))
    conditions = conditions_of(test)
    if not conditions:
        return JudgedTest("unknown", "The test has no condition to judge by.")
    found = [context.calls.judge(agent, transcript, condition) for condition in conditions]
    return JudgedTest(
        overall([each.result for each in found]), " ".join(each.rationale for each in found)
    )


def without_webhooks(agent: AgentConfig) -> AgentConfig:
    """The agent with tools that only note that they were called."""
    tools = tuple(tool.model_copy(update={"webhook": None}) for tool in agent.tools)
    return agent.model_copy(update={"tools": tools})


def conditions_of(test: AgentTest) -> list[str]:
    """What the judge is asked, with the examples. Pure."""
    given = [test.success_condition, *(test.success_conditions or [])]
    conditions = [each.strip() for each in given if each and each.strip()]
    good = [f"- right: {each.response}" for each in test.success_examples]
    bad = [f"- wrong: {each.response}" for each in test.failure_examples]
    examples = (
        "\n".join(["Examples of the agent's last answer:", *good, *bad]) if good or bad else ""
    )
    return [f"{each}\n{examples}".strip()[:2_000] for each in conditions]


def last_calls(transcript: Transcript) -> list[ToolCall]:
    """Tools that the agent called after the user's last words. Pure."""
    calls: list[ToolCall] = []
    for turn in transcript.turns:
        calls = [] if turn.role == "user" else [*calls, *turn.tool_calls]
    return calls


def check_calls(test: AgentTest, calls: Sequence[ToolCall]) -> JudgedTest:
    """Whether the tool was called as the test wants it. Pure."""
    wanted = test.tool_call_parameters
    if wanted is None or wanted.referenced_tool is None:
        return JudgedTest("unknown", "The test names no tool.")
    name = wanted.referenced_tool.id
    found = [call for call in calls if call.tool_name == name]
    if wanted.verify_absence:
        if found:
            return JudgedTest("failure", f"{name} was called, and it must not be.")
        return JudgedTest("success", f"{name} was not called.")
    if not found:
        called = ", ".join(call.tool_name for call in calls) or "no tool"
        return JudgedTest("failure", f"{name} was not called; the agent called {called}.")
    wrong = [each for each in wanted.parameters if not any(_holds(each, call) for call in found)]
    if wrong:
        paths = ", ".join(each.path for each in wrong)
        return JudgedTest("failure", f"{name} was called with another value of {paths}.")
    return JudgedTest("success", f"{name} was called as it should be.")


def _holds(wanted: ExpectedParameter, call: ToolCall) -> bool:
    value: Any = call.parameters
    for part in wanted.path.split("."):
        value = cast(dict[str, Any], value).get(part) if isinstance(value, dict) else None
    if wanted.eval.type == "exact":
        return _text(value) == _text(wanted.eval.expected_value)
    if wanted.eval.type == "regex":
        return _is_like(wanted.eval.pattern or "", _text(value))
    return value is not None


def _is_like(pattern: str, text: str) -> bool:
    """Whether all of `text` is like `pattern`.

    Raises:
        TimeoutError: A pattern may take for ever; the server has other things to do meanwhile.
    """
    import regex

    found = regex.fullmatch(pattern, text, timeout=_MATCH_S, concurrent=True)
    return found is not None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
