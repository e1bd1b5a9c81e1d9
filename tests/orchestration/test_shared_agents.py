"""Agent files of machines that have one store and no folder in common."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversation.agent.agent_file import load_agent, save_agent
from conversation.server.agents.files import AgentRecord
from conversation.server.errors import ApiError
from conversation.store.shared_files import KNOWN, FileChangedError, SharedFiles
from conversation.store.store import ConversationStore
from orchestration.deployment import Deployment
from orchestration.errors import UnknownAgentError
from orchestration.operations.masking import usable_agents
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.grown_stores import agent_config
from tests.orchestration.test_growth import counting
from tests.servers import postgresql_server

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Machine:
    """A machine with a folder of its own."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.folder = deployment.settings.agents_dir
        authoring = create_app(deployment).state.context.authoring
        assert authoring is not None
        self.records = authoring.records

    def ids(self) -> list[str]:
        self.deployment.follow_agents(at_once=True)
        return [agent.agent_id for agent in usable_agents(self.deployment)]

    def follow(self) -> dict[str, str]:
        assert self.deployment.agent_copies is not None
        return dict(self.deployment.agent_copies.follow(at_once=True))

    def name(self, agent_id: str) -> str:
        self.follow()
        return self.deployment.agent(agent_id).agent.name


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The store that all machines have."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'common' / 'store.sqlite'}"
        return
    with postgresql_server(tmp_path) as address:
        yield f"postgresql+psycopg://{address}"


@pytest.fixture
def machines(tmp_path: Path, store_url: str) -> Iterator[list[Machine]]:
    with ExitStack() as stack:
        opened: list[Machine] = []
        for name in ("a", "b"):
            settings = Settings(
                data_dir=tmp_path / name,
                store_url=store_url,
                agents_shared=True,
            )
            if name == "a":
                save_agent(agent_config("desk"), settings.agents_dir / "desk.yaml")
            opened.append(Machine(stack.enter_context(Deployment(settings))))
        yield opened


def renamed(name: str, before: AgentRecord) -> AgentRecord:
    agent = before.agent.model_copy(update={"name": name})
    return AgentRecord(agent, before.path, before.created_at, before.updated_at)


def test_a_machine_without_the_file_finds_the_agent(machines: list[Machine]):
    a, b = machines
    assert a.ids() == b.ids() == ["desk"]
    assert (b.folder / "desk.yaml").read_bytes() == (a.folder / "desk.yaml").read_bytes()
    b.records.create(agent_config("night"), now=NOW, by="test")
    # Asked for by its name it is found at once, however short ago a look was.
    assert a.deployment.agent("night").agent.agent_id == "night"
    a.records.delete("desk")
    assert b.ids() == ["night"]
    with pytest.raises(UnknownAgentError):
        b.deployment.agent("desk")


def test_what_a_person_writes_on_one_machine_is_seen_on_the_others(machines: list[Machine]):
    a, b = machines
    path = a.folder / "desk.yaml"
    text = path.read_text("utf-8").replace("name: Desk", "name: Front desk  # as on the door")
    path.write_text(text, "utf-8")
    a.follow()
    assert b.name("desk") == "Front desk"
    assert "# as on the door" in (b.folder / "desk.yaml").read_text("utf-8")
    (b.folder / "desk.yaml").unlink()
    b.follow()
    assert a.ids() == []


def test_half_an_edit_stays_where_it_is(machines: list[Machine], caplog: pytest.LogCaptureFixture):
    a, b = machines
    path = a.folder / "desk.yaml"
    whole = path.read_text("utf-8")
    path.write_text(whole + "criteria: [", "utf-8")
    told = a.follow()
    assert "keep what they have" in told["desk.yaml"]
    a.follow()
    assert caplog.text.count("keep what they have") == 1
    assert b.name("desk") == "Desk"
    path.write_text(whole.replace("name: Desk", "name: Mended"), "utf-8")
    assert a.follow() == {}
    assert b.name("desk") == "Mended"


def test_of_two_changes_the_first_stands_and_the_other_is_kept_aside(machines: list[Machine]):
    a, b = machines
    b.follow()
    for machine, name in ((a, "Of a"), (b, "Of b")):
        path = machine.folder / "desk.yaml"
        agent = load_agent(path).model_copy(update={"name": name})
        save_agent(agent, path)
    assert a.follow() == {}
    told = b.follow()["desk.yaml"]
    assert "which was first" in told
    assert "'desk.yaml.yours'" in told
    assert a.name("desk") == b.name("desk") == "Of a"
    assert "name: Of b" in (b.folder / "desk.yaml.yours").read_text("utf-8")
    assert a.ids() == b.ids() == ["desk"], "what is kept aside is no agent"


def test_two_servers_that_change_an_agent_at_once_do_not_undo_each_other(machines: list[Machine]):
    a, b = machines
    b.follow()

    def while_a_changes_it(before: AgentRecord) -> AgentRecord:
        a.records.change("desk", lambda record: renamed("Of a", record), now=NOW, by="test")
        return renamed("Of b", before)

    with pytest.raises(ApiError, match="on another machine meanwhile"):
        b.records.change("desk", while_a_changes_it, now=NOW, by="test")
    assert a.name("desk") == b.name("desk") == "Of a"
    assert not list(b.folder.glob("*.yours"))
    b.records.change("desk", lambda record: renamed("Of b", record), now=NOW, by="test")
    assert a.name("desk") == "Of b"
    version = b.records.get("desk").version
    with pytest.raises(ApiError) as refused:
        a.records.change(
            "desk", lambda record: renamed("x", record), now=NOW, by="test", if_match=f"{version}x"
        )
    assert refused.value.status_code == 412


def test_a_new_machine_does_not_bring_back_what_was_deleted(
    machines: list[Machine], tmp_path: Path
):
    a, _ = machines
    old = (a.folder / "desk.yaml").read_bytes()
    a.records.delete("desk")
    settings = a.deployment.settings.model_copy(update={"data_dir": tmp_path / "image"})
    settings.agents_dir.mkdir(parents=True)
    (settings.agents_dir / "desk.yaml").write_bytes(old)
    with Deployment(settings) as new:
        assert usable_agents(new) == []
    assert (settings.agents_dir / "desk.yaml.yours").read_bytes() == old
    # On a machine that has followed so far, a file of this name is a new agent.
    (a.folder / "desk.yaml").write_bytes(old)
    assert a.ids() == ["desk"]


@pytest.mark.parametrize("damage", ["{", "[]", '{"seen": "x", "files": {}}', None])
def test_what_a_machine_knew_may_be_lost(machines: list[Machine], damage: str | None):
    a, b = machines
    b.follow()
    a.records.change("desk", lambda record: renamed("Of a", record), now=NOW, by="test")
    if damage is None:
        (b.folder / KNOWN).unlink()
    else:
        (b.folder / KNOWN).write_text(damage, "utf-8")
    assert b.name("desk") == "Of a"
    assert json.loads((b.folder / KNOWN).read_text("utf-8"))["files"].keys() == {"desk.yaml"}


def test_nothing_new_costs_one_statement_a_second_and_no_write(machines: list[Machine]):
    _, b = machines
    b.follow()
    b.follow()
    known = (b.folder / KNOWN).stat()
    with counting(b.deployment) as counted:
        b.follow()
        for _ in range(20):
            b.deployment.agent("desk")
    assert counted.sql <= 2
    assert (b.folder / KNOWN).stat().st_mtime_ns == known.st_mtime_ns


def test_a_file_is_changed_by_compare_and_swap(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        files = SharedFiles(store.engine, "agents")
        first = files.put("a.yaml", b"1", known=0, now=NOW)
        other = SharedFiles(store.engine, "other").put("a.yaml", b"0", known=0, now=NOW)
        second = files.put("a.yaml", b"2", known=first, now=NOW)
        assert first < other < second
        for known in (0, first, other):
            with pytest.raises(FileChangedError, match="Read it again"):
                files.put("a.yaml", b"3", known=known, now=NOW)
        gone = files.put("a.yaml", None, known=second, now=NOW)
        assert [(row.change, row.content) for row in files.since(first)] == [(gone, None)]
        assert files.put("a.yaml", b"4", known=0, now=NOW) > gone
        assert files.since(gone + 1) == []


def test_without_the_setting_files_stay_on_their_machine(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "a")
    save_agent(agent_config("desk"), settings.agents_dir / "desk.yaml")
    with Deployment(settings) as deployment:
        assert deployment.agent_copies is None
        assert [agent.agent_id for agent in usable_agents(deployment)] == ["desk"]
    assert [path.name for path in settings.agents_dir.iterdir()] == ["desk.yaml"]
