import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

RUNS_A_MODEL = """
import numpy as np
from onnx import TensorProto, helper
from kb.embedding.onnx_runtime import import_onnxruntime

x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = import_onnxruntime().InferenceSession(model.SerializeToString())
print(session.run(None, {"x": np.array([2.0], dtype=np.float32)})[0][0])
"""


def test_running_a_model_collects_no_telemetry(tmp_path: Path):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUNS_A_MODEL],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "-2.0", done.stderr
    assert [str(path) for path in tmp_path.rglob("*")] == [], "it leaves device ids and events"
