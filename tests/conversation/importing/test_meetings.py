"""Transcripts of Meet, Zoom and Teams as text; columns and keys that stand twice."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.importing.files import ImportReport, import_path
from conversation.importing.meetings import meeting_of_text
from conversation.store.store import ConversationStore

MEET = """Sep 25, 2026
Support call - Transcript
00:00:00

Ann Lee: Hello, how can I help?
Bob: I want: a refund.


00:01:20

Ann Lee: Sure. At 10:30: fine.

Transcription ended after 00:02:10

This editable transcript was computer generated and might contain errors.
"""
NAMES = (["Ann Lee"], ["Bob"])


def imported(
    tmp_path: Path,
    name: str,
    text: str,
    agent_speakers: Sequence[str] = (),
    user_speakers: Sequence[str] = (),
) -> tuple[ImportReport, list[tuple[str, str, float | None]]]:
    (tmp_path / name).write_text(text, "utf-8")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        report = import_path(
            tmp_path / name,
            store,
            "support",
            agent_speakers=agent_speakers,
            user_speakers=user_speakers,
        )
        turns = [turn for each in report.imported for turn in store.transcript(each).turns]
    return report, [(turn.role, turn.text, turn.offset_s) for turn in turns]


def test_meet_times_alone_on_a_line_and_remarks_of_the_product(tmp_path: Path):
    report, turns = imported(tmp_path, "meet.txt", MEET, *NAMES)

    assert turns == [
        ("agent", "Hello, how can I help?", 0.0),
        ("user", "I want: a refund.", 0.0),
        ("agent", "Sure. At 10:30: fine.", 80.0),
    ]
    assert report.left_out == {
        "txt: lines before the first time": 2,
        "txt: lines that name no speaker": 2,
    }


def test_unclear_names_are_asked_for(tmp_path: Path):
    report, turns = imported(tmp_path, "meet.txt", MEET)

    assert not turns
    assert "--agent-speaker" in report.rejected[0].problem


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            "### 00:00:00\n\n**Agent:** Hi\n\n**Customer:** Tea?\n\n### 00:00:50\n\n"
            "**Agent:** Yes.\n",
            [("agent", "Hi", 0), ("user", "Tea?", 0), ("agent", "Yes.", 50)],
        ),
        (
            "[Agent] 23:59:58\nHello\nthere.\n\n[Customer] 00:00:03\nI need: help.\n",
            [("agent", "Hello there.", 0), ("user", "I need: help.", 5)],
        ),
        (
            "[Agent] 11:59:58 AM\nHi\n[Customer] 12:00:04 PM\nTea\n",
            [("agent", "Hi", 0), ("user", "Tea", 6)],
        ),
        (
            "10:02:03 From Ann Agent to Everyone:\n\tHello\n"
            "10:02:09 From Bob Customer to Ann Agent(Direct Message):\n\tHi: there\n",
            [("agent", "Hello", 0), ("user", "Hi: there", 6)],
        ),
        (
            "10:02:03\t From  Agent Ann : Hello\n10:02:09\t From  Customer : Hi\n",
            [("agent", "Hello", 0), ("user", "Hi", 6)],
        ),
        ("00:58:04\tAgent:\tHello\n00:58:20\tCustomer:\tHi\n",
         [("agent", "Hello", 3484), ("user", "Hi", 3500)]),
        (
            "Agent Ann   0:03\nHello.\n\nCustomer Bob   0:09\nCall me at\n10:30\n\n"
            "Agent Ann   1:02\nOk.\n",
            [("agent", "Hello.", 0), ("user", "Call me at 10:30", 6), ("agent", "Ok.", 59)],
        ),
        # No meetings: a time that somebody says stays a word.
        ("Agent: When?\nUser: at\n10:30\nAgent: ok\n10:30:00\n",
         [("agent", "When?", None), ("user", "at\n10:30", None), ("agent", "ok\n10:30:00", None)]),
    ],
)  # fmt: skip
def test_forms_of_meetings(tmp_path: Path, text: str, turns: list[tuple[str, str, float | None]]):
    report, found = imported(tmp_path, "a.txt", text)

    assert (found, report.left_out) == (turns, {})


@given(text=st.text(alphabet=st.sampled_from("[]AB: 0123456789\n\t#*.,"), max_size=200))
def test_any_text_is_a_meeting_or_none(text: str):
    meeting = meeting_of_text(text)

    if meeting is not None:
        assert all(line.offset_s is None or line.offset_s >= 0 for line in meeting.lines)


def test_a_long_name_in_captions_is_a_name(tmp_path: Path):
    cues = (
        "WEBVTT\n\n00:00.000 --> 00:01.000\nAgent: Hello\n\n00:02.000 --> 00:03.000\n"
        "Dr. Maximilian von Hohenstein-Wittgenstein (Einkauf): Hi\n"
    )

    _, turns = imported(tmp_path, "a.vtt", cues)

    assert turns == [("agent", "Hello", 0.0), ("user", "Hi", 2.0)]


def test_words_before_a_colon_are_words_where_both_sides_are_named(tmp_path: Path):
    cues = (
        "WEBVTT\n\n00:00.000 --> 00:01.000\nAnn Lee: Hello\n\n00:02.000 --> 00:03.000\n"
        "we sell tea: green\n\n00:04.000 --> 00:05.000\nBob: Yes\n"
    )

    _, turns = imported(tmp_path, "a.vtt", cues, *NAMES)
    report, none = imported(tmp_path, "a.vtt", cues, agent_speakers=["Ann Lee"])

    assert turns == [("agent", "Hello we sell tea: green", 0.0), ("user", "Yes", 4.0)]
    assert not none
    assert report.rejected


def test_the_first_of_two_columns_of_one_name_is_taken_and_the_other_counted(tmp_path: Path):
    table = "id,role,text,text,Text\n1,user,Hi,x,y\n1,agent,Hello,,z\n"

    report, turns = imported(tmp_path, "a.csv", table)

    assert turns == [("user", "Hi", None), ("agent", "Hello", None)]
    assert report.left_out == {"csv.text (column 4)": 1, "csv.Text (column 5)": 2}


def test_two_columns_that_name_different_speakers_are_refused(tmp_path: Path):
    table = (
        "id,role,Role,text\n1,user,agent,Hi\n1,agent,agent,Hello\n2,user,user,Tea?\n2,agent,,Yes.\n"
    )

    report, turns = imported(tmp_path, "a.csv", table)

    assert turns == [("user", "Tea?", None), ("agent", "Yes.", None)]
    assert "name different people" in report.rejected[0].problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"turns": [{"role": "user", "text": "a", "text": "b"}]}'),
        ("a.jsonl", '{"role": "user", "content": "a", "content": "b"}'),
        ("a.yaml", "conversation_id: conv_1\nturns:\n- role: user\n  text: a\n  text: b\n"),
    ],
)  # fmt: skip
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, name: str, text: str):
    report, turns = imported(tmp_path, name, text)

    assert not turns
    assert "stands twice" in report.rejected[0].problem


def test_pages_say_what_they_hold_beside_their_records(tmp_path: Path):
    page = (
        '{"conversations": [{"conversation_id": "conv_1", "turns": [{"role": "user", "text": "a"}],'
        ' "mood": 1}], "has_more": true, "next_cursor": null}'
    )

    report, _ = imported(tmp_path, "a.json", page)

    assert report.left_out == {"page.has_more": 1, "import.mood": 1}
