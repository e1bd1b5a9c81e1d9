"""What a record holds is taken, or named and counted; nobody's words become somebody else's."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.importing.files import ImportReport, import_path
from conversation.importing.tables import conversations_of_csv
from conversation.store.store import ConversationStore
from tests.conversation.importing.test_platforms import (
    ELEVENLABS,
    NOON,
    RETELL,
    VAPI_CALL,
    VAPI_MESSAGES,
    calls,
    one,
    said,
)


def imported(
    tmp_path: Path, name: str, text: str
) -> tuple[ImportReport, list[list[tuple[str, str]]]]:
    (tmp_path / name).write_text(text, "utf-8")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        report = import_path(tmp_path / name, store, "support")
        found = [said(store.transcript(each)) for each in report.imported]
    return report, found


DAY = "2026-05-28 20:26:40"
TEA = [("user", "Is there green tea?"), ("agent", "Twelve tins.")]


def test_an_empty_list_does_not_hide_the_one_with_the_words():
    plain = [{"role": "user", "content": "Hi"}, {"role": "agent", "content": "Hello."}]
    retell = {"call_id": "r", "transcript_with_tool_calls": [], "transcript_object": plain}
    vapi = VAPI_CALL | {"messages": [], "artifact": {"messages": VAPI_MESSAGES}}

    assert said(one(retell).transcript) == [("user", "Hi"), ("agent", "Hello.")]
    assert said(one(vapi).transcript)[-2:] == TEA
    assert said(one(vapi | {"messages": None}).transcript)[-2:] == TEA


def test_words_beside_a_call_of_a_tool_are_words_of_the_agent():
    call = {"id": "t1", "function": {"name": "stock", "arguments": "{}"}}
    messages = [
        {"role": "user", "message": "Tea?"},
        {"role": "tool_calls", "message": "Let me look.", "toolCalls": [call]},
        {"role": "tool_call_result", "toolCallId": "t1", "result": "12"},
        {"role": "tool_call_result", "toolCallId": "t9", "result": "lost"},
    ]

    found = one(VAPI_CALL | {"messages": messages})

    assert said(found.transcript) == [("user", "Tea?"), ("agent", "Let me look.")]
    assert calls(found.transcript) == [("stock", {}, "12")]
    assert found.left_out == {"vapi.cost": 1, "vapi: tool results without a call": 1}


def test_an_empty_list_of_calls_makes_nobody_the_agent():
    messages = [
        {"role": "user", "message": "Tea?", "toolCalls": []},
        {"role": "bot", "message": "Yes.", "toolCalls": []},
    ]

    transcript = one(VAPI_CALL | {"messages": messages}).transcript

    assert said(transcript) == [("user", "Tea?"), ("agent", "Yes.")]


def test_entries_without_words_and_inner_fields_are_counted():
    retell = RETELL | {
        "transcript_with_tool_calls": [
            {"role": "user", "content": "Hi"},
            {"role": "dtmf", "digit": "1"},
            {"role": "tool_call_result", "tool_call_id": "t9", "content": "lost"},
        ]
    }
    eleven = ELEVENLABS | {
        "metadata": ELEVENLABS["metadata"] | {"cost": 7},
        "transcript": [*ELEVENLABS["transcript"], {"role": "user", "message": None}],
    }
    vapi = VAPI_CALL | {"artifact": {"messages": VAPI_MESSAGES, "recordingUrl": "x"}}

    assert one(retell).left_out == {
        "retell: entries of role dtmf without words": 1,
        "retell: tool results without a call": 1,
    }
    assert one(eleven).left_out == {
        "elevenlabs: entries without words": 1,
        "elevenlabs.metadata.cost": 1,
    }
    assert one(vapi).left_out["vapi.artifact.recordingUrl"] == 1


def test_pictures_and_lonely_results_of_messages_are_counted():
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "This?"}, picture]},
        {"role": "tool", "tool_call_id": "t9", "content": "lost"},
        {"role": "user", "content": [picture]},
    ]

    found = one(messages)

    assert said(found.transcript) == [("user", "This?")]
    assert found.left_out == {
        "openai: parts of type image_url": 2,
        "openai: tool results without a call": 1,
    }


def test_messages_of_a_retell_chat_keep_their_times():
    entries: list[Any] = [
        {"role": "user", "content": "Hi", "created_timestamp": NOON * 1_000},
        {"role": "agent", "content": "Hello.", "created_timestamp": NOON * 1_000 + 4_000},
    ]

    transcript = one({"chat_id": "c", "message_with_tool_calls": entries}).transcript

    assert transcript.started_at is not None
    assert transcript.started_at.timestamp() == NOON
    assert [turn.offset_s for turn in transcript.turns] == [0, 4]


def test_a_realtime_log_may_hold_other_events_and_whole_answers_only():
    events = [
        {"type": "session.created", "session": {"id": "sess_2"}},
        {"type": "rate_limits.updated", "rate_limits": []},
        {"type": "conversation.item.created", "item": {"id": "i1", "role": "user"}},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i1",
            "transcript": "Tea?",
        },
        {
            "type": "response.done",
            "response": {
                "output": [
                    {
                        "id": "i2",
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_audio", "transcript": "Yes."}],
                    }
                ]
            },
        },
    ]

    assert said(one(events).transcript) == [("user", "Tea?"), ("agent", "Yes.")]


def test_bots_and_messages_of_the_system_in_contact_lens():
    lens = {
        "Participants": [
            {"ParticipantId": "C", "ParticipantRole": "CUSTOMER"},
            {"ParticipantId": "B", "ParticipantRole": "CUSTOM_BOT"},
            {"ParticipantId": "S", "ParticipantRole": "SYSTEM"},
        ],
        "Transcript": [
            {"ParticipantId": "S", "Content": "You are third in the queue."},
            {"ParticipantId": "C", "Content": "Hi"},
            {"ParticipantId": "B", "Content": "Hello."},
        ],
    }

    found = one(lens)

    assert said(found.transcript) == [("user", "Hi"), ("agent", "Hello.")]
    assert found.left_out == {"contact_lens: messages of the system and events": 1}


def test_whoever_got_a_copy_of_a_ticket_is_no_agent():
    ticket = {
        "ticket": {"id": 5, "requester_id": 7},
        "users": [
            {"id": 7, "role": "end-user"},
            {"id": 8, "role": "agent"},
            {"id": 9, "role": "end-user"},
        ],
        "comments": [
            {"author_id": 7, "plain_body": "It broke.", "attachments": [{"id": 1}]},
            {"author_id": 8, "plain_body": "Which one?"},
            {"author_id": 9, "plain_body": "The red one."},
        ],
    }

    found = one(ticket)

    assert [turn.role for turn in found.transcript.turns] == ["user", "agent", "user"]
    assert found.left_out["zendesk: attachments"] == 1


def test_a_line_with_several_records_gives_all_of_them(tmp_path: Path):
    page = {"results": [VAPI_CALL | {"id": name, "messages": VAPI_MESSAGES} for name in "ab"]}
    lines = "\n".join([json.dumps(page), "{", json.dumps({"data": [ELEVENLABS]})])

    report, found = imported(tmp_path, "calls.jsonl", lines)

    assert len(found) == 3
    assert [each.where for each in report.rejected] == ["calls.jsonl, line 2"]


def test_lines_that_nobody_says_are_counted(tmp_path: Path):
    table = "role,text\nsystem,You are a shop.\nuser,Tea?\nagent,Yes.\n"
    captions = (
        "WEBVTT\n\nNOTE from a call\n\n1\n00:01.000 --> 00:02.000\nAgent: Hello\n\nand welcome.\n\n"
        "2\n00:03 --> 00:04\nUser: Hi\n"
    )

    rows, said_in_rows = imported(tmp_path, "a.csv", table)
    cues, said_in_cues = imported(tmp_path, "b.vtt", captions)

    assert (rows.left_out, said_in_rows) == (
        {"csv: lines of system": 1},
        [[("user", "Tea?"), ("agent", "Yes.")]],
    )
    assert cues.left_out == {"vtt: blocks of words without times": 1}
    assert said_in_cues == [[("agent", "Hello"), ("user", "Hi")]]


@pytest.mark.parametrize(
    "header",
    ["conversationId,senderRole,messageText,createdAt",
     "Conversation ID;Sender-Role;Message Text;Created At",
     "conversation-id\tSpeaker (role)\tMESSAGE\tTimestamp (UTC)"],
)  # fmt: skip
def test_headers_are_read_in_every_usual_form(tmp_path: Path, header: str):
    between = next(each for each in ",;\t" if each in header)
    rows = [["7", "user", "Tea?", "2026-05-28 20:26:40"], ["7", "agent", "Yes.", str(NOON + 4)]]
    text = "\n".join([header, *(between.join(row) for row in rows)])

    report, found = imported(tmp_path, "a.csv", text)

    assert found == [[("user", "Tea?"), ("agent", "Yes.")]]
    assert not report.left_out


def test_doubled_quotes_far_down_keep_their_words():
    """Guessed from the first rows, quotes were not doubled, and words after them were lost."""
    rows = ["id,role,text", *(f'{n},user,"Tea {n}, please"' for n in range(400))]
    text = "\n".join([*rows, '400,user,"He said ""yes"", twice"'])

    *_, last = conversations_of_csv(text)
    [spaced] = conversations_of_csv('role, text, #, %\nuser, "Tea, please", 7, u', {"user": "%"})

    assert [row.text for row in last.rows] == ['He said "yes", twice']
    assert ([row.text for row in spaced.rows], spaced.user_id) == (["Tea, please"], "u")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("1,user,Tea, please\n1,agent,Yes.", "Line 2 of the table has more cells"),
        ("1,user,Tea?\n1,,Yes.", "1 rows with words name no speaker"),
        (",user,Tea?\n,agent,Yes.", "2 rows have an empty id"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused_and_the_others_go_in(
    tmp_path: Path, rows: str, problem: str
):
    report, found = imported(tmp_path, "a.csv", f"id,role,text\n{rows}\n2,user,Hi\n")

    assert found == [[("user", "Hi")]]
    [rejected] = report.rejected
    assert problem in rejected.problem


@pytest.mark.parametrize("time", ["nan", "-5", "inf", "1e999"])
def test_a_time_that_is_none_costs_only_its_conversation(tmp_path: Path, time: str):
    table = f"id,role,text,time\n1,user,Secret,{time}\n1,agent,Yes.,2\n2,user,Hi,1\n"

    report, found = imported(tmp_path, "a.csv", table)

    assert found == [[("user", "Hi")]]
    [rejected] = report.rejected
    assert "is no time" in rejected.problem
    assert "Secret" not in rejected.problem


@pytest.mark.parametrize("wrong", [5, 0, 2.5, True, False])
@pytest.mark.parametrize(
    ("record", "listed", "key", "counted"),
    [
        (ELEVENLABS, "transcript", "message", "elevenlabs.transcript.message that is no text"),
        (VAPI_CALL, "messages", "message", "vapi.messages.message that is no text"),
        (
            RETELL,
            "transcript_object",
            "content",
            "retell.transcript_object.content that is no text",
        ),
        ({"id": "x"}, "messages", "content", "openai.messages.content that is no text"),
    ],
)
def test_words_that_are_no_text_are_counted_by_name(
    record: dict[str, Any], listed: str, key: str, counted: str, wrong: object
):
    said_by = [{"role": "user", key: wrong}, {"role": "user", key: "Tea?"}]
    plain = {name: value for name, value in record.items() if not name.startswith("transcript")}
    found = one(plain | {listed: said_by})
    assert said(found.transcript) == [("user", "Tea?")]
    assert found.left_out[counted] == 1
    right = one(plain | {listed: said_by[1:]})
    assert not any("no text" in name for name in right.left_out)


def test_arguments_of_tools_may_hold_numbers_under_any_name():
    asked = {"name": "note", "arguments": {"message": 5, "text": True}}
    call = {"id": "t1", "function": asked}
    messages = [
        {"role": "user", "message": "Tea?"},
        {"role": "tool_calls", "toolCalls": [call]},
        {"role": "bot", "message": "Yes."},
    ]
    found = one(VAPI_CALL | {"messages": messages})
    answered = {"role": "tool", "tool_call_id": "t1", "content": 12}
    asked = {"role": "assistant", "tool_calls": [{"id": "t1", "function": {"name": "stock"}}]}
    said_by = [{"role": "user", "content": "Tea?"}, asked, answered]
    assert not any("no text" in name for name in one({"messages": said_by}).left_out)
    assert not any("no text" in name for name in found.left_out)


def test_a_broken_line_of_a_log_costs_only_itself(tmp_path: Path):
    event = {"type": "conversation.item.added", "item": {"id": "a", "role": "user"}}
    spoken = {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": "a",
        "transcript": "Tea?",
    }
    lines = [json.dumps(event), "{", json.dumps(spoken), "[]"]

    report, found = imported(tmp_path, "log.jsonl", "\n".join(lines[:3]))

    assert found == [[("user", "Tea?")]]
    assert [each.where for each in report.rejected] == ["log.jsonl, line 2"]


@pytest.mark.parametrize(
    ("text", "begun", "offsets"),
    [
        ("Gespr\u00e4chs-ID;Sprecher;Nachricht;Zeitstempel\n1;Kunde;A;28.05.2026 20:26:40\n"
         "1;Berater;B;28.05.2026 20:26:44\n", DAY, [0, 4]),
        ("conversation;exp\u00e9diteur;message;date\n1;client;A;2026-05-28 20:26:40\n"
         "1;conseiller;B;2026-05-28 20:26:44\n", DAY, [0, 4]),
        ("id_conversacion,remitente,mensaje,fecha\n1,cliente,A,28/05/2026 20:26:40\n"
         "1,agente,B,28/05/2026 20:26:44\n", DAY, [0, 4]),
        ("\u4f1a\u8a71ID,\u767a\u8a00\u8005,\u672c\u6587,\u65e5\u6642\n"
         "1,\u9867\u5ba2,A,2026/05/28 20:26:40\n"
         "1,\u30aa\u30da\u30ec\u30fc\u30bf\u30fc,B,2026/05/28 20:26:44\n", DAY, [0, 4]),
        ("role,text,date,time\nuser,A,2026-05-28,20:26:40\nagent,B,2026-05-28,20:26:44\n",
         DAY, [0, 4]),
        ("role,text,date,time\nuser,A,5/28/2026,8:26:40 PM\nagent,B,5/28/2026,8:26:44 PM\n",
         DAY, [0, 4]),
        ("role,text,time\nuser,A,46170.85185\nagent,B,46170.851898\n", DAY, [0, 4]),
        ("role,text,timestamp\nuser,A,46170.85185\nagent,B,46170.851898\n", DAY, [0, 4]),
        ("role,text,start\nuser,A,46170\nagent,B,46174\n", None, [46170, 46174]),
        ("role,text,start_ms\nuser,A,500\nagent,B,46170\n", None, [0.5, 46.17]),
        ("role,text,ts\nuser,A,1780000000000\nagent,B,1780000004000\n", DAY, [0, 4]),
        ("role,text,time\nuser,A,20:26:40\nagent,B,20:26:44\n", None, [0, 4]),
        ("role,text,time\nuser,A,8:26 PM\nagent,B,8:27 PM\n", None, [0, 60]),
        ("role,text,time\nuser,A,00:00:01\nagent,B,01:00:05\n", None, [1, 3605]),
        ("role\ttext\ttime\nuser\tA\t0,5\nagent\tB\t2,75\n", None, [0.5, 2.75]),
    ],
)  # fmt: skip
def test_columns_and_times_in_every_usual_form(
    tmp_path: Path, text: str, begun: str | None, offsets: list[float]
):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path / "a.csv", store, "support")
        transcript = store.transcript(report.imported[0])

    assert said(transcript) == [("user", "A"), ("agent", "B")]
    assert [turn.offset_s for turn in transcript.turns] == offsets
    started = transcript.started_at
    assert (f"{started:%Y-%m-%d %H:%M:%S}" if started else None) == begun
    assert not report.left_out


@pytest.mark.parametrize(
    ("rows", "line", "others"),
    [
        ('1,user,"Tea?\n1,agent,Yes.\n2,user,A\n2,agent,B\n', 2, 1),
        ('2,user,A\n2,agent,B\n1,user,"He said "yes" twice"\n3,user,"C ""d"""\n', 4, 2),
        ('1,user,"a" b\n2,user,"Tea\nfor two"\n', 2, 1),
        ('1,user,Tea\n1,agent,"Yes\n', 3, 0),
    ],
)
def test_quotes_that_do_not_pair_cost_only_their_conversation(
    tmp_path: Path, rows: str, line: int, others: int
):
    report, found = imported(tmp_path, "a.csv", f"id,role,text\n{rows}")

    assert len(found) == others
    (rejected,) = report.rejected
    assert rejected.where == "a.csv, conversation '1'"
    assert f"line {line} " in rejected.problem


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "id,role,text\n", "no rows"),
        ("a.m4a", "\0\0\0 ftypM4A ", "'.m4a' are not read"),
        ("a.jsonl", "", "nothing in it"),
    ],
)
def test_files_without_conversations_say_so(tmp_path: Path, name: str, text: str, reason: str):
    report, found = imported(tmp_path, name, text)

    assert not found
    assert reason in report.rejected[0].problem


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])).filter(str.strip), min_size=1),
    st.sampled_from(",;\t|"),
)
@settings(max_examples=60)
def test_any_words_come_out_of_a_table_as_they_went_in(words: list[str], between: str):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=between, lineterminator="\n")
    writer.writerows([["role", "text"], *(["user", each] for each in words)])

    (one,) = conversations_of_csv(stream.getvalue())

    assert one.unpaired is None
    assert [row.text for row in one.rows] == [each.strip() for each in words]


def test_characters_that_are_none_cost_no_record(tmp_path: Path):
    odd = [
        {"conversation_id": f"conv_{number}", "transcript": [{"role": "user", "message": words}]}
        for number, words in enumerate(["a\ud800b", "Tea?", "c\0d"])
    ]

    report, found = imported(tmp_path, "a.json", json.dumps(odd))

    assert found == [[("user", "a?b")], [("user", "Tea?")], [("user", "cd")]]
    assert report.left_out == {"elevenlabs: texts with characters that are none": 2}


def test_a_length_below_nothing_is_named():
    metadata = ELEVENLABS["metadata"] | {"call_duration_secs": -50}

    left_out = one(ELEVENLABS | {"metadata": metadata}).left_out

    assert left_out["elevenlabs.metadata.call_duration_secs that is no number"] == 1
