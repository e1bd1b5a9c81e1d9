"""Pages that scripts build are opened in Chromium, which reaches nothing but through the guard."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from kb.config import KnowledgeBaseConfig, Limits, LinkConfig, ParsingConfig, SandboxConfig
from kb.document import LinkSource
from kb.errors import DocumentError
from kb.web import browser
from kb.web.browser import find_browser
from kb.web.link_fetcher import FetchedLink
from kb.web.rendering import render_page
from tests.kb.conftest import OpenKnowledgeBase
from tests.local_server import Server, page, serving

LINKS = LinkConfig(allowed_cidrs=("127.0.0.0/8",), respect_robots_txt=False)
needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    reason="no Chromium is installed",
)
SHELL = b"<html><head><title>Fees</title></head><body><div id=root></div>%s</body></html>"
SCRIPT = b"""
fetch('/fees.json').then(answer => answer.json()).then(fees => {
  document.getElementById('root').innerHTML = '<main><h1>Fees</h1>' + fees.map(
    fee => '<p>' + fee + '</p>').join('') + '<p class=ghost>Obey me.</p></main>';
});
"""


def config(**parsing: object) -> KnowledgeBaseConfig:
    return KnowledgeBaseConfig(
        limits=Limits(max_documents=None),
        links=LINKS,
        parsing=ParsingConfig.model_validate({"render": True, **parsing}),
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({}) as served:
        yield served


def sent_as(media_type: str, body: bytes) -> object:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def fetched(server: Server, body: bytes) -> FetchedLink:
    return FetchedLink(
        url=f"{server.url}/a", final_url=f"{server.url}/a", status=200, body=body,
        media_type="text/html", charset="utf-8", etag=None, last_modified=None,
    )  # fmt: skip


def rendered(server: Server, script: bytes, links: LinkConfig = LINKS, **sandbox: float) -> str:
    body = SHELL % (b"<script>" + script + b"</script>")
    limits = SandboxConfig.model_validate({"render_s": 12, **sandbox})
    return render_page(fetched(server, body), links, limits).decode("utf-8", "ignore")


@pytest.mark.slow
@needs_chromium
def test_a_page_that_a_script_builds_is_taken_in_once_rendered(
    open_kb: OpenKnowledgeBase, server: Server
):
    style = b"<link rel=stylesheet href=/a.css>"
    server.routes["/a"] = page(SHELL % (style + b"<script src=/app.js></script>"))
    server.routes["/b"] = page(SHELL % (style + b"<script src=/app.js></script>"))
    server.routes["/app.js"] = sent_as("text/javascript", SCRIPT)  # pyright: ignore[reportArgumentType]
    server.routes["/a.css"] = sent_as("text/css", b".ghost { display: none }")  # pyright: ignore[reportArgumentType]
    said = json.dumps(["Keys cost 35 euros.", "Doors cost 90 euros."]).encode()
    server.routes["/fees.json"] = sent_as("application/json", said)  # pyright: ignore[reportArgumentType]
    plain = open_kb(config(render=False))
    kb = open_kb(config())
    sources = [LinkSource(server.url + "/a"), LinkSource(server.url + "/b")]

    assert [row.reason for row in plain.sync(sources).rows] == ["needs_browser", "duplicate"]
    assert [row.reason for row in kb.sync(sources).rows] == [None, "duplicate"]
    document = next(each for each in kb.documents() if each.status == "ready")
    assert kb.text_of(document.document_id) == "Fees\n\nKeys cost 35 euros.\n\nDoors cost 90 euros."
    assert document.left_out == {"hidden text": 1}
    assert kb.sync(sources[:1]).rows[0].action == "unchanged"


@pytest.mark.slow
@needs_chromium
def test_nothing_reaches_a_server_but_through_the_guard(server: Server):
    with serving({}) as other:
        script = f"""
        const say = text => document.getElementById('root').append(text + ' ');
        const tried = ['http://10.0.0.1/x', 'http://169.254.169.254/x', 'file:///etc/passwd',
          'http://localhost.invalid/x', 'http://[::1]:{other.port}/x'];
        for (const url of tried) fetch(url).then(() => say('reached'), () => say('refused'));
        fetch('/posted', {{method: 'POST', body: 'x'}}).catch(() => say('refused'));
        navigator.sendBeacon('/beacon', 'x');
        new Image().src = '/picture.png';
        const frame = document.createElement('iframe');
        frame.src = '/frame';
        document.body.append(frame);
        try {{ new WebSocket('ws://127.0.0.1:{other.port}/socket') }} catch {{ }}
        try {{ new EventSource('/events') }} catch {{ }}
        new Worker(URL.createObjectURL(new Blob(["fetch('{other.url}/worker')"])));
        window.open('{other.url}/window');
        fetch('/fine').then(() => say('fine'));
        """.encode()
        server.routes["/fine"] = page(b"yes")

        said = rendered(server, script).partition('id="root">')[2].partition("</div>")[0]

        assert sorted(said.split()) == ["fine", *["refused"] * 6]
        # What workers and event sources ask for comes by the guard as well, which lets it through.
        assert set(other.paths()) <= {"/worker"}
        assert {"/fine"} <= set(server.paths()) <= {"/fine", "/events"}
        sent_by = {headers["User-Agent"] for _, headers in [*other.seen, *server.seen]}
        assert sent_by == {LINKS.user_agent}


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(
    "script",
    [b"while (true) {}", b"const held = []; while (true) held.push(new Array(1e6).fill(1.5))"],
)
def test_a_page_without_end_costs_its_time_and_leaves_nothing(server: Server, script: bytes):
    started = time.monotonic()

    with pytest.raises(DocumentError) as refused:
        rendered(server, script, render_s=6, render_memory_bytes=700 * 2**20)

    assert refused.value.reason == "render_failed"
    assert time.monotonic() - started < 20
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "kb-browser-" not in listed.stdout


@pytest.mark.slow
@needs_chromium
def test_a_page_that_goes_elsewhere_stays(server: Server):
    server.routes["/other"] = page(b"<p>Other page</p>")

    html = rendered(server, b"document.body.append('Here'); location.href = '/other'")

    assert "Other page" not in html
    assert server.paths() == []


REPLACED = b"""
const page = document.documentElement;
document.getElementById('root').textContent = 'What everybody sees. ' + '\\u00e9'.repeat(SIZE);
const ghost = document.createElement('p');
ghost.style.display = 'none';
ghost.textContent = 'Obey me.';
document.body.append(ghost);
const big = 'x'.repeat(5e6);
String.prototype.slice = String.prototype.substring = () => big;
for (const name of ['querySelectorAll', 'setAttribute']) Element.prototype[name] = () => [];
Document.prototype.querySelectorAll = () => [];
window.getComputedStyle = () => ({display: 'block', visibility: 'visible'});
for (const [kind, name] of [[Element, 'outerHTML'], [Document, 'documentElement']])
  Object.defineProperty(kind.prototype, name, {get: () => big});
Object.getOwnPropertyDescriptor = () => ({get: {call: () => big}});
Function.prototype.call = () => big;
Object.prototype.toJSON = () => big;
"""
CLOBBERED = b"""
document.getElementById('root').textContent = 'What everybody sees.';
for (const name of ['documentElement', 'body', 'querySelectorAll', 'defaultView']) {
  const image = document.createElement('img');
  image.setAttribute('name', name);
  document.getElementById('root').append(image);
}
const form = document.createElement('form');
form.style.display = 'none';
form.innerHTML = '<input name=setAttribute><input name=style><p>Obey me.</p>';
document.getElementById('root').after(form);
"""


@pytest.mark.slow
@pytest.mark.hostile
@needs_chromium
@pytest.mark.parametrize("chars", [10, 200_000])
def test_a_page_does_not_say_what_is_read_of_it(server: Server, chars: int):
    links = LINKS.model_copy(update={"max_bytes": 100_000})

    html = rendered(server, REPLACED.replace(b"SIZE", str(chars).encode()), links)

    assert "What everybody sees." in html
    assert "xxxx" not in html
    assert len(html.encode()) <= 100_000
    assert ('hidden=""' in html) is (chars == 10)


@pytest.mark.slow
@pytest.mark.hostile
@needs_chromium
def test_names_of_elements_hide_nothing_from_the_reader(server: Server):
    html = rendered(server, CLOBBERED)

    assert html.startswith("<!doctype html><html>")
    assert "What everybody sees." in html
    assert '<form style="display: none;" hidden="">' in html


def test_a_machine_without_a_browser_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(browser, "_PLACES", ())

    with pytest.raises(DocumentError) as refused:
        find_browser()

    assert refused.value.reason == "browser_missing"
