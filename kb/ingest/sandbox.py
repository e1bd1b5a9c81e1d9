"""Parsers in a child process with limits, so that a bad document costs that document only.

A worker is reused from document to document and replaced when it dies, when it was killed for
taking too long, and after some hundred documents. On POSIX systems its memory and processor time
are bounded by the kernel; elsewhere only its wall time is.
"""

import atexit
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from kb.config import MEBIBYTE, Limits, ParsingConfig, SandboxConfig
from kb.document import Block, PageStart, ParsedDocument
from kb.errors import DocumentError
from kb.formats.parse import out_of_memory
from kb.formats.pdf.ocr import THREADS as OCR_THREADS
from kb.ingest.parser_worker import LENGTH

START_TIMEOUT_S = 60.0
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from kb.ingest.parser_worker import main; main()"
)
_ROOT = str(Path(__file__).resolve().parents[2])
_FIXED_OUTPUT_BYTES = 16 * MEBIBYTE
_STARVED = ("SIGABRT", "SIGKILL", "SIGTRAP", "SIGILL")
_DEFAULT_PARSING = ParsingConfig()
_DEFAULT_LIMITS = Limits()
_PAGE: dict[str, Any] = {"page": True}
"""What a worker says before it recognises the text of a page."""
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Libraries set address space aside for each thread, on large machines more than a worker has."""
_BYTES_PER_CHAR = 8
"""Of an answer: UTF-8 and JSON escapes, and the blocks."""


class ParserPool:
    """Parses documents in child processes; any number of threads may call it.

    With `ocr`, its workers may take the memory and the time that text recognition needs.
    """

    def __init__(self, config: SandboxConfig | None = None, *, ocr: bool = False) -> None:
        self._config = config or SandboxConfig()
        self._ocr = ocr
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def parse(
        self,
        data: bytes,
        *,
        name: str,
        media_type: str | None = None,
        limits: Limits,
        config: ParsingConfig = _DEFAULT_PARSING,
    ) -> ParsedDocument:
        """Parse one source; see `kb.ingest.load.parse_bytes`.

        Raises:
            DocumentError: What the parser raised, or `timeout`, `out_of_memory`, `too_large` or
                `malformed` when it had to be stopped or died.
        """
        request = {"name": name, "media_type": media_type, "config": config.model_dump()}
        return _from_wire(self._answer(data, request, limits=limits)["parsed"])

    def _answer(self, data: bytes, request: dict[str, Any], *, limits: Limits) -> dict[str, Any]:
        worker = self._take()
        try:
            answer = worker.ask(data, request, limits=limits)
        except BaseException:
            worker.kill()
            raise
        self._give_back(worker)
        if "reason" in answer:
            raise DocumentError(answer["reason"], answer["message"])
        return answer

    def read(self, kind: str, data: bytes, options: Mapping[str, Any], *, name: str) -> Any:
        """Have a worker read what a web server sent; see `kb.ingest.web_reading`.

        Raises:
            DocumentError: As `parse`, and what the reader raises.
        """
        request = {"read": kind, "options": dict(options), "name": name}
        answer = self._answer(data, request, limits=_DEFAULT_LIMITS)
        return answer["read"]

    def close(self) -> None:
        """End the idle workers. A pool that is closed parses no more."""
        with self._lock:
            self._closed = True
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.kill()

    def _take(self) -> "_Worker":
        with self._lock:
            if self._closed:
                raise RuntimeError("the parser pool was closed; make a new ParserPool")
            if self._idle:
                return self._idle.pop()
        return _Worker(self._config, ocr=self._ocr)

    def _give_back(self, worker: "_Worker") -> None:
        with self._lock:
            keep = (
                not self._closed
                and len(self._idle) < self._config.idle_workers
                and worker.parsed < self._config.documents_per_worker
            )
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.kill()


class _Worker:
    """One child process. Not for more than one thread at a time."""

    def __init__(self, config: SandboxConfig, *, ocr: bool) -> None:
        self._config = config
        self.parsed = 0
        memory_bytes = config.memory_bytes + (config.ocr_memory_bytes if ocr else 0)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, _ROOT, str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Keys of the parent's providers are nothing that a hostile document should get near;
            # Windows starts no program without some of its variables.
            env=None if sys.platform == "win32" else dict(_ENVIRONMENT),
            # An interrupt at the terminal is for the parent to act on.
            start_new_session=True,
        )
        with _KillAfter(self._process, START_TIMEOUT_S):
            if self._receive(_FIXED_OUTPUT_BYTES) != {"ready": True}:
                self.kill()
                raise RuntimeError(
                    f"The parser process did not start (exit code {self._process.returncode}). "
                    f"Run `{sys.executable} -c 'import kb.ingest.parser_worker'` to see why, and "
                    "see whether `parsing.sandbox.memory_bytes` is too small."
                )

    def ask(self, data: bytes, request: dict[str, Any], *, limits: Limits) -> dict[str, Any]:
        name = str(request["name"])
        seconds = self._config.base_s + self._config.seconds_per_mebibyte * len(data) / MEBIBYTE
        request |= {"limits": limits.model_dump(), "size": len(data), "seconds": seconds}
        request["page_cpu_seconds"] = self._config.ocr_page_s * OCR_THREADS
        recognises = request.get("config", {}).get("ocr", False)
        allowed_pages = _recognisable_pages(limits) if recognises else 0
        with _KillAfter(self._process, seconds) as watch:
            self._send(json.dumps(request).encode(), data)
            answer, pages = self._receive(_output_limit(limits), name=name), 0
            while answer == _PAGE and pages < allowed_pages:
                pages += 1
                watch.restart(self._config.ocr_page_s)
                answer = self._receive(_output_limit(limits), name=name)
        if answer == _PAGE:
            raise _too_many_pages(name, pages)
        if answer is None:
            allowed = self._config.ocr_page_s if pages else seconds
            raise self._death(name, allowed, timed_out=watch.fired, recognising=pages > 0)
        self.parsed += 1
        return answer

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def _send(self, header: bytes, data: bytes) -> None:
        pipe = self._process.stdin
        # A worker that died is noticed when its answer is missing.
        with contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.write(LENGTH.pack(len(header)) + header)
                pipe.write(data)
                pipe.flush()

    def _receive(self, limit: int, *, name: str = "") -> dict[str, Any] | None:
        pipe = self._process.stdout
        prefix = pipe.read(LENGTH.size) if pipe is not None else b""
        if pipe is None or len(prefix) < LENGTH.size:
            return None
        length = LENGTH.unpack(prefix)[0]
        if length > limit:
            raise DocumentError(
                "too_large",
                f"{name!r} turned into {length:,} bytes of text and structure, more than "
                f"`limits.max_document_chars` leaves room for. Split it, or raise the limit.",
            )
        frame = pipe.read(length)
        return cast("dict[str, Any]", json.loads(frame)) if len(frame) == length else None

    def _death(
        self, name: str, seconds: float, *, timed_out: bool, recognising: bool
    ) -> DocumentError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Its pipe closes a moment before it is gone; only then its exit code tells.
            self._process.wait(timeout=2.0)
        self.kill()
        code = self._process.returncode
        if timed_out or code == -_signal("SIGXCPU"):
            if recognising:
                return DocumentError(
                    "timeout",
                    f"Text recognition of a page of {name!r} was stopped after {seconds:.0f} s. "
                    "Raise `parsing.sandbox.ocr_page_s` if this machine is slow or busy, or scan "
                    "the page anew.",
                )
            return DocumentError(
                "timeout",
                f"Parsing {name!r} was stopped after {seconds:.0f} s, far longer than a file of "
                "its size takes. Save it anew from the program that made it, split it, or raise "
                "`parsing.sandbox.base_s`.",
            )
        # Native libraries end themselves in these ways when they are refused memory.
        if code in {-_signal(name) for name in _STARVED}:
            return out_of_memory(name)
        return DocumentError(
            "malformed",
            f"{name!r} made its parser crash (exit code {code}), so it is broken or hostile. Save "
            "it anew from the program that made it, or leave it out.",
        )


class _KillAfter:
    """Kills a process that is still at it after some seconds; `fired` tells."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.fired = False
        self._process = process
        self._timer = self._armed(seconds)

    def __enter__(self) -> "_KillAfter":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def restart(self, seconds: float) -> None:
        """Count anew."""
        self._timer.cancel()
        self._timer = self._armed(seconds)
        self._timer.start()

    def _armed(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._fire)
        timer.daemon = True
        return timer

    def _fire(self) -> None:
        self.fired = True
        self._process.kill()


def shared_pool(config: SandboxConfig, *, ocr: bool = False) -> ParserPool:
    """The pool with this configuration that this process shares; made on first use."""
    # After a fork the workers are still the parent's.
    key = (os.getpid(), config, ocr)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = ParserPool(config, ocr=ocr)
            atexit.register(_shared[key].close)
        return _shared[key]


_shared: dict[tuple[int, SandboxConfig, bool], ParserPool] = {}
_shared_lock = threading.Lock()


def _recognisable_pages(limits: Limits) -> float:
    """Of one source, an archive with all that is in it included."""
    return math.inf if limits.max_document_pages is None else limits.max_document_pages


def _too_many_pages(name: str, pages: int) -> DocumentError:
    return DocumentError(
        "too_large",
        f"{name!r} has more than {pages:,} page{'s' if pages != 1 else ''} to recognise text on, "
        "with all documents in it. Split it, or raise `limits.max_document_pages`.",
    )


def _output_limit(limits: Limits) -> int:
    chars = limits.max_document_chars
    if chars is None:
        return 2**32
    return _FIXED_OUTPUT_BYTES + _BYTES_PER_CHAR * chars


def _signal(name: str) -> int:
    number = getattr(signal, name, None)
    return int(number) if number is not None else 1_000_000


def _from_wire(fields: dict[str, Any]) -> ParsedDocument:
    blocks = tuple(Block(*block) for block in fields.pop("blocks"))
    pages = tuple(PageStart(*page) for page in fields.pop("pages"))
    return ParsedDocument(blocks=blocks, pages=pages, **fields)
