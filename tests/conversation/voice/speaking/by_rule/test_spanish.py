import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.voice.speaking.by_rule.spanish import SpanishSpeaker, open_spanish
from conversation.voice.speaking.english.clause_words import in_plain_letters


@pytest.fixture(scope="module")
def speaker() -> SpanishSpeaker:
    return open_spanish()


def said(speaker: SpanishSpeaker, clause: str) -> str:
    return " ".join(part.phonemes or part.pause for part in speaker.pronounce(clause).parts)


@pytest.mark.parametrize(
    ("clause", "phonemes"),
    [
        ("Buenos días, García.", "bwˈenos dˈias , ɡaɾsˈia ."),
        ("¿Puede venir mi perro?", "pwˈeðe benˈiɾ mi pˈero ?"),
        ("bien, cuidado, ciudad, fui", "bjˈen , kwiðˈaðo , sjuðˈað , fwˈi"),
        ("país, oír, búho, continúa", "paˈis , oˈiɾ , bˈuo , kontinˈua"),
        ("treinta autos hoy", "tɾˈAnta ˈWtos ˈoɪ"),
        ("el pingüino, la guitarra, el queso", "el pinɡwˈino , la ɡitˈara , el kˈeso"),
        ("el año, la calle, México", "el ˈaɲo , la kˈaʝe , mˈeksiko"),
        ("El IVA y el DNI", "el ˈiβa i el dˈe ˈene ˈi"),
        ("un PDF de la ONU", "un pˈe dˈe ˈefe de la ˈonu"),
        ("¡ATENCIÓN CLIENTES!", "atensjˈon kljˈentes !"),
        ("1 hora al 21 %", "una ˈoɾa al bAntjˈuno poɾ sjˈento"),
        ("cuesta 49 €", "kwˈesta kwaɾˈenta i nwˈeβe ˈeʊɾos"),
        ("el plan B", "el plan bˈe"),
    ],
)
def test_spanish_as_it_is_written(speaker: SpanishSpeaker, clause: str, phonemes: str):
    assert said(speaker, clause) == phonemes


def test_what_is_no_latin_is_counted_and_left_out(speaker: SpanishSpeaker):
    found = speaker.pronounce("Hola Привет 東京")

    assert [part.phonemes for part in found.parts] == ["ˈola"]
    assert found.unreadable == {"CYRILLIC": 6, "CJK": 2}
    assert not speaker.pronounce("Привет").says_something


def test_an_accent_on_a_composed_or_a_decomposed_letter_is_the_same(speaker: SpanishSpeaker):
    assert said(speaker, "an\u0303o co\u0301mo") == said(speaker, "año cómo")


@given(st.text(max_size=60) | st.text("aeiouáíúünñrlcdg .,1%'-ABC", max_size=60))
def test_whatever_is_written_has_its_place(clause: str):
    parts = open_spanish().pronounce(clause).parts

    end = 0
    for part in parts:
        assert end <= part.start_char < part.end_char <= len(clause)
        assert bool(part.pause) != bool(part.phonemes)
        end = part.end_char


@given(st.text("abcdefghijlmnñopqrstuvxyzáéíóúü", min_size=1, max_size=20))
def test_every_word_is_heard_with_one_stress_at_most(word: str):
    phonemes = said(open_spanish(), word)

    has_vowel = any(char in "aeiou" for char in in_plain_letters(word) or "")
    assert phonemes
    assert not has_vowel or phonemes.count("ˈ") <= 1


@pytest.mark.parametrize("repeated", ["a", "A", "hola ", "'", "1", ".", "1.", "\u0301", "ñu-"])
def test_time_grows_with_the_text_alone(speaker: SpanishSpeaker, repeated: str):
    def seconds(count: int) -> float:
        took: list[float] = []
        for _ in range(3):
            began = time.thread_time()
            speaker.pronounce(repeated * count)
            took.append(time.thread_time() - began)
        return min(took)

    seconds(100)
    assert seconds(8_000) < 40 * max(seconds(800), 0.002)
