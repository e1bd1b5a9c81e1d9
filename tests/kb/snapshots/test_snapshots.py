"""Several machines share one knowledge base through snapshots."""

import shutil
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kb.errors import BusyError, KnowledgeBaseError, LostLeaseError, SnapshotError
from kb.knowledge_base import KnowledgeBase
from kb.snapshots.collecting import due
from kb.snapshots.manifest import PIECE_BYTES
from kb.snapshots.pointers import SnapshotRecord
from tests.kb.conftest import UNLIMITED, WordEmbedder
from tests.kb.retrieval.test_index_reader import eventually
from tests.kb.snapshots.machines import Machine, Machines

REFUNDS = "Refunds take five working days."
PARCELS = "Parcels are sent by train."


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    store = f"sqlite:///{tmp_path / 'store' / 'store.sqlite'}"
    opened = Machines(tmp_path, f"memory://{uuid.uuid4().hex}", store)
    yield opened
    opened.close()


def follow(machine: Machine) -> None:
    """Look at the pointers, and wait for what that begins."""
    machine.watch.look()
    eventually(lambda: machine.kb.shared._fetching is None)


def snapshot_of(machine: Machine) -> str:
    found = machine.kb.shared.snapshot_id
    assert found is not None
    return found


def test_what_one_machine_takes_in_another_answers_from(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    assert reader.found("how long do refunds take") == []
    writer.kb.add_text("refunds", REFUNDS)
    assert writer.found("how long do refunds take") == [REFUNDS]
    follow(reader)
    assert reader.found("how long do refunds take") == [REFUNDS]
    assert reader.embedder.embedded == 0
    assert snapshot_of(reader) == snapshot_of(writer)
    assert [each.name for each in reader.kb.documents()] == ["refunds"]


def test_a_machine_that_starts_later_fetches_what_is_live(machines: Machines):
    machines.open("a").kb.add_text("refunds", REFUNDS)
    assert machines.open("b").found("refunds") == [REFUNDS]


def test_both_search_alike_also_in_the_approximate_index(machines: Machines):
    retrieval = UNLIMITED.retrieval.model_copy(update={"search": "approximate"})
    config = UNLIMITED.model_copy(update={"retrieval": retrieval})
    writer, reader = machines.open("a", config), machines.open("b", config)
    texts = [
        (f"note {n}", f"Note {n} is about thing {n * 7} and place {n % 5}.") for n in range(40)
    ]
    writer.kb.add_texts(texts)
    follow(reader)
    for query in ("thing 49", "place 3", "note 12"):
        ours, theirs = writer.kb.retrieve(query), reader.kb.retrieve(query)
        assert [each.chunk_id for each in ours] == [each.chunk_id for each in theirs]
        assert [each.score for each in ours] == pytest.approx([each.score for each in theirs])


def test_writers_on_two_machines_go_on_from_one_another(machines: Machines):
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    b.kb.add_text("parcels", PARCELS)
    a.kb.add_text("hours", "Open from nine to five.")
    follow(b)
    names = {"refunds", "parcels", "hours"}
    assert {each.name for each in a.kb.documents()} == names
    assert {each.name for each in b.kb.documents()} == names
    assert b.found("train") == [PARCELS]


@pytest.mark.slow
def test_only_what_is_new_is_written_and_fetched(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    writer.kb.add_texts(
        [(f"{n}", f"Text {n}. " + "words and more words " * 400) for n in range(240)]
    )
    follow(reader)
    assert snapshot_of(reader)
    first_written, first_read = writer.objects.written, reader.objects.read
    reader_pieces = sum(
        -(-path.stat().st_size // PIECE_BYTES)
        for path in reader.kb.directory.rglob("*")
        if path.is_file()
    )
    assert first_read <= reader_pieces
    writer.kb.add_text("refunds", REFUNDS)
    follow(reader)
    assert reader.found("refunds") == [REFUNDS]
    # About twelve of fifty-five, whatever random ids sort into which page.
    assert writer.objects.written - first_written < first_written / 2
    assert reader.objects.read - first_read == writer.objects.written - first_written


def test_an_ingest_that_changes_nothing_costs_few_pieces_and_takes_no_place(machines: Machines):
    writer = machines.open("a")
    writer.kb.add_text("refunds", REFUNDS)
    written = writer.objects.written
    for _ in range(3):
        writer.kb.add_text("refunds", REFUNDS)
    # The catalog, and what Chroma writes when it is opened: its database and two files of its
    # index, whose unused places hold whatever memory held.
    assert writer.objects.written <= written + 3 * 4
    # Others tell the same documents: they go once nobody can be reading them.
    assert len(writer.kb.shared.snapshots()) == 1


def test_a_look_is_one_statement_and_turns_make_none(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    writer.kb.add_text("refunds", REFUNDS)
    reader.found("refunds")
    for _ in range(20):
        reader.found("refunds")
    assert reader.watch.looks == 0
    reader.watch.look()
    assert reader.watch.looks == 1


def test_machines_notice_by_themselves(machines: Machines):
    machines.every_s = 0.02
    writer, reader = machines.open("a"), machines.open("b")
    assert reader.found("refunds") == []
    writer.kb.add_text("refunds", REFUNDS)
    eventually(lambda: reader.found("refunds") == [REFUNDS])


def test_the_one_before_answers_while_the_next_is_fetched(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    writer.kb.add_text("refunds", REFUNDS)
    assert reader.found("refunds") == [REFUNDS]
    may_read = threading.Event()
    piece = reader.objects.piece

    def slow(digest: str) -> bytes:
        assert may_read.wait(20)
        return piece(digest)

    reader.objects.piece = slow
    writer.kb.add_text("parcels", PARCELS)
    reader.watch.look()
    assert reader.found("refunds") == [REFUNDS]
    assert reader.found("train") != [PARCELS]
    may_read.set()
    eventually(lambda: reader.found("train") == [PARCELS])


def test_a_query_that_outlasts_the_grace_period_keeps_its_files(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    writer.kb.add_text("refunds", REFUNDS)
    assert reader.found("refunds") == [REFUNDS]
    with reader.kb._reader.reading() as retriever:
        assert retriever is not None
        writer.kb.add_text("refunds", "Refunds take two days.")
        follow(reader)
        found = retriever.retrieve("refunds", history=[], limit=1)
        assert [each.text for each in found] == [REFUNDS]
        assert len(reader.kb.shared._retired) == 1
    reader.watch.look()
    assert reader.kb.shared._retired == []


def test_a_query_under_way_ends_where_it_began(machines: Machines):
    machines.grace = timedelta(minutes=10)
    writer, reader = machines.open("a"), machines.open("b")
    writer.kb.add_text("refunds", REFUNDS)
    reader.found("refunds")
    with reader.kb._reader.reading() as retriever:
        writer.kb.add_text("refunds", "Refunds take two days.")
        follow(reader)
        assert reader.found("refunds") == ["Refunds take two days."]
        assert retriever is not None
        assert [each.text for each in retriever.retrieve("refunds", history=[], limit=1)] == [
            REFUNDS
        ]


def test_old_copies_are_dropped_when_nobody_reads_them(machines: Machines):
    writer, reader = machines.open("a"), machines.open("b")
    for number in range(4):
        writer.kb.add_text("refunds", f"Refunds take {number} days.")
        follow(reader)
        reader.found("refunds")
    follow(reader)
    for machine in (writer, reader):
        copies = [path.name for path in machine.kb.directory.parent.parent.iterdir()]
        assert [name for name in copies if not name.startswith(".")] == [snapshot_of(machine)]


def test_a_copy_stays_while_another_process_of_the_machine_reads_it(machines: Machines):
    writer, one, other = machines.open("a"), machines.open("b"), machines.open("b")
    writer.kb.add_text("refunds", REFUNDS)
    assert one.found("refunds") == other.found("refunds") == [REFUNDS]
    held = other.kb.directory
    writer.kb.add_text("parcels", PARCELS)
    follow(one)
    follow(one)
    assert held.is_dir()
    assert other.found("refunds") == [REFUNDS]
    follow(other)
    follow(other)
    assert not held.exists()


def test_going_back_to_a_snapshot_reaches_every_machine(machines: Machines):
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    before = snapshot_of(a)
    a.kb.add_text("refunds", "Refunds take a year.")
    follow(b)
    assert b.found("refunds") == ["Refunds take a year."]
    record = b.kb.shared.go_back_to(before[:10])
    assert record.snapshot_id == before
    assert b.found("refunds") == [REFUNDS]
    follow(a)
    assert a.found("refunds") == [REFUNDS]
    # What is written next goes on from there, on either machine.
    a.kb.add_text("parcels", PARCELS)
    follow(b)
    assert a.found("refunds") == b.found("refunds") == [REFUNDS]


def test_going_back_to_what_is_not_there_names_what_is(machines: Machines):
    a = machines.open("a")
    a.kb.add_text("refunds", REFUNDS)
    with pytest.raises(SnapshotError, match=f"No snapshot begins with 'zz'.*{snapshot_of(a)[:12]}"):
        a.kb.shared.go_back_to("zz")


def test_what_is_erased_is_in_no_snapshot_and_no_piece_any_more(machines: Machines):
    machines.grace = timedelta(minutes=10)
    a, b = machines.open("a"), machines.open("b")
    secret = "The vault opens with xylophonequartz."
    document = a.kb.add_text("vault", secret)
    a.kb.add_text("refunds", REFUNDS)
    holding = snapshot_of(a)
    follow(b)
    assert b.found("vault") == [secret]
    b.kb.remove(document.document_id, erase=True)
    with pytest.raises(SnapshotError, match="was erased"):
        a.kb.shared.go_back_to(holding)
    follow(a)
    for machine in (a, b):
        machine.kb.close()
    machines.at += timedelta(minutes=11)
    a, b = machines.open("a"), machines.open("b")
    b.kb.shared.collect()
    for machine in (a, b):
        assert machine.found("refunds") == [REFUNDS]
    assert [each.snapshot_id for each in a.kb.shared.snapshots()] == [snapshot_of(a)]
    for digest in a.objects.all_pieces():
        assert b"xylophonequartz" not in a.objects.piece(digest)
    for path in machines.folder.rglob("*"):
        # A's own folder is brought to what is live by its next change.
        if path.is_file() and path.parent != machines.folder / "a":
            assert b"xylophonequartz" not in path.read_bytes(), path
    a.kb.add_text("parcels", PARCELS)
    for path in (machines.folder / "a").iterdir():
        assert path.is_dir() or b"xylophonequartz" not in path.read_bytes(), path


def test_what_only_earlier_snapshots_hold_is_erased_from_them(machines: Machines):
    a = machines.open("a")
    a.kb.add_text("refunds", REFUNDS)
    before = snapshot_of(a)
    document = a.kb.add_text("vault", "The vault opens with xylophonequartz.")
    a.kb.shared.go_back_to(before)
    a.kb.remove(document.document_id, erase=True)
    a.kb.shared.collect()
    assert len(a.kb.shared.snapshots()) == 1
    for digest in a.objects.all_pieces():
        assert b"xylophonequartz" not in a.objects.piece(digest)
    with pytest.raises(KnowledgeBaseError, match="no document"):
        a.kb.remove(document.document_id, erase=True)


def test_snapshots_are_kept_for_as_long_as_someone_may_be_fetching_them(machines: Machines):
    machines.kept, machines.grace = 2, timedelta(minutes=10)
    a = machines.open("a")
    for number in range(5):
        a.kb.add_text("refunds", f"Refunds take {number} days.")
        machines.at += timedelta(minutes=1)
    assert len(a.kb.shared.snapshots()) == 5
    machines.at += timedelta(minutes=30)
    assert a.kb.shared.collect() == (3, 0)
    kept = a.kb.shared.snapshots()
    assert [each.index_version for each in kept] == [5, 4]
    a.kb.shared.go_back_to(kept[1].snapshot_id)
    assert a.found("refunds") == ["Refunds take 3 days."]


def test_what_a_killed_writer_left_is_deleted(machines: Machines):
    a = machines.open("a")
    a.kb.add_text("refunds", REFUNDS)
    a.objects.put_pieces([("ab" + "0" * 62, lambda: b"left")])
    assert a.kb.shared.collect() == (0, 1)
    assert machines.open("b").found("refunds") == [REFUNDS]


def test_one_writer_at_a_time(machines: Machines):
    index = UNLIMITED.index.model_copy(update={"writer_timeout_s": 0.3})
    a, b = machines.open("a"), machines.open("b", UNLIMITED.model_copy(update={"index": index}))
    with a.kb.shared._shared.pointers.lease("desk", timeout_s=1), pytest.raises(BusyError):
        b.kb.add_text("parcels", PARCELS)
    b.kb.add_text("parcels", PARCELS)


def test_a_writer_that_was_taken_for_gone_changes_nothing(machines: Machines):
    machines.gone_after_s = 0.3
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    with a.kb.shared.changes._writing() as (lease, live):  # type: ignore[attr-defined]
        # No beat for so long: another machine takes over.
        b.kb.add_text("parcels", PARCELS)
        record = SnapshotRecord("f" * 64, machines.at, 9, 1, 1, 1)
        with pytest.raises(LostLeaseError, match="run it again"):
            a.kb.shared._shared.pointers.move("desk", record, expected=live, lease=lease)
        with pytest.raises(LostLeaseError, match="run it again"):
            lease.require()
    follow(a)
    assert a.found("train") == [PARCELS]


def test_the_lease_does_not_care_for_clocks(machines: Machines):
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    machines.at -= timedelta(days=400)
    b.kb.add_text("parcels", PARCELS)
    follow(a)
    assert a.found("train") == [PARCELS]
    assert {each.name for each in a.kb.documents()} == {"refunds", "parcels"}


def test_a_folder_of_before_is_shared_by_the_next_ingest(machines: Machines):
    with KnowledgeBase(
        machines.folder / "a", UNLIMITED, embedder=WordEmbedder, read_only=False
    ) as before:
        before.add_text("refunds", REFUNDS)
    a = machines.open("a")
    assert a.found("refunds") == [REFUNDS]
    a.kb.add_text("parcels", PARCELS)
    b = machines.open("b")
    assert b.found("refunds") == [REFUNDS]
    assert a.embedder.embedded == 1


def test_a_deleted_knowledge_base_is_gone_everywhere(machines: Machines):
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    assert b.found("refunds") == [REFUNDS]
    a.kb.shared.delete_all()
    follow(b)
    assert b.found("refunds") == []
    assert b.objects.all_pieces() == set()
    b.kb.add_text("parcels", PARCELS)
    follow(a)
    assert a.found("train") == [PARCELS]


def test_an_address_that_does_not_answer_is_said_and_the_copy_answers(machines: Machines):
    a, b = machines.open("a"), machines.open("b")
    a.kb.add_text("refunds", REFUNDS)
    assert b.found("refunds") == [REFUNDS]
    a.kb.add_text("parcels", PARCELS)
    piece = b.objects.piece
    b.objects.piece = _unreachable
    follow(b)
    assert b.found("refunds") == [REFUNDS]
    b.objects.piece = piece
    b.kb.shared._failed = ("", 0.0)
    follow(b)
    assert b.found("train") == [PARCELS]


def _unreachable(digest: str) -> bytes:
    raise SnapshotError("does not answer")


def test_a_damaged_piece_is_told_and_the_next_ingest_mends_it(tmp_path: Path):
    objects = tmp_path / "objects"
    machines = Machines(tmp_path, f"file://{objects}", f"sqlite:///{tmp_path / 'store.sqlite'}")
    a = machines.open("a")
    a.kb.add_text("refunds", REFUNDS)
    for path in (objects / "pieces").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7] + b"flipped")
    b = machines.open("b")
    with pytest.raises(SnapshotError, match=r"damaged. Ingest again"):
        b.found("refunds")
    a.kb.shared.begin_anew()
    a.kb.add_text("refunds", REFUNDS + " Or six.")
    assert b.found("refunds") == [REFUNDS + " Or six."]
    machines.close()


def test_a_damaged_copy_is_fetched_again(tmp_path: Path):
    machines = Machines(
        tmp_path, f"file://{tmp_path / 'objects'}", f"sqlite:///{tmp_path / 'store.sqlite'}"
    )
    machines.open("a").kb.add_text("refunds", REFUNDS)
    b = machines.open("b")
    assert b.found("refunds") == [REFUNDS]
    held = b.kb.directory
    b.kb.close()
    catalog = held / "catalog.sqlite3"
    catalog.write_bytes(b"not a database" * 300)
    shutil.rmtree(held / "chroma")
    assert machines.open("b").found("refunds") == [REFUNDS]
    machines.close()


def test_read_only_refuses_changes(machines: Machines):
    machines.open("a").kb.add_text("refunds", REFUNDS)
    reader = machines.open("b", read_only=True)
    assert reader.found("refunds") == [REFUNDS]
    with pytest.raises(KnowledgeBaseError, match="read only"):
        reader.kb.add_text("parcels", PARCELS)


def test_what_may_go(machines: Machines):
    def record(name: str, version: int, replaced: int | None, withdrawn: int | None = None):
        at = machines.at
        return SnapshotRecord(
            name,
            at,
            version,
            1,
            1,
            1,
            None if replaced is None else at - timedelta(minutes=replaced),
            None if withdrawn is None else at - timedelta(minutes=withdrawn),
        )

    records = [
        record("live", 5, None),
        record("same documents", 5, 30),
        record("kept", 4, 40),
        record("withdrawn", 3, 50, 20),
        record("withdrawn just now", 3, 50, 1),
        record("beyond", 2, 60),
        record("beyond, replaced just now", 1, 2),
    ]
    found = due(records, kept=2, grace=timedelta(minutes=10), now=machines.at)
    assert [each.snapshot_id for each in found] == ["same documents", "withdrawn", "beyond"]
