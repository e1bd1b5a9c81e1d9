"""A second look at the best candidates, as far as time allows."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb.config import KnowledgeBaseConfig, Limits, RerankerConfig, RetrievalConfig
from kb.errors import WeightsError
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.reranking import blended_order, open_reranker, rescore
from tests.kb.conftest import WordEmbedder

CONFIG = RerankerConfig(model="fake", candidates=6, batch_size=2, deadline_s=1.0, weight=1.0)


class LengthReranker:
    """The longer a text, the better; each batch takes a second."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.asked: list[tuple[str, int]] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        self.now_s += 1.0
        self.asked.append((query, len(texts)))
        return [1 - 1 / (1 + len(text)) for text in texts]

    def clock(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("deadline_s", "read"), [(0.5, 2), (1.9, 2), (2.0, 4), (2.9, 4), (3.0, 6), (60.0, 6)]
)
def test_no_batch_begins_that_would_pass_the_deadline(deadline_s: float, read: int):
    reranker = LengthReranker()
    config = CONFIG.model_copy(update={"deadline_s": deadline_s})

    scores = rescore(
        "q", ["a" * n for n in range(9)], reranker=reranker, config=config, clock=reranker.clock
    )

    assert len(scores) == read


def test_what_was_not_read_keeps_its_order_behind_the_rest():
    assert blended_order([9, 8, 7, 6, 5], [0.1, 0.9, 0.5], weight=1.0) == [1, 2, 0, 3, 4]


@pytest.mark.parametrize(
    ("weight", "order"), [(0.0, [0, 1, 2]), (0.4, [0, 1, 2]), (0.6, [2, 1, 0]), (1.0, [2, 1, 0])]
)
def test_both_scores_count_by_their_share(weight: float, order: list[int]):
    assert blended_order([3.0, 2.0, 1.0], [0.0, 0.5, 1.0], weight=weight) == order


def test_equal_scores_change_nothing():
    assert blended_order([3.0, 2.0, 1.0], [0.5, 0.5, 0.5], weight=1.0) == [0, 1, 2]
    assert blended_order([], [], weight=1.0) == []


def test_no_more_than_fifty_candidates_are_read():
    with pytest.raises(ValidationError, match="less than or equal to 50"):
        RerankerConfig(model="any", candidates=51)


def test_passages_say_what_the_reranker_made_of_them(tmp_path: Path):
    reranker = LengthReranker()
    config = KnowledgeBaseConfig(
        limits=Limits(max_documents=None),
        retrieval=RetrievalConfig(reranker=CONFIG.model_copy(update={"candidates": 2})),
    )
    with KnowledgeBase(
        tmp_path / "kb", config, embedder=WordEmbedder, reranker=lambda: reranker, read_only=False
    ) as kb:
        kb.add_text("Short", "Refunds take days.")
        kb.add_text("Long", "Refunds take days, or so they say in the office upstairs.")
        kb.add_text("Other", "Parcels are shipped.")
        kb.warm_up()

        passages = kb.retrieve("refunds take days")

    assert reranker.asked == [("warm up", 1), ("refunds take days", 2)]
    assert [passage.document_name for passage in passages] == ["Long", "Short", "Other"]
    assert [passage.ranks.get("reranker") for passage in passages] == [1, 2, None]
    assert passages[0].scores["reranker"] > passages[1].scores["reranker"]
    assert passages[0].ranks["dense_last"] == 2


def test_without_a_reranker_nothing_is_read_again(open_kb: Callable[..., KnowledgeBase]):
    kb = open_kb()
    kb.add_text("Short", "Refunds take days.")

    assert "reranker" not in kb.retrieve("refunds")[0].ranks


def build_cross_encoder(folder: Path, *, labels: int) -> Path:
    """A BERT of random weights that reads letters: real files of the real kind."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz"]
    letters = Tokenizer(
        models.WordLevel({word: at for at, word in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    letters.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=letters,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    shape.num_labels = labels
    BertForSequenceClassification(shape).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_cross_encoder_scores_pairs(tmp_path: Path):
    folder = build_cross_encoder(tmp_path / "model", labels=1)
    reranker = open_reranker(RerankerConfig(model=str(folder), max_tokens=48))
    texts = ["refunds take days", "parcels " * 40, ""]

    together = reranker.score("how long", texts)
    alone = [reranker.score("how long", [text])[0] for text in texts]

    assert all(0 < score < 1 for score in together)
    assert len(set(together)) == 3
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_sorts_into_classes_is_no_reranker(tmp_path: Path):
    folder = build_cross_encoder(tmp_path / "model", labels=3)

    with pytest.raises(WeightsError, match="gives 3 numbers a pair"):
        open_reranker(RerankerConfig(model=str(folder))).score("q", ["text"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_folder_without_a_model_says_which_setting_to_correct(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"retrieval\.reranker\.model"):
        open_reranker(RerankerConfig(model=str(tmp_path))).score("q", ["text"])
