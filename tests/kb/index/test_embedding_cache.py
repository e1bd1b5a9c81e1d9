"""Vectors are kept without waste, and files of earlier releases are gone on with."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from kb.index.embedding_cache import EmbeddingCache, text_key

KEYS = [text_key(f"text {number}") for number in range(300)]
VECTORS = np.random.default_rng(1).standard_normal((len(KEYS), 384)).astype(np.float32)


def fill(path: Path) -> EmbeddingCache:
    cache = EmbeddingCache(path)
    cache.store(dict(zip(KEYS, VECTORS, strict=True)), model_id="m")
    return cache


def test_a_vector_takes_little_more_than_its_numbers(tmp_path: Path):
    fill(tmp_path / "vectors.sqlite3").close()
    assert (tmp_path / "vectors.sqlite3").stat().st_size / len(KEYS) < 1.5 * 4 * 384


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_an_earlier_release_is_read_and_written_on(tmp_path: Path, read_only: bool):
    path = tmp_path / "vectors.sqlite3"
    old = sqlite3.connect(path)
    old.execute(
        "create table vectors (model_id text, text_key text, vector blob, "
        "primary key (model_id, text_key)) without rowid"
    )
    old.execute("insert into vectors values ('m', 'old', ?)", (VECTORS[0].tobytes(),))
    old.commit()
    old.close()
    cache = EmbeddingCache(path, read_only=read_only)
    cache.store({"new": VECTORS[1], "newer": VECTORS[1]}, model_id="m")
    cache.store({"newer": VECTORS[2]}, model_id="m")
    held = cache.held(["old", "new", "newer", "other"], model_id="m")
    cache.close()
    assert {key: vector.tolist() for key, vector in held.items()} == {
        "old": VECTORS[0].tolist(),
        "new": VECTORS[1].tolist(),
        "newer": VECTORS[2].tolist(),
    }
