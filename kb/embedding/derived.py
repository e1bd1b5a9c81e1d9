"""Embedders made of others: one without what all its vectors share, and several side by side.

Models of the E5 family were trained with a temperature that leaves every pair of texts a cosine
above .7: what all texts have in common is most of each vector. That common part is measured on
sentences about nothing in particular in many languages, and taken out. Then cosines spread as those
of other models do, and a question is no longer nearer to texts of its own language than to those
that answer it.

Source: Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word
Representations", ICLR 2018, arXiv:1702.01417 (the first of its two steps).
"""

import hashlib
import threading
from collections.abc import Sequence

from kb.embedding.embedder import Embedder, Tokenizer, Vectors

NEUTRAL = (
    "The office is open on working days from nine to five.",
    "You can change your order until it has been sent.",
    "Der Antrag wird innerhalb von zwei Wochen bearbeitet.",
    "Bitte wenden Sie sich bei Fragen an den Kundendienst.",
    "Le magasin est ouvert tous les jours sauf le dimanche.",
    "Vous pouvez modifier votre adresse dans votre compte.",
    "La entrega tarda entre tres y cinco días laborables.",
    "Para cambiar la contraseña, abra la página de su cuenta.",
    "Il servizio è disponibile in tutte le città del paese.",
    "Per annullare il contratto basta scrivere una lettera.",
    "O bilhete é válido durante um ano a partir da compra.",
    "As crianças pagam metade do preço na entrada.",
    "De factuur wordt aan het einde van de maand verstuurd.",
    "Biblioteket lånar ut böcker i fyra veckor.",
    "Umowę można rozwiązać w ciągu trzydziestu dni.",
    "Заказы можно изменить до отправки.",
    "Вернуть товар можно в течение двух недель.",
    "Müze pazartesi hariç her gün gezilebilir.",
    "يمكن تغيير الموعد حتى اليوم السابق.",
    "המשרד פתוח בימים ראשון עד חמישי.",
    "यह सेवा पूरे देश में उपलब्ध है।",
    "ร้านเปิดทุกวันตั้งแต่เก้าโมงเช้าถึงหกโมงเย็น",
    "Khách hàng có thể đổi hàng trong vòng bảy ngày.",
    "客服中心周一到周五上午九点到下午六点营业。",
    "您可以在发货之前取消订单。",
    "商品は三十日以内であれば返品できます。",
    "お支払いはカードまたは銀行振込をご利用ください。",
    "고객은 상품을 받은 후 교환을 신청할 수 있습니다.",
    "Water is led through the filter before it reaches the tank.",
    "The town was founded in the twelfth century beside a river.",
    "The patients of the second group were treated for six weeks.",
    "What does it cost, and how long does it take?",
)
"""Of our own making; another list is another space, so its digest is part of the model's id."""


class CentredEmbedder:
    """Takes out of each vector what all texts have in common."""

    def __init__(self, embedder: Embedder, *, sample: Sequence[str] = NEUTRAL) -> None:
        """Centre `embedder` by the mean of its vectors of `sample`."""
        self._embedder = embedder
        self._sample = tuple(sample)
        self._lock = threading.Lock()
        self._mean: Vectors | None = None

    @property
    def model_id(self) -> str:
        """Of the model and of what the common part was measured on."""
        digest = hashlib.sha256("\n".join(self._sample).encode()).hexdigest()[:8]
        return f"{self._embedder.model_id}/centred-{digest}"

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._embedder.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents."""
        return self._centred(self._embedder.embed(texts))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries; one that the model cannot read stays zero."""
        return self._centred(self._embedder.embed_queries(texts))

    def _centred(self, vectors: Vectors) -> Vectors:
        moved = vectors - self._common()
        moved[~vectors.any(axis=1)] = 0.0
        return _of_length_1(moved)

    def _common(self) -> Vectors:
        import numpy as np

        with self._lock:
            mean = self._mean
            if mean is None:
                # One by one: in int8 a vector depends on what else is in its batch.
                rows = np.concatenate([self._embedder.embed([text]) for text in self._sample])
                mean = self._mean = rows.mean(axis=0, dtype=np.float32)
            return mean


class JointEmbedder:
    """Puts the vectors of several models side by side, each with the same weight.

    Queries that one of them cannot read are left to the others.
    """

    def __init__(self, embedders: Sequence[Embedder]) -> None:
        """Join `embedders`; chunks are bounded in the tokens of the first."""
        self._embedders = tuple(embedders)

    @property
    def model_id(self) -> str:
        """Of all of them, in order."""
        return "+".join(embedder.model_id for embedder in self._embedders)

    @property
    def tokenizer(self) -> Tokenizer:
        """The first model's tokenizer."""
        return self._embedders[0].tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents."""
        return _side_by_side([embedder.embed(texts) for embedder in self._embedders])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries."""
        return _side_by_side([embedder.embed_queries(texts) for embedder in self._embedders])


def _side_by_side(parts: Sequence[Vectors]) -> Vectors:
    import numpy as np

    return _of_length_1(np.concatenate(parts, axis=1))


def _of_length_1(rows: Vectors) -> Vectors:
    """Rows of length 1, but for those of zeros."""
    import numpy as np

    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0.0] = 1.0
    return rows / lengths
