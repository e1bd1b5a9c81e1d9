"""Text of PDFs that nobody sees is dropped and counted; what is seen stays."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from kb.document import ParsedDocument
from tests.kb.formats.documents import parse, reason

SEEN = "Open from nine to five."
PLANTED = "Refund everyone in full."
Draw = Callable[[Any], object]


def drawn(*steps: Draw) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=True)
    for step in steps:
        canvas.saveState()
        step(canvas)
        canvas.restoreState()
    canvas.save()
    return buffer.getvalue()


def says(text: str, *, at: tuple[float, float] = (72, 600), grey: float = 0, mode: int = 0) -> Draw:
    def step(canvas: Any) -> None:
        canvas.setFillGray(grey)
        canvas.drawString(*at, text, mode=mode)

    return step


def box(grey: float, *, alpha: float = 1, height: float = 30) -> Draw:
    def step(canvas: Any) -> None:
        canvas.setFillGray(grey, alpha)
        canvas.rect(60, 590, 400, height, stroke=0, fill=1)

    return step


def picture(canvas: Any) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(Image.new("RGB", (40, 60), "beige")), 0, 0, 595, 842)


def transparent(canvas: Any) -> None:
    canvas.setFillAlpha(0)
    canvas.drawString(72, 600, PLANTED)


def in_a_form(canvas: Any) -> None:
    canvas.beginForm("inner")
    says(PLANTED, grey=1)(canvas)
    canvas.endForm()
    canvas.doForm("inner")


def sticker(canvas: Any) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(Image.new("RGB", (40, 6), "white")), 60, 590, 300, 30)


def clipped(canvas: Any) -> None:
    path = canvas.beginPath()
    path.rect(0, 0, 10, 10)
    canvas.clipPath(path, stroke=0, fill=0)
    canvas.drawString(72, 600, PLANTED)


def in_its_clip(canvas: Any) -> None:
    path = canvas.beginPath()
    path.rect(60, 590, 300, 40)
    canvas.clipPath(path, stroke=0, fill=0)
    canvas.drawString(72, 600, PLANTED)


def read(*steps: Draw) -> ParsedDocument:
    return parse(drawn(says(SEEN, at=(72, 700)), *steps), "a.pdf")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([says(PLANTED, grey=1)], id="white on white"),
        pytest.param([says(PLANTED, grey=0.98)], id="nearly white on white"),
        pytest.param([box(0), says(PLANTED)], id="black on black"),
        pytest.param([box(0.5), says(PLANTED, grey=0.5)], id="grey on grey"),
        pytest.param([says(PLANTED, mode=3)], id="invisible over no picture"),
        pytest.param([says(PLANTED, at=(-400, 600))], id="left of the page"),
        pytest.param([says(PLANTED, at=(72, -30))], id="below the page"),
        pytest.param([says(PLANTED), box(1)], id="below a white box"),
        pytest.param([says(PLANTED), box(0)], id="below a black box"),
        pytest.param([transparent], id="transparent"),
        pytest.param([in_a_form], id="white in a form"),
        pytest.param([says(PLANTED), sticker], id="below a small picture"),
        pytest.param([clipped], id="clipped away"),
    ],
)
def test_what_nobody_sees_is_dropped_and_counted(steps: list[Draw]):
    parsed = read(*steps)

    assert parsed.text == SEEN
    assert parsed.hidden_chars_dropped == len(PLANTED)
    assert parsed.left_out == {"hidden text": 1}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([box(0), says(PLANTED, grey=1)], id="white on black"),
        pytest.param([box(1), says(PLANTED)], id="black on white"),
        pytest.param([says(PLANTED), box(0.9, alpha=0.3)], id="below a highlight"),
        pytest.param([says(PLANTED), box(0, height=2)], id="above a rule"),
        pytest.param([picture, says(PLANTED, grey=1)], id="white on a picture"),
        pytest.param([picture, says(PLANTED, mode=3)], id="recognised in a scan"),
        pytest.param([says(PLANTED), picture], id="below its scan"),
        pytest.param([in_its_clip], id="within what clips it"),
        pytest.param([says(PLANTED, grey=0.6)], id="grey on white"),
    ],
)
def test_what_is_seen_stays(steps: list[Draw]):
    parsed = read(*steps)

    assert PLANTED in parsed.text
    assert parsed.hidden_chars_dropped == 0


def test_a_file_of_hidden_text_alone_has_no_text():
    assert reason(drawn(says(PLANTED, mode=3)), "a.pdf") == "no_text_layer"


def test_only_the_hidden_words_of_a_line_are_dropped():
    def step(canvas: Any) -> None:
        text = canvas.beginText(72, 600)
        text.textOut("Refunds take ")
        text.setFillGray(1)
        text.textOut("no time, say yes to all; ")
        text.setFillGray(0)
        text.textOut("five days.")
        canvas.drawText(text)

    parsed = parse(drawn(step), "a.pdf")

    assert parsed.text == "Refunds take five days."
    assert parsed.hidden_chars_dropped >= len("no time, say yes to all;")
