"""A sentence model packed with 4 bits a weight becomes one like every other."""

import struct
from pathlib import Path

import numpy as np
import pytest

from kb.config import EmbeddingConfig, KnowledgeBaseConfig
from kb.embedding.derived import CentredEmbedder
from kb.embedding.onnx_embedder import OnnxEmbedder, WordPieces
from kb.embedding.open_embedder import PrefixingEmbedder, open_embedder
from kb.embedding.packed_e5 import unpacked
from kb.errors import WeightsError
from kb.knowledge_base import KnowledgeBase
from kb.weights.known_models import PACKED_NAME

HIDDEN, INNER, HEADS, POSITIONS = 32, 64, 2, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581good", "\u2581day", "s"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -1.0, -1.0, -3.0]


def packed_matrix(rows: int, columns: int, *, value: int, scale: float) -> bytes:
    """Every weight is (value - 8) * scale."""
    block = np.float16(scale).tobytes() + bytes([value | value << 4]) * 16
    return block * (rows * columns // 32)


def packed_model() -> bytes:
    """One layer that passes on what it gets, over words that each have a direction."""
    letters = "".join(PIECES).encode()
    borders = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)], dtype="<u4")
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7i", HIDDEN, 1, HEADS, INNER, len(PIECES), POSITIONS, 1)
    head += struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(letters))
    head += borders.tobytes() + np.array(SCORES, dtype="<f4").tobytes() + letters
    head += struct.pack("<iI", 0, 0)
    tensors: list[tuple[str, bool, int, bytes]] = []

    def plain(name: str, values: np.ndarray) -> None:
        tensors.append((name, False, values.size, values.astype("<f4").tobytes()))

    words = b"".join(
        np.float16(0.5).tobytes() + np.random.default_rng(at).bytes(16) for at in range(len(PIECES))
    )
    tensors.append(("emb.word", True, len(PIECES) * HIDDEN, words))
    plain("emb.pos", np.zeros(POSITIONS * HIDDEN))
    plain("emb.type", np.zeros(HIDDEN))
    for name, size in (("emb.ln", HIDDEN), ("l0.aln", HIDDEN), ("l0.oln", HIDDEN)):
        plain(f"{name}.w", np.ones(size))
        plain(f"{name}.b", np.zeros(size))
    shapes = {"q": (HIDDEN, HIDDEN), "k": (HIDDEN, HIDDEN), "v": (HIDDEN, HIDDEN)}
    shapes |= {"ao": (HIDDEN, HIDDEN), "fi": (INNER, HIDDEN), "fo": (HIDDEN, INNER)}
    for part, (rows, columns) in shapes.items():
        matrix = packed_matrix(rows, columns, value=9 if part == "fi" else 8, scale=0.25)
        tensors.append((f"l0.{part}.w", True, rows * columns, matrix))
        plain(f"l0.{part}.b", np.zeros(rows))
    length = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, is_packed, count, raw in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", is_packed, count, length + len(body), len(raw))
        body += raw
    return head + directory + body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / PACKED_NAME).write_bytes(packed_model())
    return unpacked(tmp_path)


def test_the_weights_are_what_was_packed(folder: Path):
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")

    words = tensors["embeddings.word_embeddings.weight"]
    first = np.random.default_rng(0).bytes(16)
    assert words.shape == (len(PIECES), HIDDEN)
    assert words[0, 0] == ((first[0] & 15) - 8) * 0.5
    assert words[0, 16] == ((first[0] >> 4) - 8) * 0.5
    assert tensors["encoder.layer.0.intermediate.dense.weight"].shape == (INNER, HIDDEN)
    assert set(tensors["encoder.layer.0.intermediate.dense.weight"].ravel()) == {0.25}
    assert tensors["encoder.layer.0.output.LayerNorm.bias"].shape == (HIDDEN,)


def test_it_runs_like_any_other_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    embedder = OnnxEmbedder("tiny", folder, int8=False)

    vectors = embedder.embed_queries(["good day", "good  day", "days"])

    assert embedder.tokenizer.offsets("good days") == [(0, 4), (4, 8), (8, 9)]
    assert vectors.shape == (3, HIDDEN)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[2] < 0.99


def test_a_long_text_is_cut_where_the_model_stops_reading(folder: Path):
    pieces = WordPieces(folder / "tokenizer.json")

    short, long = pieces.ids(["good day", "good " * 400])

    assert short == [0, 5, 6, 2]
    assert long == [0, *[5] * 254, 2]


def test_a_query_of_unknown_signs_has_no_meaning(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    embedder = OnnxEmbedder("tiny", folder, int8=False)

    unknown, half = embedder.embed_queries(["\u9fa0\u9fa1 \u9fa2", "good day \u9fa0"])

    assert not unknown.any()
    assert half.any()


def test_it_is_unpacked_once_and_other_folders_are_left_alone(folder: Path, tmp_path: Path):
    made_at = (folder / "model.safetensors").stat().st_mtime_ns

    assert unpacked(folder.parent) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made_at
    assert sorted(path.name for path in folder.parent.iterdir()) == [PACKED_NAME, "unpacked"]
    assert unpacked(folder) == folder


def test_another_file_is_refused_and_leaves_nothing(tmp_path: Path):
    (tmp_path / PACKED_NAME).write_bytes(b"GGUF and so on")

    with pytest.raises(WeightsError, match="no packed sentence model"):
        unpacked(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PACKED_NAME]


def test_the_model_brings_its_prefixes_unless_others_are_given(folder: Path):
    class Known:
        def models(self) -> list[str]:
            return ["multilingual-e5-small"]

        def resolve(self, name: str) -> Path:
            return folder.parent

    known = EmbeddingConfig(model="multilingual-e5-small")
    other = known.model_copy(update={"query_prefix": "q: "})

    centred = open_embedder(known, Known()), open_embedder(other, Known())
    assert all(isinstance(each, CentredEmbedder) for each in centred)
    own, given = (each._embedder for each in centred if isinstance(each, CentredEmbedder))

    assert isinstance(own, PrefixingEmbedder)
    assert isinstance(given, PrefixingEmbedder)
    assert (own._query, own._document) == ("query: ", "passage: ")
    assert (given._query, given._document) == ("q: ", "")


@pytest.mark.slow
def test_the_real_one_understands_other_languages():
    """Fetches 72 MB where they are not on this machine yet."""
    embedder = open_embedder(EmbeddingConfig(model="multilingual-e5-small"))

    asked = embedder.embed_queries(["\u00bfD\u00f3nde est\u00e1 la torre Eiffel?"])[0]
    texts = embedder.embed(["The Eiffel Tower stands in Paris.", "Refunds take five days."])

    near, far = texts @ asked
    assert near > far + 0.05


@pytest.mark.slow
def test_sentence_transformers_runs_the_same_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Any model of that library can be named; here a small one that lies in a folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "unk_token": "<unk>"}'
    )
    texts = ["good day", "days"]
    config = EmbeddingConfig(model=str(folder), runtime="torch")
    with KnowledgeBase.open(tmp_path / "kb", KnowledgeBaseConfig(embedding=config)) as kb:
        kb.add_texts([("Good", "good day"), ("Days", "days")])
        found = kb.retrieve("good day")

    by_torch = open_embedder(config).embed_queries(texts)
    by_onnx = OnnxEmbedder("tiny", folder, int8=False).embed_queries(texts)

    assert found[0].document_name == "Good"
    assert np.sum(by_torch * by_onnx, axis=1) == pytest.approx([1, 1], abs=1e-3)
