"""A page of somebody else, on another origin and with a strict policy, that shows the widget."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conversation.widget.embed_code import content_policy

PAGE = """<!doctype html>
<html lang="en" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
<script src="{server}/widget.js" async></script></head>
<body><main><h1>A shop</h1><p>Parcels, and what to put in them.</p></main>
<vivavoce-widget agent-id="{agent}" {attributes}></vivavoce-widget></body></html>"""


@contextmanager
def shop(
    server: str, agent: str, *, direction: str = "ltr", attributes: str = ""
) -> Generator[str]:
    """The address of a page that shows the agent."""
    values = {"server": server, "agent": agent, "direction": direction, "attributes": attributes}
    body = PAGE.format(**values).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header(
                "content-security-policy",
                f"default-src 'none'; style-src 'none'; {content_policy(server)}",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            # Another name than the server's, so another site as well.
            yield f"http://localhost:{httpd.server_port}/"
        finally:
            httpd.shutdown()
            thread.join()
