"""The vectors lie on a disk of their own, which is full: told, and made good once there is room."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from kb.errors import StorageError
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import OpenKnowledgeBase

MORE = [(f"new {n}", f"Text {n} other{n * n} thing{n}.") for n in range(2_600)]
"""More than Chroma keeps in memory: it writes its graph too."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB where the vectors of `open_kb` lie."""
    folder = tmp_path / "kb" / "chroma"
    folder.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    try:
        may_mount = subprocess.run(mounting, capture_output=True).returncode == 0
    except FileNotFoundError:
        may_mount = False
    if not may_mount:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def found(kb: KnowledgeBase, question: str) -> str:
    return kb.retrieve(question, limit=1)[0].document_name


@pytest.mark.slow
@pytest.mark.parametrize("spare_kb", [0, 900, 1_500, 2_400])
def test_vectors_without_room_are_told_and_made_good(
    open_kb: OpenKnowledgeBase, disk: Path, spare_kb: int
):
    """By how much room is left: the log, the words, half of the graph, or all but the tidying."""
    kb = open_kb()
    kb.add_texts([(f"old {n}", f"Before {n} word{n}.") for n in range(50)])
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (shutil.disk_usage(disk).free - spare_kb * 1_024))
    with pytest.raises(StorageError, match="disk is full"):
        kb.add_texts(MORE)
    kb.close()

    full = open_kb()
    with pytest.raises(StorageError, match="disk is full"):
        full.add_text("again", "Again and again.")
    # Where its graph waits to be written, it says that it cannot search.
    with suppress(StorageError) if spare_kb else nullcontext():
        assert found(full, "Before 3 word3") == "old 3"
    full.close()

    ballast.unlink()
    kb = open_kb()
    kb.add_texts(MORE)
    assert found(kb, "Before 3 word3") == "old 3"
    for number in (0, 1_300, 2_599):
        assert found(kb, MORE[number][1]) == MORE[number][0]
    assert len(kb.documents()) == 2_650
