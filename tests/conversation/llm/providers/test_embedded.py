"""Embedded models: what can go wrong without weights, and the real engine on SmolLM2 (slow)."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from conversation.errors import ModelError, ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, ChatModel, Completion, CompletionOptions
from conversation.llm.generator import prompt_memory
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.embedded import embedded_models
from conversation.llm.providers.embedded_engine import shared_engine
from kb.weights.folder import Weights
from tests.fakes import SilentReporter

MODEL = "embedded/smollm2-135m-instruct"
RULES = "You answer questions about a shop. " + "Refunds take five days. " * 40
LONG = CompletionOptions(max_output_tokens=600)
SHORT = CompletionOptions(max_output_tokens=12)
SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"enum": ["success", "failure", "unknown"]},
        "turns": {"type": "integer"},
    },
    "required": ["verdict", "turns"],
    "additionalProperties": False,
}


def ask(question: str, system: str = "You are brief.") -> list[ChatMessage]:
    return [ChatMessage("system", system), ChatMessage("user", question)]


@pytest.mark.parametrize("model", ["embedded/qwen2.5-coder", "embedded/all-MiniLM-L6-v2"])
def test_an_unknown_model_lists_those_that_exist(model: str):
    with pytest.raises(ModelSetupError) as raised:
        open_chat_model(model).check()
    assert all(known in str(raised.value) for known in embedded_models())


def test_a_missing_file_of_ones_own_is_said(tmp_path: Path):
    with pytest.raises(ModelSetupError, match=r"own\.gguf', and there is none"):
        open_chat_model(f"embedded/{tmp_path / 'own.gguf'}").check()


def test_a_file_that_is_no_gguf_is_said(tmp_path: Path):
    path = tmp_path / "own.gguf"
    path.write_bytes(b"PK\x03\x04 something else")

    with pytest.raises(ModelSetupError, match="is no GGUF file"):
        open_chat_model(f"embedded/{path}").check()


@pytest.mark.slow
def test_a_broken_gguf_is_said(tmp_path: Path):
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 20)

    with pytest.raises(ModelError, match=r"llama\.cpp cannot load own\.gguf"):
        open_chat_model(f"embedded/{path}").complete(ask("Hi"))


def test_missing_weights_are_said_before_any_work(tmp_path: Path):
    nowhere = Weights(tmp_path, ("folder",), SilentReporter())

    with pytest.raises(ModelSetupError, match="could not be fetched"):
        open_chat_model(MODEL, weights=nowhere).check()


def test_wrong_weights_are_said_before_any_work(tmp_path: Path):
    folder = tmp_path / "smollm2-135m-instruct"
    folder.mkdir()
    (folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF, but another one")
    weights = Weights(tmp_path, ("folder",), SilentReporter())

    with pytest.raises(ModelSetupError, match="expected sha256 b179c9523d0e6a0f"):
        open_chat_model(MODEL, weights=weights).check()


class RecordingEngine:
    """Stands in for llama.cpp: keeps what it is asked, and answers with nothing but braces."""

    def __init__(self) -> None:
        self.requests: list[Mapping[str, Any]] = []

    def generate(
        self,
        request: Mapping[str, Any],
        on_chunk: Callable[[dict[str, Any]], None],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        self.requests.append(request)
        on_chunk({"choices": [{"delta": {"content": "{}"}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
        on_chunk({"choices": [], "usage": usage})


def test_an_answer_may_have_one_form_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    engine, path = RecordingEngine(), tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setattr("conversation.llm.providers.embedded.shared_engine", lambda _: engine)
    either = {"anyOf": [{"type": "object", "properties": {}, "required": []}, SCHEMA]}

    answer = open_chat_model(f"embedded/{path}").complete(
        ask("Hi"), CompletionOptions(schema=either)
    )

    assert answer.text == "{}"
    assert engine.requests[0]["response_format"]["json_schema"]["schema"] == either


@pytest.fixture(scope="module")
def smollm2() -> ChatModel:
    model = open_chat_model(MODEL)
    model.check()
    return model


@pytest.mark.slow
def test_streamed_and_buffered_answers_are_the_same(smollm2: ChatModel):
    *deltas, completion = smollm2.stream(ask("What is a refund?"), SHORT)

    assert isinstance(completion, Completion)
    assert len(deltas) > 3
    assert "".join(map(str, deltas)) == completion.text
    assert smollm2.complete(ask("What is a refund?"), SHORT).text == completion.text


@pytest.mark.slow
def test_usage_is_measured_and_free(smollm2: ChatModel):
    usage = smollm2.complete(ask("Count to three."), SHORT).usage

    assert usage.source == "measured"
    assert usage.cost_usd == 0
    assert 10 < usage.input_tokens < 60
    assert usage.output_tokens <= 12


@pytest.mark.slow
@pytest.mark.parametrize("question", ["Was the call a success?", "]]}} ```json", "4711"])
def test_answers_follow_the_schema_whatever_is_asked(smollm2: ChatModel, question: str):
    completion = smollm2.complete(ask(question), CompletionOptions(schema=SCHEMA))

    answer = json.loads(completion.text)
    assert set(answer) == {"verdict", "turns"}
    assert answer["verdict"] in ("success", "failure", "unknown")


@pytest.mark.slow
def test_first_token_probabilities_are_reported(smollm2: ChatModel):
    options = CompletionOptions(max_output_tokens=1, top_logprobs=20)

    logprobs = smollm2.complete(ask("Say yes or no."), options).top_logprobs

    assert logprobs is not None
    assert len(logprobs) >= 15  # tokens that are parts of one character share a text
    assert all(value <= 0 for value in logprobs.values())
    assert list(logprobs.values()) == sorted(logprobs.values(), reverse=True)


@pytest.mark.slow
def test_the_next_turn_finds_its_prefix_in_the_cache(smollm2: ChatModel):
    first = smollm2.complete(ask("Hello?", RULES + "prefix test"), SHORT)
    turns = [
        *ask("Hello?", RULES + "prefix test"),
        ChatMessage("assistant", first.text),
        ChatMessage("user", "And shipping?"),
    ]

    second = smollm2.complete(turns, SHORT)

    assert second.usage.cached_input_tokens >= first.usage.input_tokens - 8


@pytest.mark.slow
async def test_interleaved_conversations_each_keep_their_prefix(smollm2: ChatModel):
    systems = [f"Shop number {number}. " + RULES for number in range(4)]
    for system in systems:
        await smollm2.acomplete(ask("Hello?", system), SHORT)

    again = await asyncio.gather(
        *(smollm2.acomplete(ask("Hello again?", system), SHORT) for system in systems)
    )

    for completion in again:
        assert completion.usage.cached_input_tokens > 0.8 * completion.usage.input_tokens


@pytest.mark.slow
async def test_conversations_at_once_share_what_was_read_ahead(smollm2: ChatModel, tmp_path: Path):
    memory = prompt_memory(smollm2)
    assert memory is not None
    system = "You are the desk of a shop. " + RULES
    made = memory.make(system, tmp_path / "prompts")
    memory.prepare([ChatMessage("system", system), ChatMessage("user", "")], tmp_path / "prompts")

    first = await asyncio.gather(
        *(smollm2.acomplete(ask(f"Customer {number} here.", system), SHORT) for number in range(6))
    )

    assert made.size_bytes > 20_000 * made.tokens
    for completion in first:
        assert completion.usage.cached_input_tokens >= made.tokens - 2


@pytest.mark.slow
async def test_concurrent_sessions_do_not_mix(smollm2: ChatModel):
    questions = [f"Repeat this number: {number}" for number in (11, 22, 33, 44, 55, 66)]
    alone = [smollm2.complete(ask(question), SHORT).text for question in questions]

    together = await asyncio.gather(
        *(smollm2.acomplete(ask(question), SHORT) for question in questions)
    )

    # Batches of different sizes round differently, so that a word may differ: not the number.
    for question, one, other in zip(questions, alone, together, strict=True):
        number = question[-2:]
        assert (number in one) == (number in other.text)


@pytest.mark.slow
def test_closing_a_stream_stops_the_generation(smollm2: ChatModel):
    stream = smollm2.stream(ask("Write a very long story."), LONG)
    next(stream)

    stream.close()

    assert is_idle_soon()


@pytest.mark.slow
def test_a_stream_can_be_closed_while_its_prompt_is_read(smollm2: ChatModel):
    prompt = ask("word " * 6_000)
    stream = smollm2.stream(prompt, CompletionOptions(first_token_timeout_s=0.3))

    with pytest.raises(ModelUnavailableError, match="did not begin to answer"):
        next(stream)

    assert is_idle_soon()


@pytest.mark.slow
def test_a_prompt_that_is_too_long_is_said(smollm2: ChatModel):
    with pytest.raises(ModelError, match="longer than 'embedded/smollm2-135m-instruct' can read"):
        smollm2.complete(ask("word " * 9_000), SHORT)


@pytest.mark.slow
def test_more_sessions_than_slots_all_get_an_answer(smollm2: ChatModel):
    answers: list[str] = []

    def run(number: int) -> None:
        answers.append(smollm2.complete(ask(f"Say {number}."), SHORT).text)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert all(answers)


@pytest.mark.slow
def test_the_local_port_of_the_engine_asks_for_a_key(smollm2: ChatModel):
    smollm2.complete(ask("Hi"), SHORT)
    address = shared_engine(gguf())._server.address  # pyright: ignore
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode()

    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{address}/v1/chat/completions", data=body)
    with raised.value as refused:
        assert refused.code == 401


@pytest.mark.slow
def test_it_works_with_the_network_closed(smollm2: ChatModel, closed_network: list[str]):
    model = open_chat_model(MODEL)
    model.check()

    assert model.complete(ask("Hi"), SHORT).text
    assert set(closed_network) <= {"127.0.0.1"}


@pytest.mark.slow
def test_litellm_knows_the_provider_by_name(smollm2: ChatModel):
    smollm2.complete(ask("Hi"), SHORT)
    import litellm

    answer = litellm.completion(  # pyright: ignore[reportUnknownMemberType]
        MODEL, messages=[{"role": "user", "content": "Say hi"}], max_tokens=5
    )

    assert answer.choices[0].message.content  # pyright: ignore


@pytest.mark.slow
def test_a_process_ends_by_itself_in_the_middle_of_an_answer():
    program = (
        "import sys\n"
        "from conversation.llm.open_model import open_chat_model\n"
        "from conversation.llm.chat_model import ChatMessage, CompletionOptions\n"
        f"model = open_chat_model({MODEL!r})\n"
        "stream = model.stream([ChatMessage('user', 'Write a long story')], "
        "CompletionOptions(max_output_tokens=2000))\n"
        "print(next(stream))\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=Path(__file__).parents[4],
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
    assert result.stderr == ""


def gguf() -> Path:
    return Weights(progress=SilentReporter()).resolve_file("smollm2-135m-instruct")


def is_idle_soon() -> bool:
    """Whether the engine has nothing to do within some seconds."""
    engine = shared_engine(gguf())
    for _ in range(600):
        if engine.running == 0:
            return True
        time.sleep(0.1)
    return False
