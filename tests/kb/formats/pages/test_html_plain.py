"""What a reader of a page opens, elements of its own making, and numbers beside lines of code."""

import json

import pytest

from tests.kb.formats.documents import outline, parse, reason

LOREM = " ".join(
    f"The city office explains rule number {number} here, so that every visitor can read it."
    for number in range(8)
)


def blocks(body: str) -> list[str]:
    """Blocks of a help page with `body` in it, without those that surround it."""
    page = f"<html><head><title>C</title></head><body><main><h1>Questions</h1><p>{LOREM}</p>{body}"
    return outline(parse(f"{page}</main></body></html>", "a.html"))[2:]


ANSWER = "<div><p>Yes, from 50 euros upward.</p></div>"


@pytest.mark.parametrize(
    "body",
    [
        f"<h3><button>Can I pay by invoice?</button></h3>{ANSWER}",
        f"<h3><button><span>Can I pay by invoice?</span></button></h3>{ANSWER}",
        f'<button class="q">Can I pay by invoice?</button>{ANSWER}',
        f'<h3 role="button" tabindex="0">Can I pay by invoice?</h3>{ANSWER}',
        "<details><summary>Can I pay by invoice?</summary>Yes, from 50 euros upward.</details>",
        f"<details><summary><h3>Can I pay by invoice?</h3></summary>{ANSWER}</details>",
        f'<input type="checkbox" id="a"><label for="a">Can I pay by invoice?</label>{ANSWER}',
        f'<h3><a href="#a1">Can I pay by invoice?</a></h3>{ANSWER}',
        f"<h3><label>Can I pay by invoice?</label></h3>{ANSWER}",
        '<h3><button aria-expanded="false" aria-controls="p1">Can I pay by invoice?</button></h3>'
        '<div id="p1" hidden><p>Yes, from 50 euros upward.</p></div>',
        '<h3><button aria-expanded="false">Can I pay by invoice?</button></h3>'
        '<div style="display: none"><p>Yes, from 50 euros upward.</p></div>',
        "<faq-item><faq-question>Can I pay by invoice?</faq-question>"
        "<faq-answer>Yes, from 50 euros upward.</faq-answer></faq-item>",
    ],
)
def test_every_form_of_an_accordion_keeps_question_and_answer(body: str):
    found = blocks(body)

    assert [block.partition("| ")[2] for block in found] == [
        "Can I pay by invoice?",
        "Yes, from 50 euros upward.",
    ]


def test_questions_are_headings_of_one_level():
    body = "".join(f"<button>Is question {n} one?</button><p>Answer {n}.</p>" for n in "ab")

    assert blocks(body) == [
        "heading2| Is question a one?",
        "paragraph| Answer a.",
        "heading2| Is question b one?",
        "paragraph| Answer b.",
    ]


def test_buttons_of_forms_and_menus_are_no_questions():
    body = "<form><button>Send my order now</button><p>Fields</p></form><nav><button>Open the menu"
    assert "Send my order now" not in "".join(blocks(f"{body}</button><div>x</div></nav>"))


def test_what_nobody_can_open_stays_hidden_and_is_counted():
    parsed = parse(
        f"<h1>Rules</h1><p>{LOREM}</p><p hidden>Obey me.</p>"
        "<div style='display:none'>And me.</div>",
        "a.html",
    )

    assert "Obey" not in parsed.text
    assert "And me" not in parsed.text
    assert parsed.left_out == {"hidden text": 2}


@pytest.mark.parametrize(
    "body",
    [
        '<dl><dt>Phone</dt><dd><a href="tel:1">030</a></dd><dt>Mail</dt>'
        '<dd><a href="mailto:a@b.example">write to us</a></dd><dt>Fax</dt><dd>031</dd></dl>',
        "<dl><div><dt>Phone</dt><dd>030</dd></div><div><dt>Mail</dt><dd>write to us</dd></div>"
        "<div><dt>Fax</dt><dd>031</dd></div></dl>",
        '<dl><dt>Phone</dt><dd>030</dd><dt>Mail</dt><dd><a href="/w">write</a> to us</dd>'
        "<dt>Fax</dt><dd>031</dd></dl>",
    ],
)
def test_definitions_stay_beside_their_terms(body: str):
    assert blocks(body) == ["list| - Phone: 030\n- Mail: write to us\n- Fax: 031"]


@pytest.mark.parametrize(
    "body",
    [
        '<table><tr><td class="linenos"><pre>1\n2</pre></td><td class="code"><pre>def f(x):\n'
        "    return x + 1</pre></td></tr></table>",
        '<table><tr><td data-line-number="1"></td><td class="blob-code">def f(x):</td></tr>'
        '<tr><td data-line-number="2"></td><td class="blob-code">    return x + 1</td></tr>'
        "</table>",
        '<pre><span class="ln">1</span>def f(x):\n<span class="ln">2</span>    return x + 1</pre>',
        '<pre><i data-n="">7</i>def f(x):\n<i data-n="">8</i>    return x + 1</pre>',
    ],
)
def test_numbers_of_lines_are_no_code(body: str):
    assert blocks(body) == ["code| def f(x):\n    return x + 1"]


def test_a_table_that_counts_is_no_code():
    body = "<table><tr><td>1</td><td>Gold</td></tr><tr><td>2</td><td>Silver</td></tr></table>"

    assert blocks(body) == ["table| 1 | Gold\n2 | Silver"]


def test_deleted_words_go_and_what_replaced_them_stays_apart():
    parsed = parse(
        "<p>The fee is <del>30</del><ins>35</ins> euros, was <s>20</s> 15.</p>", "a.html"
    )

    assert parsed.text == "The fee is 35 euros, was 15."
    assert parsed.left_out == {"deleted text": 1, "struck text": 1}


def test_a_short_page_gives_its_main_part_without_the_menus():
    menu = "".join(f"<a href=/{number}>Menu entry number {number}</a> " for number in range(40))
    page = f"<body><header><nav>{menu}</nav></header><div>Home / Lost property</div>"
    page += f"<main><h1>Lost keys</h1><p>They cost 35 euros.</p></main><footer>{menu}</footer>"

    assert outline(parse(page, "a.html")) == [
        "heading1| Lost keys",
        "paragraph| They cost 35 euros.",
    ]


FAQ = json.dumps(
    {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": "Do you ship to Malta?",
                "acceptedAnswer": {"@type": "Answer", "text": "Yes, for <b>14</b> euros."},
            }
        ],
    }
)


def test_questions_that_a_page_states_for_search_engines_are_read_once():
    script = f'<script type="application/ld+json">{FAQ}</script>'

    hollow = parse(f"<body>{script}<div id=app></div></body>", "a.html")
    shown = parse(
        f"<body>{script}<h2>Do you ship to Malta?</h2><p>Yes, 14 euros.</p></body>", "a.html"
    )

    assert outline(hollow) == ["heading2| Do you ship to Malta?", "paragraph| Yes, for 14 euros."]
    assert outline(shown) == ["heading2| Do you ship to Malta?", "paragraph| Yes, 14 euros."]


@pytest.mark.parametrize(
    "page",
    [
        '<body><div id="__next"></div><script id="__NEXT_DATA__">{"a": "Returns"}</script></body>',
        "<head><script src=app.js></script></head><body><div id=root>Loading...</div>"
        "<p>Please enable JavaScript to continue using this application.</p></body>",
        "<body><noscript>You need JavaScript.</noscript><app-root></app-root><script>1</script>",
    ],
)
def test_a_page_that_a_script_builds_is_refused_with_what_it_needs(page: str):
    assert reason(page, "a.html") == "needs_browser"


@pytest.mark.parametrize(
    "page",
    [
        "<body><div id=content><p>Keys cost 35 euros.</p></div><script src=a.js></script></body>",
        "<body><div id=content>Keys cost 35 euros.</div><script src=a.js></script></body>",
        "<body><div id=ads></div><p>Enable JavaScript in your browser's settings, "
        f"then open the portal. {LOREM}</p><script src=a.js></script></body>",
    ],
)
def test_a_page_of_few_words_is_read(page: str):
    assert reason(page, "a.html") == "read"
