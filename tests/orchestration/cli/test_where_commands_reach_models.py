"""Commands reach models where the agent file says, whatever an option or a setting names."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from conversation.store.store import ConversationStore
from orchestration.cli.main import app
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import DAY, hold_call
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub

VERDICT = json.dumps(
    {
        "verdict": "success",
        "turn": 2,
        "quote": "don't know",
        "rationale": "It was answered.",
        "conclusion": "success",
    }
)
PLAYED = json.dumps({"says": "How long do refunds take?", "hangs_up": False})
TITLE = json.dumps({"title": "Gift vouchers"})
OWN = "llm: {model: openai/own, HERE}"
FALLBACK = "llm: {model: openai/first, HERE, fallbacks: [{model: openai/own, HERE}]}"
JUDGED = "criteria: [{id: helped, prompt: It helped.}]"


@dataclass(frozen=True)
class Case:
    agent: tuple[str, ...]
    command: tuple[str, ...]
    reply: str = VERDICT
    settings: dict[str, str] = field(default_factory=dict[str, str])


CASES = {
    "titles of gaps, by the agent's model": Case(
        (OWN,), ("gaps", "--name-with", "openai/own"), TITLE
    ),
    "titles of gaps, by its judge": Case(
        ("analysis: {judge: {model: openai/own, HERE}}",),
        ("gaps", "--name-with", "openai/own"),
        TITLE,
    ),
    "names of topics, by a fallback": Case(
        (FALLBACK,), ("topics", "--name-with", "openai/own"), TITLE
    ),
    "another judge, that the agent answers with": Case(
        (OWN, JUDGED, "analysis: {judge: {model: openai/first, HERE}, summary: false}"),
        ("evaluate", "--judge", "openai/own"),
    ),
    "another judge, of a panel": Case(
        (JUDGED, "analysis: {judges: [{model: openai/own, HERE}, {model: openai/b, HERE}]}"),
        ("evaluate", "--judge", "openai/own"),
    ),
    "a panel of known judges": Case(
        (FALLBACK, JUDGED), ("evaluate", "--judge", "majority(openai/own, openai/first)")
    ),
    "who plays the user": Case(
        (FALLBACK,),
        ("simulate", "desk", "--turns", "1", "--user-model", "openai/own"),
        PLAYED,
    ),
    "who answers again": Case((OWN,), ("replay", "vain0"), "Refunds take five days."),
    "who answers again, as a fallback": Case(
        (FALLBACK,),
        ("replay", "vain0"),
        "Refunds take five days.",
        {"VIVAVOCE_LLM": "openai/own"},
    ),
    "the model of the settings, as the file has it": Case(
        (OWN,),
        ("simulate", "desk", "--turns", "1"),
        PLAYED,
        {"VIVAVOCE_LLM": "openai/own"},
    ),
    "who plays the user, where the settings say who answers": Case(
        (OWN,),
        ("simulate", "desk", "--turns", "1", "--user-model", "openai/own"),
        PLAYED,
        {"VIVAVOCE_LLM": "embedded/extractive"},
    ),
    "a judge in short form, where the settings say who answers": Case(
        (OWN, JUDGED, "analysis: {judge: openai/own}"),
        ("evaluate",),
        settings={"VIVAVOCE_LLM": "embedded/extractive"},
    ),
    "the judge of a criterion, where the settings say who answers": Case(
        (
            OWN,
            "criteria: [{id: helped, prompt: It helped., judge: openai/own}]",
            "analysis: {summary: false}",
        ),
        ("evaluate",),
        settings={"VIVAVOCE_LLM": "embedded/extractive"},
    ),
    "the judge of the settings, as the file has it": Case(
        (OWN, JUDGED), ("evaluate",), settings={"VIVAVOCE_JUDGE": "openai/own"}
    ),
    "the judge of the settings, as the file has its judge": Case(
        (JUDGED, "analysis: {judge: {model: openai/own, HERE}}"),
        ("evaluate",),
        settings={"VIVAVOCE_JUDGE": "openai/own"},
    ),
    "judge and model of the settings": Case(
        (FALLBACK, JUDGED),
        ("evaluate",),
        settings={"VIVAVOCE_JUDGE": "openai/own", "VIVAVOCE_LLM": "openai/first"},
    ),
    "titles of gaps, where the settings say who answers": Case(
        (OWN,),
        ("gaps", "--name-with", "openai/own"),
        TITLE,
        settings={"VIVAVOCE_LLM": "embedded/extractive"},
    ),
}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIStub]:
    """Where the provider is that the environment names."""
    with openai_stub() as stub:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            monkeypatch.setenv(name, stub.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-provider")
        monkeypatch.setenv("OWN_KEY", "sk-own")
        yield stub


@pytest.fixture(autouse=True)
def a_loop_of_its_own() -> Iterator[None]:
    """litellm makes an event loop in a thread that has none, and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def run(case: Case, own: OpenAIStub, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Result:
    here = f"api_base: '{own.base_url}', api_key_env: OWN_KEY"
    (folder / "data" / "agents").mkdir(parents=True)
    text = "\n".join(("agent_id: desk\nname: Desk", *case.agent)).replace("HERE", here)
    (folder / "data" / "agents" / "desk.yaml").write_text(text)
    (folder / "data" / "store").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "orchestration.operations.improving.open_embedder", lambda *_: WordsEmbedder()
    )
    for name, value in case.settings.items():
        monkeypatch.setenv(name, value)
    with ConversationStore.open("sqlite:///data/store/conversations.sqlite") as store:
        for number in range(3):
            hold_call(
                store,
                f"vain{number}",
                started_at=DAY,
                question="Can I pay with a gift voucher?",
                answer="I don't know.",
                agent_id="desk",
            )
    return CliRunner().invoke(app, list(case.command), catch_exceptions=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_command_reaches_no_other_endpoint(
    case: str, elsewhere: OpenAIStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with openai_stub(*[Reply((CASES[case].reply,))] * 40) as own:
        done = run(CASES[case], own, monkeypatch, tmp_path)

        assert done.exit_code == 0, done.output
        assert own.requests, done.output
        assert {*own.keys} == {"Bearer sk-own"}
        assert {each["model"] for each in own.requests} <= {"own", "first"}
        assert elsewhere.requests == []
