"""What an embedded model has read ahead, and what is said when it cannot."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conversation.errors import ModelError
from conversation.llm.engine.server import EngineOptions
from conversation.llm.providers.embedded_engine import Engine, configure_engine, known_states
from conversation.llm.providers.embedded_memory import EmbeddedPromptMemory
from tests.conversation.llm.engine.fake_server import FakeServer

TEXT = "You are the agent of a shop."


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF" + bytes(200))
    return path


@pytest.fixture
def engine(weights: Path) -> Iterator[Engine]:
    def start(_path: Path, options: EngineOptions, folder: Path) -> FakeServer:
        return FakeServer(folder, slots=options.parallel)

    engine = Engine(weights, EngineOptions(), states=known_states(weights), start_server=start)
    yield engine
    engine.close()


def memory(
    weights: Path, engine: Engine, free_bytes: Callable[[Path], int] = lambda _folder: 10**12
) -> EmbeddedPromptMemory:
    return EmbeddedPromptMemory(
        "embedded/own", lambda: weights, engine=lambda _path: engine, free_bytes=free_bytes
    )


def test_what_was_read_is_not_read_again(weights: Path, engine: Engine, tmp_path: Path):
    own = memory(weights, engine)
    assert not own.has(TEXT, tmp_path / "prompts")

    first = own.make(TEXT, tmp_path / "prompts")
    again = own.make(TEXT, tmp_path / "prompts")

    assert (first.tokens, first.was_there) == (len("<system>" + TEXT), False)
    assert again == type(again)(first.tokens, first.size_bytes, was_there=True)
    assert own.has(TEXT, tmp_path / "prompts")
    assert own.has("You are the agent", tmp_path / "prompts")
    assert not own.has("You are another", tmp_path / "prompts")


def test_other_weights_know_nothing_of_it(weights: Path, engine: Engine, tmp_path: Path):
    own = memory(weights, engine)
    own.make(TEXT, tmp_path / "prompts")

    weights.write_bytes(b"GGUF" + bytes(201))

    assert not own.has(TEXT, tmp_path / "prompts")


def test_a_text_that_leaves_no_room_is_said(weights: Path, engine: Engine, tmp_path: Path):
    configure_engine(weights, EngineOptions(context_tokens=4 * 2_000))

    with pytest.raises(ModelError, match=r"less than 1,500 tokens.*whole_knowledge_base_tokens"):
        memory(weights, engine).make(TEXT * 100, tmp_path / "prompts")

    assert not (tmp_path / "prompts").exists()


def test_a_full_disk_is_said(weights: Path, engine: Engine, tmp_path: Path):
    with pytest.raises(ModelError, match="only 5 MB are free"):
        memory(weights, engine, lambda _folder: 5_000_000).make(TEXT, tmp_path / "prompts")


def test_a_place_that_cannot_be_written_is_said(weights: Path, engine: Engine, tmp_path: Path):
    (tmp_path / "prompts").write_text("a file")

    with pytest.raises(ModelError, match="not read ahead"):
        memory(weights, engine).make(TEXT, tmp_path / "prompts")
