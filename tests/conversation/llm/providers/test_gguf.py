"""The header of a weights file says how much its model reads at once."""

import struct
from pathlib import Path

import pytest

from conversation.llm.generator import context_tokens
from conversation.llm.limits.contexts import parse_contexts
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.embedded_engine import embedded_context_tokens
from conversation.llm.providers.gguf import trained_context_tokens


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def a_file(path: Path, context: int) -> Path:
    entries = [
        text("general.name") + struct.pack("<I", 8) + text("own"),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc"),
        text("scores") + struct.pack("<IIQ", 9, 6, 3) + struct.pack("<fff", 1, 2, 3),
        text("own.flag") + struct.pack("<IB", 7, 1),
        text("own.context_length") + struct.pack("<II", 4, context),
    ]
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries))
    return path


def test_the_trained_context_bounds_what_an_embedded_judge_reads(tmp_path: Path):
    short, long = a_file(tmp_path / "s.gguf", 2_048), a_file(tmp_path / "l.gguf", 131_072)

    assert trained_context_tokens(short) == 2_048
    assert embedded_context_tokens(short) == 2_048
    assert embedded_context_tokens(long) == 8_192
    assert context_tokens(open_chat_model(f"embedded/{short}")) == 2_048


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 40, b"%PDF-1.7" * 9])
def test_a_file_that_does_not_say_it_is_no_error(content: bytes, tmp_path: Path):
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)

    assert trained_context_tokens(path) is None
    assert trained_context_tokens(tmp_path / "none.gguf") is None


def test_remote_models_are_looked_up_and_the_settings_win():
    known = context_tokens(open_chat_model("openai/gpt-4o"))
    own = parse_contexts("openai/own=32768, openai/gpt-4o = 8000")

    assert known == 128_000
    assert context_tokens(open_chat_model("openai/own")) is None
    assert context_tokens(open_chat_model("openai/own", contexts=own)) == 32_768
    assert context_tokens(open_chat_model("openai/gpt-4o", contexts=own)) == 8_000
    both = open_chat_model("openai/gpt-4o", fallbacks=["openai/own"], contexts=own)
    assert context_tokens(both) == 8_000
    assert context_tokens(open_chat_model("openai/gpt-4o", fallbacks=["openai/own"])) is None
