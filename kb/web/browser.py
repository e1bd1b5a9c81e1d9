"""An installed Chromium without a network of its own, told what to do over a pipe.

It is started for one page and killed behind it: at its deadline, when it takes too much memory, or
when it is done. Whatever it wants from a server it has to ask for here.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kb.errors import DocumentError

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"),
    *("microsoft-edge-stable", "microsoft-edge"),
)
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# No name is resolved and no connection is made but to a proxy that is not there, loopback included.
_WITHOUT_NETWORK = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=socks5://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
)
_PLAIN = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--blink-settings=imagesEnabled=false",
    "--renderer-process-limit=1",
    "--js-flags=--max-old-space-size=512",
)
# Chromium reads commands from descriptor 3 and answers on 4, which Popen alone cannot arrange.
_START = """
import fcntl, os, sys
told_to, tells = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(told_to, 3)
os.dup2(tells, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_CHECKED_EVERY_S = 0.25
_PIECE_BYTES = 1 << 20
_MAX_MESSAGE_BYTES = 200 * 2**20


def find_browser() -> str:
    """The program.

    Raises:
        DocumentError: `browser_missing`.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    found = found or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        raise DocumentError(
            "browser_missing",
            "`parsing.render` needs Chromium or Chrome, and none is installed on this machine. "
            "Install one (for example `apt-get install chromium`), or switch `parsing.render` off.",
        )
    return found


class Browser:
    """Commands to a running browser, and what it tells."""

    def __init__(
        self, process: subprocess.Popen[bytes], write: int, read: int, *, ends: float, memory: int
    ) -> None:
        """Take the two ends of its pipe, when it has to end, and how much memory it may take."""
        self._process = process
        self._write, self._read = write, read
        self._ends, self._memory = ends, memory
        self._checked = 0.0
        self._last = 0
        self._pending = b""
        self._told: list[dict[str, Any]] = []

    def send(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Send a command without waiting; returns its number."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        unsent = memoryview(json.dumps(message).encode() + b"\0")
        while unsent:
            _, ready, _ = select.select([], [self._write], [], _CHECKED_EVERY_S)
            self._check()
            unsent = unsent[os.write(self._write, unsent[:65_536]) :] if ready else unsent
        return self._last

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result; what else is told meanwhile is kept."""
        number = self.send(method, session, **parameters)
        kept: list[dict[str, Any]] = []
        while True:
            for message in self.told(_CHECKED_EVERY_S):
                if message.get("id") != number:
                    kept.append(message)
                    continue
                self._told = kept + self._told
                return message.get("result") or {}

    def told(self, wait_s: float) -> Iterator[dict[str, Any]]:
        """What the browser said since, after at most `wait_s`; each message once."""
        if not self._told:
            self._receive(wait_s)
        while self._told:
            yield self._told.pop(0)

    def _receive(self, wait_s: float) -> None:
        self._check()
        ready, _, _ = select.select([self._read], [], [], max(0.0, wait_s))
        if not ready:
            return
        piece = os.read(self._read, _PIECE_BYTES)
        if not piece or len(self._pending) > _MAX_MESSAGE_BYTES:
            raise _failed("the browser ended by itself")
        *whole, self._pending = (self._pending + piece).split(b"\0")
        self._told += map(json.loads, whole)

    def _check(self) -> None:
        now = time.monotonic()
        if now >= self._ends:
            raise _failed("it took longer than `parsing.sandbox.render_s`")
        if now - self._checked >= _CHECKED_EVERY_S:
            self._checked = now
            if _memory_of(self._process.pid) > self._memory:
                raise _failed("it took more memory than `parsing.sandbox.render_memory_bytes`")


@contextmanager
def opened(
    *, ends: float, memory_bytes: int, program: Callable[[], str] = find_browser
) -> Generator[Browser]:
    """A browser that is gone behind the block, with everything that it wrote.

    Args:
        ends: When it has to end, by `time.monotonic`.
        memory_bytes: What all of its processes together may take, where the system tells.
        program: Finds it.

    Raises:
        DocumentError: `browser_missing` or `render_failed`.
    """
    found = program()
    told_to, written = os.pipe()
    heard, tells = os.pipe()
    # A container that runs everything as root gives Chromium no sandbox of its own.
    rootless = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory(prefix="kb-browser-", ignore_cleanup_errors=True) as folder:
        flags = [*_PLAIN, *_WITHOUT_NETWORK, *rootless, f"--user-data-dir={folder}"]
        command = [found, *flags, "about:blank"]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, str(told_to), str(tells), *command],
            pass_fds=(told_to, tells),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"HOME": folder, "PATH": os.defpath, "LANG": "C.UTF-8"},
        )
        os.close(told_to)
        os.close(tells)
        os.set_blocking(written, False)
        try:
            yield Browser(process, written, heard, ends=ends, memory=memory_bytes)
        except (OSError, ValueError) as error:
            raise _failed(str(error)) from error
        finally:
            os.close(written)
            os.close(heard)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _memory_of(leader: int) -> int:
    """Bytes that the processes of a session take, what they share counted once; 0 if unknown."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                lines = (entry / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024


def _failed(why: str) -> DocumentError:
    return DocumentError(
        "render_failed",
        f"The page could not be rendered: {why}. Add it as a browser saves or prints it, or raise "
        "the limit.",
    )
