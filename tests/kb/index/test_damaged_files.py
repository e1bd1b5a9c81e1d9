"""Files of a knowledge base are cut off, flipped or gone: made anew if possible, or told."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.errors import CatalogError
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase

TEXT = "Refunds take five working days."


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    content, chosen = bytearray(path.read_bytes()), random.Random(1)
    for _ in range(2_000):
        content[chosen.randrange(100, len(content))] ^= 0xFF
    path.write_bytes(bytes(content))


def other(path: Path) -> None:
    path.write_bytes(b"this is no database " * 300)


@pytest.fixture
def filled(open_kb: OpenKnowledgeBase, tmp_path: Path) -> Path:
    kb = open_kb()
    kb.add_text("refunds", TEXT)
    kb.add_texts([(f"{n}", f"Text {n} about other things, {n * n}.") for n in range(30)])
    kb.close()
    return tmp_path / "kb"


@pytest.mark.parametrize("how", [cut, flip, other])
@pytest.mark.parametrize("search", ["exact", "approximate"])
def test_vectors_are_made_anew_by_the_next_change(
    open_kb: OpenKnowledgeBase,
    filled: Path,
    how: Callable[[Path], None],
    search: str,
    caplog: pytest.LogCaptureFixture,
):
    how(filled / "chroma" / "chroma.sqlite3")
    retrieval = UNLIMITED.retrieval.model_copy(update={"search": search})
    kb = open_kb(UNLIMITED.model_copy(update={"retrieval": retrieval}))
    kb.add_text("parcels", "Parcels are sent by train.")
    assert kb.retrieve("refunds", limit=1)[0].text == TEXT
    assert kb.retrieve("train", limit=1)[0].document_name == "parcels"
    assert caplog.text.count("is damaged and is made anew") == 1


def test_vectors_that_are_gone_are_made_anew(open_kb: OpenKnowledgeBase, filled: Path):
    shutil.rmtree(filled / "chroma")
    retrieval = UNLIMITED.retrieval.model_copy(update={"search": "approximate"})
    kb = open_kb(UNLIMITED.model_copy(update={"retrieval": retrieval}))
    kb.add_text("refunds", TEXT)
    assert kb.retrieve("refunds", limit=1)[0].text == TEXT


@pytest.mark.parametrize("how", [cut, flip, other])
def test_a_broken_catalog_names_its_file_and_the_command_that_mends_it(
    open_kb: OpenKnowledgeBase, filled: Path, how: Callable[[Path], None]
):
    how(filled / "catalog.sqlite3")
    with pytest.raises(CatalogError, match=r"catalog\.sqlite3.*vivavoce kb rebuild kb"):
        _use(open_kb)


def test_a_catalog_whose_first_pages_are_right_is_told_by_whatever_reads_it(
    open_kb: OpenKnowledgeBase, filled: Path
):
    path = filled / "catalog.sqlite3"
    content = bytearray(path.read_bytes())
    for start in range(4_096, len(content), 4_096):
        content[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(content))
    with pytest.raises(CatalogError, match="vivavoce kb rebuild kb"):
        _use(open_kb)


def _use(open_kb: OpenKnowledgeBase) -> None:
    kb = open_kb()
    kb.documents()
    kb.retrieve("refunds")
