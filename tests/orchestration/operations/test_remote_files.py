from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from orchestration.knowledge.ingesting import ingest
from orchestration.knowledge.remote_files import copies, is_remote, mirror
from orchestration.knowledge.sources import unread_sources
from tests.orchestration.sample import sample_deployment, write_data


@pytest.fixture
def bucket() -> Iterator[Any]:
    filesystem = fsspec.filesystem("memory")
    for name in ("guides/refunds.md", "guides/deep/delivery.md", "guides/.hidden.md", "logo.png"):
        filesystem.pipe(f"/docs/{name}", name.encode())
    yield filesystem
    filesystem.rm("/docs", recursive=True)


def names(folder: Path, files: tuple[Path, ...]) -> list[str]:
    return [path.relative_to(folder).as_posix().partition("/")[2] for path in files]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://docs/guides", ["deep/delivery.md", "refunds.md"]),
        ("memory://docs/guides/*.md", ["refunds.md"]),
        ("memory://docs/logo.png", ["logo.png"]),
    ],
)
def test_folders_patterns_and_files_are_copied(
    tmp_path: Path, bucket: Any, url: str, expected: list[str]
):
    (found,) = mirror([url], tmp_path)

    assert names(tmp_path, found.files) == expected
    assert found.copied == len(expected)
    assert all(path.read_bytes().decode().endswith(path.name) for path in found.files)
    assert copies([url], tmp_path) == list(found.files)


def test_only_what_changed_is_copied_again_and_what_is_gone_is_deleted(tmp_path: Path, bucket: Any):
    url = "memory://docs/guides"
    mirror([url], tmp_path)
    assert mirror([url], tmp_path)[0].copied == 0

    bucket.pipe("/docs/guides/refunds.md", b"Refunds take six days.")
    bucket.rm("/docs/guides/deep/delivery.md")
    (found,) = mirror([url], tmp_path)

    assert found.copied == 1
    assert [path.read_bytes() for path in found.files] == [b"Refunds take six days."]
    assert len(list(tmp_path.rglob("*.md"))) == 1


def test_an_address_that_fails_keeps_its_copies_and_stops_no_other(tmp_path: Path, bucket: Any):
    gone, there = "memory://docs/guides/refunds.md", "memory://docs/logo.png"
    mirror([gone], tmp_path)
    bucket.rm("/docs/guides/refunds.md")

    first, second = mirror([gone, there], tmp_path)

    assert first.problem is not None
    assert "nothing is there" in first.problem
    assert [path.read_bytes() for path in first.files] == [b"guides/refunds.md"]
    assert (second.problem, second.copied) == (None, 1)


def test_an_unknown_protocol_is_said(tmp_path: Path):
    (found,) = mirror(["carrier-pigeon://loft/notes.md"], tmp_path)

    assert found.files == ()
    assert "carrier-pigeon" in str(found.problem)
    assert [path.name for path in copies(["carrier-pigeon://loft/notes.md"], tmp_path)] == [
        "notes.md"
    ]


def test_a_path_is_not_remote():
    assert is_remote("s3://bucket/docs")
    assert not is_remote("../documents/guide.md")


def test_an_agent_reads_files_at_addresses(tmp_path: Path, bucket: Any):
    settings = write_data(tmp_path / "data")
    agent_file = settings.agents_dir / "shop-desk.yaml"
    agent_file.write_text(
        agent_file.read_text().replace("../documents/delivery.md", "memory://docs/guides")
    )
    with sample_deployment(settings) as deployment:
        assert unread_sources(deployment, "shop-desk") == ["refunds.md", "guides"]

        report = ingest(deployment, "shop-desk")

        assert report.count("added") == 3
        found = deployment.knowledge_base("shop-desk").documents()
        assert [document.name for document in found] == ["refunds.md", "delivery.md", "refunds.md"]
        assert unread_sources(deployment, "shop-desk") == []
        assert ingest(deployment, "shop-desk").count("unchanged") == 3
