"""Figures that parsing has to reach, on data that others wrote."""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.bench import parsing

pytestmark = pytest.mark.slow


def test_main_text_of_pages(datasets: Path):
    stored, once = parsing.html_articles(datasets)

    assert stored["value"] >= 0.969
    assert once["value"] >= 0.97


def test_words_of_manuals(datasets: Path):
    rows = parsing.manuals(datasets)

    assert [row["what"] for row in rows if row["value"] < row["target"]] == []
    assert len(rows) >= 2


def test_strings_of_office_files(datasets: Path):
    balanced, everything = parsing.office_files(datasets)

    assert balanced["missing"] == []
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


def test_damage_of_any_kind_ends_in_text_or_in_a_reason(datasets: Path):
    """Bytes flipped, cut out and doubled at seeded places of real files of every format."""
    chance = random.Random(20_261_123)
    files = sorted((datasets / "office_markitdown" / "dev" / "files").iterdir())
    files += sorted((datasets / "pdf_samples" / "dev").rglob("*.pdf"))
    outcomes: Counter[str] = Counter()
    for path in files:
        original = path.read_bytes()
        for _ in range(6):
            outcomes[parsing.outcome(_damaged(original, chance), path.name)] += 1

    assert outcomes.pop("unexplained", 0) == 0
    assert outcomes["read"] > 0
    assert outcomes["malformed"] > 0


def _damaged(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 20, 400))):
        at = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[at : at + chance.randrange(1, 200)]
            case 2:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
            case _:
                damaged[at : at + 8] = chance.randbytes(8)
        if len(damaged) < 100:
            break
    return bytes(damaged)
