"""Who speaks and when, in text and captions; what is not clear is asked for."""

from pathlib import Path

import pytest

from conversation.importing.files import import_path
from conversation.store.store import ConversationStore
from tests.conversation.importing.test_nothing_lost import imported

DAY = "2026-05-28 20:26"
BOTH = [("agent", "Hello"), ("user", "Hi")]


@pytest.mark.parametrize(
    ("name", "text", "said_in_it"),
    [
        ("dashes.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n- Agent: Hello\n- Ann: Hi\n", BOTH),
        ("known.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: Tea?\n\n00:03.000 --> 00:04.000\n"
         "Agent: Hello\nAnn: Hi\n", [("user", "Tea?"), *BOTH]),
        ("brackets.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n[Agent] Hello\n\n"
         "00:03.000 --> 00:04.000\n>> Ann: Hi\n", BOTH),
        ("order.vtt", "WEBVTT\n\n00:05.000 --> 00:06.000\nAnn: Hi\n\n00:01.000 --> 00:02.000\n"
         "Agent: Hello\n", BOTH),
        ("dense.srt", "1\n00:00:01,000 --> 00:00:02,000\nAgent: Hello\n2\n"
         "00:00:03,000 --> 00:00:04,000\nAnn: Hi\n", BOTH),
        ("wide.txt", "Agent\uff1aHello\nUser\uff1aHi\n", BOTH),
        ("behind.txt", "Agent (00:01): Hello\nAnn (00:05): Hi\n", BOTH),
        ("teams.txt", "Agent   0:03\nHello\n\nAnn Lee   0:09\nHi\n\nAnn Lee stopped it\n", BOTH),
    ],
)  # fmt: skip
def test_every_usual_way_to_name_a_speaker(
    tmp_path: Path, name: str, text: str, said_in_it: list[tuple[str, str]]
):
    report, found = imported(tmp_path, name, text)

    assert (report.rejected, found) == ([], [said_in_it])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("midst.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nAgent: Hello\nCustomer: Hi\n"),
        ("three.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Agent>A</v>\n\n"
         "00:03.000 --> 00:04.000\n<v Customer>B</v>\n\n00:05.000 --> 00:06.000\n<v Bob>C</v>\n"),
        ("three.srt", "1\n00:00:01,000 --> 00:00:02,000\nAgent: A\n\n2\n"
         "00:00:03,000 --> 00:00:04,000\nCustomer: B\n\n3\n00:00:05,0 --> 00:00:06,0\nBob: C\n"),
        ("three.csv", "role,text\nagent,A\ncustomer,B\nBob,C\n"),
        ("third.txt", "Agent: A\nCustomer: B\nSupervisor: I take over\nManager: And I\n"),
        ("fourth.txt", "Agent: A\nCustomer: B\nKim: 5 minutes\nLee: So be it\nAgent: C\n"),
    ],
)  # fmt: skip
def test_a_third_person_is_asked_for_wherever_it_speaks(tmp_path: Path, name: str, text: str):
    report, found = imported(tmp_path, name, text)

    assert not found
    assert "--agent-speaker" in report.rejected[0].problem


@pytest.mark.parametrize(
    ("text", "begun", "offsets"),
    [
        ("[28.05.26, 20:26:40] Agent: A\n[28.05.26, 20:27:40] Ann: B\n", f"{DAY}:40", [0, 60]),
        ("5/28/26, 8:26 PM - Agent: A\n5/28/26, 8:27 PM - Ann: B\n", f"{DAY}:00", [0, 60]),
        ("2026-05-28T20:26:40Z Agent: A\n2026-05-28T22:26:45+02:00 Ann: B\n", f"{DAY}:40", [0, 5]),
        ("[11:59 PM] Agent: A\n[12:01 AM] Ann: B\n", None, [0, 120]),
        ("20:26:40 Agent: A\n20:26:45 Ann: B\n", None, [0, 5]),
        ("00:01 Agent: A\n01:05 Ann: B\n", None, [1, 65]),
        ("[0:00:01] Agent: A\n[1:00:05] Ann: B\n", None, [1, 3605]),
    ],
)  # fmt: skip
def test_times_before_a_speaker(tmp_path: Path, text: str, begun: str | None, offsets: list[float]):
    (tmp_path / "a.txt").write_text(text, "utf-8")
    with ConversationStore.open("sqlite://") as store:
        (one,) = import_path(tmp_path / "a.txt", store, "support").imported
        transcript = store.transcript(one)

    assert [turn.offset_s for turn in transcript.turns] == offsets
    started = transcript.started_at
    assert (f"{started:%Y-%m-%d %H:%M:%S}" if started else None) == begun


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_any_usual_encoding(tmp_path: Path, encoding: str):
    text = "Agent: Gr\u00fc\u00dfe, f\u00fcr \u00c4rzte\nUser: Sch\u00f6n\u00e4n\n"
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path / "a.txt", store, "support")
        turns = store.transcript(report.imported[0]).turns

    assert [turn.text for turn in turns] == [
        "Gr\u00fc\u00dfe, f\u00fcr \u00c4rzte",
        "Sch\u00f6n\u00e4n",
    ]
    assert not report.left_out


def test_bytes_that_are_no_text_are_counted(tmp_path: Path):
    text = "Agent: Grüße und schöne Tage\nUser: Über alles\n".encode()
    (tmp_path / "a.txt").write_bytes(text.replace(b"alles", b"al\xffles"))
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path / "a.txt", store, "support")

    assert report.left_out == {"txt: bytes that are no text": 1}


@pytest.mark.parametrize(
    ("times", "offsets"),
    [
        (("[2026-05-28 20:26:40]", "[2026-05-28 20:26:30]", "[2026-05-28 20:26:10]"), [0, 20, 30]),
        (("[00:00:30]", "[00:00:20]", "[00:00:10]"), [10, 20, 30]),
        (("20:26:40", "20:26:30", "20:26:10"), [0, 20, 30]),
        (("[12:01 AM]", "[11:59 PM]", "[11:58 PM]"), [0, 60, 180]),
    ],
)
def test_lines_that_are_newest_first_are_turned_round(
    tmp_path: Path, times: tuple[str, ...], offsets: list[float]
):
    words = ("Agent: third", "User: second\ngoes on", "Agent: first")
    text = "\n".join(f"{time} {line}" for time, line in zip(times, words, strict=True))
    (tmp_path / "a.txt").write_text(text)
    with ConversationStore.open("sqlite://") as store:
        (one,) = import_path(tmp_path / "a.txt", store, "support").imported
        turns = store.transcript(one).turns

    assert [turn.text for turn in turns] == ["first", "second\ngoes on", "third"]
    assert [turn.offset_s for turn in turns] == offsets
