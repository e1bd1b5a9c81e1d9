"""What one chunk alone holds of a query is among the first two passages, however it is written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from kb.embedding.open_embedder import Vectors
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import OpenKnowledgeBase, WordEmbedder


class MisleadingEmbedder(WordEmbedder):
    """A model for which every query means the first chunks of the base, and no other."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            vectors[place, 0 if "Lure" in text else 1 + len(text) % 60] = 1.0
        self.embedded += len(texts)
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        vectors[:, 0] = 1.0
        return vectors


@dataclass(frozen=True)
class Case:
    stored: str
    queries: tuple[str, ...]


CASES = [
    Case(
        "SKU-4411B is a valve and costs 4 euros.",
        ("How much is SKU-4411B?", "sku 4411b price", "SKU4411B", "4411-B", "4411 B valve",
         "SKU\u20134411B", "ＳＫＵ４４１１Ｂ", "what about the 4411B"),
    ),
    Case("The machine shows E-247 when the fan is blocked.", ("what is error E-247", "e247")),
    Case("Art. 41 says that the tenant pays.", ("What does article 41 say?", "art 41")),
    Case("The deposit is 12.500 euros.", ("who pays 12500", "12,500", "12 500 euros")),
    Case("The fee is 1,234.50 in all.", ("1234.50", "1.234,50 \u20ac")),
    Case("Write to anna.lind@example.org please.", ("who is anna.lind@example.org",)),
    Case("Ask for Zbigniew at the desk.", ("who is zbigniew", "Where is Zbigniew?")),
    Case("Call 0176 1234567 at night.", ("01761234567", "0176-1234567")),
    Case("型号SKU-9912C的保修期是三年。", ("SKU-9912C", "9912C的保修期多长")),
    Case("第41条规定押金。", ("第41条是什么",)),
    Case("المادة ٧٧١ تنص على الرسوم", ("771", "المادة 771")),
    Case("The licence costs \u20b91,25,400 a year.", ("125400", "1,25,400")),
    Case("رسوم العقد ٦٣٬٢٠٠ درهم", ("63200", "63,200", "٦٣٢٠٠")),
    Case("The course C++ begins at noon.", ("C++", "when does c++ begin?")),
    Case("The course C begins at one.", ()),
]  # fmt: skip
FILLER = [
    (f"Lure {number}", f"Lure {number}: the error, price and article of the valve, tenant pays.")
    for number in range(100, 130)
]


@pytest.fixture
def kb(open_kb: OpenKnowledgeBase) -> KnowledgeBase:
    kb = open_kb(with_embedder=MisleadingEmbedder())
    kb.add_texts([*FILLER, *((f"case {at}", case.stored) for at, case in enumerate(CASES))])
    return kb


def test_it_is_among_the_first_two_against_all_meaning(kb: KnowledgeBase):
    missed = {
        query: [passage.document_name for passage in kb.retrieve(query, limit=3)]
        for at, case in enumerate(CASES)
        for query in case.queries
        if f"case {at}" not in [passage.document_name for passage in kb.retrieve(query, limit=2)]
    }

    assert missed == {}


def test_words_alone_find_it_first(kb: KnowledgeBase):
    missed = [
        query
        for at, case in enumerate(CASES)
        for query in case.queries
        if [passage.document_name for passage in kb.retrieve_lexical(query, limit=1)]
        != [f"case {at}"]
    ]

    assert missed == []


def test_a_number_of_things_is_no_identifier(kb: KnowledgeBase):
    kb.add_text("Pool", "The pool takes 10 guests.")

    found = kb.retrieve("a table for 10 guests", limit=2)

    assert all(passage.parts["exact"] == 0.0 for passage in found)


def test_two_identifiers_both_come_first(kb: KnowledgeBase):
    names = {passage.document_name for passage in kb.retrieve("SKU-4411B or E-247?", limit=2)}

    assert names == {"case 0", "case 1"}


def test_a_near_number_is_not_taken_for_it(kb: KnowledgeBase):
    found = kb.retrieve("what is error E-248", limit=2)

    assert all(passage.parts["exact"] == 0.0 for passage in found)


def test_an_acronym_is_not_the_function_word_it_looks_like(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_texts(
        [
            ("hr", "The HR department keeps contracts; call extension 44. It is it that it is."),
            ("it", "The IT department lends laptops; call extension 12."),
        ]
    )

    assert kb.retrieve_lexical("Who do I call in IT?", limit=1)[0].document_name == "it"
    assert kb.retrieve_lexical("IT", limit=1)[0].document_name == "it"
