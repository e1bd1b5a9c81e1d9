"""What lists of agents and of conversations cost does not grow with the number of agents."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from conversation.server.context import ServerContext
from tests.analysis.calls import hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment

TRIES = 5


@contextmanager
def counted(served: ServedDeployment) -> Iterator[list[str]]:
    """The statements that the server's store is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    engine = served.context.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def every_page(served: ServedDeployment) -> list[str]:
    """What is read by GET of this agent, of this conversation, or of none, and has an answer."""
    prefix = "/v1/convai"
    routes = served.http.get("/openapi.json").json()["paths"]
    paths = [
        path.format(agent_id="shop-desk", conversation_id="c1").removeprefix(prefix)
        for path, verbs in routes.items()
        if "get" in verbs
        and path.startswith(prefix)
        and set(re.findall(r"\{(\w+)\}", path)) <= {"agent_id", "conversation_id"}
    ]
    return [path for path in paths if served.http.get(prefix + path).status_code == 200]


@pytest.mark.slow
def test_agents_and_history_cost_the_same_however_many_agents_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    read: list[Path] = []
    really = Path.read_text

    def noted(path: Path, *given: str, **named: str) -> str:
        read.append(path)
        return really(path, *given, **named)

    costs: list[list[int]] = []

    def unhurried(context: ServerContext) -> None:
        context.limits = replace(context.limits, requests_per_minute=10**9)

    with served_deployment(tmp_path, prepare=unhurried) as served:
        hold_call(served.deployment.conversations, "c1", question="Where is my parcel?")
        paths = (
            *("/agents?page_size=50", "/agents/shop-desk", "/conversations?page_size=10"),
            *("/conversations/c1", "/conversations?tool_ids=none&topic_ids=none"),
            *("/users", "/tools", "/llm/list", "/agents/summaries?agent_ids=shop-desk"),
            *("/conversations/messages/text-search?text_query=parcel", "/knowledge-base"),
        )
        paths = (*paths, *(each for each in every_page(served) if each not in paths))
        for count in (2, 12):
            while len(served.call("GET", "/agents?page_size=50")["agents"]) < count:
                served.agent_with()
            for path in paths:
                served.call("GET", path)
            costs.append([])
            monkeypatch.setattr(Path, "read_text", noted)
            for path in paths:
                # Other threads of the server ask too, now and then: the least is the list's own.
                tries: list[tuple[int, int]] = []
                for _ in range(TRIES):
                    read.clear()
                    with counted(served) as asked:
                        served.call("GET", path)
                    files = sum(file.suffix in (".yaml", ".yml") for file in read)
                    tries.append((len(asked), files))
                assert min(files for _, files in tries) <= 1, path
                costs[-1].append(min(statements for statements, _ in tries))
            monkeypatch.undo()
        listed = {each["agent_id"]: each for each in served.call("GET", paths[0])["agents"]}

    assert costs[0] == costs[1]
    assert max(costs[1][:3]) <= 8
    assert max(costs[1]) <= 14
    assert len(paths) > 25
    assert listed["shop-desk"]["last_call_time_unix_secs"]
    assert [each["last_call_time_unix_secs"] for each in listed.values()].count(None) == 11
