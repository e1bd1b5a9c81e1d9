"""Boxes of a slide are read as a reader of the slide does."""

from io import BytesIO

import pptx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pptx.util import Inches

from tests.kb.formats.documents import parse

Placed = tuple[str, float, float, float, float]
"""Words, left, top, width and height in inches."""


def read(*boxes: Placed) -> list[str]:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    for words, *place in boxes:
        frame = slide.shapes.add_textbox(*(Inches(each) for each in place)).text_frame
        frame.text = words
    written = BytesIO()
    presentation.save(written)
    return parse(written.getvalue(), "a.pptx").text.split("\n\n")


LEFT = [("A1", 0.5, 2.0, 3.5, 0.5), ("A2", 0.5, 2.6, 3.5, 2.0)]
RIGHT = [("B1", 5.0, 2.02, 3.5, 0.5), ("B2", 5.0, 2.58, 3.5, 2.0)]


@pytest.mark.parametrize(
    ("boxes", "order"),
    [
        # Cards side by side, their tops a little apart.
        ([*LEFT, *RIGHT], "A1 A2 B1 B2"),
        ([*RIGHT, *LEFT], "A1 A2 B1 B2"),
        ([("T", 0.5, 0.5, 8, 1), *LEFT, *RIGHT], "T A1 A2 B1 B2"),
        ([*LEFT, *RIGHT, ("F", 0.5, 6.5, 8, 0.5)], "A1 A2 B1 B2 F"),
        # The same with boxes of one height.
        (
            [
                (f"{side}{row}", 0.5 + 4.5 * at, 2 + 0.6 * row + 0.02 * at, 3.5, 0.5)
                for row in range(3)
                for at, side in enumerate("AB")
            ],
            "A0 A1 A2 B0 B1 B2",
        ),
        # One line of boxes, a little apart.
        ([("A", 0.5, 2.02, 2, 0.5), ("B", 3, 2.0, 2, 0.5), ("C", 6, 2.01, 2, 0.5)], "A B C"),
        # Two columns of one box each, a little apart.
        ([("A", 0.5, 2.02, 3, 4), ("B", 5, 2.0, 3, 4)], "A B"),
        # A table made of boxes, its rows farther apart than its columns, and nearer.
        *(
            (
                [
                    (f"{row}{column}", 0.5 + 2.2 * column, 1 + gap * row + 0.002 * column, 2, 0.4)
                    for column in range(3)
                    for row in range(4)
                ],
                " ".join(f"{row}{column}" for row in range(4) for column in range(3)),
            )
            for gap in (1.0, 0.45)
        ),
        # Columns whose boxes do not stand in rows.
        (
            [
                *(("A1", 0.5, 1, 3, 1), ("A2", 0.5, 2.3, 3, 2)),
                *(("B1", 5, 1.02, 3, 2.5), ("B2", 5, 3.7, 3, 1)),
            ],
            "A1 A2 B1 B2",
        ),
        # Boxes that touch, and boxes that overlap a little.
        ([("A1", 0, 1, 4, 1), ("A2", 0, 2, 4, 3), ("B1", 4, 1, 4, 1), ("B2", 4, 2, 4, 3)], None),
        ([("A", 0.5, 1, 4, 1.05), ("B", 0.5, 2, 4, 1)], "A B"),
    ],
)
def test_boxes_are_read_in_columns_and_rows(boxes: list[Placed], order: str | None):
    found = read(*boxes)

    assert sorted(found) == sorted(words for words, *_ in boxes)
    assert order is None or found == order.split()


@given(
    st.lists(
        st.tuples(*(st.floats(0, 9) for _ in range(2)), *(st.floats(0.1, 4) for _ in range(2))),
        min_size=1,
        max_size=9,
    )
)
def test_no_box_is_lost_and_what_is_below_all_is_last(places: list[tuple[float, ...]]):
    boxes: list[Placed] = [(f"b{n}", a, b, c, d) for n, (a, b, c, d) in enumerate(places)]
    bottom = max(top + height for _, top, _, height in places)

    found = _order([*boxes, ("last", 0.0, bottom + 1, 9.0, 1.0)])

    assert sorted(found) == sorted([*(words for words, *_ in boxes), "last"])
    assert found[-1] == "last"


def _order(boxes: list[Placed]) -> list[str]:
    from types import SimpleNamespace

    from kb.formats.office.reading_order import in_reading_order

    shapes = [
        SimpleNamespace(
            words=words, left=Inches(left), top=Inches(top), width=Inches(w), height=Inches(h)
        )
        for words, left, top, w, h in boxes
    ]
    return [shape.words for shape in in_reading_order(shapes)]
