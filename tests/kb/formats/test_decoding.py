"""Bytes become text: damaged UTF-8 stays UTF-8, and old encodings are told apart in short texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.formats.decoding import decode

TEXTS = {
    "de": "Die Gebühr für Gäste beträgt fünf Euro pro Tag. Öffnungszeiten: täglich außer Dienstag.",
    "fr": "Les frais s'élèvent à cinq euros par jour, été comme hiver. Le retour est gratuit.",
    "es": "La devolución es posible dentro de treinta días. ¿Cuánto cuesta el envío a España?",
    "pl": "Zwrot jest możliwy w ciągu trzydziestu dni. Opłata za przesyłkę wynosi pięć złotych.",
    "cs": "Vrácení je možné do třiceti dnů. Poplatek za zásilku činí pět korun, kromě svátků.",
    "hu": "A visszaküldés harminc napon belül lehetséges. A szállítási díj öt euró, őszi időszak.",
    "tr": "İade otuz gün içinde mümkündür. Kargo ücreti beş liradır, şubelerimiz açıktır.",
    "vi": "Bạn có thể trả hàng trong vòng ba mươi ngày. Phí vận chuyển là năm đồng.",
    "ru": "Возврат возможен в течение тридцати дней. Стоимость доставки пять рублей.",
    "uk": "Повернення можливе протягом тридцяти днів. Вартість доставки п'ять гривень, її немає.",
    "el": "Η επιστροφή είναι δυνατή εντός τριάντα ημερών. Το κόστος αποστολής είναι πέντε ευρώ.",
    "he": "ההחזרה אפשרית תוך שלושים יום. דמי המשלוח הם חמישה שקלים והחבילה תגיע מחר.",
    "ar": "الإرجاع ممكن خلال ثلاثين يوما. رسوم الشحن خمسة دراهم وتصل الحزمة غدا.",
    "hi": "वापसी तीस दिनों के भीतर संभव है। डिलीवरी शुल्क पाँच रुपये है।",
    "th": "การคืนสินค้าทำได้ภายในสามสิบวัน ค่าจัดส่งห้าบาทและพัสดุจะถึงพรุ่งนี้",
    "zh": "顾客可以在收到商品之后的三十天之内申请退货。商品必须保持未使用的状态。",
    "zh-Hant": "顧客可以在收到商品之後的三十天之內申請退貨。商品必須保持未使用的狀態。",
    "ja": "お客様は商品を受け取ってから三十日以内であれば返品を申し込むことができます。",
    "ko": "고객은 상품을 받은 후 삼십 일 이내에 반품을 신청할 수 있습니다.",
}
LEGACY = {
    "de": ("cp1252", "iso8859-15", "cp850", "mac_roman"),
    "fr": ("cp1252", "cp850"),
    "es": ("cp1252", "cp850"),
    "pl": ("cp1250", "iso8859-2"),
    "cs": ("cp1250", "iso8859-2"),
    "hu": ("cp1250", "iso8859-2"),
    "tr": ("cp1254",),
    "ru": ("cp1251", "koi8-r", "cp866"),
    "el": ("cp1253",),
    "he": ("cp1255",),
    "ar": ("cp1256",),
    "th": ("cp874",),
    "zh": ("gb18030",),
    "zh-Hant": ("big5",),
    "ja": ("cp932", "euc_jp", "iso2022_jp"),
    "ko": ("cp949",),
}

languages = st.sampled_from(sorted(TEXTS))
copies = st.sampled_from([1, 2, 20, 700])


@given(languages, copies, st.integers(1, 3))
@settings(max_examples=120, deadline=None)
def test_a_file_cut_within_a_character_stays_what_it_was(language: str, times: int, lost: int):
    data = ((TEXTS[language] + "\n") * times).rstrip("\n").encode()[:-lost]

    assert decode(data) == data.decode("utf-8", errors="replace")


@given(languages, copies, st.sampled_from([0xFC, 0xE9, 0x80, 0xFF, 0xC0]), st.data())
@settings(max_examples=120, deadline=None)
def test_one_wrong_byte_costs_itself(language: str, times: int, wrong: int, data: st.DataObject):
    text = (TEXTS[language] + "\n") * times
    at = data.draw(st.integers(0, min(len(text), 300)))
    damaged = text[:at].encode() + bytes([wrong]) + b" " + text[at:].encode()

    read = decode(damaged)

    assert read == f"{text[:at]}\ufffd {text[at:]}"
    assert decode(damaged, stated="utf-8") == decode(damaged, stated="latin-1") == read


@given(languages, copies, st.sampled_from(["utf-16-le", "utf-16-be"]))
@settings(max_examples=80, deadline=None)
def test_utf_16_needs_no_mark(language: str, times: int, encoding: str):
    text = (TEXTS[language] + "\n") * times

    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_of_han_alone_and_of_a_table_is_found(encoding: str):
    for text in (TEXTS["zh"], "Plan\tPreis\nBasis\t10\n", "Тариф\tЦена\nБазовый\t10\n"):
        assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("language", "encoding"), [(key, each) for key, found in LEGACY.items() for each in found]
)
def test_old_encodings_of_a_sentence_are_told_apart(language: str, encoding: str):
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


def test_few_characters_are_enough_for_japanese():
    assert decode("お届け日".encode("cp932")) == "お届け日"


@pytest.mark.parametrize(
    ("data", "stated", "text"),
    [
        (b"caf\xe9", None, "café"),
        (b"Gr\xf6\xdfenverh\xe4ltnisse", None, "Größenverhältnisse"),
        (b"Gr\xf6sse", "utf-8", "Gr\ufffdsse"),
        ("Größe ".encode() + b"Gr\xf6\xdfe", "utf-8", "Größe Gr\ufffd\ufffde"),
        (b"Plan,Pri\0ce\nBasic,10\n", None, "Plan,Price\nBasic,10\n"),
        ("Größe\0,10".encode(), None, "Größe,10"),
    ],
)
def test_single_bytes_are_weighed(data: bytes, stated: str | None, text: str):
    assert decode(data, stated=stated) == text


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_text(data: bytes):
    assert isinstance(decode(data), str)


@pytest.mark.parametrize("flaw", [b"\xed\xa0\x80", b"\xc0\xaf", b"\xc0\x80"])
def test_what_other_programs_write_as_utf8_costs_itself(flaw: bytes):
    text = "Die Leihgebühr beträgt zehn Euro für jeden Tag."
    data = text.encode()

    decoded = decode(data[:30] + flaw + data[30:])

    assert decoded.replace("\ufffd", "") == text
