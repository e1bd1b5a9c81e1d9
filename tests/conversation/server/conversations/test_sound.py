"""The recording of a conversation over HTTP."""

from collections.abc import Generator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest

from conversation.server.ended.after_conversations import StoreOnly
from conversation.transcript import Transcript, Turn
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording import kept_calls
from conversation.voice.recording.call_file import AGENT, USER, Stereo
from conversation.voice.recording.kept_calls import KeptCalls
from conversation.voice.recording.silencing import SilentSpan
from tests.conversation.server.conversations.test_routes import CONVERSATIONS, call, get
from tests.conversation.server.served import Served, serving

SECOND = SAMPLE_RATE_HZ


@pytest.fixture
def served(tmp_path: Path) -> Generator[Served]:
    with serving(tmp_path) as found:
        found.context.recordings = KeptCalls(tmp_path / "recordings")
        yield found


@pytest.fixture
def recorded(served: Served) -> str:
    """Two seconds of the user, and one of the agent in them."""
    conversation_id = call(served.store, 1)
    assert served.context.recordings is not None
    sound = served.context.recordings.begin(conversation_id)
    sound.heard(np.full(2 * SECOND, 500, dtype=np.int16), 0.0)
    sound.said(np.full(SECOND, 700, dtype=np.int16), 0.5)
    sound.close()
    served.context.recordings.finish(conversation_id)
    return conversation_id


def audio(served: Served, conversation_id: str, **headers: str) -> httpx.Response:
    return served.http.get(
        f"{CONVERSATIONS}/{conversation_id}/audio",
        headers={"xi-api-key": served.key("read"), **headers},
    )


def wav(content: bytes) -> Stereo:
    return np.frombuffer(content[44:], dtype="<i2").reshape(-1, 2)


@pytest.mark.usefixtures("without_the_extra")
def test_the_recording_and_any_part_of_it(served: Served, recorded: str):
    whole = audio(served, recorded)
    part = audio(served, recorded, Range="bytes=44-1043")
    beyond = audio(served, recorded, Range="bytes=999999999-")

    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.headers["accept-ranges"] == "bytes"
    found = wav(whole.content)
    assert len(found) == 2 * SECOND
    assert (found[:, USER] == 500).all()
    assert set(found[:, AGENT]) == {0, 700}
    assert (part.status_code, part.content) == (206, whole.content[44:1044])
    assert part.headers["content-range"] == f"bytes 44-1043/{len(whole.content)}"
    assert beyond.status_code == 416


def test_it_is_told_who_can_be_heard(served: Served, recorded: str):
    silent = call(served.store, 2)
    detail = get(served, f"{CONVERSATIONS}/{recorded}")
    listed = get(served, CONVERSATIONS)["conversations"]

    assert [detail[f"has_{name}audio"] for name in ("", "user_", "response_")] == [True] * 3
    assert not get(served, f"{CONVERSATIONS}/{silent}")["has_audio"]
    assert {each["conversation_id"]: each["has_audio"] for each in listed} == {
        recorded: True,
        silent: False,
    }


@pytest.mark.usefixtures("without_the_extra")
def test_what_is_masked_is_silent(served: Served, recorded: str):
    class Masking(StoreOnly):
        spans: Sequence[SilentSpan] = ()

        def silent_spans(self, conversation_id: str) -> Sequence[SilentSpan]:
            return self.spans

    calls = served.context.after_calls = Masking(served.store, served.context.recordings)
    assert wav(audio(served, recorded).content)[:, USER].all()

    calls.spans = (SilentSpan(USER, 0.5, 1.0),)
    found = wav(audio(served, recorded).content)[:, USER]
    assert not found[SECOND // 2 : SECOND].any()
    assert found[: SECOND // 2].all()

    calls.spans = (SilentSpan(USER, 0.0, None),)
    assert not wav(audio(served, recorded).content)[:, USER].any()
    assert served.context.recordings is not None
    assert served.context.recordings.delete(recorded) <= 3, "older copies are gone"


def test_of_an_imported_recording_it_is_said_where_the_sound_is(served: Served):
    imported = Transcript(
        conversation_id="conv_imported1",
        agent_id="librarian",
        turns=(Turn(role="user", text="Hello"),),
        source="recording",
        metadata={"file": "monday.wav"},
    )
    served.context.store.import_transcript(imported)

    answer = audio(served, imported.conversation_id)

    assert answer.status_code == 404
    assert "its sound stays in monday.wav" in answer.text


def test_a_call_under_way_has_no_recording_yet(served: Served):
    with served.dial() as client:
        conversation_id = client.opened()
        assert served.context.recordings is not None
        sound = served.context.recordings.begin(conversation_id)
        sound.heard(np.full(SECOND, 500, dtype=np.int16), 0.0)
        answer = audio(served, conversation_id)
        shown = get(served, f"{CONVERSATIONS}/{conversation_id}")
        sound.close()

    assert answer.json()["detail"]["status"] == "audio_not_found"
    assert "when it is over" in answer.text
    assert not shown["has_audio"]


def test_a_deleted_conversation_is_not_heard_any_more(served: Served, recorded: str):
    audio(served, recorded)
    path = f"{CONVERSATIONS}/{recorded}"
    assert served.http.delete(path, headers={"xi-api-key": served.key("admin")}).is_success

    assert audio(served, recorded).status_code == 404
    assert served.context.recordings is not None
    assert not served.context.recordings.has(recorded)


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_calls, "can_encode", lambda: False)


@pytest.mark.slow
def test_it_is_mp3_with_the_extra(served: Served, recorded: str):
    pytest.importorskip("soundfile", reason="the extra `voice` is not installed")
    answer = audio(served, recorded)

    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.content[:2] in (b"\xff\xfb", b"\xff\xf3", b"ID")
    assert audio(served, recorded, Range="bytes=0-9").content == answer.content[:10]
