"""Files that one machine was given over the API and another one reads."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversation.errors import StoreUnavailableError
from conversation.server.agents.authoring import Authoring
from conversation.server.library.uploads import SharedUploads
from orchestration.deployment import Deployment
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.orchestration.sample import sample_deployment, write_data
from tests.orchestration.test_many_machines import s3

__all__ = ["s3"]

NOW = datetime(2026, 11, 30, tzinfo=UTC)
AGENT = "shop-desk"


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest) -> str:
    """Where all machines keep what they share."""
    if request.param == "s3":
        return f"{request.getfixturevalue('s3')}-{uuid.uuid4().hex}"
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def machines(tmp_path: Path, address: str) -> Iterator[list[tuple[Deployment, Authoring]]]:
    with ExitStack() as stack:
        opened: list[tuple[Deployment, Authoring]] = []
        for name in ("a", "b"):
            settings = Settings(
                data_dir=tmp_path / name,
                store_url=f"sqlite:///{tmp_path / 'common' / 'store.sqlite'}",
                kb_url=address,
                agents_shared=True,
            )
            write_data(tmp_path / name)
            deployment = stack.enter_context(sample_deployment(settings))
            authoring = create_app(deployment).state.context.authoring
            stack.callback(authoring.stop)
            opened.append((deployment, authoring))
        yield opened


def handed_in(authoring: Authoring, text: str) -> str:
    return authoring.library.add_file(
        text.encode(), file_name="norway.md", name=None, kind="file", now=NOW
    ).document_id


def test_whichever_machine_takes_up_the_work_has_the_file(machines: list[Any]):
    (_, a), (there, b) = machines
    document_id = handed_in(a, "# Norway\n\nParcels to Norway take eleven days.\n")
    while b.ingestion.run_once():
        pass
    assert b.library.document(document_id).status == "succeeded"
    a.attach(AGENT, document_id, by="test")
    while b.ingestion.run_once():
        pass
    assert b.queue.sync_states()[AGENT].status == "succeeded"
    found = there.knowledge_base(AGENT).retrieve("How long do parcels to Norway take?", limit=1)
    assert "eleven days" in found[0].text

    a.library.replace_content(document_id, b"# Norway\n\nNow in two days.\n", now=NOW)
    while b.ingestion.run_once():
        pass
    copy = b.library.folder / b.library.document(document_id).source
    assert copy.read_bytes() == b"# Norway\n\nNow in two days.\n"


def test_a_file_that_is_deleted_is_deleted_for_all(machines: list[Any]):
    (here, a), (_, b) = machines
    document_id = handed_in(a, "Text.")
    document = b.library.document(document_id)
    b.library.bring(document)
    path = b.library.folder / document.source
    assert path.read_bytes() == b"Text."
    a.library.remove(document_id)
    path.unlink()
    here.uploads.bring(document.source, path)
    assert not path.exists()


def test_an_address_that_does_not_answer_is_said_and_nothing_is_half_done(
    machines: list[Any], monkeypatch: pytest.MonkeyPatch
):
    (_, a), (_, b) = machines
    kept = handed_in(a, "Text.")
    nowhere = SharedUploads("nosuchkind://bucket")
    for authoring in (a, b):
        # The address of a deployment does not change; that it stops answering is played so.
        monkeypatch.setattr(authoring.library, "_uploads", nowhere)
    with pytest.raises(StoreUnavailableError, match="VIVAVOCE_KB_URL"):
        handed_in(a, "More.")
    with pytest.raises(StoreUnavailableError):
        a.library.remove(kept)
    assert [each.document_id for each in b.library.documents()] == [kept]
    assert len(list(a.library.folder.glob("*/*"))) == 1
    b.ingestion.stop()  # so that it does not wait a second before the next try
    assert b.ingestion.run_once()
    assert b.library.document(kept).status == "created", "it waits for the address"


def test_a_file_that_is_replaced_meanwhile_is_not_taken_in_part(tmp_path: Path):
    root = tmp_path / "address"
    uploads = SharedUploads(f"file://{root}")
    uploads.put("x/a.txt", b"whole")
    (root / "x" / "a.txt").write_bytes(b"wh")
    with pytest.raises(StoreUnavailableError, match="just being replaced"):
        uploads.bring("x/a.txt", tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()
    uploads.put("x/a.txt", b"whole")
    uploads.bring("x/a.txt", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"whole"
