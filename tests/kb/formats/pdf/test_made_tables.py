"""Generated tables of PDFs: the share of (row, column, value) triples that is stored right."""

from collections import Counter

import pytest

from tests.kb.formats.documents import parse
from tests.kb.formats.pdf.made_tables import STYLES, make_table, triples_right

SEEDS = range(9_000, 9_060)
"""Of tables that no rule was made by."""


@pytest.mark.slow
def test_values_of_generated_tables_have_their_row_and_column():
    right, wanted = Counter[str](), Counter[str]()
    for seed in SEEDS:
        made = make_table(seed)
        right[made.style] += triples_right(made, parse(made.pdf, "a.pdf").text)
        wanted[made.style] += len(made.triples())

    shares = {style: right[style] / wanted[style] for style in STYLES}
    assert min(shares.values()) >= 0.98, shares


def test_the_reader_of_triples_counts_wrong_ones():
    made = make_table(9_000)
    text = parse(made.pdf, "a.pdf").text

    assert triples_right(made, text) == len(made.triples()) > 10
    assert triples_right(made, text.replace(made.triples()[0][2], "other", 1)) < len(made.triples())
    assert triples_right(made, text.replace(" | ", " ")) == 0
