"""Recordings at an address: what one machine recorded is listened to, and forgotten, on another."""

import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from conversation.errors import AudioError
from conversation.voice.recording.kept_calls import KeptCalls
from conversation.voice.recording.shared_calls import SharedCalls

SOUND = np.full(16_000, 900, np.int16)


def recorded(calls: KeptCalls, conversation_id: str = "call1") -> None:
    file = calls.begin(conversation_id)
    file.heard(SOUND, 0.0)
    file.close()
    calls.finish(conversation_id)


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4().hex}"


def test_a_call_of_another_machine_is_fetched_and_listened_to(tmp_path: Path, url: str):
    a, b = SharedCalls(tmp_path / "a", url), SharedCalls(tmp_path / "b", url)
    recorded(a)
    assert b.has("call1")
    assert b.sides("call1") == a.sides("call1")
    assert np.array_equal(b.sound("call1"), a.sound("call1"))
    assert b.listened("call1").path.is_file()
    with pytest.raises(AudioError, match="no recording"):
        b.sound("other")


def test_what_one_machine_deletes_is_gone_from_the_address(tmp_path: Path, url: str):
    a, b = SharedCalls(tmp_path / "a", url), SharedCalls(tmp_path / "b", url)
    recorded(a)
    assert b.delete("call1") >= 2
    assert not SharedCalls(tmp_path / "c", url).has("call1")
    assert not b.has("call1")


def test_a_copy_of_another_machine_goes_after_a_while(tmp_path: Path, url: str):
    a = SharedCalls(tmp_path / "a", url)
    recorded(a)
    b = SharedCalls(tmp_path / "b", url, fetched_for_s=0.2)
    assert b.has("call1")
    b.listened("call1")
    deadline_s = time.monotonic() + 20
    while list((tmp_path / "b").iterdir()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    assert b.has("call1"), "it is fetched again"


def test_copies_that_a_killed_process_left_go_when_the_next_one_starts(tmp_path: Path, url: str):
    a, b = SharedCalls(tmp_path / "a", url), SharedCalls(tmp_path / "b", url)
    recorded(a)
    recorded(b, "own")
    assert b.has("call1")
    SharedCalls(tmp_path / "b", url)
    assert {path.name.partition(".")[0] for path in (tmp_path / "b").iterdir()} == {"own"}


def test_a_call_goes_on_on_another_machine(tmp_path: Path, url: str):
    a, b = SharedCalls(tmp_path / "a", url), SharedCalls(tmp_path / "b", url, fetched_for_s=0.1)
    recorded(a)
    file = b.begin("call1")
    time.sleep(0.3)
    file.heard(SOUND, 2.0)
    file.close()
    b.finish("call1")
    assert len(b.sound("call1")) > len(a.sound("call1"))
    assert len(SharedCalls(tmp_path / "c", url).sound("call1")) == len(b.sound("call1"))


def test_an_address_that_takes_nothing_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    calls = SharedCalls(tmp_path / "a", "nowhere-at-all://bucket")
    recorded(calls)
    assert calls.has("call1")
    assert "is on this machine alone" in caplog.text
    with pytest.raises(AudioError, match="VIVAVOCE_RECORDINGS_URL"):
        calls.has("another")
