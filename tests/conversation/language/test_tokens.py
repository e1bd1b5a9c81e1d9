"""The estimate against what `cl100k_base` counts, in nine scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.language.tokens import chars_within, estimated_tokens

COUNTED = [
    (
        "Refunds take five working days. If the parcel has not arrived, write to us and we will "
        "ask the carrier.",
        24,
    ),
    (
        "Die Rückzahlung dauert fünf Werktage. Wenn das Paket nicht ankommt, schreiben Sie uns "
        "bitte eine Nachricht.",
        29,
    ),
    ("Возврат денег занимает пять рабочих дней. Если посылка не пришла, напишите нам.", 36),
    ("يستغرق استرداد المبلغ خمسة أيام عمل. إذا لم يصل الطرد فاكتب إلينا.", 47),
    ("धनवापसी में पाँच कार्य दिवस लगते हैं। यदि पार्सल नहीं आया तो हमें लिखें।", 75),
    ("การคืนเงินใช้เวลาห้าวันทำการ หากพัสดุไม่มาถึงโปรดเขียนถึงเรา", 54),
    ("退款需要五个工作日。如果包裹没有送达，请写信给我们，我们会向承运人查询。", 31),
    ("返金には五営業日かかります。荷物が届かない場合はご連絡ください。", 34),
    ("환불에는 영업일 기준 5일이 걸립니다. 소포가 도착하지 않으면 알려 주세요.", 43),
]


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_no_script_is_estimated_a_third_wrong(text: str, tokens: int):
    assert estimated_tokens(text) == pytest.approx(tokens, rel=1 / 3)


def test_nothing_is_no_token_and_something_is_one():
    assert estimated_tokens("") == 0
    assert estimated_tokens("a") == 1


@given(text=st.text(), more=st.text())
def test_more_text_is_never_fewer_tokens(text: str, more: str):
    assert estimated_tokens(text) <= estimated_tokens(text + more)


@given(text=st.text(), max_tokens=st.integers(0, 60))
def test_a_cut_text_fits_and_one_character_more_would_not(text: str, max_tokens: int):
    chars = chars_within(text, max_tokens)

    assert estimated_tokens(text[:chars]) <= max_tokens
    assert chars == len(text) or estimated_tokens(text[: chars + 1]) > max_tokens
