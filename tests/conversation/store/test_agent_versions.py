"""Versions of agents as the store keeps them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from conversation.agent.agent_file import parse_agent
from conversation.agent.config import AgentConfig
from conversation.session.overrides import SessionOverrides
from conversation.session.session import Session
from conversation.store.agent_versions import AgentVersions
from conversation.store.store import ConversationStore
from conversation.store.tables import agent_version_bodies
from tests.fakes import ScriptedChatModel

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RICH = """
name: Desk
template: support
system_prompt: You help {{name}}.
dynamic_variables: {name: someone}
languages: {de: {first_message: Hallo}}
overrides: {system_prompt: true, llm: [openai/gpt-4o]}
criteria:
  - {criterion_id: solved, prompt: "Was it solved?", judge: openai/gpt-4o}
data_collection:
  - {field_id: order, type: string, description: The order}
tools:
  - name: show_order
    description: Shows an order.
    webhook:
      url: https://shop.example/orders
      headers: {Authorization: "Bearer {{secret__CRM}}"}
analysis: {judge: {model: openai/judge, api_base: "https://judge.example/v1"}}
privacy: {redact: true, transcripts_days: 30}
"""


def agent(prompt: str = "You help.", **parts: Any) -> AgentConfig:
    return AgentConfig(agent_id="desk", name="Desk", system_prompt=prompt, **parts)


@pytest.fixture
def versions(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        yield store.agent_versions


def ids(versions: AgentVersions) -> list[str]:
    return [each.version_id for each in versions.history("desk")]


def test_what_was_live_is_kept_in_order_and_once(versions: AgentVersions):
    one, two = agent("One."), agent("Two.")
    for number, each in enumerate((one, one, two, two, one)):
        versions.note(each, at=NOW + timedelta(hours=number), by=f"key {number}")

    assert ids(versions) == [one.version, two.version, one.version]
    last, second, first = versions.history("desk")
    assert (first.number, first.made_by, first.before_id) == (1, "key 0", None)
    assert (second.made_at, second.before_id) == (NOW + timedelta(hours=2), one.version)
    assert (last.number, last.before_id) == (3, two.version)
    assert versions.agent("desk", two.version) == two
    with versions._engine.connect() as connection:
        kept = connection.execute(select(func.count()).select_from(agent_version_bodies))
        assert kept.scalar_one() == 2


def test_another_process_that_saw_it_first_makes_no_second_entry(versions: AgentVersions):
    other = AgentVersions(versions._engine)
    versions.note(agent("One."), at=NOW)
    other.note(agent("One."), at=NOW)
    other.note(agent("Two."), at=NOW)
    versions.note(agent("Two."), at=NOW)

    assert [each.number for each in versions.history("desk")] == [2, 1]


def test_an_agent_comes_back_as_it_was(versions: AgentVersions):
    rich = parse_agent(RICH, origin="desk.yaml", default_id="desk")
    versions.note(rich, at=NOW, sent={"platform_settings": {"widget": {"variant": "tiny"}}})

    found = versions.agent("desk", rich.version)
    assert found == rich
    assert found is not None
    assert found.version == rich.version
    entry = versions.entry("desk", rich.version)
    assert entry is not None
    assert entry.sent == {"platform_settings": {"widget": {"variant": "tiny"}}}


def test_a_description_of_what_is_live_already_replaces_its_own(versions: AgentVersions):
    versions.note(agent(), at=NOW, description="First.")
    versions.note(agent(), at=NOW, description="First, and good.")

    assert [each.description for each in versions.history("desk")] == ["First, and good."]


def test_the_oldest_go_where_there_are_too_many(versions: AgentVersions):
    few = AgentVersions(versions._engine, max_versions=3)
    all_of_them = [agent(f"Number {number}.") for number in range(5)]
    for each in (*all_of_them, all_of_them[0]):
        few.note(each, at=NOW)

    assert ids(few) == [all_of_them[n].version for n in (0, 4, 3)]
    assert few.agent("desk", all_of_them[2].version) is None
    assert few.agent("desk", all_of_them[0].version) == all_of_them[0]


def test_the_last_stays_however_long_it_is(versions: AgentVersions):
    small = AgentVersions(versions._engine, max_bytes=1)
    for text in ("One.", "Two."):
        small.note(agent(text), at=NOW)

    assert ids(small) == [agent("Two.").version]


def test_nothing_is_left_of_an_agent_that_is_forgotten(versions: AgentVersions):
    versions.note(agent("One."), at=NOW)
    versions.forget("desk")
    assert versions.history("desk") == []
    assert versions.agent("desk", agent("One.").version) is None

    versions.note(agent("One."), at=NOW)
    assert ids(versions) == [agent("One.").version]


def test_a_conversation_names_a_version_that_is_kept(tmp_path: Path):
    config = agent("Told.", overrides={"system_prompt": True}, llm={"model": "scripted/model"})
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        for prompt in (None, "Otherwise.", "Again otherwise."):
            Session.start(
                config,
                store=store,
                chat_model=ScriptedChatModel(),
                overrides=SessionOverrides(system_prompt=prompt),
            ).end()
        named = {each.agent_version for each in store.conversations()}
        history = store.agent_versions.history("desk")

    # What a session overrides is kept with the session, and makes no version.
    assert named == {config.version}
    assert [(each.version_id, each.made_by) for each in history] == [
        (config.version, "conversation")
    ]
