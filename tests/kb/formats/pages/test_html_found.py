"""What is found as the main text of a long page: lines that stay whole, and what ends it."""

import pytest

from kb.document import ParsedDocument
from kb.formats.pages.html_found import drop_related, link_texts
from kb.formats.pages.html_text import read_tree, visible_text
from tests.kb.formats.documents import parse

PROSE, MORE = (
    " ".join(
        f"The {whose} office explains rule number {number} here, so that every visitor can read it."
        for number in range(9)
    )
    for whose in ("city", "harbour")
)
TITLES = [
    f"How the {what} by the harbour was built, told by those who built it and still live beside it"
    for what in ("bridge", "town hall", "theatre", "market hall")
]


def read(body: str, *, head: str = "") -> ParsedDocument:
    page = f"<head>{head}</head><body><nav><a href='/'>Home</a></nav><h1>Fees</h1>{body}</body>"
    return parse(f"<html>{page}</html>", "https://city.example/fees")


def lines(parsed: ParsedDocument) -> list[str]:
    return [parsed.text[block.start_char : block.end_char] for block in parsed.blocks]


@pytest.mark.parametrize(
    "around",
    [
        f"<article><p>{PROSE}</p><div>{{}}</div><p>{MORE}</p></article>",
        f"<div><p>{PROSE}</p>{{}}<p>{MORE}</p></div>",
        f"<article><div>{PROSE}<br><br>{{}}</div></article>",
        f"<section><h2>Cards</h2><p>{PROSE}</p>{{}}</section>",
    ],
)
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("The fee is <b>42 euros</b> in town.", "The fee is 42 euros in town."),
        ("The fee for a card is<b> 42 </b>euros.", "The fee for a card is 42 euros."),
        ("<b>Fee:</b> <i>42 euros</i> for everybody.", "Fee: 42 euros for everybody."),
        ("Pay <i>by <b>invoice</b> only</i> or in cash.", "Pay by invoice only or in cash."),
        ("Press <kbd>F1</kbd>, type <code>fee</code> there.", "Press F1, type fee there."),
        ("Ask <a href='/x'>our office</a>, it is open.", "Ask our office, it is open."),
        ("<b>1</b><b>2</b> euros is what a card costs.", "12 euros is what a card costs."),
        ("Ask <a href='/x'><img src='a.png'>our office</a> there.", "Ask our office there."),
        ("Ask <i><svg></svg><b></b>our <b>own</b></i> office there.", "Ask our own office there."),
        ("年会費は<b>4200円</b>です。窓口で払います。お待ちしております。", "年会費は4200円です。"),
    ],
)
def test_a_line_in_no_paragraph_of_its_own_stays_whole(written: str, read_as: str, around: str):
    parsed = read(f"{around.format(written)}<p>{MORE}</p>")

    assert any(read_as in line for line in lines(parsed)), parsed.text
    assert "\u035c" not in parsed.text


def test_the_sign_that_marks_a_line_is_kept_where_a_page_has_it():
    parsed = read(
        f"<div>The sign t\u035cs is <b>one</b> sound of the language.</div><p>{PROSE}</p>"
    )

    assert "t\u035cs" in parsed.text


@pytest.mark.parametrize(
    "links",
    [
        "<ul>"
        + "".join(f"<li><a href='/{n}'>{t}</a></li>" for n, t in enumerate(TITLES))
        + "</ul>",
        "".join(f"<p><a href='/{n}'>{t}</a></p>" for n, t in enumerate(TITLES)),
        "<h3>Related articles</h3><ul>"
        + "".join(f"<li><a href='/{n}'>{t}</a></li>" for n, t in enumerate(TITLES))
        + "</ul>",
        "<ul>"
        + "".join(
            f"<li><table><tr><th></th><td><a href='/{n}'>{t}</a></td></tr></table></li>"
            for n, t in enumerate(TITLES)
        )
        + "</ul>",
    ],
)
def test_titles_of_other_pages_at_the_end_are_counted_and_not_read(links: str):
    parsed = read(f"<article><p>{PROSE}</p><p>{MORE}</p>{links}</article>")

    assert parsed.left_out.get("related link") == 4
    assert not any(title in parsed.text for title in [*TITLES, "Related articles"])


@pytest.mark.parametrize(
    "links",
    [
        [f"<a href='https://maps.example/{n}'>{title}</a>" for n, title in enumerate(TITLES)],
        [f"<a href='#{n}'>{title}</a>" for n, title in enumerate(TITLES)],
        [f"<a href='/{n}.pdf'>{title}</a>" for n, title in enumerate(TITLES)],
        [f"<a href='/{n}'>{place}</a>" for n, place in enumerate(("Bern", "Basel", "Chur"))],
        [f"<a href='/{n}'>{title} for {n} €</a>" for n, title in enumerate(TITLES)],
        [f"<a href='/{n}'>{title}</a> is open from nine to five" for n, title in enumerate(TITLES)],
        [f"<a href='/{n}'>{title}</a>" for n, title in enumerate(TITLES[:2])],
        [f"<a href='/{n}'>{title}</a>" for n, title in enumerate(TITLES * 10)],
    ],
    ids=["another site", "this page", "files", "names", "prices", "with words", "two", "most"],
)
def test_other_lists_of_links_at_the_end_stay(links: list[str]):
    items = "".join(f"<li>{link}</li>" for link in links)
    page = f"<body><p>{PROSE}</p><p>{MORE}</p><ul>{items}</ul></body>"
    tree = read_tree(page, "page")
    before = visible_text(tree)

    dropped = drop_related(tree, link_texts(tree, "https://city.example/fees"))

    assert (dropped, visible_text(tree)) == (0, before)


def test_a_saved_page_knows_its_site_by_the_address_that_it_states():
    items = "".join(
        f"<li><a href='https://city.example/{n}'>{title}</a></li>" for n, title in enumerate(TITLES)
    )
    page = f"<article><p>{PROSE}</p><p>{MORE}</p><ul>{items}</ul></article>"
    head = "<link rel='canonical' href='https://city.example/fees'>"
    saved = f"<html><head>{head}</head><body><h1>Fees</h1>{page}</body></html>"

    assert parse(saved, "fees.html").left_out.get("related link") == 4


@pytest.mark.parametrize(
    "note",
    [
        "<aside class='note'>No more than 7 bar</aside>",
        "<aside><p>No more than 7 bar</p></aside>",
        "<aside role='note'><b>Note:</b> No more than 7 bar</aside>",
        "<aside><h4>Caution</h4>No more than 7 bar<ul><li>never</li></ul></aside>",
    ],
)
def test_a_note_between_paragraphs_is_read_in_its_place(note: str):
    text = read(f"<article><p>{PROSE}</p>{note}<p>{MORE} End.</p></article>").text

    assert 0 < text.index("No more than 7 bar") < text.index("End.")


def test_an_aside_of_links_is_none():
    links = "".join(f"<a href='/{n}'>{title}</a> " for n, title in enumerate(TITLES))

    parsed = read(f"<article><p>{PROSE}</p><aside>{links}</aside><p>{MORE}</p></article>")

    assert not any(title in parsed.text for title in TITLES)


@pytest.mark.parametrize("number", ["Figure 3:", "Fig. 3.", "Abb. 2-1", "Рис. 4.", "図1：", "图 2"])
def test_a_picture_that_the_text_speaks_of_keeps_its_caption(number: str):
    figure = f"<figure><img src='a.png'><figcaption>{number} The valve</figcaption></figure>"

    parsed = read(f"<article><p>{PROSE}</p>{figure}<p>{MORE}</p></article>")

    assert f"{number} The valve" in lines(parsed)
    assert "picture caption" not in parsed.left_out


def test_another_caption_of_a_picture_is_counted():
    figure = "<figure><img src='a.png'><figcaption>The harbour, by A. Painter</figcaption></figure>"

    parsed = read(f"<article><p>{PROSE}</p>{figure}<p>{MORE}</p></article>")

    assert "by A. Painter" not in parsed.text
    assert parsed.left_out["picture caption"] == 1


ENTRIES = "".join(
    f"<li><h3><a href='/{number}'>Card {number}</a></h3><div class='price'>{number * 7} euros</div>"
    f"<p>{PROSE}</p><div>Order <b>no. {number}</b></div></li>"
    for number in range(4)
)


@pytest.mark.parametrize("tag", ["ol", "ul"])
def test_a_page_of_headed_entries_is_read_whole(tag: str):
    text = read(f"<main><h1>Cards</h1><p>{MORE}</p><{tag}>{ENTRIES}</{tag}></main>").text

    assert all(f"Card {number}" in text for number in range(4))
    assert all(f"{number * 7} euros" in text for number in range(4))
    assert all(f"Order no. {number}" in text for number in range(4))
    assert "Home" not in text


def test_an_article_with_a_list_of_others_stays_an_article():
    teasers = "".join(f"<li><h3><a href='/{title}'>{title}</a></h3></li>" for title in TITLES)
    article = f"<article><p>{PROSE}</p><p>{MORE}</p></article>"

    text = read(f"<main><h1>Cards</h1>{article}<ul>{teasers}</ul></main>").text

    assert PROSE in text
    assert not any(title in text for title in TITLES)
