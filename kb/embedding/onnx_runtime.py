"""onnxruntime without its telemetry: from 1.29 on its wheels report to their maker by default."""

import importlib
import os
from typing import Any


def import_onnxruntime(submodule: str = "") -> Any:
    """Import onnxruntime, or a submodule of it such as `quantization`, with telemetry off.

    The variable is read when the library is loaded: calling `disable_telemetry_events()` later
    would still have created a device id and a queue of events in the user's cache folder.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return importlib.import_module(f"onnxruntime.{submodule}" if submodule else "onnxruntime")
