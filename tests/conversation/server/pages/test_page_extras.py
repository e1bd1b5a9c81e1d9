"""What stands around a conversation on the page: tools, times, copies, languages, patience."""

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    Completion,
    CompletionOptions,
)
from tests.conversation.server.browser import Page, opened_browser
from tests.conversation.server.pages.shown import shown_agent
from tests.conversation.server.pages.test_talk_page import ANSWER, DESK, ask
from tests.conversation.server.served import serving, wait_until
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

GIVES_CLIPBOARD = (
    "window.taken = null; Object.defineProperty(navigator, 'clipboard',"
    " {value: {writeText: async (text) => { window.taken = text; }}}); null"
)


class SlowModel(ScriptedChatModel):
    """Says nothing at all until the test lets it."""

    def __init__(self, answer: str) -> None:
        super().__init__(always=answer)
        self.go_on = threading.Event()

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        async for piece in super().astream(messages, options):
            yield piece


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def open_menu(page: Page) -> None:
    page.run("document.querySelector('.vv-menu summary').click()")
    page.wait("document.querySelector('.vv-menu').open")


def press_item(page: Page, name: str) -> None:
    page.run(
        "[...document.querySelectorAll('.vv-item')]"
        f".find((each) => each.textContent === {name!r}).click()"
    )


@pytest.mark.parametrize(
    ("shows", "line"), [(True, "show order failed"), (False, None)], ids=["shown", "hidden"]
)
def test_the_use_of_a_tool_is_shown_where_the_agent_wants_that(
    tmp_path: Path, page: Page, shows: bool, line: str | None
):
    """The page has no tools of its own, so a tool of the client fails there, and is seen to."""
    agent = shown_agent(
        "desk",
        tools=[{"name": "show_order", "description": "Shows an order."}],
        widget={"tool_calls": shows},
    )
    use: dict[str, Any] = {"action": {"tool": "show_order", "parameters": {}}}
    model = ScriptedChatModel(use, always="I could not show it.")
    with serving(tmp_path, agent, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Show me my order.")
        page.wait("/could not/.test(document.querySelector('#turns').textContent)")
        found = page.run(
            "[...document.querySelectorAll('.vv-tool')].map((t) => [t.textContent, t.className])"
        )
        bubbles = page.run("document.querySelectorAll('.turn.agent').length")

    assert found == ([[line, "vv-tool vv-failed"]] if line else [])
    assert bubbles == 2


def test_a_tool_is_shown_while_it_runs_and_when_it_is_done(tmp_path: Path, page: Page):
    agent = shown_agent("desk", tools=[{"name": "show_order", "description": "Shows an order."}])
    use: dict[str, Any] = {"action": {"tool": "show_order", "parameters": {}}}
    model = ScriptedChatModel(use, always="There it is.")
    with serving(tmp_path, agent, model=model) as served:
        page.open(f"{served.url}/")
        page.call("Page.setBypassCSP", enabled=True)
        page.open(f"{served.url}/")
        page.run(
            "new Promise((done) => { const script = document.createElement('script');"
            " script.src = '/widget.js'; script.onload = done; document.head.append(script); })"
        )
        page.run(
            "const widget = document.createElement('vivavoce-widget');"
            " widget.setAttribute('agent-id', 'desk'); window.finish = null;"
            " widget.tools = {show_order: () => new Promise((done) => { window.finish = done; })};"
            " document.body.append(widget); widget.send('Show me my order.'); null"
        )
        page.call("Page.setBypassCSP", enabled=False)
        tool = "document.querySelector('vivavoce-widget').shadowRoot?.querySelector('.vv-tool')"
        page.wait(f"{tool}?.classList.contains('vv-running') && window.finish")
        running = page.run(f"{tool}.textContent")
        page.run("window.finish('shown'); null")
        page.wait(f"{tool}.classList.contains('vv-done')")
        done = page.run(f"{tool}.textContent")

    assert (running, done) == ("Using show order", "Used show order")


def test_the_whole_conversation_is_copied_as_text(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(GIVES_CLIPBOARD)
        ask(page, "How long do refunds take?")
        page.wait("document.querySelector('.vv-actions')")
        open_menu(page)
        press_item(page, "Copy the conversation")
        page.wait("window.taken !== null && document.querySelector('.vv-copied')")
        taken = page.run("window.taken")

    assert taken.split("\n\n") == [
        "Northwind help desk: Hello! Ask me about parcels, returns and refunds.",
        "You: How long do refunds take?",
        f"Northwind help desk: {ANSWER}",
    ]


def test_the_menu_tells_the_id_under_which_the_conversation_is_kept(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        before = page.run("document.querySelector('.vv-id').textContent")
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        open_menu(page)
        shown = page.run("document.querySelector('.vv-id').innerText")
        [conversation] = served.store.conversations()

    assert before == ""
    assert shown == f"Conversation {conversation.conversation_id}"


def test_times_of_an_answer_are_shown_when_somebody_asks_for_them(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-times-line')")
        line = "document.querySelector('.vv-times-line')"
        hidden = page.run(f"getComputedStyle({line}).display")
        open_menu(page)
        page.run("document.querySelector('.vv-item input[type=checkbox]').click()")
        shown = page.run(f"getComputedStyle({line}).display")
        text = page.run(f"{line}.textContent")
        page.run("document.querySelector('.vv-item input[type=checkbox]').click()")
        again = page.run(f"getComputedStyle({line}).display")

    assert (hidden, again) == ("none", "none")
    assert shown != "none"
    assert re.fullmatch(r"first token \d+ ms · last token \d+ ms( · .*)?", text)


def test_an_answer_is_asked_for_again(tmp_path: Path, page: Page):
    model = ScriptedChatModel("Two days.", "Five days.")
    with serving(tmp_path, DESK, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "How long?")
        page.wait("document.querySelector('.vv-actions [aria-label=\"Ask again\"]')")
        page.run("document.querySelector('[aria-label=\"Ask again\"]').click()")
        page.wait("/Five days/.test(document.querySelector('#turns').textContent)")
        page.run("document.getElementById('end').click()")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["How long?", "How long?"]


def test_a_chosen_language_is_that_of_the_page_and_of_the_conversation(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="نعم.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-header select')")
        names = page.run(
            "[...document.querySelectorAll('.vv-header option')].map((o) => o.textContent)"
        )
        page.run(
            "(() => { const choice = document.querySelector('.vv-header select');"
            " choice.value = 'ar'; choice.dispatchEvent(new Event('change')); })()"
        )
        page.wait("document.querySelector('.turn.agent').textContent")
        look = page.run(
            "(() => { const talk = document.querySelector('.vv-talk');"
            " return [talk.dir, talk.lang, document.querySelector('.turn.agent').textContent,"
            " document.getElementById('text').placeholder]; })()"
        )
        ask(page, "كم يومًا؟")
        page.wait("document.querySelector('.vv-actions')")
        is_fixed = page.run("document.querySelector('.vv-header select').disabled")
        [conversation] = served.store.conversations()
        transcript = served.store.transcript(conversation.conversation_id)

    assert names == ["English", "العربية"]
    assert look == ["rtl", "ar", "مرحبًا!", "اكتب رسالة"]
    assert is_fixed
    assert transcript.turns[0].text == "مرحبًا!"


def test_who_waits_long_is_told_that_the_agent_is_at_it(tmp_path: Path, page: Page):
    model = SlowModel("At last.")
    with serving(tmp_path, DESK, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Think hard.")
        page.wait("document.querySelector('.turn.agent.thinking .vv-dots')")
        early = page.run("Boolean(document.querySelector('.vv-patience'))")
        page.wait("document.querySelector('.vv-patience')", 20)
        said = page.run("document.querySelector('.vv-patience').textContent")
        model.go_on.set()
        page.wait("/At last/.test(document.querySelector('#turns').textContent)")
        left = page.run("document.querySelectorAll('.vv-patience, .vv-dots').length")

    assert not early
    assert said == "Still at it. A careful answer can take a while."
    assert left == 0


def test_the_first_paint_waits_for_no_socket(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK) as served:
        # The page before it may still call for its server, which is gone.
        page.open("about:blank")
        page.requested.clear()
        page.open(f"{served.url}/talk/desk")
        page.wait("performance.getEntriesByName('first-contentful-paint').length === 1")
        sockets = [url for url in page.requested if url.startswith("ws")]

    assert sockets == []


def test_a_page_that_is_loaded_again_says_that_the_conversation_is_over(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        fresh = page.run("document.querySelectorAll('.vv-note').length")
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        page.call("Page.reload")
        page.wait("document.querySelector('.vv-note')")
        said = page.run("document.querySelector('.vv-note').textContent")
        [conversation] = served.store.conversations()
        # Only once, and not where it was ended by somebody.
        page.call("Page.reload")
        page.wait("document.readyState === 'complete' && document.getElementById('text')")
        again = page.run("document.querySelectorAll('.vv-note').length")

    assert (fresh, again) == (0, 0)
    assert said == (
        f"This page was loaded again, which ended the conversation {conversation.conversation_id}."
    )
