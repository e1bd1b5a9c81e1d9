"""The systems side by side on a few texts."""

from pathlib import Path

import pytest

from kb.document import RetrievedPassage
from tests.bench.baselines import BASELINES, OURS, recursive_spans
from tests.bench.comparison import compare, figures_of, last_turns, table
from tests.bench.data import Collection, SaidTurn, Task
from tests.bench.sweep import Row, fused_by_rank, judge
from tests.kb.conftest import WordEmbedder

TEXTS = {
    "refunds": "# Refunds\n\nMoney goes back to the card within five working days.",
    "shipping": "# Shipping\n\nParcels to Switzerland take three days.",
    "garage": "# Hotel Aurora\n\nThere is a garage below the building.",
    "street": "# Hotel Borealis\n\nCars can be left on the street.",
}
TASKS = (
    Task("1", "how long do refunds to my card take", frozenset({"refunds"})),
    Task("2", "parcels to Switzerland", frozenset({"shipping"})),
    Task(
        "3",
        "where can cars be left",
        frozenset({"street"}),
        (SaidTurn("user", "a room at Hotel Borealis"), SaidTurn("agent", "Booked.")),
    ),
)


# LlamaIndex's own pydantic models warn on import.
@pytest.mark.filterwarnings("ignore")
def test_all_systems_answer_the_same_tasks(tmp_path: Path):
    collection = Collection("tiny", TEXTS, TASKS)

    measured = compare(collection, WordEmbedder(), tmp_path, systems=(OURS, *BASELINES))

    assert [row.system for row in measured] == [
        "vivavoce",
        *(
            name
            for system in ("LlamaIndex", "LlamaIndex fusion", "Chroma", "bm25s")
            for name in (system, f"{system} +history")
        ),
    ]
    assert all(len(values) == 3 for row in measured for values in row.quality.values())
    assert all(len(row.query_ms) == 3 for row in measured)
    assert measured[0].quality["nDCG@10"] == [1.0, 1.0, 1.0]
    printed = table("tiny", measured)
    assert "n = 3" in printed
    assert "| bm25s +history" in printed
    names = [figure.name for figure in figures_of("tiny", measured)]
    assert "tiny/vivavoce/nDCG@10" in names


def test_history_is_the_last_five_turns_as_one_text():
    said = tuple(SaidTurn("user", f"turn {number}") for number in range(9))

    assert last_turns(Task("1", "now", frozenset(), said)).split("\n") == [
        "turn 5",
        "turn 6",
        "turn 7",
        "turn 8",
        "now",
    ]


def test_pieces_end_at_the_largest_border_that_fits():
    text = "aaaa bbbb\n\ncccc dddd eeee\n\nff"

    spans = recursive_spans(text, 0, len(text), max_chars=11)

    assert [text[start:end] for start, end in spans] == ["aaaa bbbb", "cccc dddd", "eeee", "ff"]


def test_a_word_that_is_too_long_is_cut():
    text = "x" * 25

    spans = recursive_spans(text, 0, len(text), max_chars=10)

    assert spans == [(0, 10), (10, 20), (20, 25)]


def _rows(default: list[float], other: list[float]) -> list[Row]:
    return [Row("0.5", {"one": default, "two": default}), Row("0.7", {"one": other, "two": other})]


def test_a_value_is_chosen_on_one_half_and_measured_on_the_other():
    # Better on tasks 0, 2, 4, ... which choose; worse on 1, 3, 5, ... which confirm.
    verdict = judge(_rows([0.5] * 40, [0.9, 0.4] * 20), "0.5")

    assert (verdict.chosen, verdict.change) == ("0.7", False)
    assert verdict.gain == pytest.approx(-0.1)


def test_a_value_that_both_halves_prefer_is_reason_to_change():
    verdict = judge(_rows([0.5, 0.4] * 20, [0.6, 0.5] * 20), "0.5")

    assert verdict.change
    assert verdict.low == pytest.approx(0.1)


def test_a_tie_keeps_the_default():
    verdict = judge(list(reversed(_rows([0.5] * 8, [0.5] * 8))), "0.5")

    assert (verdict.chosen, verdict.change) == ("0.5", False)


def test_rank_fusion_adds_what_each_ranking_gives():
    first = _passage("first", {"dense_last": 1})
    both = _passage("both", {"dense_last": 3, "lexical_last": 3})

    # 2 / (k + 3) is more than 1 / (k + 1) as soon as k > 1.
    assert fused_by_rank([first, both], 10) == ["both", "first"]


def _passage(name: str, ranks: dict[str, int]) -> RetrievedPassage:
    return RetrievedPassage(
        document_id=name,
        document_name=name,
        chunk_id=name,
        text=name,
        start_char=0,
        end_char=1,
        heading_path=(),
        page=None,
        score=0.5,
        rank=1,
        ranks=ranks,
    )
