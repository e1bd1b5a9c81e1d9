"""Published JavaScript packages, and Node.js to run them."""

import shutil
import subprocess
from pathlib import Path

import pytest


def node_with(folder: Path, package: str) -> str:
    """Install a package into `folder`; returns the path of Node.js, or skips and says why."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("Node.js is not installed")
    installed = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", package],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if installed.returncode != 0:
        pytest.skip(f"npm cannot get {package}")
    return node
