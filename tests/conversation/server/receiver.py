"""A webhook receiver on 127.0.0.1 that keeps what it gets and answers what a test decides."""

import queue
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """What was received, and what to answer."""

    url: str
    got: "queue.Queue[tuple[str, dict[str, str]]]" = field(default_factory=queue.Queue)
    """Body and headers (lower case) of each request."""
    codes: list[int] = field(default_factory=list[int])
    """Answered in turn; then 200."""
    location: str | None = None
    """Sent with each answer."""
    wait_s: float = 0.0
    """Before each answer."""

    def next(self, timeout_s: float = 60) -> tuple[str, dict[str, str]]:
        return self.got.get(timeout=timeout_s)


@contextmanager
def receiving() -> Generator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            receiver.got.put((body, {name.lower(): text for name, text in self.headers.items()}))
            time.sleep(receiver.wait_s)
            self.send_response(receiver.codes.pop(0) if receiver.codes else 200)
            if receiver.location is not None:
                self.send_header("location", receiver.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/calls")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
