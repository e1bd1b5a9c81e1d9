"""What an agent file says of an endpoint holds for every model: nothing reaches another one."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from analysis import analyse_transcript
from analysis.evaluation.run import evaluate_conversations
from conversation import AgentConfigError, Session, load_agent, parse_agent, save_agent, simulate
from conversation.agent.config import AgentConfig, QueryRewritingConfig
from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.errors import SpeechError
from conversation.grounding.query_rewriting import rewriting_messages
from conversation.llm.open_model import open_named_model
from conversation.prompt.summary import is_wanted
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript, Turn
from conversation.voice.hearing.provider_transcriber import ProviderTranscriber
from conversation.voice.speaking.open_speech import open_speech
from kb.embedding.open_embedder import open_embedder
from kb.errors import KnowledgeBaseError
from kb.knowledge_base import KnowledgeBase
from tests.analysis.calls import DAY, hold_call, open_stores
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub
from tests.kb.conftest import UNLIMITED, WordEmbedder

VERDICT = json.dumps(
    {
        "verdict": "success",
        "turn": 2,
        "quote": "five days",
        "rationale": "It was answered.",
        "conclusion": "success",
    }
)
PLAYED = json.dumps({"says": "How long do refunds take?", "hangs_up": False})
CALL = Transcript(
    conversation_id="c1",
    agent_id="desk",
    started_at=DAY,
    turns=(
        Turn(role="user", text="How long do refunds take?"),
        Turn(role="agent", text="Refunds take five days."),
    ),
)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIStub]:
    """Where the provider is that the environment names."""
    with openai_stub() as stub:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            monkeypatch.setenv(name, stub.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-provider")
        monkeypatch.setenv("OWN_KEY", "sk-own")
        yield stub


@pytest.fixture
def own() -> Iterator[OpenAIStub]:
    with openai_stub() as stub:
        yield stub


def agent_of(text: str, own: OpenAIStub) -> AgentConfig:
    return parse_agent(
        text.replace("OWN", f"api_base: '{own.base_url}', api_key_env: OWN_KEY"), origin="desk.yaml"
    )


def judged(agent: AgentConfig) -> None:
    found = analyse_transcript(
        CALL, agent.criteria, agent.data_collection, judge=agent.judge, summary=True
    )
    assert [each.error for each in found.evaluations] == [None] * len(agent.criteria)


def judged_by_a_string(agent: AgentConfig) -> None:
    """Only the criterion says where its judge is."""
    found = analyse_transcript(CALL, agent.criteria, [], judge="openai/second", summary=False)
    assert found.evaluations[0].error is None


def answered(agent: AgentConfig) -> None:
    with ConversationStore.open("sqlite://") as store, Session.start(agent, store=store) as session:
        list(session.reply("How long do refunds take?"))


def summarised(agent: AgentConfig) -> None:
    assert is_wanted(agent)
    with ConversationStore.open("sqlite://") as store, Session.start(agent, store=store) as session:
        for number in range(8):
            list(session.reply(f"Question {number}: {'how long do refunds take, and why? ' * 20}"))


def played(agent: AgentConfig) -> None:
    with ConversationStore.open("sqlite://") as store:
        simulate(agent, "a customer", max_turns=1, store=store)


def rewritten(agent: AgentConfig) -> None:
    """Two turns, since the first of a conversation stands alone."""
    with (
        TemporaryDirectory() as folder,
        KnowledgeBase(Path(folder), UNLIMITED, embedder=WordEmbedder, read_only=False) as shelf,
        ConversationStore.open("sqlite://") as store,
    ):
        shelf.add_text("Refunds", "Refunds take five days.")
        with Session.start(agent, knowledge_base=shelf, store=store) as session:
            list(session.reply("How long do refunds take?"))
            list(session.reply("And are those days working days?"))


def overridden(agent: AgentConfig) -> None:
    """A file whose model a caller replaced: its rewriter stays where it was."""
    rewritten(agent.model_copy(update={"llm": agent.llm.replaced_by(EXTRACTIVE)}))


def overridden_judged(agent: AgentConfig) -> None:
    judged(agent.model_copy(update={"llm": agent.llm.replaced_by(EXTRACTIVE)}))


def embedded(agent: AgentConfig) -> None:
    with pytest.raises(KnowledgeBaseError):  # the stub knows no embeddings
        open_embedder(agent.knowledge_base.embedding).embed(["refunds"])


def awaited(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run on a thread of its own: a loop that is closed here would be missed by later tests."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def spoken(agent: AgentConfig) -> None:
    assert agent.voice is not None
    # No embedded voice speaks German, so that none has to be there.
    speech = open_speech(agent.voice, language="de")

    async def speak() -> None:
        async for _ in speech.speak("Guten Tag.", language="de", is_first=True):
            pass

    with pytest.raises(SpeechError):  # the stub has no sound
        awaited(speak())


def heard(agent: AgentConfig) -> None:
    assert agent.voice is not None
    ears = agent.voice.stt
    for named in (ears, *ears.fallbacks):
        transcriber = ProviderTranscriber(
            named.model,
            api_base=named.api_base,
            api_key_variable=named.api_key_variable,
            secret=os.environ.get,
        )
        with pytest.raises(SpeechError):  # the stub has no ears
            awaited(transcriber.transcribe(np.zeros(1_600, dtype=np.int16)))


CRITERION = "agent_id: desk\nname: Desk\ncriteria: [{id: helped, prompt: It helped.}]\n"
CASES: dict[str, tuple[str, Callable[[AgentConfig], None], tuple[Reply, ...]]] = {
    "the agent's own model judges": (
        f"{CRITERION}llm: {{model: openai/own, OWN}}\nanalysis: {{summary: false}}",
        judged,
        (Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "a judge": (
        f"{CRITERION}analysis: {{judge: {{model: openai/own, OWN}}}}",
        judged,
        (Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "the short form, of the agent's model": (
        f"{CRITERION}llm: {{model: openai/own, OWN}}\nanalysis: {{judge: openai/own}}",
        judged,
        (Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "the short form, of a fallback": (
        f"{CRITERION}llm: {{fallbacks: [{{model: openai/own, OWN}}]}}\n"
        "analysis: {judge: openai/own}",
        judged,
        (Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "a panel": (
        f"{CRITERION}analysis: {{judges: [{{model: openai/a, OWN}}, {{model: openai/b, OWN}}]}}",
        judged,
        (Reply(("Hi",)), Reply(("Hi",)), Reply((VERDICT,)), Reply((VERDICT,))),
    ),
    "the judge of a criterion": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/second, OWN}\n"
        "analysis: {summary: false}\n"
        "criteria: [{id: helped, prompt: It helped., judge: {model: openai/own, OWN}}]",
        judged,
        (Reply(("Hi",)), Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "the panel of a criterion": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/a, OWN}\nanalysis: {summary: false}\n"
        "criteria: [{id: helped, prompt: It helped., judges: [{model: openai/b, OWN}, openai/a]}]",
        judged,
        (Reply(("Hi",)), Reply(("Hi",)), Reply((VERDICT,)), Reply((VERDICT,))),
    ),
    "a fallback": (
        "agent_id: desk\nname: Desk\n"
        "llm: {model: openai/first, OWN, fallbacks: [{model: openai/own, OWN}]}",
        answered,
        (Reply(("Hi",)), Reply(("Hi",)), Reply(status=400)),
    ),
    "summaries of long conversations": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/own, OWN}\n"
        "prompt: {summarise_history: true, max_history_tokens: 200}",
        summarised,
        (),
    ),
    "a played user": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/own, OWN}",
        played,
        (Reply(("Hi",)), Reply((PLAYED,))),
    ),
    "rewriting by the agent's model": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/own, OWN}\n"
        "knowledge_base: {query_rewriting: {enabled: true}}",
        rewritten,
        (),
    ),
    "rewriting by a fallback": (
        "agent_id: desk\nname: Desk\n"
        "llm: {model: embedded/extractive, fallbacks: [{model: openai/own, OWN}]}\n"
        "knowledge_base: {query_rewriting: {enabled: true, model: openai/own}}",
        rewritten,
        (),
    ),
    "rewriting by another model": (
        "agent_id: desk\nname: Desk\nllm: {model: embedded/extractive}\n"
        "knowledge_base: {query_rewriting: {enabled: true, model: {model: openai/own, OWN}}}",
        rewritten,
        (),
    ),
    "rewriting by the model of the file, where another one answers": (
        "agent_id: desk\nname: Desk\nllm: {model: openai/own, OWN}\n"
        "knowledge_base: {query_rewriting: {enabled: true, model: openai/own}}",
        overridden,
        (),
    ),
    "judging by the model of the file, where another one answers": (
        f"{CRITERION}llm: {{model: openai/own, OWN}}\nanalysis: {{judge: openai/own}}",
        overridden_judged,
        (Reply(("Hi",)), Reply((VERDICT,))),
    ),
    "embedding": (
        "agent_id: desk\nname: Desk\nknowledge_base: {embedding: {model: litellm/openai/own, OWN}}",
        embedded,
        (Reply(status=400),) * 9,
    ),
    "a voice": (
        "agent_id: desk\nname: Desk\nvoice: {voice_id: alloy, tts: {model: openai/tts-1, OWN}}",
        spoken,
        (Reply(status=400),) * 9,
    ),
    "a fallback of a voice": (
        "agent_id: desk\nname: Desk\nvoice: {voice_id: alloy, tts: {model: openai/tts-1, OWN, "
        "fallbacks: [{model: openai/gpt-4o-mini-tts, OWN}]}}",
        spoken,
        (Reply(status=400),) * 9,
    ),
    "ears and their fallback": (
        "agent_id: desk\nname: Desk\nvoice: {stt: {model: openai/whisper-1, OWN, "
        "fallbacks: [{model: openai/gpt-4o-transcribe, OWN}]}}",
        heard,
        (Reply(status=400),) * 9,
    ),
}


@pytest.fixture(autouse=True)
def a_loop_of_its_own() -> Iterator[None]:
    """litellm makes an event loop in a thread that has none, and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize("case", CASES)
def test_nothing_reaches_another_endpoint(case: str, own: OpenAIStub, elsewhere: OpenAIStub):
    text, use, script = CASES[case]
    own.script = list(script)

    use(agent_of(text, own))

    assert own.requests, "the agent's own endpoint was not asked"
    assert {*own.keys} == {"Bearer sk-own"}
    assert elsewhere.requests == []
    if use in (rewritten, overridden):
        rules = rewriting_messages("", (), QueryRewritingConfig())[0].content
        assert rules in [each["messages"][0]["content"] for each in own.requests]


def test_the_settings_of_commands_are_none_of_python(
    tmp_path: Path, own: OpenAIStub, elsewhere: OpenAIStub, monkeypatch: pytest.MonkeyPatch
):
    """As the README says: code names the model itself."""
    monkeypatch.setenv("VIVAVOCE_LLM", "openai/of-a-setting")
    monkeypatch.setenv("VIVAVOCE_JUDGE", "openai/of-a-setting")
    place = tmp_path / "desk.yaml"
    text = CASES["the agent's own model judges"][0]
    place.write_text(text.replace("OWN", f"api_base: '{own.base_url}', api_key_env: OWN_KEY"))
    agent = load_agent(place)
    own.script = [Reply(("Hi",)), Reply(("Hi",)), Reply(("Hi",)), Reply((VERDICT,))]

    answered(agent)
    judged(agent)

    assert {each["model"] for each in own.requests} == {"own"}
    assert elsewhere.requests == []
    assert load_agent(place, override_llm="openai/other").llm.model == "openai/other"


def test_the_judge_of_a_criterion_is_reached_without_the_agent(
    own: OpenAIStub, elsewhere: OpenAIStub
):
    agent = agent_of(
        "agent_id: desk\nname: Desk\n"
        "criteria: [{id: helped, prompt: It helped., judge: {model: openai/own, OWN}}]",
        own,
    )
    own.script = [Reply(("Hi",)), Reply((VERDICT,))]

    judged_by_a_string(agent)

    assert len(own.requests) == 2
    # The default judge was looked at, as its string says, and saw nothing of the conversation.
    assert "refund" not in json.dumps(elsewhere.requests)


def test_two_agents_reach_the_same_model_each_where_its_file_says(
    tmp_path: Path, own: OpenAIStub, elsewhere: OpenAIStub
):
    with openai_stub() as other, open_stores(tmp_path) as stores:
        text = f"{CRITERION}llm: {{model: openai/own, OWN}}\nanalysis: {{summary: false}}"
        first = agent_of(text, own).model_copy(update={"agent_id": "shop-desk"})
        second = agent_of(text, other).model_copy(update={"agent_id": "another"})
        hold_call(stores.conversations, "c1", question="How long do refunds take, Ann?")
        own.script = [Reply(("Hi",)), Reply((VERDICT,))]

        run = evaluate_conversations(
            stores.conversations, stores.evaluations, [second, first], open_model=open_named_model
        )

        assert (run.evaluated, run.answers) == (1, 1)
        assert len(own.requests) == 2
        assert other.requests == elsewhere.requests == []


def test_endpoints_of_judges_survive_saving(tmp_path: Path, own: OpenAIStub):
    agent = agent_of(CASES["the panel of a criterion"][0], own)
    agent = agent.model_copy(update={"analysis": agent_of(CASES["a panel"][0], own).analysis})
    save_agent(agent, tmp_path / "desk.yaml")
    assert load_agent(tmp_path / "desk.yaml") == agent


@pytest.mark.parametrize(
    ("judge", "reason"),
    [
        ("{modl: openai/own}", "needs its `model`"),
        ("{model: openai/own, api_bse: 'http://x'}", "did you mean 'api_base'"),
        ("{model: openai/own, api_key_env: HOME}", "api_key_env"),
        ("{model: openai/own, api_base: 'http://x'}", "two endpoints or keys"),
    ],
)
def test_a_judge_that_is_written_wrong_is_named(judge: str, reason: str):
    criterion = "{id: helped, prompt: It helped., judge: {model: openai/own, api_base: 'http://y'}}"
    with pytest.raises(AgentConfigError, match=reason):
        parse_agent(
            f"agent_id: desk\nname: Desk\ncriteria: [{criterion}]\nanalysis: {{judge: {judge}}}",
            origin="desk.yaml",
        )


def test_an_embedder_without_its_key_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OWN_KEY", raising=False)
    config: Any = parse_agent(
        "agent_id: desk\nname: Desk\n"
        "knowledge_base: {embedding: {model: litellm/openai/own, api_key_env: OWN_KEY}}",
        origin="desk.yaml",
    ).knowledge_base.embedding
    with pytest.raises(KnowledgeBaseError, match="needs OWN_KEY"):
        open_embedder(config).embed(["refunds"])
