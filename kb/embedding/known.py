"""The kinds of embedders; a new one is an adapter and its line. The first that fits is used."""

from kb.embedding.embedder import EmbedderKind
from kb.embedding.litellm_embedder import LITELLM
from kb.embedding.onnx_embedder import ONNX
from kb.embedding.sentence_transformers_embedder import SENTENCE_TRANSFORMERS

EMBEDDERS: tuple[EmbedderKind, ...] = (LITELLM, SENTENCE_TRANSFORMERS, ONNX)
