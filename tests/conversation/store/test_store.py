import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import conversation.store.migrations
from conversation.errors import SessionEndedError, StoreError, UnknownConversationError
from conversation.server.webhooks.deliveries import WebhookDeliveries
from conversation.store.database import migrate, open_database, read_json
from conversation.store.ownership import is_gone, this_process
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.store.tables import SCHEMA, handed_in_files
from conversation.transcript import (
    Citation,
    LLMCall,
    Retrieval,
    ToolCall,
    Transcript,
    Turn,
    TurnLatency,
    Usage,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

CITATION = Citation(
    document_id="doc_1",
    document_name="refunds.md",
    chunk_id="c1",
    start_char=10,
    end_char=60,
    quote="within 14 days",
    turn_start_char=0,
    turn_end_char=24,
    score=0.9,
)
ANSWER = Turn(
    role="agent",
    text="Refunds take 14 days.",
    generated_text="Refunds take 14 days. Anything else?",
    offset_s=4.5,
    interrupted=True,
    citations=(CITATION,),
    unsupported_spans=((22, 36),),
    tool_calls=(ToolCall(tool_name="lookup", tool_call_id="t1", parameters={"a": [1]}),),
    latency=TurnLatency(request_to_first_token_ms=12.5),
    usage=Usage(model="m", input_tokens=10, output_tokens=5, cost_usd=0.25),
    grounded_share=0.5,
    error="cut",
)


def retrieval(turn_id: str, rank: int) -> Retrieval:
    return Retrieval(
        turn_id=turn_id,
        query="refund time",
        chunk_id=f"c{rank}",
        document_id="doc_1",
        document_name="refunds.md",
        document_version=2,
        start_char=10,
        end_char=60,
        rank=rank,
        score=0.5,
        text="Refunds are paid within 14 days.",
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store' / 'conversations.sqlite'}"


@pytest.fixture
def store(url: str):
    with ConversationStore.open(url) as store:
        yield store


def begin(store: ConversationStore, conversation_id: str = "conv_a", **changes: object) -> None:
    values: dict[str, object] = {"agent_id": "support", "started_at": NOON} | changes
    store.begin(conversation_id, **values)  # pyright: ignore[reportArgumentType]


def test_a_conversation_comes_back_as_it_was_spoken(store: ConversationStore):
    begin(store, metadata={"channel": "chat"}, agent_version="v1", turn=Turn(role="agent", text=""))
    store.append_turn("conv_a", Turn(role="user", text="How long?"), at=NOON)
    turn_id = store.append_turn("conv_a", ANSWER, at=NOON + MINUTE)
    store.end("conv_a", reason="user_ended", at=NOON + 2 * MINUTE)

    transcript = store.transcript("conv_a")

    assert turn_id == "conv_a.2"
    assert transcript.turns[2] == ANSWER.model_copy(update={"turn_id": turn_id})
    assert transcript.turns[1].text == "How long?"
    assert transcript.turns[1].generated_text is None
    assert (transcript.status, transcript.end_reason) == ("done", "user_ended")
    assert (transcript.started_at, transcript.ended_at) == (NOON, NOON + 2 * MINUTE)
    assert transcript.metadata == {"channel": "chat"}
    assert transcript.agent_version == "v1"


def test_generated_and_heard_text_are_two_columns(store: ConversationStore, tmp_path: Path):
    begin(store)
    store.append_turn("conv_a", ANSWER, at=NOON)

    with sqlite3.connect(tmp_path / "store" / "conversations.sqlite") as connection:
        row = connection.execute("select generated_text, heard_text from turns").fetchone()
    connection.close()

    assert row == (ANSWER.generated_text, ANSWER.text)


def test_everything_of_a_turn_carries_its_id(store: ConversationStore):
    begin(store)
    store.append_turn("conv_a", Turn(role="user", text="How long?"), at=NOON)
    retrieved = [retrieval("conv_a.1", 1), retrieval("conv_a.1", 2)]
    asked = ConversationEvent("retrieval", {"query": "refund time"}, "conv_a.1")
    store.append_turn("conv_a", ANSWER, at=NOON, retrieved=retrieved, events=[asked])

    assert store.retrievals("conv_a") == retrieved
    assert [(event.kind, event.turn_id) for event in store.events("conv_a")] == [
        ("conversation_started", None),
        ("user_turn", "conv_a.0"),
        ("retrieval", "conv_a.1"),
        ("agent_turn", "conv_a.1"),
    ]


def test_a_revised_turn_keeps_its_first_event(store: ConversationStore):
    begin(store)
    turn_id = store.append_turn("conv_a", Turn(role="agent", text="One two three"), at=NOON)
    heard = Turn(
        role="agent",
        text="One",
        generated_text="One two three",
        interrupted=True,
        turn_id=turn_id,
    )

    store.revise_turn("conv_a", heard, at=NOON + MINUTE)

    assert store.transcript("conv_a").turns == (heard,)
    texts = [event.payload.get("text") for event in store.events("conv_a")]
    assert texts == [None, "One two three", "One"]


def test_only_a_stored_turn_can_be_revised(store: ConversationStore):
    begin(store)
    with pytest.raises(StoreError, match=r"conv_a\.7"):
        store.revise_turn("conv_a", Turn(role="agent", text="", turn_id="conv_a.7"), at=NOON)


def test_a_finished_conversation_takes_no_more_turns(store: ConversationStore):
    begin(store)
    store.end("conv_a", reason="user_ended", at=NOON)
    store.end("conv_a", reason="silence", at=NOON + MINUTE)

    assert store.transcript("conv_a").end_reason == "user_ended"
    with pytest.raises(SessionEndedError, match="user_ended"):
        store.append_turn("conv_a", ANSWER, at=NOON)


def test_ids_are_used_once_and_must_exist(store: ConversationStore):
    begin(store)
    with pytest.raises(StoreError, match="exists already"):
        begin(store)
    with pytest.raises(UnknownConversationError, match="'conv_b'"):
        store.transcript("conv_b")
    with pytest.raises(UnknownConversationError):
        store.append_turn("conv_b", ANSWER, at=NOON)
    with pytest.raises(UnknownConversationError):
        store.end("conv_b", reason="x", at=NOON)


def test_conversations_are_found_by_agent_state_and_end(store: ConversationStore):
    for index, agent_id in enumerate(("support", "support", "sales")):
        begin(store, f"conv_{index}", agent_id=agent_id, started_at=NOON + index * HOUR)
        store.append_turn(f"conv_{index}", Turn(role="user", text="Hi"), at=NOON)
    store.end("conv_0", reason="user_ended", at=NOON + HOUR)
    store.end("conv_2", reason="user_ended", at=NOON + 3 * HOUR)

    def ids(**conditions: object) -> list[str]:
        found = store.conversations(**conditions)  # pyright: ignore[reportArgumentType]
        return [summary.conversation_id for summary in found]

    assert ids() == ["conv_0", "conv_1", "conv_2"]
    assert ids(agent_id="support") == ["conv_0", "conv_1"]
    assert ids(status="in_progress") == ["conv_1"]
    assert ids(ended_from=NOON + HOUR, ended_to=NOON + 3 * HOUR) == ["conv_0"]
    assert ids(closed_from=NOON + 2 * HOUR) == ["conv_2"]
    assert store.conversations()[0].turn_count == 1


def test_a_list_goes_on_where_it_was_while_conversations_begin(store: ConversationStore):
    for number in range(5):
        begin(store, f"conv_{number}", started_at=NOON + number * HOUR)
    begin(store, "conv_same", started_at=NOON + 2 * HOUR)

    first = store.page(limit=2)
    begin(store, "conv_newer", started_at=NOON + 9 * HOUR)
    store.append_turn("conv_0", Turn(role="user", text="Hi"), at=NOON + 10 * HOUR)
    pages = [first]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(store.page(limit=2, cursor=cursor))

    shown = [each.conversation_id for page in pages for each in page.conversations]
    assert shown == ["conv_4", "conv_3", "conv_same", "conv_2", "conv_1", "conv_0"]
    assert store.page(limit=1).conversations[0].conversation_id == "conv_newer"
    with pytest.raises(StoreError, match="no cursor"):
        store.page(cursor="nonsense")


def test_a_list_is_narrowed_by_agent_state_time_and_words(store: ConversationStore):
    for number, words in enumerate(["50% off", "50 off", "Refund"]):
        begin(
            store,
            f"conv_{number}",
            agent_id=f"agent_{number}",
            started_at=NOON + number * HOUR,
            simulated=number == 2,
            metadata={"number": str(number)},
        )
        store.append_turn(f"conv_{number}", Turn(role="user", text=words), at=NOON)
    store.end("conv_0", reason="user_ended", at=NOON + 5 * HOUR)

    def ids(**narrowed: object) -> list[str]:
        page = store.page(**narrowed)  # pyright: ignore[reportArgumentType]
        return [each.conversation_id for each in page.conversations]

    assert ids() == ["conv_2", "conv_1", "conv_0"]
    assert ids(agent_id="agent_1") == ["conv_1"]
    assert ids(status="done") == ["conv_0"]
    assert ids(since=NOON + HOUR, until=NOON + 2 * HOUR) == ["conv_1"]
    assert ids(text="50%") == ["conv_0"], "a percent sign stands for itself"
    assert ids(text="reFUND") == ["conv_2"]
    assert ids(simulated=False) == ["conv_1", "conv_0"]
    assert store.page(text="Refund").conversations[0].metadata == {"number": "2"}


def test_every_call_of_a_turn_is_a_row_with_its_model_and_times(store: ConversationStore):
    calls = (
        LLMCall(usage=Usage(model="m/tools", input_tokens=50, cost_usd=0.5), purpose="tools"),
        LLMCall(
            usage=Usage(model="m/first", source="estimated"),
            request_to_last_token_ms=80.0,
            error="ModelUnavailableError",
        ),
        LLMCall(
            usage=Usage(model="m/second", input_tokens=10, output_tokens=5, cost_usd=0.25),
            request_to_first_token_ms=12.5,
            request_to_last_token_ms=90.0,
        ),
    )
    begin(store)
    store.append_turn("conv_a", ANSWER.model_copy(update={"calls": calls}), at=NOON)

    (turn,) = store.transcript("conv_a").turns
    assert turn.calls == calls
    assert turn.usage == Usage(
        model="m/second", input_tokens=60, output_tokens=5, cost_usd=0.75, calls=2
    )


def test_an_import_is_taken_in_once(store: ConversationStore):
    transcript = Transcript(
        conversation_id="conv_x",
        agent_id="support",
        turns=(Turn(role="user", text="Hi", turn_id="theirs"), ANSWER),
        started_at=NOON,
        ended_at=NOON + HOUR,
        source="csv",
    )

    assert store.import_transcript(transcript, now=NOON + 9 * HOUR)
    assert not store.import_transcript(transcript)

    stored = store.transcript("conv_x")
    assert stored.turns[0].turn_id == "conv_x.0"
    assert stored.turns[1] == ANSWER.model_copy(update={"turn_id": "conv_x.1"})
    assert stored.source == "csv"
    (summary,) = store.conversations()
    assert (summary.ended_at, summary.closed_at) == (NOON + HOUR, NOON + 9 * HOUR)


def test_a_deleted_conversation_leaves_no_row(store: ConversationStore, tmp_path: Path):
    queue = WebhookDeliveries(store.engine)
    for conversation_id in ("conv_a", "conv_b"):
        begin(store, conversation_id)
        store.append_turn(
            conversation_id, ANSWER, at=NOON, retrieved=[retrieval(f"{conversation_id}.0", 1)]
        )
        queue.add("hook", conversation_id, event="post_call_transcription", now=NOON)
        file = {"file_id": f"file of {conversation_id}", "name": "a.txt", "text": "Order 4711."}
        with store.engine.begin() as writing:
            held = insert(handed_in_files).values(conversation_id=conversation_id, **file)
            writing.execute(held.values(left_out_chars=0, handed_in_at=NOON))

    assert store.delete("conv_a")
    assert not store.delete("conv_a")

    with sqlite3.connect(tmp_path / "store" / "conversations.sqlite") as connection:
        with_words = [
            name for name, table in SCHEMA.metadata.tables.items() if "conversation_id" in table.c
        ]
        for table in with_words:
            ids = connection.execute(f"select distinct conversation_id from {table}").fetchall()
            assert ids == [("conv_b",)], table
    connection.close()


def test_quiet_conversations_are_closed_at_their_last_event(store: ConversationStore):
    begin(store)
    store.append_turn("conv_a", Turn(role="user", text="Hi"), at=NOON + MINUTE)
    begin(store, "conv_b", started_at=NOON + HOUR)

    assert store.close_abandoned(NOON + HOUR + MINUTE, HOUR / 2) == ["conv_a"]

    transcript = store.transcript("conv_a")
    assert transcript.end_reason == "interrupted_by_crash"
    assert transcript.ended_at == NOON + MINUTE
    assert [turn.text for turn in transcript.turns] == ["Hi"]


def test_a_conversation_wrongly_taken_for_crashed_goes_on(store: ConversationStore):
    begin(store)
    store.close_abandoned(NOON + 2 * HOUR, HOUR)

    store.append_turn("conv_a", Turn(role="user", text="Still here"), at=NOON + 3 * HOUR)

    transcript = store.transcript("conv_a")
    assert (transcript.status, transcript.end_reason) == ("in_progress", None)
    assert "conversation_resumed" in [event.kind for event in store.events("conv_a")]


def test_a_process_knows_its_own_kind():
    host, pid, _ = this_process().split("/")
    finished = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )

    assert not is_gone(this_process(), asked_by=this_process())
    assert is_gone(f"{host}/{pid}/earlier", asked_by=this_process())
    assert is_gone(f"{host}/{int(finished.stdout)}/x", asked_by=this_process())
    assert not is_gone(f"{host}/{os.getppid()}/x", asked_by=this_process())
    assert not is_gone("elsewhere/1/x", asked_by=this_process())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TURNS = st.lists(
    st.builds(
        Turn,
        role=st.sampled_from(["user", "agent"]),
        text=TEXT,
        offset_s=st.none() | st.floats(0, 1e6),
        interrupted=st.booleans(),
        error=st.none() | TEXT,
        grounded_share=st.none() | st.floats(0, 1),
    ),
    max_size=5,
)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("store") / "s.sqlite"
    with ConversationStore.open(f"sqlite:///{path}") as store:
        yield store


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(turns=TURNS)
def test_what_is_imported_is_what_is_read(shared_store: ConversationStore, turns: list[Turn]):
    shared_store.delete("conv_any")
    transcript = Transcript(
        conversation_id="conv_any", turns=tuple(turns), started_at=NOON, ended_at=NOON
    )

    assert shared_store.import_transcript(transcript)

    found = shared_store.transcript(transcript.conversation_id)
    assert [turn.model_copy(update={"turn_id": None}) for turn in found.turns] == turns


def test_the_baseline_makes_the_tables_that_the_code_uses(url: str):
    engine = open_database(url, SCHEMA)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": SCHEMA.version_table,
                # The full-text index is special to SQLite, and no part of the tables.
                "include_name": lambda name, *_: not str(name).startswith("turn_search"),
            },
        )
        assert compare_metadata(context, SCHEMA.metadata) == []
        assert context.get_current_revision() == SCHEMA.head
    engine.dispose()


def test_the_schema_goes_down_and_up_again(url: str):
    engine = open_database(url, SCHEMA)
    migrate(engine, SCHEMA, revision="base")
    migrate(engine, SCHEMA)
    store = ConversationStore(engine)
    begin(store)

    assert store.transcript("conv_a").status == "in_progress"
    store.close()


def revisions() -> list[str]:
    script = ScriptDirectory(str(Path(conversation.store.migrations.__file__).parent))
    return [revision.revision for revision in script.walk_revisions()][::-1]


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_data_survives_a_way_down_to_every_revision_and_up_again(url: str, revision: str):
    engine = open_database(url, SCHEMA)
    store = ConversationStore(engine)
    begin(store)
    store.append_turn("conv_a", Turn(role="user", text="Hi"), at=NOON + MINUTE)
    store.append_turn(
        "conv_a",
        ANSWER,
        at=NOON + MINUTE,
        retrieved=[retrieval("conv_a.1", rank) for rank in (1, 2)],
    )
    store.end("conv_a", reason="user_ended", at=NOON + HOUR)
    store.import_transcript(Transcript(conversation_id="conv_b"), now=NOON + 2 * HOUR)
    before = (store.transcript("conv_a"), store.events("conv_a"), store.retrievals("conv_a"))
    listed = store.page()

    migrate(engine, SCHEMA, revision=revision)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from turns").scalar() == 2
    migrate(engine, SCHEMA)

    assert store.page() == listed
    assert before == (
        store.transcript("conv_a"),
        store.events("conv_a"),
        store.retrievals("conv_a"),
    )
    store.close()


def test_a_migration_that_would_orphan_rows_changes_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    engine = open_database(url, SCHEMA)
    store = ConversationStore(engine)
    begin(store)

    def orphan(config: object, revision: str) -> None:
        config.attributes["connection"].exec_driver_sql("delete from conversations")  # pyright: ignore

    monkeypatch.setattr("alembic.command.upgrade", orphan)
    with pytest.raises(StoreError, match="Nothing was changed"):
        migrate(engine, SCHEMA)

    assert store.transcript("conv_a").status == "in_progress"
    store.close()


def test_a_store_of_a_newer_version_is_refused(url: str, tmp_path: Path):
    ConversationStore.open(url).close()
    with sqlite3.connect(tmp_path / "store" / "conversations.sqlite") as connection:
        connection.execute("update alembic_version_conversation set version_num = '9999'")
    connection.close()

    with pytest.raises(StoreError, match="newer version"):
        ConversationStore.open(url)


@pytest.mark.parametrize("kept", [0, 100, 4_096, 40_000])
def test_a_damaged_store_says_so_and_what_saves_the_rest(url: str, tmp_path: Path, kept: int):
    store = ConversationStore.open(url)
    begin(store)
    store.close()
    path = tmp_path / "store" / "conversations.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:kept] + bytes(byte ^ 255 for byte in whole[kept:]))

    with pytest.raises(StoreError, match=r"is damaged: .* backup .*\.recover"):
        ConversationStore.open(url).transcript("conv_a")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nonsense", "not a database URL"),
        ("nosuch://host/x", "No driver"),
        ("sqlite:////proc/version/x/y.sqlite", "folder"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, expected: str):
    with pytest.raises(StoreError, match=expected):
        ConversationStore.open(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "x.sqlite").write_text("this is not a database, but it is long enough" * 9)
    with pytest.raises(StoreError, match="not a database"):
        ConversationStore.open(f"sqlite:///{tmp_path / 'x.sqlite'}")


def test_the_tables_can_be_made_in_postgresql():
    for table in SCHEMA.metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert f"CREATE TABLE {table.name}" in statement
        if "occurred_at" in table.c:
            assert "TIMESTAMP WITH TIME ZONE" in statement
            assert "event_id SERIAL" in statement


def test_a_store_in_memory_works_for_experiments():
    with ConversationStore.open("sqlite://") as store:
        begin(store)
        assert store.transcript("conv_a").agent_id == "support"


TALK_UNTIL_KILLED = """
import sys
from datetime import UTC, datetime
from conversation.store.store import ConversationStore
from conversation.transcript import Turn

store = ConversationStore.open(sys.argv[1])
store.begin("conv_killed", agent_id="support", started_at=datetime.now(UTC))
for index in range(100_000):
    store.append_turn("conv_killed", Turn(role="user", text=str(index)), at=datetime.now(UTC))
    print(index, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 2, 20, pytest.param(150, marks=pytest.mark.slow)])
def test_a_killed_process_loses_no_acknowledged_turn(url: str, turns: int):
    process = subprocess.Popen(
        [sys.executable, "-c", TALK_UNTIL_KILLED, url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(turns)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout if line.strip()]
    process.wait()
    process.stdout.close()

    with ConversationStore.open(url) as store:
        assert store.close_abandoned(datetime.now(UTC), HOUR) == ["conv_killed"]
        transcript = store.transcript("conv_killed")
        assert store.close_abandoned(datetime.now(UTC), HOUR) == []

    texts = [int(turn.text) for turn in transcript.turns]
    assert texts[: len(acknowledged)] == acknowledged
    assert len(texts) - len(acknowledged) <= 1
    assert transcript.end_reason == "interrupted_by_crash"


def _write_conversations(url: str, number: int, conversations: int) -> None:
    with ConversationStore.open(url) as store:
        for index in range(conversations):
            conversation_id = f"conv_{number}x{index}"
            begin(store, conversation_id)
            for _ in range(4):
                store.append_turn(conversation_id, Turn(role="user", text="Hi"), at=NOON)
            store.end(conversation_id, reason="user_ended", at=NOON)


def _run_processes(url: str, processes: int, conversations: int) -> list[int | None]:
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=_write_conversations, args=(url, number, conversations))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    return [process.exitcode for process in running]


@pytest.mark.slow
def test_fifty_processes_write_to_one_new_store_without_losing_a_row(url: str):
    assert _run_processes(url, 50, 10) == [0] * 50

    with ConversationStore.open(url) as store:
        found = store.conversations()
    assert len(found) == 500
    assert {summary.turn_count for summary in found} == {4}


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "{}", " [1] ", '{"a": 1} ', "1e400", "NaN", str(10**30), '"\\ud800"', '"é"'],
)
def test_cells_of_json_are_read_as_json_reads_them(text: str):
    assert repr(read_json(text)) == repr(json.loads(text))
    assert repr(read_json(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "[1", "[1] x", "nul"])
def test_cells_that_are_no_json_are_refused(text: str):
    with pytest.raises(json.JSONDecodeError):
        read_json(text)
