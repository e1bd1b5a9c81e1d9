"""The header of a weights file says how much its model reads at once."""

import struct
from pathlib import Path

import pytest

from conversation.llm.generator import context_tokens
from conversation.llm.limits.contexts import parse_contexts
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.embedded_engine import embedded_context_tokens, fitting_options
from conversation.llm.providers.gguf import (
    kept_bytes_per_token,
    trained_context_tokens,
    weights_fingerprint,
)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def a_file(path: Path, context: int, **numbers: int) -> Path:
    entries = [
        text("general.name") + struct.pack("<I", 8) + text("own"),
        text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc"),
        text("scores") + struct.pack("<IIQ", 9, 6, 3) + struct.pack("<fff", 1, 2, 3),
        text("own.flag") + struct.pack("<IB", 7, 1),
        text("own.context_length") + struct.pack("<II", 4, context),
        *(
            text(f"own.{name.replace('__', '.')}") + struct.pack("<II", 4, number)
            for name, number in numbers.items()
        ),
    ]
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries))
    return path


def test_the_trained_context_bounds_what_an_embedded_judge_reads(tmp_path: Path):
    short, long = a_file(tmp_path / "s.gguf", 2_048), a_file(tmp_path / "l.gguf", 131_072)

    assert trained_context_tokens(short) == 2_048
    assert embedded_context_tokens(short) == 2_048
    assert embedded_context_tokens(long) == 8_192
    assert context_tokens(open_chat_model(f"embedded/{short}")) == 2_048


QWEN_1_5B = {
    "block_count": 28,
    "embedding_length": 1_536,
    "attention__head_count": 12,
    "attention__head_count_kv": 2,
}
QWEN_7B = {
    "block_count": 28,
    "embedding_length": 3_584,
    "attention__head_count": 28,
    "attention__head_count_kv": 4,
}
LLAMA_8B = {
    "block_count": 32,
    "embedding_length": 4_096,
    "attention__head_count": 32,
    "attention__head_count_kv": 8,
}
WITHOUT_SHARED_HEADS = {
    "block_count": 40,
    "embedding_length": 5_120,
    "attention__head_count": 40,
}
OWN_WIDTHS = {
    "block_count": 26,
    "embedding_length": 2_304,
    "attention__head_count": 8,
    "attention__key_length": 256,
    "attention__value_length": 256,
    "attention__head_count_kv": 4,
}


@pytest.mark.parametrize(
    ("numbers", "kept_bytes", "slots"),
    [
        (QWEN_1_5B, 28_672, 4),
        (QWEN_7B, 57_344, 4),
        (LLAMA_8B, 131_072, 2),
        (WITHOUT_SHARED_HEADS, 819_200, 1),
        (OWN_WIDTHS, 106_496, 2),
        ({"block_count": 28}, None, 4),
        ({**QWEN_7B, "attention__head_count": 0}, None, 4),
    ],
)
def test_prompts_of_larger_models_get_fewer_slots(
    numbers: dict[str, int], kept_bytes: int | None, slots: int, tmp_path: Path
):
    path = a_file(tmp_path / "own.gguf", 32_768, **numbers)

    assert kept_bytes_per_token(path) == kept_bytes
    options = fitting_options(path)
    assert (options.parallel, options.slot_tokens) == (slots, 8_192)


def test_a_fingerprint_tells_weights_apart(tmp_path: Path):
    one, other = tmp_path / "one.gguf", tmp_path / "other.gguf"
    one.write_bytes(b"GGUF" + bytes(10_000_000))
    other.write_bytes(one.read_bytes())
    assert weights_fingerprint(one) == weights_fingerprint(other)

    with other.open("r+b") as file:  # as any other training would, in every block
        for block in range(5_000_000, 10_000_000, 4_096):
            file.seek(block)
            file.write(b"\x01")

    assert weights_fingerprint(one) != weights_fingerprint(other)


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
