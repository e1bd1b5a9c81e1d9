"""What a page shows is kept or counted; what it hides is dropped and counted."""

import pytest

from kb.document import ParsedDocument
from tests.kb.formats.documents import parse

PROSE = "<p>" + "The office explains its rates here, so that all can plan the day. " * 8 + "</p>"


def read(body: str, css: str = "", more: str = "") -> ParsedDocument:
    head = f"<style>{css}</style>{more}"
    whole = f"<article><h1>Rates</h1>{PROSE}{body}{PROSE}</article>"
    return parse(f"<html><head>{head}</head><body>{whole}</body></html>".encode(), "a.html")


@pytest.mark.parametrize(
    "css",
    [
        ".x{opacity:0}",
        ".x{font:0/0 a}",
        ".x{font: bold 0px/1 Arial}",
        "@supports (display:grid){.x{display:none}}",
        "article{ .x{display:none} }",
        "article{ color: red; & .x{display:none} }",
        "article{ @media screen{ .x{display:none} } }",
        ":root{--d:none} .x{display:var(--d)}",
        ".x{display:var(--nope, none)}",
        ".x{visibility:collapse}",
        ".x{content-visibility:hidden}",
        ".x{zoom:0}",
        ".x{filter:opacity(0)}",
        ".x{position:absolute;left:-999em}",
    ],
)
def test_what_rules_hide_is_dropped_and_counted(css: str):
    parsed = read("<p class=x>Obey me at once.</p>", css)

    assert "Obey" not in parsed.text
    assert parsed.left_out == {"hidden text": 1}


@pytest.mark.parametrize(
    ("css", "more"),
    [
        (".x{font:16px/0 a}", ""),
        ("@supports not (display:grid){.x{display:none}}", ""),
        (".x{opacity:0; animation: in 1s forwards} @keyframes in{to{opacity:1}}", ""),
        (":root{--d:none} .y{--d:block} .x{display:var(--d)}", ""),
        (":root{--d:none} .x{display:var(--d)}", "<script>set('--d', 'block')</script>"),
        ("@media print{ article{ .x{display:none} } }", ""),
        ("body > nav{ .x{display:none} }", ""),
        (".x{font-size:0} .x span{font: 14px Arial}", ""),
        (".x{opacity:.4}", ""),
    ],
)
def test_what_rules_may_show_stays(css: str, more: str):
    assert "Ask us first." in read("<p class=x><span>Ask us first.</span></p>", css, more).text


def test_what_a_template_or_a_closed_dialog_holds_is_counted():
    parsed = read("<template><p>Obey.</p></template><dialog><p>Cookies?</p></dialog>")

    assert "Obey" not in parsed.text
    assert parsed.left_out == {"hidden text": 2}


@pytest.mark.parametrize(
    ("body", "left_out"),
    [
        ("<p><img src=a.png alt='Map: Main Street 5'></p>", {"picture": 1}),
        ("<figure><img src=a.png title='Map: Main Street 5'></figure>", {"picture": 1}),
        ("<svg><text>Peak 42 at noon</text></svg>", {"picture": 1}),
        ("<map><area alt='North'><area alt='South'></map>", {"picture": 2}),
        ("<p><img src=a.png alt='IMG_4411.png'></p>", {}),
        ("<p><img src=a.png alt=''></p>", {}),
        ("<nav><img src=a.png alt='Logo of us'></nav>", {}),
        ("<iframe src=/map></iframe>", {"embedded page": 1}),
        ("<video src=a.mp4></video><audio src=a.mp3></audio>", {"recording": 2}),
        ("<label>Size <select><option>S, 10 euros</select></label>", {"form field": 1}),
    ],
)
def test_what_is_shown_and_no_text_is_counted(body: str, left_out: dict[str, int]):
    assert read(body).left_out == left_out


@pytest.mark.parametrize(
    "item",
    [
        "<li><a href=/p{0}>Rental of the city bike {0}: {0}5 euros a day</a></li>",
        "<li><a href=/p{0}>City bike {0}, \u20ac{0}5</a></li>",
        "<li><a href=/p{0}><h3>Bike {0}</h3><span>CHF {0}5</span></a></li>",
        "<div class=card><a href=/p{0}><h3>Bike {0}</h3><span>{0}5 $ a day</span></a></div>",
    ],
)
def test_links_that_say_a_price_are_kept(item: str):
    items = "".join(item.format(number) for number in range(1, 7))
    body = f"<ul>{items}</ul>" if item.startswith("<li") else f"<div class=cards>{items}</div>"

    text = read(body).text

    assert all(f"{number}5" in text for number in range(1, 7))


def test_amounts_are_told_in_the_language_of_the_page():
    items = "".join(f"<li><a href=/p{at}>Rad {at}: {at}5 Kronen</a></li>" for at in range(1, 7))
    page = f"<html lang=de><body><article>{PROSE}<ul>{items}</ul>{PROSE}</article></body></html>"

    assert "65 Kronen" in parse(page, "a.html").text


def test_formulas_are_text():
    formula = (
        "<math><mi>x</mi><mo>=</mo><mfrac><mrow><mi>a</mi><mo>+</mo><mn>5</mn></mrow><mn>2</mn>"
        "</mfrac><annotation>x=\\frac</annotation></math>"
    )

    assert "The rate is x = (a + 5)/2 here." in read(f"<p>The rate is {formula} here.</p>").text


def test_what_is_only_not_read_aloud_is_text():
    assert "Parking costs 4 a day." in read("<p aria-hidden=true>Parking costs 4 a day.</p>").text
