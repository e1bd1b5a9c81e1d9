"""Pages for people, over HTTP and in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.served import PRIVATE, SUPPORT, Served, serving, wait_until
from tests.conversation.server.test_js_sdk import CURRENT
from tests.fakes import ScriptedChatModel

TURNS = (
    "[...document.querySelectorAll('.turn')]"
    ".map((t) => t.classList[0] + ' ' + t.classList[1] + ': ' + t.textContent)"
)


def test_the_index_names_public_agents_and_no_other(tmp_path: Path):
    with serving(tmp_path) as served:
        page = served.http.get("/")

    assert "Support" in page.text
    assert 'href="talk/support"' in page.text
    assert "rivate" not in page.text


def test_pages_ask_nothing_of_other_hosts(tmp_path: Path):
    with serving(tmp_path) as served:
        for path in ("/", "/talk/support", "/page/look.css", "/page/talk.js", "/page/capture.js"):
            answer = served.http.get(path)
            assert answer.status_code == 200
            assert not re.search(r"https?://(?!www\.w3\.org)", answer.text)
        policy = served.http.get("/talk/support").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{served.port};" in policy


@pytest.mark.parametrize("agent_id", ["private", "nobody", "<script>alert(1)</script>"])
def test_agents_that_are_not_public_look_like_none(tmp_path: Path, agent_id: str):
    with serving(tmp_path, PRIVATE, SUPPORT) as served:
        page = served.http.get(f"/talk/{agent_id.replace('/', '%2F')}")

    assert 'id="look">null<' in page.text or page.status_code == 404
    assert "Private" not in page.text
    assert "<script>alert" not in page.text


def test_only_the_files_of_the_page_are_given_out(tmp_path: Path):
    with serving(tmp_path) as served:
        for name in ("index.html", "..%2Fapp.py", "sdk.js"):
            assert served.http.get(f"/page/{name}").status_code == 404


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def with_sdk(served: Served, folder: Path) -> None:
    script = folder / "sdk.js"
    script.write_text(npm_script(CURRENT, "dist/lib.iife.js", folder))
    served.context.sdk_script = script


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("client", ["own", "sdk"])
def test_a_conversation_on_the_page(tmp_path: Path, page: Page, client: str):
    model = ScriptedChatModel(always="Five days, <b>as a rule</b>.")
    with serving(tmp_path, model=model) as served:
        if client == "sdk":
            with_sdk(served, tmp_path)
        page.requested.clear()
        page.complaints.clear()
        page.open(f"{served.url}/talk/support")
        page.wait("document.activeElement.id === 'text'")
        page.type("How long do refunds take?")
        page.press_enter()
        page.wait("document.querySelectorAll('.turn.agent').length === 2")
        page.wait("/rule/.test(document.querySelector('#turns').textContent)")
        turns = page.run(TURNS)
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('again')")
        wait_until(lambda: not served.context.talks)
        [summary] = served.store.conversations()
        transcript = served.store.transcript(summary.conversation_id)

    assert turns == [
        "turn agent: Hello!",
        "turn user: How long do refunds take?",
        "turn agent: Five days, <b>as a rule</b>.",
    ]
    assert transcript.metadata["client"] == {"own": "viva_voce_page", "sdk": "js_sdk"}[client]
    assert transcript.end_reason == "user_ended"
    assert page.complaints == []
    elsewhere = [url for url in page.requested if f"127.0.0.1:{served.port}" not in url]
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_private_agent_opens_with_a_key(tmp_path: Path, page: Page):
    with serving(tmp_path) as served:
        page.open(f"{served.url}/talk/private")
        page.wait("document.activeElement.id === 'key'")
        page.type("vv_wrong")
        page.press_enter()
        page.wait("document.querySelector('.note.alert')")
        complaint = page.run("document.querySelector('.note.alert').textContent")
        page.run("document.getElementById('key').focus()")
        page.type(served.key("converse"))
        page.press_enter()
        page.wait("document.querySelector('.turn.agent')")
        kept = page.run("localStorage.length + sessionStorage.length + document.cookie.length")

    assert "API key" in complaint
    assert kept == 0


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_page_can_be_used_without_seeing_it(tmp_path: Path, page: Page):
    with serving(tmp_path) as served:
        page.open(f"{served.url}/talk/support")
        page.wait("document.querySelector('.turn.agent')")
        unlabelled = page.run(
            "[...document.querySelectorAll('button, input, textarea')]"
            ".filter((e) => !(e.labels?.[0]?.textContent.trim() || e.textContent.trim()"
            " || e.getAttribute('aria-label'))).length"
        )

        assert unlabelled == 0
        assert page.run("document.getElementById('turns').getAttribute('role')") == "log"
        assert page.run("document.getElementById('status').getAttribute('role')") == "status"
        assert page.run("document.documentElement.lang") == "en"
