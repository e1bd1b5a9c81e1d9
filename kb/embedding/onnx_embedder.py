"""Embedding on a CPU with onnxruntime and tokenizers: no torch, ready in a fraction of a second."""

import hashlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from kb.config import EmbeddingConfig
from kb.embedding.embedder import EmbedderKind, Vectors, WeightsFolder
from kb.embedding.model_folder import model_folder
from kb.embedding.onnx_runtime import import_onnxruntime
from kb.errors import WeightsError
from kb.precedence import PRECEDENCE

_MAX_TOKENS = 256
"""What the sentence models of this family were trained to read; the rest is not seen."""
_BATCH_ROWS = 16
_BATCH_TOKENS = 512
"""More are no faster, as what is computed on then leaves the processor's caches."""
_MAX_PADDING = 2
"""A text is not put into one batch with one of more than so many times its length: a short query
beside a long one would cost as much as the long one."""

_MODEL_ID = re.compile(r"onnx/(?:int8|fp32)/[0-9]+/[0-9a-f]{16}")
_UNKNOWN = ("[UNK]", "<unk>")
_AROUND = 2
"""Tokens that stand before and after every text."""


class OnnxEmbedder:
    """A BERT sentence encoder from a folder of safetensors weights.

    The ONNX file is built once into the user's cache folder and shared by every knowledge base.
    """

    def __init__(
        self, model: str, weights: Path, *, int8: bool = True, threads: int | None = None
    ) -> None:
        self._model = model
        self._weights = weights
        self._int8 = int8
        self._threads = threads
        self._lock = threading.Lock()
        _require_files(weights, ("model.safetensors", "config.json", "tokenizer.json"))

    @property
    def model_id(self) -> str:
        """Model, precision, and digest of the weights that the ONNX file was built from.

        The model is opened for it once, then never again: the id is kept beside its file.
        """
        return self._model_id

    @cached_property
    def _model_id(self) -> str:
        beside = _built_path(self._weights, int8=self._int8).with_suffix(".id")
        with suppress(OSError, UnicodeDecodeError):
            kept = beside.read_text("utf-8")
            if _MODEL_ID.fullmatch(kept):
                return kept
        meta = self._session.get_modelmeta().custom_metadata_map
        found = f"onnx/{meta['precision']}/{meta['builder_version']}/{meta['weights_sha256'][:16]}"
        with suppress(OSError):  # it is asked for again then
            partial = beside.with_name(f"{beside.name}.{os.getpid()}.partial")
            partial.write_text(found, "utf-8")
            partial.replace(beside)
        return found

    @property
    def tokenizer(self) -> "WordPieces":
        """The model's tokenizer."""
        return self._word_pieces

    @cached_property
    def _word_pieces(self) -> "WordPieces":
        return WordPieces(self._weights / "tokenizer.json")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed in batches of similar length; row i belongs to `texts[i]`."""
        import numpy as np

        encoded = self.tokenizer.ids(texts)
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        vectors: Vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        for batch in _batches(order, [len(ids) for ids in encoded]):
            PRECEDENCE.step_aside()
            vectors[batch] = self._run([encoded[index] for index in batch])
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries one by one, so that a vector does not depend on what else was asked.

        In int8 the numbers of a batch are rounded together: beside other texts the same query
        would get another vector (cosine .98 to 1), and a batch saves a fifth of the time only.

        A query that is made of signs which the model does not know means nothing to it: its vector
        is zero, which is as far from one text as from another.
        """
        import numpy as np

        vectors = [
            self._run([ids])[0] if self.tokenizer.reads(ids) else np.zeros(self._dimension, "f4")
            for ids in self.tokenizer.ids(texts)
        ]
        return np.stack(vectors) if vectors else self.embed(texts)

    @property
    def _dimension(self) -> int:
        return int(self._session.get_outputs()[0].shape[1])

    @cached_property
    def _session(self) -> Any:
        onnxruntime = import_onnxruntime()
        with self._lock:
            path = _built_model(self._weights, int8=self._int8)
        options = onnxruntime.SessionOptions()
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        # Threads that wait by spinning starve everything else on a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def _run(self, rows: Sequence[Sequence[int]]) -> Vectors:
        import numpy as np

        ids = np.zeros((len(rows), max(len(row) for row in rows)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


class WordPieces:
    """A tokenizer read from `tokenizer.json`."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._plain: Any = Tokenizer.from_file(str(path))
        self._plain.no_truncation()
        self._plain.no_padding()
        known = (self._plain.token_to_id(token) for token in _UNKNOWN)
        self._unknown: int | None = next((found for found in known if found is not None), None)

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Character span of each token, special tokens left out."""
        return self._plain.encode(text, add_special_tokens=False).offsets

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with special tokens, cut where the model stops reading."""
        # Cut here: a second tokenizer that cuts would take 280 MB with the words of E5.
        encoded = (encoding.ids for encoding in self._plain.encode_batch_fast(list(texts)))
        return [
            ids if len(ids) <= _MAX_TOKENS else [*ids[: _MAX_TOKENS - 1], ids[-1]]
            for ids in encoded
        ]

    def reads(self, ids: Sequence[int]) -> bool:
        """Whether the model knows more than half of a text."""
        unknown = 0 if self._unknown is None else ids.count(self._unknown)
        return not unknown or 2 * unknown < len(ids) - _AROUND


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut `order`, ascending in length, into batches bounded in rows and padded tokens."""
    batch: list[int] = []
    for index in order:
        if batch and (
            len(batch) == _BATCH_ROWS
            or (len(batch) + 1) * lengths[index] > _BATCH_TOKENS
            or lengths[index] > _MAX_PADDING * lengths[batch[0]]
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _built_model(weights: Path, *, int8: bool) -> Path:
    """Path of the ONNX file of these weights; builds it when it is not there yet."""
    target = _built_path(weights, int8=int8)
    if not target.exists():
        from kb.embedding.onnx_export import build_bert_onnx

        build_bert_onnx(weights, target, int8=int8)
    return target


def _built_path(weights: Path, *, int8: bool) -> Path:
    """Where the ONNX file of these weights lies, or will: other weights have another place."""
    import platformdirs

    from kb.embedding.onnx_export import BUILDER_VERSION

    source = (weights / "model.safetensors").resolve()
    stat = source.stat()
    identity = f"{source}|{stat.st_size}|{stat.st_mtime_ns}|{BUILDER_VERSION}|{int8}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:24]
    return platformdirs.user_cache_path("vivavoce") / "onnx" / f"{name}.onnx"


def _require_files(folder: Path, names: Sequence[str]) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise WeightsError(
            f"The model folder {str(folder)!r} has no {', '.join(missing)}. Point "
            "`embedding.model` at a complete sentence-transformers model, or set "
            "`embedding.runtime: torch`."
        )


def _open(config: EmbeddingConfig, weights: WeightsFolder | None) -> OnnxEmbedder:
    folder = model_folder(config.model, weights)
    if folder is None:
        raise WeightsError(
            f"No weights are known for embedding model {config.model!r}. Name a folder that holds "
            "it, or set `embedding.runtime: torch` to load it through sentence-transformers."
        )
    return OnnxEmbedder(
        config.model, folder, int8=config.runtime == "onnx_int8", threads=config.threads
    )


ONNX = EmbedderKind(lambda config: config.runtime.startswith("onnx"), _open)
