"""A chunk is told by what stands around it too: its stretch, words beside it, the start."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kb.config import RetrievalConfig
from kb.embedding.embedder import Vectors
from kb.index.catalog import Catalog, ChunkRow
from kb.retrieval.surroundings import Keyed, Stretches, lateness, said_beside, shared_by_copies
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase
from tests.kb.retrieval.test_passages import found


def at(ordinal: int, *, document: str = "a", key: str = "", row_id: int = 0) -> ChunkRow:
    row = found(document, 0.5).row
    return replace(row, ordinal=ordinal, row_id=row_id or ordinal, text_key=key)


def test_each_chunk_stands_in_one_stretch_of_at_most_sixteen(
    open_kb: OpenKnowledgeBase, tmp_path: Path
):
    sizes = (1, 2, 16, 17, 40)
    paragraphs = [f"# H{n}\n\n" + "word " * 80 for n in range(max(sizes))]
    open_kb().add_texts([(f"page {size}", "\n\n".join(paragraphs[:size])) for size in sizes])
    catalog = Catalog(tmp_path / "kb" / "catalog.sqlite3", read_only=True)
    asked: list[str] = []

    def held(chunks: Sequence[Keyed]) -> Mapping[str, Vectors]:
        asked.extend(chunk_id for chunk_id, _ in chunks)
        return {}

    for document, size in zip(catalog.documents(), sizes, strict=True):
        stretches = Stretches(catalog, held)
        rows = catalog.chunks_of(document.document_id)
        assert len(rows) == size
        by_stretch: dict[tuple[str, int], list[str]] = {}
        for row in rows:
            by_stretch.setdefault(stretches.of(row), []).append(row.chunk_id)
        for stretch, mine in by_stretch.items():
            asked.clear()
            assert stretches.directions([stretch]) == {}
            # Every chunk of a short one, every second of a long one.
            every = 1 if len(mine) <= 8 else 2
            assert asked == (mine[::every] if len(mine) > 1 else [])
            assert len(mine) <= 16
        assert len(by_stretch) == -(-size // 16)
    catalog.close()


def test_a_chunk_gains_by_a_page_about_what_was_asked_and_not_by_another(
    open_kb: OpenKnowledgeBase,
):
    def page(topic: str, number: str) -> str:
        about = "\n\n".join(f"# {n}\n\n" + f"{topic} care. " * 40 for n in ("Before", "After"))
        cost = f"The visit of a worker is {number} euros an hour. " + "It is paid later. " * 12
        return f"{about}\n\n# Cost\n\n{cost}"

    pages = [("garden", page("garden", "seven")), ("boiler", page("boiler", "nine"))]
    gained: dict[float, dict[str, float]] = {}
    for share in (0.0, 0.5):
        retrieval = RetrievalConfig(
            stretch_share=share,
            beside_weight=0,
            start_weight=0,
            neighbour_weight=0,
            document_weight=0,
        )
        kb = open_kb(UNLIMITED.model_copy(update={"retrieval": retrieval}))
        kb.add_texts(pages)
        gained[share] = {
            passage.document_name: passage.parts["document"]
            for passage in kb.retrieve("euros an hour of a worker for the boiler", limit=10)
            if "euros" in passage.text
        }

    assert gained[0.0] == {"garden": 0.0, "boiler": 0.0}
    assert gained[0.5]["boiler"] > gained[0.5]["garden"] + 0.02


def test_words_that_stand_beside_a_chunk_count_and_its_own_and_those_far_off_do_not():
    worth = {"boiler": 3.0, "price": 1.0, "noise": 4.0}
    held = {1: ["boiler"], 2: ["price", "boiler"], 3: [], 9: ["noise"]}

    beside = said_beside([at(place) for place in held], worth, lambda row: held[row.row_id])

    assert beside == {1: 1 / 8, 2: 0.0, 3: 4 / 8}
    assert said_beside([at(1), at(2)], {}, lambda row: []) == {}


def test_chunks_of_two_documents_do_not_stand_beside_each_other():
    rows = [at(1, row_id=1), at(2, document="b", row_id=2)]

    assert said_beside(rows, {"x": 1.0}, lambda row: ["x"]) == {}


def test_copies_of_a_text_are_as_good_as_the_best_of_them():
    rows = [at(1, key="k"), at(50, key="k"), at(7, key="other")]

    assert shared_by_copies(rows, {1: -0.2, 50: 0.1, 7: -1.0}) == {1: 0.1, 50: 0.1, 7: -1.0}


def test_a_chunk_is_late_up_to_the_tenth():
    late = [lateness(at(place)) for place in (0, 1, 5, 10, 11, 1_000)]

    assert late[0] == 0
    assert late == sorted(late)
    assert late[3] == late[4] == late[5] == pytest.approx(2.398, abs=1e-3)
