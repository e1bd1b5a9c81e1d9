"""Tests of agents as they are kept: what the SDKs send, checked as far as this server reads it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName
from conversation.server.records import ApiRecord

TestKind = Literal["llm", "tool", "simulation"]
Text = Annotated[str, Field(max_length=10_000)]


class HistoryItem(BaseModel):
    """A turn that was said before the test begins."""

    model_config = ConfigDict(extra="allow")

    role: Literal["user", "agent"]
    message: Text | None = None
    time_in_call_secs: int = 0


class ExampleAnswer(BaseModel):
    """An answer that is right, or one that is wrong."""

    model_config = ConfigDict(extra="allow")

    response: Text
    type: str | None = None


class ToolReference(BaseModel):
    """A tool, by its id, which is its name here."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(max_length=200)
    type: str | None = None


class ValueRule(BaseModel):
    """What a parameter must be: `exact`, `regex`, or anything else for any value."""

    model_config = ConfigDict(extra="allow")

    type: str = "anything"
    expected_value: Any = None
    pattern: str | None = Field(default=None, max_length=500)


class ExpectedParameter(BaseModel):
    """A parameter, by its dotted path, and what it must be."""

    model_config = ConfigDict(extra="allow")

    path: str = Field(max_length=500)
    eval: ValueRule = ValueRule()


class ExpectedCall(BaseModel):
    """A tool call that must come, or must not."""

    model_config = ConfigDict(extra="allow")

    referenced_tool: ToolReference | None = None
    parameters: list[ExpectedParameter] = []
    verify_absence: bool = False


class AgentTest(BaseModel):
    """A test. Fields of other kinds of tests are kept and not used."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "llm",
                    "name": "Refunds",
                    "chat_history": [
                        {
                            "role": "user",
                            "message": "How long do refunds take?",
                            "time_in_call_secs": 0,
                        }
                    ],
                    "success_condition": "The agent says that refunds take five days.",
                    "success_examples": [{"response": "Five days.", "type": "success"}],
                    "failure_examples": [{"response": "I cannot say.", "type": "failure"}],
                }
            ]
        },
    )

    type: TestKind = "llm"
    name: ReadableName = Field(min_length=1, max_length=200)
    chat_history: list[HistoryItem] = Field(default=[], max_length=200)
    success_condition: Text | None = None
    success_conditions: list[Text] | None = Field(default=None, max_length=20)
    success_examples: list[ExampleAnswer] = Field(default=[], max_length=20)
    failure_examples: list[ExampleAnswer] = Field(default=[], max_length=20)
    tool_call_parameters: ExpectedCall | None = None
    check_any_tool_matches: bool | None = None
    simulation_scenario: Text | None = None
    simulation_max_turns: int | None = Field(default=None, ge=1, le=50)
    dynamic_variables: dict[str, str | int | float | bool] | None = None


class StoredTest(AgentTest):
    """A test as it is kept."""

    id: str


class MadeTest(BaseModel):
    """The id of a new test."""

    id: str


class TestSummary(BaseModel):
    """A test in a list."""

    id: str
    name: str
    type: TestKind
    entity_type: Literal["test"] = "test"
    created_at_unix_secs: int
    last_updated_at_unix_secs: int
    folder_parent_id: str | None = None
    folder_path: list[str] = []
    children_count: int | None = None


class TestList(BaseModel):
    """One page of tests."""

    tests: list[TestSummary]
    next_cursor: str | None = None
    has_more: bool


class WantedTests(Body):
    """Ids of tests."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"test_ids": ["test_0123456789abcdef0123456789abcdef"]}]}
    )

    test_ids: list[str] = Field(max_length=500)


class TestSummaries(BaseModel):
    """Tests by their ids; unknown ids are left out."""

    tests: dict[str, TestSummary]


def summary_of(record: ApiRecord) -> TestSummary:
    """A test in short."""
    return TestSummary(
        id=record.record_id,
        name=record.body["name"],
        type=record.body["type"],
        created_at_unix_secs=int(record.created_at.timestamp()),
        last_updated_at_unix_secs=int(record.updated_at.timestamp()),
    )


def stored_test(record: ApiRecord) -> StoredTest:
    """A test in full."""
    return StoredTest.model_validate({**record.body, "id": record.record_id})
