import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversation.importing.files import ImportFailedError, import_path
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript

CALL = {
    "conversation_id": "conv_one",
    "started_at": "2026-11-12T08:41:10Z",
    "labels": {"criteria": {"handled_inquiry": "success"}},
    "turns": [
        {"role": "user", "text": "Where is my parcel?", "offset_s": 0},
        {"role": "agent", "text": "On its way.", "offset_s": 12.5},
    ],
}


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_conversation_goes_in_with_its_times(tmp_path: Path, store: ConversationStore):
    report = import_path(write(tmp_path / "call.json", CALL), store, "support")

    assert report.imported == ["conv_one"]
    transcript = store.transcript("conv_one")
    assert [turn.text for turn in transcript.turns] == ["Where is my parcel?", "On its way."]
    assert transcript.agent_id == "support"
    assert transcript.started_at == datetime(2026, 11, 12, 8, 41, 10, tzinfo=UTC)
    assert transcript.ended_at == datetime(2026, 11, 12, 8, 41, 22, 500_000, tzinfo=UTC)


def test_a_known_conversation_is_left_as_it_is(tmp_path: Path, store: ConversationStore):
    path = write(tmp_path / "call.json", CALL)
    import_path(path, store, "support")
    write(path, CALL | {"turns": [{"role": "user", "text": "Something else"}]})

    report = import_path(path, store, "support")

    assert (report.imported, report.known) == ([], ["conv_one"])
    assert store.transcript("conv_one").turns[0].text == "Where is my parcel?"


def test_a_bad_record_is_reported_and_the_rest_goes_in(tmp_path: Path, store: ConversationStore):
    secret = "my card is 4111"
    records = [
        CALL,
        CALL | {"conversation_id": "conv_two", "turns": []},
        CALL | {"conversation_id": "conv_three", "turns": [{"role": "robot", "text": secret}]},
        "hello",
        CALL | {"conversation_id": "conv_four"},
    ]
    report = import_path(write(tmp_path / "calls.json", records), store, "support")

    assert report.imported == ["conv_one", "conv_four"]
    assert [rejected.where for rejected in report.rejected] == [
        "calls.json, record 2",
        "calls.json, record 3",
        "calls.json, record 4",
    ]
    assert "`turns`" in report.rejected[0].problem
    assert "`turns.0.role`" in report.rejected[1].problem
    assert secret not in report.rejected[1].problem


def test_a_folder_is_read_file_by_file(tmp_path: Path, store: ConversationStore):
    write(tmp_path / "a.json", CALL)
    (tmp_path / "b.yaml").write_text("turns: [unclosed", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text(
        json.dumps(CALL | {"conversation_id": "conv_line"}) + "\n{broken\n", encoding="utf-8"
    )
    (tmp_path / "notes.txt").write_text("not a conversation", encoding="utf-8")

    report = import_path(tmp_path, store, "support")

    assert report.imported == ["conv_one", "conv_line"]
    assert [rejected.where for rejected in report.rejected] == [
        "b.yaml",
        "c.jsonl, line 2",
        "notes.txt",
    ]


def test_nothing_to_import_is_an_error(tmp_path: Path, store: ConversationStore):
    with pytest.raises(ImportFailedError, match="nothing to import"):
        import_path(tmp_path / "absent", store, "support")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFailedError, match="holds no file"):
        import_path(tmp_path / "empty", store, "support")


def only(tmp_path: Path, store: ConversationStore, name: str, content: object) -> Transcript:
    """The transcript of a file that holds one conversation, taken in twice."""
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    report = import_path(path, store, "support")
    assert report.rejected == []
    (conversation_id,) = report.imported
    assert import_path(path, store, "support").known == [conversation_id]
    return store.transcript(conversation_id)


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in transcript.turns]


def test_an_elevenlabs_conversation_goes_in(tmp_path: Path, store: ConversationStore):
    transcript = only(
        tmp_path,
        store,
        "call.json",
        {
            "conversation_id": "conv_8401",
            "agent_id": "agent_77",
            "status": "done",
            "metadata": {
                "start_time_unix_secs": 1_700_000_000,
                "call_duration_secs": 63,
                "termination_reason": "end_call tool was called.",
            },
            "transcript": [
                {"role": "agent", "message": "Hello!", "time_in_call_secs": 0},
                {"role": "user", "message": "Where is it?", "time_in_call_secs": 4},
                {
                    "role": "agent",
                    "message": "On its",
                    "original_message": "On its way.",
                    "interrupted": True,
                    "time_in_call_secs": 7,
                    "tool_calls": [
                        {
                            "request_id": "r1",
                            "tool_name": "lookup",
                            "params_as_json": '{"order": 5}',
                            "tool_has_been_called": True,
                        }
                    ],
                    "tool_results": [
                        {
                            "request_id": "r1",
                            "tool_name": "lookup",
                            "result_value": "sent",
                            "is_error": False,
                            "tool_latency_secs": 0.2,
                        }
                    ],
                },
                {"role": "user", "message": None, "time_in_call_secs": 9},
            ],
        },
    )

    assert transcript.conversation_id == "conv_8401"
    assert transcript.agent_id == "support"
    assert transcript.metadata["source_agent_id"] == "agent_77"
    assert said(transcript)[1:] == [("user", "Where is it?"), ("agent", "On its")]
    last = transcript.turns[-1]
    assert (last.interrupted, last.generated_text) == (True, "On its way.")
    (call,) = last.tool_calls
    assert (call.tool_name, call.parameters, call.result) == ("lookup", {"order": 5}, "sent")
    assert call.latency_ms == 200
    assert transcript.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert transcript.ended_at == datetime(2023, 11, 14, 22, 14, 23, tzinfo=UTC)


def test_openai_messages_go_in_as_a_mapping_or_bare(tmp_path: Path, store: ConversationStore):
    messages = [
        {"role": "system", "content": "You help."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url"}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "tool", "content": "{}"},
    ]
    bare = only(tmp_path, store, "bare.json", messages)
    named = only(tmp_path, store, "named.json", {"id": "chat-1", "messages": messages})

    assert said(bare) == said(named) == [("user", "Hi"), ("agent", "Hello.")]
    assert bare.source == "openai"
    assert named.metadata["source_id"] == "chat-1"
    assert named.conversation_id.startswith("conv_")


def test_vapi_and_retell_calls_go_in(tmp_path: Path, store: ConversationStore):
    vapi = only(
        tmp_path,
        store,
        "vapi.json",
        {
            "id": "v1",
            "endedReason": "customer-ended-call",
            "startedAt": "2026-03-01T12:00:00.000Z",
            "endedAt": "2026-03-01T12:01:00Z",
            "messages": [
                {"role": "system", "message": "You help."},
                {"role": "bot", "message": "Hello.", "secondsFromStart": 1.5},
                {"role": "tool_calls", "message": ""},
                {"role": "user", "message": "Hi", "secondsFromStart": 3},
            ],
        },
    )
    retell = only(
        tmp_path,
        store,
        "retell.json",
        {
            "call_id": "r1",
            "agent_id": "agent_1",
            "start_timestamp": 1_700_000_000_000,
            "end_timestamp": 1_700_000_060_000,
            "disconnection_reason": "user_hangup",
            "transcript": "Agent: Hello.",
            "transcript_object": [
                {"role": "agent", "content": "Hello.", "words": [{"word": "Hello", "start": 0.7}]},
                {"role": "user", "content": "Hi", "words": []},
            ],
        },
    )

    assert said(vapi) == said(retell) == [("agent", "Hello."), ("user", "Hi")]
    assert (vapi.source, vapi.end_reason) == ("vapi", "customer-ended-call")
    assert vapi.turns[0].offset_s == 1.5
    assert (retell.source, retell.turns[0].offset_s) == ("retell", 0.7)
    assert retell.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


VTT = """WEBVTT

NOTE recorded on a phone

1
00:00:01.000 --> 00:00:03.000
<v Agent>Hello, this is <i>support</i>.</v>

00:03.500 --> 00:05.000
<v Mary>I have a

00:00:05.000 --> 00:00:06.500
question.
"""


def test_subtitles_go_in_with_cues_joined_to_turns(tmp_path: Path, store: ConversationStore):
    transcript = only(tmp_path, store, "call.vtt", VTT)

    assert said(transcript) == [
        ("agent", "Hello, this is support."),
        ("user", "I have a question."),
    ]
    assert [turn.offset_s for turn in transcript.turns] == [1.0, 3.5]


def test_plain_text_goes_in_with_times_and_continued_lines(
    tmp_path: Path, store: ConversationStore
):
    transcript = only(
        tmp_path,
        store,
        "call.txt",
        "[00:01] Support agent: Hello.\n01:05 Mary: My order: it is\nstill missing.\n",
    )

    assert said(transcript) == [("agent", "Hello."), ("user", "My order: it is\nstill missing.")]
    assert transcript.turns[1].offset_s == 65


def test_a_table_holds_many_conversations(tmp_path: Path, store: ConversationStore):
    (tmp_path / "calls.csv").write_text(
        "Call_ID;Speaker;Text;Start\n"
        'a;customer;"Hi; are you\nthere?";0\na;agent;Yes.;00:04\n'
        "b;customer;Bye;soon\nc;X;Hi;0\nc;Y;Hi;0\n",
        "utf-8",
    )
    report = import_path(tmp_path / "calls.csv", store, "support")

    (conversation_id,) = report.imported
    assert said(store.transcript(conversation_id)) == [
        ("user", "Hi; are you\nthere?"),
        ("agent", "Yes."),
    ]
    assert [rejected.where for rejected in report.rejected] == [
        "calls.csv, conversation 'b'",
        "calls.csv, conversation 'c'",
    ]
    assert "'soon' is no time" in report.rejected[0].problem


def test_a_table_without_times_keeps_good_conversations(tmp_path: Path, store: ConversationStore):
    (tmp_path / "calls.csv").write_text(
        'call_id,role,text\na,customer,"Hi, there"\na,agent,Yes.\nc,X,Hi\nc,Y,Hi\n', "utf-8"
    )
    report = import_path(tmp_path / "calls.csv", store, "support")

    (conversation_id,) = report.imported
    assert said(store.transcript(conversation_id)) == [("user", "Hi, there"), ("agent", "Yes.")]
    (rejected,) = report.rejected
    assert rejected.where == "calls.csv, conversation 'c'"
    assert "['X', 'Y']" in rejected.problem


def test_agents_can_be_named(tmp_path: Path, store: ConversationStore):
    path = tmp_path / "call.txt"
    path.write_text("Ann: Hello.\nBen: Hi.\n", encoding="utf-8")

    assert "which speaker is the agent" in import_path(path, store, "a").rejected[0].problem
    report = import_path(path, store, "support", agent_speakers=["Ann"])
    assert said(store.transcript(report.imported[0])) == [("agent", "Hello."), ("user", "Hi.")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.vtt", "1\n00:00:01.000 --> 00:00:02.000\nHi", "WEBVTT"),
        ("a.txt", "just words without anybody", "names no speaker"),
        ("a.csv", "when,what\n1,2\n", "a column for the speaker"),
        ("a.json", "{", "cannot be read"),
        ("a.json", '{"transcript": "Agent: Hi"}', "`transcript` must be a list"),
        ("a.json", '{"transcript": [1]}', "`transcript.0` must be a mapping"),
        ("a.json", '{"transcript": [{"role": "agent", "message": " "}]}', "Nobody says anything"),
        ("a.json", '{"foo": 1}', "none of the keys"),
        ("a.txt", "\udcff", "names no speaker"),
        ("a.txt", " \n", "nothing in it"),
        ("a.csv", "", "nothing in it"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, store: ConversationStore, name: str, content: str, expected: str
):
    path = tmp_path / name
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    (rejected,) = import_path(path, store, "support").rejected

    assert rejected.where == name
    assert expected in rejected.problem


def test_the_sample_transcripts_go_in(store: ConversationStore):
    samples = Path(__file__).parents[3] / "data" / "transcripts"

    report = import_path(samples, store, "nobody")

    assert report.rejected == []
    assert len(report.imported) >= 12
    assert store.transcript(report.imported[0]).agent_id == "support"


def test_a_colon_among_words_makes_no_speaker(tmp_path: Path, store: ConversationStore):
    teams = only(
        tmp_path,
        store,
        "teams.vtt",
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:03.000\n<v Support Agent>Tea &amp; more,\n"
        "we sell A&lt;B&nbsp;tea: green and black.</v>\n\n"
        "00:00:04.000 --> 00:00:05.000\n<v Ann Smith>My rule: no sugar.</v>\n",
    )
    zoom = only(
        tmp_path,
        store,
        "zoom.vtt",
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nAgent: We have\nplease note: green or black.\n\n"
        "00:00:04.000 --> 00:00:05.000\nAnn: Green.\n",
    )
    text = only(
        tmp_path,
        store,
        "call.txt",
        "Agent: Three offers.\nSmall: 5 euros\nLarge: 9 euros\nUser: Large please\n",
    )

    assert said(teams) == [
        ("agent", "Tea & more, we sell A<B tea: green and black."),
        ("user", "My rule: no sugar."),
    ]
    assert said(zoom) == [("agent", "We have please note: green or black."), ("user", "Green.")]
    assert said(text) == [
        ("agent", "Three offers.\nSmall: 5 euros\nLarge: 9 euros"),
        ("user", "Large please"),
    ]


THIRD = [
    "Agent: One moment.\nSupervisor: I take over.\nUser: Fine.\n",
    "Agent: Hello.\nUser: Hello.\nSupervisor: I take over.\n",
    "Agent: Hello.\nUser: Hello.\nSupervisor: I take over.\nSupervisor: Now.\n",
    "Agent: Hello.\nSupervisor: Hi.\nBob: Hi.\nUser: Yes.\nSupervisor: Good.\nBob: Good.\n",
    "[00:01] Agent: Hello.\n[00:02] User: Hello.\n[00:03] Supervisor: I take over.\n",
    "[00:01] Agent: Hello.\n[00:02] Supervisor: Hi.\n[00:02] Bob: Hi.\n[00:03] User: Hello.\n",
    "Agent: \u4f60\u597d\u3002\nUser: \u4f60\u597d\u3002\nSupervisor: \u6211\u6765\u3002\n",
]


@pytest.mark.parametrize("text", THIRD)
def test_a_third_speaker_is_asked_for(tmp_path: Path, store: ConversationStore, text: str):
    path = tmp_path / "call.txt"
    path.write_text(text, encoding="utf-8")
    report = import_path(path, store, "support")
    (rejected,) = report.rejected
    assert report.imported == []
    for part in ("'Supervisor'", "--agent-speaker", "--user-speaker"):
        assert part in rejected.problem

    agents, users = ["Supervisor", "Agent"], ["User", "Bob"]
    report = import_path(path, store, "support", agent_speakers=agents, user_speakers=users)
    (known,) = report.imported
    told = " ".join(turn.text for turn in store.transcript(known).turns)
    assert "Supervisor" not in told


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("Agent: Bring\nThis: your passport.\nUser: Yes.\n", (["Agent"], ["User"])),
        ("[0:01] Agent: Bring\nThis: your passport.\n[0:02] User: Yes.\n", ([], [])),
        ("Agent: Offers.\nS: 5\nM: 7\nL: 9\nUser: L.\n", ([], [])),
    ],
)
def test_words_before_a_colon_stay_words(
    tmp_path: Path, store: ConversationStore, text: str, sides: tuple[list[str], list[str]]
):
    path = tmp_path / "call.txt"
    path.write_text(text, encoding="utf-8")
    agents, users = sides
    report = import_path(path, store, "support", agent_speakers=agents, user_speakers=users)
    (known,) = report.imported
    turns = store.transcript(known).turns
    assert [turn.role for turn in turns] == ["agent", "user"]
    assert turns[0].text.count(":") == text.count("\n") - 2


def test_two_voices_in_a_cue_are_two_speakers(tmp_path: Path, store: ConversationStore):
    transcript = only(
        tmp_path,
        store,
        "call.vtt",
        "WEBVTT\n\n00:01.000 --> 00:03.000\n<v Agent>Hi.</v> <v Ann>Hello.</v>\n",
    )

    assert said(transcript) == [("agent", "Hi."), ("user", "Hello.")]


def test_subrip_goes_in(tmp_path: Path, store: ConversationStore):
    transcript = only(
        tmp_path,
        store,
        "call.srt",
        "1\n00:00:01,000 --> 00:00:03,000\nAgent: <i>Hi</i>.\n\n"
        "2\n00:00:04,500 --> 00:00:05,000\nUser: Hello.\n",
    )

    assert said(transcript) == [("agent", "Hi."), ("user", "Hello.")]
    assert transcript.turns[1].offset_s == 4.5


def test_who_speaks_is_asked_where_it_is_not_clear(tmp_path: Path, store: ConversationStore):
    path = tmp_path / "call.txt"
    path.write_text("Agent: One offer.\nSmall: 5 euros\n", "utf-8")

    (rejected,) = import_path(path, store, "support").rejected
    assert "stands before a colon" in rejected.problem
    assert "--user-speaker" in rejected.problem

    path.write_text("Agent: One offer.\nSmall: 5 euros\nMae: Good.\n", "utf-8")
    named = import_path(path, store, "support", user_speakers=["Mae"])
    assert said(store.transcript(named.imported[0])) == [
        ("agent", "One offer.\nSmall: 5 euros"),
        ("user", "Good."),
    ]


def test_numbers_of_rows_belong_to_their_file(tmp_path: Path, store: ConversationStore):
    for name, word in (("a.csv", "Tea?"), ("b.csv", "Coffee?")):
        (tmp_path / name).write_text(f"id,role,text\n1,user,{word}\n1,agent,No.\n", "utf-8")

    report = import_path(tmp_path, store, "support")

    assert len(set(report.imported)) == 2
    assert import_path(tmp_path, store, "support").known == report.imported


def test_other_words_under_a_known_id_are_reported(tmp_path: Path, store: ConversationStore):
    other = CALL | {"turns": [{"role": "user", "text": "Something else"}]}
    path = tmp_path / "two.jsonl"
    path.write_text(f"{json.dumps(CALL)}\n{json.dumps(other)}\n{json.dumps(CALL)}\n", "utf-8")

    report = import_path(path, store, "support")

    assert report.imported == ["conv_one"]
    assert [each.where for each in report.differing] == ["two.jsonl, line 2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1780000000000", "1780000004000"),
        ("1780000000", "1780000004"),
        ("2026-05-28T20:26:40Z", "2026-05-28T20:26:44Z"),
        ("2026-05-28 22:26:40+02:00", "2026-05-28 20:26:44"),
    ],
)
def test_times_of_a_table_may_be_moments(
    tmp_path: Path, store: ConversationStore, first: str, second: str
):
    transcript = only(
        tmp_path,
        store,
        "chat.csv",
        f"sep=,\nChat ID,Role,Text,Timestamp,Mood\n1,agent,Yes.,{second},\n1,user,Tea?,{first},\n",
    )

    assert said(transcript) == [("user", "Tea?"), ("agent", "Yes.")]
    assert transcript.started_at == datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
    assert [turn.offset_s for turn in transcript.turns] == [0.0, 4.0]


def test_columns_that_are_not_taken_are_counted(tmp_path: Path, store: ConversationStore):
    path = tmp_path / "chat.csv"
    path.write_text("id,user_id,role,text,mood\n1,u7,user,Tea?,glad\n1,u7,agent,Yes.,\n", "utf-8")

    report = import_path(path, store, "support")

    assert report.left_out == {"csv.mood": 1}
    assert store.transcript(report.imported[0]).metadata["user_id"] == "u7"


def test_lines_of_json_may_have_either_end(tmp_path: Path, store: ConversationStore):
    line = (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}]}\n'
    )
    (tmp_path / "a.ndjson").write_text(line + line.replace("Hi", "Ho"))

    assert len(import_path(tmp_path / "a.ndjson", store, "desk").imported) == 2


def test_what_a_folder_holds_and_nobody_reads_is_counted(tmp_path: Path, store: ConversationStore):
    folder = tmp_path / "exports"
    (folder / "2025").mkdir(parents=True)
    (folder / "a.txt").write_text("User: Hi\nAgent: Yes\n")
    for name in ("calls.zip", "more.ZIP", "table.xlsx", ".hidden"):
        (folder / name).write_text("x")

    report = import_path(folder, store, "desk")

    assert len(report.imported) == 1
    assert report.left_out == {
        "files that end in '.zip'": 2,
        "files that end in '.xlsx'": 1,
        "folders in the folder": 1,
    }


@pytest.mark.parametrize("at", ["[28.05.2026, 20:26:4{}] ", "2026-05-28 20:26:4{} - "])
def test_what_a_product_writes_between_dated_lines_is_nobody_s(
    tmp_path: Path, store: ConversationStore, at: str
):
    rows = ["This chat is encrypted.", "User: Hi", "Ann left.", "Agent: Yes", "Closed."]
    text = "\n".join(f"{at.format(n)}{row}" for n, row in enumerate(rows))
    (tmp_path / "a.txt").write_text(text.replace("Yes", "Yes,\n28.05.2026 it is"))

    report = import_path(tmp_path / "a.txt", store, "desk")

    (conversation_id,) = report.imported
    turns = store.transcript(conversation_id).turns
    assert [turn.text for turn in turns] == ["Hi", "Yes,\n28.05.2026 it is"]
    assert report.left_out == {"txt: lines that name no speaker": 3}


def test_a_time_among_words_stays_words_where_turns_have_none(
    tmp_path: Path, store: ConversationStore
):
    (tmp_path / "a.txt").write_text("User: When?\nAgent: On\n28.05.2026 20:26 it begins\n")

    (conversation_id,) = import_path(tmp_path / "a.txt", store, "desk").imported

    assert store.transcript(conversation_id).turns[1].text == "On\n28.05.2026 20:26 it begins"


def test_a_file_may_be_packed(tmp_path: Path, store: ConversationStore):
    plain = json.dumps(CALL).encode()
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "b.json").write_bytes(gzip.compress(plain[:9]) + gzip.compress(plain[9:]))
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(plain)[:-9])
    (tmp_path / "d.txt.gz").write_bytes(b"\x1f\x8b" + plain)
    (tmp_path / "e.tar.gz").write_bytes(gzip.compress(plain))
    report = import_path(tmp_path, store, "support")

    assert report.imported == report.known == ["conv_one"]
    assert [(each.where, each.problem.partition("gzip, ")[2]) for each in report.rejected] == [
        ("c.json.gz", "and cut off; fetch it again."),
        ("d.txt.gz", "and damaged; fetch it again."),
    ]
    assert report.left_out["files that end in '.gz'"] == 1


def test_a_table_is_another_conversation_whether_packed_or_not(
    tmp_path: Path, store: ConversationStore
):
    table = b"id,role,text\n1,agent,Hi\n1,user,Yes\n"
    (tmp_path / "a.csv").write_bytes(table)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(table))
    report = import_path(tmp_path, store, "support")

    assert report.imported == report.known


def test_json_may_stand_in_lines(tmp_path: Path, store: ConversationStore):
    other = {**CALL, "conversation_id": "conv_two"}
    lines = f"{json.dumps(CALL)}\n{{broken\n{json.dumps(other)}\n"
    (tmp_path / "a.json").write_text(lines)
    (tmp_path / "b.json").write_text(f"{json.dumps(CALL)} x")
    report = import_path(tmp_path, store, "support")

    assert report.imported == ["conv_one", "conv_two"]
    assert [each.where for each in report.rejected] == ["a.json, line 2", "b.json"]


ROWS = ("9,agent,third", "5,user,second", "0,agent,first")


@pytest.mark.parametrize("time", ["{}", "2026-05-28T10:00:0{}Z", "10:00:0{}", "2026-05-28 10:00"])
def test_a_table_that_is_newest_first_is_turned_round(
    tmp_path: Path, store: ConversationStore, time: str
):
    rows = [f"{time.format(row[0])}{row[1:]}" for row in ROWS]
    if time.endswith("00"):  # to the minute: two of one time stand the other way round as well
        rows[0] = rows[0].replace("10:00", "10:01")
    (tmp_path / "a.csv").write_text("\n".join(["time,role,text", *rows]))
    (one,) = import_path(tmp_path / "a.csv", store, "support").imported

    turns = store.transcript(one).turns
    assert [turn.text for turn in turns] == ["first", "second", "third"]
    offsets = [turn.offset_s or 0 for turn in turns]
    assert offsets == sorted(offsets)
    assert offsets[-1] > 0


def test_a_time_that_is_none_is_the_one_that_is_named(tmp_path: Path, store: ConversationStore):
    rows = ["time,role,text", "2026-05-28T10:00:05Z,agent,Hi", "soon,user,Yes"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    (refused,) = import_path(tmp_path / "a.csv", store, "support").rejected

    assert "'soon'" in refused.problem
