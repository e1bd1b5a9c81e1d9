"""The talk page in a real browser: what a user sees, asks for and can do."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversation.server.limits import ServerLimits
from conversation.server.pages.scripts import CLIENT, modules_of
from tests.conversation.server.browser import Page, npm_script, opened_browser
from tests.conversation.server.pages.shown import shown_agent, with_shelf
from tests.conversation.server.served import (
    PATIENCE_S,
    PausingChatModel,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

AXE = "axe-core@4.13.0"
ANSWER = "Refunds take **five days** after the parcel has arrived."
DESK = shown_agent(
    "desk",
    overrides={"language": True},
    languages={"ar": {"first_message": "مرحبًا!"}},
    widget={"examples": ["How long do refunds take?"]},
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return npm_script(AXE, "axe.min.js", tmp_path_factory.mktemp("axe"))


def complaints_of(page: Page, axe: str) -> list[str]:
    """What axe-core finds wrong with what is shown."""
    page.call("Page.setBypassCSP", enabled=True)
    page.run(f"{axe};0")
    return page.run(
        "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) =>"
        " v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))"
    )


def ask(page: Page, text: str) -> None:
    page.run("document.getElementById('text').focus()")
    page.type(text)
    page.press_enter()


def count(page: Page, selector: str) -> int:
    return page.run(f"document.querySelectorAll({json.dumps(selector)}).length")


def test_nothing_is_connected_before_somebody_speaks_and_little_is_loaded(
    tmp_path: Path, page: Page
):
    with serving(tmp_path, DESK) as served:
        page.requested.clear()
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.turn.agent')?.textContent.includes('Ask me about')")
        asked = [url for url in page.requested if not url.startswith("data:")]

        assert len(asked) == 3
        assert served.context.gate.running == 0


def test_an_answer_shows_document_page_and_words_and_opens_the_passage(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        with_shelf(served)
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-example')")
        page.run("document.querySelector('.vv-example').click()")
        page.wait("document.querySelector('.vv-chip')")
        chip = page.run("document.querySelector('.vv-chip').textContent")
        hidden = page.run("document.querySelector('.vv-passage').hidden")
        page.run("document.querySelector('.vv-chip').click()")
        shown = page.run("document.querySelector('.vv-passage').innerText")
        marked = page.run("document.querySelector('.vv-context mark').textContent")
        strong = page.run("document.querySelector('.turn.agent strong').textContent")
        page.run("document.querySelector('[aria-label=\"Good answer\"]').click()")
        [conversation] = served.store.conversations()
        wait_until(
            lambda: any(
                event.kind == "feedback"
                for event in served.store.events(conversation.conversation_id)
            )
        )

    assert chip == "Returns and refundspage 3"
    assert hidden
    assert "Refunds take five days after the parcel has arrived." in shown
    assert "page 3" in shown
    assert marked == "Refunds take five days after the parcel has arrived."
    assert strong == "five days"


@pytest.mark.parametrize("how", ["escape", "talks over"])
def test_an_interrupted_answer_is_one_bubble(tmp_path: Path, page: Page, how: str):
    model = PausingChatModel("Once upon a time there was a king.")
    with serving(tmp_path, DESK, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.turn.agent')")
        ask(page, "Tell me a story.")
        page.wait("/Once upon/.test(document.querySelector('#turns').textContent)")
        if how == "escape":
            page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
        else:
            ask(page, "Stop.")
        page.wait("document.querySelector('.vv-cut')")
        model.go_on.set()
        if how == "talks over":
            page.wait("/a king/.test(document.querySelector('#turns').textContent)")
        cut = page.run("[...document.querySelectorAll('.turn.agent')].map((t) => t.textContent)")

    assert cut[1].startswith("Once upon")
    assert "king" not in cut[1]
    assert len(cut) == (2 if how == "escape" else 3)


def test_missing_variables_and_terms_are_asked_first(tmp_path: Path, page: Page):
    agent = shown_agent(
        "desk",
        first_message="Hello {{name}}!",
        widget={"terms": "We keep talks for **30 days**."},
    )
    with serving(tmp_path, agent, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Hi")
        page.wait("document.querySelector('#terms strong')")
        assert served.context.gate.running == 0
        page.run("document.querySelector('#terms .vv-main').click()")
        page.wait("document.activeElement.name === 'name'")
        page.type("Ada <b>")
        page.press_enter()
        page.wait("document.querySelectorAll('.turn.agent').length === 2")
        page.wait("/Yes/.test(document.querySelector('#turns').textContent)")
        page.wait("document.querySelector('.vv-turn:last-child .vv-actions')")
        said = page.run("[...document.querySelectorAll('.turn')].map((t) => t.textContent)")
        rated = count(page, ".vv-actions")

    assert said == ["Hello Ada <b>!", "Hi", "Yes."]
    assert rated == 1


def test_a_lost_network_is_noticed_and_the_conversation_goes_on(tmp_path: Path, page: Page):
    limits = ServerLimits(init_timeout_s=PATIENCE_S)
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes."), limits=limits) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
            " constructor(...a) { super(...a); sockets.push(this); } }"
        )
        ask(page, "Hi")
        page.wait("/Yes/.test(document.querySelector('#turns').textContent)")
        # A close code that a page may give and that does not mean that the user left.
        page.run("sockets[0].close(4001)")
        page.wait("sockets.length === 2 && !document.querySelector('.vv-lost')")
        ask(page, "Again")
        page.wait("document.querySelectorAll('.turn.agent').length === 3")
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('again')")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["Hi", "Again"]


def test_stars_reach_the_conversation(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Hi")
        page.wait("/Yes/.test(document.querySelector('#turns').textContent)")
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('rating')")
        page.run("document.querySelectorAll('.vv-star input')[3].click()")
        [conversation] = served.store.conversations()
        wait_until(
            lambda: any(
                event.payload.get("rating") == 4
                for event in served.store.events(conversation.conversation_id)
            )
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_violations_of_accessibility(
    tmp_path: Path, page: Page, axe: str, scheme: str
):
    found: list[str] = []
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        with_shelf(served)
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", features=media)
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-example')")
        found += complaints_of(page, axe)
        page.run("document.querySelector('.vv-example').click()")
        page.wait("document.querySelector('.vv-chip')")
        page.run("document.querySelector('.vv-chip').click()")
        page.run("document.querySelector('.vv-menu').open = true")
        found += complaints_of(page, axe)
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('again')")
        found += complaints_of(page, axe)
        page.open(f"{served.url}/talk/nobody")
        page.wait("document.getElementById('key')")
        found += complaints_of(page, axe)
    page.call("Emulation.setEmulatedMedia", features=[])

    assert found == []


def test_only_the_conversation_scrolls_not_the_page(tmp_path: Path, page: Page):
    with serving(
        tmp_path, DESK, model=ScriptedChatModel(always=ANSWER + "\n\nWord" * 60)
    ) as served:
        with_shelf(served)
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-example')")
        page.run("document.querySelector('.vv-example').click()")
        page.wait("document.querySelector('.vv-chip')")

        assert page.run("document.documentElement.scrollHeight - innerHeight") == 0


def test_an_interrupted_answer_is_tried_again_with_its_own_question(tmp_path: Path, page: Page):
    model = PausingChatModel("Once upon a time there was a king.")
    with serving(tmp_path, DESK, model=model) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.turn.agent')")
        ask(page, "Tell me a story.")
        page.wait("/Once upon/.test(document.querySelector('#turns').textContent)")
        ask(page, "Stop.")
        page.wait("document.querySelector('.vv-cut')")
        model.go_on.set()
        page.wait("document.querySelectorAll('.vv-actions').length === 2")
        page.run("document.querySelector('[aria-label=\"Ask again\"]').click()")
        page.wait("document.querySelectorAll('.turn.user').length === 3")
        asked = page.run("[...document.querySelectorAll('.turn.user')].map((t) => t.textContent)")

    assert asked == ["Tell me a story.", "Stop.", "Tell me a story."]


def test_a_rating_that_does_not_arrive_is_not_thanked_for(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes.")) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        page.run("document.getElementById('end').click()")
        page.wait("document.getElementById('rating')")
        page.run("window.fetch = () => Promise.reject(new TypeError('gone')); null")
        page.run("document.querySelectorAll('.vv-star input')[3].click()")
        page.run("document.getElementById('rating').requestSubmit()")

        page.wait("document.querySelector('#rating .vv-alert')", 10)
        assert count(page, "#rating .vv-star") == 5


def test_a_socket_that_the_policy_of_the_page_forbids_is_told(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK) as served:
        page.open("about:blank")
        page.call("Page.setBypassCSP", enabled=False)
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "const Real = WebSocket; window.WebSocket = class extends Real {"
            " constructor(_url, names) { super('ws://forbidden.example/', names); } }; null"
        )
        ask(page, "Hi")

        page.wait("document.querySelector('.vv-alert')", 10)
        assert page.run("document.querySelector('.vv-stop').hidden")


def test_a_name_of_the_other_direction_stands_beside_the_picture(tmp_path: Path, page: Page):
    agent = shown_agent("desk", language="ar")
    with serving(tmp_path, agent) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.querySelector('.vv-title')")
        gap = page.run(
            "(() => { const range = document.createRange();"
            " range.selectNodeContents(document.querySelector('.vv-title'));"
            " return document.querySelector('.vv-avatar').getBoundingClientRect().left"
            " - range.getBoundingClientRect().right; })()"
        )

    assert 0 <= gap < 40


def test_an_answer_is_copied_where_the_browser_gives_no_clipboard(tmp_path: Path, page: Page):
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
            " document.addEventListener('copy', (event) => { window.taken = event.target.value; })"
        )
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        page.run("document.querySelector('.vv-actions button').click()")
        page.wait("document.querySelector('.vv-copied')")

        assert page.run("window.taken") == ANSWER


PIECES = (
    *("**", "*", "_", "__", "~~", "`", "```", "\n", "\n\n", "- ", "1. ", "# ", "> ", "|", "\\"),
    *("[", "](", ")", "<", ">", "&lt;", "<script>alert(1)</script>", "<img src=x onerror=a()>"),
    *("javascript:alert(1)", "data:text/html,x", "vbscript:x", "https://a.example/b", "mailto:a@b"),
    *("http://user:pw@c.example", "|---|---|", "word", " ", "é", "漢字", "\u202e", "\x00", "😀"),
)
PROBE = """
(() => {
  const allowed = new Set('P STRONG EM S CODE PRE A UL OL LI BR HR BLOCKQUOTE DIV TABLE THEAD TBODY'
    .concat(' TR TD TH').split(' '));
  const attributes = new Set(['class', 'href', 'target', 'rel', 'title', 'tabindex', 'dir', 'start',
    'role', 'scope', 'value']);
  const wrong = [];
  for (const text of TEXTS) {
    const box = document.createElement('div');
    box.append(renderMarkdown(text));
    for (const each of box.querySelectorAll('*')) {
      if (!allowed.has(each.tagName)) wrong.push(each.tagName + ' of ' + text);
      for (const { name } of each.attributes)
        if (!attributes.has(name)) wrong.push(name + ' of ' + text);
      if (each.href && !/^(https?:|mailto:|tel:)/.test(each.href)) wrong.push(each.href);
      if (each.tagName === 'A' && !each.rel.includes('noopener')) wrong.push('rel of ' + text);
    }
    const letters = (t) => t.replace(/[^\\p{L}]/gu, '').length;
    if (letters(box.textContent) > letters(text)) wrong.push('more letters than in ' + text);
  }
  return wrong;
})()
"""


def test_no_markdown_makes_markup(page: Page):
    """Any text of a model becomes elements of a few kinds, and links of a few schemes."""
    chance = random.Random(19)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 30))) for _ in range(3_000)]
    page.open("about:blank")
    load_markdown(page)

    wrong = page.run(PROBE.replace("TEXTS", json.dumps(texts)))

    assert wrong == []


@pytest.mark.parametrize("piece", ["*a ", "[", "[a](", "`", "` `` ", "**_~~", "|a", "> ", "- a\n"])
def test_long_markdown_takes_time_in_proportion(page: Page, piece: str):
    page.open("about:blank")
    load_markdown(page)
    took = page.run(
        f"[20_000, 80_000].map((n) => {{ const t = {json.dumps(piece)}.repeat(n / 4);"
        " const begin = performance.now(); renderMarkdown(t); return performance.now() - begin; })"
    )

    assert took[1] < max(12 * took[0], 800), took


def test_numbers_go_on_after_what_lies_deeper_and_short_rules_make_tables(page: Page):
    page.open("about:blank")
    load_markdown(page)
    shown = page.run(
        "((box) => { box.append(renderMarkdown('1. a\\n   - b\\n   - c\\n2. d\\n\\n"
        "|x|y|\\n|-|:-:|\\n|1|2|')); return [[...box.querySelectorAll('li')].map((each) =>"
        " each.classList.contains('vv-bullet') ? '-' : each.value),"
        " box.querySelectorAll('td').length]; })(document.createElement('div'))"
    )

    assert shown == [[1, "-", "-", 2], 2]


def load_markdown(page: Page) -> None:
    parts = [(CLIENT / f"{name}.js").read_text("utf-8") for name in modules_of("markdown")]
    plain = [
        "\n".join(line for line in part.splitlines() if not line.startswith("import "))
        for part in parts
    ]
    script = "\n".join(plain).replace("export ", "")
    page.run(f"(() => {{ {script}\nwindow.renderMarkdown = renderMarkdown; }})()")


def test_what_is_said_while_the_line_is_away_is_said_when_it_stands(tmp_path: Path, page: Page):
    limits = ServerLimits(init_timeout_s=PATIENCE_S)
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes."), limits=limits) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
            " constructor(...a) { super(...a); sockets.push(this); } }"
        )
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        # Said before anybody noticed that the line is gone.
        page.run(
            "sockets[0].close(4001); const field = document.getElementById('text');"
            " field.value = 'Again'; field.form.requestSubmit(); null"
        )
        page.wait("document.querySelectorAll('.vv-actions').length === 2")
        page.run("document.getElementById('end').click()")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["Hi", "Again"]
    assert count(page, ".turn.user") == 2


def test_what_was_said_into_a_dead_line_is_said_again(tmp_path: Path, page: Page):
    limits = ServerLimits(init_timeout_s=PATIENCE_S)
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes."), limits=limits) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "window.sockets = []; window.isDead = false; const Real = WebSocket;"
            " window.WebSocket = class extends Real {"
            " constructor(...a) { super(...a); sockets.push(this); }"
            " send(data) { if (!isDead) super.send(data); } }"
        )
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        page.run("window.isDead = true")
        ask(page, "Again")
        page.run("sockets[0].close(4001); window.isDead = false")
        page.wait("document.querySelectorAll('.vv-actions').length === 2")
        page.run("document.getElementById('end').click()")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["Hi", "Again"]


def test_what_is_said_before_the_past_has_come_is_said_once(tmp_path: Path, page: Page):
    limits = ServerLimits(init_timeout_s=PATIENCE_S)
    with serving(tmp_path, DESK, model=ScriptedChatModel(always="Yes."), limits=limits) as served:
        page.open(f"{served.url}/talk/desk")
        page.wait("document.getElementById('text')")
        page.run(
            "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
            " constructor(...a) { super(...a); sockets.push(this); }"
            " addEventListener(type, act) { super.addEventListener(type, (event) =>"
            " setTimeout(() => act(event), sockets[1] === this && type === 'message' &&"
            " !event.data.includes('initiation_metadata') ? 1500 : 0)); } }"
        )
        ask(page, "Hi")
        page.wait("document.querySelector('.vv-actions')")
        page.run("sockets[0].close(4001)")
        page.wait("sockets[1]?.readyState === 1 && !document.querySelector('.vv-lost')")
        ask(page, "Again")
        page.run("new Promise((done) => setTimeout(done, 4000))")
        page.run("document.getElementById('end').click()")
        wait_until(lambda: not served.context.talks)
        [conversation] = served.store.conversations()
        turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["Hi", "Again"]
