"""The Dagster UI answers to its own names alone, and loads our packages whatever lies about."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from orchestration.processes.dagster_instance import workspace_file
from orchestration.processes.guarded_dagster import KnownHostsOnly, answering_names
from orchestration.settings import Settings, child_environment


async def _answer(headers: dict[str, str]) -> httpx.Response:
    async def page(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("assets")

    app = Starlette(routes=[Route("/", page, methods=["GET", "POST"])])
    transport = httpx.ASGITransport(KnownHostsOnly(app, answering_names([]) or ()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post("/", headers=headers)


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000"])
async def test_its_own_names_are_answered(host: str):
    assert (await _answer({"host": host})).text == "assets"
    assert (await _answer({"host": host, "origin": f"http://{host}"})).text == "assets"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:3000"},
        {"host": "evil.example:3000", "origin": "http://evil.example:3000"},
        {"host": "127.0.0.1:3000", "origin": "https://evil.example"},
        {"host": "127.0.0.1:3000", "origin": "null"},
        {"host": ""},
    ],
)
async def test_other_names_and_other_pages_are_refused(headers: dict[str, str]):
    assert (await _answer(headers)).status_code == httpx.codes.FORBIDDEN


async def test_a_socket_of_another_page_is_refused():
    sent: list[str] = []

    async def reached(*_parts: Any) -> None:
        sent.append("reached")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "headers": [(b"host", b"evil.example")]}
    await KnownHostsOnly(reached, ("127.0.0.1",))(scope, None, send)
    assert sent == ["websocket.close"]


def test_where_it_listens_everywhere_something_else_decides():
    assert answering_names(["--host", "0.0.0.0", "--port", "3000"]) is None
    assert "10.0.0.7" in (answering_names(["--host", "10.0.0.7"]) or ())


def test_the_code_location_has_our_name(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    settings.dagster_instance_dir.mkdir(parents=True)
    written = yaml.safe_load(workspace_file(settings).read_text())
    module = written["load_from"][0]["python_module"]
    assert module["location_name"] == "vivavoce"
    assert Path(module["working_directory"]) == settings.dagster_instance_dir.resolve()


@pytest.mark.parametrize("name", ["analysis", "kb", "conversation", "orchestration"])
def test_files_of_the_folder_do_not_shadow_our_packages(tmp_path: Path, name: str):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    code = "import orchestration.settings, analysis.errors, kb.errors, conversation.errors"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=child_environment(Settings(data_dir=tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
