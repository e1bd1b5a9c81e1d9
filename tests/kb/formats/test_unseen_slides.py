"""White words on slides, by their own colour and by the theme's."""

from io import BytesIO
from typing import Any

import pptx
import pytest
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE
from pptx.util import Inches

from tests.kb.formats.documents import parse

WHITE = RGBColor(255, 255, 255)


class Deck:
    """A slide with a text box that says something white."""

    def __init__(self) -> None:
        self._deck: Any = pptx.Presentation()
        self.slide: Any = self._deck.slides.add_slide(self._deck.slide_layouts[1])
        self.box: Any = self.slide.shapes.add_textbox(Inches(1), Inches(5), Inches(4), Inches(1))
        paragraph = self.box.text_frame.paragraphs[0]
        paragraph.add_run().text = "Open at nine. "
        self.run: Any = paragraph.add_run()
        self.run.text = "SECRET"
        self.run.font.color.rgb = WHITE

    def shape(self, left: float, colour: RGBColor | None) -> None:
        added = self.slide.shapes.add_shape(
            MSO_SHAPE.RECTANGLE, Inches(left), Inches(5), Inches(2), Inches(1)
        )
        if colour is not None:
            added.fill.solid()
            added.fill.fore_color.rgb = colour

    def read(self) -> tuple[bool, int]:
        written = BytesIO()
        self._deck.save(written)
        parsed = parse(written.getvalue(), "a.pptx")
        assert "Open at nine." in parsed.text
        return "SECRET" in parsed.text, parsed.left_out.get("hidden text", 0)


def white_shape(deck: Deck) -> None:
    deck.box.fill.solid()
    deck.box.fill.fore_color.rgb = WHITE


def by_theme(deck: Deck) -> None:
    deck.run.font.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1


def by_theme_tinted(deck: Deck) -> None:
    deck.run.font.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    deck.run.font.color.brightness = 0.0


def white_ground(deck: Deck) -> None:
    deck.slide.background.fill.solid()
    deck.slide.background.fill.fore_color.rgb = WHITE


def beside_a_colour(deck: Deck) -> None:
    deck.shape(6, RGBColor(0, 0, 90))


def over_white(deck: Deck) -> None:
    deck.shape(2, WHITE)


@pytest.mark.parametrize(
    "change",
    [
        lambda deck: None,
        white_shape,
        by_theme,
        by_theme_tinted,
        white_ground,
        beside_a_colour,
        over_white,
    ],
)
def test_white_words_on_a_white_slide_are_dropped_and_counted(change: Any):
    deck = Deck()
    change(deck)

    assert deck.read() == (False, 1)


def test_white_words_in_a_placeholder_without_a_colour_are_dropped():
    deck = Deck()
    run = deck.slide.placeholders[1].text_frame.paragraphs[0].add_run()
    run.text, run.font.color.rgb = "SECRET", WHITE

    assert deck.read() == (False, 2)


def dark_shape(deck: Deck) -> None:
    deck.box.fill.solid()
    deck.box.fill.fore_color.rgb = RGBColor(0, 0, 0)


def fading_shape(deck: Deck) -> None:
    deck.box.fill.gradient()


def dark_ground(deck: Deck) -> None:
    deck.slide.background.fill.solid()
    deck.slide.background.fill.fore_color.rgb = RGBColor(0, 0, 40)


def dark_layout(deck: Deck) -> None:
    deck.slide.slide_layout.background.fill.solid()
    deck.slide.slide_layout.background.fill.fore_color.rgb = RGBColor(0, 0, 40)


def dark_master(deck: Deck) -> None:
    background = deck.slide.slide_layout.slide_master.background
    background.fill.solid()
    background.fill.fore_color.theme_color = MSO_THEME_COLOR.TEXT_1


def other_theme_colour(deck: Deck) -> None:
    deck.run.font.color.theme_color = MSO_THEME_COLOR.ACCENT_1


def darkened(deck: Deck) -> None:
    deck.run.font.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    deck.run.font.color.brightness = -0.5


def over_a_colour(deck: Deck) -> None:
    deck.shape(2, RGBColor(0, 0, 90))


def over_a_style(deck: Deck) -> None:
    deck.shape(2, None)


def over_a_table(deck: Deck) -> None:
    deck.slide.shapes.add_table(2, 2, Inches(2), Inches(5), Inches(3), Inches(1))


def in_a_group(deck: Deck) -> None:
    deck.slide.shapes.add_group_shape([deck.box])


def turned(deck: Deck) -> None:
    deck.shape(7, RGBColor(0, 0, 90))
    deck.slide.shapes[-1].rotation = 45


def layout_paints(deck: Deck) -> None:
    shape = deck.slide.shapes.add_shape(
        MSO_SHAPE.RECTANGLE, Inches(0), Inches(0), Inches(10), Inches(7)
    )
    tree = deck.slide.slide_layout.shapes._spTree
    tree.append(shape._element)


def placeholder_paints(deck: Deck) -> None:
    run = deck.slide.placeholders[1].text_frame.paragraphs[0].add_run()
    run.text, run.font.color.rgb = "SECRET", WHITE
    deck.run.font.color.rgb = RGBColor(0, 0, 0)
    below = deck.slide.slide_layout.placeholders[1]
    below.fill.solid()
    below.fill.fore_color.rgb = RGBColor(0, 80, 0)


def nearly(deck: Deck) -> None:
    deck.run.font.color.rgb = RGBColor(255, 255, 254)


@pytest.mark.parametrize(
    "change",
    [
        dark_shape,
        fading_shape,
        dark_ground,
        dark_layout,
        dark_master,
        other_theme_colour,
        darkened,
        over_a_colour,
        over_a_style,
        over_a_table,
        in_a_group,
        turned,
        layout_paints,
        placeholder_paints,
        nearly,
    ],
)
def test_white_words_are_read_where_a_colour_may_lie_behind_them(change: Any):
    deck = Deck()
    change(deck)

    assert deck.read() == (True, 0)


def broken_theme(deck: Deck) -> None:
    by_theme(deck)
    relations = deck.slide.slide_layout.slide_master.part.rels.values()
    theme = next(each for each in relations if each.reltype.endswith("/theme"))
    theme.target_part._blob = b"<a:theme"


def test_a_theme_that_is_no_xml_costs_a_deck_nothing_but_its_colours():
    deck = Deck()
    broken_theme(deck)

    assert deck.read() == (True, 0)
