"""An ONNX file, ready to run beside other models on the same few cores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conversation.errors import SpeechError

Tensor = NDArray[Any]


class OnnxModel:
    """A loaded graph. It may be run from several threads at a time."""

    def __init__(self, path: Path | bytes) -> None:
        """Load the file, or its content.

        Raises:
            SpeechError: It is missing or no graph.
        """
        from kb.embedding.onnx_runtime import import_onnxruntime

        runtime = import_onnxruntime()
        options = runtime.SessionOptions()
        # Each job has one core; a thread that spins while it waits takes it from the others.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 3
        given = path if isinstance(path, bytes) else str(path)
        try:
            self._session = runtime.InferenceSession(
                given, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime has a class of its own for each way to fail
            name = "a graph in memory" if isinstance(path, bytes) else str(path)
            raise SpeechError(
                f"{name} cannot be loaded as an ONNX model ({type(error).__name__}). "
                "Check that the file is there and whole."
            ) from error

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what `run` takes."""
        return tuple(each.name for each in self._session.get_inputs())

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what `run` gives."""
        return tuple(each.name for each in self._session.get_outputs())

    def run(self, given: Mapping[str, Tensor], wanted: Sequence[str] | None = None) -> list[Tensor]:
        """The outputs named `wanted`, or all, in order."""
        names = None if wanted is None else list(wanted)
        return [np.asarray(each) for each in self._session.run(names, dict(given))]
