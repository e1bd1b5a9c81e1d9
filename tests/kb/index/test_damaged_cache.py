"""The embedding cache only holds what can be computed again: damage to it costs time, once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb.index.embedding_cache import EmbeddingCache, text_key
from tests.kb.conftest import WordEmbedder

TEXTS = [f"passage number {number} about refunds and parcels" for number in range(400)]
KEYED = {text_key(text): text for text in TEXTS}


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_head(content: bytes) -> bytes:
    return b"\x00" * 100 + content[100:]


def overwritten(content: bytes) -> bytes:
    return content[:4096] + b"\xff" * (len(content) - 4096)


@pytest.mark.parametrize("damage", [truncated, without_head, overwritten, lambda _: b"no database"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_cache_is_begun_anew_and_said_once(
    damage: Callable[[bytes], bytes],
    read_only: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    path = tmp_path / "embeddings.sqlite3"
    embedder = WordEmbedder()
    cache = EmbeddingCache(path)
    wanted = cache.vectors(KEYED, embedder=embedder)
    cache.close()
    path.write_bytes(damage(path.read_bytes()))

    cache = EmbeddingCache(path, read_only=read_only)
    found = cache.vectors(KEYED, embedder=embedder)
    again = cache.vectors(KEYED, embedder=embedder)
    cache.close()

    assert found.keys() == again.keys() == wanted.keys()
    assert all(np.array_equal(found[key], wanted[key]) for key in wanted)
    assert [str(path) in each.getMessage() for each in caplog.records] == [True]


def test_a_cache_that_was_begun_anew_is_whole_for_the_next(tmp_path: Path):
    path = tmp_path / "embeddings.sqlite3"
    embedder = WordEmbedder()
    cache = EmbeddingCache(path)
    cache.vectors(KEYED, embedder=embedder)
    cache.close()
    path.write_bytes(truncated(path.read_bytes()))
    cache = EmbeddingCache(path)
    cache.vectors(KEYED, embedder=embedder)
    cache.close()

    embedded: list[int] = []
    cache = EmbeddingCache(path)
    cache.vectors(KEYED, embedder=embedder, on_embedded=embedded.append)
    cache.close()

    assert embedded == []
