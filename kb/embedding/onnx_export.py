"""BERT weights -> one ONNX file that turns token ids into unit vectors.

The graph is written node by node from the safetensors file, so torch is needed neither to build
nor to run it. Mean pooling and normalisation are part of the graph. Attention is emitted as
onnxruntime's fused operator, whose int8 form makes the quantised model fast on a CPU.
"""

import hashlib
import importlib
import json
import logging
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.embedding.onnx_runtime import import_onnxruntime
from kb.errors import WeightsError

BUILDER_VERSION = 1
"""Counts up when the graph changes, so that a file built before is not taken for this one."""

_OPSET = 20
_MICROSOFT_OPSET = 1
_IR_VERSION = 9


def build_bert_onnx(weights: Path, target: Path, *, int8: bool) -> None:
    """Build the model of the folder `weights` into the file `target`.

    The file appears whole or not at all: it is written beside and renamed.

    Args:
        weights: Folder with `model.safetensors` and `config.json` of a BERT encoder.
        target: ONNX file. Inputs `input_ids` and `attention_mask`, int64 (batch, tokens);
            output `embedding`, float32 (batch, dimension), each row of length 1.
        int8: Quantise weights per channel to int8 and activations as they come.

    Raises:
        WeightsError: The folder holds another architecture, or a tensor is missing.
    """
    onnx: Any = importlib.import_module("onnx")
    config = _bert_config(weights)
    model = _BertGraph(tensors=_read_tensors(weights), config=config).model()
    onnx.helper.set_model_props(
        model,
        {
            "weights_sha256": _sha256(weights / "model.safetensors"),
            "precision": "int8" if int8 else "fp32",
            "builder_version": str(BUILDER_VERSION),
        },
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    onnx.save(model, str(partial))
    if int8:
        _quantise(partial)
    partial.replace(target)


def _bert_config(weights: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((weights / "config.json").read_text(encoding="utf-8"))
    found = config.get("model_type"), config.get("hidden_act")
    if found != ("bert", "gelu"):
        raise WeightsError(
            f"The model in {str(weights)!r} is {found[0]!r} with activation {found[1]!r}; the ONNX "
            "runtime reads 'bert' with 'gelu'. Set `embedding.runtime: torch` for this model."
        )
    return config


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_tensors(weights: Path) -> dict[str, NDArray[np.float32]]:
    safetensors: Any = importlib.import_module("safetensors.numpy")
    tensors = safetensors.load_file(str(weights / "model.safetensors"))
    return {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}


def _quantise(path: Path) -> None:
    from onnx import TensorProto

    quantization = import_onnxruntime("quantization")
    root = logging.getLogger()
    level = root.level
    # It advises pre-processing through the root logger; the graph here has nothing to simplify.
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quantization.quantize_dynamic(
                path,
                path,
                per_channel=True,
                weight_type=quantization.QuantType.QInt8,
                # Shape inference stops at the fused attention, whose output is float like the rest.
                extra_options={"DefaultTensorType": TensorProto.FLOAT},
            )
    finally:
        root.setLevel(level)


@dataclass
class _BertGraph:
    """The graph under construction: nodes in order, and the tensors they read."""

    tensors: dict[str, NDArray[np.float32]]
    config: dict[str, Any]
    nodes: list[Any] = field(default_factory=list[Any])
    initializers: list[Any] = field(default_factory=list[Any])

    def model(self) -> Any:
        """Build the whole model."""
        from onnx import TensorProto, helper

        hidden = self._embeddings()
        mask = self._node("Cast", "attention_mask", to=TensorProto.INT32)
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self._layer(hidden, mask, prefix=f"encoder.layer.{layer}.")
        self._pooled(hidden)
        ids = ["input_ids", "attention_mask"]
        graph = helper.make_graph(
            self.nodes,
            "bert_embedding",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "t"]) for name in ids],
            [
                helper.make_tensor_value_info(
                    "embedding", TensorProto.FLOAT, ["b", self.config["hidden_size"]]
                )
            ],
            self.initializers,
        )
        opsets = [
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("com.microsoft", _MICROSOFT_OPSET),
        ]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def _embeddings(self) -> str:
        # One sentence a row: every token has type 0, whose vector joins the position's.
        positions = self._weight("embeddings.position_embeddings.weight")
        positions = positions + self._weight("embeddings.token_type_embeddings.weight")[0]
        words = self._node(
            "Gather",
            self._constant("word_embeddings", self._weight("embeddings.word_embeddings.weight")),
            "input_ids",
        )
        length = self._node("Shape", "input_ids", start=1, end=2)
        zero = self._constant("zero", np.zeros(1, dtype=np.int64))
        table = self._constant("position_embeddings", positions)
        where = self._node("Slice", table, zero, length, zero)
        return self._layer_norm(self._node("Add", words, where), "embeddings.LayerNorm")

    def _layer(self, hidden: str, mask: str, *, prefix: str) -> str:
        attended = self._dense(
            self._attention(hidden, mask, prefix=f"{prefix}attention.self."),
            f"{prefix}attention.output.dense",
        )
        hidden = self._layer_norm(
            self._node("Add", attended, hidden), f"{prefix}attention.output.LayerNorm"
        )
        inner = self._node("Gelu", self._dense(hidden, f"{prefix}intermediate.dense"))
        outer = self._dense(inner, f"{prefix}output.dense")
        return self._layer_norm(self._node("Add", outer, hidden), f"{prefix}output.LayerNorm")

    def _attention(self, hidden: str, mask: str, *, prefix: str) -> str:
        parts = ("query", "key", "value")
        weight = np.concatenate(
            [self._weight(f"{prefix}{part}.weight").T for part in parts], axis=1
        )
        bias = np.concatenate([self._weight(f"{prefix}{part}.bias") for part in parts])
        return self._node(
            "Attention",
            hidden,
            self._constant(f"{prefix}qkv.weight", np.ascontiguousarray(weight)),
            self._constant(f"{prefix}qkv.bias", bias),
            mask,
            domain="com.microsoft",
            num_heads=self.config["num_attention_heads"],
        )

    def _pooled(self, hidden: str) -> None:
        from onnx import TensorProto

        axis_1 = self._constant("axis_1", np.array([1], dtype=np.int64))
        axis_2 = self._constant("axis_2", np.array([2], dtype=np.int64))
        mask = self._node("Cast", "attention_mask", to=TensorProto.FLOAT)
        mask = self._node("Unsqueeze", mask, axis_2)
        total = self._node("ReduceSum", self._node("Mul", hidden, mask), axis_1, keepdims=0)
        mean = self._node("Div", total, self._node("ReduceSum", mask, axis_1, keepdims=0))
        length = self._node("ReduceL2", mean, axis_1, keepdims=1)
        self._node("Div", mean, length, output="embedding")

    def _dense(self, value: str, name: str) -> str:
        weight = np.ascontiguousarray(self._weight(f"{name}.weight").T)
        product = self._node("MatMul", value, self._constant(f"{name}.weight", weight))
        return self._node(
            "Add", product, self._constant(f"{name}.bias", self._weight(f"{name}.bias"))
        )

    def _layer_norm(self, value: str, name: str) -> str:
        return self._node(
            "LayerNormalization",
            value,
            self._constant(f"{name}.weight", self._weight(f"{name}.weight")),
            self._constant(f"{name}.bias", self._weight(f"{name}.bias")),
            epsilon=float(self.config["layer_norm_eps"]),
        )

    def _weight(self, name: str) -> NDArray[np.float32]:
        if name not in self.tensors:
            raise WeightsError(
                f"The model file has no tensor {name!r}, so it is not a BERT encoder as its "
                "config says. Set `embedding.runtime: torch`, or fetch the model again."
            )
        return self.tensors[name].astype(np.float32, copy=False)

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def _node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output
