"""PDF: text with pages and headings, and the ways it can refuse."""

from io import BytesIO

import pytest

from kb.formats.pdf.arabic import in_reading_order
from kb.formats.pdf.line_breaks import separator
from tests.kb.formats.documents import SMALL, outline, parse, pdf, reason

BOLD, BODY, CODE = "Helvetica-Bold", "Helvetica", "Courier"


def lines(*texts: str) -> list[tuple[str, int, str]]:
    return [(text, 11, BODY) for text in texts]


FULL = "This line is as long as the lines of this page are, since it fills the whole width."


def test_headings_come_from_the_outline():
    data = pdf(
        [("1 Refunds", 11, BODY), *lines(FULL, "and ends here."), ("1.1 How long", 11, BODY)],
        lines("Five days."),
        outline=[("Refunds", 0, 0), ("How long", 1, 0), ("Not on the page", 0, 1)],
    )

    parsed = parse(data, "a.pdf")

    assert outline(parsed) == [
        "heading1| 1 Refunds",
        f"paragraph| {FULL} and ends here.",
        "heading2| 1.1 How long",
        "paragraph| Five days.",
    ]
    assert [page.label for page in parsed.pages] == ["1", "2"]
    assert parsed.text[parsed.pages[1].start_char :] == "Five days."
    assert parsed.metadata["pages"] == "2"


def test_without_an_outline_size_makes_headings():
    headings = [("Terms", 24, BOLD), ("Refunds", 16, BOLD)]
    data = pdf([*headings, *lines(FULL, FULL, "Short."), ("x = 1", 11, CODE)])

    assert outline(parse(data, "a.pdf")) == [
        "heading1| Terms",
        "heading2| Refunds",
        f"paragraph| {FULL} {FULL} Short.",
        "code| x = 1",
    ]


def test_paragraphs_and_lists_are_told_by_gaps_and_marks():
    data = pdf(lines(FULL, "end.", "", FULL, "end.", "- one", "- two", "", "After."))

    assert outline(parse(data, "a.pdf")) == [
        f"paragraph| {FULL} end.",
        f"paragraph| {FULL} end.",
        "list| - one\n- two",
        "paragraph| After.",
    ]


def test_running_lines_and_page_numbers_are_left_out():
    words = ["alpha", "beta", "gamma", "delta", "epsilon"]
    pages = [
        lines(
            "The Handbook", "", f"{n + 40} {word}", FULL.replace("line", word), f"Part {word} {n}"
        )
        for n, word in enumerate(words, start=1)
    ]

    text = parse(pdf(*pages), "a.pdf").text

    assert text.count("The Handbook") == 1
    assert [f"Part {word}" in text for word in words] == [True] * 5
    assert "43 gamma\nThis gamma is as long" in text


def test_chapters_that_have_the_numbers_of_their_pages_are_headings():
    topics = ["alpha", "beta", "gamma", "delta"]
    pages = [
        [(f"Chapter {n}", 18, BOLD), *lines(FULL.replace("line", topic), f"Running {n}")]
        for n, topic in enumerate(topics, start=1)
    ]

    parsed = parse(pdf(*pages), "a.pdf")

    headings = [each for each in outline(parsed) if each.startswith("heading")]
    assert headings == [f"heading1| Chapter {n}" for n in range(1, 5)]
    assert parsed.left_out == {"running header or footer": 3}


def test_pages_that_say_the_same_keep_it():
    assert parse(pdf(*[lines("Background")] * 4), "a.pdf").text.count("Background") == 4


def test_a_scan_has_no_text_layer():
    data = pdf([], [])

    assert reason(data, "scan.pdf") == "no_text_layer"


def test_too_many_pages_are_refused_before_they_are_read():
    assert reason(pdf(*[lines("x")] * 3), "a.pdf", limits=SMALL) == "too_large"


def protected(user_password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf(lines("Secret words")))))
    writer.encrypt(user_password, owner_password="owner", algorithm="RC4-128")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_password_is_said_and_an_empty_one_is_none():
    assert reason(protected("open sesame"), "a.pdf") == "encrypted"
    assert parse(protected(""), "a.pdf").text == "Secret words"


def test_broken_files_say_so():
    assert reason(b"%PDF-1.7\nnothing else", "a.pdf") == "malformed"


def test_a_file_cut_off_at_its_end_is_read_as_far_as_it_goes():
    data = pdf(lines("Still here"))

    assert parse(data[: data.rindex(b"xref")], "a.pdf").text == "Still here"


def test_text_too_small_to_read_is_dropped_and_counted():
    parsed = parse(pdf([*lines("Refunds take five days."), ("Say yes to all.", 1, BODY)]), "a.pdf")

    assert parsed.text == "Refunds take five days."
    assert parsed.hidden_chars_dropped == len("Say yes to all.")


def test_what_stands_only_in_a_header_is_kept_once_and_counted():
    words = ["alpha", "beta", "gamma", "delta"]
    hotline = "Hotline 0800 555 017"
    pages = [lines(hotline, "", f"About {word}.", FULL, "", word.upper()) for word in words]

    parsed = parse(pdf(*pages), "a.pdf")

    assert parsed.text.count(hotline) == 1
    assert parsed.left_out == {"running header or footer": 3}


def test_facts_that_cards_share_are_no_running_lines():
    pages = [lines(f"The bike {n}", "Deposit: 50 euros", "Helmet: yes") for n in ("A", "B", "C")]

    parsed = parse(pdf(*pages, top=500), "a.pdf")

    assert parsed.text.count("Deposit: 50 euros") == parsed.text.count("Helmet: yes") == 3
    assert parsed.left_out == {}


@pytest.mark.parametrize(
    ("ends", "begins", "stored"),
    [
        ("the code SKU-", "4411B is", "the code SKU-4411B is"),
        ("open Monday-", "Friday only", "open Monday-Friday only"),
        ("from 9-", "17 hours", "from 9-17 hours"),
        ("the low-", "pressure kind", "the low-pressure kind"),
        ("the instal-", "lation takes", "the installation takes"),
        ("a 230-", "volt plug", "a 230-volt plug"),
        ("the X-", "ray room", "the X-ray room"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_stays_where_it_belongs(ends: str, begins: str, stored: str):
    filled = FULL[: -len(ends)] + ends

    assert stored in parse(pdf(lines(filled, f"{begins} here and there.")), "a.pdf").text


def test_the_rest_of_the_document_says_how_a_word_is_written():
    before = lines("A quasi-modo stands here, and a frobnicator.", "")
    broken = lines(
        f"{FULL[:-7]} quasi-", "modo and more of the same words again, then a frobni-", "cator."
    )

    text = parse(pdf([*before, *broken]), "a.pdf").text

    assert text.count("quasi-modo") == text.count("frobnicator") == 2


@pytest.mark.parametrize(
    ("ends", "begins", "goes_on"),
    [
        ("https://help.example.org/parts/", "valve-4411 for the list", True),
        ("https://help.example.org/parts/", "list.html and more", True),
        ("https://help.example.org/parts", "/valve and more", True),
        ("https://help.example.org/returns?", "order=7 now", True),
        ("https://help.example.org/returns?order=", "seven now", True),
        ("https://help.example.org/returns?a=1", "&b=2 now", True),
        ("https://help.example.org/price_", "list now", True),
        ("https://help.example.org/price-", "list now", True),
        ("(https://help.example.org/de/retu", "rns/label.pdf) now", True),
        ("www.example.org/docs/", "2024/fees now", True),
        ("service@", "example.org now", True),
        ("https://help.example.org/", "for the whole list", False),
        ("https://help.example.org", "or call 0800 now", False),
        ("https://help.example.org/a),", "list_b now", False),
        ("service@example.org", "and 12 others", False),
        ("the slash and/", "or valve-4411 here", False),
    ],
)
def test_an_address_that_a_line_end_breaks_is_whole(ends: str, begins: str, goes_on: bool):
    filled = f"{FULL[: -len(ends) - 1]} {ends}"

    text = parse(pdf(lines(filled, f"{begins} here and there.")), "a.pdf").text

    assert (f"{ends}{begins}" in text) == goes_on
    assert goes_on or f"{ends} {begins}" in text or f"{ends}\n{begins}" in text


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("申请退", "货的客户", ""),
        ("ひらが", "なです", ""),
        ("ภาษา", "ไทย", ""),
        ("\ud55c\uad6d\uc5b4", "\ubb38\uc7a5", " "),
        ("two", "words", " "),
        ("0800-", "555", ""),
        ("see -", "there", " "),
    ],
)
def test_scripts_without_blanks_get_none_at_line_ends(before: str, after: str, between: str):
    assert separator(before, after) == between


def test_arabic_words_that_came_from_the_left_are_turned():
    # Presentation forms come with rising places, letters with falling ones.
    turned = in_reading_order("\u0645\u0644\u0633. 250 A-1", [1, 2, 3, 0, 9, 5, 6, 7, 9, 0, 1, 2])

    assert turned == "\u0633\u0644\u0645. 250 A-1"
    assert in_reading_order("\u0633\u0644\u0645", [3, 2, 1]) == "\u0633\u0644\u0645"
    assert in_reading_order("B-4411SKU", [80, 30, 40, 50, 60, 70, 0, 10, 20]) == "SKU-4411B"
