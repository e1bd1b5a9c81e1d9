"""Whatever goes wrong is heard or read in every published client, unchanged, in a real browser."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conversation.errors import ModelUnavailableError
from conversation.server.limits import ServerLimits
from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.pages.bundles import REACT, WIDGET_CORE, bundled, installed
from tests.conversation.server.pages.shown import shown_agent
from tests.conversation.server.pages.test_published_clients import (
    INSIDE,
    WIDGET,
    in_the_guide,
    labels,
    press,
)
from tests.conversation.server.pages.test_talking import QUESTION, Voices, murmur
from tests.conversation.server.served import Served, serving, wait_until
from tests.conversation.server.test_js_sdk import CURRENT, LEGACY
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DESK = shown_agent("desk", first_message="")
SPOKEN = shown_agent("desk", first_message="", voice={})
SDKS = ("legacy", "current", "react")
WIDGETS = {"embed": "Start a chat", "core": "Message"}
"""What the button says with which a user begins to write."""
START = """
(async (options) => {
  globalThis.log ??= [];
  const note = (name) => (value) => { globalThis.log.push([name, value ?? null]); };
  const names = ["onConnect", "onDisconnect", "onMessage", "onError", "onAudio"];
  const callbacks = Object.fromEntries(names.map((name) => [name, note(name)]));
  try {
    const sdk = globalThis.SDK;
    if (sdk) globalThis.talk = await sdk.Conversation.startSession({ ...callbacks, ...options });
    else globalThis.talk.startSession(options);
  } catch (problem) {
    note("rejected")(problem.reason ?? problem.message);
  }
})(%s)
"""


@dataclass(frozen=True)
class Scripts:
    """By name, what makes a client of a page."""

    by_name: dict[str, str]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    folder = tmp_path_factory.mktemp("npm")
    livekit = npm_script("livekit-client@2", "dist/livekit-client.umd.js", folder)
    legacy = npm_script(LEGACY, "dist/lib.umd.js", folder)
    current = npm_script(CURRENT, "dist/lib.iife.js", folder)
    modules = installed(tmp_path_factory.mktemp("modules"))
    return Scripts(
        {
            "legacy": f"{livekit}\nglobalThis.livekitClient = globalThis.LivekitClient;\n{legacy}\n"
            "globalThis.SDK = globalThis.client;",
            "current": f"{current}\nglobalThis.SDK = ElevenLabsClient;",
            "react": bundled(modules, REACT),
            "embed": npm_script(WIDGET, "dist/index.js", folder),
            "core": bundled(modules, WIDGET_CORE),
        }
    )


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with opened_browser(tmp_path / "b", microphone=murmur(tmp_path / "v.wav", 6.0)) as opened:
        # The page's own policy allows no scripts that are put into it.
        opened.call("Page.setBypassCSP", enabled=True)
        yield opened


def start(page: Page, served: Served, script: str, **options: Any) -> None:
    """Begin a conversation by a client that programs use."""
    page.open(f"{served.url}/api/health")
    page.run(f"{script};null")
    page.wait("globalThis.SDK || globalThis.talk")
    socket = served.url.replace("http", "ws")
    # The one for React has no `origin`; an agent that is public needs no signature either.
    place = (
        {"signedUrl": f"{socket}/v1/convai/conversation?agent_id=desk"}
        if page.run("!globalThis.SDK")
        else {"agentId": "desk", "origin": socket}
    )
    given = {**place, "connectionType": "websocket", **options}
    page.run(START % json.dumps(given))


def show(page: Page, served: Served, script: str) -> None:
    """Show a widget, and open it."""
    page.open(f"{served.url}/")
    page.run(in_the_guide(served.url))
    page.run(f"{script};0")
    page.wait(f"{INSIDE}?.querySelector('button')")


def log(page: Page) -> str:
    """Names and values of all that a client told its program."""
    return page.run("JSON.stringify(globalThis.log)")


def said_to_the_user(served: Served) -> str:
    """What the agent said in its last turn."""
    [conversation] = served.store.conversations()
    turns = served.store.transcript(conversation.conversation_id).turns
    return turns[-1].text if turns and turns[-1].role == "agent" else ""


def failing() -> ScriptedChatModel:
    return ScriptedChatModel(always=ModelUnavailableError("the model is away"))


@pytest.mark.parametrize("client", SDKS)
def test_a_failed_turn_is_told_to_programs(
    tmp_path: Path, page: Page, scripts: Scripts, client: str
):
    with serving(tmp_path, DESK, model=failing()) as served:
        start(page, served, scripts.by_name[client], textOnly=True)
        page.wait("globalThis.log.some(([name]) => name === 'onConnect')")
        page.run("talk.sendUserMessage('How long?')")
        page.wait("globalThis.log.some(([n, v]) => n === 'onMessage' && v.source === 'ai')")
        told = [
            value["message"]
            for name, value in page.run("globalThis.log")
            if name == "onMessage" and value["source"] == "ai"
        ]
        said = said_to_the_user(served)

    assert told == [said]
    assert said
    assert "away" not in log(page)


@pytest.mark.parametrize("client", SDKS)
def test_a_failed_turn_of_a_call_is_heard(
    tmp_path: Path, page: Page, scripts: Scripts, client: str
):
    with serving(tmp_path, SPOKEN, model=failing()) as served:
        served.context.voices = Voices()
        start(page, served, scripts.by_name[client])
        page.wait(
            "globalThis.log.some(([n, v]) => n === 'onMessage' && v.source === 'ai')"
            " && globalThis.log.some(([name]) => name === 'onAudio')"
        )
        told = page.run("globalThis.log")
        said = said_to_the_user(served)
    messages = [(value["source"], value["message"]) for name, value in told if name == "onMessage"]

    assert messages[0] == ("user", QUESTION)
    assert messages[1] == ("ai", said)
    assert said


@pytest.mark.parametrize("client", WIDGETS)
def test_a_failed_turn_is_read_in_the_widgets(
    tmp_path: Path, page: Page, scripts: Scripts, client: str
):
    with serving(tmp_path, DESK, model=failing()) as served:
        show(page, served, scripts.by_name[client])
        press(page, WIDGETS[client])
        page.wait(f"{INSIDE}.querySelector('textarea')")
        write(page, "How long?")
        wait_until(lambda: bool(served.store.conversations()) and said_to_the_user(served))
        said = said_to_the_user(served)
        page.wait(f"{INSIDE}.textContent.includes({json.dumps(said)})")

    assert said
    assert "away" not in said


def write(page: Page, text: str) -> None:
    page.run(f"{INSIDE}.querySelector('textarea').focus()")
    page.type(text)
    page.press_enter()


@pytest.mark.parametrize("client", SDKS)
def test_a_call_that_nobody_can_hear_ends_at_once_with_the_reason(
    tmp_path: Path, page: Page, scripts: Scripts, client: str
):
    with serving(tmp_path, DESK) as served:
        start(page, served, scripts.by_name[client])
        page.wait("/voice/.test(JSON.stringify(globalThis.log))", 10)
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        reason = served.store.transcript(conversation.conversation_id).end_reason

    assert reason == "no_voice"


@pytest.mark.parametrize("client", WIDGETS)
def test_the_widgets_offer_no_call_where_nobody_would_hear_it(
    tmp_path: Path, page: Page, scripts: Scripts, client: str
):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Five days.")) as served:
        show(page, served, scripts.by_name[client])
        labels = page.run(
            f"[...{INSIDE}.querySelectorAll('button')].map((b) => b.ariaLabel || b.textContent)"
        )
        press(page, WIDGETS[client])
        page.wait(f"{INSIDE}.querySelector('textarea')")
        write(page, "How long?")
        page.wait(f"{INSIDE}.textContent.includes('Five days.')")

    assert not [label for label in labels if "call" in label.lower()]


@pytest.mark.parametrize("client", WIDGETS)
def test_the_widgets_hold_a_call(tmp_path: Path, page: Page, scripts: Scripts, client: str):
    with serving(tmp_path, SPOKEN, model=ScriptedChatModel(always="Five days.")) as served:
        served.context.voices = Voices()
        show(page, served, scripts.by_name[client])
        press(page, "Start a call")
        page.run("new Promise((done) => setTimeout(done, 3000))")
        if not served.store.conversations() and "Start a call" in labels(page):
            # One of them only opens at the first press.
            press(page, "Start a call")
        wait_until(lambda: bool(served.store.conversations()))
        wait_until(lambda: said_to_the_user(served) == "Five days.")
        page.wait(f"{INSIDE}.textContent.includes('Five days.')")


@pytest.mark.parametrize("version", ["0.0.0", "0.0.2", "0.0.4"])
def test_clients_of_the_first_weeks_hear_the_first_message(
    tmp_path: Path, page: Page, tmp_path_factory: pytest.TempPathFactory, version: str
):
    """They lose what comes before their sound is set up, and the first two send no first frame."""
    folder = tmp_path_factory.mktemp("npm")
    script = npm_script(f"@11labs/client@{version}", "dist/lib.umd.js", folder)
    agent = shown_agent("desk", first_message="Welcome!", voice={})
    model = ScriptedChatModel(always="Five days.")
    with serving(tmp_path, agent, model=model, limits=ServerLimits()) as served:
        served.context.voices = Voices()
        page.open(f"{served.url}/api/health")
        page.run(f"{script};globalThis.SDK = globalThis.client;null")
        # On a slow machine sound takes its time to be set up.
        page.run(
            "const real = AudioWorklet.prototype.addModule;"
            " AudioWorklet.prototype.addModule = async function (...given) {"
            " await new Promise((done) => setTimeout(done, 900));"
            " return real.apply(this, given); }; null"
        )
        socket = served.url.replace("http", "ws")
        address = f"{socket}/v1/convai/conversation?agent_id=desk"
        page.run(START % json.dumps({"signedUrl": address}))
        page.wait("globalThis.log.some(([n, v]) => n === 'onMessage' && v.source === 'ai')", 20)
        [first, *_] = [
            value["message"]
            for name, value in page.run("globalThis.log")
            if name == "onMessage" and value["source"] == "ai"
        ]

    assert first == "Welcome!"
