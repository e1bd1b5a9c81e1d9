"""Retrieval must not get worse: floors a little under what was measured."""

from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from tests.bench.data import SaidTurn, load_collection
from tests.bench.measures import mean
from tests.bench.retrieval import bench_config, quality, ranker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HANDBOOK = {
    "Refunds": "Money goes back to the card that was charged within five working days after the "
    "parcel has arrived at our warehouse. Sale items can only be exchanged.",
    "Shipping": "We ship to every country of the European Union and to Switzerland. Standard "
    "delivery takes three days, express delivery one day.",
    "Hotel Aurora": "Check-in starts at three in the afternoon. There is a garage below the "
    "building, and dogs stay for free.",
    "Hotel Borealis": "Check-in starts at noon. Cars can be left on the street, and animals are "
    "not allowed in the rooms.",
    "Account": "A forgotten password is reset with the link that we send to the address of the "
    "account. The link works for one hour.",
    "Warranty": "Devices are repaired without charge for two years. Batteries are covered for "
    "six months.",
}
QUESTIONS = [
    ("when do I get my money back", [], "Refunds"),
    ("do you deliver to Zurich, Switzerland", [], "Shipping"),
    ("I forgot my password, what now", [], "Account"),
    ("my phone broke after one year", [], "Warranty"),
    ("how late can we arrive at Hotel Borealis", [], "Hotel Borealis"),
    ("can I bring my dog", ["I booked Hotel Aurora", "Hotel Aurora is confirmed."], "Hotel Aurora"),
    ("is there parking", ["a room please", "You have a room at Hotel Borealis."], "Hotel Borealis"),
    ("and the battery?", ["how long is the warranty", "Two years."], "Warranty"),
]


@pytest.fixture(scope="module")
def handbook(tmp_path_factory: pytest.TempPathFactory):
    with KnowledgeBase.open(tmp_path_factory.mktemp("kb"), bench_config()) as kb:
        kb.add_texts((name, f"# {name}\n\n{text}") for name, text in HANDBOOK.items())
        yield kb


@pytest.mark.parametrize(("query", "said", "expected"), QUESTIONS)
def test_the_right_page_comes_first(
    handbook: KnowledgeBase, query: str, said: list[str], expected: str
):
    history = [SaidTurn("agent" if at % 2 else "user", text) for at, text in enumerate(said)]

    assert handbook.retrieve(query, history=history)[0].document_name == expected


def test_a_question_about_something_else_scores_low(handbook: KnowledgeBase):
    answered = handbook.retrieve("when do I get my money back")[0].score
    other = handbook.retrieve("who won the football match yesterday")[0].score

    assert other < 0.2 < answered


@pytest.mark.parametrize(
    ("name", "measure", "floor"),
    [("xquad", "nDCG@10", 0.97), ("helpcentre", "R@5", 0.90), ("mtrag", "nDCG@10", 0.90)],
)
def test_quality_on_the_measuring_data(
    datasets: Path, tmp_path: Path, name: str, measure: str, floor: float
):
    collection = load_collection(name, datasets)
    with KnowledgeBase.open(tmp_path / name, bench_config()) as kb:
        kb.add_texts(collection.texts.items())

        assert mean(quality(collection.tasks, ranker(kb))[measure]) >= floor
