"""Pages that a script builds, as a reader of them sees them.

The page that was fetched is given to an installed Chromium. What its scripts ask for goes through
the guard that links go through: the same addresses, the same sizes, GET alone. Pictures, frames,
sockets and whatever else the browser would fetch by itself get no answer.
"""

import base64
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from kb.config import LinkConfig, SandboxConfig
from kb.errors import DocumentError
from kb.web.browser import Browser, find_browser, opened
from kb.web.exchange import Reply, resolve_host
from kb.web.guarded import send_guarded
from kb.web.link_fetcher import FetchedLink

MAX_REQUESTS = 300
"""Of one page."""

_ASKED_FOR = frozenset({"Script", "Stylesheet", "XHR", "Fetch"})
_NOT_PASSED = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "set-cookie", "connection"}
)
_QUIET_S = 0.7
"""A page that asks for nothing for so long has what it needs."""
_POLL_S = 0.02
_PARALLEL = 4
_WORLD = "kb-snapshot"
_SNAPSHOT = """(() => {
  // This world has functions of its own; but named elements may stand where an attribute is read.
  const got = (kind, name, from) =>
    Object.getOwnPropertyDescriptor(kind.prototype, name).get.call(from);
  const page = got(Document, 'documentElement', document);
  if (!page) return '';
  for (const each of Element.prototype.querySelectorAll.call(page, 'body *')) {
    const style = getComputedStyle(each);
    if (style.display === 'none' || style.visibility === 'hidden') {
      Element.prototype.setAttribute.call(each, 'hidden', '');
    }
  }
  return '<!doctype html>' + got(Element, 'outerHTML', page).slice(0, %d);
})()"""

Resolve = Callable[[str, int], Sequence[str]]


def render_page(
    fetched: FetchedLink,
    links: LinkConfig,
    sandbox: SandboxConfig,
    *,
    resolve: Resolve = resolve_host,
    program: Callable[[], str] = find_browser,
) -> bytes:
    """The HTML of a page after its scripts ran, in UTF-8; what it hides is marked `hidden`.

    Args:
        fetched: The page as the server sends it; it is not fetched again.
        links: What may be reached, and how large it may be.
        sandbox: How long it may take, and how much memory.
        resolve: Looks hosts up.
        program: Finds the browser.

    Raises:
        DocumentError: `browser_missing` or `render_failed`.
    """
    ends = time.monotonic() + sandbox.render_s
    with (
        ThreadPoolExecutor(_PARALLEL, thread_name_prefix="kb-render") as threads,
        opened(ends=ends, memory_bytes=sandbox.render_memory_bytes, program=program) as browser,
    ):
        page = _Page(browser, fetched, links, threads, resolve)
        try:
            return page.rendered(ends)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


class _Page:
    """One page in the browser, whose every request is answered here."""

    def __init__(
        self,
        browser: Browser,
        fetched: FetchedLink,
        links: LinkConfig,
        threads: ThreadPoolExecutor,
        resolve: Resolve,
    ) -> None:
        self._browser = browser
        self._fetched = fetched
        self._links = links
        self._threads = threads
        self._resolve = resolve
        self._waiting: dict[str, Future[Reply]] = {}
        self._requests = 0
        self._bytes = 0
        self._frame = ""
        self._session = ""
        self._given = False

    def rendered(self, ends: float) -> bytes:
        self._frame = self._browser.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._browser.ask("Target.attachToTarget", targetId=self._frame, flatten=True)
        self._session = attached["sessionId"]
        self._browser.ask("Fetch.enable", self._session, patterns=[{"urlPattern": "*"}])
        self._browser.ask("Network.enable", self._session)
        self._browser.ask("Network.setBypassServiceWorker", self._session, bypass=True)
        self._browser.send("Page.navigate", self._session, url=self._fetched.final_url)
        self._wait(ends)
        return self._snapshot()

    def _snapshot(self) -> bytes:
        """The page, read where its scripts have changed nothing: they may replace any function."""
        world = self._browser.ask(
            "Page.createIsolatedWorld", self._session, frameId=self._frame, worldName=_WORLD
        )
        shown = self._browser.ask(
            "Runtime.evaluate",
            self._session,
            expression=_SNAPSHOT % self._links.max_bytes,
            contextId=world.get("executionContextId", 0),
            returnByValue=True,
        )
        value = shown.get("result", {}).get("value")
        html = value.encode("utf-8", "replace") if isinstance(value, str) else b""
        return html[: self._links.max_bytes]

    def _wait(self, ends: float) -> None:
        """Answer requests until none came for a while, or the time is nearly over."""
        quiet_since = time.monotonic()
        last = ends - min(2.0, (ends - quiet_since) / 4)
        while (now := time.monotonic()) < last:
            for message in self._browser.told(_POLL_S):
                if message.get("method") == "Fetch.requestPaused":
                    self._answer(message["params"])
                    quiet_since = time.monotonic()
            if self._pass_on() or self._waiting or not self._given:
                quiet_since = time.monotonic()
            elif now - quiet_since >= _QUIET_S:
                return

    def _answer(self, paused: dict[str, Any]) -> None:
        request, key = paused["request"], paused["requestId"]
        self._requests += 1
        url = str(request["url"]).partition("#")[0]
        kind = paused.get("resourceType")
        if kind == "Document" and paused.get("frameId") == self._frame and not self._given:
            self._given = True
            page = self._fetched
            self._fulfil(
                key, Reply(200, {"content-type": page.content_type or "text/html"}, page.body)
            )
        elif kind in _ASKED_FOR and request["method"] == "GET" and self._requests <= MAX_REQUESTS:
            self._waiting[key] = self._threads.submit(self._fetch, url)
        else:
            self._refuse(key)

    def _fetch(self, url: str) -> Reply:
        return send_guarded(
            "GET",
            url,
            headers={"Accept": "*/*", "Referer": self._fetched.final_url},
            content=None,
            config=self._links,
            reads=lambda status: status < 300 or status >= 400,
            resolve=self._resolve,
        )

    def _pass_on(self) -> bool:
        """Give the browser what came in since; whether there was any."""
        done = [key for key, future in self._waiting.items() if future.done()]
        for key in done:
            try:
                reply = self._waiting.pop(key).result()
            except (DocumentError, OSError, ValueError):
                self._refuse(key)
                continue
            self._bytes += len(reply.body)
            if self._bytes > self._links.max_bytes:
                self._refuse(key)
            else:
                self._fulfil(key, reply)
        return bool(done)

    def _fulfil(self, key: str, reply: Reply) -> None:
        headers = [
            {"name": name, "value": value}
            for name, value in reply.headers.items()
            if name not in _NOT_PASSED
        ]
        self._browser.send(
            "Fetch.fulfillRequest",
            self._session,
            requestId=key,
            responseCode=reply.status,
            responseHeaders=headers,
            body=base64.b64encode(reply.body).decode(),
        )

    def _refuse(self, key: str) -> None:
        self._browser.send(
            "Fetch.failRequest", self._session, requestId=key, errorReason="BlockedByClient"
        )
