"""Text recognition: pages that are pictures, and what to say when it cannot be done."""

import importlib.util
import sys
from io import BytesIO
from typing import Any

import pytest

from kb.config import MEBIBYTE, KnowledgeBaseConfig, Limits, ParsingConfig, SandboxConfig
from kb.errors import DocumentError
from kb.formats.pdf.ocr import RecognisedText, reading_order, render_scale, to_lines
from kb.ingest.load import parse_bytes
from tests.kb.formats.documents import Page, outline, parse, pdf, reason, zipped

BODY = "Helvetica"
OCR = ParsingConfig(ocr=True)
LETTER: Page = [
    ("Returns", 22, BODY),
    ("", 11, BODY),
    ("", 11, BODY),
    ("You may send back what you bought within 30 days, unused and in its box.", 11, BODY),
    ("The shipping label costs 4.95 EUR and is taken off the refund.", 11, BODY),
    ("", 11, BODY),
    ("Refunds arrive within five working days on the card you paid with.", 11, BODY),
]
LETTER_WORDS = " ".join(text for text, _, _ in LETTER).split()

needs_ocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None,
    reason="the extra `ocr` is not installed: pip install 'vivavoce[ocr]'",
)


def scan(*pages: Page, dpi: int = 150, text_page: Page | None = None) -> bytes:
    """A PDF of pictures of pages, the way a scanner makes it; `text_page` comes first, as text."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=True)
    for at, (text, size, font) in enumerate(text_page or []):
        canvas.setFont(font, size)
        canvas.drawString(72, 780 - 14 * at, text)
    if text_page:
        canvas.showPage()
    drawn: Any = pypdfium2.PdfDocument(pdf(*pages))
    for index in range(len(pages)):
        picture = drawn[index].render(scale=dpi / 72, grayscale=True).to_pil()
        canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
        canvas.showPage()
    drawn.close()
    canvas.save()
    return buffer.getvalue()


def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the extra look absent."""
    from kb.formats.pdf import ocr

    ocr._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "rapidocr", None)


def test_without_ocr_a_scan_is_refused_with_the_option_and_the_command():
    with pytest.raises(DocumentError) as caught:
        parse(scan(LETTER, dpi=50), "scan.pdf")

    assert caught.value.reason == "no_text_layer"
    assert "`parsing.ocr`" in str(caught.value)
    assert "pip install 'vivavoce[ocr]'" in str(caught.value)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    missing(monkeypatch)

    with pytest.raises(DocumentError, match=r"'scan\.pdf' has pages without") as caught:
        parse(scan(LETTER, dpi=50), "scan.pdf", config=OCR)

    assert caught.value.reason == "ocr_missing"
    assert "pip install 'vivavoce[ocr]'" in str(caught.value)


def test_a_missing_extra_is_not_asked_for_by_blank_pages(monkeypatch: pytest.MonkeyPatch):
    missing(monkeypatch)

    assert parse(pdf(LETTER, []), "a.pdf", config=OCR).text.endswith("paid with.")
    assert reason(pdf([], []), "blank.pdf", config=OCR) == "no_text_layer"


def test_large_sheets_are_drawn_coarser():
    assert render_scale(595, 842) == pytest.approx(200 / 72)
    assert 14_400 * 14_400 * render_scale(14_400, 14_400) ** 2 == pytest.approx(6_000_000)


def piece(
    text: str, left: float, top: float, *, width: float = 200, height: float = 10
) -> RecognisedText:
    return RecognisedText(text, left, top, left + width, top + height)


def texts(found: list[RecognisedText]) -> list[str]:
    return [" ".join(part.text for part in row) for row in reading_order(found)]


def test_columns_are_read_one_after_the_other_between_lines_that_span_them():
    left = [piece(f"left column, line number {n}", 50, 100 + 14 * n) for n in range(6)]
    right = [piece(f"right column, line number {n}", 300, 101 + 14 * n) for n in range(6)]
    title, foot = piece("A title", 50, 60, width=450), piece("A foot", 50, 300, width=450)

    read = texts([foot, *right, *left, title])

    assert read == [part.text for part in (title, *left, *right, foot)]


def test_tables_are_read_row_by_row():
    names = [piece(f"Plan {n}", 50, 100 + 14 * n, width=60) for n in range(5)]
    prices = [piece(f"{n} EUR", 300, 102 + 14 * n, width=60) for n in range(5)]

    assert texts([*prices, *names]) == [f"Plan {n} {n} EUR" for n in range(5)]


def test_large_lines_get_a_size_and_words_cut_at_line_ends_are_joined():
    found = [
        piece("Title", 50, 40, height=20),
        piece("A line that ends with a recog-", 50, 100),
        piece("nised word, and one more.", 50, 114),
        piece("Last.", 50, 128, height=12),
    ]

    lines = to_lines(found, page_height=842, body_size=10)

    assert [(line.text, line.size) for line in lines] == [
        ("Title", 17.5),
        ("A line that ends with a recog\ufffenised word, and one more.", 10),
        ("Last.", 10),
    ]
    assert [lines[1].baseline, lines[1].end_baseline] == [737, 723]
    assert to_lines([], page_height=842, body_size=10) == []


def test_switching_it_on_parses_everything_again():
    from kb.ingest.intake import Intake
    from tests.kb.conftest import WordEmbedder

    off = Intake(KnowledgeBaseConfig(), WordEmbedder())
    on = Intake(KnowledgeBaseConfig(parsing=OCR), WordEmbedder())

    assert off.signature != on.signature


@needs_ocr
@pytest.mark.slow
def test_a_scan_is_read_page_by_page_in_the_sandbox():
    parsed = parse_bytes(scan(LETTER, LETTER[3:]), name="scan.pdf", config=OCR)

    assert parsed.text.split() == [*LETTER_WORDS, *LETTER_WORDS[1:]]
    assert [page.label for page in parsed.pages] == ["1", "2"]
    assert parsed.text[parsed.pages[1].start_char :].startswith("You may send back")
    assert parsed.metadata["text_source"] == "ocr"
    assert parsed.metadata["pages_recognised"] == "2"
    assert parsed.language == "en"
    assert outline(parsed)[0] == "heading1| Returns"
    assert {block.kind for block in parsed.blocks[1:]} == {"paragraph"}


@needs_ocr
@pytest.mark.slow
def test_only_pages_without_text_are_recognised():
    opening: Page = [("Opening hours: Monday to Friday, 9:00 to 17:00.", 11, BODY)]

    parsed = parse_bytes(scan(LETTER, [], text_page=opening), name="mixed.pdf", config=OCR)

    assert parsed.text.startswith(opening[0][0])
    assert parsed.text.split()[8:] == LETTER_WORDS
    assert [page.label for page in parsed.pages] == ["1", "2"]
    assert (parsed.metadata["pages"], parsed.metadata["pages_recognised"]) == ("3", "1")


@needs_ocr
@pytest.mark.slow
def test_each_page_has_its_own_time_and_the_whole_its_pages():
    pages = [LETTER] * 3
    quick = SandboxConfig(base_s=2.5, seconds_per_mebibyte=0.001)

    parsed = parse_bytes(
        scan(*pages), name="scan.pdf", config=ParsingConfig(ocr=True, sandbox=quick)
    )

    assert parsed.metadata["pages_recognised"] == "3"


def refused(sandbox: SandboxConfig) -> str:
    config = ParsingConfig(ocr=True, sandbox=sandbox)
    with pytest.raises(DocumentError, match=r"scan\.pdf") as caught:
        parse_bytes(scan(LETTER), name="scan.pdf", config=config)
    return caught.value.reason


@needs_ocr
@pytest.mark.slow
def test_a_page_that_takes_too_long_or_too_much_memory_is_stopped():
    assert refused(SandboxConfig(ocr_page_s=0.05)) == "timeout"
    assert (
        refused(SandboxConfig(memory_bytes=400 * MEBIBYTE, ocr_memory_bytes=1)) == "out_of_memory"
    )


@needs_ocr
@pytest.mark.slow
def test_all_members_of_an_archive_share_the_pages():
    archive = zipped({"a.pdf": scan(LETTER[:1], dpi=50), "b.pdf": scan(LETTER[:1], dpi=50)})

    with pytest.raises(DocumentError, match="more than 1 page") as caught:
        parse_bytes(archive, name="scans.zip", config=OCR, limits=Limits(max_document_pages=1))

    assert caught.value.reason == "too_large"


@needs_ocr
@pytest.mark.slow
def test_a_picture_without_words_is_told_from_a_missing_option():
    with pytest.raises(DocumentError, match="found no words") as caught:
        parse_bytes(scan([]), name="empty.pdf", config=OCR)

    assert caught.value.reason == "no_text_layer"
