"""Tables whose columns have names of their own."""

from pathlib import Path

import pytest
import typer

from conversation.importing.files import import_path
from conversation.store.store import ConversationStore
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
