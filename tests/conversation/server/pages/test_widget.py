"""The widget on a page of somebody else: another origin, a strict policy, a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversation.server.browser import Page, opened_browser
from tests.conversation.server.pages.host_page import shop
from tests.conversation.server.pages.shown import shown_agent, with_shelf
from tests.conversation.server.pages.test_talk_page import ANSWER, axe, complaints_of
from tests.conversation.server.served import Served, serving, wait_until
from tests.fakes import ScriptedChatModel

__all__ = ["axe"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WIDGET = "document.querySelector('vivavoce-widget')"
INSIDE = f"{WIDGET}.shadowRoot"
DESK = shown_agent("desk", widget={"examples": ["How long do refunds take?"]})


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def ready(page: Page, address: str) -> None:
    # The page before it may still call for its server, which is gone.
    page.open("about:blank")
    page.complaints.clear()
    page.open(address)
    page.wait(f"{INSIDE}?.querySelector('.vv-launcher')")


@pytest.mark.parametrize("look", ["light", "dark", "phone", "right to left"])
def test_a_question_is_answered_on_a_strict_page(tmp_path: Path, page: Page, axe: str, look: str):
    is_rtl = look == "right to left"
    agent = DESK.model_copy(update={"language": "ar"}) if is_rtl else DESK
    scheme = "dark" if look == "dark" else "light"
    width = 390 if look == "phone" else 1_000
    page.call(
        "Emulation.setDeviceMetricsOverride",
        **{"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": look == "phone"},
    )
    page.call(
        "Emulation.setEmulatedMedia",
        features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ],
    )
    with (
        serving(tmp_path, agent, model=ScriptedChatModel(always=ANSWER)) as served,
        shop(served.url, "desk", direction="rtl" if is_rtl else "ltr") as address,
    ):
        with_shelf(served)
        ready(page, address)
        page.run(
            f"window.told = []; for (const n of ['opened', 'open', 'message', 'closed'])"
            f" {WIDGET}.addEventListener('vivavoce:' + n, (e) => told.push(n))"
        )
        page.run(f"{INSIDE}.querySelector('.vv-launcher').click()")
        page.run(f"{INSIDE}.querySelector('.vv-example').click()")
        page.wait(f"{INSIDE}.querySelector('.vv-chip')")
        box = page.run(
            f"(() => {{ const r = {INSIDE}.querySelector('.vv-panel-window')"
            ".getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; })()"
        )
        moving = page.run(f"{INSIDE}.getAnimations().length")
        found = complaints_of(page, axe)
        kept = page.run("localStorage.length + sessionStorage.length + document.cookie.length")
        page.run(f"{WIDGET}.close()")
        told = page.run("told")

    assert page.complaints == []
    assert found == []
    assert (kept, moving) == (0, 0)
    assert told[0] == "opened"
    assert told[-1] == "closed"
    assert {"open", "message"} <= set(told)
    left, right, top, bottom = box
    assert left >= 0
    assert right <= width
    assert top >= 0
    assert bottom <= 780
    assert (left < 100) == (is_rtl or look == "phone")


def test_attributes_give_variables_and_tools_of_the_page_run(tmp_path: Path, page: Page):
    agent = shown_agent(
        "desk",
        first_message="Order {{order_id}}, {{name}}?",
        widget={"variables": ["order_id", "name"]},
    )
    attributes = """var-order-id="4711" var-plan="gold" variables='{"name": "Ada"}'"""
    with (
        serving(tmp_path, agent, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk", attributes=attributes) as address,
    ):
        ready(page, address)
        page.run(f"{WIDGET}.send('Hi')")
        page.wait(f"/Yes/.test({INSIDE}.querySelector('#turns').textContent)")
        first = page.run(f"{INSIDE}.querySelector('.turn.agent').textContent")
        said = page.run(f"{INSIDE}.querySelector('#turns').textContent")
        page.run(f"{WIDGET}.remove()")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        transcript = served.store.transcript(conversation.conversation_id)

    assert "Order 4711, Ada?" in said, first
    assert "plan" not in transcript.variables
    assert transcript.metadata["client"] == "viva_voce_widget"
    assert transcript.end_reason == "user_ended"


def test_keys_alone_open_and_close_it(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK) as served, shop(served.url, "desk") as address:
        ready(page, address)
        page.run(f"{INSIDE}.querySelector('.vv-launcher').focus()")
        page.press_enter()
        page.wait(f"{WIDGET}.isOpen && {INSIDE}.activeElement?.id === 'text'")
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
        page.wait(f"!{WIDGET}.isOpen")
        focused = page.run(f"{INSIDE}.activeElement.classList.contains('vv-launcher')")

    assert focused


def test_what_is_asked_of_it_before_it_is_there_is_done_then(tmp_path: Path, page: Page):
    with (
        serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk") as address,
    ):
        ready(page, address)
        page.run(
            f"{WIDGET}.remove(); const late = document.createElement('vivavoce-widget');"
            " late.setAttribute('agent-id', 'desk'); document.body.append(late);"
            " late.open(); late.send('Hi'); null"
        )
        page.wait(f"/Yes/.test({INSIDE}?.querySelector('#turns')?.textContent)", 10)

        assert page.run(f"{WIDGET}.isOpen")


def turns_of(served: Served) -> list[tuple[str, str]]:
    """Role and text of each turn of each conversation, oldest first."""
    store = served.store
    return [
        (turn.role, turn.text)
        for each in sorted(store.conversations(), key=lambda found: str(found.started_at))
        for turn in store.transcript(each.conversation_id).turns
    ]


@pytest.mark.parametrize(
    "how",
    [
        "document.querySelector('main').append(widget)",
        "widget.remove(); document.body.prepend(widget)",
        "widget.remove(); setTimeout(() => document.body.append(widget), 100)",
        "document.body.moveBefore?.(widget, document.body.firstChild)",
    ],
    ids=["moved", "out and in", "in a later frame", "in one piece"],
)
def test_an_element_that_is_moved_keeps_its_conversation(tmp_path: Path, page: Page, how: str):
    with (
        serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk") as address,
    ):
        ready(page, address)
        page.run(f"window.widget = {WIDGET}; widget.send('One'); null")
        page.wait("widget.shadowRoot.querySelectorAll('.vv-actions').length === 1")
        page.run(f"{how}; null")
        page.run("new Promise((done) => setTimeout(done, 900))")
        page.run("widget.send('Two'); null")
        page.wait("widget.shadowRoot.querySelectorAll('.vv-actions').length === 2")
        said = turns_of(served)
        count = len(served.store.conversations())

    assert count == 1
    assert [text for role, text in said if role == "user"] == ["One", "Two"]


def test_what_is_sent_before_terms_are_accepted_arrives_in_order(tmp_path: Path, page: Page):
    agent = DESK.model_copy(
        update={"widget": DESK.widget.model_copy(update={"terms": "We **keep** talks."})}
    )
    with (
        serving(tmp_path, agent, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk") as address,
    ):
        ready(page, address)
        page.run(f"window.widget = {WIDGET}; widget.send('One'); widget.send('Two'); null")
        terms = "widget.shadowRoot.querySelector('#terms')"
        page.wait(terms)
        early = served.context.gate.running
        page.run(f"widget.send('Three'); {terms}.querySelector('.vv-main').click()")
        page.wait("widget.shadowRoot.querySelectorAll('.turn.user').length === 3")
        wait_until(lambda: len([1 for role, _ in turns_of(served) if role == "user"]) == 3)
        said = [text for role, text in turns_of(served) if role == "user"]
        [conversation] = served.store.conversations()
        transcript = served.store.transcript(conversation.conversation_id)
        [accepted] = served.store.events(conversation.conversation_id, kind="terms_accepted")

    assert early == 0
    assert said == ["One", "Two", "Three"]
    assert accepted.payload["terms"] == "We **keep** talks."
    assert accepted.payload["is_current"]
    assert transcript.metadata["terms_accepted_at"] == accepted.payload["accepted_at"]


def test_what_was_written_stands_in_the_field_again_where_terms_are_declined(
    tmp_path: Path, page: Page
):
    agent = DESK.model_copy(
        update={"widget": DESK.widget.model_copy(update={"terms": "We keep talks."})}
    )
    with serving(tmp_path, agent) as served, shop(served.url, "desk") as address:
        ready(page, address)
        page.run(f"window.widget = {WIDGET}; widget.send('One'); widget.send('Two'); null")
        terms = "widget.shadowRoot.querySelector('#terms')"
        page.wait(terms)
        page.run(f"{terms}.querySelector('.vv-quiet').click()")
        page.wait("widget.shadowRoot.querySelector('#text')?.value")
        left = page.run("widget.shadowRoot.querySelector('#text').value")
        begun = served.store.conversations()

    assert left == "One\nTwo"
    assert begun == []


def test_changed_attributes_are_followed(tmp_path: Path, page: Page):
    agent = shown_agent(
        "desk",
        first_message="Order {{order_id}}?",
        overrides={"language": True},
        languages={"de": {"first_message": "Bestellung {{order_id}}?"}},
    )
    other = shown_agent("other", name="Other desk")
    with (
        serving(tmp_path, agent, other, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk", attributes='var-order-id="1" language="en"') as address,
    ):
        ready(page, address)
        page.run(f"window.widget = {WIDGET}; widget.setAttribute('language', 'de'); null")
        field = "widget.shadowRoot.querySelector('#text')"
        page.wait(f"{field}.placeholder === 'Nachricht schreiben'")
        launcher = page.run("widget.shadowRoot.querySelector('.vv-launcher').ariaLabel")
        # Before a conversation at once; in one, from the next on.
        page.run("widget.setAttribute('var-order-id', '2'); widget.send('Hallo'); null")
        page.wait("widget.shadowRoot.querySelector('.vv-actions')")
        page.run(
            "widget.setAttribute('var-order-id', '3'); widget.setAttribute('language', 'en'); null"
        )
        page.run("new Promise((done) => setTimeout(done, 300))")
        during = page.run(f"{field}.placeholder")
        page.run("widget.end()")
        page.wait("widget.shadowRoot.querySelector('#again')")
        page.run("widget.shadowRoot.querySelector('#again').requestSubmit()")
        page.wait(f"{field}.placeholder === 'Write a message'")
        page.run("widget.send('Hello'); null")
        page.wait("widget.shadowRoot.querySelector('.vv-actions')")
        # Another agent is another conversation.
        page.run("widget.setAttribute('agent-id', 'other'); null")
        page.wait("/Other/.test(widget.shadowRoot.querySelector('.vv-title')?.textContent)")
        wait_until(lambda: not served.context.talks)
        said = turns_of(served)
        ends = {
            served.store.transcript(each.conversation_id).end_reason
            for each in served.store.conversations()
        }

    assert launcher == "Northwind help desk fragen"
    assert during == "Nachricht schreiben"
    assert [text for _, text in said] == [
        "Bestellung 2?",
        "Hallo",
        "Yes.",
        "Order 3?",
        "Hello",
        "Yes.",
    ]
    assert ends == {"user_ended"}


def test_a_signed_url_that_is_none_is_told(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK) as served, shop(served.url, "desk") as address:
        ready(page, address)
        page.run(
            f"{WIDGET}.remove(); window.said = ''; addEventListener('vivavoce:error',"
            " (event) => { window.said = event.detail.message; });"
            " const wrong = document.createElement('vivavoce-widget');"
            " wrong.setAttribute('signed-url', 'none'); document.body.append(wrong); null"
        )

        page.wait("/signed-url/.test(window.said)", 10)


def test_pages_of_other_origins_are_told_that_they_may_not(tmp_path: Path, page: Page):
    agent = shown_agent("desk", widget={"allowed_origins": ["shop.example"]})
    with serving(tmp_path, agent) as served, shop(served.url, "desk") as address:
        page.complaints.clear()
        page.open(address)
        page.wait("customElements.get('vivavoce-widget')")
        page.run(
            f"new Promise((done) => {{ {WIDGET}.addEventListener('vivavoce:error',"
            f" (e) => {{ window.said = e.detail.message; done(); }});"
            f" {WIDGET}.setAttribute('agent-id', '');"
            f" {WIDGET}.setAttribute('agent-id', 'desk'); }})"
        )
        page.wait("/origin/.test(window.said)")

        assert page.run(f"{INSIDE}.childElementCount") == 0


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_frame_shows_the_agent_on_its_own_pages_alone(
    tmp_path: Path, page: Page, is_allowed: bool
):
    with shop("http://127.0.0.1:1", "desk") as address:
        host = address.removeprefix("http://").rstrip("/") if is_allowed else "shop.example"
        agent = shown_agent("desk", widget={"allowed_origins": [host]})
        with serving(tmp_path, agent) as served:
            page.open("about:blank")
            page.call("Page.setBypassCSP", enabled=False)
            page.complaints.clear()
            page.open(address)
            page.call("Page.setBypassCSP", enabled=True)
            page.open(address)
            page.run(
                "document.body.innerHTML = '<iframe width=400 height=500></iframe>';"
                f" document.querySelector('iframe').src = '{served.url}/embed/desk'; null"
            )
            page.run("new Promise((done) => setTimeout(done, 1500))")
            refused = any("frame-ancestors" in each for each in page.complaints)
            page.call("Page.setBypassCSP", enabled=False)

    assert refused is not is_allowed
