import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversation.voice.speaking.english.speakers import a_speaker, said


def test_words_and_pauses_stand_where_the_clause_has_them():
    clause = "Hello,  world!"
    parts = a_speaker().pronounce(clause).parts

    assert [(clause[p.start_char : p.end_char], p.phonemes, p.pause) for p in parts] == [
        ("Hello", "həlˈO", ""),
        (",", "", ","),
        ("world", "wˈɜɹld", ""),
        ("!", "", "!"),
    ]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        # The article before a vowel, "to" before one, and both at the end.
        ("the apple", "ði ˈæpᵊl"),
        ("the file", "ðə fˈIl"),
        ("go to it", "ɡˈO tʊ ɪt"),
        ("go to you", "ɡˈO tə ju"),
        ("a file", "ɐ fˈIl"),
        ("A file", "ɐ fˈIl"),
        ("file A", "fˈIl ˈA"),
        ("I can, you can go", "ˌI kˈæn , ju kæn ɡˈO"),
        # Two pronunciations of one spelling.
        ("they record it", "ðA ɹəkˈɔɹd ɪt"),
        ("the record is", "ðə ɹˈɛkəɹd ɪz"),
        ("to record", "tə ɹəkˈɔɹd"),
        ("Record a call", "ɹəkˈɔɹd ɐ kˈɔl"),
        ("Close the door", "klˈOz ðə dˈɔɹ"),
        ("a close friend", "ɐ klˈOs fɹˈɛnd"),
        ("it is close", "ɪt ɪz klˈOs"),
        ("we have read it", "wi hæv ɹˈɛd ɪt"),
        ("please read it", "plˈiz ɹˈid ɪt"),
        ("it was read", "ɪt wʌz ɹˈɛd"),
        ("they read it yesterday", "ðA ɹˈɛd ɪt jˈɛstəɹdˌA"),
        ("they live in Zurich", "ðA lˈɪv ɪn zˈuɹɪk"),
        ("Anna lives in Zurich", "ˈænə lˈɪvz ɪn zˈuɹɪk"),
        ("a live call", "ɐ lˈIv kˈɔl"),
        ("the use", "ðə jˈus"),
        ("use it", "jˈuz ɪt"),
        ("we used to go", "wi jˈust tə ɡˈO"),
        ("it is used to go", "ɪt ɪz jˈuzd tə ɡˈO"),
        ("it can separate calls", "ɪt kæn sˈɛpəɹˌAt kˈɔlz"),
        ("separate calls", "sˈɛpəɹət kˈɔlz"),
        ("they always record", "ðA ˈɔlwˌAz ɹəkˈɔɹd"),
        # Letters.
        ("API", "ˌApˌiˈI"),
        ("APIs", "ˌApˌiˈIz"),
        ("the US", "ðə jˌuˈɛs"),
        ("U.S.", "jˌuˈɛs"),
        ("SQL", "sˈikwəl"),
        ("html", "ˌAʧtˌiˌɛmˈɛl"),
        ("P M", "pˈi ˈɛm"),
        ("NASA", "nˈæsə"),
        ("PLEASE STOP IT", "plˈiz stˈɑp ɪt"),
        ("iPhone", "ˌIfˈOn"),
        # Endings, compounds, accents, hyphens.
        ("the file's", "ðə fˈIlz"),
        ("the API's", "ði ˌApˌiˈIz"),
        ("the call\u2019ll stop", "ðə kˈɔləl stˈɑp"),
        ("backchannel", "bˈækʧˌænᵊl"),
        ("Z\u00fcrich", "zˈuɹɪk"),
        ("Zu\u0308rich", "zˈuɹɪk"),
        ("well-known", "wˈɛl nˈOn"),
        ("Wi-Fi", "wˈIfˌI"),
        ("re-read it", "ɹˌi ɹˈid ɪt"),
        ("US-call", "jˌuˈɛs kˈɔl"),
        ("well-known's", "wˈɛl nˈOnz"),
        ("Ph.D.", "pˌiˌAʧdˈi"),
        ("phoneUS", "fˌOnjˌuˈɛs"),
        ("dot uk", "dˈɑt jˌukˈA"),
        ("US calls", "jˌuˈɛs kˈɔlz"),
        ("CALL US", "kˈɔl ˌʌs"),
        # What should have been put into words before is said all the same.
        ("42%", "fˈɔɹɾi tˈu pəɹsˈɛnt"),
        ("42 calls", "fˈɔɹɾi tˈu kˈɔlz"),
    ],
)
def test_words_are_said_as_their_neighbours_ask(clause: str, expected: str):
    known = {
        "have": "hæv", "was": "wʌz", "yesterday": "jˈɛstəɹdˌA", "Anna": "ˈænə", "always": "ˈɔlwˌAz",
        "Wi-Fi": "wˈIfˌI", "re-": "ɹˌi", "dot": "dˈɑt",
    }  # fmt: skip

    assert said(clause, **known) == expected


@pytest.mark.parametrize(
    ("clause", "pause"),
    [
        ("hello...", "…"),
        ("hello?!", "?"),
        ("hello!?", "?"),
        ("hello \u2014 world", "\u2014"),
        ("hello \u2013 world", "\u2014"),
        ("hello - world", "\u2014"),
        ("hello\u3002", "."),
        ("hello.,", "."),
    ],
)
def test_a_run_of_marks_is_one_pause(clause: str, pause: str):
    assert [part.pause for part in a_speaker().pronounce(clause).parts if part.pause] == [pause]


@pytest.mark.parametrize(
    ("clause", "left_out"),
    [
        ("hello \u041f\u0440\u0438\u0432\u0435\u0442", {"CYRILLIC": 6}),
        ("\u4f60\u597d", {"CJK": 2}),
        ("\u03b1\u03b2 hello \u05d0", {"GREEK": 2, "HEBREW": 1}),
        ("hello", {}),
        ('"hello" (world)', {}),
    ],
)
def test_letters_of_other_scripts_are_counted_not_guessed(clause: str, left_out: dict[str, int]):
    said = a_speaker().pronounce(clause)

    assert said.unreadable == Counter(left_out)
    assert said.says_something == ("hello" in clause)


def test_names_are_read_by_the_network_and_abbreviations_are_not():
    assert said("Ramirez") != said("RMRZ")
    assert said("RMRZ") == "ˌɑɹˌɛmˌɑɹzˈi"


@given(st.text(max_size=80))
def test_whatever_is_written_has_its_place(clause: str):
    parts = a_speaker().pronounce(clause).parts

    end = 0
    for part in parts:
        assert end <= part.start_char < part.end_char <= len(clause)
        assert bool(part.pause) != bool(part.phonemes) or not part.phonemes
        end = part.end_char


@pytest.mark.parametrize(
    "repeated", ["a", "A", "record ", "'", "a'", "1", ".", "\u0301", "use to "]
)
def test_time_grows_with_the_text_alone(repeated: str):
    speaker = a_speaker()

    def seconds(count: int) -> float:
        took: list[float] = []
        for _ in range(3):
            began = time.thread_time()
            speaker.pronounce(repeated * count)
            took.append(time.thread_time() - began)
        return min(took)

    seconds(100)
    assert seconds(8_000) < 40 * max(seconds(800), 0.002)
