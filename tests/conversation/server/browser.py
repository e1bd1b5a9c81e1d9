"""A headless Chromium, steered over its DevTools socket, and published npm packages as scripts."""

import itertools
import json
import shutil
import subprocess
import tarfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "about:blank",
)


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.requested: list[str] = []
        """Addresses that the page asked for."""
        self.complaints: list[str] = []
        """Exceptions and errors of the page's scripts."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        here = json.dumps(url)
        self.wait(f"location.href.startsWith({here}) && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of `script`; a promise is awaited."""
        result = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition: str, timeout_s: float = 60) -> None:
        until_s = time.monotonic() + timeout_s
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until_s, f"never: {condition}; {self.complaints}"
            time.sleep(0.03)

    def type(self, text: str) -> None:
        """What a person types, where the focus is."""
        self.call("Input.insertText", text=text)

    def press_enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Enter",
                code="Enter",
                windowsVirtualKeyCode=13,
                text="\r" if kind == "keyDown" else "",
            )

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif message.get("method") == "Network.webSocketCreated":
            self.requested.append(params["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])


@contextmanager
def opened_browser(folder: Path, *, microphone: Path | None = None) -> Generator[Page]:
    """A tab of a browser of its own; the test is skipped where there is no Chromium.

    Args:
        folder: For the browser's own files.
        microphone: A WAV file that it hears, again and again, and may use without being asked.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed")
    profile = folder / "profile"
    with subprocess.Popen(
        [program, *ARGUMENTS, *_microphone(microphone), f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            port = _devtools_port(profile)
            tabs = httpx.get(
                f"http://127.0.0.1:{port}/json/list", trust_env=False, timeout=60
            ).json()
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            with connect(address, max_size=None, proxy=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


def _microphone(file: Path | None) -> list[str]:
    if file is None:
        return []
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
        "--autoplay-policy=no-user-gesture-required",
    ]


def npm_script(package: str, member: str, folder: Path) -> str:
    """A file of a published package; the test is skipped where npm cannot get it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    done = subprocess.run(
        [npm, "pack", "--silent", package],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot get {package}")
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        file = archive.extractfile(f"package/{member}")
        assert file is not None
        return file.read().decode()


def _devtools_port(profile: Path) -> int:
    path = profile / "DevToolsActivePort"
    until_s = time.monotonic() + 60
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < until_s, "the browser does not start"
        time.sleep(0.05)
    return int(path.read_text().split()[0])
