"""Two deployments on two machines: one store, one address of snapshots, no folder in common."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.errors import SnapshotError
from kb.snapshots.objects import SnapshotObjects
from kb.snapshots.shared import Shared
from orchestration.deployment import Deployment
from orchestration.errors import SettingsError
from orchestration.knowledge.ingesting import ingest
from orchestration.knowledge.rebuilding import SET_ASIDE, rebuild
from orchestration.operations.impact import ProposedChange, tried
from orchestration.operations.retention import apply_retention
from orchestration.settings import Settings, load_settings
from tests.orchestration.sample import sample_deployment, write_data

AGENT = "shop-desk"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Deployment]]:
    address = f"memory://{uuid.uuid4().hex}"
    with ExitStack() as stack:
        opened: list[Deployment] = []
        for name in ("a", "b"):
            write_data(tmp_path / name)
            settings = Settings(
                data_dir=tmp_path / name,
                store_url=f"sqlite:///{tmp_path / 'common' / 'store.sqlite'}",
                kb_url=address,
            )
            opened.append(stack.enter_context(sample_deployment(settings)))
        yield opened


def test_what_one_machine_ingests_the_other_answers_from(machines: list[Deployment]):
    a, b = machines
    ingest(a, AGENT)
    found = b.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=1)
    assert [each.text for each in found] == [
        each.text for each in a.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=1)
    ]
    assert found


def test_a_rebuild_answers_from_what_is_live_until_it_is_done(machines: list[Deployment]):
    a, b = machines
    ingest(a, AGENT)
    before = a.knowledge_base(AGENT).shared.snapshot_id
    rebuilt = rebuild(a, AGENT)
    assert rebuilt.set_aside is None
    assert not rebuilt.report.count("failed")
    assert a.knowledge_base(AGENT).shared.snapshot_id != before
    assert b.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=1)


def test_a_change_is_tried_between_snapshots(machines: list[Deployment]):
    a, _ = machines
    ingest(a, AGENT)
    before = str(a.knowledge_base(AGENT).shared.snapshot_id)
    a.knowledge_base(AGENT).add_text("extra", "Gift cards never expire.")
    with tried(a, AGENT, ProposedChange(from_snapshot=before)) as trial:
        assert trial.documents_after == trial.documents_before + 1
        assert "extra" not in {each.name for each in trial.before.documents()}
    with tried(a, AGENT, ProposedChange(to_snapshot=before)) as trial:
        assert trial.documents_after == trial.documents_before - 1


def test_a_deleted_agent_leaves_no_snapshot(machines: list[Deployment]):
    a, b = machines
    ingest(a, AGENT)
    assert b.knowledge_base(AGENT).shared.snapshots()
    a.delete_knowledge_base(AGENT)
    assert b.knowledge_base(AGENT).shared.snapshots() == []


def test_one_folder_has_no_snapshots_and_says_how_to_share_it(tmp_path: Path):
    write_data(tmp_path)
    with (
        sample_deployment(Settings(data_dir=tmp_path)) as deployment,
        pytest.raises(SnapshotError, match="VIVAVOCE_KB_URL"),
    ):
        _ = deployment.knowledge_base(AGENT).shared


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIVAVOCE_KB_URL", "/mnt/kb")
    with pytest.raises(SettingsError, match="VIVAVOCE_KB_URL: not an address"):
        load_settings()


def test_a_broken_catalog_is_made_again_from_the_sources(tmp_path: Path):
    write_data(tmp_path)
    settings = Settings(data_dir=tmp_path)
    with sample_deployment(settings) as deployment:
        ingest(deployment, AGENT)
        expected = _answers(deployment)
        folder = deployment.knowledge_base(AGENT).directory
    (folder / "catalog.sqlite3").write_bytes(b"no database" * 500)
    with sample_deployment(settings) as deployment:
        with pytest.raises(Exception, match=f"vivavoce kb rebuild {AGENT}"):
            deployment.knowledge_base(AGENT)
        rebuilt = rebuild(deployment, AGENT)
        assert rebuilt.set_aside is None
        # Vectors of texts that are the same are not made again.
        assert rebuilt.report.chunks_embedded == 0
        assert _answers(deployment) == expected
        assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["chroma"]


def test_what_cannot_be_read_again_keeps_the_old_files(tmp_path: Path):
    write_data(tmp_path)
    with sample_deployment(Settings(data_dir=tmp_path)) as deployment:
        ingest(deployment, AGENT)
        document = next(
            each for each in deployment.knowledge_base(AGENT).documents() if each.kind == "file"
        )
        source = Path(document.source)
        held = source.read_bytes()
        source.unlink()
        rebuilt = rebuild(deployment, AGENT)
        assert rebuilt.report.count("failed") == 1
        assert rebuilt.set_aside is not None
        assert (rebuilt.set_aside / "catalog.sqlite3").is_file()
        source.write_bytes(held)
        again = rebuild(deployment, AGENT)
        assert again.set_aside is None
        assert not (rebuilt.set_aside.parent / SET_ASIDE).exists()


def _answers(deployment: Deployment) -> list[str]:
    found = deployment.knowledge_base(AGENT).retrieve("How long do refunds take?")
    return [each.text for each in found]


def test_the_nightly_retention_collects_what_no_snapshot_needs(
    machines: list[Deployment], monkeypatch: pytest.MonkeyPatch
):
    a, b = machines
    ingest(a, AGENT)
    first = a.knowledge_base(AGENT).shared.snapshot_id
    library = a.open_library()
    erased = library.add_text("Secret", "The code of the door is 4711.")
    library.remove(erased.document_id, erase=True)
    address = library.shared
    before = len(address.snapshots())
    library.close()
    later = datetime.now(UTC) + timedelta(days=1)
    for machine in (a, b):
        shared_of = machine._shared  # pyright: ignore[reportPrivateUsage]
        assert shared_of is not None
        of = shared_of.of
        monkeypatch.setattr(
            shared_of, "of", lambda name, of=of: replace(of(name), now=lambda: later)
        )

    run = apply_retention(b, now=later)

    assert not run.not_reached
    counts = {(line.place, line.what): line.count for line in run.lines}
    assert counts["knowledge base Library", "snapshots"] == before - 1
    assert a.knowledge_base(AGENT).shared.snapshot_id == first
    again = apply_retention(b, now=later)
    assert not [line for line in again.lines if line.place.startswith("knowledge base")]

    (a.settings.data_dir / "documents" / "refunds.md").write_text("# Refunds\n\nNine days.\n")
    monkeypatch.setattr(
        SnapshotObjects, "all_pieces", lambda _self: (_ for _ in ()).throw(SnapshotError("Gone."))
    )
    assert any("Gone." in each for each in apply_retention(b, now=later).not_reached)


def _in_the_future(of: Callable[[str], Shared], now: datetime, name: str) -> Shared:
    return replace(of(name), now=lambda: now)
