"""Values that are known are found again as one pattern for each of them would find them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.privacy.known_values import KnownValues
from analysis.privacy.redaction import Redactor
from conversation.agent.privacy_config import PrivacySection
from tests.growth import growth

FORMS = (
    "ada@b.de",
    "ada@b.de.org",
    "+1 415 555",
    "0132",
    "x_y1",
    "\u00c4bc\u00e9",
    "a-b-c",
    "(12) 3",
)
PIECES = st.sampled_from(
    [*FORMS, "ADA@B.DE", " ", ".", "_", "1", "a", "\u0130", "\u00df", "\u00e4BC\u00c9"]
)


@given(st.lists(PIECES, max_size=8).map("".join), st.sets(st.sampled_from(FORMS)))
def test_each_is_found_where_its_own_pattern_finds_it(text: str, forms: set[str]):
    known = KnownValues()
    for form in sorted(forms):
        known.add(form, "secret", form)
    found = {(span.start, span.end, span.value) for span in known.find(text)}
    expected = {
        (match.start(), match.end(), form)
        for form in forms
        for match in re.finditer(rf"(?<!\w){re.escape(form)}(?!\w)", text, re.IGNORECASE)
    }
    assert expected <= found
    assert all(text[start:end].lower() == value.lower() for start, end, value in found)


@pytest.mark.hostile
@pytest.mark.parametrize("turns", [1, 40])
def test_a_thousand_addresses_cost_as_much_each_as_ten(turns: int):
    def work(text: str) -> None:
        addresses = " ".join(f"a{number}@b.de" for number in range(len(text) // 10))
        size = len(addresses) // turns + 1
        said = [addresses[at : at + size] for at in range(0, len(addresses), size)]
        redactor = Redactor(PrivacySection(redact=True))
        redactor.learn(said)
        for each in said:
            redactor.text(each)

    assert growth(work, "x", chars=8_000) < 6


def test_placeholders_go_on_beside_those_that_somebody_typed():
    redactor = Redactor(PrivacySection(redact=True))
    redactor.learn(["[EMAIL_2] a@b.de c@d.de e@f.de"])
    assert redactor.text("a@b.de c@d.de e@f.de") == "[EMAIL_1] [EMAIL_3] [EMAIL_4]"
