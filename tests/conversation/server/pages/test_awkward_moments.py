"""What users and pages do at a moment that nobody waits for: while something is asked, while a call
is being opened, while the network is away, and when all is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversation.server.browser import Page, opened_browser
from tests.conversation.server.pages.host_page import shop
from tests.conversation.server.pages.shown import shown_agent
from tests.conversation.server.pages.test_talk_page import ask
from tests.conversation.server.pages.test_talking import Voices, murmur
from tests.conversation.server.pages.test_widget import INSIDE, WIDGET, ready, turns_of
from tests.conversation.server.served import Served, serving, wait_until
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DESK = shown_agent("desk", first_message="Hello!")
GERMAN = shown_agent(
    "desk",
    first_message="Hello {{name}}!",
    overrides={"language": True},
    languages={"de": {"first_message": "Hallo {{name}}!"}},
    widget={"terms": "We keep talks."},
)
COUNTED_SOCKETS = (
    "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
    " constructor(...a) { if (window.isAway) a[0] = 'ws://127.0.0.1:1/';"
    " super(...a); sockets.push(this); } }; null"
)
SLOW_MICROPHONE = (
    "window.streams = []; const take = navigator.mediaDevices.getUserMedia.bind("
    "navigator.mediaDevices); navigator.mediaDevices.getUserMedia = async (wish) => {"
    " const stream = await take(wish); streams.push(stream);"
    " await new Promise((go) => { window.allow = go; }); return stream; }; null"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    with opened_browser(folder, microphone=murmur(folder / "voice.wav")) as opened:
        yield opened


@pytest.fixture
def called(tmp_path: Path) -> Iterator[Served]:
    """An agent that hears and speaks."""
    agent = shown_agent("desk", first_message="", voice={})
    with serving(tmp_path, agent, model=ScriptedChatModel(always="Yes.")) as served:
        served.context.voices = Voices()
        yield served


@pytest.mark.parametrize("asked", ["terms", "variables"])
def test_another_language_is_chosen_while_something_is_asked(
    tmp_path: Path, page: Page, asked: str
):
    with serving(tmp_path, GERMAN, model=ScriptedChatModel(always="Ja.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "One")
        page.wait("document.querySelector('#terms')")
        if asked == "variables":
            page.run("document.querySelector('#terms .vv-main').click()")
            page.wait("document.querySelector('#variables')")
        page.run(
            "const choice = document.querySelector('.vv-header select'); choice.value = 'de';"
            " choice.dispatchEvent(new Event('change')); null"
        )
        button = {"terms": "Annehmen", "variables": "Beginnen"}[asked]
        page.wait(f"document.querySelector('#{asked} .vv-main')?.textContent === '{button}'", 10)
        if asked == "terms":
            page.run("document.querySelector('#terms .vv-main').click()")
        page.wait("document.querySelector('#variables')")
        page.run(
            "document.querySelector('#variables input').value = 'Ada';"
            " document.querySelector('#variables').requestSubmit()"
        )
        page.wait("document.querySelector('.vv-actions')")
        said = turns_of(served)

    assert [text for _, text in said] == ["Hallo Ada!", "One", "Ja."]


@pytest.mark.parametrize("how", ["asked again", "sent by the page"])
def test_what_is_said_after_the_end_begins_anew(tmp_path: Path, page: Page, how: str):
    with (
        serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk") as address,
    ):
        ready(page, address)
        page.run(f"{WIDGET}.send('One'); null")
        page.wait(f"{INSIDE}.querySelector('[aria-label=\"Ask again\"]')")
        page.run(f"{WIDGET}.end()")
        page.wait(f"{INSIDE}.querySelector('#again')")
        page.run(
            f"{INSIDE}.querySelector('[aria-label=\"Ask again\"]').click()"
            if how == "asked again"
            else f"{WIDGET}.send('One'); null"
        )
        wait_until(lambda: len(turns_of(served)) == 6)
        page.wait(f"{INSIDE}.querySelector('.vv-actions')")
        count = page.run(f"{INSIDE}.querySelectorAll('.turn').length")
        can_write = page.run(f"{INSIDE}.querySelector('#text')?.checkVisibility() ?? false")
        is_over = page.run(f"Boolean({INSIDE}.querySelector('#again'))")

    assert (count, can_write, is_over) == (3, True, False)


def test_notes_of_the_page_wait_for_the_conversation(tmp_path: Path, page: Page):
    model = ScriptedChatModel(always="Yes.")
    with (
        serving(tmp_path, DESK, model=model) as served,
        shop(served.url, "desk") as address,
    ):
        ready(page, address)
        page.run(
            f"{WIDGET}.remove(); const late = document.createElement('vivavoce-widget');"
            " late.setAttribute('agent-id', 'desk'); document.body.append(late);"
            " late.note('Order 4711 is shown.', 'order'); null"
        )
        page.wait(f"{INSIDE}?.querySelector('.vv-launcher')")
        page.run(
            f"{WIDGET}.note('Order 4712 is shown.', 'order'); {WIDGET}.note('It is Monday.');"
            f" {WIDGET}.send('Hi'); null"
        )
        page.wait(f"{INSIDE}.querySelector('.vv-actions')")
        read = "\n".join(model.prompt_texts)

    assert "Order 4712 is shown." in read
    assert "It is Monday." in read
    assert "Order 4711" not in read


def test_thumbs_that_would_go_nowhere_cannot_be_pressed(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "One")
        page.wait("document.querySelector('[aria-label=\"Good answer\"]')")
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('again')")
        left = page.run(
            "[...document.querySelectorAll('[aria-label=\"Good answer\"]')]"
            ".filter((each) => !each.disabled).length"
        )

    assert left == 0


def test_a_widget_is_as_large_as_the_user_reads_whatever_the_page_calls_a_rem(
    tmp_path: Path, page: Page
):
    with serving(tmp_path, DESK) as served, shop(served.url, "desk") as address:
        ready(page, address)
        page.run("document.documentElement.style.fontSize = '62.5%'")
        page.run(f"{WIDGET}.open()")
        sizes = page.run(
            f"['.turn.agent', '#text'].map((each) => "
            f"getComputedStyle({INSIDE}.querySelector(each)).fontSize)"
        )

    assert sizes == ["16px", "16px"]


@pytest.mark.parametrize(
    "how", ["close()", "end()", "remove()", "setAttribute('agent-id', 'desk')"]
)
def test_a_microphone_that_nobody_waits_for_any_more_is_let_go(
    called: Served, page: Page, how: str
):
    with shop(called.url, "desk") as address:
        ready(page, address)
        page.run(SLOW_MICROPHONE)
        page.run(f"window.widget = {WIDGET}; void widget.startVoice(); null")
        page.wait("window.allow")
        page.run(f"widget.{how}; null")
        page.run("new Promise((done) => setTimeout(done, 800))")
        page.run("window.allow(); null")
        page.run("new Promise((done) => setTimeout(done, 800))")
        live = page.run(
            "streams.flatMap((each) => each.getTracks())"
            ".filter((each) => each.readyState === 'live').length"
        )
        bar = page.run("Boolean(widget.shadowRoot.querySelector('.vv-voice'))")
        alerts = page.run("widget.shadowRoot.querySelectorAll('.vv-alert').length")

        assert (live, bar, alerts) == (0, False, 0)
        assert called.store.conversations() == []


def test_a_call_that_is_closed_while_it_is_opened_goes_on_in_writing(called: Served, page: Page):
    with shop(called.url, "desk") as address:
        ready(page, address)
        page.run(
            f"window.widget = {WIDGET}; window.told = [];"
            " widget.addEventListener('vivavoce:voice', (e) => told.push(e.detail.on));"
            " widget.addEventListener('vivavoce:open', () => widget.close(), {once: true});"
            " void widget.startVoice(); null"
        )
        page.wait("widget.shadowRoot.querySelector('#end')?.hidden === false")
        page.run("new Promise((done) => setTimeout(done, 1500))")
        told = page.run("told")
        page.run("widget.send('Hi'); null")
        page.wait("widget.shadowRoot.querySelector('.vv-actions')", 15)
        page.run("widget.end()")
        wait_until(lambda: not called.context.talks)
        said = turns_of(called)

    assert True not in told
    assert said == [("user", "Hi"), ("agent", "Yes.")]


def test_whoever_stops_talking_while_the_network_is_away_goes_on_in_writing(
    called: Served, page: Page
):
    page.open(f"{called.url}/talk/desk")
    page.wait("document.querySelector('.vv-talk-button')")
    page.run(COUNTED_SOCKETS)
    page.run("document.querySelector('.vv-talk-button').click()")
    page.wait("document.querySelector('#permission, .vv-voice')")
    if page.run("Boolean(document.querySelector('#permission'))"):
        page.run("document.querySelector('#permission .vv-main').click()")
    page.wait("document.querySelector('.vv-voice') && !document.getElementById('end').hidden")
    page.run("window.isAway = true; sockets[0].close(4001); null")
    page.wait("document.querySelector('.vv-lost')")
    page.run("document.querySelector('.vv-end-voice').click()")
    page.run("new Promise((done) => setTimeout(done, 1500))")
    over = page.run("Boolean(document.getElementById('again'))")
    page.run("window.isAway = false; null")
    page.wait("!document.querySelector('.vv-lost')", 20)
    ask(page, "In writing now.")
    page.wait("document.querySelector('.vv-turn:last-child .vv-actions')", 15)
    page.run("document.getElementById('end').click()")
    wait_until(lambda: not called.context.talks)
    said = [text for role, text in turns_of(called) if role == "user"]

    assert not over
    assert len(called.store.conversations()) == 1
    assert said[-1] == "In writing now."


def test_a_server_that_is_away_is_tried_again_by_one_attempt_at_a_time(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(COUNTED_SOCKETS)
        ask(page, "One")
        page.wait("document.querySelector('.vv-actions')")
        page.run("window.isAway = true; sockets[0].close(4001); null")
        page.run("new Promise((done) => setTimeout(done, 9000))")
        attempts = page.run("sockets.length") - 1
        page.run("window.isAway = false; null")
        page.wait("!document.querySelector('.vv-lost')", 20)
        ask(page, "Two")
        page.wait("document.querySelectorAll('.vv-actions').length === 2")
        said = [text for role, text in turns_of(served) if role == "user"]

    # After 0.3, 1, 2 and 4 s, each half a second longer until the browser has given it up.
    assert attempts <= 4
    assert said == ["One", "Two"]


@pytest.mark.parametrize("given", ["null", '{"first": "Ada"}'])
def test_a_variable_of_the_page_that_is_no_value_is_asked_for(
    tmp_path: Path, page: Page, given: str
):
    agent = shown_agent("desk", first_message="Hello {{name}}!")
    attributes = f"variables='{{\"name\": {given}}}'"
    with (
        serving(tmp_path, agent, model=ScriptedChatModel(always="Yes.")) as served,
        shop(served.url, "desk", attributes=attributes) as address,
    ):
        ready(page, address)
        page.run(f"{WIDGET}.send('Hi'); null")
        page.wait(f"{INSIDE}.querySelector('#variables, .vv-alert')")
        asks = page.run(f"Boolean({INSIDE}.querySelector('#variables'))")

    assert asks


def test_what_cannot_be_closed_has_no_button_for_it(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK) as served, shop(served.url, "desk") as address:
        ready(page, address)
        page.run(f"{WIDGET}.open(); {WIDGET}.setAttribute('position', 'inline')")
        button = f"{INSIDE}.querySelector('.vv-close')"
        page.wait(f"{WIDGET}.dataset.position === 'inline'")
        inline = page.run(f"{button}.checkVisibility()")
        page.run(f"{WIDGET}.setAttribute('position', 'bottom-left')")
        page.wait(f"{WIDGET}.dataset.position === 'bottom-left'")
        beside = page.run(f"{button}.checkVisibility()")

    assert (inline, beside) == (False, True)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("ar", "Northwind help desk for parcels and returns"),
        ("en", "مكتب المساعدة للطرود والمرتجعات والاسترداد"),
    ],
    ids=["right to left", "left to right"],
)
def test_a_name_in_letters_of_the_other_direction_begins_where_it_is_seen(
    tmp_path: Path, page: Page, language: str, name: str
):
    agent = shown_agent("desk", language=language, name=name)
    page.call(
        "Emulation.setDeviceMetricsOverride",
        **{"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False},
    )
    with serving(tmp_path, agent) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-title')")
        first, title, picture = page.run(
            "(() => { const range = document.createRange(); const title ="
            " document.querySelector('.vv-title'); const text = document.createTreeWalker(title,"
            " NodeFilter.SHOW_TEXT).nextNode(); range.setStart(text, 0); range.setEnd(text, 1);"
            " const box = (it) => { const { left, right } = it.getBoundingClientRect();"
            " return [left, right]; };"
            " return [box(range), box(title), box(document.querySelector('.vv-avatar'))]; })()"
        )
    page.call("Emulation.clearDeviceMetricsOverride")

    assert first[0] >= title[0] - 1
    assert first[1] <= title[1] + 1
    assert (picture[0] > title[0]) == (language == "ar")
