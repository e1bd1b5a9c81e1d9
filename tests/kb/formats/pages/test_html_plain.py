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
        f'<div role="button" tabindex="0">Can I pay by invoice?</div>{ANSWER}',
        '<div class="q"><div role="button" tabindex="0">Can I pay by invoice?</div></div>'
        '<div class="a" hidden><p>Yes, from 50 euros upward.</p></div>',
        '<div role="button" aria-controls="p2">Can I pay by invoice?</div>'
        '<div id="p2" style="display:none">Yes, from 50 euros upward.</div>',
        '<a role="button" data-toggle="collapse" href="#p3">Can I pay by invoice?</a>'
        '<div id="p3" hidden>Yes, from 50 euros upward.</div>',
        '<span data-bs-toggle="collapse" data-bs-target="#p4">Can I pay by invoice?</span>'
        '<div id="p4" style="display:none"><p>Yes, from 50 euros upward.</p></div>',
        "<p onclick=\"toggle('p5')\">Can I pay by invoice?</p>"
        '<div id="p5" style="display:none"><p>Yes, from 50 euros upward.</p></div>',
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


PANELS = "<p>The fee is nine euros.</p>", "<p>The fee is ninety euros.</p>"


def tab_list(*, attributes: str = "", names: tuple[str, str] = ("Monthly", "Yearly")) -> str:
    tabs = "".join(
        f'<button role="tab" id="t{n}" {attributes.format(n=n)}>{name}</button>'
        for n, name in enumerate(names)
    )
    return f'<div role="tablist">{tabs}</div>'


def tab_panels(attributes: str) -> str:
    return "".join(f"<div {attributes.format(n=n)}>{text}</div>" for n, text in enumerate(PANELS))


@pytest.mark.parametrize(
    "body",
    [
        tab_list(attributes='aria-controls="p{n}"') + tab_panels('role="tabpanel" id="p{n}"'),
        tab_list(attributes='aria-controls="p{n}"') + tab_panels('id="p{n}" hidden'),
        tab_list() + tab_panels('role="tabpanel" aria-labelledby="t{n}"'),
        tab_list() + "<div>" + tab_panels('role="tabpanel" style="display:none"') + "</div>",
        f"<div>{tab_list()}</div><div>{tab_panels('role=tabpanel')}</div>",
        '<ul role="tablist"><li role="tab">Monthly</li><li role="tab">Yearly</li></ul>'
        + tab_panels('role="tabpanel"'),
        '<ul class="nav"><li><a data-toggle="tab" href="#p0">Monthly</a></li>'
        '<li><a data-toggle="tab" href="#p1">Yearly</a></li></ul>' + tab_panels('id="p{n}"'),
        '<div><button data-bs-toggle="pill" data-bs-target="#p0">Monthly</button>'
        '<button data-bs-toggle="pill" data-bs-target="#p1">Yearly</button></div>'
        + tab_panels('id="p{n}"'),
        '<input type="radio" id="r0"><input type="radio" id="r1"><div class="labels">'
        '<label for="r0">Monthly</label><label for="r1">Yearly</label></div><div class="blocks">'
        + tab_panels('class="block"')
        + "</div>",
        '<input type="radio" id="r0"><label for="r0">Monthly</label><div>'
        f'{PANELS[0]}</div><input type="radio" id="r1"><label for="r1">Yearly</label><div>'
        f"{PANELS[1]}</div>",
        '<x-tabs><x-tab panel="m">Monthly</x-tab><x-tab panel="y">Yearly</x-tab>'
        f'<x-tab-panel name="m">{PANELS[0]}</x-tab-panel>'
        f'<x-tab-panel name="y">{PANELS[1]}</x-tab-panel></x-tabs>',
        "<div><button onclick=\"show(event, 'p0')\" class=tab data-tab=p0>Monthly</button>"
        "<button onclick=\"show(event, 'p1')\" class=tab data-tab=p1>Yearly</button></div>"
        + tab_panels('id="p{n}" style="display:none"'),
    ],
)
def test_the_label_of_a_tab_stands_above_its_panel(body: str):
    assert blocks(body) == [
        "heading2| Monthly",
        "paragraph| The fee is nine euros.",
        "heading2| Yearly",
        "paragraph| The fee is ninety euros.",
    ]


@pytest.mark.parametrize("hidden", ["aria-hidden='true'", "class='tab-hide'", "class='tab hide'"])
def test_a_panel_that_waits_to_be_opened_is_read(hidden: str):
    tabs = "<div role='tablist'><button role='tab' aria-controls='a'>Monthly</button>"
    tabs += "<button role='tab' aria-controls='b'>Yearly</button></div>"
    panels = "<div role='tabpanel' id='a'><p>It costs 10 euros.</p></div>"
    panels += f"<div role='tabpanel' id='b' {hidden}><p>It costs 100 euros.</p></div>"

    found = blocks(tabs + panels)

    assert "It costs 100 euros." in found[-1]
    assert "Yearly" in found[-2]


def test_a_tab_whose_panel_a_script_fills_is_said_in_its_place():
    tabs = "<ul role='tablist'><li role='tab' aria-controls='a'>Monthly</li>"
    tabs += "<li role='tab' aria-controls='b'>Yearly</li></ul>"
    panels = "<div><div role='tabpanel' id='a'><p>It costs 10 euros.</p></div>"
    panels += "<div role='tabpanel' id='b'></div></div>"

    found = blocks(tabs + panels)

    assert [block.partition("| ")[2] for block in found[-2:]] == ["It costs 10 euros.", "Yearly"]


def test_headings_in_a_panel_stand_under_its_tab():
    body = "<h2>Fees</h2>" + tab_list(attributes='aria-controls="p{n}"')
    body += '<div id="p0"><h3>Adults</h3><p>Nine.</p></div><div id="p1"><p>Ninety.</p></div>'

    assert blocks(body) == [
        "heading2| Fees",
        "heading3| Monthly",
        "heading4| Adults",
        "paragraph| Nine.",
        "heading3| Yearly",
        "paragraph| Ninety.",
    ]


def test_a_link_to_a_part_of_the_page_is_no_tab_of_it():
    body = '<p><a role="button" href="#fees">See our fees</a></p><div id="fees"><p>Nine.</p></div>'

    assert blocks(body)[-1] == "paragraph| Nine."
    assert "heading" not in "".join(blocks(body))


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
        '<dl><dt>Phone</dt><dd><a href="tel:030">030</a></dd><dt>Mail</dt>'
        '<dd><a href="mailto:a@b.example">write to us</a></dd><dt>Fax</dt><dd>031</dd></dl>',
        "<dl><div><dt>Phone</dt><dd>030</dd></div><div><dt>Mail</dt><dd>write to us</dd></div>"
        "<div><dt>Fax</dt><dd>031</dd></div></dl>",
        '<dl><dt>Phone</dt><dd>030</dd><dt>Mail</dt><dd><a href="/w">write</a> to us</dd>'
        "<dt>Fax</dt><dd>031</dd></dl>",
    ],
)
def test_definitions_stay_beside_their_terms(body: str):
    (found,) = blocks(body)

    assert found.replace(" (a@b.example)", "") == (
        "list| - Phone: 030\n- Mail: write to us\n- Fax: 031"
    )


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


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('<a href="https://a.example/form.pdf">form</a>', "form (https://a.example/form.pdf)"),
        ('<a href="/form.docx">form</a>', "form (https://city.example/form.docx)"),
        ('<a href="form" download>form</a>', "form (https://city.example/help/form)"),
        ('<a href="tel:+49301234">line</a>', "line (+49301234)"),
        ('<a href="mailto:a@b.example?subject=Keys">desk</a>', "desk (a@b.example)"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="/other">other page</a>', "other page"),
        ('<a href="#top">top</a>', "top"),
        ('<a href="http://[bad">x</a>', "x"),
    ],
)
def test_a_link_to_a_contact_or_a_file_says_where_it_leads(link: str, said: str):
    body = f"<p>Take the {link} here and nowhere else.</p>"
    page = f"<html><body><main><h1>Keys</h1><p>{LOREM}</p>{body}</main></body></html>"

    parsed = parse(page, "https://city.example/help/keys", media_type="text/html")

    assert f"Take the {said} here" in parsed.text
    assert parsed.left_out.get("link target", 0) == (said == "other page")


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ('Press <img src=g.png alt="gear"> to open it.', "Press gear to open it."),
        ('Press <img src=g.png alt="gear">, then wait.', "Press gear, then wait."),
        ('Press <b>twice</b> <img alt="gear"> now.', "Press twice gear now."),
        ('<img alt="Gear"> opens the settings.', "Gear opens the settings."),
        ("Press <a href=/g><img alt='gear'></a> to open it.", "Press gear to open it."),
        ('Press <i class="icon" role="img" aria-label="gear"></i> now.', "Press gear now."),
        ("Press <svg><title>gear</title><path/></svg> now.", "Press gear now."),
        ('Press <svg aria-label="gear"><path/></svg> now.', "Press gear now."),
        ('Good <img class="emoji" alt="\U0001f600"> morning.', "Good \U0001f600 morning."),
        ('\u6309<img alt="\u8bbe\u7f6e">\u952e\u3002', "\u6309\u8bbe\u7f6e\u952e\u3002"),
        ('Press <img alt=""> to open it.', "Press to open it."),
        ('Press <img alt="IMG_12.png"> to open it.', "Press to open it."),
        ('Press gear <img alt="gear"> to open it.', "Press gear to open it."),
    ],
)
@pytest.mark.parametrize("form", ["html", "eml", "md"])
def test_a_picture_within_a_sentence_says_what_it_shows(sentence: str, said: str, form: str):
    if form == "html":
        assert blocks(f"<p>{sentence}</p>") == [f"paragraph| {said}"]
    elif form == "eml":
        head = "Subject: Keys\nFrom: a@b.example\nContent-Type: text/html; charset=utf-8"
        assert said in parse(f"{head}\n\n<p>{sentence}</p>", "a.eml").text
    else:
        text = parse(sentence if "<img" in sentence else said, "a.md").text
        assert " ".join(text.split()) == said


def test_a_picture_beside_the_text_is_no_part_of_it():
    body = '<p>Water the roses.</p><p><img alt="A rose in bloom"></p><div><img alt="Logo">Us</div>'

    assert "rose in bloom" not in "".join(blocks(body))
    assert "Logo" not in "".join(blocks(body))


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (
            '<div role="tablist"><button role="tab">Malta</button><button role="tab">Oslo</button>'
            '</div><div role="tabpanel">Nine days.</div><div role="tabpanel" hidden>Two days.'
            "</div>",
            ["Malta", "Nine days.", "Oslo", "Two days."],
        ),
        (
            '<ul class="nav"><li><button data-bs-toggle="tab" data-bs-target="#a">'
            "德国</button></li>"
            '<li><button data-bs-toggle="tab" data-bs-target="#b">日本</button></li></ul><div>'
            '<div class="tab-pane" id="a">运费五欧元。</div><div id="b">'
            "送料<b>九</b>ユーロ。</div></div>",
            ["德国", "运费五欧元。", "日本", "送料九ユーロ。"],
        ),
        ("<section>It costs 12 euros.</section>", ["It costs 12 euros."]),
        ("It costs <b>12</b> euros.<p>Or less.</p>", ["It costs 12 euros.", "Or less."]),
        ("<fieldset><legend>Zone</legend>It costs 3.</fieldset>", ["Zone", "It costs 3."]),
        ("<dialog open>It costs 3.</dialog>", ["It costs 3."]),
    ],
)
def test_words_without_a_paragraph_of_their_own_are_kept(body: str, texts: list[str]):
    assert [block.partition("| ")[2] for block in blocks(body)] == texts


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<pre>run --now</pre>", "run --now"),
        ("<blockquote>Be kind to fees.</blockquote>", "Be kind to fees."),
        (
            "<table><tr><th>Plan</th><th>Price</th></tr><tr><td>A</td><td>5</td></tr></table>",
            "A | 5",
        ),
    ],
)
def test_the_caption_of_a_table_code_or_quotation_is_kept(body: str, kept: str):
    found = "\n".join(blocks(f"<figure>{body}<figcaption>All net of tax</figcaption></figure>"))

    assert kept in found
    assert "All net of tax" in found


@pytest.mark.parametrize(
    "body",
    [
        "<fieldset>Your name <input name=n></fieldset>",
        "<dialog>Accept all cookies of the house?</dialog>",
    ],
)
def test_what_asks_or_waits_to_be_opened_is_no_text(body: str):
    assert blocks(f"{body}<p>Nine days.</p>") == ["paragraph| Nine days."]
