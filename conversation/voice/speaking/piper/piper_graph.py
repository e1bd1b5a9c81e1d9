"""A Piper graph in two parts: text to frames, and frames to sound.

The second part, the decoder, looks a few frames to either side only, so that it can be run over a
piece of the frames at a time with the very samples that the whole would give. The parts are cut
out once and kept in a cache folder beside the digest of what they were cut from.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from conversation.errors import SpeechError

DECODER = "/dec/"
"""How the exporter of Piper names the nodes of the decoder."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class SplitGraph:
    """Where the two parts lie, and what goes from one to the other."""

    encoder: Path
    decoder: Path
    frames: str
    """Tensor [1, channels, frames] that the decoder is run on piece by piece."""
    conditions: tuple[str, ...]
    """Tensors that the decoder takes whole, e.g. of the speaker."""
    durations: str
    """Tensor with the number of frames of each phoneme."""


def split_graph(path: Path, cache: Path) -> SplitGraph:
    """The parts of the graph in `path`, from `cache` when they are there.

    Raises:
        SpeechError: The file is no graph of a Piper voice.
    """
    digest = _sha256(path)
    folder = cache / f"{digest[:16]}-{_VERSION}"
    kept = _kept(folder)
    if kept is not None:
        return kept
    draft = cache / f".{digest[:16]}.{os.getpid()}"
    draft.mkdir(parents=True, exist_ok=True)
    try:
        _cut(path, draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    except OSError as error:
        made = _kept(folder)  # by another process, in the meantime
        if made is None:
            raise SpeechError(
                f"The parts of {path.name} cannot be written to {cache} "
                f"({error.strerror or type(error).__name__}). Make room there, or make it writable."
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    made = _kept(folder)
    if made is None:
        raise SpeechError(f"The parts of {path.name} in {folder} changed while they were read.")
    return made


def _cut(path: Path, folder: Path) -> None:
    import onnx
    import onnx.utils

    try:
        model = cast(Any, onnx).load(str(path))
        frames, conditions = _borders(model.graph)
        durations = next(node.output[0] for node in model.graph.node if node.op_type == "Ceil")
        extractor = cast(Any, onnx.utils.Extractor(model))
        inputs = [each.name for each in model.graph.input]
        encoder = extractor.extract_model(inputs, [frames, *conditions, durations])
        decoder = extractor.extract_model([frames, *conditions], [model.graph.output[0].name])
    except OSError:
        raise
    except Exception as error:  # protobuf and onnx have a class of their own for each way to fail
        raise SpeechError(
            f"{path} is no graph of a Piper voice ({type(error).__name__}). Give the `.onnx` file "
            "of a voice for Piper, with its `.onnx.json` beside it."
        ) from error
    note: dict[str, Any] = {"frames": frames, "conditions": conditions, "durations": durations}
    for name, part in (("encoder", encoder), ("decoder", decoder)):
        content = cast(bytes, part.SerializeToString())
        (folder / f"{name}.onnx").write_bytes(content)
        note[name] = hashlib.sha256(content).hexdigest()
    (folder / "parts.json").write_text(json.dumps(note), "utf-8")


def _borders(graph: Any) -> tuple[str, list[str]]:
    """What goes into the decoder: the frames, and what else it needs of the first part."""
    nodes = [node for node in graph.node if node.name.startswith(DECODER)]
    weights = {each.name for each in graph.initializer}
    made = {name for node in nodes for name in node.output}
    constant = {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    taken = dict.fromkeys(
        name
        for node in nodes
        for name in node.input
        if name and name not in weights | made | constant
    )
    frames = next(node.input[0] for node in nodes if node.name.startswith(f"{DECODER}conv_pre"))
    return frames, [name for name in taken if name != frames]


def _kept(folder: Path) -> SplitGraph | None:
    """The parts in `folder`; None unless they are whole."""
    try:
        note = json.loads((folder / "parts.json").read_text("utf-8"))
        encoder, decoder = folder / "encoder.onnx", folder / "decoder.onnx"
        if (_sha256(encoder), _sha256(decoder)) != (note["encoder"], note["decoder"]):
            return None
        return SplitGraph(
            encoder, decoder, note["frames"], tuple(note["conditions"]), note["durations"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
