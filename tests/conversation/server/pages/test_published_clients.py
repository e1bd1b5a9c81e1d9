"""Published clients in a real browser: what they show of voices, failures and refusals."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversation.errors import ModelUnavailableError
from tests.conftest import REPOSITORY
from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.pages.bundles import bundled, installed
from tests.conversation.server.pages.shown import shown_agent
from tests.conversation.server.pages.test_talking import ANSWER, DESK, QUESTION, Voices, murmur
from tests.conversation.server.served import Served, serving, wait_until
from tests.conversation.server.test_js_sdk import CURRENT
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WIDGET = "@elevenlabs/convai-widget-embed@0.5.4"
INSIDE = "document.querySelector('elevenlabs-convai').shadowRoot"
GUIDE = REPOSITORY / "conversation" / "server" / "README.md"


def in_the_guide(url: str) -> str:
    """What the guide puts in front of the widget, for another server and agent; then the widget."""
    block = re.search(
        r"<script>\n(.*?)</script>\n<script src=\"convai-widget.js\" async></script>\n(.*?)\n```",
        GUIDE.read_text("utf-8"),
        re.DOTALL,
    )
    assert block is not None
    script = block[1].replace("http://127.0.0.1:8091", url)
    element = block[2].replace("handbook", "desk")
    return f"{script}; document.body.innerHTML = {json.dumps(element)}; 0"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with opened_browser(tmp_path / "b", microphone=murmur(tmp_path / "v.wav", 6.0)) as opened:
        # The page's own policy allows no scripts that are put into it.
        opened.call("Page.setBypassCSP", enabled=True)
        yield opened


@pytest.fixture(scope="module")
def widget(tmp_path_factory: pytest.TempPathFactory) -> str:
    return npm_script(WIDGET, "dist/index.js", tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> str:
    return npm_script(CURRENT, "dist/lib.iife.js", tmp_path_factory.mktemp("npm"))


def labels(page: Page) -> list[str]:
    return page.run(f"[...{INSIDE}.querySelectorAll('button')].map((b) => b.ariaLabel ?? '')")


def show_widget(page: Page, served: Served, widget: str) -> None:
    page.open(f"{served.url}/")
    page.run(in_the_guide(served.url))
    page.run(f"{widget};0")
    page.wait(f"{INSIDE}?.querySelector('button')")


def press(page: Page, label: str) -> None:
    page.run(
        f"[...{INSIDE}.querySelectorAll('button')]"
        f".find((b) => b.ariaLabel === {json.dumps(label)}).click()"
    )


def test_the_widget_offers_no_call_where_the_server_has_no_voice(
    tmp_path: Path, page: Page, widget: str
):
    """It used to: the call then listened for ever."""
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        show_widget(page, served, widget)
        shown = labels(page)
        press(page, "Start a chat")
        page.wait(f"{INSIDE}.querySelector('textarea')")
        opened = labels(page)
        page.run(f"{INSIDE}.querySelector('textarea').focus()")
        page.type("How long?")
        page.press_enter()
        page.wait(f"{INSIDE}.textContent.includes({json.dumps(ANSWER[:30])})")

    assert "Start a chat" in shown
    assert not any("call" in label for label in shown + opened)


def test_the_widget_holds_a_call_where_there_is_a_voice(tmp_path: Path, page: Page, widget: str):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        served.context.voices = Voices()
        show_widget(page, served, widget)
        press(page, "Start a call")
        page.wait(f"{INSIDE}.querySelector('textarea')")
        if not served.context.talks:
            press(page, "Start a call")
        wait_until(lambda: bool(served.context.talks))
        [conversation] = served.store.conversations()
        wait_until(lambda: len(served.store.transcript(conversation.conversation_id).turns) >= 2)
        turns = served.store.transcript(conversation.conversation_id).turns

    assert turns[0].text == QUESTION


def test_a_voice_session_that_wants_webrtc_fails_with_what_to_do(
    tmp_path: Path, page: Page, sdk: str
):
    with serving(tmp_path, DESK) as served:
        page.open(f"{served.url}/")
        page.run(f"{sdk};0")
        said = page.run(
            "ElevenLabsClient.Conversation.startSession({agentId: 'desk', origin: location.origin})"
            ".then(() => 'started', (problem) => problem.message)"
        )

    assert "connectionType 'websocket'" in said


def test_a_token_would_take_a_webrtc_session_to_its_makers_rooms(
    tmp_path: Path, page: Page, sdk: str
):
    """Why the server answers with a refusal, and not with a token for rooms of its own."""
    with serving(tmp_path, DESK) as served:
        page.open(f"{served.url}/")
        page.run(f"{sdk};0")
        page.run(
            "window.dialled = []; window.WebSocket = class extends EventTarget {"
            " constructor(url) { super(); window.dialled.push(String(url)); } close() {} };"
            " const real = window.fetch; window.fetch = (url, options) =>"
            " String(url).includes('/conversation/token')"
            " ? Promise.resolve(Response.json({token: 'e30.e30.e30'})) : real(url, options);"
            " ElevenLabsClient.Conversation.startSession({agentId: 'desk',"
            " origin: location.origin}).catch(() => {}); null"
        )
        page.wait("window.dialled.length > 0")
        [dialled, *_] = page.run("window.dialled")

    assert dialled.startswith("wss://livekit.rtc.elevenlabs.io/")


def test_voice_asked_of_a_server_without_it_ends_at_once_with_the_reason(
    tmp_path: Path, page: Page, sdk: str
):
    agent = shown_agent("desk", first_message="")
    with serving(tmp_path, agent) as served:
        page.open(f"{served.url}/")
        page.run(f"{sdk};0")
        page.run(
            "window.ended = null; ElevenLabsClient.Conversation.startSession({agentId: 'desk',"
            " origin: location.origin.replace('http', 'ws'), connectionType: 'websocket',"
            " onDisconnect: (details) => { window.ended = details; }}).catch((p) => {"
            " window.ended = {reason: 'error', message: p.message}; }), null"
        )
        page.wait("window.ended !== null")
        ended = page.run("({reason: ended.reason, message: ended.message})")

    assert ended["reason"] == "error"
    assert "voice" in ended["message"]


def test_a_failed_turn_is_read_on_the_page(tmp_path: Path, page: Page):
    model = ScriptedChatModel(always=ModelUnavailableError("the model is away"))
    with serving(tmp_path, DESK, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run("document.getElementById('text').focus()")
        page.type("Hi")
        page.press_enter()
        page.wait("document.querySelector('.turn.agent:not(.thinking), .vv-alert')")
        page.run("document.getElementById('text').focus()")
        page.type("Again")
        page.press_enter()
        page.wait("document.querySelectorAll('.turn.agent:not(.thinking)').length >= 2")
        said = page.run("document.querySelector('.turn.agent').textContent.trim()")

    assert said
    assert "away" not in said


def test_the_page_with_react_in_the_guide_prints_what_the_guide_says(tmp_path: Path, page: Page):
    said = re.search(r"```jsx\n(.*?)```.*?```text\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert said is not None
    code, printed = said[1], said[2].splitlines()
    answer = printed[1].removeprefix("agent: ")
    desk = shown_agent("post-desk", first_message="Hello!")
    with serving(tmp_path / "s", desk, model=ScriptedChatModel(always=answer)) as served:
        script = bundled(
            installed(tmp_path),
            code.replace("ws://127.0.0.1:8091", f"ws://127.0.0.1:{served.port}"),
        )
        page.open(f"{served.url}/api/health")
        page.run(
            "globalThis.printed = []; console.log = (...all) => printed.push(all.join(' '));"
            "document.body.innerHTML = '<div id=desk></div>'; 0"
        )
        page.run(f"{script};0")
        for label, count in (("Start", 1), ("Ask", 2), ("End", 3)):
            button = (
                f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{label}')"
            )
            page.wait(button)
            page.run(f"{button}.click()")
            page.wait(f"printed.length >= {count}")
        shown = page.run("printed")

    assert shown == printed
