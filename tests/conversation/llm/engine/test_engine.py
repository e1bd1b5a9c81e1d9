"""The engine on a server in place of llama.cpp's: what is read, kept and restored."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversation.llm.engine.known_states import KnownStates
from conversation.llm.engine.server import EngineOptions
from conversation.llm.providers.embedded_engine import Engine, EngineRequestError
from tests.conversation.llm.engine.fake_server import FakeServer

DOCUMENTS = "Refunds take 14 days. " * 50


@pytest.fixture
def states() -> KnownStates:
    return KnownStates()


@pytest.fixture
def servers() -> list[FakeServer]:
    return []


@pytest.fixture
def engine(states: KnownStates, servers: list[FakeServer]) -> Iterator[Engine]:
    engine = started(states, servers)
    yield engine
    engine.close()


def started(states: KnownStates, servers: list[FakeServer]) -> Engine:
    def start(_path: Path, options: EngineOptions, folder: Path) -> FakeServer:
        servers.append(FakeServer(folder, slots=options.parallel))
        return servers[-1]

    return Engine(Path(__file__), EngineOptions(), states=states, start_server=start)


def ask(engine: Engine, *said: str, system: str = DOCUMENTS) -> str:
    """The answer to the last of what was said, by the user and the agent in turn."""
    chunks: list[dict[str, Any]] = []
    roles = ["user", "assistant"] * len(said)
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    request = {"messages": [{"role": "system", "content": system}, *messages]}
    engine.generate(request, chunks.append, stopped=lambda: False)
    return "".join(
        choice["delta"].get("content", "") for each in chunks for choice in each.get("choices", [])
    )


def warm(engine: Engine, *said: str, is_wanted: bool = True) -> None:
    """Read ahead what the user and the agent said in turn; the last of it may go on."""
    roles = ["user", "assistant"] * len(said)
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    system = {"role": "system", "content": DOCUMENTS}
    engine.warm([system, *messages], is_wanted=lambda: is_wanted)


def test_what_was_read_ahead_is_not_read_again(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    state = engine.make_state(DOCUMENTS, tmp_path / "prompts")
    assert state is not None
    assert state.tokens == len("<system>" + DOCUMENTS)
    servers[0].read_chars.clear()

    assert ask(engine, "How long?") == "All right. "
    assert ask(engine, "Hello?", system=f"{DOCUMENTS}\n\nYou are Ann.") == "All right. "

    assert servers[0].read_chars == [
        len("</s><user>How long?</s>"),
        len("\n\nYou are Ann.</s><user>Hello?</s>"),
    ]


def test_it_lasts_beyond_the_process(
    states: KnownStates, servers: list[FakeServer], tmp_path: Path, engine: Engine
):
    state = engine.make_state(DOCUMENTS, tmp_path / "prompts")
    assert state is not None
    other = KnownStates()
    other.add(state)
    later = started(other, servers)

    ask(later, "How long?")

    assert servers[1].restored
    assert servers[1].read_chars == [len("</s><user>How long?</s>")]
    later.close()


def test_a_conversation_reads_its_new_words_alone(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    servers[0].answer = "Yes."
    for other in range(3):
        ask(engine, f"Another conversation {other}")
    ask(engine, "How long?")
    restored = len(servers[0].restored)

    ask(engine, "How long?", "Yes.", "Really?")

    assert servers[0].read_chars[-1] <= len("</s><user>Really?</s>") + len("<assistant>Yes.</s>")
    assert len(servers[0].restored) == restored


def test_a_state_that_comes_back_short_is_not_used_again(
    engine: Engine, servers: list[FakeServer], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    servers[0].lost_tokens = 7

    for number in range(3):
        assert ask(engine, f"How long? {number}") == "All right. "

    assert len(servers[0].restored) == 1
    assert "is not used any more" in caplog.text
    assert "Refunds" not in caplog.text


def test_a_state_that_cannot_be_restored_is_done_without(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    state = engine.make_state(DOCUMENTS, tmp_path / "prompts")
    assert state is not None
    state.path.write_bytes(b"x" * state.size_bytes)

    assert ask(engine, "How long?") == "All right. "
    assert ask(engine, "How long?", system=DOCUMENTS + "!") == "All right. "

    assert servers[0].restored == []


def test_a_state_that_was_deleted_is_done_without(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    state = engine.make_state(DOCUMENTS, tmp_path / "prompts")
    assert state is not None
    state.path.unlink()

    assert ask(engine, "How long?") == "All right. "

    assert servers[0].restored == []


def test_a_state_may_be_stopped(engine: Engine, tmp_path: Path):
    assert engine.make_state(DOCUMENTS, tmp_path / "prompts", stopped=lambda: True) is None
    assert not (tmp_path / "prompts").exists()
    assert engine.running == 0


def test_progress_is_told_in_tokens(engine: Engine, tmp_path: Path):
    told: list[tuple[int, int]] = []

    engine.make_state(DOCUMENTS, tmp_path / "prompts", on_read=lambda *each: told.append(each))

    total = len("<system>" + DOCUMENTS)
    assert told == [(0, total), (total, total)]


def test_a_system_message_is_read_before_the_first_question(
    engine: Engine, servers: list[FakeServer]
):
    begun = [{"role": "system", "content": DOCUMENTS}, {"role": "user", "content": "If not told, "}]
    engine.warm(begun)
    engine.warm(begun)
    assert servers[0].read_chars == [len(f"<system>{DOCUMENTS}</s><user>If not told, ")]

    ask(engine, "If not told, how long?")

    assert servers[0].read_chars[1:] == [len("how long?</s>")]


def test_the_next_question_is_all_that_a_later_turn_reads(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    ask(engine, "(Rule) How long?")
    servers[0].read_chars.clear()
    servers[0].restored.clear()

    warm(engine, "(Rule) How long?", "What was said instead.", "(Rule) ")
    ask(engine, "(Rule) How long?", "What was said instead.", "(Rule) Really?")

    assert servers[0].read_chars[1:] == [len("Really?</s>")]
    assert servers[0].restored == []


def test_the_next_turn_is_read_where_the_answer_before_it_still_ends(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    servers[0].may_go_on.clear()
    answering = threading.Thread(target=ask, args=[engine, "How long?"])
    answering.start()
    deadline = time.monotonic() + 30
    while servers[0].at_once < 1:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    reading = threading.Thread(target=warm, args=[engine, "How long?", "I don't know.", "And"])
    reading.start()
    reading.join(0.05)
    assert reading.is_alive()
    servers[0].may_go_on.set()
    answering.join(30)
    reading.join(30)

    held = f"<system>{DOCUMENTS}</s><user>How long?</s><assistant>I don't know.</s><user>And"
    assert servers[0].held.count(held) == 1
    assert sum("How long?" in each for each in servers[0].held) == 1


@pytest.mark.parametrize("is_wanted", [True, False])
def test_what_nobody_is_going_to_ask_is_not_read(
    is_wanted: bool, engine: Engine, servers: list[FakeServer]
):
    warm(engine, "", is_wanted=is_wanted)

    assert bool(servers[0].read_chars) == is_wanted
    assert engine.running == 0


def test_nothing_is_read_ahead_while_others_wait(engine: Engine, servers: list[FakeServer]):
    servers[0].may_go_on.clear()
    threads = [threading.Thread(target=ask, args=[engine, f"No. {n}"]) for n in range(5)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while not engine.is_full:
        assert time.monotonic() < deadline
        time.sleep(0.001)

    warm(engine, "Something else")

    servers[0].may_go_on.set()
    for thread in threads:
        thread.join(30)
    assert not any("Something else" in held for held in servers[0].held)


def test_a_template_that_leaves_messages_out_is_said(
    engine: Engine, servers: list[FakeServer], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(servers[0], "rendered", lambda messages: messages[0]["content"])

    with pytest.raises(EngineRequestError, match="leaves messages out"):
        warm(engine, "How long?")

    assert engine.running == 0


def test_what_was_stopped_while_it_was_read_counts_as_nothing(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    request = {"messages": [{"role": "system", "content": DOCUMENTS}]}
    calls = 0

    def stopped() -> bool:
        nonlocal calls
        calls += 1
        return calls > 2  # when it is read

    engine.generate(request, lambda _chunk: None, stopped=stopped)
    restored = len(servers[0].restored)
    ask(engine, "How long?")

    assert len(servers[0].restored) == restored + 1
    assert engine.running == 0


def test_a_refusal_gives_its_slot_back(engine: Engine, servers: list[FakeServer]):
    servers[0].refuses = "the request exceeds the available context size"

    for _ in range(6):
        with pytest.raises(EngineRequestError, match="exceeds"):
            ask(engine, "How long?")

    assert engine.running == 0


def test_more_conversations_than_slots_all_end(
    engine: Engine, servers: list[FakeServer], tmp_path: Path
):
    engine.make_state(DOCUMENTS, tmp_path / "prompts")
    servers[0].may_go_on.clear()
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(ask(engine, f"No. {number}")))
        for number in range(9)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while servers[0].at_once < 4:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    servers[0].may_go_on.set()
    for thread in threads:
        thread.join(30)

    assert answers == ["All right. "] * 9
    assert servers[0].most_at_once == 4
    assert all(read < 100 for read in servers[0].read_chars[1:])


def test_closing_ends_what_is_running(engine: Engine, servers: list[FakeServer]):
    servers[0].may_go_on.clear()
    thread = threading.Thread(target=lambda: ask(engine, "How long?"))
    thread.start()
    deadline = time.monotonic() + 30
    while servers[0].at_once < 1:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    servers[0].may_go_on.set()

    engine.close()
    thread.join(30)

    assert engine.running == 0
    assert not servers[0].folder.exists()
