"""The model built from safetensors says what the reference implementation says."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from kb.config import EmbeddingConfig, KnowledgeBaseConfig, RerankerConfig
from kb.embedding.derived import CentredEmbedder, JointEmbedder
from kb.embedding.embedder import Embedder, EmbedderKind, Vectors
from kb.embedding.known import EMBEDDERS
from kb.embedding.litellm_embedder import PieceTokenizer
from kb.embedding.onnx_embedder import OnnxEmbedder
from kb.embedding.onnx_export import build_bert_onnx
from kb.embedding.open_embedder import PrefixingEmbedder, chosen_embedding, open_embedder
from kb.errors import WeightsError
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.reranking import open_reranker

TEXTS = [
    "Refunds take five working days.",
    "short",
    "A much longer text about the shipping of parcels to islands, " * 12,
    "Où est la gare? 日本",
]


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"model\.safetensors, config\.json, tokenizer\.json"):
        OnnxEmbedder("mine", tmp_path)


def test_an_architecture_that_is_not_bert_says_what_to_do(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "llama", "hidden_act": "silu"}')

    with pytest.raises(WeightsError, match=r"embedding\.runtime: torch"):
        build_bert_onnx(tmp_path, tmp_path / "model.onnx", int8=True)
    assert not (tmp_path / "model.onnx").exists()


def test_a_remote_model_is_given_pieces_of_at_most_four_letters():
    text = "Refunds, quickly!"

    assert [text[start:end] for start, end in PieceTokenizer().offsets(text)] == [
        "Refu", "nds", ",", "quic", "kly", "!",
    ]  # fmt: skip


def test_the_id_of_a_model_is_known_without_opening_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []

    class Session:
        custom_metadata_map: ClassVar = {
            "precision": "int8",
            "builder_version": "1",
            "weights_sha256": "0123456789abcdef" * 4,
        }

        def get_modelmeta(self) -> "Session":
            opened.append("model")
            return self

    def model_id() -> str:
        return OnnxEmbedder("mine", tmp_path).model_id

    monkeypatch.setattr(OnnxEmbedder, "_session", Session())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "vivavoce" / "onnx"
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    known = "onnx/int8/1/0123456789abcdef"
    assert model_id() == known, "where nothing can be kept"
    kept.mkdir(parents=True)
    assert [model_id(), model_id(), model_id()] == [known] * 3
    assert len(opened) == 2
    (file,) = kept.iterdir()
    for damage in (b"", b"onnx/int8/1/0123", b"\xff\xfe", known.encode() + b"0"):
        file.write_bytes(damage)
        assert [model_id(), model_id()] == [known] * 2
    assert len(opened) == 6
    (tmp_path / "model.safetensors").write_text("{ }")
    assert model_id() == known
    assert len(opened) == 7, "other weights"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_both_precisions_agree_with_sentence_transformers():
    reference = open_embedder(EmbeddingConfig(runtime="torch")).embed(TEXTS)
    full = open_embedder(EmbeddingConfig(runtime="onnx_fp32")).embed(TEXTS)
    small = open_embedder(EmbeddingConfig(runtime="onnx_int8")).embed(TEXTS)

    assert np.sum(reference * full, axis=1).min() > 0.99999
    assert np.sum(reference * small, axis=1).min() > 0.98
    assert np.linalg.norm(small, axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_the_default_runtime_needs_no_torch():
    import subprocess

    script = (
        "import sys; from kb.config import EmbeddingConfig;"
        "from kb.embedding.open_embedder import open_embedder;"
        "open_embedder(EmbeddingConfig()).embed(['a']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sentence_transformers')))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


class Recording:
    """Keeps what it was asked to embed."""

    model_id = "recording/1"
    tokenizer = PieceTokenizer()

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return np.ones((len(texts), 1), dtype=np.float32)

    embed_queries = embed


def test_words_that_a_model_wants_stand_before_its_texts():
    inner = Recording()
    embedder = PrefixingEmbedder(inner, query="query: ", document="passage: ")

    embedder.embed_queries(["refunds"])
    embedder.embed(["Refunds take days."])

    assert inner.asked == ["query: refunds", "passage: Refunds take days."]
    assert embedder.tokenizer is inner.tokenizer


def test_other_words_before_a_document_make_another_model():
    ids = {
        PrefixingEmbedder(Recording(), query=query, document=document).model_id
        for query, document in [("q: ", "a: "), ("other: ", "a: "), ("q: ", "b: ")]
    }

    assert len(ids) == 2


class Crowded(Recording):
    """A model of which all vectors point much the same way."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 4), dtype=np.float32)
        for place, text in enumerate(texts):
            rows[place] = 0.0 if text == "unreadable" else [3.0, "a" in text, "b" in text, 0.1]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)

    embed_queries = embed


def test_what_all_texts_have_in_common_is_taken_out():
    inner = Crowded()
    embedder = CentredEmbedder(inner, sample=("a", "b"))

    documents = embedder.embed(["a", "b"])
    query, unreadable = embedder.embed_queries(["a", "unreadable"])

    one, other = inner.embed(["a", "b"])
    assert one @ other > 0.8
    assert documents[0] @ documents[1] == pytest.approx(-1, abs=1e-3)
    assert query @ documents[0] == pytest.approx(1, abs=1e-5)
    assert not unreadable.any()
    assert embedder.tokenizer is inner.tokenizer


def test_models_side_by_side_have_the_mean_of_their_cosines():
    one, other = Crowded(), CentredEmbedder(Crowded(), sample=("a", "b"))
    joint = JointEmbedder([one, other])

    rows = joint.embed(["a", "b"])
    query, unreadable = joint.embed_queries(["a", "unreadable"])

    means = np.mean([np.prod(each.embed(["a", "b"]), axis=0).sum() for each in (one, other)])
    assert rows[0] @ rows[1] == pytest.approx(float(means), abs=1e-5)
    assert query @ rows[0] == pytest.approx(1, abs=1e-5)
    assert not unreadable.any()
    assert joint.model_id == f"{one.model_id}+{other.model_id}"


def test_names_of_the_catalog_with_a_plus_between_are_models_side_by_side(tmp_path: Path):
    class Opened(Recording):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.model_id = name

    kind = EmbedderKind(lambda config: True, lambda config, weights: Opened(config.model))

    def opened(model: str) -> Embedder:
        return open_embedder(EmbeddingConfig(model=model), kinds=[kind])

    joint = opened("all-MiniLM-L6-v2+multilingual-e5-small")
    folder = opened(f"{tmp_path}/a+b")

    assert isinstance(joint, JointEmbedder)
    assert joint.model_id.startswith("all-MiniLM-L6-v2+multilingual-e5-small/prefix-")
    assert folder.model_id == f"{tmp_path}/a+b"


def test_another_sample_makes_another_model():
    ids = {
        CentredEmbedder(Recording(), sample=sample).model_id for sample in [("a",), ("b",), ("a",)]
    }

    assert len(ids) == 2
    assert "recording/1" not in ids


@pytest.mark.slow
def test_a_name_that_no_catalog_knows_is_left_to_sentence_transformers():
    embedder = open_embedder(EmbeddingConfig(model="somebody/some-model", runtime="torch"))

    assert embedder.model_id == "sentence-transformers/somebody/some-model"


def test_a_name_that_no_catalog_knows_says_what_could_load_it():
    with pytest.raises(WeightsError, match=r"embedding\.runtime: torch"):
        open_embedder(EmbeddingConfig(model="somebody/some-model"))


@pytest.mark.parametrize("missing", ["torch", "sentence_transformers"])
def test_what_only_torch_runs_asks_for_the_extra_by_name(
    monkeypatch: pytest.MonkeyPatch, missing: str
):
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(WeightsError, match=r"embedding\.runtime: torch.*vivavoce\[torch\]"):
        open_embedder(EmbeddingConfig(runtime="torch"))
    with pytest.raises(WeightsError, match=r"retrieval\.reranker.*vivavoce\[torch\]"):
        open_reranker(RerankerConfig(model="cross-encoder/any"))


def test_the_embedder_of_the_contributing_guide_works(tmp_path: Path):
    guide = Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md"
    section = guide.read_text("utf-8").partition("## Add an embedder")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    config = KnowledgeBaseConfig(embedding=EmbeddingConfig(model="acme/hashing"))
    embedder = open_embedder(config.embedding, kinds=(names["HASHING"], *EMBEDDERS))

    with KnowledgeBase(
        tmp_path, config, embedder=lambda: embedder, read_only=False
    ) as knowledge_base:
        knowledge_base.add_text("Hours", "Opening hours are nine to five.")
        knowledge_base.add_text("Refunds", "Money comes back within a week.")
        found = knowledge_base.retrieve("opening hours", limit=1)

    assert embedder.model_id == "acme/hashing-1"
    assert [passage.document_name for passage in found] == ["Hours"]


def test_every_configuration_has_an_embedder():
    for runtime in ("onnx_int8", "onnx_fp32", "torch"):
        for model in ("all-MiniLM-L6-v2", "litellm/openai/text-embedding-3-small"):
            config = EmbeddingConfig(model=model, runtime=runtime)
            assert any(kind.takes(config) for kind in EMBEDDERS)


BOTH = "all-MiniLM-L6-v2+multilingual-e5-small"


@pytest.mark.parametrize(
    ("config", "languages", "built_with", "any_language", "model"),
    [
        (EmbeddingConfig(), ("en",), None, True, "all-MiniLM-L6-v2"),
        (EmbeddingConfig(), ("en", "en-GB"), None, True, "all-MiniLM-L6-v2"),
        (EmbeddingConfig(), ("en", "de"), None, True, BOTH),
        (EmbeddingConfig(threads=1), ("pt-BR",), None, True, BOTH),
        (EmbeddingConfig(), ("de",), None, False, "all-MiniLM-L6-v2"),
        (EmbeddingConfig(), ("de",), "onnx/int8/3/abc", True, "all-MiniLM-L6-v2"),
        (EmbeddingConfig(), ("en",), "onnx/int8/3/abc+onnx/int8/3/def", True, BOTH),
        (EmbeddingConfig(model="all-MiniLM-L6-v2"), ("de",), None, True, "all-MiniLM-L6-v2"),
        (EmbeddingConfig(model="acme/own"), ("de",), "onnx/a+onnx/b", True, "acme/own"),
        (EmbeddingConfig(runtime="torch"), ("de",), None, True, "all-MiniLM-L6-v2"),
    ],
)
def test_languages_choose_a_model_where_nobody_named_one(
    config: EmbeddingConfig,
    languages: tuple[str, ...],
    built_with: str | None,
    any_language: bool,
    model: str,
):
    chosen = chosen_embedding(config, languages, built_with=built_with, any_language=any_language)

    assert chosen.model == model


def test_a_knowledge_base_says_which_model_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("kb.knowledge_base.runs_any_language", lambda: True)

    with KnowledgeBase.open(tmp_path, KnowledgeBaseConfig(query_languages=("de", "en"))) as kb:
        assert kb.embedding.model == BOTH
