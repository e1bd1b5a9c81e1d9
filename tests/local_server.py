"""A web server on 127.0.0.1 whose every answer a test decides."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]

PAGE = b"<html><body><p>Refunds take five days.</p></body></html>"


class Server:
    """A local server: `routes` maps a path to what answers it, `fallback` answers the rest.

    `seen` keeps the requests.
    """

    def __init__(self, server: ThreadingHTTPServer, routes: dict[str, Answer]) -> None:
        self.routes = routes
        self.fallback: Answer = status(404)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.port = server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.seen]


@contextlib.contextmanager
def serving(
    routes: dict[str, Answer] | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.seen.append((self.path, dict(self.headers.items())))
            answer = served.routes.get(self.path, served.fallback)
            # The fetcher may hang up, as it should.
            with contextlib.suppress(OSError):
                answer(self)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    served = Server(server, routes or {})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(
    body: bytes = PAGE, media_type: str = "text/html; charset=utf-8", **headers: str
) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", media_type)
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()

    return answer


def redirect(location: str) -> Answer:
    return status(302, Location=location)
