"""Tables whose columns have names of their own."""

from pathlib import Path

import pytest
import typer

from conversation.importing.files import ImportReport, import_path
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from orchestration.cli.conversing import _columns  # pyright: ignore[reportPrivateUsage]

TABLE = (
    "Fall,Wer,Gesagt,Wann,Kunde\n"
    "7,User,How long do refunds take?,2026-03-01 10:00:05,k-12\n"
    "7,Agent,Five days.,2026-03-01 10:00:09,k-12\n"
)
COLUMNS = {"id": "Fall", "speaker": "wer", "text": "Gesagt", "time": "Wann", "user": " Kunde "}


def test_columns_mean_what_is_said(tmp_path: Path):
    (tmp_path / "calls.csv").write_text(TABLE)
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path, store, "desk", columns=COLUMNS)
        assert report.rejected == []
        (summary,) = store.conversations()
        transcript = store.transcript(summary.conversation_id)
    assert [turn.text for turn in transcript.turns] == ["How long do refunds take?", "Five days."]
    assert transcript.started_at is not None
    assert f"{transcript.started_at:%Y-%m-%d %H:%M:%S}" == "2026-03-01 10:00:05"
    assert transcript.metadata["user_id"] == "k-12"


def test_a_column_that_is_named_comes_before_one_that_names_itself(tmp_path: Path):
    table = "role,text,date,sent\nUser,Hello,2020-01-01,2026-03-01 10:00\n"
    (tmp_path / "calls.csv").write_text(table)
    with ConversationStore.open("sqlite://") as store:
        import_path(tmp_path, store, "desk", columns={"time": "sent"})
        (summary,) = store.conversations()
    assert summary.started_at is not None
    assert summary.started_at.year == 2026


def test_a_column_that_is_not_there_is_named(tmp_path: Path):
    (tmp_path / "calls.csv").write_text(TABLE)
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path, store, "desk", columns={**COLUMNS, "time": "Zeit"})
    assert "'Zeit'" in report.rejected[0].problem
    assert "Wann" in report.rejected[0].problem


def test_the_command_joins_its_options():
    found = _columns(["speaker=Wer", "text=a=b"], time="Wann", user=None)
    assert found == {"time": "Wann", "speaker": "Wer", "text": "a=b"}


@pytest.mark.parametrize("entry", ["speaker", "speaker=", "who=Wer", ""])
def test_what_maps_nothing_is_refused(entry: str):
    with pytest.raises(typer.BadParameter, match="MEANING=COLUMN"):
        _columns([entry], time=None, user=None)


@pytest.mark.parametrize("name", ["Identifiant", "identificador", "Kennung", "идентификатор"])
def test_ids_keep_conversations_apart_in_other_languages(tmp_path: Path, name: str):
    rows = "7,user,Hi\n7,agent,Yes\n8,user,Ho\n8,agent,No\n"
    (tmp_path / "calls.csv").write_text(f"{name},speaker,text\n{rows}")
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path / "calls.csv", store, "desk")
    assert len(report.imported) == 2
    assert not report.left_out


def imported(table: str, folder: Path) -> tuple[ImportReport, Transcript]:
    (folder / "calls.csv").write_text(table)
    with ConversationStore.open("sqlite://") as store:
        report = import_path(folder, store, "desk")
        assert report.rejected == []
        (summary,) = store.conversations()
        return report, store.transcript(summary.conversation_id)


@pytest.mark.parametrize(
    ("cells", "began", "left_out"),
    [
        # It goes on within a conversation: each message was sent then.
        (("2026-03-01 10:00:05", "2026-03-01 10:00:09"), "2026-03-01 10:00:05", {}),
        (("13.03.2026 10:00", "13.03.2026 10:02"), "2026-03-13 10:00:00", {}),
        # A date that stays may be a birthday, and numbers that go on may be those of messages.
        (("1970-03-01", "1970-03-01"), None, {"csv.wann (dates)": 2}),
        (("2026-03-01 10:00", "2026-02-01 10:00"), None, {"csv.wann (dates)": 2}),
        (("1772359205", "1772359209"), None, {"csv.wann": 2}),
        (("2026-03-01 10:00", "soon"), None, {"csv.wann": 2}),
    ],
)
def test_moments_of_messages_are_known_by_what_they_are(
    tmp_path: Path, cells: tuple[str, str], began: str | None, left_out: dict[str, int]
):
    table = f"role,text,wann\nuser,When do you open?,{cells[0]}\nagent,At nine.,{cells[1]}\n"

    report, transcript = imported(table, tmp_path)

    at = transcript.started_at
    assert (None if at is None else f"{at:%Y-%m-%d %H:%M:%S}") == began
    assert dict(report.left_out) == left_out


def test_of_two_columns_of_moments_neither_is_taken(tmp_path: Path):
    at = "2026-03-01 10:00:0"
    table = f"role,text,sent_here,read_there\nuser,Hello,{at}1,{at}2\nagent,Yes?,{at}3,{at}4\n"
    report, transcript = imported(table, tmp_path)
    assert transcript.started_at is None
    assert set(report.left_out) == {"csv.sent_here (dates)", "csv.read_there (dates)"}


def test_what_the_store_lacks_of_a_known_conversation_is_told(tmp_path: Path):
    (tmp_path / "calls.csv").write_text("role,text,am,wer\nuser,Hello,2026-03-01,k-1\n")
    with ConversationStore.open("sqlite://") as store:
        first = import_path(tmp_path, store, "desk")
        again = import_path(tmp_path, store, "desk")
        named = import_path(tmp_path, store, "desk", columns={"time": "am", "user": "wer"})
    assert again.differing == []
    assert named.known == first.imported
    (row,) = named.differing
    assert "without its moments and user" in row.problem
    assert f"vivavoce forget --conversation {first.imported[0]}" in row.problem
