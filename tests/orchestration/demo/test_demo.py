import io
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversation.agent.agent_file import load_agent
from conversation.errors import ModelUnavailableError
from conversation.llm.chat_model import Completion
from conversation.transcript import Usage
from kb.weights.known_models import CATALOG
from kb.weights.progress import FetchProgress
from orchestration.demo.clearing import clear_demo
from orchestration.demo.conversing import DemoScript, conversation_key, hold_conversation
from orchestration.demo.downloads import ShownDownloads, missing_bytes
from orchestration.demo.sample_data import copy_sample
from orchestration.demo.site import served_site, site_port, with_site_port
from orchestration.demo.steps import Steps, remaining_s
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.settings import Settings
from orchestration.terminal.progress import ProgressDisplay
from tests.conftest import REPOSITORY
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import answer, hold_calls, sample_deployment, write_data


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


SCRIPT = DemoScript("shop-desk", ("How long do refunds take?", "And parcels?"))


@pytest.fixture
def model() -> ScriptedChatModel:
    return ScriptedChatModel(always=answer, model="scripted/model")


@pytest.fixture
def deployment(tmp_path: Path, model: ScriptedChatModel) -> Iterator[Deployment]:
    with sample_deployment(write_data(tmp_path / "data"), model) as opened:
        ingest(opened, "shop-desk")
        yield opened


def hold(deployment: Deployment) -> str:
    stream = io.StringIO()
    hold_conversation(deployment, SCRIPT, ProgressDisplay(stream))
    return stream.getvalue()


def test_the_conversation_is_held_once_and_then_shown_again(
    deployment: Deployment, model: ScriptedChatModel
):
    first = hold(deployment)
    asked = len(model.prompts)
    second = hold(deployment)

    assert len(model.prompts) == asked
    assert "cites refunds.md" in first
    assert "so it is shown again" in second
    for line in ("user: How long do refunds take?", "Shop desk: Refunds take five days."):
        assert line in first
        assert line in second
    assert len(deployment.conversations.conversations()) == 1


def test_another_document_means_another_conversation(deployment: Deployment):
    hold(deployment)
    page = deployment.settings.data_dir / "documents" / "refunds.md"
    page.write_text("# Refunds\n\nRefunds take six days.\n")
    ingest(deployment, "shop-desk")

    assert "so it is shown again" not in hold(deployment)
    assert len(deployment.conversations.conversations()) == 2


def test_the_key_depends_on_agent_script_and_documents(deployment: Deployment):
    agent = deployment.agent("shop-desk").agent
    documents = deployment.knowledge_base("shop-desk").documents()
    key = conversation_key(agent, SCRIPT, documents)

    assert conversation_key(agent, SCRIPT, documents[::-1]) == key
    assert conversation_key(agent, SCRIPT, documents[:1]) != key
    assert conversation_key(agent, DemoScript("shop-desk", ("Why?",)), documents) != key
    renamed = agent.model_copy(update={"name": "Desk"})
    assert conversation_key(renamed, SCRIPT, documents) != key


def test_a_conversation_that_was_cut_off_is_held_again(
    deployment: Deployment, model: ScriptedChatModel
):
    key = conversation_key(
        deployment.agent("shop-desk").agent,
        SCRIPT,
        deployment.knowledge_base("shop-desk").documents(),
    )
    deployment.conversations.begin(
        f"conv_demo{key}", agent_id="shop-desk", started_at=datetime.now(UTC)
    )

    assert "so it is shown again" not in hold(deployment)
    assert "so it is shown again" in hold(deployment)


def test_a_conversation_with_a_failed_turn_is_held_again(tmp_path: Path):
    failing = ScriptedChatModel(
        ModelUnavailableError("no answer"), always=answer, model="scripted/model"
    )
    with sample_deployment(write_data(tmp_path / "data"), failing) as deployment:
        ingest(deployment, "shop-desk")
        assert "incomplete: " in hold(deployment)
        assert "so it is shown again" not in hold(deployment)


def test_an_answer_that_was_cut_short_is_an_answer(tmp_path: Path):
    cut = Completion(
        text="Refunds take five",
        usage=Usage(model="scripted/model"),
        finish_reason="length",
        request_to_first_token_ms=1.0,
        request_to_last_token_ms=2.0,
    )
    model = ScriptedChatModel(cut, always=answer, model="scripted/model")
    with sample_deployment(write_data(tmp_path / "data"), model) as deployment:
        ingest(deployment, "shop-desk")
        assert "incomplete: The answer was cut" in hold(deployment)
        assert "so it is shown again" in hold(deployment)


def test_starting_over_keeps_what_people_said(deployment: Deployment):
    hold(deployment)
    hold_calls(deployment, 1)

    told = clear_demo(deployment, "shop-desk")

    assert told.startswith("Started over: 1 conversation and")
    assert [row.conversation_id for row in deployment.conversations.conversations()] == ["c0"]
    assert deployment.knowledge_base("shop-desk").documents() == []
    ingest(deployment, "shop-desk")
    assert len(deployment.knowledge_base("shop-desk").documents()) == 2


def test_the_site_takes_another_port_when_its_own_is_taken(tmp_path: Path):
    (tmp_path / "page.html").write_text("<p>hello</p>")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with served_site(tmp_path, taken) as port:
            assert port != taken
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/page.html") as reply:
                assert reply.read() == b"<p>hello</p>"
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/page.html")


def test_only_loopback_links_are_pointed_to_the_site():
    agent = load_agent(REPOSITORY / "data" / "agents" / "support.yaml")
    port = site_port(agent)

    assert port == 8765
    assert with_site_port(agent, port) is agent
    moved = with_site_port(agent, 9000)
    assert moved.knowledge_base.links[0].url == "http://127.0.0.1:9000/troubleshooting.html"
    assert moved.knowledge_base.files == agent.knowledge_base.files


def test_a_slow_machine_gets_a_longer_estimate():
    expected_s = {"documents": 10.0, "conversation": 110.0, "evaluations": 150.0}
    left = {"evaluations": 150.0}
    on_time = {"documents": 10.0, "conversation": 110.0}
    slow = {name: 2 * seconds for name, seconds in on_time.items()}

    assert remaining_s(expected_s, expected_s, {}) == 270.0
    assert remaining_s(left, expected_s, on_time) == pytest.approx(150.0)
    # 120 s were expected, so that the doubled pace counts 120 / (120 + 30).
    assert remaining_s(left, expected_s, slow) == pytest.approx(150.0 * (0.8 * 2 + 0.2))


def steps_of(deployment: Deployment, stream: io.StringIO, clock: Clock) -> Steps:
    script = DemoScript("shop-desk", SCRIPT.questions, ("1.yaml", "2.yaml"))
    return Steps(deployment, script, ProgressDisplay(stream, clock), clock=clock)


def test_what_exists_already_is_not_expected_to_take_time(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    # Whatever this machine has fetched before.
    monkeypatch.setattr("orchestration.demo.steps.missing_bytes", lambda *_: 0)

    def announced() -> str:
        stream = io.StringIO()
        with steps_of(deployment, stream, Clock()).step("models"):
            pass
        return stream.getvalue().splitlines()[1]

    # 21 s as always, two questions, two transcripts and the conversation itself to judge.
    assert announced() == "== 1 of 6: check the models (about 1:35 left)"
    hold(deployment)
    assert announced() == "== 1 of 6: check the models (about 1:09 left)"


def test_models_that_are_not_there_yet_are_part_of_the_clock(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("orchestration.demo.steps.missing_bytes", lambda *_: 1_200_000_000)
    clock, stream = Clock(), io.StringIO()
    steps = steps_of(deployment, stream, clock)
    fetched = ShownDownloads(steps.progress)
    with steps.step("models"):
        fetched.advance(of_download(0), part_done=False)
        clock.now_s += 30
        fetched.advance(of_download(300_000_000), part_done=True)
        clock.now_s += 90
        fetched.advance(of_download(1_200_000_000), part_done=True)
        fetched.finish()
        fetched.note("big: checking 1,200 MB once")
    with steps.step("documents"):
        pass

    # 95 s in all without it, and a minute at the speed that is usual.
    assert stream.getvalue().splitlines()[1:] == [
        "== 1 of 6: check the models (about 2:35 left)",
        # As slow as it came: 90 s more for the rest, and 90 s for the other steps.
        "  MB of big: 300 of 1,200 (25 %), 10/s, about 3:00 left",
        "  MB of big: 1,199 of 1,200 (100 %), 10.0/s, about 1:30 left",
        "  big: checking 1,200 MB once",
        "  done in 2:00",
        "",
        # Twice as slow as was expected, which counts by 65 of 95 s.
        "== 2 of 6: ingest the sample documents (Dagster run) (about 2:22 left)",
        "  done in 0:00",
    ]


def test_only_models_that_are_missing_are_fetched(tmp_path: Path):
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder, weights_dir=tmp_path / "weights")
    copy_sample(folder)
    with Deployment(settings) as opened:
        both = missing_bytes(opened, "support")
        put_files(tmp_path / "weights", "all-MiniLM-L6-v2")
        one = missing_bytes(opened, "support")
        put_files(tmp_path / "weights", "qwen2.5-coder-1.5b-instruct")
        none = missing_bytes(opened, "support")

    assert one == CATALOG["qwen2.5-coder-1.5b-instruct"].size_bytes
    assert both == one + CATALOG["all-MiniLM-L6-v2"].size_bytes
    assert none == 0


def put_files(folder: Path, model: str) -> None:
    """Files with the right names; only fetching them looks into them."""
    home = folder / model / CATALOG[model].digest
    for file in CATALOG[model].files:
        (home / file.name).parent.mkdir(parents=True, exist_ok=True)
        (home / file.name).touch()


def of_download(done_bytes: int) -> FetchProgress:
    return FetchProgress("big", "part 1", done_bytes, 1_200_000_000, elapsed_s=1.0)


def test_the_demo_takes_in_sample_conversations_that_are_there():
    script = DemoScript.read(REPOSITORY / "data" / "demo" / "support-questions.yaml")

    assert len(script.questions) == 4
    assert len(script.transcripts) == 6
    for name in script.transcripts:
        assert (REPOSITORY / "data" / "transcripts" / name).is_file()
