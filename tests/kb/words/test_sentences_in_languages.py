"""Where sentences end in languages that mark it in other ways, or write points inside."""

import sys

import pytest
import regex

from kb.words.sentences import SENTENCE_MARKS, finished_length, split_sentences

_NEED_A_SPACE = {*".!?", "\u2024", "\ufe52", "\uff0e"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Das gilt z. B. für Kinder, d. h. bis 12 Jahre.", "Danach zahlt man."),
        ("Dr. Müller kommt am 3. März.", "Er bleibt."),
        ("Vom 3. 4. 2026 an kostet es ca. 5 Euro bzw. 6 Euro.", "Gut."),
        ("Es sind Nr. 5 und u. a. Nr. 6, inkl. Mwst.", "Mehr nicht."),
        ("Sra. López vive en la Av. Mayor.", "Él viene."),
        ("Mme. Durand est au no 5.", "Elle attend."),
        ("Det er den 3. juni, bl. a. her.", "Kom."),
        ("Нельзя, т. е. закрыто на ул. Мира.", "Он там."),
        ("Писал А. С. Пушкин.", "Он там."),
        ("Stoi to np. na ul. Długiej.", "Tak."),
        ("هل هو مغلق؟", "نعم، هو مغلق."),
        ("کیا یہ بند ہے؟", "جی ہاں۔"),
        ("यह बंद है।", "वह खुला है।"),
        ("これは本です。", "それはペンです！"),
        ("这是书吗？", "是。"),
        ("他说：“今天不开门。”", "明天开。"),
        ("値は３．５倍である．", "次に進む．"),
        ("Գրադարանը փակ է։", "Այն մեծ է։"),
        ("ቤተ መጻሕፍቱ ዝግ ነው።", "ነገ ይከፈታል፧"),
        ("បណ្ណាល័យបិទ។", "វាធំ។"),
        ("စာကြည့်တိုက် ပိတ်သည်။", "ကြီးသည်။"),
        ("ᠨᠣᠮ᠃", "ᠪᠠᠢᠨ᠎ᠠ᠃"),
        ("It costs 1.50.", "It is 3."),
        ("No, you can't.", "Ask him."),
        ("I wish you\u2019d.", "Ask him."),
        ("Take vitamin c.", "It helps."),
    ],
)
def test_two_sentences_are_two(first: str, second: str):
    text = f"{first} {second}"

    assert [part.text for part in split_sentences(text)] == [first, second]
    assert finished_length(f"{first} {second[:1]}") == len(first)


def test_the_marks_are_those_of_unicode():
    every = "".join(map(chr, range(sys.maxunicode)))
    marks = set(regex.findall(r"\p{Sentence_Terminal}", every)) - _NEED_A_SPACE

    assert set(regex.findall(f"[{SENTENCE_MARKS}]", every)) == marks
