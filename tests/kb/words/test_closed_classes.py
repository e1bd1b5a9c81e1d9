import pytest

from kb.retrieval.small_talk import should_search
from kb.words.courtesies import courtesy_of
from kb.words.negations import is_negated
from kb.words.number_names import han_number, number_names


@pytest.mark.parametrize(
    ("language", "word", "number"),
    [
        ("ru", "двух", 2),
        ("ru", "шестью", 6),
        ("pl", "dwiema", 2),
        ("cs", "ctyricet", 40),
        ("ar", "ستة", 6),
        ("tr", "kirk", 40),
        ("hi", "छह", 6),
        ("ko", "여섯", 6),
        ("nb", "seks", 6),
    ],
)
def test_words_are_numbers_in_their_cases(language: str, word: str, number: int):
    assert number_names(language)[word] == number


def test_one_and_unknown_languages_have_no_names():
    assert 1 not in number_names("ru").values()
    assert number_names("xx") == {}


@pytest.mark.parametrize(
    ("numeral", "number"),
    [
        *(("六", 6), ("十", 10), ("十六", 16), ("四十五", 45), ("一百二十", 120), ("两千", 2000)),
        *(("三万五千", 35_000), ("二〇二六", 2026), ("一", None), ("千", None), ("万", None)),
    ],
)
def test_numbers_in_chinese_characters(numeral: str, number: int | None):
    assert han_number(numeral) == number


@pytest.mark.parametrize(
    ("language", "denied", "affirmed"),
    [
        ("en", "You can't park here.", "You can park here."),
        ("de", "Hier ist kein Parkplatz.", "Hier ist ein Parkplatz."),
        ("cs", "Tady neparkujte.", "Nejlepší parkování nebo garáž."),
        ("tr", "Burada park edilmez.", "Burada park edilir."),
        ("zh", "这里不能停车。", "这里可以停车。"),
        ("ja", "ここに駐車できません。", "ここに駐車できます。"),
        ("ko", "여기에 주차할 수 없습니다.", "여기에 주차할 수 있습니다."),
        ("th", "จอดรถไม่ได้", "จอดรถได้"),
        ("nn", "Du kan ikke parkere.", "Du kan parkere."),
    ],
)
def test_denials(language: str, denied: str, affirmed: str):
    assert is_negated(denied, language)
    assert not is_negated(affirmed, language)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Hallo!", "hello"),
        ("Guten Tag, vielen Dank", "thanks"),
        ("Auf Wiedersehen", "bye"),
        ("你好，谢谢！", "thanks"),
        ("こんにちは", "hello"),
        ("Merci beaucoup, au revoir.", "thanks"),
        ("¡Hola! Buenos días", "hello"),
    ],
)
def test_courtesies_ask_for_nothing(said: str, kind: str):
    assert courtesy_of(said) == kind
    assert not should_search(said)


@pytest.mark.parametrize(
    "said",
    ["Hallo, wann habt ihr auf?", "你好，几点开门？", "Tagung", "Hola, ¿cuánto cuesta?", "?"],
)
def test_what_asks_beside_a_greeting_is_searched_for(said: str):
    assert courtesy_of(said) is None
