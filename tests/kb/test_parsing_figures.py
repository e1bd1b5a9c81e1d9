"""Figures that parsing has to reach, on data that others wrote."""

from pathlib import Path

import pytest

from tests.bench import parsing

pytestmark = pytest.mark.slow


def test_main_text_of_pages(datasets: Path):
    (row,) = parsing.html_articles(datasets)

    assert row["value"] >= 0.96


def test_words_of_manuals(datasets: Path):
    rows = parsing.manuals(datasets)

    assert [row["what"] for row in rows if row["value"] < row["target"]] == []
    assert len(rows) >= 2


def test_strings_of_office_files(datasets: Path):
    balanced, everything = parsing.office_files(datasets)

    assert balanced["missing"] in ([], [parsing.KNOWN_MISSING])
    assert balanced["unwanted"] == 0
    assert everything["missing"] == []


def test_facts_of_sample_pdfs(datasets: Path):
    (row,) = parsing.sample_pdfs(datasets)

    assert row["wrong"] == []


def test_a_batch_with_broken_and_hostile_files(datasets: Path):
    (row,) = parsing.corrupt_batch(datasets)

    assert row["value"] == 1.0
    assert row["unexplained"] == 0
    assert row["slowest_s"] < 10
    assert row["memory_growth_mb"] < 100


def test_help_centre_pages(datasets: Path):
    (row,) = parsing.help_centre(datasets)

    assert row["value"] == 1.0
