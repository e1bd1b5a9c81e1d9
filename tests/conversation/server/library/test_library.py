"""Names of files that come from strangers."""

import pytest

from conversation.server.library.library import MAX_NAME_CHARS, safe_file_name


@pytest.mark.parametrize(
    ("name", "is_text", "expected"),
    [
        ("Refund policy", True, "Refund policy"),
        ("notes.html", True, "notes.html.txt"),
        ("handbook.pdf", False, "handbook.pdf"),
        ("../../etc/passwd", False, "passwd"),
        ("C:\\files\\letter.docx", False, "letter.docx"),
        ("..", False, "document"),
        ("", True, "document"),
        ("a\x00b*?[c].md", False, "a_b_c_.md"),
        ("Größen & Maße.md", False, "Größen & Maße.md"),
    ],
)
def test_a_file_name_leads_nowhere_else(name: str, is_text: bool, expected: str):
    assert safe_file_name(name, is_text=is_text) == expected


def test_a_long_name_keeps_its_suffix():
    name = safe_file_name("x" * 500 + ".pdf", is_text=False)
    assert len(name) == MAX_NAME_CHARS
    assert name.endswith("x.pdf")
