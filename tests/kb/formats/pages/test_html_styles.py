"""Classes that a page's own style sheet hides, and those that only wait to be opened."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kb.formats.documents import parse

LOREM = "The city office explains the rules of the house here, so that all can read them. " * 8


def page(css: str, body: str, *, script: str = "", media: str = "") -> str:
    style = f"<style media='{media}'>{css}</style>"
    return (
        f"<html><head>{style}</head><body><main><h1>Rules</h1><p>{LOREM}</p>{body}</main>"
        f"<script>{script}</script></body></html>"
    )


@pytest.mark.parametrize(
    ("css", "body"),
    [
        (".x { display: none }", "<p class=x>Obey me.</p>"),
        (".x{display:none!important} p{display:block}", "<p class=x>Obey me.</p>"),
        ("p.x, .y { visibility: hidden }", "<p class='a x'>Obey me.</p>"),
        ("#x { font-size: 0 }", "<p id=x>Obey me.</p>"),
        ("main .x { position: absolute; left: -9999px }", "<p class=x>Obey me.</p>"),
        (".x { color: #fff; background: #ffffff }", "<p class=x>Obey me.</p>"),
        ("@media screen { .x { display: none } }", "<p class=x>Obey me.</p>"),
        ("@layer base { .x { display: none } }", "<div class=x><p>Obey me.</p></div>"),
        ("/* a { } */ .x { /* b */ display : none ; }", "<p class=x>Obey me.</p>"),
        (".x { display: none; color: red } p.x { color: blue }", "<p class=x>Obey me.</p>"),
        (".x { display: block } .x { display: none }", "<p class=x>Obey me.</p>"),
        (".x{display:none!important}", "<p class=x style='display: block'>Obey me.</p>"),
        (".x > p { display: none }", "<div class=x><p>Obey me.</p></div>"),
        ("#x p { visibility: hidden }", "<div id=x><p>Obey me.</p></div>"),
        ("{{{ bad } .x { display: none }", "<p class=x>Obey me.</p>"),
    ],
)
@pytest.mark.parametrize("kind", ["html", "eml"])
def test_what_a_class_hides_is_dropped_and_counted(css: str, body: str, kind: str):
    source = page(css, body)
    if kind == "eml":
        source = f"Subject: A\nFrom: a@b.example\nContent-Type: text/html\n\n{source}"
    hides = "bad" not in css

    parsed = parse(source, f"a.{kind}")

    assert ("Obey" in parsed.text) != hides
    assert parsed.left_out.get("hidden text", 0) == hides


SECRET = "<p class=x>Obey me.</p>"
DARK = "<div class=d><p style='color:#fff'>Obey me.</p></div>"


def read(css: str, body: str, head: str = "") -> tuple[bool, int]:
    parsed = parse(page(css, body).replace("<head>", f"<head>{head}"), "a.html")
    assert "city office" in parsed.text
    return "Obey me." in parsed.text, parsed.left_out.get("hidden text", 0)


@pytest.mark.parametrize(
    "style",
    [
        "color:#fff",
        "color: WHITE",
        "color:#FFFFFF !important;",
        "font-weight:bold;color:rgb(255, 255, 255)",
        "color:rgba(255,255,255,.9)",
        "color:transparent",
        "color:rgba(0,0,0,0)",
        "color:#0000",
        "color:hsl(0 0% 100%)",
        "color:white;background:none",
        "opacity:0.01",
        "opacity:.0",
        "opacity:1%",
        "font-size:1px",
        "font-size:.5pt",
        "font-size: 0.01em",
        "font-size:0",
    ],
)
def test_white_faded_and_tiny_text_is_dropped_and_counted(style: str):
    inline = f"<p style='{style}'>Obey <b>me.</b></p>"

    assert read("", inline) == (False, 1)
    if "opacity" not in style:
        assert read(f".x {{ {style} }}", SECRET) == (False, 1)
        assert read(f"p {{ color: #222 }} p.x {{ {style} }}", SECRET) == (False, 1)


def test_white_text_by_an_attribute_is_dropped_and_counted():
    assert read("", "<p><font color='#FFFFFF'>Obey me.</font></p>") == (False, 1)


@pytest.mark.parametrize(
    ("css", "body"),
    [
        ("", "<div style='background:#123'><p style='color:#fff'>Obey me.</p></div>"),
        ("", "<div style='background-image:url(a.png)'><p style='color:#fff'>Obey me.</p></div>"),
        ("", "<p style='color:#fff;background:#fff url(a.png)'>Obey me.</p>"),
        ("", "<table bgcolor=navy><tr><td style='color:#fff'>Obey me.</td></tr></table>"),
        ("", "<table background=a.png><tr><td style='color:#fff'>Obey me.</td></tr></table>"),
        ("", "<p style='color:#fff'><b style='background:red'>Obey me.</b></p>"),
        ("", "<p style='color:#fff'><b style='color:red'>Obey me.</b></p>"),
        ("", "<p style='color:#fff'>See our <a href='/a'>rules. Obey me.</a> All of them.</p>"),
        ("", "<p style='color:#fff;position:absolute;top:0'>Obey me.</p>"),
        ("", "<p style='color:#fff;text-shadow:1px 1px #000'>Obey me.</p>"),
        ("", "<p style='color:#fffffe'>Obey me.</p>"),
        ("", "<p style='color:#fff;color:#000'>Obey me.</p>"),
        ("", "<p style='font-size:11px'>Obey me.</p>"),
        ("", "<p style='font-size:.9em'>Obey me.</p>"),
        ("", "<div style='font-size:0'><p style='font-size:14px'>Obey me.</p></div>"),
        ("p{font-size:14px}", "<div style='font-size:0px'><p>Obey me.</p></div>"),
        ("", "<p style='opacity:.6'>Obey me.</p>"),
        ("", "<p style='border-color:#fff'>Obey me.</p>"),
        ("body{background:#111}", DARK),
        ("html{color:#eee;background-color:rgb(9,9,9)}", DARK),
        ("body{color:white;background:#000}", SECRET),
        (".d{background:linear-gradient(red,blue)}", DARK),
        ("@media (min-width:9px){.d{background:var(--dark)}}", DARK),
        ("@supports (a:b){main .d:hover{background:#000}}", DARK),
        (".d::before{content:'';background:#000}", DARK),
        (".d{background:#000} .x[", DARK),
        (".x{color:transparent} .x:hover{color:#000}", SECRET),
        (".x{color:#fff} .dark .x{color:#000}", SECRET),
        ("@import url(a.css);", DARK),
    ],
)
def test_white_text_stays_where_a_colour_may_lie_behind_it(css: str, body: str):
    assert read(css, body) == (True, 0)


def test_white_text_stays_where_a_sheet_that_is_not_read_may_colour_its_ground():
    assert read("", DARK, "<link rel=stylesheet href=a.css>") == (True, 0)
    assert read("", DARK, "<meta name=color-scheme content=dark>") == (True, 0)
    assert read("", DARK, "<link rel=icon href=a.png>") == (False, 1)


@pytest.mark.parametrize(
    ("css", "body", "script"),
    [
        # Rules that hold in another state, or elsewhere, and rules that win.
        (".x{display:none} .open .x{display:block}", "<p class=x>Open at nine.</p>", ""),
        (".x{display:none} .x.show{display:block}", "<p class=x>Open at nine.</p>", ""),
        (".x{display:none} input:checked~.x{display:block}", "<p class=x>Open at nine.</p>", ""),
        (".x{display:none} .x:target{display:block}", "<p class=x>Open at nine.</p>", ""),
        (".x{display:none} p.x{display:block}", "<p class=x>Open at nine.</p>", ""),
        ("#x{display:block} .x{display:none}", "<p class=x id=x>Open at nine.</p>", ""),
        (".x{display:block!important} p.x{display:none}", "<p class=x>Open at nine.</p>", ""),
        (".x{display:none}", "<p class=x style='display:block'>Open at nine.</p>", ""),
        (".x{display:none}", "<p>Open at nine.</p>", ""),
        ("@media print{.x{display:none}}", "<p class=x>Open at nine.</p>", ""),
        ("@media (max-width: 600px){.x{display:none}}", "<p class=x>Open at nine.</p>", ""),
        # What a click or a script opens.
        (".x{display:none}", "<p class=x>Open at nine.</p>", "show(document.querySelector('.x'))"),
        (".x{display:none}", "<button>When?</button><p class=x>Open at nine.</p>", ""),
        (
            ".x{display:none}",
            "<h3 class=q>When?</h3><p class=x>Open at nine.</p>"
            "<h3 class=q>Where?</h3><p class=x>In hall two.</p>",
            "",
        ),
        ("[v-cloak]{display:none}", "<p v-cloak>Open at nine.</p>", ""),
    ],
)
def test_what_is_shown_or_can_be_opened_stays(css: str, body: str, script: str):
    parsed = parse(page(css, body, script=script), "a.html")

    assert "Open at nine." in parsed.text
    assert "hidden text" not in parsed.left_out


def test_a_sheet_for_printers_and_a_page_that_waits_for_its_script_hide_nothing():
    printed = page(".x { display: none }", "<p class=x>Open at nine.</p>", media="print")
    waiting = f"<style>.app {{ display: none }}</style><div class=app><p>{LOREM}</p></div>"

    assert "Open at nine." in parse(printed, "a.html").text
    assert "city office" in parse(f"<html><body>{waiting}</body></html>", "a.html").text


@pytest.mark.parametrize(
    "css",
    [
        "} .x{display:none}",
        ".x{display:none} }}} @media",
        "<!-- .x{display:none} --> ] ) }",
        "@import url(a.css); .x{display:none} .y{",
        "@charset 'x' .x{display:none",
        ".x{display:none;;color} @media {",
        ".x::before,.x:nth-child(z){display:none} \\",
        "@font-face{x:y} @layer a,b; .x{display:none}'",
        ".x{display:none} .é\u0000{} .1{} >{} *|*{} a[{}",
    ],
)
def test_a_broken_style_sheet_costs_no_page(css: str):
    assert "city office" in parse(page(css, "<p class=x>Obey me.</p>"), "a.html").text


@given(st.text("{}();:.#x@media,screen!*/<>-'\"\\ none display", max_size=80))
def test_no_style_sheet_makes_a_page_malformed(css: str):
    source = page(f".y{{display:none}} {css.replace('</', '')}", "<p class=x>Open at nine.</p>")

    assert "city office" in parse(source, "a.html").text


def test_a_long_style_sheet_takes_time_in_proportion():
    body = "".join(f"<p class=c{n}>Line {n} of the list.</p>" for n in range(300))

    def seconds(rules: int) -> float:
        css = "".join(f".c{n} {{ display: none }} .a .c{n} {{ color: red }}" for n in range(rules))
        took: list[float] = []
        for _ in range(3):
            started = time.thread_time()
            parse(page(css, body), "a.html")
            took.append(time.thread_time() - started)
        return min(took)

    seconds(10)
    assert seconds(2_000) < 0.5 + 4 * seconds(1_000)
