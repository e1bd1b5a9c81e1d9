"""A whole ingest in which most sources are broken, hostile, encrypted or odd."""

from pathlib import Path

import pytest

from kb.document import FileSource
from tests.bench.parsing import GOOD_FILES, resident_bytes
from tests.kb.conftest import OpenKnowledgeBase

pytestmark = pytest.mark.slow


def test_bad_files_cost_themselves_and_a_second_run_changes_nothing(
    datasets: Path, tmp_path: Path, open_kb: OpenKnowledgeBase
):
    good = [tmp_path / f"good-{number}.md" for number in range(GOOD_FILES)]
    for number, path in enumerate(good):
        path.write_text(f"# Good {number}\n\nRefund number {number} takes {number} days.")
    bad = sorted(path for path in (datasets / "corrupt_files" / "dev").glob("*/*"))
    sources = [FileSource(path) for pair in zip(bad, good, strict=False) for path in pair]
    sources += [FileSource(path) for path in bad[len(good) :]]
    kb = open_kb()
    kb.add_text("first", "What is loaded once is loaded before memory is measured.")
    before = resident_bytes()

    report = kb.sync(sources)

    rows = {Path(row.source).name: row for row in report.rows}
    assert all(rows[path.name].action == "added" for path in good)
    failed = [row for row in report.rows if row.action == "failed"]
    assert failed
    assert all(row.reason and row.detail and row.name in row.detail for row in failed)
    assert resident_bytes() - before < 100 * 2**20
    documents = sorted(document.document_id for document in kb.documents())
    assert "Refund number 7 takes 7 days." in kb.retrieve("refund number 7", limit=1)[0].text

    again = kb.sync(sources)

    assert again.chunks_embedded == 0
    assert sorted(document.document_id for document in kb.documents()) == documents
