import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.privacy.pii import BuiltinDetector
from analysis.privacy.pii_numbers import is_card_number, is_iban, spoken_digits
from conversation.agent.privacy_config import BUILTIN_KINDS, PIIKind
from tests.analysis.pii_sentences import HELD_OUT, SENTENCES

_MARK = re.compile(r"\{(\w+):([^}]*)\}")


def found_in(text: str, *kinds: PIIKind) -> list[tuple[str, str]]:
    findings = BuiltinDetector().find(text, kinds or BUILTIN_KINDS)
    return [(finding.kind, text[finding.start : finding.end]) for finding in findings]


def marked(line: str) -> tuple[str, set[tuple[str, int, int]]]:
    text, at, truth = "", 0, set[tuple[str, int, int]]()
    for mark in _MARK.finditer(line):
        text += line[at : mark.start()]
        truth.add((mark[1], len(text), len(text) + len(mark[2])))
        text += mark[2]
        at = mark.end()
    return text + line[at:], truth


def precision_and_recall(sentences: str) -> tuple[float, float, int]:
    right, found_count, true_count = 0, 0, 0
    for line in sentences.strip().splitlines():
        text, truth = marked(line)
        found = {(f.kind, f.start, f.end) for f in BuiltinDetector().find(text, BUILTIN_KINDS)}
        right += len(found & truth)
        found_count += len(found)
        true_count += len(truth)
    return right / found_count, right / true_count, true_count


def test_what_is_marked_is_found_and_little_else():
    precision, recall, count = precision_and_recall(SENTENCES)
    assert count == 53
    assert precision >= 0.98
    assert recall >= 0.98


def test_sentences_that_the_detector_was_not_made_with_hold_up():
    precision, recall, count = precision_and_recall(HELD_OUT)
    assert count == 22
    assert precision >= 0.9
    assert recall >= 0.95


def test_only_the_kinds_asked_for_are_found():
    text = "ann@example.org, +1 415 555 0132"
    assert found_in(text, "email") == [("email", "ann@example.org")]
    assert found_in(text, "phone") == [("phone", "+1 415 555 0132")]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("0000000000000000", False),
        ("9999999999999995", False),
        ("378282246310005", True),
    ],
)
def test_card_numbers_have_an_issuer_and_a_check_digit(digits: str, expected: bool):
    assert is_card_number(digits) is expected


@given(st.integers(min_value=0, max_value=17), st.integers(min_value=1, max_value=9))
def test_one_changed_digit_makes_an_iban_wrong(place: int, change: int):
    body = "370400440532013000"
    digit = str((int(body[place]) + change) % 10)
    assert is_iban(f"DE89{body}")
    assert not is_iban(f"DE89{body[:place]}{digit}{body[place + 1 :]}")


def test_digits_are_read_as_they_are_spoken():
    assert [digits for _, _, digits in spoken_digits("call oh one seven, double five three 9")] == [
        "0175539"
    ]
    assert list(spoken_digits("one two three. four five six seven")) == []


@given(st.text(max_size=120))
def test_findings_lie_in_the_text_in_order_and_apart(text: str):
    findings = BuiltinDetector().find(text, BUILTIN_KINDS)
    ends = [0]
    for finding in findings:
        assert ends[-1] <= finding.start < finding.end <= len(text)
        ends.append(finding.end)


def test_a_long_text_without_personal_data_is_read_quickly():
    text = "1 " * 20_000 + "a-" * 20_000 + "one " * 5_000 + "x at y dot " * 3_000
    assert len(BuiltinDetector().find(text, BUILTIN_KINDS)) < 20_000


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        (
            "meine Adresse ist anna punkt lee ät gmail punkt com",
            "email",
            "anna punkt lee ät gmail punkt com",
        ),
        ("c'est anne arobase orange point fr", "email", "anne arobase orange point fr"),
        ("mi correo: ana arroba gmail punto com", "email", "ana arroba gmail punto com"),
        ("mein Passwort ist Sommer2024", "secret", "Sommer2024"),
        ("mon mot de passe est soleil2024", "secret", "soleil2024"),
        ("mi contraseña es verano2024", "secret", "verano2024"),
        ("meine PIN ist vier acht zwei eins", "secret", "vier acht zwei eins"),
        ("my social is 123-45-6789", "secret", "123-45-6789"),
        ("mi número es 612 345 678", "phone", "612 345 678"),
        ("Meine Handynummer ist 0151 23456789", "phone", "0151 23456789"),
    ],
)
def test_personal_data_is_found_as_it_is_said_elsewhere(text: str, kind: str, shown: str):
    assert found_in(text) == [(kind, shown)]


@pytest.mark.parametrize(
    "text",
    [
        "My call lasted 1234567 milliseconds",
        "call me when 4500000 visitors came",
        "the number is 25000000",
        "flight LH 0400 123456",
        "room 0301 2345678",
        "token is expired2",
        "the pin code4 thing",
        "the pin is not working",
        "I looked at gmail com",
        "we are at this point in time ready",
        "das Passwort ist leider falsch",
        "la clave es el precio",
        "el número de pedido es 987654321",
        "numéro de commande 123456789",
        "die Nummer der Bestellung ist 47110001",
    ],
)
def test_what_only_looks_like_personal_data_is_left_alone(text: str):
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("ann at gmail com", "email", "ann@gmail.com"),
        ("ann dot lee at web de", "email", "ann.lee@web.de"),
        ("\uff0b49 30 1234567", "phone", "+49301234567"),
        ("null eins sieben fünf drei neun acht zwei", "phone", "01753982"),
        ("zéro un deux trois quatre cinq six sept", "phone", "01234567"),
        ("cero uno dos tres cuatro cinco seis", "phone", "0123456"),
        ("call \u0660\u0663\u0660\u0661\u0662\u0663\u0664\u0665\u0666", "phone", "030123456"),
        ("the pin is four eight two one", "secret", "4821"),
        ("my PIN is one two three four", "secret", "1234"),
        ("my pin is 4821", "secret", "4821"),
        ("SSN 123456789", "secret", "123456789"),
        ("otp A7X9Q2", "secret", "A7X9Q2"),
        ("the password is hunter2", "secret", "hunter2"),
        ("call 5551234 please", "phone", "5551234"),
    ],
)
def test_personal_data_is_found_however_it_is_said(text: str, kind: str, value: str):
    (found,) = BuiltinDetector().find(text, BUILTIN_KINDS)

    assert (found.kind, found.value) == (kind, value)
