"""The talk page by voice, in a real browser with a fake microphone, against the real server with
models that understand what they are told."""

import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conversation.agent.config import AgentConfig
from tests.conversation.server.browser import Page, opened_browser
from tests.conversation.server.pages.host_page import shop
from tests.conversation.server.pages.shown import shown_agent
from tests.conversation.server.pages.test_widget import INSIDE, WIDGET
from tests.conversation.server.served import Served, serving, wait_until
from tests.conversation.voice.fakes import FakeModels, FakeTranscriber
from tests.fakes import ScriptedChatModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

QUESTION = "How long do refunds take?"
ANSWER = (
    "Refunds take five days after the parcel has arrived. You get a message when the money is on "
    "its way. Please keep the receipt until then, and write to us if nothing comes."
)
SPEAKS_S, SILENCE_S = 1.2, 14.0
DESK = shown_agent("desk", voice={}, first_message="")


def murmur(path: Path, silence_s: float = SILENCE_S) -> Path:
    """A second of something that is loud like a voice, and silence after it, at 48 kHz."""
    rate = 48_000
    moment = np.arange(int(SPEAKS_S * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 160 * k * moment) / k for k in range(1, 12))
    loud = 9_000 * tone * (0.55 + 0.45 * np.sin(2 * np.pi * 5 * moment))
    quiet = np.zeros(int(silence_s * rate))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = np.concatenate([np.zeros(rate), np.clip(loud, -30_000, 30_000), quiet])
        file.writeframes(samples.astype("<i2").tobytes())
    return path


class Voices:
    """Every agent is heard by the same models."""

    def __init__(self) -> None:
        self.fakes = FakeModels(transcriber=FakeTranscriber(understands=lambda _text: QUESTION))

    def can_speak_for(self, agent: AgentConfig) -> bool:
        return True

    def models(self, agent: AgentConfig) -> FakeModels:
        return self.fakes


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with opened_browser(tmp_path / "browser", microphone=murmur(tmp_path / "voice.wav")) as opened:
        yield opened


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, DESK, model=ScriptedChatModel(always=ANSWER)) as served:
        served.context.voices = Voices()
        yield served


def state(page: Page, name: str) -> None:
    page.wait(f"document.querySelector('.vv-voice')?.dataset.state === '{name}'")


def talk(page: Page, served: Served) -> None:
    """Open the page and begin to talk, once it has said what for."""
    page.open(f"{served.url}/talk/desk")
    page.wait("document.querySelector('.vv-talk-button')")
    page.run("document.querySelector('.vv-talk-button').click()")
    page.wait("document.querySelector('#permission, .vv-voice')")
    if page.run("Boolean(document.querySelector('#permission'))"):
        page.run("document.querySelector('#permission .vv-main').click()")
    page.wait("document.querySelector('.vv-voice')")


def test_a_question_asked_aloud_is_answered_aloud_interrupted_and_gone_on_with_in_writing(
    page: Page, served: Served
):
    talk(page, served)
    state(page, "listening")
    state(page, "you_speak")
    page.wait("document.querySelector('.turn.user:not(.vv-tentative)')")
    state(page, "agent_speaks")
    asked = page.run("document.querySelector('.turn.user').textContent")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
    page.wait("document.querySelector('.vv-cut')")
    page.wait("document.querySelector('.vv-voice').dataset.state !== 'agent_speaks'")
    answers = page.run("document.querySelectorAll('.turn.agent').length")
    # In writing, while the line stands.
    page.run("document.getElementById('text').focus()")
    page.type("And to Norway?")
    page.press_enter()
    state(page, "agent_speaks")
    page.wait("document.querySelectorAll('.turn.agent').length === 2")
    # An answer of which nothing was heard would be none.
    time.sleep(1)
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
    # And without the line, in the same conversation.
    page.run("document.querySelector('.vv-end-voice').click()")
    page.wait("!document.querySelector('.vv-voice')")
    page.run("document.getElementById('text').focus()")
    page.type("In writing now.")
    page.press_enter()
    page.wait("document.querySelectorAll('.turn.agent').length === 3")
    page.wait("document.querySelector('.vv-turn:last-child .vv-actions')")
    page.run("document.querySelector('.vv-turn:last-child [aria-label=\"Good answer\"]').click()")
    page.run("document.getElementById('end').click()")
    page.wait("document.getElementById('again')")
    wait_until(lambda: not served.context.talks)
    [conversation] = served.store.conversations()
    transcript = served.store.transcript(conversation.conversation_id)

    assert asked == QUESTION
    assert answers == 1
    assert [turn.text for turn in transcript.turns if turn.role == "user"] == [
        QUESTION,
        "And to Norway?",
        "In writing now.",
    ]
    assert transcript.turns[1].interrupted
    assert transcript.end_reason == "user_ended"
    assert page.complaints == []


def test_who_is_muted_is_not_heard(page: Page, served: Served):
    talk(page, served)
    page.run("document.querySelector('.vv-mute').click()")
    state(page, "muted")
    page.run("new Promise((done) => setTimeout(done, 4000))")

    assert page.run("document.querySelectorAll('.turn.user').length") == 0


def test_who_holds_a_button_to_talk_is_heard_only_while_it_is_held(page: Page, served: Served):
    """The fake microphone speaks one second in sixteen; with push to talk nobody hears it."""
    talk(page, served)
    page.run("document.querySelector('[aria-label=\"Push to talk\"]').click()")
    state(page, "holding")
    page.run("new Promise((done) => setTimeout(done, 4000))")
    unheard = page.run("document.querySelectorAll('.turn.user').length")
    page.run("document.querySelector('.vv-hold').dispatchEvent(new PointerEvent('pointerdown'))")
    page.wait("document.querySelector('.turn.user:not(.vv-tentative)')")
    asked = page.run("document.querySelector('.turn.user').textContent")
    page.run("document.querySelector('.vv-hold').dispatchEvent(new PointerEvent('pointerup'))")
    held = page.run("document.querySelector('.vv-hold').classList.contains('vv-held')")

    assert unheard == 0
    assert asked == QUESTION
    assert not held


def test_another_microphone_is_chosen_while_the_line_stands(page: Page, served: Served):
    talk(page, served)
    choice = "document.querySelector('.vv-voice select')"
    page.wait(f"{choice} && !{choice}.hidden")
    names = page.run(f"[...{choice}.options].map((each) => each.textContent)")
    page.run(
        "window.wanted = []; const { mediaDevices } = navigator;"
        " const real = mediaDevices.getUserMedia.bind(mediaDevices);"
        " mediaDevices.getUserMedia = (wish) => {"
        "   window.wanted.push(wish.audio.deviceId?.exact); return real(wish); };"
        f" (() => {{ const other = [...{choice}.options].find((o) => !o.selected).value;"
        f" {choice}.value = other; window.chosen = other;"
        f" {choice}.dispatchEvent(new Event('change')); }})()"
    )
    page.wait("window.wanted.length === 1")
    wanted, chosen = page.run("[window.wanted[0], window.chosen]")
    # And what it hears arrives.
    page.wait("document.querySelector('.turn.user:not(.vv-tentative)')")
    is_on = page.run("Boolean(document.querySelector('.vv-voice'))")

    assert len(names) >= 2
    assert all(names)
    assert wanted == chosen
    assert is_on


def test_a_microphone_that_is_pulled_out_is_told_and_the_talk_goes_on(page: Page, served: Served):
    page.open(f"{served.url}/talk/desk")
    page.wait("document.querySelector('.vv-talk-button')")
    page.run(
        "const { mediaDevices } = navigator; const real = mediaDevices.getUserMedia;"
        " mediaDevices.getUserMedia = async (wish) =>"
        " (window.stream = await real.call(mediaDevices, wish)); null"
    )
    page.run("document.querySelector('.vv-talk-button').click()")
    page.wait("document.querySelector('#permission, .vv-voice')")
    if page.run("Boolean(document.querySelector('#permission'))"):
        page.run("document.querySelector('#permission .vv-main').click()")
    state(page, "listening")
    page.run("window.stream.getAudioTracks()[0].dispatchEvent(new Event('ended')); null")
    page.wait("!document.querySelector('.vv-voice')")
    said = page.run("document.querySelector('.vv-alert').textContent")
    page.run("document.getElementById('text').focus()")
    page.type("In writing.")
    page.press_enter()
    page.wait("/Refunds take/.test(document.querySelector('#turns').textContent)")

    assert said == "The microphone is gone. Choose another one, or write."


def test_the_space_bar_is_held_to_talk_as_soon_as_that_is_chosen(page: Page, served: Served):
    talk(page, served)
    page.run(
        "(() => { const mode = document.querySelector('[aria-label=\"Push to talk\"]');"
        " mode.focus(); mode.click(); })()"
    )
    space = {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32}
    page.call("Input.dispatchKeyEvent", type="keyDown", text=" ", **space)
    is_held = page.run("document.querySelector('.vv-hold').classList.contains('vv-held')")
    page.call("Input.dispatchKeyEvent", type="keyUp", **space)
    is_let_go = page.run("!document.querySelector('.vv-hold').classList.contains('vv-held')")
    is_on = page.run("!document.querySelector('.vv-hold').hidden")

    assert (is_held, is_let_go, is_on) == (True, True, True)


def test_a_text_conversation_goes_on_aloud(page: Page, served: Served):
    page.open(f"{served.url}/talk/desk")
    page.wait("document.getElementById('text')")
    page.run("document.getElementById('text').focus()")
    page.type("Hello")
    page.press_enter()
    page.wait("document.querySelector('.vv-actions')")
    page.run("document.querySelector('.vv-talk-button').click()")
    page.wait("document.querySelector('#permission, .vv-voice')")
    if page.run("Boolean(document.querySelector('#permission'))"):
        page.run("document.querySelector('#permission .vv-main').click()")
    state(page, "agent_speaks")
    page.run("document.getElementById('end').click()")
    wait_until(lambda: not served.context.talks)
    [conversation] = served.store.conversations()
    turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"] == ["Hello", QUESTION]


def test_without_a_microphone_the_page_says_so_and_is_written_to(tmp_path: Path, served: Served):
    with opened_browser(tmp_path / "deaf") as page:
        talk_button = "document.querySelector('.vv-talk-button')"
        page.open(f"{served.url}/talk/desk")
        page.wait(talk_button)
        page.run(f"{talk_button}.click()")
        page.wait("document.querySelector('#permission')")
        page.run("document.querySelector('#permission .vv-main').click()")
        page.wait("document.querySelector('.vv-alert')")
        said = page.run("document.querySelector('.vv-alert').textContent")
        page.run("document.getElementById('text').focus()")
        page.type("Hello")
        page.press_enter()
        page.wait("/Refunds take/.test(document.querySelector('#turns').textContent)")

    assert "microphone" in said.lower()


def test_talking_over_the_agent_interrupts_it(tmp_path: Path, served: Served):
    with opened_browser(tmp_path / "b", microphone=murmur(tmp_path / "v.wav", 3.5)) as page:
        talk(page, served)
        state(page, "agent_speaks")
        page.wait("document.querySelector('.vv-cut')")
        page.wait("document.querySelectorAll('.turn.user:not(.vv-tentative)').length >= 2")
        heard = page.run("document.querySelector('.turn.agent').textContent")
        bubbles = page.run("document.querySelectorAll('.turn.agent.cut').length")
        page.run("document.getElementById('end').click()")
        wait_until(lambda: not served.context.talks)

    assert ANSWER.startswith(heard.strip())
    assert len(heard) < len(ANSWER)
    assert bubbles >= 1


def test_the_widget_talks_on_a_strict_page_of_another_origin(page: Page, served: Served):
    with shop(served.url, "desk") as address:
        page.open(address)
        page.wait(f"{INSIDE}?.querySelector('.vv-launcher')")
        page.run(f"{WIDGET}.startVoice()")
        page.wait(f"{INSIDE}.querySelector('.turn.user:not(.vv-tentative)')")
        page.wait(f"{INSIDE}.querySelector('.vv-voice').dataset.state === 'agent_speaks'")
        asked = page.run(f"{INSIDE}.querySelector('.turn.user').textContent")
        page.run(f"{WIDGET}.end()")

    assert asked == QUESTION
    assert page.complaints == []


def test_a_call_outlives_a_lost_network(page: Page, served: Served):
    page.open(f"{served.url}/talk/desk")
    page.wait("document.querySelector('.vv-talk-button')")
    page.run(
        "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
        " constructor(...a) { super(...a); sockets.push(this); } }"
    )
    page.run("document.querySelector('.vv-talk-button').click()")
    page.wait("document.querySelector('#permission, .vv-voice')")
    if page.run("Boolean(document.querySelector('#permission'))"):
        page.run("document.querySelector('#permission .vv-main').click()")
    state(page, "agent_speaks")
    page.run("sockets[0].close(4001)")
    page.wait("sockets.length === 2 && !document.querySelector('.vv-lost')")
    page.run("document.getElementById('text').focus()")
    page.type("Are you there?")
    page.press_enter()
    state(page, "agent_speaks")
    page.run("document.getElementById('end').click()")
    wait_until(lambda: not served.context.talks)
    [conversation] = served.store.conversations()
    turns = served.store.transcript(conversation.conversation_id).turns

    assert [turn.text for turn in turns if turn.role == "user"][:2] == [QUESTION, "Are you there?"]


ALIAS = """
(async () => {
  const rate = 48000;
  const measure = async (hz) => {
    const context = new OfflineAudioContext(1, rate, rate);
    await context.audioWorklet.addModule('/page/capture.js');
    const tone = new OscillatorNode(context, { frequency: hz });
    const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
    const pieces = [];
    capture.port.onmessage = ({ data }) => pieces.push(...data.samples);
    tone.connect(capture);
    tone.start();
    await context.startRendering();
    await new Promise((done) => setTimeout(done, 300));
    const inside = pieces.slice(2000, 14000);
    return [pieces.length, Math.sqrt(inside.reduce((sum, x) => sum + x * x, 0) / inside.length)];
  };
  return [await measure(1000), await measure(6000), await measure(10000), await measure(15000)];
})()
"""


def test_the_microphone_is_brought_to_16_khz_without_false_tones(page: Page, served: Served):
    """Tones of a voice stay as loud; what no 16 kHz signal can hold is gone, not folded back."""
    page.open(f"{served.url}/talk/desk")
    low, high, *above = page.run(ALIAS)

    assert abs(low[0] - 16_000) <= 1_024
    full = 32_767 / np.sqrt(2)
    assert low[1] == pytest.approx(full, rel=0.01)
    assert high[1] == pytest.approx(full, rel=0.05)
    assert all(loudness < full / 1_000 for _count, loudness in above)
