"""Names that look like something else in a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from conversation.server.incoming.names import ReadableName, cleaned_name

pytestmark = pytest.mark.hostile
_name: TypeAdapter[str] = TypeAdapter(ReadableName)
MISLEADING = ["\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"]
MISLEADING += ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2069"]


@pytest.mark.parametrize("char", MISLEADING)
def test_a_name_on_two_lines_or_turned_round_is_refused_or_cleaned(char: str):
    for name in (f"a{char}b", f"{char}b", f"a{char}", char):
        with pytest.raises(ValidationError, match="on one line"):
            _name.validate_python(name)
        assert cleaned_name(name) == name.replace(char, "_")


@pytest.mark.parametrize(
    "name",
    [
        "Rücksendungen (2026)",
        "החזרות",
        "سياسة\u200cالإرجاع",
        "返品",
        "\u200fabc",
        "👩\u200d💻",
        "a\u00a0b",
    ],
)
def test_names_of_all_scripts_are_taken_as_they_are(name: str):
    assert _name.validate_python(name) == cleaned_name(name) == name


@given(st.text(max_size=20))
def test_what_was_cleaned_is_taken(name: str):
    cleaned = cleaned_name(name)
    assert _name.validate_python(cleaned) == cleaned
    assert len(cleaned) == len(name)
