"""Files of the Hugging Face Hub that no catalog knows, from a server in place of the Hub."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conversation.errors import ModelSetupError
from conversation.llm.open_model import open_chat_model
from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.hub_files import hub_file
from tests.fakes import SilentReporter

CONTENT = b"GGUF" + b"\x03" * 500
COMMIT = "c0ffee" * 6 + "abcd"
NAME = "hf:someone/Tiny-GGUF/q4/tiny.Q4_K_M.gguf"


@contextmanager
def hub(
    content: bytes, *, sha256: str | None = None, etag: str | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Serve one file; yields the address and what was asked for."""
    asked: list[str] = []
    told = etag or sha256 or hashlib.sha256(content).hexdigest()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(b"")

        def do_GET(self) -> None:
            self._answer(content)

        def _answer(self, body: bytes) -> None:
            asked.append(f"{self.command} {self.path}")
            is_there = self.path.endswith("/q4/tiny.Q4_K_M.gguf")
            self.send_response(200 if is_there else 404)
            self.send_header("X-Linked-Etag", f'"{told}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body) if is_there else 0))
            self.end_headers()
            self.wfile.write(body if is_there else b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def weights(root: Path, endpoint: str, *sources: str) -> Weights:
    return Weights(root, sources or ("huggingface",), SilentReporter(), hub_endpoint=endpoint)


def kept(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in root.rglob("*.gguf") if path.is_file()]


def test_a_file_is_fetched_once_at_the_commit_that_was_found(tmp_path: Path):
    with hub(CONTENT) as (endpoint, asked):
        first = weights(tmp_path, endpoint).resolve_hub_file(NAME)
    again = weights(tmp_path, "http://127.0.0.1:9").resolve_hub_file(NAME)

    assert first.read_bytes() == CONTENT
    assert again == first
    assert asked == [
        "HEAD /someone/Tiny-GGUF/resolve/main/q4/tiny.Q4_K_M.gguf",
        f"GET /someone/Tiny-GGUF/resolve/{COMMIT}/q4/tiny.Q4_K_M.gguf",
    ]


def test_another_revision_is_another_file(tmp_path: Path):
    with hub(CONTENT) as (endpoint, asked):
        one = weights(tmp_path, endpoint).resolve_hub_file(NAME)
        other = weights(tmp_path, endpoint).resolve_hub_file(f"{NAME}@v2")

    assert one.parent.parent != other.parent.parent
    assert "HEAD /someone/Tiny-GGUF/resolve/v2/q4/tiny.Q4_K_M.gguf" in asked


def test_a_file_with_another_digest_is_not_kept(tmp_path: Path):
    with (
        hub(CONTENT, sha256="0" * 64) as (endpoint, _),
        pytest.raises(WeightsError, match=r"not the expected file.*expected sha256 0000"),
    ):
        weights(tmp_path, endpoint).resolve_hub_file(NAME)

    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "etag", "match"),
    [
        ("hf:someone/Tiny-GGUF/q4/none.gguf", None, "it answered 404"),
        (NAME, "abc123", "it tells no sha256"),
    ],
)
def test_what_the_hub_does_not_tell_is_said(
    name: str, etag: str | None, match: str, tmp_path: Path
):
    with hub(CONTENT, etag=etag) as (endpoint, _), pytest.raises(WeightsError, match=match):
        weights(tmp_path, endpoint).resolve_hub_file(name)


def test_a_hub_out_of_reach_is_said(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"cannot be reached.*embedded/PATH\.gguf"):
        weights(tmp_path, "http://127.0.0.1:9").resolve_hub_file(NAME)


def test_the_hub_is_not_asked_where_it_is_no_source(tmp_path: Path):
    with hub(CONTENT) as (endpoint, asked), pytest.raises(WeightsError, match="allowed sources"):
        weights(tmp_path, endpoint, "folder").resolve_hub_file(NAME)

    assert asked == []


@pytest.mark.parametrize(
    "name",
    [
        "hf:tiny.gguf",
        "hf:someone/tiny.gguf",
        "hf:someone/repo/model.bin",
        "hf:someone/repo/../../x.gguf",
        "hf:someone/repo/x.gguf@",
        "hf:someone/repo/x.gguf@../../y",
        "hf:a b/repo/x.gguf",
    ],
)
def test_other_forms_are_refused(name: str, tmp_path: Path):
    with pytest.raises(WeightsError, match="Write hf:ORG/REPO/FILE"):
        hub_file(name)
    with pytest.raises(ModelSetupError, match="Write hf:ORG/REPO/FILE"):
        open_chat_model(f"embedded/{name}", weights=Weights(tmp_path)).check()


def test_a_model_string_names_it(tmp_path: Path):
    with hub(CONTENT) as (endpoint, _):
        open_chat_model(f"embedded/{NAME}", weights=weights(tmp_path, endpoint)).check()

    assert kept(tmp_path) == [CONTENT]
