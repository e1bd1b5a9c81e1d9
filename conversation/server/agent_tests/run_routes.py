"""Runs of agent tests: asked for, polled, listed, cancelled."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from conversation.server.access.admission import require
from conversation.server.agent_tests.routes import known_test
from conversation.server.agent_tests.running import (
    Invocation,
    new_invocation,
    read_invocation,
    run_invocation,
)
from conversation.server.agent_tests.tests import AgentTest
from conversation.server.context import Context, ServerContext
from conversation.server.errors import ApiError, not_found
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.server.records import ApiRecord, by_creation

router = APIRouter(prefix="/v1/convai", tags=["agent tests"])
CanRead = Annotated[ApiKey, Depends(require("read"))]
CanConverse = Annotated[ApiKey, Depends(require("converse"))]
MOST_RUNS = 100


class WantedTest(Body):
    """A test to run."""

    test_id: str = Field(max_length=128)


class WantedRuns(Body):
    """Tests to run against an agent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"tests": [{"test_id": "test_0123456789abcdef0123456789abcdef"}]}]
        }
    )

    tests: list[WantedTest] = Field(min_length=1, max_length=MOST_RUNS)
    name: str | None = Field(default=None, max_length=200)
    agent_config_override: dict[str, Any] | None = None
    repeat_count: int = Field(default=1, ge=1, le=20)


class InvocationSummary(BaseModel):
    """How many of the tests passed."""

    id: str
    name: str | None
    agent_id: str
    created_at_unix_secs: int
    test_run_count: int
    passed_count: int
    failed_count: int
    pending_count: int
    cancelled_count: int
    title: str


class InvocationList(BaseModel):
    """One page of invocations, newest first."""

    results: list[InvocationSummary]
    next_cursor: str | None = None
    has_more: bool


@router.post("/agents/{agent_id}/run-tests", operation_id="run_agent_tests")
def run_tests(agent_id: str, given: WantedRuns, context: Context, _key: CanConverse) -> Invocation:
    """Run tests in the background; poll `test-invocations/ID` until none is pending.

    What the user says in a test's history is said again, and the agent answers each time. Tools
    are not used.
    """
    if given.agent_config_override:
        raise ApiError(
            422,
            "not_supported",
            "`agent_config_override`: tests run against the agent as it stands.",
        )
    if len(given.tests) * given.repeat_count > MOST_RUNS:
        raise ApiError(422, "too_many_runs", f"At most {MOST_RUNS} runs can be asked for at once.")
    agent = context.agents.agent(agent_id)
    records = [known_test(context, each.test_id) for each in given.tests]
    invocation = new_invocation(
        agent.agent_id,
        records,
        name=given.name,
        repeat_count=given.repeat_count,
        now_s=int(context.clock().timestamp()),
    )
    body = invocation.model_dump(mode="json")
    context.records.put("test_invocation", invocation.id, body, now=context.clock())
    tests = {record.record_id: AgentTest.model_validate(record.body) for record in records}
    threading.Thread(
        target=run_invocation, args=(context, invocation, tests), name="agent-tests", daemon=True
    ).start()
    return invocation


@router.get("/test-invocations", operation_id="list_test_invocations")
def list_invocations(
    context: Context,
    _key: CanRead,
    agent_id: Annotated[str | None, Query(max_length=128)] = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> InvocationList:
    """Invocations, newest first."""
    page = page_of(
        [
            record
            for record in context.records.all("test_invocation")
            if agent_id in (None, record.body["agent_id"])
        ],
        sort_key=by_creation,
        page_size=page_size,
        cursor=cursor,
        descending=True,
    )
    return InvocationList(
        results=[_summary(read_invocation(record)) for record in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.get("/test-invocations/{invocation_id}", operation_id="get_test_invocation")
def get_invocation(invocation_id: str, context: Context, _key: CanRead) -> Invocation:
    """What became of the tests so far."""
    return read_invocation(_known(context, invocation_id))


@router.post("/test-invocations/{invocation_id}/cancel", operation_id="cancel_test_invocation")
def cancel_invocation(invocation_id: str, context: Context, _key: CanConverse) -> dict[str, Any]:
    """Run nothing more of it; the test that is being run is finished."""
    _known(context, invocation_id)
    context.records.change(
        "test_invocation",
        invocation_id,
        lambda body: None if body is None else {**body, "cancelled": True},
        now=context.clock(),
    )
    return {}


def _known(context: ServerContext, invocation_id: str) -> ApiRecord:
    found = context.records.get("test_invocation", invocation_id)
    if found is None:
        raise not_found("test_invocation", invocation_id)
    return found


def _summary(found: Invocation) -> InvocationSummary:
    states = [run.status for run in found.test_runs]
    return InvocationSummary(
        id=found.id,
        name=found.name,
        agent_id=found.agent_id,
        created_at_unix_secs=found.created_at,
        test_run_count=len(states),
        passed_count=states.count("passed"),
        failed_count=states.count("failed"),
        pending_count=states.count("pending"),
        cancelled_count=states.count("cancelled"),
        title=found.name
        or ", ".join(dict.fromkeys(run.test_name or "" for run in found.test_runs)),
    )
