"""Tests of agents: kept, listed, changed and deleted."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from conversation.server.access.admission import require
from conversation.server.agent_tests.tests import (
    AgentTest,
    MadeTest,
    StoredTest,
    TestList,
    TestSummaries,
    WantedTests,
    stored_test,
    summary_of,
)
from conversation.server.context import Context, ServerContext
from conversation.server.errors import not_found
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.write_only import with_hidden, without_hidden
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.server.records import ApiRecord, by_creation

router = APIRouter(prefix="/v1/convai/agent-testing", tags=["agent tests"])
CanRead = Annotated[ApiKey, Depends(require("read"))]
CanAdminister = Annotated[ApiKey, Depends(require("admin"))]


@router.post("/create", operation_id="create_agent_test")
def create_test(given: AgentTest, context: Context, _key: CanAdminister) -> MadeTest:
    """Keep a test."""
    test_id = f"test_{uuid.uuid4().hex}"
    kept = with_hidden(_kept(given), None)
    context.records.put("agent_test", test_id, kept, now=context.clock())
    return MadeTest(id=test_id)


@router.get("", operation_id="list_agent_tests")
def list_tests(
    context: Context,
    _key: CanRead,
    search: Annotated[str | None, Query(max_length=200)] = None,
    types: Annotated[list[str] | None, Query(max_length=10)] = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> TestList:
    """Tests, newest first."""
    found = [
        record
        for record in context.records.all("agent_test")
        if (search is None or search.lower() in str(record.body["name"]).lower())
        and (not types or record.body["type"] in types)
    ]
    page = page_of(
        found,
        sort_key=by_creation,
        page_size=page_size,
        cursor=cursor,
        descending=True,
    )
    return TestList(
        tests=[summary_of(record) for record in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.post("/summaries", operation_id="summarise_agent_tests")
def get_summaries(given: WantedTests, context: Context, _key: CanRead) -> TestSummaries:
    """Some tests in short."""
    wanted = set(given.test_ids)
    found = [each for each in context.records.all("agent_test") if each.record_id in wanted]
    return TestSummaries(tests={each.record_id: summary_of(each) for each in found})


@router.get("/{test_id}", operation_id="get_agent_test")
def get_test(test_id: str, context: Context, key: CanRead) -> StoredTest:
    """One test; secrets among its variables are for keys that may change it."""
    found = stored_test(known_test(context, test_id))
    if key.allows("admin"):
        return found
    return StoredTest.model_validate(without_hidden(found.model_dump(exclude_unset=True)))


@router.put("/{test_id}", operation_id="update_agent_test")
def update_test(
    test_id: str, given: AgentTest, context: Context, _key: CanAdminister
) -> StoredTest:
    """Put another test in its place; results of earlier runs stay."""
    kept = with_hidden(_kept(given), known_test(context, test_id).body)
    context.records.put("agent_test", test_id, kept, now=context.clock())
    return stored_test(known_test(context, test_id))


@router.delete("/{test_id}", operation_id="delete_agent_test")
def delete_test(test_id: str, context: Context, _key: CanAdminister) -> dict[str, Any]:
    """Delete a test; results of its runs stay."""
    known_test(context, test_id)
    context.records.remove("agent_test", test_id)
    return {}


def known_test(context: ServerContext, test_id: str) -> ApiRecord:
    """A test's record; raises `ApiError` when there is none."""
    found = context.records.get("agent_test", test_id)
    if found is None:
        raise not_found("test", test_id)
    return found


def _kept(given: AgentTest) -> dict[str, Any]:
    return given.model_dump(mode="json", exclude_none=True)
